from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from tests.works.files import DATA, DEMO, records_of
from works.ingest import arxiv
from works.ingest.files import UnreadableFile
from works.ingest.records import Reject, WorkRecord


class ReadAtomTests(TestCase):
    def test_the_seed_pair_is_read_whole(self) -> None:
        recnmp, hercules = records_of(arxiv, DEMO / "arxiv-seed.atom.xml")
        self.assertEqual(recnmp.record_id, "1912.12953")
        self.assertEqual([len(recnmp.authorships), len(hercules.authorships)], [21, 6])
        self.assertEqual(recnmp.authorships[13].raw_name, "Hsien-Hsin S. Lee")
        self.assertEqual([(t.value, t.display_name, t.is_primary) for t in recnmp.topics], [
            ("cs.DC", "Distributed, Parallel, and Cluster Computing", True), ("cs.AR", "Hardware Architecture", False),
        ])  # fmt: skip
        self.assertEqual(
            (hercules.type, hercules.publication_year, hercules.source.display_name),
            ("preprint", 2022, "arXiv"),
        )

    def test_an_error_that_comes_as_an_entry_is_no_work(self) -> None:
        [path] = (DATA / "arxiv" / "atom").glob("id_abc*")
        [item] = arxiv.read(path)
        self.assertIsInstance(item, Reject)
        self.assertIn("incorrect id format", item.reason)

    def test_a_feed_without_entries_gives_nothing(self) -> None:
        [path] = (DATA / "arxiv" / "atom").glob("id_0808*")
        self.assertEqual(list(arxiv.read(path)), [])

    def test_a_document_type_is_refused(self) -> None:
        bomb = '<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2001.00001</id><title>&b;</title></entry></feed>'
        with TemporaryDirectory() as folder:
            path = Path(folder, "bomb.xml")
            path.write_text(bomb, encoding="utf-8")
            with self.assertRaisesRegex(UnreadableFile, "document type"):
                list(arxiv.read(path))

    def test_xml_cut_off_gives_what_came_before_and_says_so(self) -> None:
        text = (DEMO / "arxiv-seed.atom.xml").read_bytes()
        with TemporaryDirectory() as folder:
            path = Path(folder, "cut.xml")
            path.write_bytes(text[: text.rindex(b"<entry>") + 300])
            items = list(arxiv.read(path))
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject])
        self.assertIn("not well-formed", items[1].reason)


class ReadTableTests(TestCase):
    def test_the_row_of_recnmp_is_the_same_work_as_in_atom(self) -> None:
        [row] = records_of(arxiv, DATA / "arxiv" / "recnmp.tsv")
        atom = records_of(arxiv, DEMO / "arxiv-seed.atom.xml")[0]
        self.assertEqual(row, atom)

    def test_ids_that_were_floats_are_whole_again(self) -> None:
        self.assertEqual(
            [r.record_id for r in records_of(arxiv, DATA / "arxiv" / "left-out.tsv")],
            ["1911.12815", "1805.08309"],
        )

    def test_quoted_line_breaks_do_not_break_rows(self) -> None:
        for name in ("sample-cs.AR.tsv.xz", "sample-cs.DC.tsv.xz"):
            items = list(arxiv.read(DATA / "arxiv" / name))
            self.assertGreater(len(items), 20)
            self.assertEqual([item for item in items if isinstance(item, Reject)], [])

    def test_a_table_without_our_columns_is_refused(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "other.tsv")
            path.write_text("a\tb\n1\t2\n", encoding="utf-8")
            with self.assertRaisesRegex(UnreadableFile, "needs the columns"):
                list(arxiv.read(path))

    def test_a_row_with_missing_columns_is_kept_as_a_reject(self) -> None:
        text = (DATA / "arxiv" / "recnmp.tsv").read_text(encoding="utf-8")
        with TemporaryDirectory() as folder:
            path = Path(folder, "rows.tsv")
            path.write_text(text.rstrip("\n") + "\nonly\tthree\tcells\n", encoding="utf-8")
            items = list(arxiv.read(path))
        self.assertEqual(items[-1].reason, "3 columns instead of 15")

    def test_a_quote_that_nobody_closes_costs_its_own_row_only(self) -> None:
        header, row = (DATA / "arxiv" / "recnmp.tsv").read_text(encoding="utf-8").splitlines()[:2]
        rows = [row.replace("1912.1295300000002", f"1912.{10000 + n}") for n in range(400)]
        rows[5] = rows[5].replace("\t", '\t"', 1)
        rows[390] = rows[390].replace("\t", '\t"', 1)
        with TemporaryDirectory() as folder:
            path = Path(folder, "rows.tsv")
            path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
            items = list(arxiv.read(path))
        self.assertEqual(sum(isinstance(item, WorkRecord) for item in items), 398)
        self.assertEqual(sum(isinstance(item, Reject) for item in items), 2)


class CategoryTests(TestCase):
    def test_categories_have_official_names_and_a_place_in_openalex(self) -> None:
        known = arxiv.categories()
        self.assertEqual(known["cs.AR"].name, "Hardware Architecture")
        self.assertEqual(known["cs.AR"].lineage[-1], ("domains/3", "Physical Sciences"))
        self.assertEqual(
            {value for c in known.values() for value, _ in c.lineage if value.startswith("domains/")},
            {"domains/1", "domains/2", "domains/3", "domains/4"},
        )

    def test_a_closed_archive_leads_to_its_category(self) -> None:
        self.assertEqual(arxiv.categories()["cmp-lg"].code, "cs.CL")
