"""What stands when records change: decisions of people, wrong identifiers, counts."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import call_command
from django.test import TestCase

from profiles.models import CurationRequest
from tests.works.files import DEMO
from works.ingest.load import ingest
from works.models import Author, Authorship, Institution, Source, Topic, Work, WorkIdentifier
from works.services.authors import mark_claimed, suppress_author


def openalex(number: int, title: str, names: list[str], **fields: Any) -> dict[str, Any]:
    authorships = [{"author": {"id": None, "display_name": name}, "raw_author_name": name} for name in names]
    work = {
        "id": f"https://openalex.org/W{number}",
        "type": "article",
        "display_name": title,
        "publication_year": 2020,
    }
    return work | {"authorships": authorships, "updated_date": "2024-01-01"} | fields


def bring(*items: dict[str, Any]) -> None:
    """Import works and rebuild what they change."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "works.json")
        path.write_text(json.dumps(items), encoding="utf-8")
        ingest("openalex", [str(path)])
    call_command("rebuild", verbosity=0)


class DecisionsSurviveImportsTests(TestCase):
    CHANGES = (
        {"author": {"id": "https://openalex.org/A5000000001", "display_name": "Wei Dong"}, "raw_author_name": "Wei Dong"},
        {"author": {"id": None, "display_name": "Wei Dong", "orcid": "0000-0002-1825-0097"}, "raw_author_name": "Wei Dong"},
        {"author": {"id": None, "display_name": "W. Dong"}, "raw_author_name": "W. Dong"},
        {"author": {"id": None, "display_name": "Wei Dong Jr"}, "raw_author_name": "Wei Dong Jr"},
    )  # fmt: skip

    def check_line_keeps_its_author(self, decide) -> None:
        for number, line in enumerate(self.CHANGES, 1):
            with self.subTest(line["raw_author_name"]):
                work = openalex(number, f"On the number {number} and its neighbours", ["Wei Dong"])
                bring(work)
                author = Author.objects.get(authorships__work__identifiers__value=f"W{number}")
                decide(author.pk)
                bring(work | {"authorships": [line], "updated_date": "2025-01-01"})
                row = Authorship.objects.get(work__identifiers__value=f"W{number}")
                self.assertEqual((row.author_id, row.raw_author_name), (author.pk, line["raw_author_name"]))

    def test_a_claimed_page_keeps_its_work_when_names_or_ids_change(self) -> None:
        self.check_line_keeps_its_author(mark_claimed)

    def test_a_hidden_person_stays_hidden_when_names_or_ids_change(self) -> None:
        self.check_line_keeps_its_author(lambda author_id: suppress_author(author_id, "asked for it"))
        self.assertEqual(Author.objects.public().count(), 0)

    def test_records_of_another_provider_move_nobody_from_their_page(self) -> None:
        ingest("arxiv", [str(DEMO / "arxiv-seed.atom.xml")])
        call_command("rebuild", verbosity=0)
        before = dict(Author.objects.values_list("display_name", "pk"))
        mark_claimed(before["Liu Ke"])
        recnmp = Work.objects.get(identifiers__value="1912.12953")
        names = list(recnmp.authorships.values_list("raw_author_name", flat=True))
        item = openalex(1, recnmp.title, names, doi="https://doi.org/10.48550/arxiv.1912.12953")
        for number, line in enumerate(item["authorships"], 1):
            line["author"]["id"] = f"https://openalex.org/A5{number:09d}"
        bring(item)
        after = dict(Author.objects.public().values_list("display_name", "pk"))
        self.assertEqual(after, before)
        self.assertEqual(Author.objects.get(pk=before["Liu Ke"]).works_count, 2)


class WrongIdentifierTests(TestCase):
    def test_a_doi_copied_from_a_template_joins_no_strangers(self) -> None:
        doi = "https://doi.org/10.1145/1122445.1122456"
        bring(
            openalex(1, "A distributed framework for big data", ["Jason Dai", "Yiheng Wang"], doi=doi),
            openalex(2, "Fashion attribute extraction at scale", ["Ann Lee"], doi=doi),
        )
        self.assertEqual(Work.objects.count(), 2)
        self.assertEqual(WorkIdentifier.objects.filter(scheme="doi").count(), 1)
        # And none who comes later.
        bring(openalex(3, "Conditional compilation considered", ["Bob Stone"], doi=doi))
        self.assertEqual(Work.objects.count(), 3)

    def test_a_doi_joins_a_preprint_and_the_article_of_another_title(self) -> None:
        doi = "https://doi.org/10.1000/182"
        names = ["Udit Gupta", "Liu Ke"]
        bring(
            openalex(1, "Early ideas on scheduling", names, doi=doi),
            openalex(2, "Scheduling, revisited", names, doi=doi),
        )
        self.assertEqual(Work.objects.count(), 1)


class CountTests(TestCase):
    def test_what_loses_its_last_work_counts_none(self) -> None:
        topic = {"id": "https://openalex.org/T1", "display_name": "Graphs", "score": 0.9}
        place = {"id": "https://openalex.org/I1", "display_name": "Somewhere", "ror": None}
        source = {"id": "https://openalex.org/S1", "display_name": "A journal", "type": "journal"}
        work = openalex(
            1, "On counting what is there", ["Ann Lee"], topics=[topic], primary_location={"source": source}
        )
        work["authorships"][0]["institutions"] = [place]
        bring(work)
        counted = [Topic.objects.get(display_name="Graphs"), Institution.objects.get(), Source.objects.get()]
        self.assertEqual([row.works_count for row in counted], [1, 1, 1])
        bring(openalex(1, "On counting what is there", ["Ann Lee"], updated_date="2025-01-01"))
        for row in counted:
            row.refresh_from_db()
        self.assertEqual([row.works_count for row in counted], [0, 0, 0])

    def test_counts_are_right_whichever_is_drained_first(self) -> None:
        from works.tasks import drain_catalogue, drain_counts, drain_resolve

        topic = {"id": "https://openalex.org/T1", "display_name": "Graphs", "score": 0.9}
        with TemporaryDirectory() as folder:
            path = Path(folder, "works.json")
            path.write_text(
                json.dumps([openalex(1, "On counting authors", ["Ann Lee", "Bob Stone"], topics=[topic])])
            )
            ingest("openalex", [str(path)])
        for drain in (drain_catalogue, drain_resolve, drain_counts, drain_catalogue):
            drain()
        self.assertEqual(Topic.objects.get(display_name="Graphs").authors_count, 2)


class HostileRecordTests(TestCase):
    def test_one_hostile_record_does_not_end_the_import(self) -> None:
        bring(
            openalex(1, "A\x00 title with a NUL", ["Ann\u202e Lee"], abstract_inverted_index={"a\x00b": [0]}),
            openalex(
                2,
                "Ids that are too long",
                ["Bob"],
                referenced_works=["https://openalex.org/subfields/" + "9" * 600],
            ),
            openalex(3, "x" * 300_000, ["Y" * 5_000] * 2, doi="10.1000/" + "z" * 900),
            openalex(4, "Many authors", [f"Author {n}" for n in range(3_000)]),
        )
        self.assertEqual(Work.objects.count(), 4)
        self.assertTrue(Author.objects.filter(display_name="Ann Lee").exists())


class JoinedWorksTests(TestCase):
    def test_what_people_asked_about_a_work_follows_it_when_works_are_joined(self) -> None:
        names = ["Udit Gupta", "Liu Ke"]
        bring(openalex(1, "Early ideas on scheduling", names), openalex(2, "Scheduling, revisited", names))
        kept, gone = Work.objects.order_by("pk")
        asked = CurationRequest.objects.create(
            kind="correction", work=gone, email="a@example.org", message="Wrong."
        )
        doi = "https://doi.org/10.1000/182"
        bring(
            openalex(1, "Early ideas on scheduling", names, doi=doi, updated_date="2025-01-01"),
            openalex(2, "Scheduling, revisited", names, doi=doi, updated_date="2025-01-01"),
        )
        asked.refresh_from_db()
        kept.refresh_from_db()  # either title may be the one shown
        self.assertEqual((list(Work.objects.all()), asked.work), ([kept], kept))
        response = self.client.get(f"/works/{gone.pid}/")
        self.assertEqual((response.status_code, response.headers["Location"]), (301, kept.get_absolute_url()))
        self.assertContains(self.client.get(f"/works/{gone.pid}/correct/"), kept.title)
