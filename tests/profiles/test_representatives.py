"""Speaking for an institution, and asserting its members."""

from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles.exceptions import RepresentativeError
from profiles.models import Assertion, AuditEntry, CurationRequest, Notification, Representative, User
from profiles.services.representatives import assertions, requests
from profiles.services.representatives.addresses import why_not_at
from tests.factories import make_author, make_institution, make_user, make_work
from tests.profiles.cast import client_of
from tests.profiles.desk import DeskTestCase, add_address
from trust.models import Evidence, TrustScore
from trust.services import expire_evidence, rescore_authors
from works.models import Institution
from works.services.search_documents import refresh_author_search


class InstitutionTestCase(DeskTestCase):
    """Adds Stone University, for which rita speaks, and Other College, for which otto does."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.university = make_institution("Stone University", domains=["stone.edu"])
        cls.college = make_institution("Other College", domains=["other.edu"])
        make_work("At Stone", authors=[cls.alice_author, cls.bob_author], institution=cls.university)
        cls.rita, cls.rita_standing = cls.speaker("Rita Registrar", cls.university, "rita@stone.edu")
        cls.otto, cls.otto_standing = cls.speaker("Otto Office", cls.college, "otto@other.edu")

    @classmethod
    def speaker(cls, name: str, institution: Institution, email: str) -> tuple[User, Representative]:
        user = make_user(name)
        add_address(user, email)
        standing = Representative.objects.create(
            user=user, institution=institution, email=email, position="Registrar", state="approved"
        )
        return user, standing

    def assert_member(self, author=None, **fields) -> Assertion:  # type: ignore[no-untyped-def]
        return assertions.assert_member(
            representative=self.rita_standing, author=author or self.alice_author, **fields
        )

    @property
    def home(self) -> str:
        return f"/me/institutions/{self.university.pid}/"


class AddressTests(InstitutionTestCase):
    def test_an_address_must_stand_for_this_institution_alone(self) -> None:
        make_institution("Hospital", domains=["hospital.stone.edu"])
        make_institution("One", domains=["shared.org"])
        shared = make_institution("Two", domains=["shared.org", "edu.cn", "gmail.com"])
        for email, institution, says in (
            ("ada@stone.edu", self.university, ""),
            ("ada@CS.Stone.EDU", self.university, ""),
            ("ada@hospital.stone.edu", self.university, "not among the domains"),
            ("ada@alumni.stone.edu", self.university, "former students"),
            ("ada@student.stone.edu", self.university, "students"),
            ("ada@notstone.edu", self.university, "not among the domains"),
            ("ada@stone.edu.evil.org", self.university, "not among the domains"),
            ("ada@other.edu", self.university, "not among the domains"),
            ("ada@shared.org", shared, "shared by 2 organisations"),
            ("ada@some.edu.cn", shared, "not among the domains"),
            ("ada@edu.cn", shared, "not among the domains"),
            ("ada@gmail.com", shared, "Anybody gets an address"),
            ("ada@ѕtone.edu", self.university, "not among the domains"),
            ("nonsense", self.university, "no address"),
        ):
            with self.subTest(email=email):
                why = why_not_at(email, institution)
                self.assertEqual(why, "") if not says else self.assertIn(says, why)

    def test_a_domain_of_an_institution_that_was_withdrawn_counts_for_nobody(self) -> None:
        make_institution("Gone", domains=["stone.edu"], status="withdrawn")
        self.assertEqual(why_not_at("ada@stone.edu", self.university), "")


class RequestTests(InstitutionTestCase):
    def ask(self, user: User, email: str, **options):  # type: ignore[no-untyped-def]
        path = f"/institutions/{self.university.pid}/represent/"
        return self.post(user, path, {"email": email, "position": "Library"}, **options)

    def test_asking_and_accepting(self) -> None:
        add_address(self.charlie, "charlie@stone.edu")
        self.assertRedirects(self.ask(self.charlie, "charlie@stone.edu"), "/me/institutions/")
        row = Representative.objects.get(user=self.charlie)
        self.assertEqual((row.state, row.position), ("requested", "Library"))
        note = Notification.objects.get(recipient=self.moderator, verb="representative_asked")
        self.assertEqual(note.target_url, f"/moderation/representatives/{row.pk}/")
        self.assertContains(self.get(self.moderator, "/moderation/queues/representatives/"), "Charlie Weiss")
        self.assertContains(self.get(self.moderator, "/me/notifications/"), "Stone University")
        page = self.get(self.moderator, note.target_url)
        self.assertContains(page, "charlie@stone.edu")
        self.post(self.moderator, f"{note.target_url}decide/", {"decision": "accept", "reason": ""})
        row.refresh_from_db()
        self.assertEqual((row.state, row.decided_by), ("approved", self.moderator))
        self.assertEqual(AuditEntry.objects.get().action, "representative.accept")
        self.assertContains(self.get(self.charlie, "/me/notifications/"), "Stone University")
        self.assertEqual(self.get(self.charlie, self.home).status_code, 200)

    def test_only_with_a_confirmed_fitting_address(self) -> None:
        add_address(self.charlie, "charlie@stone.edu", verified=False)
        page = self.get(self.charlie, f"/institutions/{self.university.pid}/represent/")
        self.assertContains(page, "You need a confirmed address")
        self.assertContains(page, "example.org is not among the domains")
        self.ask(self.charlie, "charlie@stone.edu")
        add_address(self.charlie, "charlie@alumni.stone.edu")
        self.ask(self.charlie, "charlie@alumni.stone.edu")
        self.ask(self.charlie, "rita@stone.edu")
        with self.assertRaises(RepresentativeError):
            requests.ask_to_represent(
                user=self.charlie, institution=self.university, email="rita@stone.edu", position="x"
            )
        self.assertFalse(Representative.objects.filter(user=self.charlie).exists())

    def test_an_address_that_went_before_the_decision_is_not_accepted(self) -> None:
        address = add_address(self.charlie, "charlie@stone.edu")
        self.ask(self.charlie, "charlie@stone.edu")
        row = Representative.objects.get(user=self.charlie)
        address.delete()
        page = self.post(
            self.moderator, f"/moderation/representatives/{row.pk}/decide/", {"decision": "accept"}
        )
        self.assertContains(page, "is not confirmed on this account any more")
        row.refresh_from_db()
        self.assertEqual(row.state, "requested")

    def test_an_address_that_went_afterwards_stops_assertions(self) -> None:
        EmailAddress.objects.get(email="rita@stone.edu").delete()
        page = self.post(self.rita, f"{self.home}members/{self.alice_author.pid}/", {"role": ""})
        self.assertContains(page, "Your standing rests on rita@stone.edu")
        self.assertFalse(Assertion.objects.exists())

    def test_nobody_decides_their_own_request_and_asking_twice_is_refused(self) -> None:
        add_address(self.moderator, "mo@stone.edu")
        self.ask(self.moderator, "mo@stone.edu")
        row = Representative.objects.get(user=self.moderator)
        path = f"/moderation/representatives/{row.pk}/"
        self.assertContains(self.get(self.moderator, path), "another moderator decides it")
        self.post(self.moderator, f"{path}decide/", {"decision": "accept"})
        row.refresh_from_db()
        self.assertEqual(row.state, "requested")
        with self.assertRaisesRegex(RepresentativeError, "already"):
            requests.ask_to_represent(
                user=self.moderator, institution=self.university, email="mo@stone.edu", position="x"
            )
        page = self.post(self.second_moderator, f"{path}decide/", {"decision": "decline", "reason": ""})
        self.assertContains(page, "Write this first.")

    def test_ending_keeps_what_was_asserted_unless_said_otherwise(self) -> None:
        kept = self.assert_member()
        path = f"/moderation/representatives/{self.rita_standing.pk}/decide/"
        self.post(self.moderator, path, {"decision": "end", "reason": "Left the university."})
        kept.refresh_from_db()
        self.rita_standing.refresh_from_db()
        self.assertEqual(self.rita_standing.state, "revoked")
        self.assertIsNone(kept.revoked_at)
        self.assertEqual(self.get(self.rita, self.home).status_code, 404)

    def test_stepping_down_with_what_was_asserted(self) -> None:
        made = self.assert_member()
        self.post(self.rita, f"/me/institutions/standing/{self.rita_standing.pk}/end/", {"revoke": "on"})
        made.refresh_from_db()
        self.assertIsNotNone(made.revoked_at)
        self.assertTrue(Evidence.objects.filter(ends=made.evidence, kind="revoked").exists())
        self.assertEqual(
            list(AuditEntry.objects.order_by("pk").values_list("action", "by")),
            [
                ("assertion.make", "representative"),
                ("assertion.revoke", "representative"),
                ("representative.end", "representative"),
            ],
        )


class AssertionTests(InstitutionTestCase):
    def test_search_finds_those_whose_works_name_the_institution(self) -> None:
        refresh_author_search([self.alice_author.pk, self.bob_author.pk, self.dora_author.pk])
        page = self.get(self.rita, f"{self.home}?q=ngata")
        self.assertContains(page, f"{self.home}members/{self.alice_author.pid}/")
        self.assertEqual(list(self.get(self.rita, f"{self.home}?q=lund").context["found"]), [])

    def test_asserting_writes_the_row_the_ledger_and_tells_the_member(self) -> None:
        path = f"{self.home}members/{self.alice_author.pid}/"
        self.assertContains(
            self.get(self.rita, path), "Works name the institution beside this researcher: 2020."
        )
        self.assertRedirects(self.post(self.rita, path, {"role": "Professor", "since": "2019-09"}), self.home)
        made = Assertion.objects.get()
        self.assertEqual(
            (made.author, made.institution, made.role, made.since, made.representative),
            (self.alice_author, self.university, "Professor", date(2019, 9, 1), self.rita_standing),
        )
        line = made.evidence
        self.assertEqual(
            (line.kind, line.source, line.asserted_by_institution, line.event_key, line.expires_at),
            (
                "affiliation_asserted",
                "Stone University",
                self.university,
                f"assertion:{made.pk}",
                made.expires_at,
            ),
        )
        self.assertAlmostEqual(
            made.expires_at, timezone.now() + timedelta(days=365), delta=timedelta(minutes=5)
        )
        note = Notification.objects.get(recipient=self.alice, verb="assertion_made")
        self.assertContains(self.get(self.alice, note.target_url), "says that you are a member")
        self.assertEqual(AuditEntry.objects.get().data, {"count": 1, "authors": [self.alice_author.pid]})
        self.assertContains(self.post(self.rita, path, {"role": ""}), "is asserted already")

    def test_bad_words_and_days_are_said(self) -> None:
        path = f"{self.home}members/{self.alice_author.pid}/"
        tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
        for since in ("yesterday", "01/02/2020", "2020-13-01", tomorrow, "0001", "2020\x00", "٢٠٢٠"):
            with self.subTest(since=since):
                page = self.post(self.rita, path, {"role": "", "since": since})
                self.assertEqual(page.status_code, 200)
        page = self.post(self.rita, path, {"role": "x" * 151})
        self.assertContains(page, "at most 150 characters")
        self.assertFalse(Assertion.objects.exists())

    def test_nobody_asserts_their_own_page(self) -> None:
        add_address(self.alice, "alice@stone.edu")
        own = Representative.objects.create(
            user=self.alice,
            institution=self.university,
            email="alice@stone.edu",
            position="x",
            state="approved",
        )
        with self.assertRaisesRegex(RepresentativeError, "somebody else"):
            assertions.assert_member(representative=own, author=self.alice_author)
        members = [assertions.Member(self.alice_author.pk)]
        self.assertEqual(assertions.assert_members(representative=own, members=members), [])

    def test_renewing_ends_the_old_line_and_begins_a_new_one(self) -> None:
        old = self.assert_member(role="Professor", since=date(2019, 1, 1))
        self.post(self.rita, f"{self.home}change/", {"action": "renew", "picked": str(old.pk)})
        old.refresh_from_db()
        self.assertIsNotNone(old.revoked_at)
        new = Assertion.objects.get(revoked_at=None)
        self.assertEqual(
            (new.role, new.since, new.author), ("Professor", date(2019, 1, 1), self.alice_author)
        )
        self.assertGreater(new.expires_at, old.expires_at)
        self.assertEqual(
            Evidence.objects.filter(kind="affiliation_asserted", ended_by=None).get(), new.evidence
        )

    def test_revoking_one_and_all_by_anybody_who_speaks_for_the_institution(self) -> None:
        one, two = self.assert_member(), self.assert_member(self.bob_author)
        user, _ = self.speaker("Ria Dean", self.university, "ria@stone.edu")
        self.post(user, f"{self.home}change/", {"action": "revoke", "picked": [str(one.pk), "nonsense"]})
        self.assertEqual(Assertion.objects.get(revoked_at=None), two)
        self.post(user, f"{self.home}change/", {"action": "revoke", "all": "on"})
        self.assertFalse(Assertion.objects.filter(revoked_at=None).exists())
        self.assertEqual(Evidence.objects.filter(kind="revoked").count(), 2)

    def test_another_institution_changes_nothing_here(self) -> None:
        made = self.assert_member()
        path = f"/me/institutions/{self.college.pid}/change/"
        page = self.post(self.otto, path, {"action": "revoke", "picked": str(made.pk)}, follow=True)
        self.assertContains(page, "Pick at least one member.")
        made.refresh_from_db()
        self.assertIsNone(made.revoked_at)

    def test_what_ran_out_follows_the_ledger_and_may_be_asserted_again(self) -> None:
        made = self.assert_member()
        Assertion.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        self.assertEqual(assertions.expire_assertions(), 1)
        self.assertEqual(assertions.expire_assertions(), 0)
        made.refresh_from_db()
        self.assertEqual(made.revoked_at, made.expires_at)
        again = self.assert_member()
        self.assertEqual(expire_evidence(again.expires_at + timedelta(seconds=1)), 2)

    def test_the_member_objects_once(self) -> None:
        made = self.assert_member()
        path = f"/me/assertions/{made.pk}/"
        self.post(self.alice, path, {"message": "I left in 2015."})
        request = CurationRequest.objects.get()
        self.assertEqual(
            (request.state, request.author, request.email), ("open", self.alice_author, self.alice.email)
        )
        self.assertIn("I left in 2015.", request.message)
        self.assertIn("Stone University", request.message)
        self.assertTrue(
            Notification.objects.filter(recipient=self.moderator, verb="curation_opened").exists()
        )
        self.assertContains(self.post(self.alice, path, {"message": "Again."}), "waits already")
        self.assertEqual(self.get(self.bob, path).status_code, 404)

    def test_a_moderator_revokes_what_was_objected_to(self) -> None:
        made = self.assert_member()
        self.post(self.alice, f"/me/assertions/{made.pk}/", {"message": "I left in 2015."})
        path = f"/moderation/requests/{CurationRequest.objects.get().pk}/"
        page = self.get(self.moderator, path)
        self.assertContains(page, "What institutions assert of this page")
        self.post(self.moderator, f"{path}decide/", {"decision": "revoke", "reason": "They left."})
        made.refresh_from_db()
        self.assertIsNotNone(made.revoked_at)
        self.assertEqual(CurationRequest.objects.get().state, "done")
        written = AuditEntry.objects.filter(actor=self.moderator).order_by("pk").values_list("action", "by")
        self.assertEqual(list(written), [("curation.done", "moderator"), ("assertion.revoke", "moderator")])

    def test_a_list_takes_as_many_queries_for_many_members_as_for_one(self) -> None:
        self.assert_member()
        client = client_of(self.rita)
        client.get(self.home)
        with CaptureQueriesContext(connection) as one:
            client.get(self.home)
        members = [assertions.Member(make_author(f"Member {n}").pk) for n in range(4)]
        assertions.assert_members(representative=self.rita_standing, members=members)
        with CaptureQueriesContext(connection) as five:
            self.assertEqual(len(client.get(self.home).context["page"]), 5)
        self.assertEqual(len(five), len(one))


class TrustTests(InstitutionTestCase):
    """What an assertion gives by the formula: an L3 or L4 record becomes L5, dated; without a claim, nothing."""

    def level(self) -> int:
        rescore_authors([self.alice_author.pk])
        return TrustScore.objects.get(author=self.alice_author).level

    def record(self, *kinds: str, meets_route: bool = False) -> None:
        for kind in kinds:
            Evidence.objects.create(
                author=self.alice_author, kind=kind, source="test", event_key=f"{kind}:{meets_route}",
                observed_at=timezone.now(), meets_route=meets_route,
            )  # fmt: skip

    def test_an_assertion_alone_raises_no_level(self) -> None:
        self.assert_member()
        self.assertEqual(self.level(), 0)
        self.record("email_confirmed", "claim_accepted")
        self.assertEqual(self.level(), 2)

    def test_l3_and_an_assertion_is_l5_while_it_stands(self) -> None:
        self.record("email_confirmed", "claim_accepted")
        self.record("orcid_oauth", meets_route=True)
        self.assertEqual(self.level(), 3)
        self.assert_member()
        self.assertEqual(self.level(), 5)
        rows = assertions.standing(self.university)
        assertions.revoke_assertions(rows=rows, actor=self.rita, by="representative")
        self.assertEqual(self.level(), 3)

    def test_l4_and_an_assertion_is_l5_and_twelve_points(self) -> None:
        self.record("email_confirmed", "claim_accepted", "work_asserted")
        self.record("orcid_oauth", "domain_confirmed", meets_route=True)
        self.assertEqual(self.level(), 4)
        before = TrustScore.objects.get(author=self.alice_author).value
        self.assert_member()
        self.assertEqual(self.level(), 5)
        score = TrustScore.objects.get(author=self.alice_author)
        self.assertEqual(score.value, before + 12)
        [line] = [
            row for part in score.parts for row in part["lines"] if row["rule"] == "affiliation_asserted"
        ]
        self.assertEqual((line["points"], line["source"]), (12, "Stone University"))
        self.assertEqual(datetime.fromisoformat(line["expires"]), Assertion.objects.get().expires_at)
