import json
from datetime import timedelta
from typing import Any

from django.test import SimpleTestCase
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from profiles.claims.signals import DISPOSABLE, INSTITUTION, NONE, OWN, PROVIDER, RECORD, risk, signals
from profiles.models import Claim, User
from tests.factories import make_author, make_user
from tests.profiles.claims.cast import (
    CARBERRY,
    NAME,
    ROR,
    EvidenceTestCase,
    author_of,
    bring,
    confirm,
    forget_addresses,
    give_page,
    line,
    paper,
    sign_in,
    there,
    university,
)


class SignalTests(EvidenceTestCase):
    def setUp(self) -> None:
        super().setUp()
        bring(
            university("Brown University", ROR, "brown.edu"),
            university("Tufts University", "02mhbdp94", "tufts.edu"),
        )
        bring(paper("10.5555/1", "On cracked pots", line(orcid=CARBERRY, institutions=there())))
        forget_addresses(self.josiah)

    def signals(self, user: User | None = None) -> dict[str, object]:
        user = user or self.josiah
        return signals(user=user, author=author_of(), findings=self.gather(user))

    def test_classes_of_mail_domains_the_most_telling_of_several(self) -> None:
        self.assertEqual(self.signals()["mail_class"], NONE)
        for address, kind in (
            ("j@mailinator.com", DISPOSABLE), ("j@gmail.com", PROVIDER), ("j@carberry.example", OWN), ("j@cs.tufts.edu", INSTITUTION),
            ("j@brown.edu", RECORD),
        ):  # fmt: skip
            confirm(self.josiah, address)
            found = self.signals()
            self.assertEqual((found["mail_class"], found["mail_domain"]), (kind, address[2:]))

    def test_what_is_known_of_account_and_page(self) -> None:
        confirm(self.josiah, "j@carberry.example")
        User.objects.filter(pk=self.josiah.pk).update(date_joined=timezone.now() - timedelta(days=3, hours=1))
        self.josiah.refresh_from_db()
        for state in (Claim.State.REJECTED, Claim.State.WITHDRAWN):
            Claim.objects.create(user=self.josiah, author=make_author(), state=state)
        confirm(self.eve, "eve@carberry.example")
        Claim.objects.create(user=self.eve, author=make_author(), state=Claim.State.REJECTED)
        found = self.signals()
        self.assertEqual(
            {
                name: found[name]
                for name in (
                    "account_days",
                    "hours_to_claim",
                    "other_claims",
                    "claims_ended_badly",
                    "domain_ended_badly",
                )
            },
            {
                "account_days": 3,
                "hours_to_claim": 73,
                "other_claims": 2,
                "claims_ended_badly": 1,
                "domain_ended_badly": 1,
            },
        )
        self.assertEqual(
            (found["name_fit"], found["look_alike_name"], found["page_held"], found["enough"]),
            ("full", False, False, []),
        )
        self.assertEqual(json.loads(json.dumps(found)), found)

    def test_others_at_a_public_provider_are_nobodys_company(self) -> None:
        confirm(self.josiah, "j@gmail.com")
        confirm(self.eve, "eve@gmail.com")
        Claim.objects.create(user=self.eve, author=make_author(), state=Claim.State.REJECTED)
        self.assertEqual(self.signals()["domain_ended_badly"], 0)

    def test_a_held_page_and_strong_evidence(self) -> None:
        sign_in(self.josiah)
        confirm(self.josiah, "j@brown.edu")
        self.assertEqual(self.signals()["enough"], ["orcid", "domain"])
        good = risk(self.signals())
        give_page(make_user(NAME), author_of())
        self.assertEqual((self.signals()["page_held"], self.signals()["enough"]), (True, []))
        self.assertGreater(risk(self.signals()), good)

    def test_a_name_that_does_not_fit(self) -> None:
        self.assertEqual(self.signals(self.eve)["name_fit"], "none")


class RiskTests(SimpleTestCase):
    def test_bounds(self) -> None:
        worst: dict[str, Any] = {
            "mail_class": DISPOSABLE, "account_days": 0, "hours_to_claim": 0, "other_claims_lately": 99, "claims_ended_badly": 99,
            "domain_ended_badly": 99, "page_held": True, "well_known": True, "name_fit": "none", "look_alike_name": True,
            "speak_against": 9, "enough": [],
        }  # fmt: skip
        best = {
            "mail_class": RECORD,
            "account_days": 900,
            "hours_to_claim": 9,
            "name_fit": "full",
            "enough": ["orcid"],
        }
        self.assertEqual((risk(worst), risk(best), risk({})), (100, 0, 0))

    @given(
        st.fixed_dictionaries(
            {
                "mail_class": st.sampled_from([RECORD, INSTITUTION, OWN, PROVIDER, DISPOSABLE, NONE]),
                "account_days": st.integers(0, 4000),
                "claims_ended_badly": st.integers(0, 50),
                "speak_against": st.integers(0, 5),
                "name_fit": st.sampled_from(["none", "initials", "full"]),
            }
        )
    )
    def test_more_trouble_is_never_less_risk(self, known: dict[str, Any]) -> None:
        base = risk(known)
        self.assertTrue(0 <= base <= 100)
        for worse in (
            {"speak_against": known["speak_against"] + 1},
            {"look_alike_name": True},
            {"page_held": True},
        ):
            self.assertGreaterEqual(risk(known | worse), base)
