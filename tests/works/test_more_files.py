"""Every real file a developer has: make test DATA=path. The path holds openalex/ and arxiv/ as in tests/data."""

import os
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.works.files import read_file
from works.ingest import arxiv, openalex
from works.ingest.files import Reader, find_files
from works.ingest.records import Reject

EXPECTED = (
    "a grant, which is no publication",
    "neither title nor authors",
    "concept: not part of the catalogue",
    "publisher: not part of the catalogue",
    "funder: not part of the catalogue",
    "no arXiv work:",
)


class MoreFilesTests(TestCase):
    def setUp(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        self.folder = Path(os.environ["DATA"])

    def check(self, reader: Reader, folder: str) -> None:
        """Each file is read to its end, and what is left out is left out for a reason we know."""
        for path in find_files([str(self.folder / folder)], reader.SUFFIXES):
            with self.subTest(path.name):
                reasons = {item.reason for item in read_file(reader, path) if isinstance(item, Reject)}
                self.assertEqual({reason for reason in reasons if not reason.startswith(EXPECTED)}, set())

    def test_every_openalex_file_is_read(self) -> None:
        self.check(openalex, "openalex")

    def test_every_arxiv_file_is_read(self) -> None:
        self.check(arxiv, "arxiv")
