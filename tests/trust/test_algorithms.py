"""Formula v1: bounds, parts, levels; no database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import strategies as st

from trust.algorithms import (
    CAPS,
    FORMULA_VERSION,
    FORMULAS,
    LEDGER_RULES,
    LEVEL_WORDS,
    LEVELS,
    RULES,
    V1,
    Facts,
    LedgerFact,
    formula_of,
    formula_on,
    score,
    what_would_add,
)
from trust.models import Evidence

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def fact(
    kind: str, by: str = "", route: bool = False, days: int = 1, expires: int | None = None
) -> LedgerFact:
    """Return a line observed some days ago that runs out in so many."""
    until = NOW + timedelta(days=expires) if expires is not None else None
    return LedgerFact(kind, "a source", NOW - timedelta(days=days), until, by, route)


SELF_ASSERTED = [
    "orcid_typed",
    "bio",
    "link",
    "follower",
    "view",
    "like",
    "activity",
    "photo",
    "self_asserted",
]
CLAIMED = (fact("email_confirmed"), fact("claim_accepted"))

ledger_facts = st.builds(
    fact,
    st.sampled_from(sorted(LEDGER_RULES)),
    st.sampled_from(["", "author:1", "author:2", "author:3", "institution:1"]),
    st.booleans(),
    st.integers(0, 900),
    st.none() | st.integers(-30, 400),
)
any_facts = st.builds(
    Facts,
    works_with_id=st.integers(0, 400),
    close_collaborators=st.integers(0, 400),
    ror_affiliation=st.sampled_from(["", "Tufts University"]),
    ledger=st.lists(ledger_facts, max_size=40).map(tuple),
)


def value(*ledger: LedgerFact, works: int = 0, close: int = 0, ror: str = "") -> int:
    return score(
        Facts(works_with_id=works, close_collaborators=close, ror_affiliation=ror, ledger=ledger), NOW
    ).value


def level(*ledger: LedgerFact, works: int = 1) -> int:
    return score(Facts(works_with_id=works, ledger=ledger), NOW).level


class FormulaTests(SimpleTestCase):
    def test_liu_ke_has_13_and_with_four_works_17(self) -> None:
        self.assertEqual(value(works=2, close=5), 13)
        self.assertEqual(value(works=4, close=5), 17)

    def test_an_accepted_claim_and_a_confirmed_address_make_23_at_level_two(self) -> None:
        found = score(Facts(works_with_id=2, close_collaborators=5, ledger=CLAIMED), NOW)
        self.assertEqual((found.value, found.level, found.word), (23, 2, "Claimed"))

    def test_nothing_known_gives_nothing(self) -> None:
        found = score(Facts(), NOW)
        self.assertEqual((found.value, found.level, found.word), (0, 0, "Unverified"))

    def test_each_kind_of_evidence_gives_what_the_table_says(self) -> None:
        table = {
            "email_confirmed": (3, 3), "orcid_oauth": (12, 12), "domain_confirmed": (10, 10), "claim_accepted": (7, 7),
            "back_link": (3, 3), "affiliation_asserted": (12, 12), "work_asserted": (2, 8), "funding_asserted": (2, 6),
            "identity_medium": (2, 2), "identity_high": (4, 4), "coauthor_confirmed": (3, 9), "vouch": (3, 6),
        }  # fmt: skip
        self.assertEqual(set(table), set(LEDGER_RULES))
        for kind, (one, most) in table.items():
            with self.subTest(kind):
                self.assertEqual(value(fact(kind, "author:1")), one)
                self.assertEqual(value(*(fact(kind, f"author:{n}") for n in range(30))), most)

    def test_works_collaborators_and_affiliations_stop_at_their_caps(self) -> None:
        self.assertEqual([value(works=n) for n in (0, 1, 2, 5, 6, 900)], [0, 7, 9, 15, 15, 15])
        self.assertEqual([value(close=n) for n in (0, 1, 4, 5, 900)], [0, 1, 4, 4, 4])
        self.assertEqual(value(ror="Tufts University"), 1)

    def test_all_there_is_makes_exactly_100(self) -> None:
        every = [fact(kind, f"author:{n}") for kind in LEDGER_RULES for n in range(9)]
        found = score(Facts(works_with_id=99, close_collaborators=99, ror_affiliation="x", ledger=every), NOW)
        self.assertEqual(found.value, 100)
        self.assertEqual({part["name"]: part["points"] for part in found.parts}, CAPS)
        self.assertEqual(what_would_add(found.parts), [])

    def test_identity_proofing_counts_once_at_its_highest_grade(self) -> None:
        self.assertEqual(value(fact("identity_medium"), fact("identity_high")), 4)

    def test_the_same_person_confirms_and_vouches_once(self) -> None:
        self.assertEqual(
            value(fact("coauthor_confirmed", "author:1"), fact("coauthor_confirmed", "author:1")), 3
        )
        self.assertEqual(value(fact("vouch", "author:1"), fact("vouch", "author:1")), 3)

    def test_a_domain_counts_half_after_twelve_months_and_the_score_knows_when(self) -> None:
        fresh = score(Facts(ledger=[fact("domain_confirmed", days=100)]), NOW)
        self.assertEqual((fresh.value, fresh.next_change_at), (10, NOW + timedelta(days=265)))
        self.assertEqual(value(fact("domain_confirmed", days=365)), 5)
        self.assertEqual(value(fact("domain_confirmed", days=365), fact("domain_confirmed", days=2)), 10)

    def test_what_has_run_out_gives_nothing(self) -> None:
        self.assertEqual(value(fact("affiliation_asserted", expires=0)), 0)
        self.assertEqual(value(fact("affiliation_asserted", expires=1)), 12)

    def test_a_self_asserted_or_unknown_kind_gives_nothing(self) -> None:
        self.assertEqual(value(fact("orcid_typed"), fact("followers"), fact("self_asserted")), 0)

    def test_every_line_says_source_and_date(self) -> None:
        found = score(Facts(ledger=[fact("vouch", "author:1", expires=90)]), NOW)
        line = found.parts[3]["lines"][0]
        self.assertEqual(
            (line["points"], line["count"], line["source"], line["date"], line["expires"]),
            (3, 1, "a source", "2026-11-21T00:00:00+00:00", "2027-02-20T00:00:00+00:00"),
        )

    def test_the_rules_know_every_kind_of_the_ledger(self) -> None:
        ends = {Evidence.Kind.REVOKED, Evidence.Kind.EXPIRED}
        self.assertEqual(set(LEDGER_RULES), {str(kind) for kind in Evidence.Kind if kind not in ends})
        for name, cap in CAPS.items():
            possible = sum(rule.most for rule in RULES if rule.part == name and rule.key != "identity_medium")
            self.assertEqual(possible, cap)


class PropertyTests(SimpleTestCase):
    @given(any_facts)
    def test_the_value_stays_between_0_and_100_and_is_the_sum_of_its_parts(self, facts: Facts) -> None:
        found = score(facts, NOW)
        self.assertTrue(0 <= found.value <= 100)
        self.assertEqual(found.value, sum(part["points"] for part in found.parts))
        for part in found.parts:
            self.assertLessEqual(part["points"], part["cap"])
            self.assertEqual(part["points"], min(part["cap"], sum(line["points"] for line in part["lines"])))
        self.assertTrue(0 <= found.level <= 5)

    @given(any_facts, st.randoms())
    def test_the_order_of_the_ledger_does_not_matter(self, facts: Facts, dice: object) -> None:
        shuffled = list(facts.ledger)
        dice.shuffle(shuffled)  # type: ignore[attr-defined]
        other = Facts(
            facts.works_with_id, "", None, facts.close_collaborators, facts.ror_affiliation, None, shuffled
        )
        self.assertEqual(score(facts, NOW), score(other, NOW))

    @given(any_facts, ledger_facts)
    def test_more_evidence_never_lowers_the_value_or_the_level(self, facts: Facts, more: LedgerFact) -> None:
        before = score(facts, NOW)
        after = score(
            Facts(
                facts.works_with_id + 1, "", None, facts.close_collaborators + 1, facts.ror_affiliation, None,
                (*facts.ledger, more),
            ),
            NOW,
        )  # fmt: skip
        self.assertGreaterEqual(after.value, before.value)
        self.assertGreaterEqual(after.level, before.level)

    @given(any_facts, ledger_facts)
    def test_taking_evidence_away_restores_exactly_what_there_was(
        self, facts: Facts, more: LedgerFact
    ) -> None:
        before = score(facts, NOW)
        with_more = replace(facts, ledger=(*facts.ledger, more))
        rows = list(with_more.ledger)
        rows.remove(more)
        self.assertEqual(score(replace(with_more, ledger=rows), NOW), before)

    @given(any_facts, st.lists(st.sampled_from(SELF_ASSERTED), min_size=1, max_size=20), st.booleans())
    def test_what_somebody_says_of_themselves_never_raises_it(
        self, facts: Facts, kinds: list[str], route: bool
    ) -> None:
        said = tuple(fact(kind, "author:9", route) for kind in kinds)
        self.assertEqual(score(replace(facts, ledger=(*facts.ledger, *said)), NOW), score(facts, NOW))

    @given(any_facts)
    def test_what_would_add_never_promises_more_than_there_is(self, facts: Facts) -> None:
        found = score(facts, NOW)
        given = {line["rule"] for part in found.parts for line in part["lines"]}
        for rule, most in what_would_add(found.parts):
            self.assertTrue(0 < most <= rule.most)
            self.assertNotIn(rule.yields_to, given)

    @given(any_facts)
    def test_vouches_never_raise_a_level(self, facts: Facts) -> None:
        vouches = tuple(fact("vouch", f"author:{n}", route=True) for n in range(9))
        with_vouches = Facts(works_with_id=facts.works_with_id, ledger=(*facts.ledger, *vouches))
        without = Facts(works_with_id=facts.works_with_id, ledger=facts.ledger)
        self.assertEqual(score(with_vouches, NOW).level, score(without, NOW).level)


class VectorTests(SimpleTestCase):
    """The examples of the design, one after another."""

    def found(self, *ledger: LedgerFact) -> tuple[int, int, str]:
        score_of = score(Facts(works_with_id=2, close_collaborators=5, ledger=ledger), NOW)
        return score_of.value, score_of.level, score_of.word

    def test_liu_ke_from_an_unclaimed_record_to_an_institutions_word(self) -> None:
        self.assertEqual(self.found(), (5 + 2 * 2 + 4, 1, "Unverified"))
        reviewed = (fact("email_confirmed"), fact("claim_accepted"))
        self.assertEqual(self.found(*reviewed), (13 + 10, 2, "Claimed"))
        orcid = fact("orcid_oauth", route=True)
        self.assertEqual(self.found(*reviewed, orcid), (23 + 12, 3, "Identity-linked"))
        domain = fact("domain_confirmed", route=True)
        coauthors = [fact("coauthor_confirmed", f"author:{number}") for number in (1, 2)]
        self.assertEqual(self.found(*reviewed, domain), (23 + 10, 3, "Identity-linked"))
        self.assertEqual(self.found(*reviewed, domain, *coauthors), (23 + 10 + 6, 4, "Corroborated"))
        asserted = fact("affiliation_asserted", "institution:1", expires=365)
        self.assertEqual(self.found(*reviewed, orcid, asserted), (35 + 12, 5, "Institution-asserted"))


class FormulasTests(SimpleTestCase):
    def test_every_version_is_kept_under_its_number_and_can_be_worked_out(self) -> None:
        self.assertIn(FORMULA_VERSION, FORMULAS)
        for version, formula in FORMULAS.items():
            self.assertEqual(formula.version, version)
            self.assertIn(formula.levels, LEVELS)
            self.assertEqual({rule.part for rule in formula.rules}, set(formula.caps))
            self.assertLessEqual(sum(formula.caps.values()), 100)
        self.assertEqual(formula_of(FORMULA_VERSION), formula_of())

    def test_a_day_before_the_first_formula_is_told_by_the_first(self) -> None:
        self.assertEqual(formula_on(date(1999, 1, 1)), V1)
        self.assertEqual(formula_on(V1.since), V1)

    def test_another_formula_gives_other_points_and_leaves_the_old_ones_as_they_were(self) -> None:
        half = replace(V1, version=2, rules=tuple(replace(rule, each=1, most=1) for rule in V1.rules))
        facts = Facts(works_with_id=2, close_collaborators=5)
        self.assertEqual((score(facts, NOW).value, score(facts, NOW, half).value), (13, 3))

    def test_a_halving_and_a_precedence_are_said_by_the_rule(self) -> None:
        self.assertEqual([rule.key for rule in RULES if rule.halved_after], ["domain_confirmed"])
        self.assertEqual(
            [(rule.key, rule.yields_to) for rule in RULES if rule.yields_to],
            [("identity_medium", "identity_high")],
        )


class LevelTests(SimpleTestCase):
    def test_levels_have_neutral_words(self) -> None:
        self.assertEqual(LEVEL_WORDS[:2], ("Unverified", "Unverified"))
        self.assertEqual(len(LEVEL_WORDS), 6)

    def test_a_name_string_is_listed_and_a_work_with_an_identifier_attributed(self) -> None:
        self.assertEqual((level(works=0), level(works=1)), (0, 1))

    def test_claimed_asks_for_both_the_address_and_the_claim(self) -> None:
        self.assertEqual((level(CLAIMED[0]), level(CLAIMED[1]), level(*CLAIMED)), (1, 1, 2))

    def test_points_alone_raise_no_level(self) -> None:
        asserted = [fact("work_asserted") for _ in range(9)] + [
            fact("vouch", f"author:{n}") for n in range(9)
        ]
        self.assertEqual(level(*asserted, works=99), 1)

    def test_orcid_or_a_domain_link_the_identity_only_when_the_route_is_met_in_full(self) -> None:
        for kind in ("orcid_oauth", "domain_confirmed"):
            self.assertEqual(level(*CLAIMED, fact(kind)), 2)
            self.assertEqual(level(*CLAIMED, fact(kind, route=True)), 3)
        self.assertEqual(level(*CLAIMED, fact("back_link", route=True)), 2)

    def test_two_routes_of_ones_own_are_not_corroboration(self) -> None:
        own = [fact(kind, route=True) for kind in ("orcid_oauth", "domain_confirmed", "back_link")]
        self.assertEqual(level(*CLAIMED, *own), 3)

    def test_two_routes_and_a_marker_by_an_organisation_are(self) -> None:
        own = [fact("orcid_oauth", route=True), fact("domain_confirmed", route=True)]
        self.assertEqual(level(*CLAIMED, *own, fact("work_asserted")), 4)

    def test_an_independent_researcher_reaches_level_four_without_an_institution(self) -> None:
        coauthors = [fact("coauthor_confirmed", f"author:{n}") for n in (1, 2)]
        self.assertEqual(level(*CLAIMED, fact("back_link", route=True), *coauthors), 4)
        self.assertEqual(level(*CLAIMED, fact("orcid_oauth", route=True), coauthors[0]), 3)

    def test_an_institution_that_asserts_for_a_time_makes_level_five_until_it_runs_out(self) -> None:
        linked = (*CLAIMED, fact("orcid_oauth", route=True))
        self.assertEqual(level(*linked, fact("affiliation_asserted")), 4)
        self.assertEqual(level(*linked, fact("affiliation_asserted", expires=30)), 5)
        self.assertEqual(level(*linked, fact("affiliation_asserted", expires=0)), 3)
