import io
import json
from datetime import UTC, datetime
from typing import Any
from unittest import TestCase
from unittest.mock import patch

from tests.works.files import DATA, read_bytes, read_file
from works.ingest import openalex
from works.ingest.files import UnreadableFile
from works.ingest.records import (
    AffiliationRecord,
    AuthorRecord,
    InstitutionRecord,
    InstitutionRef,
    Record,
    Reject,
    TopicRecord,
    VenueRecord,
    WorkRecord,
)

OPENALEX = DATA / "openalex"
WORK = {"id": "https://openalex.org/W1", "display_name": "T", "type": "article"}


def read_text(content: bytes) -> list[Any]:
    return read_bytes(openalex, content, "works.json")


def read_one(item: Any) -> Any:
    [record] = read_text(json.dumps(item).encode())
    return record


def reasons(items: list[Record | Reject]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Reject)]


def iter_until_damage(text: bytes) -> list[Record | Reject]:
    items: list[Record | Reject] = []
    try:
        for item in openalex.read_stream(io.BytesIO(text), "works.json"):
            items.append(item)
    except UnreadableFile:
        pass
    return items


class EntityTests(TestCase):
    def single(self, name: str) -> Any:
        [record] = read_file(openalex, OPENALEX / "single" / f"{name}.json")
        return record

    def test_an_author_has_names_ids_and_places_with_years(self) -> None:
        author = self.single("A5023888391")
        self.assertIsInstance(author, AuthorRecord)
        self.assertEqual((author.display_name, author.names), ("Jason Priem", ("Priem Jason",)))
        self.assertEqual(
            author.identifiers,
            (("openalex", "A5023888391"), ("orcid", "0000-0001-6187-6610"), ("scopus", "36455008000")),
        )
        self.assertEqual(
            author.affiliations[0],
            AffiliationRecord(
                institution=InstitutionRef(
                    display_name="OurResearch", openalex="I4200000001", ror="02nr0ka47", country_code="CA", type="nonprofit"
                ),
                first_year=2019,
                last_year=2023,
            ),
        )  # fmt: skip
        self.assertEqual(len(author.affiliations), 8)
        self.assertEqual(author.observed_at, datetime(2025, 6, 8, 21, 53, 7, 725446, tzinfo=UTC))

    def test_an_author_of_2023_was_last_known_somewhere(self) -> None:
        known = {"id": "https://openalex.org/I1", "display_name": "Here", "ror": None}
        author = read_one(
            {"id": "https://openalex.org/A1", "display_name": "A", "last_known_institution": known}
        )
        self.assertEqual(
            author.affiliations,
            (AffiliationRecord(institution=InstitutionRef(display_name="Here", openalex="I1")),),
        )

    def test_authors_of_2026_bring_the_names_that_works_print(self) -> None:
        authors = read_file(openalex, OPENALEX / "entity-samples" / "authors_sample.json.gz")
        self.assertEqual({type(author) for author in authors}, {AuthorRecord})
        self.assertTrue(any("," in name for author in authors for name in author.names))

    def test_an_institution_has_names_in_every_script(self) -> None:
        michigan = self.single("I27837315")
        self.assertIsInstance(michigan, InstitutionRecord)
        self.assertEqual(
            (
                michigan.display_name,
                michigan.acronyms,
                michigan.country_code,
                michigan.city,
                michigan.homepage,
            ),
            ("University of Michigan", ("UM",), "US", "Ann Arbor", "https://www.umich.edu"),
        )
        self.assertEqual(
            michigan.identifiers,
            (
                ("grid", "grid.214458.e"),
                ("openalex", "I27837315"),
                ("ror", "00jmfr291"),
                ("wikidata", "Q230492"),
            ),
        )
        self.assertIn("密西根大学", michigan.names)
        self.assertIn("UMich", michigan.names)
        self.assertEqual(len(michigan.names), len(set(michigan.names)))

    def test_institutions_of_the_snapshot_are_read_with_their_parents(self) -> None:
        [path] = (OPENALEX / "snapshot" / "institutions").rglob("*.gz")
        found = read_file(openalex, path)
        self.assertEqual({type(item) for item in found}, {InstitutionRecord})
        parent = {
            "id": "https://openalex.org/I2",
            "ror": "https://ror.org/02nr0ka47",
            "relationship": "parent",
        }
        child = parent | {"ror": "https://ror.org/00jmfr291", "relationship": "child"}
        one = read_one(
            {"id": "https://openalex.org/I1", "display_name": "X", "associated_institutions": [parent, child]}
        )
        self.assertEqual(one.parents, (("ror", "02nr0ka47"),))

    def test_a_source_has_its_numbers_and_host(self) -> None:
        nature = self.single("S137773608")
        self.assertIsInstance(nature, VenueRecord)
        self.assertEqual(
            nature.identifiers,
            (
                ("issn", "0028-0836"),
                ("issn", "1476-4687"),
                ("openalex", "S137773608"),
                ("wikidata", "Q180445"),
            ),
        )
        self.assertEqual(
            (nature.display_name, nature.type, nature.host_organization_name),
            ("Nature", "journal", "Nature Portfolio"),
        )

    def test_topics_stand_in_their_line(self) -> None:
        topic = self.single("T11636")
        self.assertIsInstance(topic, TopicRecord)
        self.assertEqual((topic.level, topic.record_id), ("topic", "T11636"))
        self.assertEqual(
            topic.lineage,
            (
                ("subfields/2718", "Health Informatics"),
                ("fields/27", "Medicine"),
                ("domains/4", "Health Sciences"),
            ),
        )
        self.assertTrue(topic.description.startswith("This cluster of papers"))
        parents = {
            level: {"id": f"https://openalex.org/{level}s/1", "display_name": level}
            for level in ("field", "domain")
        }
        subfield = read_one(
            {"id": "https://openalex.org/subfields/2718", "display_name": "Health Informatics"} | parents
        )
        self.assertEqual((subfield.level, subfield.record_id), ("subfield", "subfields/2718"))
        self.assertEqual(subfield.lineage, (("fields/1", "field"), ("domains/1", "domain")))
        field = read_one({"id": "https://openalex.org/fields/27", "display_name": "Medicine"} | parents)
        self.assertEqual((field.level, field.lineage), ("field", (("domains/1", "domain"),)))
        domain = read_one({"id": "https://openalex.org/domains/4", "display_name": "Health Sciences"})
        self.assertEqual((domain.level, domain.lineage), ("domain", ()))

    def test_what_the_catalogue_does_not_hold_is_rejected_in_words(self) -> None:
        for item, reason in {
            "C41008148": "concept: not part of the catalogue",
            "P4310319965": "publisher: not part of the catalogue",
            "F4320332161": "funder: not part of the catalogue",
            "keywords/biology": "keywords: not part of the catalogue",
            "languages/en": "languages: not part of the catalogue",
            "A9999999999": "stands for what was deleted or has no record",
            "W4285719527": "stands for what was deleted or has no record",
            "X1": "no id of OpenAlex",
        }.items():
            with self.subTest(item):
                found = read_one({"id": f"https://openalex.org/{item}", "display_name": "X"})
                self.assertEqual(found.reason, reason)

    def test_records_without_a_name_are_rejected(self) -> None:
        for letter in "AIST":
            self.assertIn("without a name", read_one({"id": f"https://openalex.org/{letter}1"}).reason)

    def test_kinds_may_be_mixed_in_one_file(self) -> None:
        lines = b"\n".join(
            json.dumps(
                {"id": f"https://openalex.org/{item}", "display_name": "X", "type": "article"}
            ).encode()
            for item in ("W1", "A1", "C1", "A2", "subfields/1", "W2")
        )
        self.assertEqual(
            [type(item) for item in read_text(lines)],
            [WorkRecord, AuthorRecord, Reject, AuthorRecord, TopicRecord, WorkRecord],
        )


class SnapshotTests(TestCase):
    def test_merged_ids_lead_to_what_took_them_over(self) -> None:
        rows = (
            "merge_date,id,merge_into_id",
            "2022-06-07,A2257618939,A2208157607",
            "2022-06-08,https://openalex.org/W1,https://openalex.org/W2",
            "2022-06-09,V5,V6",
            "2022-06-10,W7,W4285719527",
            "2022-06-10,C1,C2",
            "0000-00-00,W8,W9",
            "2022-06-10,W8,A9",
            "2022-06-10,W8",
            "",
        )
        items: list[Any] = read_bytes(openalex, "\n".join(rows).encode())
        author, work, source, deleted, concept, dateless, other_kind, short = items
        self.assertEqual(
            (author.record_id, author.merged_into, author.identifiers, author.observed_at),
            ("A2257618939", "A2208157607", (("openalex", "A2257618939"),), datetime(2022, 6, 7, tzinfo=UTC)),
        )
        self.assertEqual([type(author), type(work), type(source)], [AuthorRecord, WorkRecord, VenueRecord])
        self.assertEqual((source.record_id, source.merged_into), ("S5", "S6"))
        self.assertEqual((deleted.merged_into, deleted.withdrawn, work.withdrawn), ("", True, False))
        self.assertEqual(concept.reason, "concept: not part of the catalogue")
        self.assertEqual((dateless.record_id, dateless.observed_at.year), ("W8", 1970))
        self.assertEqual(reasons([other_kind, short]), ["merged into nothing of its kind"] * 2)

    def test_deleted_works_are_withdrawn(self) -> None:
        rows = (
            b"work_id,deleted_date\r\nhttps://openalex.org/W4245566371,2026-08-14\r\nrubbish,2026-08-14\r\n"
        )
        gone, rubbish = read_bytes(openalex, rows)
        self.assertEqual((gone.record_id, gone.withdrawn, gone.observed_at.year), ("W4245566371", True, 2026))
        self.assertEqual(rubbish.reason, "no id of OpenAlex")

    def test_a_manifest_holds_no_records(self) -> None:
        entry = {
            "url": "s3://openalex/data/works/updated_date=2024-01-01/part_000.gz",
            "meta": {"record_count": 1},
        }
        for manifest in (
            {"entries": [entry], "meta": {"record_count": 1}},
            {"date": "2026-06-26", "entities": [{"entity_type": "works", "files": [entry]}]},
        ):
            for text in (json.dumps(manifest), json.dumps(manifest, indent=1)):
                self.assertEqual(read_text(text.encode()), [])

    def test_answers_without_records_say_so(self) -> None:
        groups = {"meta": {"count": 2}, "results": [], "group_by": [{"key": "US", "count": 5}]}
        error = {"error": "Invalid query parameters error.", "message": "x is not a valid field."}
        typed = {
            "meta": {},
            "results": [{"id": "https://openalex.org/A1", "display_name": "X", "entity_type": "author"}],
        }
        for answer, reason in (
            (groups, "counts by group"),
            (error, "an error instead of an answer"),
            (typed, "suggestion"),
        ):
            [item] = read_text(json.dumps(answer).encode())
            self.assertIn(reason, item.reason)
        self.assertEqual(read_text(b'{"meta": {"count": 0}, "results": [], "group_by": []}'), [])

    def test_answers_one_on_each_line_are_unwrapped(self) -> None:
        page = json.dumps({"results": [WORK, WORK], "meta": {}}).encode()
        odd = json.dumps({"warnings": [], "results": [WORK]}).encode()
        self.assertEqual([type(item) for item in read_text(odd + b"\n" + page)], [WorkRecord] * 3)

    def test_a_long_or_damaged_document_is_streamed(self) -> None:
        array = json.dumps([WORK | {"id": f"W{n}"} for n in range(1, 50)]).encode()
        page = b'{"meta": {}, "results": ' + array + b"}"
        whole = read_text(array)
        self.assertEqual(len(whole), 49)
        with patch("works.ingest.openalex.QUICK", 500):
            self.assertEqual([read_text(array), read_text(page)], [whole, whole])
        for text in (array[:-30], page[:-30]):
            with self.assertRaisesRegex(UnreadableFile, "damaged or cut off"):
                read_text(text)
            items = iter_until_damage(text)
            self.assertEqual(items, whole[: len(items)])
            self.assertGreaterEqual(len(items), 48)
