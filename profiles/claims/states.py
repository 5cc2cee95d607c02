"""From which state of a claim which event leads to which, and who may bring it about: one table, and nothing else.

submitted > approved | in review > approved | rejected; rejected > appealed > approved | rejected finally;
approved > disputed > approved (upheld) | revoked; withdrawn by the claimant at any time before it is over.
Whether the evidence suffices, and who an actor is to a claim, others find out (gathering, services/claims).
"""

from enum import StrEnum

from profiles.models import Claim

State = Claim.State
START = ""  # there is no claim yet


class Event(StrEnum):
    SUBMIT = "submit"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    APPEAL = "appeal"
    WITHDRAW = "withdraw"
    GIVE_UP = "give_up"
    DISPUTE = "dispute"
    UPHOLD = "uphold"
    REVOKE = "revoke"


class Actor(StrEnum):
    """Who somebody is to one claim, at one moment."""

    CLAIMANT = "claimant"
    RIVAL = "rival"  # has a claim of their own on the page; a moderator too, then
    MODERATOR = "moderator"
    # Where two people are needed: not the one who turned the claim down, not the one who proposed to revoke it.
    SECOND_MODERATOR = "second_moderator"
    SYSTEM = "system"  # the evidence


_CLAIMANT = frozenset({Actor.CLAIMANT})
_SECOND = frozenset({Actor.SECOND_MODERATOR})
_MODERATORS = frozenset({Actor.MODERATOR, Actor.SECOND_MODERATOR})
_EVIDENCE = frozenset({Actor.SYSTEM})

TABLE: dict[tuple[str, Event], tuple[State, frozenset[Actor]]] = {
    (START, Event.SUBMIT): (State.SUBMITTED, _CLAIMANT),
    (State.SUBMITTED, Event.REVIEW): (State.IN_REVIEW, _MODERATORS | _EVIDENCE),
    (State.SUBMITTED, Event.APPROVE): (State.APPROVED, _MODERATORS | _EVIDENCE),
    (State.SUBMITTED, Event.WITHDRAW): (State.WITHDRAWN, _CLAIMANT),
    (State.IN_REVIEW, Event.APPROVE): (State.APPROVED, _MODERATORS | _EVIDENCE),
    (State.IN_REVIEW, Event.REJECT): (State.REJECTED, _MODERATORS),
    (State.IN_REVIEW, Event.WITHDRAW): (State.WITHDRAWN, _CLAIMANT),
    (State.REJECTED, Event.APPEAL): (State.APPEALED, _CLAIMANT),
    (State.APPEALED, Event.APPROVE): (State.APPROVED, _SECOND | _EVIDENCE),
    (State.APPEALED, Event.REJECT): (State.REJECTED, _SECOND),
    (State.APPEALED, Event.WITHDRAW): (State.WITHDRAWN, _CLAIMANT),
    (State.APPROVED, Event.DISPUTE): (State.DISPUTED, _MODERATORS | {Actor.RIVAL}),
    (State.APPROVED, Event.GIVE_UP): (State.WITHDRAWN, _CLAIMANT),
    (State.DISPUTED, Event.UPHOLD): (State.APPROVED, _MODERATORS),
    (State.DISPUTED, Event.REVOKE): (State.REVOKED, _SECOND),
    (State.DISPUTED, Event.GIVE_UP): (State.WITHDRAWN, _CLAIMANT),
}


def target(state: str, event: Event, *, was_heard: bool = False) -> State | None:
    """Return where an event leads, whoever brings it about; None where it leads nowhere.

    was_heard: the claim was appealed once before, and an appeal is heard once.
    """
    if event == Event.APPEAL and was_heard:
        return None
    to_state, _ = TABLE.get((state, event), (None, None))
    return to_state


def may(state: str, event: Event, actor: Actor, *, was_heard: bool = False) -> bool:
    """Return whether this actor may bring this event about."""
    if target(state, event, was_heard=was_heard) is None:
        return False
    return actor in TABLE[state, event][1]


def events(state: str, actor: Actor, *, was_heard: bool = False) -> list[Event]:
    """Return what this actor may do now, in the order of the table."""
    return [event for at, event in TABLE if at == state and may(state, event, actor, was_heard=was_heard)]
