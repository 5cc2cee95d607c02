import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from profiles.models import (
    Block,
    Follow,
    MailChoice,
    MailTrouble,
    Notification,
    OutgoingMail,
    Preferences,
    User,
)
from profiles.services import digests, follows, preferences
from profiles.services.digests import end_of_day, end_of_week, windows
from profiles.services.notifications import notify
from tests.factories import make_author, make_user, make_work
from tests.profiles.cast import PeopleTestCase
from trust.models import TrustScore
from works.models import Work

MONDAY = datetime(2030, 3, 4, 8, 30, tzinfo=UTC)
THURSDAY = datetime(2030, 3, 7, 8, 30, tzinfo=UTC)


def choose(user: User, **often: str) -> None:
    for kind, value in often.items():
        MailChoice.objects.update_or_create(user=user, kind=kind, defaults={"often": value})


def mails_of(user: User) -> list[OutgoingMail]:
    return [mail for mail in OutgoingMail.objects.order_by("pk") if mail.recipients == [user.email]]


def set_level(user: User, level: int) -> None:
    TrustScore.objects.update_or_create(
        author=user.researcher.author,
        defaults={
            "value": 20,
            "level": level,
            "parts": [],
            "formula_version": 1,
            "computed_at": timezone.now(),
        },
    )


class WindowTests(PeopleTestCase):
    def test_a_day_ends_at_seven_and_a_week_on_monday(self) -> None:
        self.assertEqual(end_of_day(THURSDAY), THURSDAY.replace(hour=7, minute=0))
        self.assertEqual(end_of_day(THURSDAY.replace(hour=6)), datetime(2030, 3, 6, 7, tzinfo=UTC))
        self.assertEqual(end_of_week(THURSDAY), datetime(2030, 3, 4, 7, tzinfo=UTC))
        self.assertEqual(end_of_week(MONDAY.replace(hour=6)), datetime(2030, 2, 25, 7, tzinfo=UTC))

    def test_spans_follow_on_one_another_whenever_the_task_runs(self) -> None:
        row = Preferences(time_zone="America/New_York")
        now, told = datetime(2030, 3, 1, 0, 20, tzinfo=UTC), {"daily": [], "weekly": []}
        for hours in (
            1,
            1,
            30,
            2,
            100,
            1,
            24,
            24,
            24,
            24,
            24,
            24,
            3,
            24,
        ):  # over a change of clocks on the 10th
            now += timedelta(hours=hours)
            spans = windows(row, now)
            for often, span in spans.items():
                if span:
                    told[often].append(span)
            if any(spans.values()):
                row.digest_sent_at = now
        for several in told.values():
            self.assertGreater(len(several), 1)
            for one, two in pairwise(several):
                self.assertEqual(one.until, two.since)


class DigestTests(PeopleTestCase):
    def setUp(self) -> None:
        follows.follow(follower=self.charlie, target=self.bob_author)
        self.arrive(self.joint_work, MONDAY - timedelta(days=2))

    def arrive(self, work: Work, at: datetime) -> None:
        Work.objects.filter(pk=work.pk).update(created_at=at)

    def tell(self, key: str = "event:1", verb: str = "claim_accepted", at: datetime = MONDAY) -> None:
        row = notify(
            recipient=self.charlie, verb=verb, target_url=f"/me/{key}", target_text=f"About {key}", event_key=key,
            actor=self.bob,
        )  # fmt: skip
        Notification.objects.filter(pk=row.pk).update(created_at=at)

    def test_new_works_come_once_a_week_in_one_mail(self) -> None:
        digests.send_digests(MONDAY)
        [mail] = mails_of(self.charlie)
        self.assertIn("On working together", mail.body)
        self.assertIn("On working together", mail.body_html)
        self.assertIn("/mail/stop/", mail.headers["List-Unsubscribe"])
        for hours in (0, 1, 30, 24 * 6):
            digests.send_digests(MONDAY + timedelta(hours=hours))
        self.assertEqual(len(mails_of(self.charlie)), 1)
        self.arrive(make_work("Next", authors=[self.bob_author]), MONDAY + timedelta(days=1))
        digests.send_digests(MONDAY + timedelta(days=7))
        self.assertNotIn("On working together", mails_of(self.charlie)[1].body)
        self.assertIn("Next", mails_of(self.charlie)[1].body)

    def test_kinds_of_one_period_share_a_mail(self) -> None:
        choose(self.charlie, record="daily", messages="weekly", followed="daily")
        self.tell("one", at=MONDAY - timedelta(hours=12))
        self.tell("two", "message_received", at=MONDAY - timedelta(days=5))
        self.tell("three", at=MONDAY)  # after seven: tomorrow's
        self.arrive(self.joint_work, MONDAY - timedelta(hours=10))
        digests.send_digests(MONDAY)
        [mail] = mails_of(self.charlie)
        for words in ("About one", "About two", "On working together"):
            self.assertIn(words, mail.body)
        self.assertNotIn("About three", mail.body)
        digests.send_digests(MONDAY + timedelta(days=1))
        self.assertIn("About three", mails_of(self.charlie)[1].body)

    def test_what_was_read_and_what_was_never_wanted_is_left_out(self) -> None:
        choose(self.charlie, record="daily", messages="never", followed="never")
        self.tell("one", at=MONDAY - timedelta(hours=12))
        self.tell("two", "message_received", at=MONDAY - timedelta(hours=12))
        Notification.objects.filter(event_key="one").update(read_at=MONDAY)
        digests.send_digests(MONDAY)
        self.assertEqual(mails_of(self.charlie), [])

    def test_nothing_new_is_no_mail(self) -> None:
        self.arrive(self.joint_work, MONDAY - timedelta(days=30))
        digests.send_digests(MONDAY)
        self.assertEqual(OutgoingMail.objects.count(), 0)

    def test_addresses_in_trouble_unconfirmed_ones_and_suspended_members_get_nothing(self) -> None:
        MailTrouble.objects.create(email=self.charlie.email, kind="bounce")
        digests.send_digests(MONDAY)
        MailTrouble.objects.all().delete()
        Preferences.objects.all().delete()
        self.charlie.emailaddress_set.update(verified=False)
        digests.send_digests(MONDAY)
        Preferences.objects.all().delete()
        self.charlie.emailaddress_set.update(verified=True)
        User.objects.filter(pk=self.charlie.pk).update(is_active=False)
        digests.send_digests(MONDAY)
        self.assertEqual(OutgoingMail.objects.count(), 0)

    def test_mails_at_once_wait_for_the_end_of_quiet_hours_and_then_go_once(self) -> None:
        now = timezone.now()
        Preferences.objects.create(
            user=self.charlie, quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=1)).time(),
            digest_sent_at=now,
        )  # fmt: skip
        self.tell("one", at=now)
        self.tell("two", "message_received", at=now + timedelta(seconds=1))
        digests.send_digests(now)
        self.assertEqual(OutgoingMail.objects.count(), 0)
        for _ in range(2):
            digests.send_digests(now + timedelta(hours=2))
        self.assertEqual([mail.notification.event_key for mail in mails_of(self.charlie)], ["one", "two"])

    def test_a_digest_waits_for_the_end_of_quiet_hours(self) -> None:
        preferences.save_choices(
            user=self.charlie, often={}, time_zone="UTC", quiet_from=datetime(2030, 1, 1, 6).time(),
            quiet_until=datetime(2030, 1, 1, 9).time(),
        )  # fmt: skip
        digests.send_digests(MONDAY)
        self.assertEqual(mails_of(self.charlie), [])
        digests.send_digests(MONDAY + timedelta(hours=1))
        self.assertEqual(len(mails_of(self.charlie)), 1)


class FollowerTests(PeopleTestCase):
    def setUp(self) -> None:
        User.objects.update(date_joined=timezone.now() - timedelta(days=30))
        self.dora.refresh_from_db()
        set_level(self.dora, 2)
        follows.follow(follower=self.dora, target=self.alice_author)
        Follow.objects.update(created_at=timezone.now() - timedelta(hours=1))

    def told(self) -> int:
        digests.tell_of_followers(timezone.now())
        return Notification.objects.filter(recipient=self.alice, verb="followed").count()

    def test_a_researcher_hears_once_of_a_follower_and_not_by_mail(self) -> None:
        self.assertEqual((self.told(), self.told()), (1, 1))
        self.assertFalse(OutgoingMail.objects.exists())
        self.assertContains(self.get(self.alice, "/me/notifications/"), "Dora Lund")

    def test_following_again_tells_nothing_more(self) -> None:
        self.told()
        follows.unfollow(follower=self.dora, target=self.alice_author)
        follows.follow(follower=self.dora, target=self.alice_author)
        Follow.objects.update(created_at=timezone.now() - timedelta(hours=1))
        self.assertEqual(self.told(), 1)

    def test_who_wants_mail_of_followers_gets_it(self) -> None:
        choose(self.alice, followers="at_once")
        self.told()
        self.assertIn("Dora Lund follows you", mails_of(self.alice)[0].subject)

    def test_nobody_hears_of_followers_below_l2_or_of_new_accounts_until_they_are_a_day_old(self) -> None:
        set_level(self.dora, 1)
        self.assertEqual(self.told(), 0)
        set_level(self.dora, 3)
        User.objects.filter(pk=self.dora.pk).update(date_joined=timezone.now() - timedelta(hours=5))
        self.assertEqual(self.told(), 0)
        self.dora.refresh_from_db()
        self.assertIsNone(
            notify(
                recipient=self.alice, actor=self.dora, verb=Notification.Verb.FOLLOWED, target_url="/", target_text="x",
                event_key="x",
            )
        )  # fmt: skip
        User.objects.filter(pk=self.dora.pk).update(date_joined=timezone.now() - timedelta(hours=25))
        self.assertEqual(self.told(), 1)

    def test_nothing_is_told_across_a_block_nor_of_a_follow_that_was_taken_back(self) -> None:
        block = Block.objects.create(blocker=self.alice, blocked=self.dora)
        self.assertEqual(self.told(), 0)
        block.delete()
        follows.unfollow(follower=self.dora, target=self.alice_author)
        self.assertEqual(self.told(), 0)


class SimultaneousDigestTests(TransactionTestCase):
    def test_several_workers_at_once_write_one_mail(self) -> None:
        member, author = make_user("Member One"), make_author()
        work = make_work("New", authors=[author])
        Work.objects.filter(pk=work.pk).update(created_at=MONDAY - timedelta(days=1))
        follows.follow(follower=member, target=author)
        start = threading.Barrier(4)
        errors: list[Exception] = []

        def run() -> None:
            try:
                start.wait()
                digests.send_digests(MONDAY)
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((errors, len(mails_of(member))), ([], 1))
