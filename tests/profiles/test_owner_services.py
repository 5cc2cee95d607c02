import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from django.db import connection
from django.test import TestCase
from django.utils import timezone

from profiles.exceptions import ChangedSince, ClaimError, OwnerError, TooMany
from profiles.models import By, Change, Claim, Researcher, ResearcherLink, ShownWork
from profiles.services import (
    claims,
    owner_history,
    owner_links,
    owner_names,
    owner_photo,
    owner_works,
    pages,
)
from tests.factories import make_author, make_claimed, make_work
from tests.profiles.pictures import picture
from works.models import Author, Authorship, AuthorshipDecision, Mark, NameOverride, Work
from works.services.counts import refresh_authors

Kind = Change.Kind


class OwnerTestCase(TestCase):
    def setUp(self) -> None:
        self.researcher = make_claimed("Alice Ngata")
        self.author = self.researcher.author
        self.coauthor = make_author("Bob Stone")
        self.works = [
            make_work(f"Work {year}", authors=[self.author, self.coauthor], year=year)
            for year in (2019, 2020, 2021)
        ]
        refresh_authors([self.author.pk])

    def undo(self, change: Change | None, **options: bool) -> Change:
        assert change
        return owner_history.undo(researcher=self.researcher, change=change, **options)

    def again(self) -> Researcher:
        return Researcher.objects.get(pk=self.researcher.pk)


class ValueTests(OwnerTestCase):
    def test_a_text_is_written_down_and_can_be_undone(self) -> None:
        version = Author.objects.get(pk=self.author.pk).version
        change = pages.set_bio(researcher=self.researcher, bio=" I count. ")
        assert change
        self.assertEqual(
            (self.again().bio, change.before, change.after), ("I count.", {"bio": ""}, {"bio": "I count."})
        )
        self.assertEqual(
            (change.by, change.actor, change.author), (By.OWNER, self.researcher.user, self.author)
        )
        self.assertGreater(Author.objects.get(pk=self.author.pk).version, version)
        undone = self.undo(change)
        self.assertEqual((self.again().bio, undone.undoes, undone.after), ("", change, {"bio": ""}))
        with self.assertRaisesMessage(OwnerError, "undone already"):
            self.undo(change)

    def test_what_stands_so_already_is_no_change(self) -> None:
        self.assertIsNotNone(pages.set_bio(researcher=self.researcher, bio="x"))
        self.assertIsNone(pages.set_bio(researcher=self.researcher, bio="x"))
        self.assertEqual(Change.objects.count(), 1)

    def test_an_undo_touches_no_later_change_unless_it_is_told_to(self) -> None:
        first = pages.set_bio(researcher=self.researcher, bio="one")
        pages.set_shows_number(researcher=self.researcher, shows=False)
        pages.set_bio(researcher=self.researcher, bio="two")
        with self.assertRaises(ChangedSince):
            self.undo(first)
        self.assertEqual(self.again().bio, "two")
        restored = self.undo(first, restore=True)
        self.assertEqual((self.again().bio, restored.before), ("", {"bio": "two"}))
        self.assertFalse(self.again().shows_number, "another change stays")

    def test_an_undo_can_be_undone(self) -> None:
        first = pages.set_bio(researcher=self.researcher, bio="one")
        self.undo(self.undo(first))
        self.assertEqual(self.again().bio, "one")

    def test_nobody_undoes_changes_of_other_pages(self) -> None:
        other = make_claimed("Dora Lund")
        change = pages.set_bio(researcher=other, bio="mine")
        with self.assertRaises(OwnerError):
            self.undo(change)
        self.assertEqual(Researcher.objects.get(pk=other.pk).bio, "mine")

    def test_availability_ends_by_itself(self) -> None:
        today = timezone.localdate()
        with self.assertRaisesMessage(OwnerError, "past"):
            pages.set_availability(researcher=self.researcher, is_open=True, until=today - timedelta(days=1))
        pages.set_availability(
            researcher=self.researcher, is_open=True, scope="rivers", role="data", until=today
        )
        self.assertEqual(pages.close_ended(), 0)
        Researcher.objects.update(open_until=today - timedelta(days=1))
        self.assertEqual(pages.close_ended(), 1)
        self.assertEqual(pages.close_ended(), 0)
        change = Change.objects.latest("at")
        self.assertEqual(
            (self.again().open_to_collaborate, change.by, change.actor), (False, By.SYSTEM, None)
        )

    def test_a_role_that_is_none_is_refused(self) -> None:
        with self.assertRaises(OwnerError):
            pages.set_availability(researcher=self.researcher, is_open=True, role="emperor")

    def test_a_dispute_makes_everything_read_only(self) -> None:
        change = pages.set_bio(researcher=self.researcher, bio="one")
        Claim.objects.update(state=Claim.State.DISPUTED)
        self.assertTrue(claims.is_read_only(self.researcher.user))
        steps = [
            lambda: pages.set_bio(researcher=self.researcher, bio="two"),
            lambda: pages.set_availability(researcher=self.researcher, is_open=False),
            lambda: pages.set_shows_number(researcher=self.researcher, shows=False),
            lambda: owner_links.set_links(researcher=self.researcher, links=[("https://example.org/", "")]),
            lambda: owner_names.set_name(researcher=self.researcher, name="A. Ngata"),
            lambda: owner_names.hide_name(researcher=self.researcher, name="Alice Ngata"),
            lambda: owner_photo.set_photo(researcher=self.researcher, data=picture()),
            lambda: owner_works.arrange(researcher=self.researcher, work=self.works[0], step="up"),
            lambda: owner_works.disown(researcher=self.researcher, work=self.works[0]),
            lambda: owner_works.adopt(researcher=self.researcher, work=self.works[0]),
            lambda: self.undo(change),
        ]
        for number, step in enumerate(steps):
            with self.subTest(number), self.assertRaisesMessage(ClaimError, "disputed"):
                step()
        self.assertEqual(Change.objects.count(), 1)

    def test_who_lost_the_page_changes_nothing(self) -> None:
        researcher = self.again()
        Researcher.objects.all().delete()
        with self.assertRaises(ClaimError):
            pages.set_bio(researcher=researcher, bio="still me")


@contextmanager
def serving(pages_there: dict[str, str]) -> Iterator[str]:
    """Serve these pages on this machine; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages_there[self.path].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class LinkTests(OwnerTestCase):
    def set(self, *urls: str) -> Change | None:
        return owner_links.set_links(researcher=self.researcher, links=[(url, "") for url in urls])

    def test_links_keep_their_order_and_what_was_found(self) -> None:
        self.set("https://one.example/", "https://two.example/")
        when = timezone.now()
        ResearcherLink.objects.filter(url="https://one.example/").update(checked_at=when, links_back_at=when)
        self.set("https://three.example/", "https://one.example/")
        links = list(self.researcher.links.all())
        self.assertEqual([link.url for link in links], ["https://three.example/", "https://one.example/"])
        self.assertEqual([link.links_back_at for link in links], [None, when])

    def test_what_leads_elsewhere_is_refused(self) -> None:
        for url in (
            "http://example.org/", "javascript:alert(1)", "data:text/html,x", "https://", "https://localhost/", "//example.org",
            "https://user:secret@example.org/", "https://example.org:8443/", "https://[::1", "https://exa mple.org/", "ftp://example.org/",
            "https://example.org/" + "a" * 500, "https://example.org:99999999/",
        ):  # fmt: skip
            with self.subTest(url[:40]), self.assertRaises(OwnerError):
                self.set(url)
        self.assertFalse(ResearcherLink.objects.exists())

    def test_eleven_or_twice_the_same_are_refused(self) -> None:
        with self.assertRaises(OwnerError):
            self.set(*(f"https://example.org/{n}" for n in range(11)))
        with self.assertRaises(OwnerError):
            self.set("https://example.org/", "https://example.org/")

    def test_links_can_be_undone(self) -> None:
        self.set("https://one.example/")
        change = self.set("https://two.example/")
        self.undo(change)
        self.assertEqual([link.url for link in self.researcher.links.all()], ["https://one.example/"])

    def test_changing_them_all_the_time_is_refused(self) -> None:
        for number in range(owner_links.CHANGES_AN_HOUR):
            self.set(f"https://example.org/{number}")
        with self.assertRaises(TooMany):
            self.set("https://example.org/once-more")

    def test_an_address_inside_our_network_is_not_fetched(self) -> None:
        link = ResearcherLink.objects.create(
            researcher=self.researcher, url="https://127.0.0.1.nip.io.invalid/"
        )
        self.assertEqual(owner_links.check_links(), 1)
        link.refresh_from_db()
        self.assertIsNotNone(link.checked_at)
        self.assertIsNone(link.links_back_at)
        self.assertTrue(link.trouble)
        self.assertEqual(owner_links.check_links(), 0)

    def test_a_page_that_links_back_with_rel_me_is_noted(self) -> None:
        ours = f"http://testserver{self.author.get_absolute_url()}"
        pages_there = {
            "/me": f'<p>Hello <a rel="author me" href="{ours}">me</a></p>',
            "/bare": f'<a href="{ours}">no word of whose</a>',
            "/other": '<a rel="me" href="http://testserver/researchers/0000000/x/">somebody</a>',
        }
        with (
            serving(pages_there) as address,
            self.settings(SYNC_ALLOW_LOOPBACK=True, PUBLIC_URL="http://testserver"),
        ):
            for path in pages_there:
                ResearcherLink.objects.create(researcher=self.researcher, url=address + path)
            self.assertEqual(owner_links.check_links(), 3)
        links = ResearcherLink.objects.order_by("pk")
        self.assertEqual([bool(link.links_back_at) for link in links], [True, False, False])
        self.assertEqual([bool(link.trouble) for link in links], [False, True, True])

    def test_looking_again_is_asked_for_once_an_hour(self) -> None:
        ResearcherLink.objects.create(
            researcher=self.researcher, url="https://a.example/", checked_at=timezone.now()
        )
        with self.assertRaises(OwnerError):
            owner_links.ask_again(researcher=self.researcher)
        ResearcherLink.objects.update(checked_at=timezone.now() - timedelta(hours=2))
        owner_links.ask_again(researcher=self.researcher)
        self.assertIsNone(ResearcherLink.objects.get().checked_at)


class NameTests(OwnerTestCase):
    def line(self, name: str) -> Work:
        work = make_work(f"By {name}", authors=[self.author])
        Authorship.objects.filter(work=work).update(raw_author_name=name)
        refresh_authors([self.author.pk])
        return work

    def shown(self) -> str:
        return Author.objects.get(pk=self.author.pk).display_name

    def test_a_name_on_a_work_can_be_chosen_and_undone(self) -> None:
        self.line("Alice M. Ngata")
        change = owner_names.set_name(researcher=self.researcher, name="Alice M. Ngata")
        assert change
        self.assertEqual(self.shown(), "Alice M. Ngata")
        self.assertNotIn("ngata", str((change.before, change.after)).lower())
        self.undo(change)
        self.assertEqual(self.shown(), "Alice Ngata")

    def test_a_name_that_agrees_can_be_written(self) -> None:
        owner_names.set_name(researcher=self.researcher, name="Alice Marama Ngata")
        self.assertEqual(self.shown(), "Alice Marama Ngata")
        refresh_authors([self.author.pk])
        self.assertEqual(self.shown(), "Alice Marama Ngata", "imports obey")

    def test_a_name_of_somebody_else_cannot(self) -> None:
        for name in ("Bob Stone", "Marie Curie", "Bob Ngata"):
            with self.subTest(name), self.assertRaises(OwnerError):
                owner_names.set_name(researcher=self.researcher, name=name)

    def test_names_are_locked_while_a_claim_is_easily_contested(self) -> None:
        Claim.objects.update(contestable_until=timezone.now() + timedelta(hours=70))
        with self.assertRaisesMessage(OwnerError, "Your claim is new"):
            owner_names.set_name(researcher=self.researcher, name="Alice M. Ngata")
        self.line("Alice Former")
        with self.assertRaisesMessage(OwnerError, "Your claim is new"):
            owner_names.hide_name(researcher=self.researcher, name="Alice Former")

    def test_the_name_shown_cannot_be_hidden(self) -> None:
        with self.assertRaisesMessage(OwnerError, "Choose another name"):
            owner_names.hide_name(researcher=self.researcher, name="ngata, ALICE")

    def test_a_name_that_stands_nowhere_cannot_be_hidden(self) -> None:
        for name in ("Marie Curie", "", "\u200b", "…"):
            with self.subTest(name), self.assertRaises(OwnerError):
                owner_names.hide_name(researcher=self.researcher, name=name)

    def test_hiding_is_written_down_without_the_name_and_can_be_undone(self) -> None:
        self.line("Alice Former")
        change = owner_names.hide_name(researcher=self.researcher, name="Alice Former")
        override = NameOverride.objects.get()
        self.assertEqual((change.before, change.after), ({"override": None}, {"override": override.pk}))
        self.assertFalse(self.author.names.filter(display_name__icontains="former").exists())
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*) from profiles_change c where c::text ilike '%%former %%' or c::text ilike '%%alice f%%'"
            )
            self.assertEqual(cursor.fetchone()[0], 0)
        undone = self.undo(change)
        self.assertTrue(self.author.names.filter(display_name="Alice Former").exists())
        self.assertFalse(NameOverride.objects.exists())
        with self.assertRaisesMessage(OwnerError, "No trace"):
            self.undo(undone)

    def test_nobody_shows_others_hidden_names(self) -> None:
        other = make_claimed("Dora Lund")
        row = NameOverride.objects.create(
            author=other.author, name="Dora Alt", folded="dora alt", is_hidden=True
        )
        with self.assertRaises(OwnerError):
            owner_names.show_name_again(researcher=self.researcher, override_id=row.pk)
        self.assertTrue(NameOverride.objects.exists())


class OrderTests(OwnerTestCase):
    def arrange(self, work: Work, step: str) -> Change | None:
        return owner_works.arrange(researcher=self.researcher, work=work, step=step)

    def order(self) -> list[tuple[str, bool]]:
        return [(pid, lit) for pid, lit in owner_works.order_of(self.researcher)]

    def test_up_down_highlight_release(self) -> None:
        one, two, three = self.works
        self.arrange(one, "up")
        self.arrange(two, "highlight")
        self.assertEqual(self.order(), [(one.pid, False), (two.pid, True)])
        self.arrange(two, "up")
        self.arrange(two, "up")
        self.assertEqual(self.order(), [(two.pid, True), (one.pid, False)])
        self.arrange(three, "down")
        change = self.arrange(one, "down")
        self.assertEqual(self.order(), [(two.pid, True)])
        self.undo(change)
        self.assertEqual(self.order(), [(two.pid, True), (one.pid, False)])
        self.arrange(two, "release")
        self.assertEqual(self.order(), [(one.pid, False)])
        self.assertEqual(list(ShownWork.objects.values_list("position", flat=True)), [0])

    def test_works_of_others_and_unknown_steps_are_refused(self) -> None:
        with self.assertRaises(OwnerError):
            self.arrange(make_work("Not hers"), "up")
        with self.assertRaises(OwnerError):
            self.arrange(self.works[0], "sideways")

    def test_fifty_can_have_a_place(self) -> None:
        works = [make_work(f"W{n}", authors=[self.author]) for n in range(owner_works.MOST_ARRANGED + 1)]
        ShownWork.objects.bulk_create(
            ShownWork(researcher=self.researcher, work=work, position=place)
            for place, work in enumerate(works[1:])
        )
        with self.assertRaises(OwnerError):
            self.arrange(works[0], "up")


class WhoseWorkTests(OwnerTestCase):
    def on_page(self) -> set[int]:
        return set(Authorship.objects.filter(author=self.author).values_list("work", flat=True))

    def test_not_mine_leaves_at_once_and_comes_back_by_undo(self) -> None:
        work = self.works[0]
        self.author.refresh_from_db()
        self.assertEqual(self.author.works_count, 3)
        owner_works.arrange(researcher=self.researcher, work=work, step="highlight")
        change = owner_works.disown(researcher=self.researcher, work=work)
        self.author.refresh_from_db()
        self.assertNotIn(work.pk, self.on_page())
        self.assertEqual(self.author.works_count, 2)
        self.assertFalse(AuthorshipDecision.objects.get().is_theirs)
        self.assertTrue(Mark.objects.filter(what=Mark.What.RESOLVE, object_id=work.pk).exists())
        self.assertEqual(change.work_pid, work.pid)
        self.undo(change)
        self.assertIn(work.pk, self.on_page())
        self.assertFalse(AuthorshipDecision.objects.exists())

    def test_undo_finds_the_line_again_after_somebody_else_got_it(self) -> None:
        work = self.works[0]
        change = owner_works.disown(researcher=self.researcher, work=work)
        stranger = make_author("Alice Ngata")
        Authorship.objects.filter(work=work, author=None).update(author=stranger)
        self.undo(change)
        self.assertIn(work.pk, self.on_page())

    def test_undo_takes_no_line_from_whoever_holds_their_page(self) -> None:
        work = self.works[0]
        change = owner_works.disown(researcher=self.researcher, work=work)
        namesake = make_author("Alice Ngata", claimed=True)
        Authorship.objects.filter(work=work, author=None).update(author=namesake)
        self.undo(change)
        self.assertNotIn(work.pk, self.on_page())
        self.assertFalse(AuthorshipDecision.objects.exists())

    def test_a_missing_work_with_a_compatible_name_can_be_added(self) -> None:
        double = make_author("A. Ngata")
        work = make_work("Lost", authors=[make_author("Bob Stone"), double])
        change = owner_works.adopt(researcher=self.researcher, work=work)
        self.assertIn(work.pk, self.on_page())
        self.assertTrue(AuthorshipDecision.objects.get().is_theirs)
        double.refresh_from_db()
        self.assertEqual(double.works_count, 0)
        self.undo(change)
        self.assertNotIn(work.pk, self.on_page())

    def test_others_works_cannot_be_taken(self) -> None:
        held = make_work("Held", authors=[make_author("Alice Ngata", claimed=True)])
        for work, words in (
            (make_work("Strange"), "agrees"),
            (held, "Another researcher holds"),
            (self.works[0], "already"),
        ):
            with self.subTest(words), self.assertRaisesMessage(OwnerError, words):
                owner_works.adopt(researcher=self.researcher, work=work)
        self.assertFalse(AuthorshipDecision.objects.exists())
        with self.assertRaisesMessage(OwnerError, "not on your page"):
            owner_works.disown(researcher=self.researcher, work=held)

    def test_not_mine_after_mine_goes_back_to_mine(self) -> None:
        work = make_work("Lost", authors=[make_author("A. Ngata")])
        owner_works.adopt(researcher=self.researcher, work=work)
        self.undo(owner_works.disown(researcher=self.researcher, work=work))
        self.assertTrue(AuthorshipDecision.objects.get().is_theirs)
        self.assertIn(work.pk, self.on_page())
