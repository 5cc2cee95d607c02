"""Every state, every event, every actor: what the table permits stands here once more, everything else is refused."""

from itertools import product

from django.test import SimpleTestCase

from profiles.claims import states
from profiles.claims.states import START, Actor, Event, State

C, R, M, S, E = Actor.CLAIMANT, Actor.RIVAL, Actor.MODERATOR, Actor.SECOND_MODERATOR, Actor.SYSTEM

# As DESIGN words it, written apart from the module: (from, event, actor) and where it leads.
PERMITTED = {
    (START, Event.SUBMIT, C): State.SUBMITTED,
    **{(State.SUBMITTED, Event.REVIEW, actor): State.IN_REVIEW for actor in (M, S, E)},
    **{(State.SUBMITTED, Event.APPROVE, actor): State.APPROVED for actor in (M, S, E)},
    (State.SUBMITTED, Event.WITHDRAW, C): State.WITHDRAWN,
    **{(State.IN_REVIEW, Event.APPROVE, actor): State.APPROVED for actor in (M, S, E)},
    **{(State.IN_REVIEW, Event.REJECT, actor): State.REJECTED for actor in (M, S)},
    (State.IN_REVIEW, Event.WITHDRAW, C): State.WITHDRAWN,
    (State.REJECTED, Event.APPEAL, C): State.APPEALED,
    **{(State.APPEALED, Event.APPROVE, actor): State.APPROVED for actor in (S, E)},
    (State.APPEALED, Event.REJECT, S): State.REJECTED,
    (State.APPEALED, Event.WITHDRAW, C): State.WITHDRAWN,
    **{(State.APPROVED, Event.DISPUTE, actor): State.DISPUTED for actor in (R, M, S)},
    (State.APPROVED, Event.GIVE_UP, C): State.WITHDRAWN,
    **{(State.DISPUTED, Event.UPHOLD, actor): State.APPROVED for actor in (M, S)},
    (State.DISPUTED, Event.REVOKE, S): State.REVOKED,
    (State.DISPUTED, Event.GIVE_UP, C): State.WITHDRAWN,
}
PRODUCT = list(product([START, *State], Event, Actor))


class TableTests(SimpleTestCase):
    def test_every_permitted_transition(self) -> None:
        for (state, event, actor), to_state in PERMITTED.items():
            with self.subTest(state=state, event=event, actor=actor):
                self.assertTrue(states.may(state, event, actor))
                self.assertEqual(states.target(state, event), to_state)

    def test_every_forbidden_transition(self) -> None:
        forbidden = [triple for triple in PRODUCT if triple not in PERMITTED]
        self.assertEqual(len(forbidden), 9 * 10 * 5 - len(PERMITTED))
        for state, event, actor in forbidden:
            with self.subTest(state=state, event=event, actor=actor):
                self.assertFalse(states.may(state, event, actor))

    def test_an_appeal_is_heard_once_and_nothing_else_depends_on_it(self) -> None:
        for state, event, actor in PRODUCT:
            with self.subTest(state=state, event=event, actor=actor):
                permitted = (state, event, actor) in PERMITTED and event != Event.APPEAL
                self.assertEqual(states.may(state, event, actor, was_heard=True), permitted)
        self.assertIsNone(states.target(State.REJECTED, Event.APPEAL, was_heard=True))

    def test_what_is_over_stays_over(self) -> None:
        for actor in Actor:
            self.assertEqual(states.events(State.WITHDRAWN, actor), [])
            self.assertEqual(states.events(State.REVOKED, actor), [])
            self.assertEqual(states.events(State.REJECTED, actor, was_heard=True), [])

    def test_who_claims_never_decides(self) -> None:
        decisions = {Event.REVIEW, Event.APPROVE, Event.REJECT, Event.DISPUTE, Event.UPHOLD, Event.REVOKE}
        for state in [START, *State]:
            self.assertEqual(decisions & set(states.events(state, Actor.CLAIMANT)), set())

    def test_a_rival_does_nothing_but_contest(self) -> None:
        mine = {(state, event) for state in [START, *State] for event in states.events(state, Actor.RIVAL)}
        self.assertEqual(mine, {(State.APPROVED, Event.DISPUTE)})

    def test_nothing_leads_into_a_state_unseen(self) -> None:
        reached = {to_state for to_state, _ in states.TABLE.values()}
        self.assertEqual(reached, set(State))
