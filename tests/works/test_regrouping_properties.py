"""Whatever is merged, divided, imported and taken back, in whatever order: nothing is lost, nothing doubled."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.works.regrouped import LATER, bring, owners, paper, state, work_off, wrong
from works.models import Author, Authorship, Regrouping, SourceRecord, Work
from works.queries import record_by_pid
from works.services.regrouping import (
    Refused,
    merge_authors,
    merge_works,
    redo,
    split_author,
    split_work,
    undo,
)
from works.services.regrouping.replay import Event, path, roots, seats
from works.services.regrouping.replay import owners as owners_of
from works.services.resolve import resolve_all

# Nothing is shrunk: a step takes a tenth of a second, and shrinking takes thousands.
BOUNDS: Any = {
    "deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
}  # fmt: skip
NUMBER = st.integers(0, 40)
STEPS = st.lists(
    st.tuples(st.sampled_from(["merge", "merge", "split", "undo", "redo", "import", "resolve"]), NUMBER, NUMBER), min_size=2, max_size=6
)  # fmt: skip


class RegroupedTestCase(TestCase):
    PAPERS = (
        paper(1, "Wei Wang", "Ann Lee", "Dan Fox"), paper(2, "Wei Wang", "Ann Lee", "Dan Fox"),
        paper(3, "Wei Wang", "Bea Poe"), paper(4, "Wei Wang", "Bea Poe"), paper(5, "Wei Wang", "Cleo Roe"),
    )  # fmt: skip

    def setUp(self) -> None:
        bring(*self.PAPERS)
        self.first = state()
        self.made: list[Regrouping] = []

    def check(self) -> None:
        """What holds after every step."""
        work_off()
        self.assertEqual(wrong(), [])
        lines = owners()
        self.assertEqual(len(lines), Authorship.objects.count())
        self.assertFalse(Authorship.objects.filter(author=None).exists())
        self.assertFalse(
            [pair for pair, n in Counter(Authorship.objects.values_list("work", "author")).items() if n > 1]
        )
        for author in Author.objects.all():
            found = record_by_pid(Author.objects.all(), author.pid)
            self.assertTrue(found and found.merged_into_id is None, author)
            self.assertIn(author.merged_into_id, {None, found and found.pk})

    def undo_all(self, order: list[int]) -> None:
        standing = [event for event in Regrouping.objects.all() if not event.is_undone]
        for event in sorted(standing, key=lambda event: order[event.pk % len(order)] if order else 0):
            undo(regrouping=event)
        self.check()

    def step(self, kind: str, one: int, other: int) -> None:
        events = list(Regrouping.objects.order_by("pk"))
        try:
            if kind in {"undo", "redo"} and events:
                (undo if kind == "undo" else redo)(regrouping=events[one % len(events)])
            elif kind == "import":
                coauthors = (("Ann Lee", "Dan Fox"), ("Bea Poe",), ("Cleo Roe",))[one % 3]
                number = 1 + other % 5 if other % 2 else 10 + other
                names = (
                    ("Ann Lee", "Dan Fox"),
                    ("Ann Lee", "Dan Fox"),
                    ("Bea Poe",),
                    ("Bea Poe",),
                    ("Cleo Roe",),
                )
                bring(paper(number, "Wei Wang", *(names[number - 1] if number < 10 else coauthors), observed_at=LATER, language="en"))  # fmt: skip
            elif kind == "resolve":
                resolve_all()
            else:
                self.regroup(kind, one, other)
        except Refused as refusal:
            self.assertRegex(str(refusal), r"^[A-Z].+\.$")

    def regroup(self, kind: str, one: int, other: int) -> None:
        raise NotImplementedError


class AuthorProperties(RegroupedTestCase):
    def regroup(self, kind: str, one: int, other: int) -> None:
        people = list(Author.objects.filter(display_name="Wei Wang", merged_into=None).order_by("pk"))
        author = people[one % len(people)]
        if kind == "merge":
            merge_authors(author=author, other=people[other % len(people)])
        else:
            works = list(
                Authorship.objects.filter(author=author).order_by("work").values_list("work", flat=True)
            )
            split_author(author=author, works=works[: other % max(1, len(works))], name="Wei Wang")

    @settings(max_examples=15, **BOUNDS)
    @given(STEPS, st.lists(NUMBER, min_size=7, max_size=7))
    def test_nothing_is_lost_and_everything_can_be_taken_back(self, steps: Any, order: list[int]) -> None:
        for step in steps:
            self.step(*step)
            self.check()
            decided = {
                key: author
                for key, author in owners().items()
                if Author.objects.get(pk=author).decisions.exists()
            }
            resolve_all()
            now = owners()
            self.assertEqual({key: now[key] for key in decided}, decided)  # what people decided stands
        self.undo_all(order)
        now, first = state(), self.first
        self.assertEqual({key: now["owners"][key] for key in first["owners"]}, first["owners"])
        self.assertEqual(
            {pk: row[:3] for pk, row in now["authors"].items() if pk in first["authors"]},
            {pk: row[:3] for pk, row in first["authors"].items()},
        )
        if not {"import"} & {step[0] for step in steps}:
            self.assertEqual(
                {pk: row for pk, row in now["authors"].items() if pk in first["authors"]}, first["authors"]
            )


class WorkProperties(RegroupedTestCase):
    # No two people of one name: works that are joined are evidence, by which resolution may find that two are one.
    PAPERS = (
        paper(1, "Eli Stark", "Ann Lee", "Dan Fox"), paper(2, "Eli Stark", "Ann Lee", "Dan Fox"),
        paper(3, "Bea Poe", "Gil Hay"), paper(4, "Bea Poe"), paper(5, "Cleo Roe"),
    )  # fmt: skip

    def setUp(self) -> None:
        super().setUp()
        ids: Any = (("doi", "10.1234/six"),)
        title = "A sufficiently long title about counting sheep"
        bring(paper(6, "Eve Moon", "Fay Sun", title=title, identifiers=(("openalex", "W6"), *ids)))
        bring(
            paper(
                7,
                "Eve Moon",
                "Fay Sun",
                title=title,
                provider="crossref",
                record_id="10.1234/six",
                identifiers=ids,
            )
        )
        self.first = state()

    def regroup(self, kind: str, one: int, other: int) -> None:
        works = list(Work.objects.order_by("pk"))
        work = works[one % len(works)]
        if kind == "merge":
            merge_works(work=work, other=works[other % len(works)])
        else:
            several = [w for w in works if w.records.count() > 1] or works
            work = several[one % len(several)]
            records = list(SourceRecord.objects.filter(work=work).order_by("pk").values_list("pk", flat=True))
            split_work(work=work, records=records[: 1 + other % len(records)])

    @settings(max_examples=15, **BOUNDS)
    @given(STEPS, st.lists(NUMBER, min_size=7, max_size=7))
    def test_nothing_is_lost_and_everything_can_be_taken_back(self, steps: Any, order: list[int]) -> None:
        steps = [step for step in steps if step[0] not in {"import", "resolve"}]
        pids = set(Work.objects.values_list("pid", flat=True))
        authors = set(Author.objects.values_list("pid", flat=True))
        for step in steps:
            self.step(*step)
            self.check()
            pids |= set(Work.objects.values_list("pid", flat=True))
            for pid in pids:
                self.assertIsNotNone(record_by_pid(Work.objects.all(), pid))
            for pid in authors:
                self.assertIsNotNone(record_by_pid(Author.objects.all(), pid))
        self.undo_all(order)
        now = state()
        self.assertEqual(now["records"], self.first["records"])
        self.assertEqual(now["owners"], self.first["owners"])
        self.assertEqual(
            {pk: row for pk, row in now["authors"].items() if pk in self.first["authors"]},
            self.first["authors"],
        )


# --- The rule itself, without a database ------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 4), st.integers(1, 4), st.sets(st.integers(0, 5)), st.booleans()), max_size=8
)  # fmt: skip


class ReplayProperties(TestCase):
    @settings(max_examples=300, **BOUNDS)
    @given(EVENTS)
    def test_an_owner_never_is_who_ended_and_taking_all_back_gives_the_base(self, drawn: Any) -> None:
        events = [
            Event(
                n,
                joins,
                kept,
                other if joins else 10 + n,
                frozenset((thing, 1 + thing % 4) for thing in things),
                stands,
            )
            for n, (joins, kept, other, things, stands) in enumerate(drawn)
            if kept != other
        ]
        found = owners_of(events)
        self.assertEqual(set(found), {thing for event in events for thing in event.things})
        ended = roots(events)
        for (thing, base), owner in found.items():
            self.assertEqual(path(thing, base, events)[-1], owner)
            self.assertTrue(owner not in ended or ended[owner] == owner or owner in ended.values())
        back = owners_of([event._replace(stands=False) for event in events])
        self.assertEqual(back, {known: known[1] for known in back})

    @settings(max_examples=300, **BOUNDS)
    @given(
        st.dictionaries(st.integers(0, 5), st.integers(1, 6), max_size=6),
        st.dictionaries(st.integers(0, 5), st.integers(1, 6), max_size=6),
        st.sets(st.integers(1, 6), max_size=3),
    )
    def test_nobody_gets_two_places_of_one_list(self, now: Any, wanted: Any, taken: set[int]) -> None:
        now = {thing: owner for owner, thing in {owner: thing for thing, owner in now.items()}.items()}
        now = {thing: owner for thing, owner in now.items() if owner not in taken}
        places = seats(now, wanted, taken)
        self.assertEqual(places.keys(), now.keys())
        self.assertEqual(len(set(places.values())), len(places))
        self.assertFalse(set(places.values()) & taken)
        self.assertTrue(all(place in {now[thing], wanted.get(thing)} for thing, place in places.items()))
