"""From author lines in the database to authors: placed, never split, obeying people, the same in any order."""

from datetime import UTC, datetime
from unittest import mock

from django.db import connection, transaction
from django.db.models import Q
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from works.ingest.load import store
from works.ingest.records import (
    AuthorRecord,
    AuthorshipRecord,
    Identifier,
    InstitutionRef,
    Record,
    WorkRecord,
)
from works.models import (
    Author,
    AuthorIdentifier,
    Authorship,
    AuthorshipDecision,
    Mark,
    SourceRecord,
    Suggestion,
    Work,
)
from works.services.authors import mark_claimed, suppress_author
from works.services.marks import drain
from works.services.resolve import distance_from_full, passes, resolve_all, resolve_works

LATER = datetime(2026, 1, 1, tzinfo=UTC)
TEAM = ("Carole-Jean Wu", "Mark Hempstead", "Hsien-Hsin S. Lee")


def work(number: int, *authors: str | AuthorshipRecord, **fields: object) -> WorkRecord:
    lines = tuple(AuthorshipRecord(a) if isinstance(a, str) else a for a in authors)
    title = fields.pop("title", f"The {number}th of many studies on the matter {number}")
    return WorkRecord(
        provider=fields.pop("provider", "openalex"), record_id=fields.pop("record_id", f"W{number}"), type="article",  # type: ignore[arg-type]
        title=title, authorships=lines, publication_year=2020, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def bring(*records: Record) -> None:
    """Import records of one provider and find who is who."""
    store(records[0].provider, records, [])
    resolve()


def resolve() -> None:
    drain(Mark.What.RESOLVE, resolve_works, batch=1000)


def author_of(number: int | str, index: int = 0) -> Author:
    record = SourceRecord.objects.get(record_id=number if isinstance(number, str) else f"W{number}")
    return Authorship.objects.get(work=record.work_id, index=index).author  # type: ignore[return-value]


def people() -> set[frozenset[tuple[str, int]]]:
    """Return the lines of each author, by what they are."""
    found: dict[int, set[tuple[str, int]]] = {}
    for author, record, index in Authorship.objects.values_list(
        "author", "work__records__record_id", "index"
    ):
        found.setdefault(author, set()).add((record, index))
    return {frozenset(lines) for lines in found.values()}


class PlacingTests(TestCase):
    def test_people_of_one_circle_are_one_author_and_strangers_are_not(self) -> None:
        bring(work(1, "Liu Ke", *TEAM), work(2, "Liu Ke", *TEAM), work(3, "Liu Ke", "Ann Lee"))
        self.assertEqual(author_of(1), author_of(2))
        self.assertNotEqual(author_of(1), author_of(3))
        self.assertFalse(Authorship.objects.filter(author=None).exists())
        self.assertEqual(author_of(1, 1).display_name, "Carole-Jean Wu")

    def test_a_new_line_goes_to_the_author_that_is_there(self) -> None:
        bring(work(1, "Liu Ke", *TEAM))
        before = author_of(1)
        bring(work(2, "Liu Ke", *TEAM))
        self.assertEqual((author_of(1), author_of(2)), (before, before))

    def test_a_pass_over_what_is_new_never_splits_an_author(self) -> None:
        bring(work(1, "Wei Wang", "Ann Lee"), work(2, "Wei Wang", "Li Na"))
        first = author_of(1)
        Authorship.objects.filter(raw_author_name="Wei Wang").update(author=first)
        bring(work(3, "Wei Wang", "Bea Poe"))
        self.assertEqual((author_of(1), author_of(2)), (first, first))
        self.assertEqual(distance_from_full()[1:], (5, 0, 1))
        resolve_all()
        self.assertNotEqual(author_of(1), author_of(2))
        self.assertEqual(distance_from_full()[1:], (6, 0, 0))

    def test_authors_are_joined_when_a_new_work_tells_that_they_are_one(self) -> None:
        orcid = "0000-0002-1825-0097"
        bring(work(1, "Josiah Carberry", "Ann Lee"), work(2, AuthorshipRecord("J. S. Carberry", orcid=orcid)))
        gone = author_of(1)
        self.assertNotEqual(gone, author_of(2))
        bring(
            work(1, AuthorshipRecord("Josiah Carberry", orcid=orcid), "Ann Lee", observed_at=LATER),
            work(3, AuthorshipRecord("Josiah Carberry", orcid=orcid)),
        )
        self.assertEqual(len({author_of(number) for number in (1, 2, 3)}), 1)
        left = {author.pk for author in (gone, author_of(2))} - {author_of(1).pk}
        for author in Author.objects.filter(pk__in=left):
            self.assertEqual(author.merged_into, author_of(1))

    def test_the_number_of_queries_does_not_depend_on_the_number_of_works(self) -> None:
        counts = []
        for number in (1, 12):
            store(
                "openalex",
                [work(10 * number + n, f"Ada {chr(97 + n)}smith", *TEAM) for n in range(number)],
                [],
            )
            with CaptureQueriesContext(
                connection,
            ) as queries:
                resolve()
            counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])

    def test_hostile_names_do_no_harm(self) -> None:
        names = (
            "J.",
            "-",
            "刘珂",
            "World Bank",
            "x" * 255,
            "'; drop table works_author; --",
            "%s %(name)s",
            "(1)",
        )
        bring(work(1, *names), work(2, *reversed(names)))
        resolve_all()
        self.assertEqual(Authorship.objects.filter(author=None).count(), 0)


class DecisionTests(TestCase):
    def test_claimed_authors_are_suggested_for_joining_and_never_joined(self) -> None:
        bring(work(1, "Udit Gupta", "Ann Lee"), work(2, "Udit Gupta", "Bea Poe"))
        ours, theirs = author_of(1), author_of(2)
        self.assertNotEqual(ours, theirs)
        mark_claimed(ours.pk)
        bring(work(3, "Udit Gupta", "Ann Lee", "Bea Poe", *TEAM), work(4, "Udit Gupta", "Bea Poe", *TEAM))
        for _ in range(2):
            self.assertEqual((author_of(1), author_of(2)), (ours, theirs))
            suggestion = Suggestion.objects.get(author_a=ours, author_b=theirs)
            self.assertIn("so only people may join them", suggestion.reason)
            resolve_all()

    def test_a_claimed_author_gets_new_works(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM))
        mark_claimed(author_of(1).pk)
        bring(work(2, "Udit Gupta", *TEAM))
        self.assertEqual(author_of(1), author_of(2))

    def test_a_hidden_author_keeps_their_lines_and_gets_new_ones(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM))
        hidden = author_of(1)
        suppress_author(hidden.pk, "asked for it")
        bring(work(2, "Udit Gupta", *TEAM))
        resolve_all()
        self.assertEqual((author_of(1), author_of(2)), (hidden, hidden))

    def test_not_mine_takes_the_line_away_for_ever(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM), work(2, "Udit Gupta", *TEAM), work(3, "Udit Gupta", *TEAM))
        author = author_of(1)
        AuthorshipDecision.objects.create(
            author=author, work=Work.objects.get(records__record_id="W3"), is_theirs=False
        )
        for again in (
            lambda: bring(work(3, "Udit Gupta", *TEAM, observed_at=LATER)),
            resolve_all,
            lambda: bring(work(4, "Udit Gupta", *TEAM)),
        ):
            again()
            self.assertEqual((author_of(1), author_of(2)), (author, author))
            self.assertNotEqual(author_of(3), author)

    def test_not_mine_of_the_only_work_leaves_the_author_in_place(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM))
        author = author_of(1)
        AuthorshipDecision.objects.create(author=author, work=Work.objects.get(), is_theirs=False)
        with transaction.atomic():
            resolve_works(list(Work.objects.values_list("pk", flat=True)))
        author.refresh_from_db()
        self.assertNotEqual(author_of(1), author)
        self.assertIsNone(author.merged_into)

    def test_mine_pins_the_line_that_fits_best(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM), work(2, "Ann Lee", "U. Gupta"))
        author = author_of(1)
        self.assertNotEqual(author_of(2, 1), author)
        AuthorshipDecision.objects.create(
            author=author, work=Work.objects.get(records__record_id="W2"), is_theirs=True
        )
        for _ in range(2):
            resolve_all()
            self.assertEqual((author_of(1), author_of(2, 1)), (author, author))

    def test_suggestions_are_few_and_say_why(self) -> None:
        tufts = InstitutionRef("Tufts University", ror="05wvpxv85")
        there = AuthorshipRecord("Liu Ke", institutions=(tufts,))
        bring(*(work(n, there, f"{chr(65 + n)}eta Quux{chr(97 + n)}ley") for n in range(8)))
        authors = Author.objects.filter(authorships__raw_author_name="Liu Ke").distinct()
        self.assertEqual(authors.count(), 8)
        counts = [
            Suggestion.objects.filter(Q(author_a=author) | Q(author_b=author)).count() for author in authors
        ]
        self.assertTrue(0 < max(counts) <= 3, counts)
        reason = Suggestion.objects.earliest("pk").reason
        self.assertRegex(reason, r"^The same name; 1 institution in common; evidence .* join them\.$")


class IdentifierTests(TestCase):
    ORCID = "0000-0002-1825-0097"

    def holder(self, scheme: str, value: str) -> Author | None:
        found = AuthorIdentifier.objects.filter(scheme=scheme, value=value).first()
        return found and found.author

    def test_an_identifier_tells_which_record_gave_it(self) -> None:
        bring(work(1, AuthorshipRecord("Josiah Carberry", orcid=self.ORCID)))
        identifier = AuthorIdentifier.objects.get()
        self.assertEqual((identifier.author, identifier.record.record_id), (author_of(1), "W1"))  # type: ignore[union-attr]

    def test_an_identifier_that_a_source_took_back_goes(self) -> None:
        bring(work(1, AuthorshipRecord("Josiah Carberry", orcid=self.ORCID), "Ann Lee"))
        bring(
            work(
                1,
                "Josiah Carberry",
                "Ann Lee",
                observed_at=LATER,
                title="The same, but of a kind that is fuller",
            )
        )
        self.assertFalse(Authorship.objects.exclude(orcid="").exists())
        self.assertIsNone(self.holder("orcid", self.ORCID))

    def test_what_an_author_record_says_stands_without_any_line(self) -> None:
        described = AuthorRecord(
            provider="openalex",
            record_id="A5023888391",
            identifiers=(("orcid", self.ORCID),),
            display_name="Josiah Carberry",
        )
        bring(described)
        bring(
            work(1, AuthorshipRecord("J. Carberry", openalex="A5023888391")),
            work(2, AuthorshipRecord("Josiah Carberry", orcid=self.ORCID)),
        )
        self.assertEqual(author_of(1), author_of(2))
        self.assertEqual(self.holder("openalex", "A5023888391"), author_of(1))
        bring(work(1, "J. Carberry", observed_at=LATER), work(2, "Josiah Carberry", observed_at=LATER))
        self.assertIsNotNone(self.holder("orcid", self.ORCID))

    def test_one_typed_on_two_people_stays_with_who_has_it_more_often(self) -> None:
        lines = [AuthorshipRecord(name, orcid=self.ORCID) for name in ("Junyu Lu", "Zewen Bai")]
        bring(work(1, lines[0]), work(2, lines[0]), work(3, lines[1]))
        self.assertNotEqual(author_of(1), author_of(3))
        self.assertEqual(self.holder("orcid", self.ORCID), author_of(1))
        # Only one of the two is looked at now.
        bring(work(4, "Zewen Bai", "Ann Lee"))
        self.assertEqual(self.holder("orcid", self.ORCID), author_of(1))


class ByNameTests(TestCase):
    """People of whom the Anthology's list says under which names they wrote."""

    ABNEY = AuthorRecord(
        provider="acl", record_id="steven-abney", identifiers=(("acl", "steven-abney"),), display_name="Steven Abney",
        names=("Steve Abney", "Steven P. Abney"),
    )  # fmt: skip

    def papers(self) -> list[WorkRecord]:
        def paper(number: int, *authors: str) -> WorkRecord:
            identifier: Identifier = ("acl", f"P19-100{number}")
            return work(number, *authors, provider="acl", record_id=identifier[1], identifiers=(identifier,))

        return [paper(1, "Steven Abney", "Ann Lee"), paper(2, "Steve Abney"), paper(3, "Bea Poe")]

    def test_the_record_and_the_bearers_of_its_names_are_one_author(self) -> None:
        bring(self.ABNEY, *self.papers())
        self.assertEqual(author_of("P19-1001"), author_of("P19-1002"))
        self.assertEqual(AuthorIdentifier.objects.get(value="steven-abney").author, author_of("P19-1001"))
        self.assertFalse(Author.objects.public().filter(authorships=None).exists())

    def test_of_two_bearers_of_one_name_neither_is_taken(self) -> None:
        first, second, third = self.papers()
        homonym = work(
            4, "Steven Abney", provider="acl", record_id="P19-1004", identifiers=(("acl", "P19-1004"),)
        )
        bring(self.ABNEY, first, second, third, homonym)
        self.assertNotEqual(author_of("P19-1001"), author_of("P19-1004"))
        self.assertNotEqual(author_of("P19-1001"), author_of("P19-1002"))
        self.assertFalse(AuthorIdentifier.objects.get(value="steven-abney").author.authorships.exists())

    def test_it_is_found_again_by_a_full_pass(self) -> None:
        bring(*self.papers())
        bring(self.ABNEY)
        resolve_all()
        self.assertEqual(author_of("P19-1001"), author_of("P19-1002"))
        self.assertEqual(AuthorIdentifier.objects.get().author, author_of("P19-1001"))
        self.assertEqual(distance_from_full()[2:], (0, 0))


class GhostTests(TestCase):
    def test_an_author_who_lost_every_line_to_another_leads_there(self) -> None:
        bring(work(1, "Udit Gupta", *TEAM), work(2, "Udit Gupta", "Ann Lee"))
        kept, gone = author_of(1), author_of(2)
        self.assertNotEqual(kept, gone)
        bring(work(2, "Udit Gupta", "Ann Lee", *TEAM), work(3, "Udit Gupta", "Ann Lee", *TEAM))
        self.assertEqual(author_of(1), author_of(2))
        self.assertEqual(
            {Author.objects.get(pk=author.pk).merged_into for author in (kept, gone)}, {None, author_of(1)}
        )

    def test_an_author_of_whom_nothing_is_left_goes(self) -> None:
        bring(work(1, "Udit Gupta", "Ann Lee"))
        gone = author_of(1)
        claimed = author_of(1, 1)
        mark_claimed(claimed.pk)
        bring(
            work(1, "Bea Poe", "Cleo Roe", title="The same, with the right names upon it", observed_at=LATER)
        )
        self.assertFalse(Author.objects.filter(pk=gone.pk).exists())
        self.assertTrue(Author.objects.filter(pk=claimed.pk).exists())


class FullPassTests(TestCase):
    def records(self) -> list[WorkRecord]:
        orcid = "0000-0002-1825-0097"
        return [
            work(1, "Liu Ke", *TEAM),
            work(2, "Liu Ke", "Udit Gupta", "Ann Lee"),
            work(3, "Ke Liu", "Udit Gupta", "Ann Lee", *TEAM),
            work(4, "Wei Wang", "Liu Ke", "Udit Gupta"),
            work(5, "Wei Wang", "Bea Poe"),
            work(6, "W. Wang", "Liu Ke", "Udit Gupta"),
            work(7, AuthorshipRecord("J. Carberry", orcid=orcid), "Udit Gupta"),
            work(8, AuthorshipRecord("Josiah Carberry", orcid=orcid), "Ann Lee"),
            work(9, "Josiah Carberry", "Udit Gupta", "Bea Poe"),
            work(10, "Wei Wang", "Wei Wang"),
        ]

    def test_the_order_of_imports_does_not_matter(self) -> None:
        found = []
        for order in (range(10), reversed(range(10)), (4, 9, 0, 7, 2, 8, 1, 6, 3, 5)):
            with transaction.atomic():
                for place in order:
                    bring(self.records()[place])
                resolve_all()
                found.append((people(), set(AuthorIdentifier.objects.values_list("scheme", "value"))))
                transaction.set_rollback(True)
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])

    def test_a_second_full_pass_changes_nothing(self) -> None:
        bring(*self.records())
        resolve_all()
        before = (
            dict(Authorship.objects.values_list("pk", "author")),
            set(Suggestion.objects.values_list("author_a", "author_b", "reason")),
        )
        done = resolve_all()
        self.assertEqual(done.moved, 0)
        self.assertEqual(
            before,
            (
                dict(Authorship.objects.values_list("pk", "author")),
                set(Suggestion.objects.values_list("author_a", "author_b", "reason")),
            ),
        )
        self.assertEqual(
            str(done), f"{done.lines} author lines are {done.people} people; 0 lines changed their author."
        )

    def test_works_that_no_line_is_new_in_are_left_alone(self) -> None:
        bring(*self.records())
        Mark.objects.all().delete()
        with transaction.atomic():
            resolve_works(list(Work.objects.values_list("pk", flat=True)[:2]))
        self.assertFalse(Mark.objects.exists())

    def test_a_collection_too_large_to_be_read_at_once_is_judged_in_parts(self) -> None:
        bring(*self.records())
        resolve_all()
        at_once = people()
        with mock.patch.object(passes, "PART", 6):  # a bound, not our code
            resolve_all()
            self.assertLessEqual(distance_from_full().split, 2)
        self.assertFalse(Authorship.objects.filter(author=None).exists())
        together = {line for group in at_once for line in group}
        self.assertEqual({line for group in people() for line in group}, together)

    def test_it_leaves_no_work_still_to_be_resolved(self) -> None:
        store("openalex", self.records(), [])
        resolve_all()
        self.assertFalse(Mark.objects.filter(what=Mark.What.RESOLVE).exists())
        self.assertFalse(Authorship.objects.filter(author=None).exists())

    def test_an_empty_catalogue_has_nobody(self) -> None:
        self.assertEqual(resolve_all(), (0, 0, 0))
        self.assertEqual(distance_from_full(), (0, 0, 0, 0))
        self.assertIn("would join 0", str(distance_from_full()))
