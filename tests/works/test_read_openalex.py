import gzip
import json
from typing import Any
from unittest import TestCase

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.works.files import DATA, read_bytes, read_file, records_of
from works.ingest import openalex
from works.ingest.files import UnreadableFile
from works.ingest.openalex_shapes import WorkShape
from works.ingest.records import (
    AuthorRecord,
    InstitutionRecord,
    Record,
    Reject,
    TopicRecord,
    VenueRecord,
    WorkRecord,
    decode,
    encode,
)
from works.ingest.shapes import decode_shape

OPENALEX = DATA / "openalex"
FILES = sorted(path for path in OPENALEX.iterdir() if path.name.startswith("20"))


def read_text(content: bytes) -> list[Any]:
    return read_bytes(openalex, content, "works.json")


def read_one(item: Any) -> Any:
    [record] = read_text(json.dumps(item).encode())
    return record


def reasons(items: list[Record | Reject]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Reject)]


WORK = {"id": "https://openalex.org/W1", "display_name": "T", "type": "article"}


def openalex_entity(record: Any) -> str:
    kinds = {WorkRecord: "work", AuthorRecord: "author", InstitutionRecord: "institution", VenueRecord: "source", TopicRecord: "topic"}  # fmt: skip
    return kinds[type(record)]  # type: ignore[index]


class VintageTests(TestCase):
    def test_every_vintage_is_read_without_rejects(self) -> None:
        read = {}
        for path in FILES:
            items = read_file(openalex, path)
            rejects = set(reasons(items))
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
        self.assertEqual(set(reasons(read_file(openalex, path))), {"a grant, which is no publication"})


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

    def test_what_stands_for_nobody_is_no_person(self) -> None:
        entries = [
            {"author": {"id": "https://openalex.org/A9999999999", "display_name": "NULL AUTHOR_ID"}, "raw_author_name": name}
            for name in ("None &NA;", "Liu Ke", None)
        ]  # fmt: skip
        entries.append({"author": {"id": "https://openalex.org/A5317838346", "display_name": "Deleted Author"}, "raw_author_name": "Xuan Zhang"})  # fmt: skip
        record = read_one(WORK | {"authorships": entries})
        self.assertEqual(
            [(one.raw_name, one.name, one.openalex) for one in record.authorships],
            [("Liu Ke", "Liu Ke", ""), ("Xuan Zhang", "Xuan Zhang", "")],
        )

    def test_references_to_what_was_deleted_are_left_out(self) -> None:
        works = ["https://openalex.org/W4285719527", "https://openalex.org/W7", "W8", "", "no id"]
        self.assertEqual(
            read_one(WORK | {"referenced_works": works}).references, (("openalex", "W7"), ("openalex", "W8"))
        )

    def test_a_list_of_authors_that_was_cut_says_so(self) -> None:
        self.assertTrue(read_one(WORK | {"is_authors_truncated": True}).partial_authors)
        self.assertFalse(read_one(WORK).partial_authors)

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

    def test_an_index_with_gaps_or_doubles_is_read_in_order(self) -> None:
        for index, abstract in (
            ({"c": [9], "a": [2], "b": [5]}, "a b c"),
            ({"a": [0, 1], "b": [1]}, "a a b"),
            ({"a": [-5], "b": [0]}, "a b"),
            ({}, ""),
            (None, ""),
        ):
            self.assertEqual(read_one(WORK | {"abstract_inverted_index": index}).abstract, abstract)

    def test_an_index_that_would_grow_without_end_is_cut(self) -> None:
        record = read_one(WORK | {"abstract_inverted_index": {"x" * 1000: list(range(50_000))}})
        self.assertLess(len(record.abstract), 201_000)
        self.assertTrue(record.abstract.endswith(" " + "x" * 1000))

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

    @settings(max_examples=300, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["id", "doi", "title", "display_name", "type", "authorships", "topics", "ids", "primary_location", "open_access", "abstract_inverted_index", "publication_date", "publication_year", "referenced_works", "updated_date", "locations"]),
            st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda c: st.lists(c, max_size=3) | st.dictionaries(st.sampled_from(["id", "author", "display_name", "institutions", "source", "score", "is_oa"]), c, max_size=3), max_leaves=8),
        )
    )  # fmt: skip
    def test_no_object_is_read_with_a_traceback(self, item: dict[str, Any]) -> None:
        for letter in "WAIST":
            result = read_one(item | {"id": f"https://openalex.org/{letter}5"})
            if isinstance(result, Reject):
                self.assertTrue(result.reason)
            else:
                self.assertEqual(decode(encode(result), openalex_entity(result)), result)

    def test_a_value_of_another_type_costs_only_itself(self) -> None:
        record = read_one(
            WORK
            | {
                "display_name": ["a"],
                "title": "T",
                "language": 5,
                "cited_by_count": "7",
                "publication_year": 2020,
                "authorships": [7, {"author": {"display_name": "A B", "orcid": 1}, "institutions": {}}],
                "topics": [{"id": "https://openalex.org/T1", "display_name": "X", "subfield": [1]}],
                "abstract_inverted_index": {"two": [1], "one": ["x", 0], "none": 5},
                "referenced_works": ["https://openalex.org/W2", 3, None],
            }
        )
        self.assertEqual(
            (record.title, record.language, record.cited_by_count, record.publication_year, record.abstract),
            ("T", "", 0, 2020, "one two"),
        )
        self.assertEqual([authorship.raw_name for authorship in record.authorships], ["A B"])
        self.assertEqual([topic.value for topic in record.topics], ["T1"])
        self.assertEqual(record.references, (("openalex", "W2"),))

    def test_the_quick_way_and_the_patient_way_agree(self) -> None:
        """Where one value is of another type, all others are read as they are without it."""
        for path in FILES[1:2] + FILES[-1:]:
            for item in msgspec.json.decode(gzip.decompress(path.read_bytes()))["results"][:10]:
                quick = decode_shape(msgspec.json.encode(item), WorkShape)
                quick.language = None
                patient = decode_shape(msgspec.json.encode(item | {"language": ["en"]}), WorkShape)
                self.assertEqual(patient, quick)


class BadFileTests(TestCase):
    def test_a_broken_line_is_a_reject_and_the_rest_is_read(self) -> None:
        lines = json.dumps(WORK).encode() + b'\n{"id": \n' + json.dumps(WORK | {"id": "W2"}).encode()
        items = read_text(lines)
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject, WorkRecord])

    def test_a_broken_first_line_is_a_reject_and_the_rest_is_read(self) -> None:
        lines = b'{"id": \n' + json.dumps(WORK).encode() + b"\n" + json.dumps(WORK | {"id": "W2"}).encode()
        items = read_text(lines)
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord, WorkRecord])

    def test_other_formats_are_refused(self) -> None:
        for content, sentence in (
            (b"", "works.json: the file is empty"),
            (b" \n \n", "the file is empty"),
            (b"Resource not found.", "neither JSON nor a list of ids; it begins with 'Resource not found.'"),
            (b"<!DOCTYPE html><html><body>502", "a web page"),
            (b"<?xml version='1.0'?><feed/>", "neither JSON nor a list of ids"),
            ('{"id": "W1"}'.encode("utf-16"), "UTF-16"),
            (b"a,b,c\n1,2,3\n", "neither JSON nor a list of ids"),
            (b"[" * 100_000, "damaged or cut off"),
        ):
            with self.subTest(content[:20]), self.assertRaisesRegex(UnreadableFile, sentence):
                read_text(content)

    def test_a_first_line_that_is_no_object_is_a_reject_and_the_rest_is_read(self) -> None:
        items = read_text(b"Resource not found.\n\n" + json.dumps(WORK).encode())
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord])

    def test_a_deeply_nested_value_is_a_reject(self) -> None:
        deep = b'{"id": "https://openalex.org/W1", "display_name": ' + b"[" * 5000 + b"]" * 5000 + b"}"
        items = read_text(deep + b"\n" + json.dumps(WORK).encode())
        self.assertEqual([type(item) for item in items], [Reject, WorkRecord])

    def test_a_line_of_50_megabytes_is_a_reject_and_the_next_is_read(self) -> None:
        line = json.dumps(WORK).encode()
        items = read_text(
            line + b'\n{"id": "https://openalex.org/W2", "title": "' + b"x" * 50_000_000 + b'"}\n' + line
        )
        self.assertEqual([type(item) for item in items], [WorkRecord, Reject, WorkRecord])
        self.assertEqual(reasons(items), ["longer than a record may be"])

    def test_numbers_without_end_are_a_reject(self) -> None:
        for number in (b"1e400", b"1" * 6000):
            items = read_text(
                b'{"id": "https://openalex.org/W1", "title": "T", "cited_by_count": ' + number + b"}"
            )
            self.assertEqual(len(items), 1)

    def test_bidirectional_controls_do_not_reach_names(self) -> None:
        entry = {
            "author": {"display_name": "\u202eIrena\u200f Spasi\u0107"},
            "raw_author_name": "Irena \u2066Spasi\u0107",
        }
        [authorship] = read_one(WORK | {"authorships": [entry]}).authorships
        self.assertEqual((authorship.name, authorship.raw_name), ("Irena Spasić", "Irena Spasić"))

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
