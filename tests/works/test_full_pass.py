"""After a full pass the order of imports no longer matters."""

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.core.management import call_command
from django.test import TestCase, TransactionTestCase

from tests.works.files import DATA, DEMO
from tests.works.test_load import empty_catalogue
from works.ingest.load import ingest, store
from works.ingest.records import AuthorshipRecord, InstitutionRef, SourceRef, WorkRecord
from works.models import Institution, Redirect, Source, Work, WorkIdentifier
from works.services.full_entities import rederive_entities
from works.services.full_pass import rederive_works
from works.services.verification import checks, state_hash

FILES = (
    ("openalex", DATA / "openalex" / "2025-06-05_search_biodiversity_finance.json.gz"),
    ("openalex", DATA / "openalex" / "2026-05-29_search_biodiversity_finance.json.gz"),
    ("openalex", DATA / "openalex" / "snapshot"),
    ("arxiv", DATA / "arxiv" / "sample-cs.AR.tsv.xz"),
    ("arxiv", DEMO / "arxiv-seed.atom.xml"),
    ("ror", DATA / "ror"),
    ("orcid", DATA / "orcid"),
    ("dblp", DATA / "dblp"),
    ("acl", DATA / "acl"),
    ("crossref", DATA / "crossref"),
)


def work(provider: str, record_id: str, title: str, *names: str, **fields: Any) -> WorkRecord:
    authorships = tuple(AuthorshipRecord(raw_name=name) for name in names)
    return WorkRecord(
        provider=provider, record_id=record_id, type="article", title=title, authorships=authorships,
        **{"identifiers": ((provider, record_id),), "publication_year": 2020} | fields,
    )  # fmt: skip


class OrderTests(TransactionTestCase):
    def test_every_provider_in_any_order_ends_in_the_same_state(self) -> None:
        hashes = []
        for files in (FILES, FILES[::-1], FILES[4:] + FILES[:4]):
            empty_catalogue()
            for provider, path in files:
                ingest(provider, [str(path)])
                call_command("rebuild", verbosity=0)
            call_command("ingest", "resolve", "--all", verbosity=0)
            hashes.append(state_hash())
            self.assertEqual([check for check in checks() if check.wrong], [])
        self.assertEqual(hashes[1], hashes[0])
        self.assertEqual(hashes[2], hashes[0])

    def test_a_doi_that_two_works_claim_goes_to_the_same_in_any_order(self) -> None:
        claims = [
            work("openalex", "W1", "The first of two works that share", "Ann Smith", identifiers=(("openalex", "W1"), ("doi", "10.1/x"))),
            work("openalex", "W2", "Nothing in common with the other", "Bo Jones", identifiers=(("openalex", "W2"), ("doi", "10.1/x"))),
        ]  # fmt: skip
        holders = set()
        for order in itertools.permutations(claims):
            empty_catalogue()
            for record in order:
                store("openalex", [record], [""])
            rederive_works()
            holder = WorkIdentifier.objects.get(scheme="doi").work
            holders.add(holder.records.get().record_id)
        self.assertEqual(holders, {"W1"})


class WorkTests(TestCase):
    LONG = "A sufficiently long title about counting sheep"

    def works(self) -> set[frozenset[str]]:
        """Return which records are one work."""
        return {frozenset(work.records.values_list("record_id", flat=True)) for work in Work.objects.all()}

    def test_works_that_an_older_version_joined_are_parted(self) -> None:
        wrong = work(
            "openalex",
            "W1",
            self.LONG,
            "Ann Smith",
            identifiers=(("openalex", "W1"), ("arxiv", "2001.00001")),
        )
        store("openalex", [wrong], [""])
        store("arxiv", [work("arxiv", "2001.00001", "Something else altogether", "Bo Jones")], [""])
        self.assertEqual(self.works(), {frozenset({"W1", "2001.00001"})})
        right = work("openalex", "W1", self.LONG, "Ann Smith", observed_at=work_time(2025))
        store("openalex", [right], [""])
        self.assertEqual(rederive_works().split, 1)
        self.assertEqual(self.works(), {frozenset({"W1"}), frozenset({"2001.00001"})})

    def test_works_that_came_apart_are_joined_and_the_old_address_leads_on(self) -> None:
        first = work("openalex", "W1", self.LONG, "Ann Smith", "Bo Jones")
        store("openalex", [first], [""])
        second = work(
            "crossref", "10.1234/x", self.LONG, "Ann Smith", "Bo Jones", identifiers=(("doi", "10.1234/x"),)
        )
        store("crossref", [second], [""])
        self.assertEqual(len(self.works()), 1)
        self.assertEqual(rederive_works().joined, 0)

    def test_a_second_pass_changes_nothing(self) -> None:
        ingest("openalex", [str(DATA / "openalex" / "snapshot")])
        rederive_works()
        rederive_entities()
        before = state_hash()
        self.assertEqual(rederive_works()[1:], (0, 0))
        rederive_entities()
        self.assertEqual(state_hash(), before)


class EntityTests(TestCase):
    def mention(
        self, number: int, *, institution: InstitutionRef | None = None, source: SourceRef | None = None
    ) -> WorkRecord:
        line = AuthorshipRecord(raw_name="Ann Smith", institutions=(institution,) if institution else ())
        return WorkRecord(
            provider="openalex", record_id=f"W{number}", type="article", title=f"Title number {number} of many",
            identifiers=(("openalex", f"W{number}"),), authorships=(line,), source=source,
        )  # fmt: skip

    def test_two_rows_become_one_where_a_record_names_both_identifiers(self) -> None:
        store("openalex", [self.mention(1, institution=InstitutionRef("Here", openalex="I1"))], [""])
        store("openalex", [self.mention(2, institution=InstitutionRef("There", ror="05wvpxv85"))], [""])
        store(
            "openalex",
            [self.mention(3, institution=InstitutionRef("Here", openalex="I1", ror="05wvpxv85"))],
            [""],
        )
        self.assertEqual(Institution.objects.count(), 2)
        rederive_entities()
        institution = Institution.objects.get()
        self.assertEqual((institution.display_name, institution.ror), ("Here", "05wvpxv85"))
        self.assertEqual(Redirect.objects.get(kind="institution").new_pid, institution.pid)
        self.assertEqual(Work.objects.filter(authorships__institutions=institution).count(), 3)

    def test_a_source_has_the_name_that_most_works_give_it(self) -> None:
        for number, name in enumerate(("nature", "Nature", "Nature"), 1):
            store("openalex", [self.mention(number, source=SourceRef(name, openalex="S1"))], [""])
        self.assertEqual(Source.objects.get().display_name, "nature")
        rederive_entities()
        self.assertEqual(Source.objects.get().display_name, "Nature")

    def test_what_no_work_mentions_any_more_is_dropped(self) -> None:
        store("openalex", [self.mention(1, source=SourceRef("Old", openalex="S1"))], [""])
        newer = self.mention(1, source=SourceRef("New", openalex="S2"))
        store("openalex", [msgspec.structs.replace(newer, observed_at=work_time(2025))], [""])
        rederive_entities()
        self.assertEqual(list(Source.objects.values_list("display_name", flat=True)), ["New"])


def work_time(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)
