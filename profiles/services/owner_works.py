"""Works on one's own page: their order, which are highlighted, "not mine", and ones that were missing."""

from typing import Any

from django.db import transaction

from profiles.exceptions import OwnerError
from profiles.models import Change, Researcher, ShownWork
from profiles.services.owner import lock_page, write_down
from works.models import Work
from works.queries import author_works
from works.services import decisions
from works.services.decisions import DecisionError

Kind = Change.Kind
MOST_ARRANGED = 50
STEPS = ("up", "down", "highlight", "release")

Order = list[list[Any]]  # [pid, is it highlighted], from the first


def order_of(researcher: Researcher) -> Order:
    """Return the works that have a place, in order; those that left the page are passed over."""
    rows = ShownWork.objects.filter(researcher=researcher, work__in=author_works(researcher.author))
    return [[pid, lit] for pid, lit in rows.values_list("work__pid", "is_highlighted")]


@transaction.atomic
def arrange(*, researcher: Researcher, work: Work, step: str) -> Change | None:
    """Move a work up or down, highlight it or not, or give its place up ("release").

    A work without a place gets the last one by "up" or "highlight"; "down" from the last place gives it up.
    """
    if step not in STEPS:
        raise OwnerError("Choose up, down or highlight.")
    researcher = lock_page(researcher)
    if not author_works(researcher.author).filter(pk=work.pk).exists():
        raise OwnerError("This work is not on your page.")
    before = order_of(researcher)
    after = _arranged([list(row) for row in before], work.pid, step)
    if len(after) > MOST_ARRANGED:
        raise OwnerError(f"{MOST_ARRANGED} works can have a place of their own. Release another first.")
    return _write(researcher, before, after)


def _arranged(order: Order, pid: str, step: str) -> Order:
    place = next((place for place, row in enumerate(order) if row[0] == pid), None)
    if place is None:
        return [*order, [pid, step == "highlight"]] if step in {"up", "highlight"} else order
    if step == "highlight":
        order[place][1] = not order[place][1]
    elif step == "release" or (step == "down" and place == len(order) - 1):
        del order[place]
    elif step == "down":
        order[place], order[place + 1] = order[place + 1], order[place]
    elif place:
        order[place], order[place - 1] = order[place - 1], order[place]
    return order


@transaction.atomic
def set_order(*, researcher: Researcher, order: Order, undoes: Change | None = None) -> Change | None:
    """Put works in this order; those that are not on the page any more are passed over."""
    researcher = lock_page(researcher)
    here = set(
        author_works(researcher.author)
        .filter(pid__in=[pid for pid, _ in order])
        .values_list("pid", flat=True)
    )
    return _write(researcher, order_of(researcher), [row for row in order if row[0] in here], undoes)


def _write(
    researcher: Researcher, before: Order, after: Order, undoes: Change | None = None
) -> Change | None:
    if before == after:
        return None
    numbers = dict(Work.objects.filter(pid__in=[pid for pid, _ in after]).values_list("pid", "pk"))
    ShownWork.objects.filter(researcher=researcher).delete()
    ShownWork.objects.bulk_create(
        ShownWork(researcher=researcher, work_id=numbers[pid], position=place, is_highlighted=lit)
        for place, (pid, lit) in enumerate(after)
    )
    return write_down(researcher, Kind.WORK_ORDER, {"works": before}, {"works": after}, undoes=undoes)


# --- Whose works ------------------------------------------------------------------------------------


@transaction.atomic
def disown(*, researcher: Researcher, work: Work) -> Change:
    """Say "not mine": the work leaves the page at once and does not come back with the next import."""
    researcher = lock_page(researcher)
    was = decisions.decision_on(researcher.author_id, work.pk)
    try:
        index = decisions.say_not_theirs(researcher.author_id, work.pk)
    except DecisionError as error:
        raise OwnerError(str(error)) from error
    ShownWork.objects.filter(researcher=researcher, work=work).delete()
    before = {"is_theirs": was, "index": index}
    return write_down(researcher, Kind.NOT_MINE, before, {"is_theirs": False}, work=work)


@transaction.atomic
def adopt(*, researcher: Researcher, work: Work) -> Change:
    """Put a work on the page: one of its lines must bear a compatible name that nobody else holds."""
    researcher = lock_page(researcher)
    was = decisions.decision_on(researcher.author_id, work.pk)
    try:
        decisions.say_theirs(researcher.author_id, work.pk)
    except DecisionError as error:
        raise OwnerError(str(error)) from error
    return write_down(researcher, Kind.WORK_ADDED, {"is_theirs": was}, {"is_theirs": True}, work=work)


@transaction.atomic
def restore(*, researcher: Researcher, work: Work, value: dict[str, Any], undoes: Change) -> Change:
    """Let a work stand as it did before a decision on it."""
    researcher = lock_page(researcher)
    before = {"is_theirs": decisions.decision_on(researcher.author_id, work.pk)}
    decisions.restore_decision(researcher.author_id, work.pk, value["is_theirs"], value.get("index"))
    return write_down(
        researcher,
        Change.Kind(undoes.kind),
        before,
        {"is_theirs": value["is_theirs"]},
        work=work,
        undoes=undoes,
    )
