import gzip
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import SkipTest, TestCase

from hypothesis import given, settings

from tests.works.changed_documents import damaged, mutated
from tests.works.files import DATA, read_bytes
from works.ingest import ror
from works.ingest.files import UnreadableFile
from works.ingest.records import NEVER, InstitutionRecord, Reject, decode, encode

ROR = DATA / "ror"
IEEE = "https://ror.org/01n002310"
ORGANISATION = {
    "id": IEEE,
    "status": "active",
    "types": ["nonprofit"],
    "names": [{"value": "Institute of Everything", "types": ["ror_display", "label"], "lang": "en"}],
}


def read(data: bytes) -> list[Any]:
    return read_bytes(ror, data, "ror.json")


def read_file(name: str) -> dict[str, InstitutionRecord]:
    items = read(gzip.decompress((ROR / name).read_bytes()))
    return {item.record_id: item for item in items if isinstance(item, InstitutionRecord)}


def read_one(item: Any) -> Any:
    [record] = read(json.dumps([item]).encode())
    return record


class RealRecordTests(TestCase):
    def test_the_dump_of_version_2(self) -> None:
        records = read_file("v2.json.gz")
        self.assertEqual(len(records), 22)
        self.assertEqual(
            records["00097mb19"],
            InstitutionRecord(
                provider="ror",
                record_id="00097mb19",
                identifiers=(
                    ("ror", "00097mb19"),
                    ("grid", "grid.419082.6"),
                    ("isni", "0000000122850987"),
                    ("isni", "0000000417549200"),
                    ("wikidata", "Q11595927"),
                ),
                observed_at=records["00097mb19"].observed_at,
                display_name="Japan Science and Technology Agency",
                names=(
                    "Japanese Science and Technology Agency",
                    "Science and Technology Agency of Japan",
                    "科学技術振興機構",
                ),
                acronyms=("JST",),
                type="government",
                country_code="JP",
                city="Tokyo",
                homepage="https://www.jst.go.jp",
                domains=("jst.go.jp",),
            ),
        )
        self.assertEqual(records["000025p04"].observed_at, datetime(2026, 2, 24, tzinfo=UTC))

    def test_the_dump_of_version_1(self) -> None:
        records = read_file("v1.json.gz")
        self.assertEqual(
            records["0028v3876"],
            InstitutionRecord(
                provider="ror",
                record_id="0028v3876",
                identifiers=(
                    ("ror", "0028v3876"),
                    ("grid", "grid.412047.4"),
                    ("isni", "0000000405323650"),
                    ("wikidata", "Q697299"),
                ),
                display_name="National Chung Cheng University",
                names=("國立中正大學", "Guólì Zhōngzhèng Dàxué"),
                acronyms=("CCU",),
                type="education",
                country_code="TW",
                city="Minxiong",
                homepage="https://www.ccu.edu.tw",
            ),
        )

    def test_version_2_stands_over_version_1(self) -> None:
        old = read_file("v1.json.gz")["0028v3876"]
        new = read_file("v2.json.gz")["00097mb19"]
        self.assertEqual(old.observed_at, NEVER)
        self.assertGreater(new.rank, old.rank)

    def test_what_was_withdrawn_leads_to_its_one_successor(self) -> None:
        records = read_file("v2.json.gz") | read_file("v1.json.gz")
        self.assertEqual(
            {
                key: (record.status, record.withdrawn, record.merged_into, len(record.successors))
                for key, record in records.items()
                if record.status != "active"
            },
            {
                "000bmd763": ("withdrawn", True, "04nbqb988", 1),
                "000kng648": ("withdrawn", True, "038b4c997", 1),
                "001jhv750": ("withdrawn", True, "", 0),
                "00ac5t267": ("inactive", False, "", 2),
                "000kjm556": ("inactive", False, "", 1),
                "00t9vx427": ("withdrawn", True, "05byvp690", 1),
            },
        )

    def test_names_that_are_acronyms_alone_stand_apart(self) -> None:
        records = read_file("v2.json.gz")
        laboratory = records["005ksrc76"]
        self.assertEqual(laboratory.display_name, "UAR POREA")
        self.assertEqual(laboratory.acronyms, ("POREA", "UAR POREA"))
        self.assertNotIn("POREA", laboratory.names)
        self.assertIn("IESE", records["00v9d4z37"].names)

    def test_a_funder_is_what_it_is_besides(self) -> None:
        records = read_file("v2.json.gz")
        self.assertEqual(
            [records[key].type for key in ("002z3n689", "000025p04", "041ypg504")],
            ["funder", "government", "archive"],
        )

    def test_parents_are_kept_and_children_are_not(self) -> None:
        self.assertEqual(
            read_file("v2.json.gz")["0000n5x09"].parents,
            (("ror", "03rnk6m14"), ("ror", "051escj72"), ("ror", "003vg9w96")),
        )

    def test_a_grid_id_is_taken_out_of_its_address(self) -> None:
        self.assertIn(("grid", "grid.6546.1"), read_file("v2.json.gz")["041ypg504"].identifiers)

    def test_every_real_file_is_read(self) -> None:
        if not os.environ.get("DATA"):
            raise SkipTest("reads further real files where DATA=path names a folder of them")
        for path in sorted(Path(os.environ["DATA"], "ror").glob("v*/*.json.gz")):
            with self.subTest(path.name):
                whole = gzip.decompress(path.read_bytes())
                items = read(whole)
                self.assertEqual([item for item in items if isinstance(item, Reject)], [])
                self.assertEqual(len({item.record_id for item in items}), len(json.loads(whole)))


class ShapeTests(TestCase):
    def test_one_organisation_a_page_lines_and_a_match_give_the_same(self) -> None:
        [expected] = read(json.dumps([ORGANISATION]).encode())
        self.assertIsInstance(expected, InstitutionRecord)
        for data in (
            json.dumps(ORGANISATION),
            json.dumps(ORGANISATION, indent=2),
            json.dumps({"number_of_results": 1, "items": [ORGANISATION], "meta": {}}),
            json.dumps({"number_of_results": 1, "items": [ORGANISATION], "meta": {}}, indent=2),
            json.dumps({"items": [{"score": 1.0, "chosen": True, "organization": ORGANISATION}]}),
            json.dumps(ORGANISATION) + "\n",
        ):
            with self.subTest(data[:40]):
                self.assertEqual(read(data.encode()), [expected])

    def test_an_error_of_the_api_is_a_reject_that_says_it(self) -> None:
        [item] = read(b'{"errors": ["\'https://ror.org/000\' is not a valid ROR ID"]}')
        self.assertEqual(item.reason, "an error of ROR's API: 'https://ror.org/000' is not a valid ROR ID")

    def test_other_things_are_rejects(self) -> None:
        for item, reason in (
            ({"affiliation": "A University", "ror_ids": []}, "no ROR id"),
            ({"id": "https://openalex.org/I27837315", "display_name": "x"}, "no ROR id"),
            ({"id": IEEE}, "an organisation without a name"),
            ({"id": IEEE, "name": " \u200b"}, "an organisation without a name"),
            (5, "not an object"),
            (None, "not an object"),
            ([], "not an object"),
        ):
            self.assertEqual(read_one(item), Reject(reason, read_one(item)[1]))


class OddityTests(TestCase):
    def test_without_a_name_to_display_a_label_does(self) -> None:
        names = [{"value": "A"}, {"value": "Label", "types": ["label"]}, {"value": "Z", "types": ["alias"]}]
        record = read_one({"id": IEEE, "names": names})
        assert isinstance(record, InstitutionRecord)
        self.assertEqual((record.display_name, record.names), ("Label", ("A", "Z")))

    def test_what_cannot_be_is_left_out(self) -> None:
        record = read_one(
            ORGANISATION
            | {
                "status": "sleeping",
                "types": ["University", "education", 5],
                "domains": ["EXAMPLE.org.", "exa mple", "localhost", "a..b", "-a.org", 7, "x" * 300 + ".org"],
                "links": [{"type": "website", "value": "javascript:alert(1)"}],
                "locations": [{"geonames_details": {"country_code": "Germany", "name": "Bonn\u202e"}}],
                "relationships": [{"type": "parent", "id": IEEE}, {"type": "parent", "id": "x"}, None],
                "external_ids": [
                    {"type": "isni", "all": ["0000 0004 1936 7301"], "preferred": None},
                    {"type": "wikidata", "all": "Q1", "preferred": "q"},
                    {"type": "fundref", "all": ["1"]},
                ],
                "admin": {"last_modified": {"date": "0000-00-00"}},
            }
        )
        assert isinstance(record, InstitutionRecord)
        self.assertEqual(
            (record.status, record.type, record.domains, record.homepage, record.country_code, record.city),
            ("active", "education", ("example.org",), "", "", "Bonn"),
        )
        self.assertEqual((record.parents, record.observed_at), ((), NEVER))
        self.assertEqual(record.identifiers, (("ror", "01n002310"), ("wikidata", "Q1")))

    def test_dates_far_away_are_never(self) -> None:
        for day in ("9999-12-31", "0001-01-01", "2024-02-30", "yesterday", 5, None):
            record = read_one(ORGANISATION | {"admin": {"last_modified": {"date": day}}})
            self.assertEqual(record.observed_at, NEVER, day)

    def test_names_lose_what_cannot_be_seen_and_stay_short(self) -> None:
        names = [{"value": "A\u0000 \u202eB\u200b" + "c" * 1000, "types": ["ror_display"]}]
        names += [{"value": f"name {n}", "types": ["alias"]} for n in range(5000)]
        record = read_one(ORGANISATION | {"names": names})
        assert isinstance(record, InstitutionRecord)
        self.assertTrue(record.display_name.startswith("A Bccc"))
        self.assertEqual((len(record.display_name), len(record.names)), (512, ror.MAX_NAMES))


RECORDS = [
    record
    for name in ("v1.json.gz", "v2.json.gz")
    for record in json.loads(gzip.decompress((ROR / name).read_bytes()))
]


class HostileTests(TestCase):
    @settings(max_examples=400, deadline=None)
    @given(mutated(RECORDS))
    def test_no_value_anywhere_makes_it_fall(self, record: Any) -> None:
        [item] = read(json.dumps([record]).encode())
        if isinstance(item, InstitutionRecord):
            self.assertEqual(decode(encode(item), "institution"), item)
            self.assertTrue(item.display_name)
            self.assertNotIn(b"\\u0000", encode(item))
        else:
            self.assertTrue(item.reason)

    @settings(max_examples=300, deadline=None)
    @given(damaged(json.dumps(RECORDS[:2], ensure_ascii=False).encode(), [b"{", b"]", b'"', b"\\", b",,"]))
    def test_no_bytes_anywhere_make_it_fall(self, data: bytes) -> None:
        try:
            items = read(data)
        except UnreadableFile as error:
            self.assertTrue(str(error).startswith("ror.json: "))
        else:
            for item in items:
                self.assertIsInstance(item, InstitutionRecord | Reject)

    def test_other_formats_are_refused_in_a_sentence(self) -> None:
        for data, sentence in (
            (
                b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
                "a web page",
            ),
            (b"id,name,types\nhttps://ror.org/01n002310,x,y\n", "no JSON, as which ROR's organisations come"),
            (b"\x89PNG\r\n\x1a\n", "no JSON, as which ROR's organisations come"),
            (b"", "the file is empty"),
            (b"[" * 100_000, "damaged or cut off"),
        ):
            with self.assertRaisesRegex(UnreadableFile, f"^ror.json: {sentence}"):
                read(data)

    def test_a_dump_that_is_cut_off_is_read_up_to_there(self) -> None:
        whole = gzip.decompress((ROR / "v2.json.gz").read_bytes())
        found = []
        with self.assertRaisesRegex(UnreadableFile, "damaged or cut off, a record without end"):
            for item in ror.read_stream(io.BytesIO(whole[: len(whole) // 2]), "ror.json"):
                found.append(item)
        self.assertGreater(len(found), 5)

    def test_a_text_of_50_mb_costs_its_own_record(self) -> None:
        long = json.dumps(ORGANISATION | {"wikipedia_url": "x" * 50_000_000})
        items = read(f"[{json.dumps(ORGANISATION)}, {long}, {json.dumps(ORGANISATION)}]".encode())
        self.assertEqual([type(item) for item in items], [InstitutionRecord, Reject, InstitutionRecord])

    def test_deep_nesting_and_lone_surrogates_cost_their_own_record(self) -> None:
        good = json.dumps(ORGANISATION)
        for bad in ('{"id": ' + "[" * 10_000 + "]" * 10_000 + "}", '{"name": "\\ud800"}', '{"a": 1e999}'):
            items = read(f"[{good}, {bad}, {good}]".encode())
            self.assertEqual([type(item) for item in items], [InstitutionRecord, Reject, InstitutionRecord])
