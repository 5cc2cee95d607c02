import copy
import doctest
import io
import json
from datetime import date
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, read_bytes, read_file
from tests.works.mutations import mutate
from works.ingest import csl, dates, people
from works.ingest.files import UnreadableFile
from works.ingest.records import NEVER, Reject, SourceRef, WorkRecord, decode, encode

LIBRARY = DATA / "csl" / "library.json"


def read(value: Any) -> list[Any]:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_bytes(csl, content, "file.json")


def read_one(**fields: Any) -> Any:
    [item] = read({"title": "T"} | fields)
    return item


class LibraryTests(TestCase):
    def setUp(self) -> None:
        self.items = read_file(csl, LIBRARY)

    def test_every_item_is_accounted_for(self) -> None:
        self.assertEqual(
            [
                (item.type, item.publication_year) if isinstance(item, WorkRecord) else item
                for item in self.items
            ],
            [
                ("article", 2019),
                ("preprint", 2019),
                ("dissertation", 2011),
                ("book-chapter", 1890),
                Reject("neither title nor authors", "nothing"),
                Reject("not as CSL describes an item", "name"),
                Reject("not an object", "nor this"),
            ],
        )

    def test_an_article_is_read_whole(self) -> None:
        record = self.items[0]
        self.assertEqual(
            (
                record.record_id,
                record.title,
                record.publication_date,
                record.language,
                record.abstract,
                record.observed_at,
            ),
            ("doi:10.5555/x", "Growth of <i>Inventia</i>", date(2019, 12, 30), "en", "We grew it.", NEVER),
        )
        self.assertEqual(
            record.source,
            SourceRef(
                display_name="Nature of Inventions", issn=("0000-0019", "0000-0027"), type="journal",
                host_organization_name="Invented Press",
            ),
        )  # fmt: skip
        self.assertEqual(record.identifiers, (("doi", "10.5555/x"), ("pmid", "12345")))
        self.assertEqual(
            [(author.raw_name, author.orcid, author.raw_affiliations) for author in record.authorships],
            [
                ("Ludwig van Beethoven Jr.", "", ()),
                ("刘洋", "", ()),
                ("Ann Smith", "0000-0002-1825-0097", ("Invented University",)),
            ],
        )

    def test_a_preprint_is_known_by_its_number(self) -> None:
        record = self.items[1]
        self.assertEqual(
            (record.record_id, record.source.display_name, record.source.type),
            ("arxiv:1912.12953", "arXiv", "repository"),
        )

    def test_each_form_of_the_same_items_gives_the_same(self) -> None:
        values = json.loads(LIBRARY.read_bytes())[:-1]
        expected = self.items[:-1]
        for content in (
            json.dumps(values, indent=2).encode(),
            json.dumps({"items": values}).encode(),
            json.dumps({"references": values}).encode(),
            b"\xef\xbb\xbf" + b"\n".join(json.dumps(value).encode() for value in values),
            b"\n".join(json.dumps([value]).encode() for value in values),
        ):
            self.assertEqual(read(content), expected)
        self.assertEqual(read(values[0]), expected[:1])

    def test_what_a_doi_resolver_answers(self) -> None:
        [record] = read(
            {
                "type": "journal-article",
                "DOI": "10.5555/x",
                "title": ["T"],
                "container-title": "Journal",
                "author": [{"given": "Ann", "family": "Other", "sequence": "first", "affiliation": []}],
                "issued": {"date-parts": [[2019, 12]]},
            }
        )
        self.assertEqual((record.type, record.title, record.source.type), ("article", "T", "journal"))


class FieldTests(TestCase):
    def test_types(self) -> None:
        for kind, ours in (
            ("paper-conference", "article"),
            ("entry-encyclopedia", "reference-entry"),
            ("report", "report"),
            ("webpage", "other"),
            (None, "other"),
            (7, "other"),
        ):
            self.assertEqual(read_one(type=kind).type, ours)

    def test_dates(self) -> None:
        for issued, expected in (
            ({"date-parts": [[2019, 12, 30], [2020]]}, (2019, date(2019, 12, 30))),
            ({"date-parts": [[0, 0, 0]]}, (None, None)),
            ({"date-parts": [[]], "raw": "0000-00-00"}, (None, None)),
            ({"date-parts": [], "literal": "Winter 2019"}, (2019, None)),
            ({"raw": "2019-12-30"}, (2019, date(2019, 12, 30))),
            ({"year": 2019, "month": "12"}, (2019, None)),
            ("2019/12/30", (2019, date(2019, 12, 30))),
            (2019, (2019, None)),
            ({"date-parts": [[-500]]}, (None, None)),
            ({"date-parts": [["2019-12"]]}, (None, None)),
            ([], (None, None)),
        ):
            record = read_one(issued=issued)
            self.assertEqual((record.publication_year, record.publication_date), expected, issued)

    def test_names(self) -> None:
        for author, names in (
            ([{"family": "Li", "given": "Ke"}, {"literal": "A Group"}, {}, None, "B"], ["Ke Li"]),
            ({"family": "Li"}, []),
            ("Li, Ke", []),
            ([{"family": "Ludwig\x00\u202e", "given": 5}], ["Ludwig"]),
            ([{"family": "Invented University"}], []),
            ([{"dropping-particle": "de la", "family": "Cruz", "given": "J."}], ["J. de la Cruz"]),
        ):
            self.assertEqual([one.raw_name for one in read_one(author=author).authorships], names, author)

    def test_1014_authors(self) -> None:
        people = [{"family": f"F{number}", "given": "G"} for number in range(1014)]
        self.assertEqual(len(read_one(author=people).authorships), 1014)

    def test_the_examples_hold(self) -> None:
        for module in (dates, people):
            self.assertEqual(doctest.testmod(module).failed, 0)


class HostileTests(TestCase):
    def test_bad_items_cost_only_themselves(self) -> None:
        items = read(
            b'[{"title": "A"}, {"title": "\\ud800"}, {"title": "\xff"}, {"title": NaN}, {"title": "B"}]'
        )
        self.assertEqual([isinstance(item, WorkRecord) for item in items], [True, False, False, False, True])

    def test_a_line_of_50_mb_is_passed_over(self) -> None:
        items = read(b'{"title": "A"}\n{"title": "' + b"x" * 50_000_000 + b'"}\n{"title": "B"}')
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject, WorkRecord])

    def test_nesting_and_damage(self) -> None:
        for content in (b"[" * 100_000, b'[{"title": "A"}, {"title"', b'{"title": "A'):
            found = []
            with self.assertRaises(UnreadableFile) as caught:
                for item in csl.read_stream(io.BytesIO(content), "file.json"):
                    found.append(item)
            self.assertTrue(
                str(caught.exception).startswith("file.json: damaged or cut off"), caught.exception
            )
            self.assertLessEqual(len(found), 1)

    def test_other_files_are_refused_with_a_sentence(self) -> None:
        for content, said in (
            (b"", "the file is empty"),
            (b"<html>", "a web page"),
            (b"TY  - JOUR\n", "no CSL-JSON; it begins with 'TY - JOUR'"),
            ("[]".encode("utf-16"), "UTF-16"),
        ):
            with self.assertRaises(UnreadableFile) as caught:
                read(content)
            self.assertIn(said, str(caught.exception))

    def test_another_providers_json_gives_rejects(self) -> None:
        others: list[Any] = [
            {"id": "https://ror.org/05wvpxv85", "names": []},
            {"orcid-identifier": {}},
            {"results": []},
        ]
        for value in others:
            self.assertEqual([item.reason for item in read(value)], ["not as CSL describes an item"])

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_wrong_types_anywhere_give_a_record_or_a_reject(self, data: st.DataObject) -> None:
        item = copy.deepcopy(data.draw(st.sampled_from(json.loads(LIBRARY.read_bytes())[:4])))
        for _ in range(data.draw(st.integers(1, 4))):
            mutate(item, data)
        [result] = read(item)
        self.assertIsInstance(result, WorkRecord | Reject)
        if isinstance(result, WorkRecord):
            self.assertEqual(decode(encode(result)), result)
