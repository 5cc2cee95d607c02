from profiles.claims.findings import Finding
from profiles.claims.routes.coauthors import who_could_confirm
from profiles.models import Block, Claim, ClaimConfirmation, Route, User
from tests.factories import make_user
from tests.profiles.claims.cast import (
    NAME,
    ROR,
    EvidenceTestCase,
    author_of,
    bring,
    give_page,
    line,
    paper,
    there,
    university,
)
from trust.models import Evidence, TrustScore
from works.ingest.records import WorkRecord
from works.models import Author, Authorship

State = ClaimConfirmation.State
TUFTS = "02mhbdp94"


class CoauthorsRouteTests(EvidenceTestCase):
    def setUp(self) -> None:
        super().setUp()
        bring(university("Brown University", ROR), university("Tufts University", TUFTS))
        tufts = there("Tufts University", TUFTS)
        bring(
            paper("10.5555/1", "On cracked pots", line(institutions=there()), line("Ann Other", institutions=there()),
                  line("Bob Stone", institutions=tufts)),
            paper("10.5555/2", "On whole pots and others", line(institutions=there()), line("Ann Other", institutions=there()),
                  line("Dora Lund", institutions=there())),
            paper("10.5555/3", "On snakes in the garden", line("Eve Adams"), line("Zoe Far")),
        )  # fmt: skip
        self.ann, self.bob, self.dora, self.zoe = (
            make_user(name) for name in ("Ann Other", "Bob Stone", "Dora Lund", "Zoe Far")
        )
        for user in (self.ann, self.bob, self.dora, self.zoe):
            give_page(user, author_of(user.display_name))
        self.claim = Claim.objects.create(user=self.josiah, author=author_of())

    def could(self, user: User | None = None, most: int = 20) -> list[str]:
        found = who_could_confirm(user=user or self.josiah, author=author_of(), most=most)
        for member, author in found:
            self.assertEqual(member.display_name, author.display_name)
        return [member.display_name for member, _ in found]

    def answer(self, user: User, state: str = State.CONFIRMED) -> None:
        ClaimConfirmation.objects.create(
            claim=self.claim, asked=user, author=author_of(user.display_name), state=state
        )

    def coauthors(self) -> Finding:
        return self.find(Route.COAUTHORS, claim=self.claim)

    # --- Who may be asked ---

    def test_members_who_wrote_with_them_those_with_most_works_first(self) -> None:
        self.assertEqual(self.could()[0], "Ann Other")
        self.assertEqual(set(self.could()), {"Ann Other", "Bob Stone", "Dora Lund"})
        self.assertEqual(self.could(most=1), ["Ann Other"])

    def test_who_is_not_asked(self) -> None:
        Block.objects.create(blocker=self.ann, blocked=self.josiah)
        self.assertNotIn("Ann Other", self.could())
        Block.objects.create(blocker=self.josiah, blocked=self.bob)
        self.assertEqual(self.could(), ["Dora Lund"])
        Claim.objects.filter(user=self.dora).update(state=Claim.State.DISPUTED)
        self.assertEqual(self.could(), [])
        Claim.objects.filter(user=self.dora).update(state=Claim.State.APPROVED)
        TrustScore.objects.update(level=2)
        self.assertEqual(self.could(), [])
        TrustScore.objects.update(level=3)
        User.objects.filter(pk=self.dora.pk).update(is_active=False)
        self.assertEqual(self.could(), [])

    def test_nobody_speaks_for_themselves(self) -> None:
        self.assertNotIn("Ann Other", self.could(self.ann))

    def test_long_lists_of_authors_tell_nothing(self) -> None:
        crowd = [line(f"Person {'abcdefghij'[n // 10]}{'klmnopqrst'[n % 10]}") for n in range(49)]
        bring(
            paper("10.5555/4", "Detected by everybody", line("Frank Crowd"), line("Josiah Carberry"), *crowd)
        )
        frank = make_user("Frank Crowd")
        give_page(frank, author_of("Frank Crowd"))
        self.assertNotIn("Frank Crowd", self.could())

    def test_takeover_a_work_in_common_that_only_a_typed_list_knows(self) -> None:
        typed: WorkRecord = paper(
            "10.5555/5", "A friend in need indeed", line(), line("Zoe Far"), provider="bibtex", record_id="b1"
        )
        bring(typed)
        for name in (NAME, "Zoe Far"):  # and the catalogue takes them for the same people
            line_of = Authorship.objects.filter(work__records__provider="bibtex", raw_author_name=name)
            line_of.update(author=Author.objects.filter(display_name=name).earliest("pk"))
        together = Authorship.objects.filter(
            author=author_of(), work__authorships__author=author_of("Zoe Far")
        )
        self.assertTrue(together.exists())
        self.assertNotIn("Zoe Far", self.could())

    # --- What their answers show ---

    def test_one_opens_the_review_with_weight(self) -> None:
        self.answer(self.ann)
        finding = self.coauthors()
        self.assertEqual((finding.decides, self.checks(finding)), (False, {"confirmed": "partly"}))
        self.assertEqual(
            [(row.kind, row.asserted_by_author_id, row.meets_route) for row in finding.lines],
            [(Evidence.Kind.COAUTHOR_CONFIRMED, author_of("Ann Other").pk, False)],
        )

    def test_two_from_different_places_decide(self) -> None:
        self.answer(self.ann)
        self.answer(self.bob)
        finding = self.coauthors()
        self.assertTrue(finding.decides)
        self.assertEqual(
            self.check(finding, "confirmed").sentence, "Ann Other and Bob Stone confirm that this is you."
        )
        self.assertEqual(len(finding.lines), 2)

    def test_two_of_one_institution_do_not(self) -> None:
        self.answer(self.ann)
        self.answer(self.dora)
        finding = self.coauthors()
        self.assertEqual((finding.decides, self.checks(finding)["confirmed"]), (False, "partly"))

    def test_who_is_asked_and_silent_confirms_nothing(self) -> None:
        self.answer(self.ann, State.ASKED)
        self.answer(self.bob, State.LAPSED)
        finding = self.coauthors()
        self.assertEqual(self.checks(finding), {"confirmed": "not_met"})
        self.assertEqual(finding.lines, ())

    def test_takeover_confirmed_by_strangers(self) -> None:
        self.answer(self.zoe)
        self.answer(self.bob)
        self.assertEqual(self.checks(self.coauthors()), {"confirmed": "partly"})

    def test_a_confirmation_ends_with_the_page_of_who_gave_it(self) -> None:
        self.answer(self.ann)
        self.answer(self.bob)
        Claim.objects.filter(user=self.bob).update(state=Claim.State.REVOKED)
        self.assertFalse(self.coauthors().decides)

    def test_a_denial_speaks_against_and_blocking_does_not_unsay_it(self) -> None:
        self.answer(self.ann)
        self.answer(self.bob)
        self.answer(self.dora, State.DENIED)
        Block.objects.create(blocker=self.josiah, blocked=self.dora)
        finding = self.coauthors()
        self.assertEqual((finding.decides, self.checks(finding)["denied"]), (False, "against"))
        Claim.objects.filter(user=self.dora).update(state=Claim.State.REVOKED)
        self.assertTrue(self.coauthors().decides)

    def test_a_name_that_does_not_fit_decides_nothing(self) -> None:
        self.answer(self.ann)
        self.answer(self.bob)
        User.objects.filter(pk=self.josiah.pk).update(display_name="Eve Adams")
        self.josiah.refresh_from_db()
        finding = self.coauthors()
        self.assertEqual((finding.decides, self.checks(finding)["account_name"]), (False, "not_met"))
