import io
import json
from datetime import UTC, date, datetime
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, DEMO, read_bytes, read_file, records_of
from works.ingest import arxiv
from works.ingest.arxiv_people import Author, people, split_authors
from works.ingest.files import UnreadableFile
from works.ingest.records import Reject, WorkRecord, decode, encode

ARXIV = DATA / "arxiv"


def read_text(content: bytes) -> list[Any]:
    return read_bytes(arxiv, content, "arxiv")


def names(record: WorkRecord) -> list[str]:
    return [authorship.raw_name for authorship in record.authorships]


class ReadAtomTests(TestCase):
    def test_the_seed_pair_is_read_whole(self) -> None:
        recnmp, hercules = records_of(arxiv, DEMO / "arxiv-seed.atom.xml")
        self.assertEqual(recnmp.record_id, "1912.12953")
        self.assertEqual([len(recnmp.authorships), len(hercules.authorships)], [21, 6])
        self.assertEqual(recnmp.authorships[13].raw_name, "Hsien-Hsin S. Lee")
        self.assertEqual([(t.value, t.display_name, t.is_primary) for t in recnmp.topics], [
            ("cs.DC", "Distributed, Parallel, and Cluster Computing", True), ("cs.AR", "Hardware Architecture", False),
        ])  # fmt: skip
        assert hercules.source
        self.assertEqual(
            (hercules.type, hercules.publication_year, hercules.source.display_name),
            ("preprint", 2022, "arXiv"),
        )

    def test_an_error_that_comes_as_an_entry_is_no_work(self) -> None:
        [path] = (ARXIV / "atom").glob("id_abc*")
        [item] = read_file(arxiv, path)
        self.assertIsInstance(item, Reject)
        self.assertIn("incorrect id format", item.reason)

    def test_a_feed_without_entries_gives_nothing(self) -> None:
        [path] = (ARXIV / "atom").glob("id_0808*")
        self.assertEqual(read_file(arxiv, path), [])

    def test_a_document_type_is_refused(self) -> None:
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        for declared in (
            '<!ENTITY a "aaaa">',
            f'<!ENTITY l0 "lol">{laughs}',
            '<!ENTITY a SYSTEM "file:///etc/hostname">',
        ):
            bomb = f'<?xml version="1.0"?><!DOCTYPE feed [{declared}]><feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2001.00001</id><title>&a;&l9;</title></entry></feed>'
            with self.assertRaisesRegex(UnreadableFile, "document type"):
                read_text(bomb.encode())

    def test_xml_cut_off_gives_what_came_before_and_says_so(self) -> None:
        text = (DEMO / "arxiv-seed.atom.xml").read_bytes()
        seen = []
        with self.assertRaisesRegex(UnreadableFile, "arxiv: .*cut off"):
            for item in arxiv.read_stream(io.BytesIO(text[: text.rindex(b"<entry>") + 300]), "arxiv"):
                seen.append(item)
        self.assertEqual([type(item) for item in seen], [WorkRecord])

    def test_other_xml_is_refused(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "not an answer of arXiv; its outermost element is <x>"):
            read_text(b"<x><entry/></x>")


def oai(record: str, attributes: str = "") -> bytes:
    return (
        '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2024-01-01T00:00:00Z'
        f'</responseDate><request verb="ListRecords">http://export.arxiv.org/oai2</request>{record}</OAI-PMH>'
    ).encode()


class ReadOaiTests(TestCase):
    def test_the_format_arxiv_is_read(self) -> None:
        toolbox, _, branes = records_of(arxiv, ARXIV / "oai" / "arXiv-list.xml")
        self.assertEqual((toolbox.record_id, names(toolbox)), ("1412.8323", ["Philipp A Hoehn"]))
        self.assertEqual(
            (toolbox.title, toolbox.license, toolbox.publication_date, toolbox.observed_at),
            (
                "Toolbox for reconstructing quantum theory from rules on information acquisition",
                "cc-by",
                date(2014, 12, 29),
                datetime(2017, 12, 14, tzinfo=UTC),
            ),
        )
        self.assertEqual([t.value for t in toolbox.topics if t.is_primary], ["quant-ph"])
        self.assertEqual(len(toolbox.topics), 6)
        self.assertEqual(branes.identifiers, (("arxiv", "1607.01710"), ("doi", "10.1002/andp.201700188")))

    def test_the_format_arxivraw_is_read(self) -> None:
        [record] = records_of(arxiv, ARXIV / "oai" / "arXivRaw-one.xml")
        self.assertEqual(names(record), ["Raphael Chetrite", "Shamik Gupta", "Izaak Neri", "Édgar Roldán"])
        self.assertEqual(
            (record.publication_date, record.observed_at.date()), (date(2018, 10, 22), date(2019, 1, 15))
        )

    def test_dublin_core_is_read_in_reading_order(self) -> None:
        [record] = records_of(arxiv, ARXIV / "oai" / "oai_dc-one-record.xml")
        self.assertEqual(names(record)[0], "B. Özel")
        self.assertEqual(names(record)[3], "P. von Neumann-Cosel")
        self.assertEqual([topic.value for topic in record.topics], ["nucl-ex"])
        self.assertTrue(record.abstract.startswith("The $^{112,120}$Sn"))
        self.assertNotIn("Comment", record.abstract)
        several = records_of(arxiv, ARXIV / "oai" / "oai_dc-list.xml")
        self.assertEqual([r.record_id for r in several], ["1009.1022", "1305.6404", "1412.1417"])
        self.assertEqual([topic.value for topic in several[2].topics], ["math.QA", "math.RT"])
        self.assertIn(("doi", "10.1112/jlms.12001"), several[2].identifiers)

    def test_who_speaks_for_a_collaboration_is_a_person(self) -> None:
        [record] = records_of(arxiv, ARXIV / "oai" / "arXiv-collaboration.xml")
        self.assertEqual(names(record), ["Teresa Maria Montaruli"])

    def test_suffixes_and_affiliations_are_kept(self) -> None:
        author = "<author><keyname>Evans</keyname><forenames>Neal J.</forenames><suffix>II</suffix><affiliation>UT Austin</affiliation></author>"
        record = f'<record><header><identifier>oai:arXiv.org:0704.0009</identifier></header><metadata><arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>0704.0009</id><authors>{author}</authors><title>T</title></arXiv></metadata></record>'
        [found] = read_text(oai(f"<ListRecords>{record}</ListRecords>"))
        self.assertEqual(
            [(a.raw_name, a.raw_affiliations) for a in found.authorships],
            [("Neal J. Evans II", ("UT Austin",))],
        )

    def test_deleted_records_are_withdrawn(self) -> None:
        gone = '<record><header status="deleted"><identifier>oai:arXiv.org:cs/0703041</identifier><datestamp>2010-05-01</datestamp></header></record>'
        [record] = read_text(oai(f"<ListRecords>{gone}</ListRecords>"))
        self.assertEqual(
            (record.record_id, record.withdrawn, record.identifiers, record.observed_at),
            ("cs/0703041", True, (("arxiv", "cs/0703041"),), datetime(2010, 5, 1, tzinfo=UTC)),
        )

    def test_errors_say_what_the_server_said(self) -> None:
        [item] = read_text(oai('<error code="noRecordsMatch">The combination of the given values.</error>'))
        self.assertEqual(
            item.reason,
            "no records, but an answer of OAI-PMH: noRecordsMatch The combination of the given values.",
        )

    def test_records_that_cannot_be_read_are_rejected_in_words(self) -> None:
        def record(inner: str, identifier: str = "oai:arXiv.org:0704.0009") -> bytes:
            return oai(
                f"<ListRecords><record><header><identifier>{identifier}</identifier></header>{inner}</record></ListRecords>"
            )

        for text, reason in (
            (record(""), "a record without metadata"),
            (
                record("<metadata><arXiv><title>T</title></arXiv></metadata>", "oai:other.org:5"),
                "no arXiv id",
            ),
            (record("<metadata><marc><id>0704.0009</id></marc></metadata>"), "in the format marc"),
            (record("<metadata><arXiv><id>0704.0009</id></arXiv></metadata>"), "neither title nor authors"),
        ):
            [item] = read_text(text)
            self.assertIn(reason, item.reason)

    def test_answers_of_other_verbs_are_refused(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "ask for ListRecords or GetRecord"):
            read_text(oai("<Identify><repositoryName>arXiv</repositoryName></Identify>"))


class ReadKaggleTests(TestCase):
    def setUp(self) -> None:
        self.records = {record.record_id: record for record in records_of(arxiv, ARXIV / "kaggle.json.gz")}

    def test_names_come_with_suffix_accents_and_hyphens(self) -> None:
        self.assertEqual(names(self.records["0704.0001"])[::3], ["C. Balázs", "C.-P. Yuan"])
        self.assertIn("Neal J. Evans II", names(self.records["0704.0009"]))

    def test_dates_are_those_of_the_first_version_and_of_the_last_change(self) -> None:
        record = self.records["0704.0001"]
        self.assertEqual(
            (record.publication_date, record.observed_at.date()), (date(2007, 4, 2), date(2008, 11, 26))
        )
        self.assertEqual(record.identifiers, (("arxiv", "0704.0001"), ("doi", "10.1103/physrevd.76.013009")))
        self.assertEqual(record.title[-18:], "at Tevatron and LHC energies"[-18:])

    def test_a_collaboration_is_nobody_and_et_al_says_that_people_are_missing(self) -> None:
        babar = self.records["0704.0020"]
        self.assertEqual((names(babar), babar.partial_authors), (["B. Aubert"], True))

    def test_marks_lead_to_addresses(self) -> None:
        places = [a.raw_affiliations for a in self.records["0704.0025"].authorships]
        crest = "CREST, Japan Science and Technology Agency"
        self.assertEqual(
            places,
            [(crest, "Russian Research Centre “Kurchatov Institute”"), (crest, "The University of Tokyo")],
        )
        self.assertEqual(
            self.records["0704.0139"].authorships[-1].raw_affiliations,
            ("Astronomy Department, University of Virginia",),
        )

    def test_ids_that_became_numbers_are_whole_again(self) -> None:
        [record] = read_text(
            b'{"id": 704.1, "title": "T", "authors": "A. Bee and C. Dee", "categories": ["cs.AR cs.DC"]}'
        )
        self.assertEqual((record.record_id, names(record)), ("0704.1000", ["A. Bee", "C. Dee"]))
        self.assertEqual([topic.value for topic in record.topics], ["cs.AR", "cs.DC"])

    def test_bad_lines_are_rejects(self) -> None:
        good = b'{"id": "0704.0001", "title": "T", "versions": [{"created": "0000-00-00"}], "update_date": "0000-00-00"}'
        items = read_text(
            b"\n".join([good, b'{"id": ', b'{"title": "T"}', b'{"id": "0704.0002"}', b"[1]", good])
        )
        self.assertEqual(
            [getattr(item, "reason", "")[:12] for item in items],
            ["", "not JSON: In", "no arXiv id", "neither titl", "not an objec", ""],
        )
        self.assertEqual((items[0].publication_date, items[0].observed_at.year), (None, 1970))

    def test_a_line_of_50_megabytes_is_a_reject_and_the_next_is_read(self) -> None:
        good = b'{"id": "0704.0001", "title": "T"}'
        items = read_text(good + b'\n{"id": "0704.0002", "title": "' + b"x" * 50_000_000 + b'"}\n' + good)
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject, WorkRecord])

    @settings(max_examples=200, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["title", "authors", "authors_parsed", "categories", "versions", "update_date", "doi", "abstract"]),
            st.recursive(
                st.none() | st.integers() | st.text(max_size=20),
                lambda c: st.lists(c, max_size=3) | st.dictionaries(st.just("created"), c),
                max_leaves=8,
            ),
        )
    )  # fmt: skip
    def test_no_line_is_read_with_a_traceback(self, line: dict[str, Any]) -> None:
        [item] = read_text(json.dumps(line | {"id": "0704.0001"}).encode())
        if isinstance(item, WorkRecord):
            self.assertEqual(decode(encode(item)), item)
        else:
            self.assertTrue(item.reason)


class PeopleTests(TestCase):
    def read(self, text: str) -> tuple[list[str], bool]:
        authors, cut_off = split_authors(text)
        found = people(authors)
        return [authorship.raw_name for authorship in found.authorships], found.partial or cut_off

    def test_lists_are_split_into_people(self) -> None:
        for text, expected in {
            "A. Bee, C. Dee, and E. Eff": ["A. Bee", "C. Dee", "E. Eff"],
            "Hai (Helen) Li and Carole-Jean Wu": ["Hai (Helen) Li", "Carole-Jean Wu"],
            "Warren A Hunt, Jr., B. Bee": ["Warren A Hunt Jr.", "B. Bee"],
            "A. Bee (MIT, Cambridge), C. Dee (ETH)": ["A. Bee", "C. Dee"],
            r"Carlos Garc{\'e}s and J. M\"uller$^{1}$\thanks{now, elsewhere}": ["Carlos Garcés", "J. Müller"],
            "Gang Wu1, 2Le Wu": ["Gang Wu", "Le Wu"],
            "William H. Press, The Duy Bui, R. Andrew Board": [
                "William H. Press",
                "The Duy Bui",
                "R. Andrew Board",
            ],
            "Sudha": ["Sudha"],
            "": [],
        }.items():
            with self.subTest(text):
                self.assertEqual(self.read(text), (expected, False))

    def test_collaborations_are_no_people(self) -> None:
        for text, expected in {
            "ATLAS Collaboration: G. Aad, B. Abbott": ["G. Aad", "B. Abbott"],
            "The LIGO Scientific Collaboration, the Virgo Collaboration, B. P. Abbott": ["B. P. Abbott"],
            "Keck Array, BICEP2 Collaborations, :, P. Ade": ["P. Ade"],
            "A. Bee (for the ATLAS Collaboration)": ["A. Bee"],
            "S. Bee, on behalf of the CMS collaboration": ["S. Bee"],
            "A. Bee, the ASDEX Upgrade Team, SciPy 1. 0 Contributors": ["A. Bee"],
            "A. Bee (eds.)": ["A. Bee"],
        }.items():
            with self.subTest(text):
                self.assertEqual(self.read(text), (expected, False))

    def test_a_list_that_lacks_people_says_so(self) -> None:
        for text, expected in {
            "B. Aubert et al.": ["B. Aubert"],
            "B. Aubert, et al": ["B. Aubert"],
            "B. Aubert and others": ["B. Aubert"],
            "Fermi-LAT Collaboration": [],
            "A. Bee (MIT, C. Dee": ["A. Bee"],
        }.items():
            with self.subTest(text):
                self.assertEqual(self.read(text), (expected, True))

    def test_an_organisation_in_the_family_name_is_nobody(self) -> None:
        found = people([Author("Institute of Physics", is_bare=True), Author("Sudha", is_bare=True)])
        self.assertEqual([authorship.raw_name for authorship in found.authorships], ["Sudha"])

    def test_lists_without_end_are_read_in_little_time(self) -> None:
        """Each of these would take hours if something were tried again and again."""
        for piece in ("for ", "a and ", "(", ")", "1", "and", "$ ", "(1) ", "{", "et al ", "collaboration :"):
            text = piece * 50_000
            authors, _ = split_authors(text + "!")
            found = people([*authors, Author(text, (text,))])
            self.assertLessEqual(len(found.authorships), 20_001)


class ReadTableTests(TestCase):
    def test_the_row_of_recnmp_is_the_same_work_as_in_atom(self) -> None:
        [row] = records_of(arxiv, ARXIV / "recnmp.tsv")
        atom = records_of(arxiv, DEMO / "arxiv-seed.atom.xml")[0]
        self.assertEqual(row, atom)

    def test_ids_that_were_floats_are_whole_again(self) -> None:
        self.assertEqual(
            [r.record_id for r in records_of(arxiv, ARXIV / "left-out.tsv")], ["1911.12815", "1805.08309"]
        )

    def test_quoted_line_breaks_do_not_break_rows(self) -> None:
        for name in ("sample-cs.AR.tsv.xz", "sample-cs.DC.tsv.xz"):
            items = read_file(arxiv, ARXIV / name)
            self.assertGreater(len(items), 20)
            self.assertEqual([item for item in items if isinstance(item, Reject)], [])

    def test_a_table_without_our_columns_is_refused(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "needs the columns"):
            read_text(b"a\tb\n1\t2\n")

    def test_a_row_with_missing_columns_is_kept_as_a_reject(self) -> None:
        items = read_text((ARXIV / "recnmp.tsv").read_bytes().rstrip(b"\n") + b"\nonly\tthree\tcells\n")
        self.assertEqual(items[-1].reason, "3 columns instead of 15")

    def test_a_quote_that_nobody_closes_costs_its_own_row_only(self) -> None:
        header, row = (ARXIV / "recnmp.tsv").read_text(encoding="utf-8").splitlines()[:2]
        rows = [row.replace("1912.1295300000002", f"1912.{10000 + n}") for n in range(400)]
        rows[5] = rows[5].replace("\t", '\t"', 1)
        rows[390] = rows[390].replace("\t", '\t"', 1)
        items = read_text(("\n".join([header, *rows]) + "\n").encode())
        self.assertEqual(sum(isinstance(item, WorkRecord) for item in items), 398)
        self.assertEqual(sum(isinstance(item, Reject) for item in items), 2)


class FormatTests(TestCase):
    def test_one_work_is_the_same_in_every_format(self) -> None:
        line = b'{"id": "0704.0009", "title": "A Title", "abstract": "Words.", "categories": "math.LO cs.AR", "doi": "10.1000/X", "versions": [{"created": "Mon, 2 Apr 2007 19:18:42 GMT"}], "update_date": "2008-11-26", "authors_parsed": [["Evans", "Neal J.", "II"], ["Bee", "A.", ""]]}'
        head = "<record><header><identifier>oai:arXiv.org:0704.0009</identifier><datestamp>2008-11-26</datestamp></header><metadata>"
        common = "<title>A Title</title><categories>math.LO cs.AR</categories><doi>10.1000/X</doi><abstract>Words.</abstract>"
        parsed = "<author><keyname>Evans</keyname><forenames>Neal J.</forenames><suffix>II</suffix></author><author><keyname>Bee</keyname><forenames>A.</forenames></author>"
        plain = f"{head}<arXiv><id>0704.0009</id><created>2007-04-02</created><authors>{parsed}</authors>{common}</arXiv></metadata></record>"
        raw = f"{head}<arXivRaw><id>0704.0009</id><version><date>Mon, 2 Apr 2007 19:18:42 GMT</date></version><authors>Neal J. Evans, II, and A. Bee</authors>{common}</arXivRaw></metadata></record>"
        dublin = f"{head}<dc><title>A Title</title><creator>Evans, Neal J., II</creator><creator>Bee, A.</creator><subject>Mathematics - Logic</subject><subject>Computer Science - Hardware Architecture</subject><description>Words.</description><date>2007-04-02</date><identifier>http://arxiv.org/abs/0704.0009</identifier><identifier>doi:10.1000/x</identifier></dc></metadata></record>"
        [expected] = read_text(line)
        self.assertEqual(names(expected), ["Neal J. Evans II", "A. Bee"])
        for record in (plain, raw, dublin):
            self.assertEqual(read_text(oai(f"<ListRecords>{record}</ListRecords>")), [expected])

    def test_other_formats_are_refused(self) -> None:
        for content, sentence in (
            (b"", "arxiv: the file is empty"),
            (b"words", "neither XML nor JSON Lines nor a tab-separated table"),
            (b"<html><body>403 Forbidden</body></html>", "a web page"),
            ("<feed/>".encode("utf-16"), "UTF-16"),
            (b"<feed", "not an answer of arXiv"),
            (b'{"id": "0704.0001", "title": "T"', "damaged or cut off"),
        ):
            with self.subTest(content[:20]), self.assertRaisesRegex(UnreadableFile, sentence):
                read_text(content)


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
