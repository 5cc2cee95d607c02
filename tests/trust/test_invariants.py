"""manage.py check_invariants: silent on sound data, and each invariant can fail."""

import io
import json
from datetime import timedelta
from uuid import uuid4

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bzpeer.management.commands.check_invariants import check, invariants
from graph.models import Collaboration
from graph.services.collaborations import rebuild_collaborations
from profiles.models import AuditEntry, Block, Claim, Follow, Message, Notification, OutgoingMail
from profiles.services import claims, follows, invitations
from tests.factories import make_institution, make_topic
from tests.profiles.cast import PeopleTestCase, invite
from trust.models import TrustChange, TrustScore
from trust.services import rescore_authors
from works.models import Author, Institution, Mark, Topic

# Constraints that stand before an invariant: without them it can fail.
GUARDS = {
    "one_follow_per_pair": ["profiles_follow_user_author_uniq"],
    "one_owner_per_researcher": ["profiles_claim_one_held_per_author"],
    "one_researcher_per_owner": ["profiles_claim_one_held_per_user"],
    "one_open_invitation_per_pair": ["profiles_invitation_one_open_per_pair"],
    "one_notice_per_event": ["profiles_notification_event_uniq"],
}


class InvariantTests(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.invitation = invite(cls.dora, cls.alice_author)
        cls.conversation = invitations.accept_invitation(invitation=cls.invitation, user=cls.alice)
        claims.approve_claim(
            claim=claims.submit_claim(
                user=cls.bob, author=cls.bob_author, case="Both papers name my address."
            ),
            actor=cls.moderator,
        )
        follows.follow(follower=cls.charlie, target=cls.alice_author)
        everybody = list(Author.objects.values_list("pk", flat=True))
        rebuild_collaborations(everybody)
        rescore_authors(everybody)
        Mark.objects.all().delete()

    def broken(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
        return {found.name: found.broken for found in check() if found.broken}

    def without(self, *guards: str) -> None:
        """Take a guard away until the end of the test."""
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            for name in guards:
                cursor.execute(
                    "select conrelid::regclass::text from pg_constraint where conname = %s", [name]
                )
                table = cursor.fetchone()
                cursor.execute(
                    f"alter table {table[0]} drop constraint {name}" if table else f"drop index {name}"
                )

    def test_sound_data_break_nothing(self) -> None:
        self.assertEqual(self.broken(), {})
        out = io.StringIO()
        call_command("check_invariants", stdout=out)
        self.assertNotIn("BROKEN", out.getvalue())
        self.assertEqual(len(out.getvalue().splitlines()), len(invariants()) + 2)

    def test_what_is_broken_is_named_with_its_rows_and_the_command_fails(self) -> None:
        Author.objects.filter(pk=self.alice_author.pk).update(followers_count=7)
        out = io.StringIO()
        with self.assertRaises(SystemExit) as ended:
            call_command("check_invariants", "--json", "--no-derived", stdout=out)
        self.assertEqual(ended.exception.code, 1)
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        wrong = [row for row in rows if row["broken"]]
        self.assertEqual([row["name"] for row in wrong], ["followers_of_researchers"])
        self.assertEqual(wrong[0]["rows"][0]["followers_count"], 7)

    def test_every_invariant_can_fail(self) -> None:
        untried = {row.name for row in invariants()} | {
            "trust_is_recomputed",
            "collaborations_are_recomputed",
        }
        for name in sorted(untried):
            with self.subTest(name):
                sid = connection.savepoint()
                self.without(*GUARDS.get(name, []))
                getattr(self, f"break_{name}")()
                self.assertIn(name, self.broken())
                connection.savepoint_rollback(sid)
                untried = untried - {name}
        self.assertEqual(untried, set())

    # One way each in which it could be.

    def break_followers_of_researchers(self) -> None:
        Author.objects.filter(pk=self.alice_author.pk).update(followers_count=7)

    def break_followers_of_topics(self) -> None:
        Topic.objects.filter(pk=make_topic().pk).update(followers_count=1)

    def break_followers_of_institutions(self) -> None:
        Institution.objects.filter(pk=make_institution().pk).update(followers_count=1)

    def break_one_follow_per_pair(self) -> None:
        Follow.objects.create(user=self.charlie, author=self.alice_author)

    def break_one_owner_per_researcher(self) -> None:
        Claim.objects.create(user=self.charlie, author=self.alice_author, state="approved")

    def break_one_researcher_per_owner(self) -> None:
        Claim.objects.create(user=self.alice, author=self.charlie_author, state="disputed")

    def break_claimed_says_who_is_held(self) -> None:
        Author.objects.filter(pk=self.charlie_author.pk).update(claimed=True)

    def again(self, **fields: object) -> None:
        row = type(self.invitation).objects.get(pk=self.invitation.pk)
        row.pk = uuid4()
        for name, value in {"state": "pending", "decided_at": None, **fields}.items():
            setattr(row, name, value)
        row._state.adding = True
        row.save(force_insert=True)

    def break_one_open_invitation_per_pair(self) -> None:
        self.again()
        self.again()

    def break_open_invitations_are_undecided(self) -> None:
        self.again(decided_at=timezone.now())

    def break_invitations_are_told(self) -> None:
        self.again()
        self.assertIn("invitations_are_told", self.broken())
        blocked = connection.savepoint()
        Block.objects.create(blocker=self.alice, blocked=self.dora)
        self.assertNotIn("invitations_are_told", self.broken())
        connection.savepoint_rollback(blocked)

    def break_messages_are_gapless(self) -> None:
        Message.objects.filter(conversation=self.conversation).delete()

    def break_messages_are_owned(self) -> None:
        Message.objects.filter(conversation=self.conversation).update(sender=self.charlie)

    def notice(self, key: str) -> Notification:
        return Notification.objects.create(
            recipient=self.alice, verb="message_received", target_url="/", target_text="x", event_key=key
        )

    def break_one_notice_per_event(self) -> None:
        self.notice("twice")
        self.notice("twice")

    def break_notices_of_messages_have_one(self) -> None:
        self.notice(f"message:{uuid4()}")

    def break_one_mail_per_notice(self) -> None:
        notice = self.notice("mailed")
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute(
                "select conname from pg_constraint where conrelid = 'profiles_outgoingmail'::regclass and contype = 'u'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"alter table profiles_outgoingmail drop constraint {name}")
        for _ in range(2):
            OutgoingMail.objects.create(
                notification=notice,
                recipients=["a@example.org"],
                subject="x",
                body="x",
                from_email="b@example.org",
            )

    def break_no_work_is_forgotten(self) -> None:
        mark = Mark.objects.create(what="trust", object_id=1, why="a test")
        Mark.objects.filter(pk=mark.pk).update(run_at=timezone.now() - timedelta(hours=1))

    def break_trust_parts_make_the_value(self) -> None:
        TrustScore.objects.filter(author=self.alice_author).update(value=99)

    def break_timeline_ends_at_the_score(self) -> None:
        TrustChange.objects.create(
            author=self.alice_author,
            at=timezone.now(),
            old_value=0,
            value=88,
            old_level=0,
            level=5,
            formula_version=1,
        )

    def break_decisions_are_audited(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("alter table profiles_auditentry disable trigger profiles_auditentry_append_only")
            AuditEntry.objects.filter(action="claim.approve").delete()
            cursor.execute("alter table profiles_auditentry enable trigger profiles_auditentry_append_only")

    def break_logs_are_append_only(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("alter table trust_evidence disable trigger trust_evidence_append_only")

    def break_trust_is_recomputed(self) -> None:
        TrustScore.objects.filter(author=self.alice_author).update(level=5)

    def break_collaborations_are_recomputed(self) -> None:
        Collaboration.objects.all().delete()
