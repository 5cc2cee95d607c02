import gzip
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.works.orcid_records import CARBERRY, OTHER, external, group, read, read_path, record, version
from works.ingest.records import (
    AffiliationRecord,
    AssertionRecord,
    AuthorRecord,
    AuthorshipRecord,
    Reject,
    SourceRef,
    WorkRecord,
)


class RealRecordTests(TestCase):
    def test_the_public_data_file(self) -> None:
        author, *works = read_path("summaries/0000-0003-4231-1897.xml.gz")
        self.assertEqual(
            (author.display_name, author.record_id), ("Diomidis Spinellis", "0000-0003-4231-1897")
        )
        self.assertEqual(author.identifiers, (("orcid", "0000-0003-4231-1897"), ("scopus", "35566637400")))
        self.assertEqual(author.observed_at, datetime(2022, 9, 5, 22, 28, 31, 879000, tzinfo=UTC))
        self.assertEqual(author.links[0], ("Personal web site", "http://www.dmst.aueb.gr/dds"))
        self.assertTrue(
            author.biography.startswith("Diomidis Spinellis is a Professor of Software Engineering")
        )
        self.assertEqual(len(works), 8)
        self.assertEqual(works.pop(), Reject("neither title nor identifier", "8359255"))
        self.assertEqual(
            works[3],
            WorkRecord(
                provider="orcid",
                record_id="0000-0003-4231-1897/99311149",
                type="article",
                title="Conspicuous corruption: Evidence at a country level",
                publication_date=date(2021, 9, 1),
                publication_year=2021,
                identifiers=(("doi", "10.1371/journal.pone.0255970"),),
                source=SourceRef("PLOS ONE"),
                authorships=(AuthorshipRecord("Diomidis Spinellis", orcid="0000-0003-4231-1897"),),
                partial_authors=True,
                observed_at=datetime(2022, 6, 2, 2, 0, 15, 399000, tzinfo=UTC),
            ),
        )
        self.assertEqual([work.type for work in works[4:6]], ["book-chapter", "book"])

    def test_affiliations_say_who_asserted_them(self) -> None:
        [author, *_] = read_path("summaries/0000-0003-4231-1897.xml.gz")
        self.assertEqual(
            author.affiliations[0],
            AffiliationRecord(
                raw="Imperial College London, London, GB",
                role="PhD in Computer Science",
                department="Department of Computing",
                first_year=1990,
                last_year=1994,
            ),
        )
        self.assertEqual(
            [affiliation.asserted_by for affiliation in author.affiliations],
            ["", "", "Delft University of Technology", "", ""],
        )

    def test_what_a_wizard_added_is_the_persons_own_word(self) -> None:
        author, *_ = read_path("summaries/0000-0003-4231-1897.xml.gz")
        self.assertEqual(
            {assertion.asserted_by for assertion in author.assertions},
            {"Crossref", "Delft University of Technology", "Springer Nature"},
        )
        self.assertIn(
            AssertionRecord(
                kind="peer_review",
                title="Springer Nature",
                asserted_by="Springer Nature",
                identifiers=(("issn", "1382-3256"),),
                year=2019,
            ),
            author.assertions,
        )
        self.assertIn(
            AssertionRecord(
                kind="work",
                title="Against the odds",
                asserted_by="Delft University of Technology",
                identifiers=(("doi", "10.1007/978-3-319-07881-6_3"),),
                year=2014,
            ),
            author.assertions,
        )

    def test_a_record_of_150_kb(self) -> None:
        author, *works = read_path("summaries/0000-0003-0109-6000.xml.gz")
        self.assertEqual((author.names, len(author.affiliations)), (("Mohamed A. Abouelkhair",), 7))
        self.assertEqual({type(work) for work in works}, {WorkRecord})
        self.assertEqual(len(works), 19)

    def test_a_record_with_a_name_alone(self) -> None:
        [author] = read_path("summaries/0000-0002-5878-603X.xml")
        self.assertEqual(
            author,
            AuthorRecord(
                provider="orcid",
                record_id="0000-0002-5878-603X",
                identifiers=(("orcid", "0000-0002-5878-603X"),),
                observed_at=datetime(2018, 12, 7, 1, 1, 3, 953000, tzinfo=UTC),
                display_name="Norli Ali",
                works=(),
            ),
        )

    def test_a_record_of_2_0_in_json(self) -> None:
        [author] = read_path("record/0000-0001-8254-7103.json")
        self.assertEqual(author.display_name, "Man-Hui Li")
        self.assertEqual(author.observed_at, datetime(2016, 6, 15, 0, 12, 46, 770000, tzinfo=UTC))

    def test_a_wrong_check_digit_is_a_reject(self) -> None:
        [item] = read_path("record/0000-0001-8254-710X.json")
        self.assertEqual(
            item.reason, "0000-0001-8254-710X is no iD of ORCID: its check digit or its range is wrong"
        )

    def test_a_person_of_the_api(self) -> None:
        [author] = read_path("api/person.json")
        self.assertEqual(
            (author.record_id, author.display_name, author.names),
            ("0000-0002-3141-3057", "Carl Jacob Liebersohn", ("Carl Liebersohn",)),
        )

    def test_works_of_the_api_know_their_owner_by_what_they_added(self) -> None:
        works = read_path("api/works.json.gz")
        self.assertEqual(len(works), 7)
        self.assertEqual(
            {work.authorships for work in works},
            {(AuthorshipRecord("Scott A Chamberlain", orcid="0000-0003-1444-9135"),)},
        )
        self.assertEqual(works[2].source, SourceRef("Ecol Lett", issn=("1461-023X",)))

    def test_a_work_of_the_api_in_full(self) -> None:
        [work] = read_path("api/work.json")
        self.assertEqual((work.record_id, work.language), ("0000-0002-0734-2199/77226586", "en"))
        self.assertEqual(
            work.authorships,
            (
                AuthorshipRecord("Sebastian Kreutzer", orcid="0000-0002-0734-2199"),
                AuthorshipRecord("Chantal Tribolo"),
                AuthorshipRecord("Loïc Martin"),
                AuthorshipRecord("Norbert Mercier"),
            ),
        )
        self.assertFalse(work.partial_authors)
        self.assertEqual(work.publication_date, date(2020, 6, 1))

    def test_answers_that_are_no_record_are_rejects_with_a_sentence(self) -> None:
        self.assertEqual(
            {name: [item.reason for item in read_path(name)] for name in (
                "summaries/0000-0001-5078-5000.xml", "api/error-404.json", "api/error-500.json",
                "api/search.json", "api/search-none.json", "api/works-none.json",
            )},
            {
                "summaries/0000-0001-5078-5000.xml": ["ORCID answered: The ORCID record is locked."],
                "api/error-404.json": ["ORCID answered: The resource was not found."],
                "api/error-500.json": ["ORCID answered: Something went wrong in ORCID."],
                "api/search.json": ["a list of search results, which names people and says nothing of them"],
                "api/search-none.json": ["a list of search results, which names people and says nothing of them"],
                "api/works-none.json": [],
            },
        )  # fmt: skip

    def test_every_real_file_is_read(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        allowed = ("ORCID answered: ", "a list of search results", "neither title nor identifier")
        for path in sorted(Path(os.environ["DATA"], "orcid").rglob("*.*")):
            if path.is_file():
                with self.subTest(path.name):
                    data = path.read_bytes()
                    items = read(gzip.decompress(data) if path.suffix == ".gz" else data)
                    reasons = [item.reason for item in items if isinstance(item, Reject)]
                    if "FICTIONAL" in str(path) or path.stem.endswith("710X"):
                        self.assertEqual((len(items), len(reasons)), (1, 1))
                    else:
                        self.assertEqual([reason for reason in reasons if not reason.startswith(allowed)], [])


class FormatTests(TestCase):
    def test_lines_and_arrays_of_records(self) -> None:
        for text in (
            "\n".join(json.dumps(record()) for _ in range(3)),
            json.dumps([record()] * 3, indent=1),
            "\ufeff" + json.dumps([record()] * 3),
        ):
            self.assertEqual([item.display_name for item in read(text)], ["Josiah Carberry"] * 3)

    def test_version_2_says_the_same_in_capitals_and_without_groups(self) -> None:
        employment = {
            "role-title": "Professor",
            "organization": {"name": "Brown University", "address": {"city": "Providence", "country": "US"}},
            "start-date": {"year": {"value": "1929"}},
            "visibility": "PUBLIC",
        }
        work = version(
            7, external("DOI", "10.5555/12345678", "SELF"), type="CONFERENCE_PAPER", visibility="PUBLIC"
        )
        old = record([group(work)], employments={"employment-summary": [employment]})
        new = record(
            [group(version(7, external("doi", "10.5555/12345678"), type="conference-paper"))],
            employments={"affiliation-group": [{"summaries": [{"employment-summary": employment}]}]},
        )
        self.assertEqual(read(old), read(new))
        self.assertEqual(read(old)[0].affiliations[0].raw, "Brown University, Providence, US")
        self.assertEqual(
            (read(old)[1].type, read(old)[1].identifiers), ("article", (("doi", "10.5555/12345678"),))
        )

    def test_bulk_works_and_their_errors(self) -> None:
        full = version(7, contributors={"contributor": [{"credit-name": {"value": "J. Carberry"}}]})
        items = read(
            {"bulk": [{"work": full}, {"error": {"error-code": 9034, "user-message": "Not found."}}]}
        )
        self.assertEqual(
            items[0].authorships, (AuthorshipRecord("J. Carberry", "Josiah Carberry", CARBERRY),)
        )
        self.assertEqual(items[1:], [Reject("ORCID answered: Not found.")])

    def test_xml_works_and_bulk_give_what_json_gives(self) -> None:
        xml = f"""<w:work xmlns:w="http://www.orcid.org/ns/work" xmlns:c="http://www.orcid.org/ns/common"
         put-code="7" path="/{CARBERRY}/work/7" visibility="public"><c:last-modified-date>2020-01-02T03:04:05.678+01:00
         </c:last-modified-date><w:title><c:title>On <![CDATA[<i>]]>Pottery&amp;&lt;/i&gt;</c:title><c:subtitle>A View</c:subtitle>
         <c:translated-title language-code="fr">x</c:translated-title></w:title><w:type>book</w:type>
         <c:publication-date><c:year>1930</c:year><c:month>02</c:month></c:publication-date>
         <c:external-ids><c:external-id><c:external-id-type>doi</c:external-id-type><c:external-id-value>10.5555/A
         </c:external-id-value><c:external-id-relationship>self</c:external-id-relationship></c:external-id></c:external-ids>
         <w:contributors><w:contributor><w:credit-name>Josiah Carberry</w:credit-name></w:contributor><w:contributor>
         <c:contributor-orcid><c:uri>https://orcid.org/{OTHER}</c:uri></c:contributor-orcid>
         <w:credit-name>Laura Paglione</w:credit-name></w:contributor></w:contributors>
         <c:language-code>zh_CN</c:language-code><!-- no --></w:work>"""
        source = f"""<c:source><c:source-orcid><c:path>{CARBERRY}</c:path></c:source-orcid>
          <c:source-name>Josiah Carberry</c:source-name></c:source><w:title>"""
        xml = xml.replace("<w:title>", source, 1)
        expected = WorkRecord(
            provider="orcid",
            record_id=f"{CARBERRY}/7",
            type="book",
            title="On <i>Pottery&</i>: A View",
            publication_year=1930,
            language="zh",
            identifiers=(("doi", "10.5555/a"),),
            authorships=(
                AuthorshipRecord("Josiah Carberry", orcid=CARBERRY),
                AuthorshipRecord("Laura Paglione", orcid=OTHER),
            ),
            observed_at=datetime(2020, 1, 2, 2, 4, 5, 678000, tzinfo=UTC),
        )
        self.assertEqual(read(xml), [expected])
        bulk = f'<b:bulk xmlns:b="http://www.orcid.org/ns/bulk">{xml}{xml.replace("/7", "/8").replace(">7<", "")}</b:bulk>'
        self.assertEqual(read(bulk), [expected, expected])

    def test_one_activity_alone_is_a_reject(self) -> None:
        for data in (
            {"put-code": 1, "organization": {"name": "x"}, "path": f"/{CARBERRY}/employment/1"},
            '<e:employment xmlns:e="http://www.orcid.org/ns/employment"/>',
        ):
            [item] = read(data)
            self.assertEqual(
                item.reason, "one employment alone; the person's record holds it with the others"
            )

    def test_the_message_format_before_2_0_is_a_reject(self) -> None:
        for data in (
            {"message-version": "1.2", "orcid-profile": {}},
            '<orcid-message xmlns="http://www.orcid.org/ns/orcid"/>',
        ):
            [item] = read(data)
            self.assertTrue(item.reason.startswith("ORCID's message format 1.2"), item)
