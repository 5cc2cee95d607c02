"""Every real file a developer has: make test DATA=path. The path holds openalex/ and arxiv/ as in tests/data."""

import os
from pathlib import Path
from unittest import SkipTest, TestCase

from works.ingest import arxiv, openalex
from works.ingest.records import Reject, WorkRecord

EXPECTED = (
    "a grant, which is no publication",
    "neither title nor authors",
    "no arXiv work:",
    "no OpenAlex work id",
)


class MoreFilesTests(TestCase):
    def setUp(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        self.folder = Path(os.environ["DATA"])

    def check(self, reader, paths: list[Path]) -> None:
        self.assertTrue(paths, f"no files in {self.folder}")
        for path in paths:
            with self.subTest(path.name):
                items = list(reader.read(path))
                reasons = {item.reason for item in items if isinstance(item, Reject)}
                self.assertEqual({reason for reason in reasons if not reason.startswith(EXPECTED)}, set())
                for item in items:
                    self.assertIsInstance(item, (WorkRecord, Reject))

    def test_every_openalex_file_is_read(self) -> None:
        paths = [path for path in sorted((self.folder / "openalex").rglob("*")) if path.is_file()]
        self.check(openalex, [path for path in paths if "works" in str(path.relative_to(self.folder))])

    def test_every_arxiv_file_is_read(self) -> None:
        paths = sorted((self.folder / "arxiv").rglob("*"))
        self.check(arxiv, [path for path in paths if path.parent.name in {"archive-tsv", "atom"}])
