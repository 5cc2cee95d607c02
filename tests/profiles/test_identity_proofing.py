"""What federations say of who somebody is, and what of it the ledger takes."""

from datetime import timedelta
from typing import Any

from allauth.account.signals import user_logged_in
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_updated
from django.test import RequestFactory, SimpleTestCase, override_settings
from django.utils import timezone

from profiles.models import Claim
from profiles.services import claims, identity_proofing
from profiles.services.identity_proofing import NotCounted, read_proof
from tests.base import CastTestCase
from tests.factories import make_claimed
from trust.models import Evidence, EvidenceDetail
from trust.services import rescore_authors

ISSUER = "https://proxy.federation.example"
ENTITY = "https://idp.stone.example/idp/shibboleth"
ISSUERS = {"federation": ISSUER, "stone": ENTITY}
RAF = "https://refeds.org/assurance"
HIGH = [RAF, f"{RAF}/version/2", f"{RAF}/ID/unique", f"{RAF}/IAP/low", f"{RAF}/IAP/medium", f"{RAF}/IAP/high"]
MEDIUM = HIGH[:-1]


def openid(values: Any = HIGH, name: str = "Alice Ngata", **more: Any) -> dict[str, Any]:
    """Return extra_data as allauth keeps it of an OpenID Connect log-in."""
    userinfo = {"sub": "a1", "name": name, "eduperson_assurance": values, **more}
    return {"id_token": {"sub": "a1", "iss": ISSUER}, "userinfo": userinfo}


def saml(values: list[str]) -> dict[str, Any]:
    return {
        "urn:oid:2.5.4.42": ["Alice"],
        "urn:oid:2.5.4.4": ["Ngata"],
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.11": values,
    }


@override_settings(IDENTITY_ISSUERS=ISSUERS)
class ReadingTests(SimpleTestCase):
    def test_the_highest_level_asserted_counts(self) -> None:
        for values, kind in (
            (HIGH, "identity_high"),
            (MEDIUM, "identity_medium"),
            ([*HIGH[::-1]], "identity_high"),
        ):
            proof = read_proof({"name": "Alice Ngata", "eduperson_assurance": values}, ISSUER)
            self.assertEqual((proof.kind, proof.issuer, proof.names), (kind, ISSUER, ("Alice Ngata",)))

    def test_attributes_are_known_by_the_names_of_saml_and_of_openid(self) -> None:
        self.assertEqual(read_proof(saml(MEDIUM), ENTITY).names, ("Alice Ngata",))
        one_text = {"displayName": "Alice Ngata", "eduPersonAssurance": ";".join(MEDIUM)}
        self.assertEqual(read_proof(one_text, ENTITY).kind, "identity_medium")

    def test_what_does_not_hold_in_full_does_not_count(self) -> None:
        for values, says in (
            (HIGH[1:], "framework is not asserted"),
            ([RAF, f"{RAF}/IAP/high"], "unique identifier"),
            (HIGH[:4], "medium or high"),
            ([RAF, HIGH[2], f"{RAF}/IAP/local-enterprise"], "medium or high"),
            ([RAF, HIGH[2], f"{RAF}/IAP/HIGH"], "medium or high"),
            ([RAF, HIGH[2], "http://refeds.org/assurance/IAP/high"], "medium or high"),
            ([RAF, HIGH[2], f"{RAF}/IAP/high/x"], "medium or high"),
            ([], "framework is not asserted"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(NotCounted, says):
                read_proof({"name": "Alice Ngata", "eduperson_assurance": values}, ISSUER)

    def test_hostile_values_are_refused_with_a_sentence_that_repeats_nothing(self) -> None:
        for attributes in (
            None,
            [],
            "x",
            {},
            {"eduperson_assurance": None},
            {"eduperson_assurance": {"x": HIGH}},
            {"eduperson_assurance": [None, 3, ["x"], {"y": 1}, "\x00evil" * 1000]},
            {"eduperson_assurance": "\x00" * 1_000_000},
            {"eduperson_assurance": ["evil\nline"] * 100_000 + HIGH},
            {"eduperson_assurance": HIGH, "name": ["", "\x00", 7, None]},
        ):
            with self.assertRaises(NotCounted) as caught:
                read_proof(attributes, ISSUER)  # type: ignore[arg-type]
            self.assertNotIn("evil", str(caught.exception))

    def test_only_listed_issuers_count(self) -> None:
        for issuer in ("", "https://evil.example", ISSUER + "/", "federation"):
            with self.subTest(issuer=issuer), self.assertRaisesRegex(NotCounted, "IDENTITY_ISSUERS"):
                read_proof({"name": "Alice Ngata", "eduperson_assurance": HIGH}, issuer)
        with override_settings(IDENTITY_ISSUERS={}), self.assertRaises(NotCounted):
            read_proof({"name": "Alice Ngata", "eduperson_assurance": HIGH}, ISSUER)


@override_settings(IDENTITY_ISSUERS=ISSUERS)
class AccountTests(CastTestCase):
    def account(self, data: Any, provider: str = "federation", user: Any = None) -> SocialAccount:
        user = user or self.alice
        account, _ = SocialAccount.objects.update_or_create(
            user=user, provider=provider, uid=f"a{user.pk}", defaults={"extra_data": data}
        )
        return account

    def lines(self) -> list[tuple[str, str]]:
        rows = Evidence.objects.filter(author=self.alice_author, kind__startswith="identity", ended_by=None)
        return list(rows.order_by("pk").values_list("kind", "source"))

    def refused(self, account: SocialAccount, says: str) -> None:
        with self.assertLogs("profiles.services.identity_proofing", "WARNING") as logged:
            self.assertIsNone(identity_proofing.look_at_account(account))
        self.assertEqual(len(logged.output), 1)
        self.assertIn(says, logged.output[0])
        self.assertEqual(self.lines(), [])

    def test_a_log_in_writes_a_line_for_twelve_months_and_its_points(self) -> None:
        line = identity_proofing.look_at_account(self.account(openid()))
        assert line is not None
        self.assertEqual(self.lines(), [("identity_high", "proxy.federation.example")])
        self.assertEqual(line.expires_at, line.observed_at + timedelta(days=365))
        rescore_authors([self.alice_author.pk])
        self.alice_author.refresh_from_db()
        given = [part for part in self.alice_author.trust.parts if part["name"] == "Independent assertion"]
        self.assertEqual(given[0]["points"], 4)

    def test_saml_accounts_count_too(self) -> None:
        identity_proofing.look_at_account(self.account(saml(MEDIUM), "stone"))
        self.assertEqual(self.lines(), [("identity_medium", "idp.stone.example")])

    def test_logging_in_again_renews_after_thirty_days_and_another_level_replaces(self) -> None:
        first = identity_proofing.look_at_account(self.account(openid()))
        self.assertEqual(identity_proofing.look_at_account(self.account(openid())), first)
        self.assertEqual(
            identity_proofing.look_at_account(self.account(openid(MEDIUM))).kind, "identity_medium"
        )
        self.assertEqual(len(self.lines()), 1)
        long_ago = timezone.now() - timedelta(days=40)
        claim = Claim.objects.get(user=self.alice)
        old = Evidence.objects.create(
            author=self.alice_author, kind="identity_high", source="x", event_key=f"claim:{claim.pk}:identity_high:9",
            observed_at=long_ago, expires_at=long_ago + timedelta(days=365),
        )  # fmt: skip
        renewed = identity_proofing.look_at_account(self.account(openid()))
        assert renewed is not None
        self.assertGreater(renewed.observed_at, old.observed_at)
        self.assertEqual(self.lines(), [("identity_high", "proxy.federation.example")])

    def test_it_ends_with_the_claim_and_its_private_part_goes(self) -> None:
        identity_proofing.look_at_account(self.account(openid()))
        self.assertTrue(EvidenceDetail.objects.filter(detail__issuer=ISSUER).exists())
        claims.give_up_claim(claim=Claim.objects.get(user=self.alice), actor=self.alice)
        self.assertEqual(self.lines(), [])
        self.assertFalse(EvidenceDetail.objects.filter(detail__issuer=ISSUER).exists())

    def test_what_is_not_about_this_person_is_refused(self) -> None:
        self.refused(self.account(openid(name="Somebody Else")), "does not fit the page")
        self.refused(self.account(openid(sub="other")), "different subjects")
        self.refused(self.account(openid(iss="https://evil.example")), "another issuer")
        self.refused(self.account(["x"]), "cannot be read")
        self.refused(self.account(openid(), user=self.bob), "holds no page")
        Claim.objects.filter(user=self.alice).update(state=Claim.State.DISPUTED)
        self.refused(self.account(openid()), "disputed")

    def test_providers_that_are_not_listed_are_not_even_read(self) -> None:
        for provider in ("orcid", "evil"):
            with self.assertNoLogs("profiles.services.identity_proofing"):
                self.assertIsNone(identity_proofing.look_at_account(self.account(openid(), provider)))
        self.assertEqual(self.lines(), [])

    def test_allauths_signals_lead_here_once_the_log_in_is_committed(self) -> None:
        identity_proofing.connect()
        for signal, provider, lines in (
            (social_account_added, "federation", 1),
            (social_account_updated, "federation", 1),
            (user_logged_in, "federation", 1),
            (user_logged_in, "orcid", 0),
        ):
            with self.subTest(signal=signal, provider=provider):
                researcher = make_claimed("Alice Ngata")
                account = self.account(openid(), provider, researcher.user)
                request = RequestFactory().get("/")
                request.user, request.session = researcher.user, self.client.session
                request.session.save()
                login = SocialLogin(user=researcher.user, account=account)
                found = Evidence.objects.filter(author=researcher.author, kind="identity_high")
                with self.captureOnCommitCallbacks(execute=True):
                    signal.send(sender=SocialLogin, request=request, user=researcher.user, sociallogin=login)
                    self.assertEqual(found.count(), 0)
                self.assertEqual(found.count(), lines)

    def test_a_claim_accepted_later_can_be_looked_at_then(self) -> None:
        self.account(openid())
        identity_proofing.look_at_member(self.alice)
        self.assertEqual(len(self.lines()), 1)
