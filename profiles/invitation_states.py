"""The steps of an invitation as one table; pure. Whatever is not in it does not happen.

Declining and "not now" are silent: until the reply-by day the sender sees an invitation that waits.
"""

from enum import StrEnum

from profiles.models import Invitation

State = Invitation.State


class Event(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    POSTPONE = "postpone"  # "not now": may be accepted later, until the reply-by day
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


class Actor(StrEnum):
    SENDER = "sender"
    RECIPIENT = "recipient"
    CLOCK = "clock"
    STRANGER = "stranger"


WAITING = (State.PENDING, State.NOT_NOW)  # an answer may still come

STEPS: dict[tuple[State, Event, Actor], State] = {
    (State.PENDING, Event.ACCEPT, Actor.RECIPIENT): State.ACCEPTED,
    (State.PENDING, Event.DECLINE, Actor.RECIPIENT): State.DECLINED,
    (State.PENDING, Event.POSTPONE, Actor.RECIPIENT): State.NOT_NOW,
    (State.PENDING, Event.WITHDRAW, Actor.SENDER): State.WITHDRAWN,
    (State.PENDING, Event.EXPIRE, Actor.CLOCK): State.EXPIRED,
    (State.NOT_NOW, Event.ACCEPT, Actor.RECIPIENT): State.ACCEPTED,
    (State.NOT_NOW, Event.DECLINE, Actor.RECIPIENT): State.DECLINED,
    (State.NOT_NOW, Event.WITHDRAW, Actor.SENDER): State.WITHDRAWN,
    (State.NOT_NOW, Event.EXPIRE, Actor.CLOCK): State.EXPIRED,
    # The sender does not know that it was declined, so taking it back works.
    (State.DECLINED, Event.WITHDRAW, Actor.SENDER): State.WITHDRAWN,
    # Accepting again, after a double click or a lost answer, changes nothing.
    (State.ACCEPTED, Event.ACCEPT, Actor.RECIPIENT): State.ACCEPTED,
}


def after(state: str, event: Event, actor: Actor) -> State | None:
    """Return the state that an event leads to; None where actor cannot do this now."""
    return STEPS.get((State(state), event, actor))


def may_ever(event: Event, actor: Actor) -> bool:
    """Return whether this event is actor's to cause, in whatever state."""
    return any((event, actor) == step[1:] for step in STEPS)


def as_seen(state: str, actor: Actor, *, overdue: bool) -> State:
    """Return the state as sender or recipient may know it; overdue: the reply-by day has passed."""
    seen = State(state)
    if actor is not Actor.RECIPIENT and seen in {State.DECLINED, State.NOT_NOW}:
        seen = State.PENDING
    return State.EXPIRED if overdue and seen in WAITING else seen
