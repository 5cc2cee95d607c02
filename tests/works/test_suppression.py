"""Who asked to be hidden stays hidden, whatever is imported later."""

from datetime import UTC, datetime
from typing import Any

from django.test import TestCase

from tests.works.test_resolve import author_of, bring, work
from tests.works.test_search import index_all
from works.ingest.records import AuthorRecord, AuthorshipRecord
from works.models import Author, AuthorIdentifier, Authorship, SourceRecord
from works.services.authors import lift_suppression, suppress_author
from works.services.resolve import resolve_all

ORCID, OPENALEX = "0000-0002-1825-0097", "A5000000001"
NEWER = datetime(2026, 3, 1, tzinfo=UTC)


def line(name: str = "Josiah Carberry", **fields: Any) -> AuthorshipRecord:
    return AuthorshipRecord(name, **fields)


class HiddenTests(TestCase):
    def setUp(self) -> None:
        bring(
            work(1, line(orcid=ORCID, openalex=OPENALEX), "Ann Lee"),
            work(2, line(orcid=ORCID, openalex=OPENALEX), "Bea Poe"),
        )
        self.hidden = author_of(1)
        suppress_author(self.hidden.pk, "asked")
        self.hidden.refresh_from_db()

    def assert_hidden(self, *numbers: int | str) -> None:
        """No page shows this person: every line of theirs is of the author who is hidden."""
        self.assertEqual({author_of(number) for number in numbers}, {self.hidden})
        shown = Author.objects.public().filter(display_name__icontains="Carberry")
        self.assertEqual(list(shown), [])
        shown = Author.objects.public().filter(identifiers__value__in=[ORCID, OPENALEX])
        self.assertEqual(list(shown), [])

    def test_the_same_file_again_and_a_full_pass(self) -> None:
        bring(
            work(1, line(orcid=ORCID, openalex=OPENALEX), "Ann Lee", observed_at=NEWER),
            work(2, line(orcid=ORCID, openalex=OPENALEX), "Bea Poe", observed_at=NEWER),
        )
        self.assert_hidden(1, 2)
        resolve_all()
        self.assert_hidden(1, 2)

    def test_a_new_work_that_names_an_identifier(self) -> None:
        bring(work(3, line("J. S. Carberry", orcid=ORCID), "Somebody Else"))
        bring(work(4, line(openalex=OPENALEX)))
        bring(work(5, line(orcid=ORCID), provider="crossref", record_id="C5"))
        self.assert_hidden(1, 2, 3, 4, "C5")
        resolve_all()
        self.assert_hidden(1, 2, 3, 4, "C5")

    def test_every_work_goes_and_others_come_later(self) -> None:
        gone = {"withdrawn": True, "observed_at": NEWER}
        bring(*(work(n, **gone, title="") for n in (1, 2)))
        self.assertFalse(Authorship.objects.filter(author=self.hidden).exists())
        resolve_all()
        bring(work(3, line(orcid=ORCID), "Somebody Else"))
        self.assert_hidden(3)
        bring(work(4, line(openalex=OPENALEX), "Nobody Known"))
        resolve_all()
        self.assert_hidden(3, 4)

    def test_every_identifier_is_taken_back_and_comes_later(self) -> None:
        bring(*(work(n, line(), "Ann Lee", observed_at=NEWER) for n in (1, 2)))
        self.assert_hidden(1, 2)
        resolve_all()
        bring(work(3, line("Josiah S. Carberry", orcid=ORCID), "Somebody Else"))
        self.assert_hidden(1, 2, 3)

    def test_a_record_of_the_person_ties_another_identifier_to_theirs(self) -> None:
        person = AuthorRecord(
            provider="openalex", record_id=OPENALEX, display_name="Josiah Carberry",
            identifiers=(("openalex", OPENALEX), ("orcid", ORCID), ("scopus", "123")),
        )  # fmt: skip
        bring(person)
        self.assert_hidden(1, 2)
        resolve_all()
        self.assertEqual(AuthorIdentifier.objects.get(value=ORCID).author, self.hidden)

    def test_the_person_is_described_where_no_work_is_known(self) -> None:
        bring(*(work(n, withdrawn=True, observed_at=NEWER, title="") for n in (1, 2)))
        resolve_all()
        bring(AuthorRecord(provider="orcid", record_id=ORCID, display_name="Josiah Carberry",
                           identifiers=(("orcid", ORCID),)))  # fmt: skip
        resolve_all()
        self.assertEqual(list(Author.objects.public().filter(display_name__icontains="Carberry")), [])

    def test_a_namesake_is_somebody_else(self) -> None:
        """A name alone does not tell who it is: hiding by name would hide strangers."""
        bring(work(3, line(orcid="0000-0001-5109-3700"), "Wei Wang"))
        other = author_of(3)
        self.assertNotEqual(other, self.hidden)
        self.assertFalse(other.suppressed)

    def test_it_is_shown_again_when_the_wish_is_lifted(self) -> None:
        lift_suppression(self.hidden.pk)
        resolve_all()
        self.hidden.refresh_from_db()
        self.assertEqual((self.hidden.suppressed, author_of(1)), (False, self.hidden))


class NowhereShownTests(TestCase):
    def setUp(self) -> None:
        bring(work(1, line(orcid=ORCID), "Ann Lee", title="Cracked pots through the ages"))
        self.hidden, self.other = author_of(1), author_of(1, 1)
        self.work = SourceRecord.objects.get(record_id="W1").work
        suppress_author(self.hidden.pk, "asked")

    def test_the_page_and_what_leads_to_it_say_that_it_was_removed(self) -> None:
        page = self.client.get(self.hidden.get_absolute_url())
        self.assertContains(page, "removed", status_code=410)
        self.assertNotContains(page, "Carberry", status_code=410)
        for path in (f"/researchers/{self.hidden.pid}/", f"/orcid/{ORCID}"):
            self.assertEqual(self.client.get(path, follow=True).status_code, 410, path)

    def test_works_print_the_name_without_a_link(self) -> None:
        page = self.client.get(self.work.get_absolute_url())
        self.assertContains(page, "Josiah Carberry")
        self.assertNotContains(page, self.hidden.pid)
        self.assertNotContains(page, ORCID)
        page = self.client.get(self.other.get_absolute_url())
        self.assertNotContains(page, self.hidden.pid)

    def test_search_finds_the_work_and_not_the_person(self) -> None:
        index_all()
        for path in ("/search?q=carberry", "/search?q=carberry&type=people"):
            self.assertNotContains(self.client.get(path), self.hidden.pid)
        self.assertContains(self.client.get("/search?q=carberry&type=works"), "Cracked pots")
        self.assertEqual(self.client.get(f"/search?q={ORCID}", follow=True).status_code, 410)
