import csv
import io
import json
import zipfile
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Model

from profiles import models as m
from profiles.services import claims, data_export, follows, invitations
from tests.factories import make_author, make_institution, make_topic, make_user, make_work
from tests.profiles.canaries import Planter, looked_for, models_of_people
from tests.profiles.cast import PeopleTestCase, invite
from trust import services as trust
from trust.models import Evidence

Row = dict[str, Any]

SECRET = "whoever reads it could act as the member"
FOR_MODERATORS = "moderators note it for each other; it may speak of others"
TECHNICAL = (
    "made from the event or the sender's page, so that a retry adds nothing; says nothing about anybody"
)
# Models or columns that are not in the export, and why.
LEFT_OUT = {
    "account.EmailConfirmation": "not used: addresses are confirmed by signed links",
    "socialaccount.SocialToken": SECRET,
    "profiles.User.password": SECRET,
    "mfa.Authenticator.data": SECRET,
    "usersessions.UserSession.session_key": SECRET,
    "profiles.Claim.risk": FOR_MODERATORS,
    "profiles.Claim.signals": FOR_MODERATORS,
    "profiles.ClaimEvidence.detail": FOR_MODERATORS,
    "profiles.AuditEntry.data": FOR_MODERATORS,
    "profiles.Report.answer": FOR_MODERATORS,
    "profiles.Preferences.feed_token": SECRET,
    "profiles.ClaimStep.actor": "who acted is shown by the part they had: by",
    **dict.fromkeys(
        [
            f"profiles.{name}.decided_by"
            for name in ("Proposal", "Report", "Representative", "CurationRequest")
        ],
        "moderators decide as moderators, not under their names",
    ),
    **dict.fromkeys(
        [f"profiles.{name}.researcher" for name in ("ResearcherLink", "ShownWork", "Photo")],
        "a member has one page; it stands in profile",
    ),
    "admin.LogEntry.object_repr": "names other people; what was done stands beside",
    "profiles.Notification.event_key": TECHNICAL,
    "profiles.Message.client_key": TECHNICAL,
    "profiles.CurationRequest.address_hash": "a keyed hash for a day, which nobody can read back",
    "profiles.DataExport.content": "earlier exports within an export would grow without end",
}
# Where the rows of a model stand in the export.
FILES = {
    "account.EmailAddress": "email_addresses",
    "admin.LogEntry": "admin_log",
    "mfa.Authenticator": "second_factors",
    "profiles.Assertion": "assertions",
    "profiles.AuditEntry": "audit",
    "profiles.Block": "blocks",
    "profiles.CarriedFollow": "carried_follows",
    "profiles.Change": "changes",
    "profiles.Claim": "claims",
    "profiles.ClaimAttachment": "claim_attachments",
    "profiles.ClaimConfirmation": "confirmations_asked",
    "profiles.ClaimEvidence": "claim_evidence",
    "profiles.ClaimStep": "claim_steps",
    "profiles.Conversation": "conversations",
    "profiles.CurationRequest": "requests_about_records",
    "profiles.DataExport": "exports",
    "profiles.Follow": "follows",
    "profiles.Introduction": "introductions",
    "profiles.Invitation": "invitations",
    "profiles.MailChoice": "mail_choices",
    "profiles.MessageVersion": "message_versions",
    "profiles.NotInterested": "not_interested",
    "profiles.Preferences": "preferences",
    "profiles.Project": "projects",
    "profiles.Recommendation": "recommendations",
    "profiles.SavedSearch": "saved_searches",
    "profiles.Vouch": "vouches",
    "profiles.Message": "messages",
    "profiles.Notification": "notifications",
    "profiles.OutgoingMail": "mails",
    "profiles.Participant": "conversations",
    "profiles.Photo": "photo",
    "profiles.Proposal": "proposals",
    "profiles.Report": "reports",
    "profiles.Representative": "representations",
    "profiles.Researcher": "profile",
    "profiles.ResearcherLink": "links",
    "profiles.ShownWork": "shown_works",
    "profiles.User": "account",
    "socialaccount.SocialAccount": "connections",
    "usersessions.UserSession": "sessions",
}
# Columns that have another name there: a foreign key to the one row of its file needs no name at all.
RENAMED = {
    "profiles.Follow.author": "pid",
    "profiles.Follow.topic": "pid",
    "profiles.Follow.institution": "pid",
    "profiles.Message.sender": "from",
    "profiles.ClaimConfirmation.claim": "claimed_author_pid",
    "profiles.Invitation.sender": "with",
    "profiles.Invitation.recipient": "with",
}


class Export:
    """What stands in an export of a member."""

    def __init__(self, user: m.User) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(data_export.pack(user)))
        self.names = self.archive.namelist()
        self.text = "\n".join(self.archive.read(name).decode() for name in self.names)

    def rows(self, kind: str) -> list[Row]:
        return json.loads(self.archive.read(f"{kind}.json")) if f"{kind}.json" in self.names else []

    def keys(self, kind: str) -> set[str]:
        return {key for row in self.rows(kind) for key in row}


class CompletenessTests(PeopleTestCase):
    """A canary sits in every column of every row from which foreign keys lead to a member."""

    def setUp(self) -> None:
        self.member = make_user("The Member")
        self.other_claimant = m.Claim.objects.create(user=self.bob, author=self.bob_author)
        self.planter = Planter()
        self.plant()

    def plant(self) -> None:
        plant, me, author = self.planter.plant, self.member, make_author("Their Page")
        other, work, institution = make_author("Other Page"), make_work(), make_institution()
        m.User.objects.filter(pk=me.pk).update(
            last_login="2029-01-02T03:04:05Z", limited_until="2029-02-03T04:05:06Z"
        )
        me.refresh_from_db()
        self.planter.rows[m.User] = me
        address = plant(EmailAddress, user=me, verified=True, primary=False)
        plant(EmailConfirmation, email_address=address)
        plant(LogEntry, user=me, action_flag=2)
        plant(Authenticator, user=me, type="totp")
        account = plant(SocialAccount, user=me)
        plant(SocialToken, account=account)
        plant(UserSession, user=me)
        researcher = plant(m.Researcher, user=me, author=author)
        plant(m.ResearcherLink, researcher=researcher)
        plant(m.ShownWork, researcher=researcher, work=work)
        plant(m.Photo, researcher=researcher)
        claim = plant(m.Claim, user=me, author=author, state="approved")
        plant(m.ClaimStep, claim=claim, actor=me, to_state="approved")
        plant(m.ClaimEvidence, claim=claim, route="orcid", outcome="met")
        plant(m.ClaimAttachment, claim=claim)
        plant(m.ClaimConfirmation, claim=self.other_claimant, asked=me, author=author)
        change = plant(m.Change, kind="bio", author=author, other=other, actor=me, by="owner")
        plant(m.AuditEntry, actor=me, by="owner", author=author)
        plant(
            m.Proposal, kind="merge", proposer=me, by="owner", author=author, other=other, claim=claim,
            change=change, decided_by=self.moderator,
        )  # fmt: skip
        plant(m.CarriedFollow, change=change, user=me, from_author=other, to_author=author, was_there=True)
        representative = plant(m.Representative, user=me, institution=institution, decided_by=self.moderator)
        line = trust.record_evidence(
            author_id=other.pk, kind=Evidence.Kind.AFFILIATION_ASSERTED, source="x", event_key="a:1",
            observed_at=me.date_joined,
        )  # fmt: skip
        plant(
            m.Assertion, institution=institution, author=other, representative=representative, evidence=line
        )
        plant(m.Follow, user=me, topic=make_topic("cn-topic"), author=None, institution=None)
        plant(m.Block, blocker=me, blocked=self.charlie)
        plant(m.Preferences, user=me, invite_level=3, quiet_from="21:17", quiet_until="05:43")
        plant(m.MailChoice, user=me, kind="messages", often="daily")
        plant(m.SavedSearch, user=me)
        plant(m.Recommendation, user=me, kind="follow", author=other, work=None, score=1.5)
        plant(m.NotInterested, user=me, author=other, work=None)
        plant(m.Vouch, user=me, voucher=author, author=other, evidence=line)
        plant(m.Introduction, requester=me, middle=self.alice, target=self.bob, conversation=None)
        project = plant(m.Project, owner=me, conversation=None)
        invitation = plant(m.Invitation, project=project, sender=me, recipient=self.alice, author=self.alice_author, work=work,
                           purpose="paper", state="accepted")  # fmt: skip
        conversation = plant(m.Conversation, invitation=invitation)
        plant(m.Participant, conversation=conversation, user=me)
        message = plant(m.Message, conversation=conversation, sender=me)
        plant(m.MessageVersion, message=message)
        plant(m.Report, conversation=conversation, reporter=me, decided_by=self.moderator)
        notification = plant(m.Notification, recipient=me, actor=self.alice, verb="message_received")
        plant(m.OutgoingMail, notification=notification, recipients=[me.email])
        plant(m.CurationRequest, kind="correction", author=author, work=None, email=address.email,
              decided_by=self.moderator)  # fmt: skip
        plant(m.DataExport, user=me)

    def test_every_model_that_leads_to_a_member_was_thought_of(self) -> None:
        labels = {model._meta.label for model in models_of_people()}
        self.assertEqual(labels, FILES.keys() | {name for name in LEFT_OUT if name.count(".") == 1})
        self.assertEqual({model._meta.label for model in self.planter.rows}, labels)

    def test_every_column_is_in_the_export_or_left_out_for_a_reason(self) -> None:
        export = Export(self.member)
        missing, leaking = [], []
        for model, row in self.planter.rows.items():
            for field in model._meta.concrete_fields:
                name = f"{model._meta.label}.{field.name}"
                if field.primary_key or getattr(row, field.attname) == self.member.pk:
                    continue
                found = self.is_in(export, row, field)
                left_out = name in LEFT_OUT or model._meta.label in LEFT_OUT
                if not found and not left_out:
                    missing.append(name)
                if found and left_out and LEFT_OUT.get(name, SECRET) in {SECRET, FOR_MODERATORS}:
                    leaking.append(name)
        self.assertEqual((missing, leaking), ([], []))

    def is_in(self, export: Export, row: Model, field: Any) -> bool:
        """Return whether a column's value stands there; of what has few values, whether the column does."""
        model = row._meta.label
        value = getattr(row, field.attname)
        if field.is_relation or field.choices or isinstance(value, bool | None):
            if model in LEFT_OUT:
                return False
            wanted = RENAMED.get(f"{model}.{field.name}", field.name)
            return any(key == wanted or key.startswith(f"{wanted}_") for key in export.keys(FILES[model]))
        return looked_for(value) in export.text


class ContentTests(PeopleTestCase):
    def test_it_holds_what_is_mine_and_nothing_of_others(self) -> None:
        follows.follow(follower=self.alice, target=self.bob_author)
        conversation = self.make_conversation()
        self.say(conversation, self.alice, "My own words")
        claims.submit_claim(user=self.bob, author=self.bob_author, case="The case of somebody else.")
        export = Export(self.alice)
        self.assertEqual(export.rows("account")[0]["email"], self.alice.email)
        self.assertEqual(export.rows("follows")[0]["name"], "Bob Stone")
        self.assertEqual(export.rows("claims")[0]["state"], "approved")
        self.assertEqual([row["from"] for row in export.rows("messages")], ["Dora Lund", "me"])
        for private in (self.dora.email, self.bob.email, "somebody else"):
            self.assertNotIn(private, export.text)

    def test_it_does_not_tell_that_an_invitation_was_declined(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        invitations.decline_invitation(invitation=invitation, user=self.alice)
        row = Export(self.dora).rows("invitations")[0]
        self.assertEqual((row["state"], row["decided_at"]), ("pending", None))
        self.assertEqual(Export(self.alice).rows("invitations")[0]["state"], "declined")

    def test_it_tells_neither_who_blocked_me_nor_who_denied_my_claim(self) -> None:
        m.Block.objects.create(blocker=self.bob, blocked=self.alice)
        claim = self.alice.claims.get()
        m.ClaimConfirmation.objects.create(
            claim=claim, asked=self.dora, author=self.dora_author, state="denied", note="Never met"
        )
        export = Export(self.alice)
        self.assertEqual(export.rows("blocks"), [])
        self.assertEqual(export.rows("claim_confirmations")[0]["state"], "not confirmed")
        self.assertNotIn("Never met", export.text)

    def test_messages_end_where_i_left(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.dora, "Before")
        participant = conversation.participants.get(user=self.alice)
        participant.left_at = conversation.messages.last().created_at
        participant.save()
        m.Message.objects.create(
            conversation=conversation, sender=self.dora, seq=9, body="After", client_key=conversation.pk
        )
        bodies = [row["body"] for row in Export(self.alice).rows("messages")]
        self.assertEqual((bodies[-1], len(bodies)), ("Before", 2))

    def test_a_mail_with_a_link_that_logs_in_is_told_without_its_words(self) -> None:
        m.OutgoingMail.objects.create(
            recipients=[self.alice.email], subject="Your code", body="code 123456", from_email="x@example.org"
        )
        export = Export(self.alice)
        self.assertEqual(export.rows("mails")[0]["subject"], "Your code")
        self.assertNotIn("123456", export.text)

    def test_private_details_of_the_ledger_are_those_of_my_own_claims(self) -> None:
        claim = self.alice.claims.get()
        for key, email in (
            (f"claim:{claim.pk}:email", "mine@example.org"),
            ("claim:other", "former@example.org"),
        ):
            trust.record_evidence(
                author_id=self.alice_author.pk, kind=Evidence.Kind.EMAIL_CONFIRMED, source="BZPEER",
                event_key=key, observed_at=claim.created_at, detail={"email": email},
            )  # fmt: skip
        text = Export(self.alice).text
        self.assertIn("mine@example.org", text)
        self.assertNotIn("former@example.org", text)

    def test_files_lie_beside_under_names_that_are_no_paths(self) -> None:
        claim = self.alice.claims.get()
        for _ in range(2):
            m.ClaimAttachment.objects.create(
                claim=claim,
                name="../../etc/Ausweis ä.pdf",
                content_type="application/pdf",
                content=b"pdf",
                size=3,
            )
        m.Photo.objects.create(researcher=self.alice.researcher, content=b"webp", digest="d")
        export = Export(self.alice)
        paths = [row["file"] for row in export.rows("claim_attachments")]
        self.assertEqual(len(set(paths)), 2)
        self.assertTrue(
            all(path.startswith("attachments/") and ".." not in path.split("/") for path in paths)
        )
        self.assertEqual({export.archive.read(path) for path in paths}, {b"pdf"})
        self.assertEqual(export.archive.read("photo.webp"), b"webp")

    def test_cells_that_look_like_formulas_are_plain_text(self) -> None:
        names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"]
        for name in names:
            m.ResearcherLink.objects.create(
                researcher=self.alice.researcher, url=f"https://{name}.example", label=name
            )
        export = Export(self.alice)
        rows = list(csv.DictReader(io.StringIO(export.archive.read("links.csv").decode(), newline="")))
        self.assertEqual([row["label"] for row in rows], [f"'{name}" for name in names])
        self.assertEqual([row["label"] for row in export.rows("links")], names)

    def test_the_readme_says_what_is_there_and_what_is_not(self) -> None:
        export = Export(self.charlie)
        readme = export.archive.read("README.txt").decode()
        self.assertIn("account: Your account (1).", readme)
        self.assertIn("There is nothing of: ", readme)
        self.assertNotIn("claims.json", export.names)
        self.assertIn("Passwords", readme)
