"""The public log: what happened, when and in which part; never who or why; the same bytes for everybody."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles.models import By, Change
from profiles.public_log import Cursor, public_log
from profiles.services import claims
from profiles.services.history import record_change
from tests.profiles.cast import PeopleTestCase
from works.models import Author
from works.services import authors

CASE = "These papers are mine: the private case."


class HistoryTests(PeopleTestCase):
    def setUp(self) -> None:
        self.address = f"{self.bob_author.get_absolute_url()}history/"

    def some_history(self) -> None:
        first = claims.submit_claim(user=self.bob, author=self.bob_author, case=CASE)
        claims.reject_claim(claim=first, actor=self.moderator, reason="The private reason.")
        claims.appeal_claim(claim=first, actor=self.bob, reason="The private appeal.")
        second = claims.submit_claim(user=self.charlie, author=self.bob_author, case=CASE)
        claims.approve_claim(claim=first, actor=self.second_moderator, reason="The private why.")
        claims.withdraw_claim(claim=second, actor=self.charlie)
        change = record_change(
            kind=Change.Kind.FORMER_NAME, author=self.bob_author, actor=self.bob, by=By.OWNER, reason="The old one hurts.",
            before={"row": 1}, after={"hidden": True},
        )  # fmt: skip
        record_change(
            kind=Change.Kind.FORMER_NAME,
            author=self.bob_author,
            actor=self.moderator,
            by=By.MODERATOR,
            undoes=change,
        )

    def test_it_tells_what_happened_without_names_or_reasons(self) -> None:
        self.some_history()
        log = [
            (entry.what, entry.by, bool(entry.undoes), bool(entry.undone))
            for entry in public_log(self.bob_author).entries
        ]
        self.assertEqual(
            log,
            [
                ("A name hidden", "a moderator", True, False),
                ("A name hidden", "the researcher", False, True),
                ("Claim 2 withdrawn", "the claimant", False, False),
                ("Claim 1 accepted", "a moderator", False, False),
                ("Claim 2 filed", "the claimant", False, False),
                ("Claim 1 appealed", "the claimant", False, False),
                ("Claim 1 not accepted", "a moderator", False, False),
                ("Claim 1 taken into review", "a moderator", False, False),
                ("Claim 1 filed", "the claimant", False, False),
            ],
        )
        text = self.get(None, self.address).content.decode()
        for private in ("private", "hurts", "Charlie", "Derator", self.bob.email, "old one"):
            self.assertNotIn(private, text)

    def test_it_is_the_same_bytes_for_everybody(self) -> None:
        self.some_history()
        pages = [self.get(user, self.address) for user in (None, self.bob, self.moderator)]
        self.assertEqual(len({page.content for page in pages}), 1)
        self.assertEqual(pages[0]["Cache-Control"], "public, max-age=0, s-maxage=60")
        self.assertNotIn("Cookie", pages[0].get("Vary", ""))

    def test_every_address_leads_to_the_one(self) -> None:
        for path in (
            f"/researchers/{self.bob_author.pid}/history/",
            f"/researchers/{self.bob_author.pid}/wrong/history/",
        ):
            self.assertRedirects(self.get(None, path), self.address, 301)
        self.assertContains(
            self.get(None, self.bob_author.get_absolute_url()), f"/researchers/{self.bob_author.pid}/history/"
        )
        self.assertEqual(self.get(None, "/researchers/zzzzzzz/history/").status_code, 404)

    def test_a_hidden_record_is_gone(self) -> None:
        authors.suppress_author(self.bob_author.pk, "They asked.")
        self.assertEqual(self.get(None, self.address).status_code, 410)

    def test_an_empty_log_says_what_would_fill_it(self) -> None:
        self.assertContains(self.get(None, self.address), "What happens from now on will stand here.")

    def test_a_joined_record_brings_its_history_along(self) -> None:
        self.some_history()
        Author.objects.filter(pk=self.bob_author.pk).update(merged_into=self.charlie_author)
        self.assertEqual(len(public_log(self.charlie_author).entries), 9)
        self.assertRedirects(
            self.get(None, self.address), f"{self.charlie_author.get_absolute_url()}history/", 301
        )

    def test_pages_follow_each_other_without_gap_or_repetition(self) -> None:
        self.some_history()
        make_changes_of_one_moment(self.bob_author)
        whole = [str(entry.cursor) for entry in public_log(self.bob_author).entries]
        for size in (1, 2, 3):
            seen: list[str] = []
            after: Cursor | None = None
            while True:
                log = public_log(self.bob_author, after, size=size)
                seen += [str(entry.cursor) for entry in log.entries]
                if log.next_cursor is None:
                    break
                after = Cursor.parse(str(log.next_cursor))
                self.assertEqual(after, log.next_cursor)
            self.assertEqual(seen, whole)

    def test_a_forged_place_begins_at_the_newest(self) -> None:
        self.some_history()
        newest = self.get(None, self.address).content
        for forged in (
            "x",
            "1.",
            ".s1",
            "1.s-1",
            f"1.s{2**70}",
            "9" * 40 + ".s1",
            "1.c123",
            "1.x1",
            "1.s１",
            "٣.s1x",
        ):
            with self.subTest(forged=forged):
                page = self.get(None, f"{self.address}?after={forged}")
                self.assertEqual(page.status_code, 200)
                self.assertEqual(page.content if "s１" not in forged else newest, newest)

    def test_it_reads_a_handful_of_rows(self) -> None:
        self.some_history()
        with CaptureQueriesContext(
            connection,
        ) as few:
            self.get(None, self.address)
        for number in range(3):
            claims.withdraw_claim(
                claim=claims.submit_claim(user=self.charlie, author=self.bob_author, case=f"{CASE} {number}"),
                actor=self.charlie,
            )
        with self.assertNumQueries(len(few)):
            self.get(None, self.address)


def make_changes_of_one_moment(author: Author) -> None:
    """Add changes at the moment of the newest step, as one transaction may write them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into profiles_change (id, kind, author_id, work_pid, by, reason, before, after, at)"
            " select uuidv7(), kind, %s, '', 'owner', '', '{}', '{}', (select max(at) from profiles_claimstep)"
            " from unnest(array['bio', 'links', 'photo']) kind",
            [author.pk],
        )
