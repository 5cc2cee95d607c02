import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, records_of
from works.ingest import openalex
from works.ingest.files import UnreadableFile
from works.ingest.records import Reject, WorkRecord, decode, encode

OPENALEX = DATA / "openalex"
FILES = sorted(path for path in OPENALEX.iterdir() if path.name.startswith("20"))


def read_text(content: bytes, name: str = "works.json") -> list[WorkRecord | Reject]:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return list(openalex.read(path))


def read_one(item: Any) -> WorkRecord | Reject:
    [record] = read_text(json.dumps(item).encode())
    return record


WORK = {"id": "https://openalex.org/W1", "display_name": "T", "type": "article"}


class VintageTests(TestCase):
    def test_every_vintage_is_read_without_rejects(self) -> None:
        read = {}
        for path in FILES:
            items = list(openalex.read(path))
            rejects = {item.reason for item in items if isinstance(item, Reject)}
            read[path.name] = len(items)
            self.assertLessEqual(
                rejects, {"a grant, which is no publication", "neither title nor authors"}, path.name
            )
        self.assertGreaterEqual(len(read), 8)
        self.assertTrue(all(read.values()), read)

    def test_the_vintage_of_2023_has_affiliations_in_one_string_and_no_topics(self) -> None:
        records = records_of(openalex, OPENALEX / "2023-04_works_1.zip")
        self.assertTrue(any(a.raw_affiliations for r in records for a in r.authorships))
        self.assertEqual({r.topics for r in records}, {()})
        self.assertNotIn("journal-article", {r.type for r in records})

    def test_the_vintage_of_2026_has_topics_with_their_line(self) -> None:
        records = records_of(openalex, OPENALEX / "2026-05-29_chunk_1.json.gz")
        topics = [topic for record in records for topic in record.topics]
        self.assertTrue(topics)
        self.assertEqual({len(topic.lineage) for topic in topics}, {3})
        self.assertTrue(
            all(
                value.startswith(("subfields/", "fields/", "domains/"))
                for t in topics
                for value, _ in t.lineage
            )
        )

    def test_grants_are_no_works(self) -> None:
        [path] = [path for path in (OPENALEX / "snapshot").rglob("*.gz") if "works" in str(path)]
        reasons = {item.reason for item in openalex.read(path) if isinstance(item, Reject)}
        self.assertEqual(reasons, {"a grant, which is no publication"})


class OddityTests(TestCase):
    def test_an_author_without_id_keeps_the_name(self) -> None:
        record = read_one(
            WORK
            | {
                "authorships": [
                    {"author": {"id": None, "display_name": "Liu Ke"}, "raw_affiliation_strings": ["Meta"]}
                ]
            }
        )
        [authorship] = record.authorships
        self.assertEqual(
            (authorship.raw_name, authorship.openalex, authorship.raw_affiliations), ("Liu Ke", "", ("Meta",))
        )

    def test_an_id_that_stands_twice_stays_with_whom_it_fits(self) -> None:
        one = {"id": "https://openalex.org/A5049592593", "display_name": "Moses J. Bockarie"}
        names = ["W. Kastens", "M. J. Bockarie"]
        record = read_one(
            WORK | {"authorships": [{"author": one, "raw_author_name": name} for name in names]}
        )
        self.assertEqual(
            [(a.name, a.openalex) for a in record.authorships],
            [("W. Kastens", ""), ("Moses J. Bockarie", "A5049592593")],
        )

    def test_a_place_without_a_name_is_left_out(self) -> None:
        record = read_one(WORK | {"authorships": [{"author": {"id": None, "display_name": None}}]})
        self.assertEqual(record.authorships, ())

    def test_an_institution_without_any_id_stays_a_text(self) -> None:
        entry = {
            "author": {"display_name": "A B"},
            "institutions": [{"id": None, "ror": None, "display_name": "Somewhere"}],
        }
        self.assertEqual(read_one(WORK | {"authorships": [entry]}).authorships[0].institutions, ())

    def test_a_score_may_be_a_text(self) -> None:
        topic = {"id": "https://openalex.org/T1", "display_name": "X", "score": "0.5"}
        self.assertEqual(read_one(WORK | {"topics": [topic]}).topics[0].score, 0.5)

    def test_the_abstract_is_put_together_from_its_index(self) -> None:
        record = read_one(WORK | {"abstract_inverted_index": {"order": [1], "In": [0], "again": [2]}})
        self.assertEqual(record.abstract, "In order again")

    def test_arxiv_ids_are_found_in_dois_and_locations(self) -> None:
        by_doi = read_one(WORK | {"doi": "https://doi.org/10.48550/arxiv.2203.07424"})
        self.assertIn(("arxiv", "2203.07424"), by_doi.identifiers)
        by_place = read_one(WORK | {"locations": [{"landing_page_url": "http://arxiv.org/abs/1912.12953"}]})
        self.assertIn(("arxiv", "1912.12953"), by_place.identifiers)

    def test_values_out_of_range_are_absent(self) -> None:
        record = read_one(
            WORK | {"publication_year": 99999, "publication_date": "0000-00-00", "cited_by_count": -3}
        )
        self.assertEqual(
            (record.publication_year, record.publication_date, record.cited_by_count), (None, None, 0)
        )

    def test_wrong_types_are_absent_or_rejected_never_raised(self) -> None:
        record = read_one(
            WORK
            | {
                "display_name": ["a"],
                "title": "T",
                "authorships": {"a": 1},
                "topics": "x",
                "primary_location": [],
            }
        )
        self.assertIsInstance(record, (WorkRecord, Reject))

    @settings(max_examples=300, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["id", "doi", "title", "display_name", "type", "authorships", "topics", "ids", "primary_location", "open_access", "abstract_inverted_index", "publication_date", "publication_year", "referenced_works", "updated_date", "locations"]),
            st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda c: st.lists(c, max_size=3) | st.dictionaries(st.sampled_from(["id", "author", "display_name", "institutions", "source", "score", "is_oa"]), c, max_size=3), max_leaves=8),
        )
    )  # fmt: skip
    def test_no_object_is_read_with_a_traceback(self, item: dict[str, Any]) -> None:
        result = openalex._record({"id": "https://openalex.org/W5"} | item)
        if isinstance(result, WorkRecord):
            self.assertEqual(decode(encode(result)), result)
        else:
            self.assertTrue(result.reason)


class BadFileTests(TestCase):
    def test_a_broken_line_is_a_reject_and_the_rest_is_read(self) -> None:
        lines = json.dumps(WORK).encode() + b'\n{"id": \n' + json.dumps(WORK | {"id": "W2"}).encode()
        items = read_text(lines, "works.jsonl")
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject, WorkRecord])

    def test_a_broken_first_line_is_a_reject_and_the_rest_is_read(self) -> None:
        lines = b'{"id": \n' + json.dumps(WORK).encode() + b"\n" + json.dumps(WORK | {"id": "W2"}).encode()
        items = read_text(lines, "works.jsonl")
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord, WorkRecord])

    def test_text_that_is_no_json_is_a_reject(self) -> None:
        [item] = read_text(b"Resource not found.")
        self.assertTrue(item.reason.startswith("not JSON"))

    def test_deep_nesting_is_a_reject(self) -> None:
        [item] = read_text(b"[" * 100_000)
        self.assertIsInstance(item, Reject)

    def test_a_byte_order_mark_is_passed_over(self) -> None:
        [record] = read_text(b"\xef\xbb\xbf" + json.dumps(WORK).encode())
        self.assertEqual(record.record_id, "W1")

    def test_nul_and_lone_surrogates_do_not_reach_the_record(self) -> None:
        items = read_text(
            b'{"id": "https://openalex.org/W1", "display_name": "a\\u0000b", "type": "article"}'
        )
        self.assertEqual(items[0].title, "ab")
        [item] = read_text(
            b'{"id": "https://openalex.org/W1", "display_name": "a\\ud800b", "type": "article"}'
        )
        self.assertIsInstance(item, Reject)

    def test_a_gzip_cut_off_is_refused_in_a_sentence(self) -> None:
        packed = gzip.compress(json.dumps(WORK).encode() * 200)
        with self.assertRaisesRegex(UnreadableFile, "damaged or cut off"):
            read_text(packed[: len(packed) // 2], "works.json.gz")

    def test_a_gzip_bomb_is_refused_before_it_fills_memory(self) -> None:
        with self.assertRaisesRegex(UnreadableFile, "times its size"):
            read_text(gzip.compress(b" " * 50_000_000), "works.json.gz")

    def test_an_empty_file_holds_nothing(self) -> None:
        self.assertEqual(read_text(b""), [])
