import zlib
from datetime import timedelta
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.signing import b64_decode
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from profiles import models as m
from profiles.services import claims, curation, data_export, deletion, follows, history, notifications
from tests.factories import PASSWORD, make_author, make_institution, make_user
from tests.profiles.cast import PeopleTestCase, client_of, invite
from tests.profiles.test_data_export import note_login
from trust import services as trust
from trust.models import Evidence, EvidenceDetail
from works.models import Mark

NAME, BIO = "Zerlina Quastenfloss", "I study the migration of wooden puppets."
EMAIL, SECOND = "zerlina@quastenfloss.example", "z.q@second.example"


def tables_with(*words: str) -> list[str]:
    """Return where in the database one of the words stands: in any column of text or JSON of any table."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'public'"
            " and data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'tsvector')"
        )
        columns = cursor.fetchall()
        for table, column in columns:
            for word in words:
                sql = f'select count(*) from "{table}" where "{column}"::text ilike %s'  # noqa: S608
                cursor.execute(sql, [f"%{word}%"])
                if cursor.fetchone()[0]:
                    found.append(f"{table}.{column}: {word}")
    return found


def words_of_sessions() -> str:
    """Return what the sessions hold, unpacked: it is compressed in its column."""
    text = ""
    for data in Session.objects.values_list("session_data", flat=True):
        packed = data.split(":")[0]
        raw = b64_decode(packed.lstrip(".").encode())
        text += (zlib.decompress(raw) if packed.startswith(".") else raw).decode()
    return text


class DeletionTests(PeopleTestCase):
    def delete(self, user: m.User) -> str:
        """Go the way of the page, and return what it says in the end."""
        client = client_of(user)
        response = client.post("/me/delete/")
        self.assertEqual(response.status_code, 302)
        self.assertTrue(m.User.objects.filter(pk=user.pk).exists())  # nothing before the password
        response = client.post(response["Location"], {"password": PASSWORD}, follow=True)
        self.assertContains(response, "Your account is deleted")
        self.assertEqual(client.get("/me/").status_code, 302)
        return response.content.decode()

    def test_a_wrong_password_deletes_nothing(self) -> None:
        client = client_of(self.alice)
        response = client.post("/me/delete/")
        client.post(response["Location"], {"password": "wrong"})
        self.assertTrue(m.User.objects.filter(pk=self.alice.pk).exists())

    def test_the_page_says_what_goes_and_what_stays(self) -> None:
        page = self.get(self.alice, "/me/delete/")
        for words in ("What goes", "What stays, without your name", "The public record", "Delete for good"):
            self.assertContains(page, words)
        self.assertContains(self.get(self.charlie, "/me/delete/"), "Whatever you say about yourself here")

    def test_who_logs_in_with_orcid_alone_logs_in_again_first(self) -> None:
        self.alice.set_unusable_password()
        self.alice.save()
        SocialAccount.objects.create(user=self.alice, provider="orcid", uid="0000-0002-1825-0097")
        client = client_of(self.alice)
        self.assertContains(client.post("/me/delete/"), "Log out and in again", status_code=403)
        note_login(client, self.alice, ago=0)
        self.assertContains(client.post("/me/delete/"), "Your account is deleted")
        self.assertFalse(m.User.objects.filter(pk=self.alice.pk).exists())

    def test_the_page_becomes_unclaimed_and_counts_stay_right(self) -> None:
        claim = claims.submit_claim(user=self.bob, author=self.bob_author, case="It is me, Bob Stone.")
        claims.approve_claim(claim=claim, actor=self.moderator)
        follows.follow(follower=self.bob, target=self.alice_author)
        self.delete(self.bob)
        for author in (self.bob_author, self.alice_author):
            author.refresh_from_db()
        self.assertFalse(self.bob_author.claimed)
        self.assertFalse(m.Researcher.objects.filter(author=self.bob_author).exists())
        self.assertEqual((self.alice_author.followers_count, m.Follow.objects.count()), (0, 0))
        self.assertFalse(Evidence.objects.filter(author=self.bob_author, ends=None, ended_by=None).exists())

    def test_claims_stay_in_the_log_without_a_person_and_without_words(self) -> None:
        held = self.alice.claims.get()
        m.Claim.objects.filter(pk=held.pk).update(
            link_url="https://alice.example", link_token="t", signals={"a": 1}
        )
        waiting = claims.submit_claim(user=self.bob, author=self.bob_author, case="My case.")
        for claim in (held, waiting):
            m.ClaimAttachment.objects.create(claim=claim, name="x", content_type="a/b", content=b"x", size=1)
            m.ClaimEvidence.objects.create(
                claim=claim, route="orcid", check_name="x", outcome="met", sentence="x"
            )
            m.ClaimConfirmation.objects.create(claim=claim, asked=self.dora, author=self.dora_author)
        self.delete(self.alice)
        self.delete(self.bob)
        for claim in (held, waiting):
            claim.refresh_from_db()
            self.assertEqual(
                (claim.user, claim.state, claim.case, claim.link_url, claim.link_token, claim.signals),
                (None, "withdrawn", "", "", "", {}),
            )
            self.assertEqual(set(claim.steps.values_list("actor", flat=True)), {None})
            self.assertEqual(claim.steps.last().to_state, "withdrawn")
        for part in (m.ClaimAttachment, m.ClaimEvidence, m.ClaimConfirmation):
            self.assertFalse(part.objects.exists())

    def test_messages_stay_with_the_other_person_without_a_name(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.alice, "Keep this")
        self.delete(self.alice)
        page = self.get(self.dora, conversation.get_absolute_url())
        self.assertContains(page, "Keep this")
        self.assertContains(page, "A former member")
        self.assertNotContains(page, "Alice Ngata")
        self.delete(self.dora)
        self.assertFalse(m.Message.objects.exists())

    def test_invitations_stay_readable_for_the_other_person(self) -> None:
        invite(self.dora, self.alice_author, offer="What Dora offers")
        invite(self.alice, self.dora_author, offer="What Alice offers")
        self.delete(self.alice)
        self.assertFalse(m.Invitation.objects.exists())
        page = self.get(self.dora, "/me/conversations/")
        for conversation in m.Conversation.objects.all():
            self.assertContains(page, conversation.get_absolute_url())
        text = "".join(
            self.get(self.dora, conversation.get_absolute_url()).content.decode()
            for conversation in m.Conversation.objects.all()
        )
        self.assertIn("What Dora offers", text)
        self.assertIn("What Alice offers", text)
        self.assertNotIn("Alice Ngata", text)

    def test_what_was_said_for_an_institution_stands_without_who_said_it(self) -> None:
        institution = make_institution()
        line = trust.record_evidence(
            author_id=self.bob_author.pk, kind=Evidence.Kind.AFFILIATION_ASSERTED, source="x", event_key="a:1",
            observed_at=timezone.now(), asserted_by_institution_id=institution.pk,
        )  # fmt: skip
        standing = m.Representative.objects.create(
            user=self.charlie,
            institution=institution,
            email=self.charlie.email,
            position="Librarian",
            state="approved",
        )
        assertion = m.Assertion.objects.create(
            institution=institution, author=self.bob_author, representative=standing, evidence=line,
            expires_at=timezone.now() + timedelta(days=365),
        )  # fmt: skip
        self.delete(self.charlie)
        assertion.refresh_from_db()
        self.assertEqual((assertion.representative, assertion.revoked_at), (None, None))
        self.assertFalse(m.Representative.objects.exists())

    def test_vouches_end(self) -> None:
        line = trust.record_evidence(
            author_id=self.bob_author.pk, kind=Evidence.Kind.VOUCH, source="x", event_key="v:1",
            observed_at=timezone.now(), asserted_by_author_id=self.alice_author.pk,
        )  # fmt: skip
        vouch = m.Vouch.objects.create(
            user=self.alice,
            voucher=self.alice_author,
            author=self.bob_author,
            statement="We met.",
            evidence=line,
        )
        self.delete(self.alice)
        vouch.refresh_from_db()
        self.assertEqual((vouch.user, vouch.statement, vouch.revoked_at is None), (None, "", False))
        self.assertTrue(Evidence.objects.filter(ends=line).exists())

    def test_a_request_that_waits_is_decided_and_answered_to_nobody(self) -> None:
        request = curation.confirm_request(
            request=curation.request_curation(
                kind="removal", record=self.bob_author, email=self.charlie.email, message="Please hide it."
            )
        )
        self.delete(self.charlie)
        request = curation.hide_author(request=request, actor=self.moderator, answer="It is hidden.")
        self.assertEqual((request.email, request.state), ("", "done"))
        self.assertFalse(m.OutgoingMail.objects.filter(subject__contains="answer").exists())
        self.bob_author.refresh_from_db()
        self.assertTrue(self.bob_author.suppressed)


class NothingIsLeftTests(PeopleTestCase):
    """After deletion no table holds the name, an address or the words of the page."""

    def setUp(self) -> None:
        self.member = make_user(NAME, email=EMAIL)
        EmailAddress.objects.create(user=self.member, email=SECOND, verified=True)
        self.page = make_author("Z. Quast")
        claim = claims.submit_claim(user=self.member, author=self.page, case=f"I am {NAME}.")
        claims.approve_claim(claim=claim, actor=self.moderator)
        self.claim = claim

    def live(self) -> None:
        """Leave a name, an address or words wherever a member leaves them."""
        me, claim = self.member, self.claim
        self.client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
        m.Researcher.objects.filter(user=me).update(bio=BIO, collaboration_scope=BIO)
        m.ResearcherLink.objects.create(researcher=me.researcher, url=f"https://x.example/{NAME}", label=NAME)
        m.Photo.objects.create(researcher=me.researcher, content=b"x", digest="x", alt=NAME)
        m.ClaimAttachment.objects.create(claim=claim, name=NAME, content_type="a/b", content=b"x", size=1)
        m.ClaimEvidence.objects.create(
            claim=claim, route="domain", check_name="x", outcome="met", sentence=NAME, detail={"email": EMAIL}
        )
        trust.record_evidence(
            author_id=self.page.pk, kind=Evidence.Kind.DOMAIN_CONFIRMED, source="x", observed_at=timezone.now(),
            event_key=f"claim:{claim.pk}:domain", detail={"email": SECOND},
        )  # fmt: skip
        SocialAccount.objects.create(user=me, provider="orcid", uid="x", extra_data={"name": NAME})
        Authenticator.objects.create(user=me, type="totp", data={"secret": NAME})
        m.Representative.objects.create(user=me, institution=make_institution(), email=SECOND, position=NAME)
        follows.follow(follower=me, target=self.alice_author)
        m.Block.objects.create(blocker=self.charlie, blocked=me)
        conversation = self.make_conversation()
        m.Participant.objects.create(conversation=conversation, user=me)
        self.say(conversation, me, "No name in here")
        invite(me, self.dora_author)
        notifications.notify(
            recipient=self.bob, actor=me, verb=m.Notification.Verb.INVITATION_RECEIVED, target_url="/me/",
            target_text="x", event_key=f"x:{uuid4()}",
        )  # fmt: skip
        curation.request_curation(kind="correction", record=self.page, email=EMAIL, message="It is wrong.")
        curation.confirm_request(
            request=curation.request_curation(
                kind="correction", record=self.page, email=SECOND, message="It is wrong as well."
            )
        )
        sent = m.OutgoingMail.objects.order_by("pk").first()
        m.OutgoingMail.objects.filter(pk=sent.pk).update(sent_at=timezone.now(), body="", subject=NAME)
        history.audit(actor=me, by=m.By.OWNER, action="x", subject=f"author:{self.page.pk}")
        for kind in (m.Change.Kind.BIO, m.Change.Kind.LINKS, m.Change.Kind.AVAILABILITY, m.Change.Kind.PHOTO):
            history.record_change(
                kind=kind,
                author=self.page,
                actor=me,
                by=m.By.OWNER,
                reason=NAME,
                before={"x": BIO},
                after={"y": NAME},
            )
        history.record_change(
            kind=m.Change.Kind.AVAILABILITY,
            author=self.page,
            actor=None,
            by=m.By.SYSTEM,
            before={"scope": BIO},
        )
        history.record_change(kind=m.Change.Kind.NOT_MINE, author=self.page, actor=me, by=m.By.OWNER)
        LogEntry.objects.create(
            user=self.moderator, content_type=ContentType.objects.get_for_model(m.User), object_id=str(me.pk),
            object_repr=NAME, action_flag=2,
        )  # fmt: skip
        data_export.request_export(user=me)
        data_export.make_exports()

    def test_nothing_that_names_them_is_left(self) -> None:
        self.live()
        words = (NAME, EMAIL, SECOND, BIO)
        self.assertGreater(len(tables_with(*words)), 12)
        self.assertIn(EMAIL, words_of_sessions())
        self.assertTrue(UserSession.objects.filter(user=self.member).exists())
        number = self.member.pk
        deletion.delete_account(user=self.member)
        self.assertEqual(tables_with(*words), [])
        self.assertNotIn(EMAIL, words_of_sessions())
        self.assertFalse(
            EvidenceDetail.objects.filter(evidence__event_key__contains=str(self.claim.pk)).exists()
        )
        entry = m.AuditEntry.objects.get(action="account.delete")
        self.assertEqual((entry.actor, entry.subject), (None, f"user:{number}"))
        self.assertEqual(set(m.Change.objects.values_list("actor", flat=True)), {None})

    def test_the_history_of_the_page_cannot_be_changed_otherwise(self) -> None:
        change = history.record_change(
            kind=m.Change.Kind.BIO, author=self.page, actor=self.member, by=m.By.OWNER, after={"bio": BIO}
        )
        merged = history.record_change(
            kind=m.Change.Kind.MERGE, author=self.page, actor=self.member, by=m.By.OWNER, after={"x": 1}
        )
        mine = m.Change.objects.filter(pk=change.pk)
        for refused in (
            lambda: mine.update(after={}),  # with the name still there
            lambda: mine.update(actor=None, after={"bio": "Something else"}),
            lambda: mine.update(actor=None, after={}, by="moderator"),
            lambda: m.Change.objects.filter(pk=merged.pk).update(actor=None, after={}),
            mine.delete,
        ):
            with self.assertRaisesMessage(IntegrityError, "append-only"), transaction.atomic():
                refused()
        self.assertEqual(mine.update(actor=None, before={}, after={}, reason=""), 1)
        with self.assertRaisesMessage(IntegrityError, "append-only"), transaction.atomic():
            mine.update(after={"bio": "Once empty, it stays empty"})

    def test_mails_that_wait_are_not_sent_any_more(self) -> None:
        self.live()
        waiting = set(m.OutgoingMail.objects.filter(sent_at=None).values_list("pk", flat=True))
        deletion.delete_account(user=self.member)
        gone = waiting - set(m.OutgoingMail.objects.values_list("pk", flat=True))
        self.assertTrue(gone)
        self.assertTrue(Mark.objects.filter(what="mail", object_id__in=gone).exists())
        from profiles.tasks import send_outbox

        send_outbox()  # a mark whose mail is gone does no harm
        self.assertFalse(Mark.objects.filter(what="mail", attempts__gt=0).exists())
