import copy
import gzip
import io
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest, TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, read_bytes, read_file, records_of
from tests.works.mutations import mutate
from works.ingest import crossref
from works.ingest.files import UnreadableFile, find_files
from works.ingest.records import NEVER, InstitutionRef, Reject, SourceRef, WorkRecord, decode, encode

WORKS = DATA / "crossref" / "works.json"
WORK: dict[str, Any] = {
    "DOI": "10.5555/ABC",
    "type": "journal-article",
    "title": ["A title"],
    "author": [{"given": "Ann", "family": "Other"}],
}


def read(value: Any) -> list[Any]:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_bytes(crossref, content)


def read_one(**fields: Any) -> Any:
    [item] = read(WORK | fields)
    return item


def reasons(items: list[Any]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Reject)]


class RealAnswerTests(TestCase):
    def setUp(self) -> None:
        self.records = {record.record_id: record for record in records_of(crossref, WORKS)}

    def test_every_record_is_accounted_for(self) -> None:
        items = read_file(crossref, WORKS)
        self.assertEqual(len(items), 18)
        self.assertEqual(
            sorted(reasons(items)),
            [
                "a journal issue, which is no publication of its own",
                "a journal, which is no publication of its own",
                "a part of another work, which is no publication of its own",
            ],
        )

    def test_an_article_is_read_whole(self) -> None:
        record = self.records["10.1117/12.2214605"]
        self.assertEqual(
            (record.type, record.publication_date, record.source),
            (
                "article",
                date(2016, 3, 8),
                SourceRef(
                    display_name="SPIE Proceedings",
                    issn=("0277-786X",),
                    type="conference",
                    host_organization_name="SPIE",
                ),
            ),
        )
        self.assertGreater(record.observed_at, datetime(2016, 1, 1, tzinfo=UTC))

    def test_organisations_are_no_people(self) -> None:
        self.assertEqual(self.records["10.1371/journal.pone.0203153"].authorships, ())
        # Crossref has "Canadian Pain Society Study Day participants" as somebody's family name.
        self.assertEqual(self.records["10.1155/2015/438597"].authorships, ())

    def test_a_person_may_have_one_name(self) -> None:
        self.assertEqual(
            [author.raw_name for author in self.records["10.1007/bf00118278"].authorships], ["Govindjee"]
        )

    def test_a_doi_of_the_same_work_leads_to_it(self) -> None:
        self.assertEqual(
            self.records["10.46692/9781529202618.006"].identifiers,
            (("doi", "10.2307/j.ctvktrw3d.9"), ("doi", "10.46692/9781529202618.006")),
        )

    def test_a_notice_is_an_erratum_and_a_corrected_work_is_none(self) -> None:
        self.assertEqual(self.records["10.1371/journal.pone.0203153"].type, "erratum")
        self.assertEqual(self.records["10.1103/physrevb.98.104436"].type, "article")
        self.assertEqual(self.records["10.1073/pnas.1414271111"].type, "article")
        self.assertEqual({record.is_retracted for record in self.records.values()}, {False})

    def test_where_a_preprint_was_posted_and_a_data_set_is_kept(self) -> None:
        posted = self.records["10.1101/2024.04.01.587366"]
        self.assertEqual((posted.type, posted.source and posted.source.display_name), ("preprint", "bioRxiv"))
        data_set = self.records["10.32614/cran.package.shinytime"]
        self.assertEqual((data_set.type, data_set.source and data_set.source.type), ("dataset", "repository"))

    def test_markup_stays_in_titles(self) -> None:
        self.assertIn("<mml:mi>N</mml:mi>", self.records["10.1103/physrevc.91.057301"].title)

    def test_a_record_without_any_date_has_none(self) -> None:
        record = self.records["10.1109/infvis.2005.1532150"]
        self.assertEqual((record.publication_year, record.publication_date), (None, None))

    def test_references_are_dois(self) -> None:
        references = self.records["10.1103/physrevc.91.057301"].references
        self.assertEqual(len(references), 3)
        self.assertEqual({scheme for scheme, _ in references}, {"doi"})

    def test_records_survive_their_encoding(self) -> None:
        for record in self.records.values():
            self.assertEqual(decode(encode(record)), record)


class MoreFilesTests(TestCase):
    """Every real file a developer has: make test DATA=path. The path holds crossref/."""

    def test_every_file_is_read(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        paths = find_files([str(Path(os.environ["DATA"], "crossref"))], crossref.SUFFIXES)
        expected = ("Crossref answered with an error: ", "neither title nor authors")
        for path in paths:
            with self.subTest(path.name):
                items = read_file(crossref, path)
                said = {reason for reason in reasons(items) if not reason.startswith(expected)}
                self.assertEqual(
                    {reason for reason in said if not reason.endswith("publication of its own")}, set()
                )
                for item in items:
                    if isinstance(item, WorkRecord):
                        self.assertEqual(decode(encode(item)), item)


class FormTests(TestCase):
    def test_each_form_of_the_same_works_gives_the_same(self) -> None:
        items = json.loads(WORKS.read_bytes())["message"]["items"]
        expected = read_file(crossref, WORKS)
        lines = b"\n".join(json.dumps(item).encode() for item in items)
        for content in (
            json.dumps({"items": items}).encode(),
            json.dumps({"items": items}, indent=2).encode(),
            json.dumps(items).encode(),
            b"\xef\xbb\xbf" + lines,
            b"\n\n" + lines.replace(b"\n", b"\r\n") + b"\r\n",
            b"\n".join(json.dumps({"message-type": "work", "message": item}).encode() for item in items),
        ):
            self.assertEqual(read(content), expected)

    def test_one_work_alone(self) -> None:
        self.assertEqual(read_one().record_id, "10.5555/abc")
        [item] = read(
            json.dumps({"status": "ok", "message-type": "work", "message": WORK}, indent=1).encode()
        )
        self.assertEqual(item, read_one())

    def test_a_packed_chunk_in_a_folder_is_found(self) -> None:
        with TemporaryDirectory() as folder:
            Path(folder, "0.jsonl.gz").write_bytes(gzip.compress(json.dumps(WORK).encode()))
            [path] = find_files([folder], crossref.SUFFIXES)
            self.assertEqual([item.record_id for item in records_of(crossref, path)], ["10.5555/abc"])

    def test_a_list_of_something_else_is_named(self) -> None:
        for kind, reason in (
            ("journal-list", "a list of journals, not of works"),
            ("member-list", "a list of members, not of works"),
            ("funder", "one of Crossref's funders, not a work"),
            ("type-list", "a list of types, not of works"),
            ("work-agency", "says which agency registered a DOI, not what the work is"),
        ):
            self.assertEqual(reasons(read({"message-type": kind, "message": {"items": [WORK]}})), [reason])

    def test_an_error_is_one_reject(self) -> None:
        for message, said in (
            (
                [{"type": "cursor-invalid", "message": "Cursor specified but it is invalid"}],
                "Cursor specified but",
            ),
            ({"name": "class", "message": "Response Exception", "stack": []}, "Response Exception"),
            (None, "validation-failure"),
        ):
            [item] = read({"status": "failed", "message-type": "validation-failure", "message": message})
            self.assertTrue(item.reason.startswith(f"Crossref answered with an error: {said}"), item)

    def test_what_is_no_json_is_refused_with_a_sentence(self) -> None:
        for content, said in (
            (b"", "the file is empty"),
            (b"Resource not found.", "it begins with 'Resource not found.'"),
            (b"<!DOCTYPE html><html><body>503</body></html>", "a web page"),
            (b"<html><head/></html>", "a web page"),
            ("{}".encode("utf-16"), "UTF-16"),
            (b"\x00\x01\x02", "neither JSON nor XML"),
        ):
            with self.assertRaises(UnreadableFile) as caught:
                read(content)
            self.assertIn(said, str(caught.exception))

    def test_an_answer_with_nothing_in_it_holds_nothing(self) -> None:
        self.assertEqual(read({"message-type": "work-list", "message": {"items": []}}), [])
        self.assertEqual(
            reasons(read({"message-type": "work-list", "message": {"items": 5}})),
            ["an answer without a list of works"],
        )


class FieldTests(TestCase):
    def test_types(self) -> None:
        for kind, subtype, ours in (
            ("posted-content", "preprint", "preprint"),
            ("posted-content", "letter", "letter"),
            ("posted-content", None, "preprint"),
            ("proceedings-article", None, "article"),
            ("edited-book", None, "book"),
            ("book-part", None, "book-chapter"),
            ("something-unknown", None, "other"),
            (None, None, "other"),
        ):
            self.assertEqual(read_one(type=kind, subtype=subtype).type, ours)

    def test_a_grant_and_a_component_are_no_works(self) -> None:
        for kind in ("grant", "component", "journal", "book-series"):
            self.assertTrue(read_one(type=kind).reason.endswith("which is no publication of its own"))

    def test_names_are_in_reading_order(self) -> None:
        record = read_one(
            author=[
                {"given": "Lud&#x00F6;wig", "family": "van der Berg", "suffix": "Jr."},
                {"name": "Some Group"},
                {"family": "the NOTES Development Group"},
                {"given": " ", "family": "조혜린"},
                {"given": "A\u202eB\x00", "family": "C"},
                {"given": "Ed", "family": "Itor", "role": [{"role": "editor"}]},
                {"given": "X" * 300, "family": "Y"},
            ]
        )
        self.assertEqual(
            [author.raw_name for author in record.authorships],
            ["Ludöwig van der Berg Jr.", "조혜린", "AB C", "X" * 255],
        )

    def test_affiliations_and_orcid(self) -> None:
        [author] = read_one(
            author=[
                {
                    "given": "Ann",
                    "family": "Other",
                    "ORCID": "http://orcid.org/0000-0002-1825-0097",
                    "affiliation": [
                        {
                            "name": "R&amp;D Institute",
                            "department": ["Physics"],
                            "place": ["Bonn"],
                            "id": [{"id": "https://ror.org/05wvpxv85", "id-type": "ROR"}, {"id": "nonsense"}],
                        },
                        {"name": "Second"},
                        {"id": [{"id": "https://ror.org/042nb2s44"}]},
                    ],
                }
            ]
        ).authorships
        self.assertEqual(author.orcid, "0000-0002-1825-0097")
        self.assertEqual(author.raw_affiliations, ("Physics, R&D Institute, Bonn", "Second"))
        self.assertEqual(
            author.institutions,
            (
                InstitutionRef(display_name="R&D Institute", ror="05wvpxv85"),
                InstitutionRef(display_name="042nb2s44", ror="042nb2s44"),
            ),
        )

    def test_a_wrong_orcid_is_none(self) -> None:
        [author] = read_one(
            author=[{"family": "A", "ORCID": "https://orcid.org/0000-0002-1825-0098"}]
        ).authorships
        self.assertEqual(author.orcid, "")

    def test_a_list_of_1014_authors(self) -> None:
        people = [{"given": f"G{number}", "family": "Family"} for number in range(1014)]
        self.assertEqual(len(read_one(author=people).authorships), 1014)

    def test_dates(self) -> None:
        for fields, expected in (
            ({"issued": {"date-parts": [[None]]}}, (None, None)),
            ({"issued": {"date-parts": [[0, 0, 0]]}}, (None, None)),
            ({"issued": {"date-parts": []}}, (None, None)),
            ({"issued": {"date-parts": [[2019]]}}, (2019, None)),
            ({"issued": {"date-parts": [[2019, 12]]}}, (2019, None)),
            ({"issued": {"date-parts": [[2019, 2, 31]]}}, (2019, None)),
            ({"issued": {"date-parts": [[2019, 12, 30, 7]]}}, (2019, date(2019, 12, 30))),
            ({"issued": {"date-parts": [["2019", "12", "30"]]}}, (2019, date(2019, 12, 30))),
            (
                {
                    "issued": {"date-parts": [[2018]]},
                    "published-online": {"date-parts": [[2018, 5, 2]]},
                    "published-print": {"date-parts": [[2019, 1, 1]]},
                },
                (2018, date(2018, 5, 2)),
            ),
            # Print in January, online in May: nobody knows the day.
            (
                {
                    "published-print": {"date-parts": [[2018, 1]]},
                    "published-online": {"date-parts": [[2018, 5, 2]]},
                },
                (2018, None),
            ),
            ({"created": {"date-parts": [[2002, 7, 25]]}}, (None, None)),
        ):
            record = read_one(**fields)
            self.assertEqual((record.publication_year, record.publication_date), expected, fields)

    def test_licenses_are_written_as_openalex_does(self) -> None:
        for address, ours in (
            ("http://creativecommons.org/licenses/by/4.0/legalcode", "cc-by"),
            ("https://creativecommons.org/licenses/by-nc-nd/4.0/", "cc-by-nc-nd"),
            ("http://creativecommons.org/licenses/by-nd/2.0/de", "cc-by-nd"),
            ("https://creativecommons.org/publicdomain/zero/1.0/", "public-domain"),
            ("http://www.springer.com/tdm", ""),
        ):
            self.assertEqual(read_one(license=[{"URL": address, "content-version": "vor"}]).license, ours)
        both = [
            {"URL": "http://creativecommons.org/licenses/by-nc/4.0/", "content-version": "tdm"},
            {"URL": "http://creativecommons.org/licenses/by-sa/4.0/", "content-version": "am"},
            {"URL": "http://creativecommons.org/licenses/by/4.0/", "content-version": "vor"},
        ]
        self.assertEqual(read_one(license=both).license, "cc-by")
        self.assertEqual(read_one(license=both[:1]).license, "")

    def test_titles_take_their_subtitle_along_once(self) -> None:
        for title, subtitle, whole in (
            ("Main", "Second part", "Main: Second part"),
            ("Is it?", "It is", "Is it? It is"),
            ("Main: second part", "Second Part", "Main: second part"),
            ("Harmonic interaction", "HARMONIC INTERACTION OF IT", "Harmonic interaction"),
            ("ALL CAPITALS", "SECOND", "ALL CAPITALS: SECOND"),
            ("", "Only this", "Only this"),
        ):
            self.assertEqual(read_one(title=[title], subtitle=[subtitle]).title, whole)
        self.assertEqual(read_one(title=[], **{"original-title": ["Заглавие"]}).title, "Заглавие")
        self.assertEqual(read_one(title=["In\n    lines"]).title, "In lines")

    def test_what_was_taken_back_is_retracted(self) -> None:
        self.assertTrue(
            read_one(**{"updated-by": [{"type": "retraction", "DOI": "10.5555/notice"}]}).is_retracted
        )
        self.assertTrue(
            read_one(**{"update-to": [{"type": "withdrawal", "DOI": "10.5555/abc"}]}).is_retracted
        )
        self.assertTrue(read_one(title=["RETRACTED ARTICLE: A title"]).is_retracted)
        self.assertFalse(read_one(**{"updated-by": [{"type": "correction"}]}).is_retracted)
        self.assertFalse(read_one(title=["Retracted: A title"]).is_retracted)
        notice = read_one(
            title=["RETRACTED: It"], **{"update-to": [{"type": "retraction", "DOI": "10.5555/x"}]}
        )
        self.assertEqual((notice.type, notice.is_retracted), ("retraction", False))

    def test_identifiers(self) -> None:
        record = read_one(
            DOI="10.48550/ARXIV.1912.12953",
            aliases=["10.5555/OLD"],
            relation={
                "is-same-as": [
                    {"id-type": "pmid", "id": "12345"},
                    {"id-type": "uri", "id": "https://example.org"},
                ],
                "has-preprint": [{"id-type": "doi", "id": "10.5555/preprint"}],
            },
        )
        self.assertEqual(
            record.identifiers,
            (
                ("arxiv", "1912.12953"),
                ("doi", "10.48550/arxiv.1912.12953"),
                ("doi", "10.5555/old"),
                ("pmid", "12345"),
            ),
        )

    def test_deposited_tells_when_the_publisher_changed_it(self) -> None:
        newer, older = {"date-time": "2022-03-31T13:00:34Z"}, {"date-time": "2020-01-02T03:04:05Z"}
        self.assertEqual(
            read_one(indexed=newer, deposited=older).observed_at, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
        )
        self.assertEqual(read_one(indexed=newer).observed_at, datetime(2022, 3, 31, 13, 0, 34, tzinfo=UTC))
        for wrong in (
            {"date-time": "0000-00-00"},
            {"date-time": 5},
            "2020",
            {"date-time": "9999-12-31T23:59:59Z"},
        ):
            self.assertEqual(read_one(deposited=wrong).observed_at, NEVER)

    def test_a_selection_of_fields_is_enough(self) -> None:
        [record] = read({"DOI": "10.5555/abc", "title": ["T"]})
        self.assertEqual((record.record_id, record.title, record.observed_at), ("10.5555/abc", "T", NEVER))

    def test_a_title_may_be_a_text(self) -> None:
        record = read_one(**{"title": "T", "container-title": "Journal", "ISSN": "00000019"})
        self.assertEqual(
            (record.title, record.source.display_name, record.source.issn), ("T", "Journal", ("0000-0019",))
        )


class HostileTests(TestCase):
    def test_bad_records_cost_only_themselves(self) -> None:
        good = json.dumps(WORK).encode()
        items = read(
            b"\n".join(
                [
                    good,
                    b'{"DOI": "10.5555/x", "title": ["cut o',
                    b'{"DOI": "10.5555/y", "title": ["\\ud800 alone"]}',
                    b"[" * 100_000,
                    b"7",
                    b'{"DOI": "\xff"}',
                    b'{"DOI": 5}',
                    b'{"DOI": "10.5555/z"}',
                    good,
                ]
            )
        )
        self.assertEqual([isinstance(item, WorkRecord) for item in items], [True, *[False] * 7, True])
        self.assertEqual(items[-2].reason, "neither title nor authors")
        self.assertEqual(items[-3].reason, "no DOI")

    def test_a_line_of_50_mb_is_passed_over(self) -> None:
        good = json.dumps(WORK).encode()
        items = read(good + b'\n{"DOI": "' + b"x" * 50_000_000 + b'"}\n' + good)
        self.assertEqual(reasons(items), ["longer than a record may be"])
        self.assertEqual(len(items), 3)

    def test_a_file_that_breaks_off_gives_what_came_before(self) -> None:
        whole = json.dumps({"items": [WORK] * 3}).encode()
        found = []
        with self.assertRaises(UnreadableFile) as caught:
            for item in crossref.read_stream(io.BytesIO(whole[:-40]), "works.json"):
                found.append(item)
        self.assertEqual(len(found), 2)
        self.assertIn("works.json: damaged or cut off", str(caught.exception))

    def test_deep_nesting_is_no_traceback(self) -> None:
        nested = b'{"DOI": "10.5555/a", "title": ' + b"[" * 600 + b"]" * 600 + b"}"
        self.assertEqual(
            reasons(read(b'{"message-type": "x", "message": ' + nested + b"}")),
            ["Crossref answered with an error: x"],
        )
        self.assertEqual(reasons(read(nested)), ["neither title nor authors"])

    def test_nul_and_unseen_characters_go(self) -> None:
        record = read_one(DOI="10.5555/a\x00b\u202ec", title=["T\x00"], abstract="\x00", publisher="P\x00")
        self.assertEqual((record.record_id, record.title, record.abstract), ("10.5555/abc", "T", ""))
        self.assertNotIn(b"\\u0000", encode(record))

    def test_a_doi_too_long_to_keep_is_none(self) -> None:
        self.assertEqual(read_one(DOI="10.5555/" + "x" * 300).reason, "no DOI")

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_wrong_types_anywhere_give_a_record_or_a_reject(self, data: st.DataObject) -> None:
        items = json.loads(WORKS.read_bytes())["message"]["items"]
        item = copy.deepcopy(data.draw(st.sampled_from(items)))
        for _ in range(data.draw(st.integers(1, 4))):
            mutate(item, data)
        [result] = read(item)
        self.assertIsInstance(result, WorkRecord | Reject)
        if isinstance(result, WorkRecord):
            self.assertEqual(decode(encode(result)), result)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, content: bytes) -> None:
        try:
            for item in read(content):
                self.assertIsInstance(item, Reject)
        except UnreadableFile as error:
            self.assertTrue(str(error))
