"""What the tests of the moderators' desk share."""

from typing import Any

from allauth.account.models import EmailAddress

from profiles.models import Claim, ClaimEvidence, ClaimStep, User
from profiles.services import accounts
from tests.factories import make_author, make_user
from tests.profiles.cast import PeopleTestCase
from works.models import Author


def file_claim(user: User, author: Author, state: str = Claim.State.SUBMITTED, **fields: Any) -> Claim:
    """Return a claim as filing it leaves it, in any state; without the evidence being asked."""
    claim = Claim.objects.create(
        user=user, author=author, state=state, case=fields.pop("case", "It is me."), **fields
    )
    ClaimStep.objects.create(
        claim=claim, from_state="", to_state=Claim.State.SUBMITTED, actor=user, by="claimant"
    )
    if state != Claim.State.SUBMITTED:
        ClaimStep.objects.create(
            claim=claim, from_state=Claim.State.SUBMITTED, to_state=state, actor=None, by="system"
        )
    return claim


def add_evidence(claim: Claim, outcome: str, sentence: str, **fields: Any) -> ClaimEvidence:
    fields = {"route": "domain", "check_name": "address", **fields}
    return ClaimEvidence.objects.create(claim=claim, outcome=outcome, sentence=sentence, **fields)


def add_address(user: User, email: str, *, verified: bool = True) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=email, verified=verified, primary=False)


class DeskTestCase(PeopleTestCase):
    """Adds a third moderator and a claim by bob on the page of bob."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.third_moderator = make_user("Thi Rd", is_staff=True)
        for moderator in (cls.moderator, cls.second_moderator, cls.third_moderator):
            accounts.make_moderator(user=moderator)
        cls.claim = file_claim(cls.bob, cls.bob_author, case="It is me, Bob Stone.")

    def decide(
        self, user: User, claim: Claim, decision: str, reason: str = "Because.", **options: Any
    ) -> Any:
        path = f"/moderation/claims/{claim.pk}/decide/"
        response = self.post(user, path, {"decision": decision, "reason": reason}, **options)
        claim.refresh_from_db()
        return response

    def make_disputed(self) -> Claim:
        claim = Claim.objects.get(user=self.dora, author=self.dora_author)
        self.decide(self.moderator, claim, "dispute", "A rival shows an address.")
        self.assertEqual(claim.state, "disputed")
        return claim

    def spammer(self) -> tuple[User, list[Claim]]:
        user = make_user("Spam Mer")
        return user, [file_claim(user, make_author(f"Known Person {n}")) for n in range(3)]
