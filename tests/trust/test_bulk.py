"""The whole table at once gives exactly what the formula gives record by record."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bzpeer.lib.sql import copy_rows, execute, query
from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author, make_institution, make_work
from tests.trust.records import describe_author, give_record
from trust import bulk
from trust.algorithms import FORMULAS, LEDGER_RULES, V1, Facts, Formula, LedgerFact, Part, score
from trust.bulk import preview_scores, recompute_scores, score_facts
from trust.facts import read_facts
from trust.models import Evidence, TrustChange, TrustScore
from trust.services import end_evidence, freeze_score, record_evidence, rescore_authors
from works.models import Author, AuthorshipInstitution

NOW = datetime(2026, 11, 22, 9, 30, 0, 120, tzinfo=UTC)
DEAR = replace(
    V1,
    version=2,
    rules=tuple(
        replace(rule, each=3) if rule.key == "each_work" else replace(rule, label=f"{rule.label}, anew") for rule in V1.rules
    ),
)  # fmt: skip

moments = st.datetimes(
    datetime(2024, 1, 1), datetime(2026, 11, 22), timezones=st.just(UTC)
) | st.sampled_from([NOW - timedelta(days=365), NOW - timedelta(days=1), NOW])
ledger_facts = st.builds(
    LedgerFact,
    kind=st.sampled_from([*LEDGER_RULES, "self_asserted"]),
    source=st.sampled_from(["ORCID", "moderator", "Zoé", "ÉNS", "a", "B", "中文"]),
    observed_at=moments,
    expires_at=st.none()
    | st.sampled_from([NOW, NOW + timedelta(days=1), NOW + timedelta(days=90)])
    | moments,
    asserted_by=st.sampled_from(["", "", "author:1", "author:2", "author:10", "institution:3"]),
    meets_route=st.booleans(),
)
facts = st.builds(
    Facts,
    works_with_id=st.integers(0, 8) | st.integers(0, 90_000),
    works_source=st.sampled_from(["", "DOI", 'arXiv, "x" \\ é']),
    works_seen_at=st.none() | moments,
    close_collaborators=st.integers(0, 9),
    ror_affiliation=st.sampled_from(["", "Tufts University, stated by arXiv"]),
    ror_seen_at=st.none() | moments,
    ledger=st.lists(ledger_facts, max_size=25).map(tuple),
)

COLUMNS = (
    "author_id bigint, works bigint, works_source text, seen_at timestamptz, close bigint, ror text,"
    " ror_seen_at timestamptz"
)
LEDGER = "as_id bigint, kind text, source text, observed_at timestamptz, expires_at timestamptz, asserted_by text, meets_route bool"


def names(columns: str) -> list[str]:
    return [column.split()[0] for column in columns.split(", ")]


def scores_of(many: list[Facts], formula: Formula) -> dict[int, tuple[Any, ...]]:
    """Return what SQL makes of facts, by their number."""
    execute(f"create temporary table bulk_facts ({COLUMNS}) on commit drop")
    execute(f"create temporary table bulk_ledger ({LEDGER}) on commit drop")
    copy_rows(
        "bulk_facts",
        names(COLUMNS),
        [
            (
                number, one.works_with_id, one.works_source, one.works_seen_at, one.close_collaborators,
                one.ror_affiliation, one.ror_seen_at,
            )
            for number, one in enumerate(many)
        ],
    )  # fmt: skip
    copy_rows(
        "bulk_ledger",
        names(LEDGER),
        [
            (number, row.kind, row.source, row.observed_at, row.expires_at, row.asserted_by, row.meets_route)
            for number, one in enumerate(many)
            for row in one.ledger
        ],
    )
    score_facts(NOW, formula)
    rows = {
        number: (value, level, json.loads(parts), moment)
        for number, value, level, parts, moment in query("select * from bulk_score")
    }
    execute("drop table bulk_facts, bulk_ledger")
    return rows


def as_row(found: Any) -> tuple[int, int, list[Part], datetime | None]:
    return found.value, found.level, found.parts, found.next_change_at


class SameAsPureTests(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(facts, min_size=1, max_size=40), st.sampled_from([1, 2]))
    def test_sql_gives_every_record_what_the_pure_formula_gives(
        self, many: list[Facts], version: int
    ) -> None:
        formula = {1: V1, 2: DEAR}[version]
        found = scores_of(many, formula)
        self.assertEqual(len(found), len(many))
        for number, one in enumerate(many):
            self.assertEqual(found[number], as_row(score(one, NOW, formula)), one)

    def test_every_way_to_tell_levels_has_its_sql(self) -> None:
        self.assertLessEqual({formula.levels for formula in FORMULAS.values()}, set(bulk.LEVEL_SQL))


def make_world(dice: random.Random) -> list[Author]:
    """Return people with works, records, places and lines of every kind, some of them merged or frozen."""
    people = [make_author(f"Person {number}") for number in range(40)]
    places = [make_institution(f"Place {n}", ror=f"0{n}abcde12" if n % 2 else "") for n in range(4)]
    for number in range(50):
        few = dice.sample(people, dice.choice([1, 2, 3, 5, 12]))
        work = make_work(
            f"Work {number}", authors=few, arxiv=f"2001.{number:05}", institution=dice.choice([None, *places])
        )
        if dice.random() < 0.8:
            payload = {"withdrawn": True} if dice.random() < 0.1 else {}
            give_record(work, dice.choice(["arxiv", "crossref", "openalex", "bibtex", "orcid"]), **payload)
        if dice.random() < 0.3:
            AuthorshipInstitution.objects.filter(authorship__work=work).update(matched=True)
    for person in dice.sample(people, 8):
        told = {"asserted_by": "Place 1"} if dice.random() < 0.5 else {}
        describe_author(
            person,
            dice.choice(["orcid", "openalex"]),
            f"id-{person.pk}",
            {"institution": {"display_name": "Place 1", "ror": "01abcde12"}, **told},
        )
    now = timezone.now()
    for number in range(160):
        kind = dice.choice(list(LEDGER_RULES))
        line = record_evidence(
            author_id=dice.choice(people[:15]).pk,
            kind=Evidence.Kind(kind),
            source=dice.choice(["ORCID", "moderator"]),
            event_key=f"world:{number}",
            observed_at=now - timedelta(days=dice.randrange(800)),
            expires_at=now + timedelta(days=dice.randrange(-50, 200)) if dice.random() < 0.4 else None,
            asserted_by_author_id=dice.choice(people).pk if "coauthor" in kind or kind == "vouch" else None,
            asserted_by_institution_id=places[1].pk if kind == "affiliation_asserted" else None,
            meets_route=dice.random() < 0.6,
        )
        if dice.random() < 0.2:
            end_evidence(line, "it ended")
    rebuild_collaborations([person.pk for person in people])
    for person in dice.sample(people, 5):
        into = dice.choice([one for one in people if one.merged_into_id is None and one != person])
        if not Author.objects.filter(merged_into=person).exists():
            Author.objects.filter(pk=person.pk).update(merged_into=into)
            person.merged_into = into
    return people


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class WholeTableTests(TestCase):
    maxDiff = None

    def test_random_records_get_the_same_scores_in_bulk_as_one_by_one(self) -> None:
        for seed in range(4):
            with self.subTest(seed=seed), undone():
                make_world(random.Random(seed))
                at = timezone.now()
                ids = list(Author.objects.filter(merged_into=None).values_list("pk", flat=True))
                expected = {key: as_row(score(known, at)) for key, known in read_facts(ids).items()}
                authors, changed = recompute_scores(batch=7, at=at)
                self.assertEqual((authors, set(expected)), (len(ids), set(ids)))
                for row in TrustScore.objects.all():
                    self.assertEqual(as_row(row), expected[row.pk])
                self.assertEqual(changed, len(ids))

    def test_a_second_run_changes_nothing_and_neither_does_the_way_of_the_marks(self) -> None:
        people = make_world(random.Random(9))
        at = timezone.now()
        recompute_scores(at=at)
        before = list(Author.objects.order_by("pk").values_list("pk", "version"))
        told = TrustChange.objects.count()
        self.assertEqual(recompute_scores(at=at)[1], 0)
        rescore_authors([person.pk for person in people], at)
        self.assertEqual(list(Author.objects.order_by("pk").values_list("pk", "version")), before)
        self.assertEqual(TrustChange.objects.count(), told)

    def test_a_frozen_score_stays(self) -> None:
        ada = make_author("Ada Smith")
        freeze_score(ada.pk)
        give_record(make_work(authors=[ada]))
        recompute_scores()
        self.assertEqual(TrustScore.objects.get(author=ada).value, 0)

    def test_a_preview_writes_nothing_and_tells_whose_level_would_change(self) -> None:
        ada, bob, hidden = (
            make_author("Ada Smith"),
            make_author("Bob Stone"),
            make_author("C", suppressed=True),
        )
        rescore_authors([ada.pk, bob.pk, hidden.pk])
        for author in (ada, hidden):
            give_record(make_work(authors=[author]))
        before = list(TrustScore.objects.order_by("pk").values())
        make_author("Nobody looked yet")
        found = preview_scores(formula=V1, batch=2)
        self.assertEqual((found.authors, found.first, found.values), (4, 1, 2))
        self.assertEqual(dict(found.levels), {(0, 1): 2})
        self.assertEqual(found.rows, [(ada.pid, "Ada Smith", 0, 1, 0, 7), (hidden.pid, "", 0, 1, 0, 7)])
        self.assertEqual(preview_scores(formula=V1, most=1, batch=2).rows, found.rows[:1])
        self.assertEqual(list(TrustScore.objects.order_by("pk").values()), before)
