"""Vouching in public, ending a vouch, and the nightly run that brings the ledger in line."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bzpeer.schedule import app
from profiles.exceptions import VouchError
from profiles.models import AuditEntry, Block, By, Claim, Notification, OutgoingMail, Researcher, User, Vouch
from profiles.services import claims, deletion, vouches
from profiles.tasks import run_vouch_flow
from tests.factories import make_author, make_claimed
from tests.profiles.cast import client_of
from tests.profiles.desk import DeskTestCase
from trust.models import Evidence, TrustScore, VouchSeed
from trust.services import rescore_authors
from works.models import Author, Mark

SAYS = "We taught together in Lund for three years."


def set_level(author: Author, level: int = 4) -> None:
    """Give a page a level, as its evidence would."""
    TrustScore.objects.update_or_create(
        author=author,
        defaults={
            "value": 50,
            "level": level,
            "parts": [],
            "formula_version": 1,
            "computed_at": timezone.now(),
        },
    )


class VouchTestCase(DeskTestCase):
    """dora is corroborated and knows alice."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        set_level(cls.dora_author)

    def vouch(self, user: User | None = None, author: Author | None = None) -> Vouch:
        return vouches.vouch_for(user=user or self.dora, author=author or self.alice_author, statement=SAYS)

    def seed(self, author: Author | None = None) -> VouchSeed:
        return vouches.add_seed(
            author=author or self.dora_author, actor=self.moderator, reason="We know her."
        )

    def refused(self, says: str, user: User | None = None, author: Author | None = None) -> None:
        with self.assertRaisesRegex(VouchError, says):
            self.vouch(user, author)

    def lines(self, author: Author | None = None) -> list[Evidence]:
        rows = Evidence.objects.filter(kind="vouch", author=author or self.alice_author, ended_by=None)
        return list(rows.order_by("pk"))

    def page(self, author: Author | None = None) -> str:
        author = author or self.alice_author
        return author.get_absolute_url() + "vouches/"


class VouchingTests(VouchTestCase):
    def test_who_is_below_l4_has_no_page_or_is_disputed_cannot(self) -> None:
        self.refused("accepted", user=self.bob)
        for level in (0, 1, 2, 3):
            set_level(self.alice_author, level)
            self.refused(f"Your page is at L{level}", user=self.alice, author=self.dora_author)
        Claim.objects.filter(user=self.dora).update(state=Claim.State.DISPUTED)
        self.refused("accepted")

    def test_one_vouches_for_another_person_who_has_joined(self) -> None:
        self.refused("This page is yours", author=self.dora_author)
        self.refused("Nobody has claimed this page", author=self.bob_author)
        User.objects.filter(pk=self.dora.pk).update(limited_until=timezone.now() + timedelta(days=1))
        self.dora.refresh_from_db()
        self.refused("limited your account")

    def test_nobody_vouches_across_a_block_in_either_direction(self) -> None:
        for blocker, blocked in ((self.alice, self.dora), (self.dora, self.alice)):
            block = Block.objects.create(blocker=blocker, blocked=blocked)
            self.refused("You cannot vouch for this researcher")
            block.delete()
        self.assertEqual(self.vouch().statement, SAYS)

    def test_a_statement_says_something(self) -> None:
        for statement in ("", "  a friend ", "x" * 301):
            with self.assertRaisesRegex(VouchError, "10 to 300 characters"):
                vouches.vouch_for(user=self.dora, author=self.alice_author, statement=statement)

    def test_five_a_year_and_the_same_person_once(self) -> None:
        self.vouch()
        self.refused("already")
        for n in range(4):
            self.vouch(author=make_claimed(f"Person {n}").author)
        sixth = make_claimed("Person Six").author
        self.refused("5 researchers a year", author=sixth)
        Vouch.objects.filter(author=self.alice_author).update(created_at=timezone.now() - timedelta(days=366))
        self.assertEqual(self.vouch(author=sixth).author, sixth)

    def test_after_it_ended_one_waits_a_year_and_revoking_gives_no_vouch_back(self) -> None:
        first = self.vouch()
        vouches.end_vouch(vouch=first, actor=self.dora, by=By.OWNER)
        self.refused("within the last year")
        Vouch.objects.update(created_at=timezone.now() - timedelta(days=366))
        Researcher.objects.update(created_at=timezone.now() - timedelta(days=400))
        self.assertNotEqual(self.vouch().pk, first.pk)

    def test_the_vouched_person_is_told_once_by_mail_too(self) -> None:
        vouch = self.vouch()
        notice = Notification.objects.get(recipient=self.alice, verb="vouched")
        self.assertEqual(
            (notice.actor, notice.target_url, notice.target_text),
            (self.dora, f"/me/vouches/{vouch.pk}/", SAYS),
        )
        mail = OutgoingMail.objects.get(notification=notice)
        self.assertIn(f"/me/vouches/{vouch.pk}/", mail.body)
        self.assertIn(SAYS, mail.body)
        page = self.get(self.alice, "/me/notifications/")
        self.assertContains(page, f'<a href="/me/vouches/{vouch.pk}/">vouches for you</a>', html=True)

    def test_a_page_that_went_to_another_person_takes_no_vouch_along(self) -> None:
        self.seed()
        old = self.vouch()
        self.assertEqual(vouches.run_flow(), 1)
        claims.give_up_claim(claim=Claim.objects.get(user=self.alice), actor=self.alice)
        Claim.objects.create(user=self.bob, author=self.alice_author, state=Claim.State.APPROVED)
        Researcher.objects.create(user=self.bob, author=self.alice_author)
        Author.objects.filter(pk=self.alice_author.pk).update(claimed=True)
        self.alice_author.refresh_from_db()
        self.assertNotContains(self.get(None, self.page()), SAYS)
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))
        self.assertEqual(self.get(self.bob, f"/me/vouches/{old.pk}/").status_code, 404)
        # The new person can be vouched for, by the same researcher.
        new = self.vouch(author=Author.objects.get(pk=self.alice_author.pk))
        old.refresh_from_db()
        self.assertEqual((old.revoked_at is None, new.revoked_at), (False, None))


class EndingTests(VouchTestCase):
    def setUp(self) -> None:
        self.seed()
        self.row = self.vouch()
        vouches.run_flow()
        self.path = f"/me/vouches/{self.row.pk}/"

    def ended(self) -> bool:
        self.row.refresh_from_db()
        return self.row.revoked_at is not None and not self.lines()

    def test_the_voucher_takes_it_back_and_its_line_ends(self) -> None:
        self.assertEqual(len(self.lines()), 1)
        self.assertRedirects(self.post(self.dora, self.path + "end/"), "/me/vouches/")
        self.assertTrue(self.ended())
        self.assertContains(self.get(self.dora, "/me/vouches/"), "Ended")
        self.assertNotContains(self.get(None, self.page()), SAYS)

    def test_the_vouched_person_has_it_removed_and_the_voucher_is_not_told(self) -> None:
        self.assertContains(self.get(self.alice, self.path), "I do not want this")
        notices = Notification.objects.count()
        self.post(self.alice, self.path + "end/")
        self.assertTrue(self.ended())
        self.assertEqual(Notification.objects.count(), notices)
        self.assertFalse(AuditEntry.objects.filter(action__startswith="vouch").exists())
        self.assertNotContains(self.get(self.alice, "/me/vouches/"), SAYS)

    def test_ending_twice_is_ending_once(self) -> None:
        for _ in range(2):
            self.post(self.dora, self.path + "end/")
        self.assertEqual(Evidence.objects.filter(kind="revoked", ends__kind="vouch").count(), 1)

    def test_a_moderator_revokes_with_a_reason_that_is_audited(self) -> None:
        path = f"/moderation/vouches/{self.row.pk}/revoke/"
        self.assertContains(self.post(self.moderator, path, {"reason": " "}), "Give the reason")
        self.assertFalse(self.ended())
        self.assertRedirects(self.post(self.moderator, path, {"reason": "Sold."}), "/moderation/vouches/")
        self.assertTrue(self.ended())
        entry = AuditEntry.objects.get(action="vouch.revoke")
        self.assertEqual(
            (entry.actor, entry.subject, entry.reason), (self.moderator, f"vouch:{self.row.pk}", "Sold.")
        )

    def test_strangers_find_nothing_and_get_does_nothing(self) -> None:
        for user in (self.bob, self.charlie, self.moderator):
            self.assertEqual(self.get(user, self.path).status_code, 404)
            self.assertEqual(self.post(user, self.path + "end/").status_code, 404)
        self.assertEqual(self.get(self.dora, self.path + "end/").status_code, 405)
        response = self.post(None, self.path + "end/")
        self.assertEqual(response["Location"], f"/accounts/login/?next={quote(self.path, safe='')}")
        revoke = f"/moderation/vouches/{self.row.pk}/revoke/"
        self.assertEqual(self.post(self.dora, revoke, {"reason": "x"}).status_code, 404)
        self.assertEqual(self.get(self.dora, "/moderation/vouches/").status_code, 404)
        self.assertEqual(self.get(self.dora, "/moderation/seeds/").status_code, 404)
        self.assertFalse(self.ended())

    def test_a_deleted_account_ends_its_vouches_and_their_words(self) -> None:
        deletion.delete_account(user=self.dora)
        self.assertTrue(self.ended())
        self.assertEqual((self.row.user, self.row.statement), (None, ""))

    def test_a_block_hides_it_and_the_nightly_run_ends_its_line_until_it_is_lifted(self) -> None:
        block = Block.objects.create(blocker=self.alice, blocked=self.dora)
        self.assertNotContains(self.get(None, self.page()), SAYS)
        self.assertEqual(self.get(self.alice, self.path).status_code, 404)
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))
        block.delete()
        self.assertEqual((vouches.run_flow(), len(self.lines())), (1, 1))


class RunTests(VouchTestCase):
    def test_a_vouch_that_carries_gets_a_line_and_its_points(self) -> None:
        self.seed()
        row = self.vouch()
        with self.captureOnCommitCallbacks(execute=True):
            self.assertEqual(run_vouch_flow(), 1)
        [line] = self.lines()
        row.refresh_from_db()
        self.assertEqual((row.carries, row.evidence), (True, line))
        self.assertEqual(
            (line.asserted_by_author, line.event_key, line.source, line.expires_at),
            (self.dora_author, f"vouch:{row.pk}:1", "researchers", None),
        )
        rescore_authors([self.alice_author.pk])
        score = TrustScore.objects.get(author=self.alice_author)
        self.assertEqual([part["points"] for part in score.parts if part["name"] == "Corroboration"], [3])
        self.assertLess(score.level, 2)  # a vouch never raises a level

    def test_running_again_changes_nothing(self) -> None:
        self.seed()
        self.vouch()
        vouches.run_flow()
        before = list(Evidence.objects.values_list()), Vouch.objects.values().get()
        marks = Mark.objects.count()
        self.assertEqual(vouches.run_flow(), 0)
        self.assertEqual((list(Evidence.objects.values_list()), Vouch.objects.values().get()), before)
        self.assertEqual(Mark.objects.count(), marks)

    def test_without_seeds_nothing_carries_and_the_page_says_so_in_neutral_words(self) -> None:
        row = self.vouch()
        self.assertContains(self.get(None, self.page()), "Not worked out yet")
        self.assertEqual(vouches.run_flow(), 0)
        row.refresh_from_db()
        self.assertEqual((row.carries, self.lines()), (False, []))
        self.assertContains(self.get(None, self.page()), "Does not count at present")

    def test_a_lost_level_ends_the_line_and_regaining_it_begins_another(self) -> None:
        self.seed()
        row = self.vouch()
        for level, lines in ((4, 1), (3, 0), (5, 1), (2, 0)):
            set_level(self.dora_author, level)
            self.assertEqual(vouches.run_flow(), 1)
            self.assertEqual(len(self.lines()), lines)
        keys = Evidence.objects.filter(kind="vouch").order_by("pk").values_list("event_key", flat=True)
        self.assertEqual(list(keys), [f"vouch:{row.pk}:1", f"vouch:{row.pk}:2"])
        self.assertEqual(Evidence.objects.filter(kind="revoked", ends__kind="vouch").count(), 2)

    def test_a_claim_given_up_a_closed_account_and_a_hidden_page_end_the_line(self) -> None:
        self.seed()
        self.vouch()
        vouches.run_flow()
        User.objects.filter(pk=self.dora.pk).update(is_active=False)
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))
        User.objects.filter(pk=self.dora.pk).update(is_active=True)
        self.assertEqual((vouches.run_flow(), len(self.lines())), (1, 1))
        Author.objects.filter(pk=self.alice_author.pk).update(suppressed=True)
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))
        Author.objects.filter(pk=self.alice_author.pk).update(suppressed=False)
        self.assertEqual((vouches.run_flow(), len(self.lines())), (1, 1))
        claims.give_up_claim(claim=Claim.objects.get(user=self.dora), actor=self.dora)
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))

    def test_flow_passes_through_people_who_vouch_and_follows_merges(self) -> None:
        self.seed()
        self.vouch()
        set_level(self.alice_author)
        other = make_claimed("Eva Berg")
        self.vouch(self.alice, other.author)
        joined = make_author("Alice N.", claimed=True)
        Author.objects.filter(pk=self.alice_author.pk).update(merged_into=joined, claimed=False)
        Researcher.objects.filter(user=self.alice).update(author=joined)
        set_level(joined)
        self.assertEqual(vouches.run_flow(), 2)
        self.assertEqual(self.lines(other.author)[0].asserted_by_author, self.alice_author)
        page = self.get(None, self.page(joined))
        self.assertContains(page, "Counts at present", count=2)
        self.assertRedirects(self.get(None, self.page()), self.page(joined), 301)

    def test_its_reads_do_not_grow_with_the_vouches(self) -> None:
        self.seed()
        counts = []
        for more in (1, 4):
            for n in range(more):
                self.vouch(author=make_claimed(f"Person {more} {n}").author)
            with CaptureQueriesContext(connection) as queries:
                vouches.run_flow()
            counts.append(len(queries))
        self.assertEqual(*counts)

    def test_it_runs_every_night(self) -> None:
        entry = app.conf.beat_schedule["vouch-flow"]
        self.assertEqual((entry["task"], entry["schedule"].hour), ("profiles.tasks.run_vouch_flow", {2}))


class PageTests(VouchTestCase):
    def setUp(self) -> None:
        self.path = f"/researchers/{self.alice_author.pid}/vouch/"

    def test_one_sees_what_will_be_public_before_it_is(self) -> None:
        self.assertContains(self.get(self.dora, self.path), "How you know each other")
        shown = self.post(self.dora, self.path, {"statement": SAYS})
        self.assertContains(shown, f'<input type="hidden" name="statement" value="{SAYS}">', html=True)
        self.assertFalse(Vouch.objects.exists())
        again = self.post(self.dora, self.path, {"statement": SAYS, "step": "change"})
        self.assertContains(again, f">\n{SAYS}</textarea>")
        self.assertFalse(Vouch.objects.exists())
        done = self.post(self.dora, self.path, {"statement": SAYS, "step": "confirm"})
        self.assertRedirects(done, "/me/vouches/")
        self.assertEqual(Vouch.objects.get().statement, SAYS)

    def test_hostile_input_is_answered_with_a_sentence(self) -> None:
        for statement in ("", "\x00" * 50, "x" * 100_000, "<script>alert(1)</script> \u202e", "\u200b" * 20):
            with self.subTest(statement=statement[:20]):
                data = {"statement": statement, "step": "confirm"}
                response = self.post(self.dora, self.path, data)
                self.assertIn(response.status_code, {200, 302})
                self.assertNotContains(self.get(None, self.page()), "<script>alert")
        self.assertEqual(Vouch.objects.count(), 1)  # the script, as harmless words
        for pid, status in (("zzzzzzz", 404), ("a" * 500, 404), ("%00", 400)):
            self.assertEqual(self.get(self.dora, f"/researchers/{pid}/vouch/").status_code, status)

    def test_whoever_cannot_vouch_reads_why_and_strangers_log_in(self) -> None:
        page = self.get(self.bob, self.path)
        self.assertContains(page, "Vouching is for researchers")
        self.assertNotContains(page, "<textarea")
        self.assertContains(
            self.post(self.bob, self.path, {"statement": SAYS, "step": "confirm"}), "Vouching is for"
        )
        self.assertFalse(Vouch.objects.exists())
        self.assertIn("/accounts/login/", self.get(None, self.path)["Location"])

    def test_the_public_page_is_the_same_for_everybody_and_costs_as_much_for_many(self) -> None:
        self.vouch()
        pages = [self.get(user, self.page()).content for user in (None, self.dora, self.moderator)]
        self.assertEqual(len(set(pages)), 1)
        self.assertIn("public", self.get(None, self.page())["Cache-Control"])
        self.assertNotIn(b"csrf", pages[0])
        with CaptureQueriesContext(connection) as one:
            self.get(None, self.page())
        for n in range(3):
            other = make_claimed(f"Person {n}")
            set_level(other.author)
            self.vouch(other.user)
        with CaptureQueriesContext(connection) as many:
            response = self.get(None, self.page())
        self.assertContains(response, SAYS, count=4)
        self.assertEqual(len(one), len(many))

    def test_both_ends_are_on_it_and_its_address_is_one(self) -> None:
        self.vouch()
        for author in (self.alice_author, self.dora_author):
            self.assertContains(self.get(None, self.page(author)), SAYS, count=1)
        self.assertRedirects(
            self.get(None, f"/researchers/{self.alice_author.pid}/wrong/vouches/"), self.page(), 301
        )
        self.assertEqual(self.get(None, "/researchers/zzzzzzz/x/vouches/").status_code, 404)
        Author.objects.filter(pk=self.alice_author.pk).update(suppressed=True)
        self.assertEqual(self.get(None, self.page()).status_code, 410)
        self.assertNotContains(self.get(None, self.page(self.dora_author)), "Alice")

    def test_ones_own_list_shows_both_directions(self) -> None:
        row = self.vouch()
        self.assertContains(self.get(self.dora, "/me/vouches/"), "Look at it, or take it back")
        self.assertContains(self.get(self.alice, "/me/vouches/"), "Look at it, or have it removed")
        self.assertContains(self.get(self.charlie, "/me/vouches/"), "Nobody vouches for you yet")
        self.get(self.alice, f"/me/vouches/{row.pk}/")
        self.assertFalse(Notification.objects.filter(recipient=self.alice, read_at=None).exists())

    def test_the_panel_of_the_trust_page(self) -> None:
        from profiles.templatetags.vouches import vouches_panel

        self.vouch()
        with self.assertNumQueries(1):
            panel = vouches_panel(self.alice_author)
        self.assertEqual([row.vouch.statement for row in panel["rows"]], [SAYS])
        with self.assertNumQueries(0):
            self.assertEqual(vouches_panel(self.bob_author)["rows"], [])


class SeedTests(VouchTestCase):
    def add(
        self, researcher: str, reason: str = "We know her.", user: User | None = None, **options: Any
    ) -> Any:
        data = {"researcher": researcher, "reason": reason}
        return self.post(user or self.moderator, "/moderation/seeds/", data, **options)

    def test_a_moderator_adds_one_by_address_or_id_and_ends_it_with_a_reason(self) -> None:
        self.assertContains(self.get(self.moderator, "/moderation/seeds/"), "None yet, so no vouch counts")
        address = f"https://example.org{self.dora_author.get_absolute_url()}"
        self.assertRedirects(self.add(address), "/moderation/seeds/")
        seed = VouchSeed.objects.get()
        self.assertEqual((seed.author, seed.reason), (self.dora_author, "We know her."))
        self.assertContains(self.add(self.dora_author.pid), "already")
        end = f"/moderation/seeds/{seed.pk}/end/"
        self.assertContains(self.post(self.moderator, end, {"reason": ""}, follow=True), "Give the reason")
        self.assertContains(self.post(self.moderator, end, {"reason": "Left."}, follow=True), "no more")
        self.assertContains(self.post(self.moderator, end, {"reason": "Left."}, follow=True), "ended already")
        self.assertRedirects(self.add(self.dora_author.pid, "She is back."), "/moderation/seeds/")
        seed.refresh_from_db()
        self.assertEqual((seed.reason, seed.ended_at), ("She is back.", None))
        actions = AuditEntry.objects.filter(subject=f"seed:{seed.pk}").order_by("pk")
        self.assertEqual(
            list(actions.values_list("action", "reason", "actor")),
            [
                ("seed.add", "We know her.", self.moderator.pk),
                ("seed.end", "Left.", self.moderator.pk),
                ("seed.add", "She is back.", self.moderator.pk),
            ],
        )

    def test_only_people_who_joined_and_only_records_that_are_there(self) -> None:
        self.assertContains(self.add(self.bob_author.pid), "Nobody has claimed this page")
        self.assertContains(self.add("zzzzzzz"), "no such researcher")
        for text in ("", "\x00", "../../x", "a b", "x" * 5000):
            self.assertEqual(self.add(text).status_code, 200)
        self.assertFalse(VouchSeed.objects.exists())

    def test_an_ended_seed_carries_nothing_from_the_next_run_on(self) -> None:
        seed = self.seed()
        self.vouch()
        vouches.run_flow()
        vouches.end_seed(seed=seed, actor=self.moderator, reason="Left.")
        self.assertEqual((vouches.run_flow(), self.lines()), (1, []))

    def test_to_others_the_page_does_not_exist(self) -> None:
        seed = self.seed()
        for user in (self.alice, self.charlie):
            for path in ("/moderation/seeds/", f"/moderation/seeds/{seed.pk}/end/"):
                self.assertEqual(self.post(user, path, {"reason": "x"}).status_code, 404)
        self.assertEqual(client_of(self.moderator).get(f"/moderation/seeds/{seed.pk}/end/").status_code, 405)
        self.assertEqual(self.post(self.moderator, f"/moderation/seeds/{10**30}/end/").status_code, 404)
