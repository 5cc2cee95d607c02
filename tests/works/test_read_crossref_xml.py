import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, read_bytes, read_file
from works.ingest import crossref
from works.ingest.files import UnreadableFile
from works.ingest.records import NEVER, InstitutionRef, Reject, SourceRef, WorkRecord, decode, encode

XML = DATA / "crossref" / "xml"
UNIXREF = (XML / "unixref.xml").read_bytes()


def read(content: bytes | str) -> list[Any]:
    return read_bytes(crossref, content.encode() if isinstance(content, str) else content, "file.xml")


def article(inside: str, *, before: str = "", record: str = 'timestamp="2020-01-02 03:04:05"') -> str:
    return (
        f"<doi_records><doi_record {record}><crossref><journal><journal_metadata><full_title>J</full_title>"
        f"</journal_metadata>{before}<journal_article>{inside}<doi_data><doi>10.5555/a</doi></doi_data>"
        "</journal_article></journal></crossref></doi_record></doi_records>"
    )


def read_article(inside: str, **around: str) -> Any:
    [item] = read(article(inside, **around))
    return item


TITLE = "<titles><title>T</title></titles>"


class UnixrefTests(TestCase):
    def setUp(self) -> None:
        self.items = read_file(crossref, XML / "unixref.xml")

    def test_each_record_is_accounted_for(self) -> None:
        self.assertEqual(
            [item.record_id if isinstance(item, WorkRecord) else item.reason for item in self.items],
            [
                "10.5555/ais.25.1.7",
                "10.5555/978-0-00-000000-2_1",
                "10.5555/inventrxiv.1",
                "a record without a work: doi:10.5555/none not found in CrossRef",
                "a journal, which is no publication of its own",
            ],
        )

    def test_an_article_is_read_whole(self) -> None:
        record = self.items[0]
        self.assertEqual(
            record.title,
            'Growth of <i>Inventia minor</i> at <math><mi mathvariant="bold">x</mi><mo>&lt;</mo><mn>3</mn></math>'
            ": A first look",
        )
        self.assertEqual(record.abstract, "<p>We grew it &amp; <italic>it grew</italic> H<sub>2</sub>O.</p>")
        self.assertEqual(
            (record.type, record.language, record.license, record.publication_date, record.observed_at),
            ("article", "en", "cc-by", date(2000, 11, 9), datetime(2021, 10, 8, 22, 17, 12, tzinfo=UTC)),
        )
        self.assertEqual(
            record.source,
            SourceRef(
                display_name="Annals of Invented Science & Letters", issn=("0000-0019",), type="journal"
            ),
        )
        self.assertEqual(record.identifiers, (("doi", "10.5555/ais.25.1.7"), ("doi", "10.5555/other")))
        self.assertEqual(record.references, (("doi", "10.5555/cited-a"), ("doi", "10.5555/cited-b")))
        self.assertTrue(record.is_retracted)

    def test_only_authors_and_only_people(self) -> None:
        one, other = self.items[0].authorships
        self.assertEqual(
            (one.raw_name, one.orcid, one.raw_affiliations),
            ("Ernest B. Müller Jr.", "0000-0002-1825-0097", ("Institute of Invention, Nowhere",)),
        )
        self.assertEqual(
            (other.raw_name, other.raw_affiliations, other.institutions),
            (
                "Govinda",
                ("Department of Nothing, Invented University, Somewhere",),
                (InstitutionRef(display_name="Invented University", ror="05wvpxv85"),),
            ),
        )

    def test_a_chapter_takes_what_its_book_says_and_the_book_is_no_record(self) -> None:
        chapter = self.items[1]
        self.assertEqual(
            (chapter.type, chapter.publication_year, chapter.source, chapter.authorships),
            (
                "book-chapter",
                2011,
                SourceRef(
                    display_name="Encyclopedia of Inventions",
                    type="other",
                    host_organization_name="Invented Press",
                ),
                (),
            ),
        )

    def test_a_preprint_says_where_it_was_posted(self) -> None:
        preprint = self.items[2]
        self.assertEqual(
            (preprint.type, preprint.publication_date, preprint.source),
            ("preprint", date(2021, 8, 6), SourceRef(display_name="InventRxiv", type="repository")),
        )

    def test_a_prefix_that_nobody_declared_does_no_harm(self) -> None:
        cut_out = UNIXREF.replace(
            b"<doi_records>", b'<doi_records xsi:schemaLocation="http://www.crossref.org/xschema/1.0">'
        )
        self.assertEqual(read(cut_out), self.items)

    def test_any_namespace_is_read(self) -> None:
        for version in ("xschema/1.1", "schema/4.4.0", "schema/5.3.1", "schema/9.9"):
            spaced = UNIXREF.replace(
                b"<crossref>", f'<crossref xmlns="http://www.crossref.org/{version}">'.encode()
            )
            self.assertEqual(read(spaced), self.items)

    def test_an_answer_of_oai_tells_when_it_changed(self) -> None:
        inside = article(TITLE, record="").split("<doi_record >")[1].split("</doi_record>")[0]
        [record] = read(
            f"<record><header><datestamp>2021-06-30</datestamp></header><metadata>{inside}</metadata></record>"
        )
        self.assertEqual(record.observed_at, datetime(2021, 6, 30, tzinfo=UTC))

    def test_an_answer_to_a_query(self) -> None:
        inside = article(TITLE, record="").removeprefix("<doi_records>").removesuffix("</doi_records>")
        items = read(
            '<crossref_result xmlns="http://www.crossref.org/qrschema/3.0"><query_result><body>'
            '<query status="resolved"><crm-item name="citedby-count">12</crm-item>'
            f'<crm-item name="last-update">2020-01-02T03:04:05Z</crm-item>{inside}</query>'
            '<query status="unresolved"><doi>10.5555/none</doi><msg>DOI not found in CrossRef</msg></query>'
            "</body></query_result></crossref_result>"
        )
        self.assertEqual(
            (items[0].cited_by_count, items[0].observed_at), (12, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))
        )
        self.assertEqual(
            items[1], Reject("a record without a work: DOI not found in CrossRef", "10.5555/none")
        )
        self.assertEqual(len(items), 2)


class DepositTests(TestCase):
    def test_each_kind_of_work(self) -> None:
        items = read_file(crossref, XML / "deposit.xml")
        self.assertEqual(
            [(item.record_id, item.type) if isinstance(item, WorkRecord) else item for item in items],
            [
                ("10.5555/lni.1_1", "book-chapter"),
                ("10.5555/lni.1_2", "reference-entry"),
                ("10.5555/lni.1", "book"),
                ("10.5555/inv.2020.1", "article"),
                ("10.5555/report", "report"),
                ("10.5555/dissertation", "dissertation"),
                ("10.5555/dataset", "dataset"),
                ("10.5555/review", "peer-review"),
                ("10.5555/standard", "standard"),
                Reject("a journal issue, which is no publication of its own", "10.5555/issue"),
                Reject("a part of another work, which is no publication of its own", "10.5555/component"),
                Reject("a grant, which is no publication of its own", "10.5555/grant"),
            ],
        )
        records = {item.record_id: item for item in items if isinstance(item, WorkRecord)}
        series = SourceRef(
            display_name="Lecture Notes in Invention", issn=("0000-0019",), type="book series",
            host_organization_name="Invented Press",
        )  # fmt: skip
        self.assertEqual({records[f"10.5555/lni.1{end}"].source for end in ("", "_1", "_2")}, {series})
        self.assertEqual(
            {record.observed_at for record in records.values()}, {datetime(2026, 5, 3, 12, 34, 4, tzinfo=UTC)}
        )
        paper = records["10.5555/inv.2020.1"]
        proceedings = SourceRef(display_name="Proceedings of Inventing 2020", type="conference")
        self.assertEqual(
            (paper.source, paper.publication_year, paper.license), (proceedings, 2020, "public-domain")
        )
        self.assertEqual(
            [author.raw_name for author in records["10.5555/dissertation"].authorships], ["Doc Tor"]
        )
        self.assertEqual([author.raw_name for author in records["10.5555/report"].authorships], ["Rep Orter"])
        self.assertEqual(records["10.5555/report"].publication_date, None)  # the 31st of February

    def test_packed_files_are_the_same(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder, "deposit.xml.gz")
            path.write_bytes(gzip.compress((XML / "deposit.xml").read_bytes()))
            self.assertEqual(read_file(crossref, path), read_file(crossref, XML / "deposit.xml"))


class FieldTests(TestCase):
    def test_a_notice_is_told_from_what_was_taken_back(self) -> None:
        update = "<crossmark><updates><update type='retraction'>{}</update></updates></crossmark>"
        notice = read_article(TITLE + update.format("10.5555/other"))
        own = read_article(TITLE + update.format("10.5555/A"))
        self.assertEqual((notice.type, notice.is_retracted), ("retraction", False))
        self.assertEqual((own.type, own.is_retracted), ("article", True))

    def test_a_title_in_its_own_language_alone(self) -> None:
        record = read_article("<titles><original_language_title>Чтения</original_language_title></titles>")
        self.assertEqual(record.title, "Чтения")

    def test_the_issue_dates_an_article_without_a_date(self) -> None:
        record = read_article(
            TITLE,
            before="<journal_issue><publication_date><year>1999</year></publication_date></journal_issue>",
        )
        self.assertEqual(record.publication_year, 1999)

    def test_wrong_dates_are_none(self) -> None:
        for year in ("0000", "", "199", "abc", "20191", "²"):
            record = read_article(f"{TITLE}<publication_date><year>{year}</year></publication_date>")
            self.assertEqual(record.publication_year, None, year)
        self.assertEqual(read_article(TITLE, record='timestamp="0000-00-00"').observed_at, NEVER)

    def test_1014_authors(self) -> None:
        people = "".join(
            f"<person_name contributor_role='author'><given_name>G{number}</given_name><surname>F</surname></person_name>"
            for number in range(1014)
        )
        self.assertEqual(len(read_article(f"<contributors>{people}</contributors>").authorships), 1014)

    def test_what_says_nothing_is_rejected(self) -> None:
        self.assertEqual(read_article("").reason, "neither title nor authors")
        [item] = read(article(TITLE).replace("10.5555/a", "nonsense"))
        self.assertEqual(item.reason, "no DOI")


class HostileTests(TestCase):
    def refused(self, content: bytes | str) -> tuple[list[Any], str]:
        found: list[Any] = []
        data = content.encode() if isinstance(content, str) else content
        with self.assertRaises(UnreadableFile) as caught:
            for item in crossref.read_stream(io.BytesIO(data), "file.xml"):
                found.append(item)
        self.assertTrue(str(caught.exception).startswith("file.xml: "))
        return found, str(caught.exception)

    def test_a_document_type_is_refused(self) -> None:
        bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        for start in (bomb, outside, f"<?xml version='1.0'?>\n<!-- x -->{bomb}"):
            found, said = self.refused(start + article("<titles><title>&b;&a;</title></titles>"))
            self.assertEqual(found, [])
            self.assertIn("document type", said)

    def test_an_entity_that_nobody_declared_ends_the_file(self) -> None:
        self.assertIn("not well-formed", self.refused(article("<titles><title>&uuml;</title></titles>"))[1])

    def test_a_file_that_breaks_off_gives_what_came_before(self) -> None:
        found, said = self.refused(UNIXREF[: UNIXREF.index(b"inventrxiv.1")])
        self.assertEqual(
            [item.record_id for item in found], ["10.5555/ais.25.1.7", "10.5555/978-0-00-000000-2_1"]
        )
        self.assertIn("not well-formed XML (line", said)

    def test_what_came_well_before_damage_is_kept(self) -> None:
        article, chapter = UNIXREF.split(b"</doi_record>")[:2]
        found, said = self.refused(article + b"</doi_record>" + chapter * 10 + b"<title>\x01</title>")
        self.assertEqual(found[0].record_id, "10.5555/ais.25.1.7")
        self.assertIn("not well-formed XML", said)

    def test_another_providers_xml_is_refused(self) -> None:
        for content in (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>",
            "<dblp><article key='a'><title>T</title></article></dblp>",
            "<a/>",
        ):
            self.assertEqual(self.refused(content), ([], "file.xml: XML, but no records of Crossref."))

    def test_nesting_and_long_texts_are_refused(self) -> None:
        deep = article("<titles><title>" + "<i>" * 100_000 + "</i>" * 100_000 + "</title></titles>")
        self.assertIn("not well-formed", self.refused(deep)[1])
        self.assertIn(
            "not well-formed", self.refused(article(f"<titles><title>{'x' * 11_000_000}</title></titles>"))[1]
        )

    def test_a_record_without_end_is_not_held(self) -> None:
        endless = article("<junk>text</junk>" * 3_000_000)
        self.assertIn("MB without the end of a record", self.refused(endless)[1])

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_damage_anywhere_is_told_or_harmless(self, data: st.DataObject) -> None:
        content = bytearray(UNIXREF)
        for _ in range(data.draw(st.integers(1, 5))):
            place = data.draw(st.integers(0, len(content) - 1))
            piece = data.draw(
                st.sampled_from([b"", b"<", b">", b"&", b"\x00", b"\xff", b"</doi>", b"<doi/>", b'"', b"]]>"])
            )
            content[place : place + data.draw(st.integers(0, 20))] = piece
        try:
            for item in read(bytes(content)):
                if isinstance(item, WorkRecord):
                    self.assertEqual(decode(encode(item)), item)
        except UnreadableFile as error:
            self.assertTrue(str(error))
