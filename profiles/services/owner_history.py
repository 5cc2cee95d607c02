"""Undoing a change of one's own page: that change alone, by a new row that names the old one."""

from typing import Any

from django.db import transaction

from profiles.exceptions import ChangedSince, OwnerError
from profiles.models import Change, Researcher
from profiles.services import owner_links, owner_names, owner_photo, owner_works, pages
from profiles.services.owner import lock_page
from works.models import Work
from works.queries import record_by_pid
from works.services import decisions

Kind = Change.Kind
VALUES = {Kind.BIO, Kind.AVAILABILITY, Kind.NUMBER}
WORKS = {Kind.NOT_MINE, Kind.WORK_ADDED}
UNDOABLE = {*VALUES, *WORKS, Kind.LINKS, Kind.NAME, Kind.FORMER_NAME, Kind.WORK_ORDER, Kind.PHOTO}


@transaction.atomic
def undo(*, researcher: Researcher, change: Change, restore: bool = False) -> Change:
    """Set back what this change set, and nothing else.

    Raises ChangedSince where it was changed again later: restore=True then puts the value of before it back all
    the same. Raises OwnerError where nothing is left to undo.
    """
    researcher = lock_page(researcher)
    if change.kind not in UNDOABLE or change.author_id != researcher.author_id:
        raise OwnerError("This change cannot be undone here.")
    if Change.objects.filter(undoes=change).exists():
        raise OwnerError("This change was undone already.")
    now = _now(researcher, change)
    if _same(now, change.before):
        raise OwnerError("It is as it was before this change.")
    if not _same(now, change.after) and not restore:
        raise ChangedSince(
            "This was changed again later. You can still put back what stood before this change."
        )
    done = _put_back(researcher, change)
    if done is None:
        raise OwnerError("It is as it was before this change.")
    return done


def _now(researcher: Researcher, change: Change) -> dict[str, Any]:
    """Return what stands now where the change set something, in the shape of its before and after."""
    if change.kind in VALUES:
        return pages.value_of(researcher, change.kind)
    if change.kind == Kind.LINKS:
        return owner_links.value_of(researcher)
    if change.kind == Kind.NAME:
        return owner_names.shown_value(researcher)
    if change.kind == Kind.WORK_ORDER:
        return {"works": owner_works.order_of(researcher)}
    if change.kind == Kind.PHOTO:
        return owner_photo.value_of(researcher)
    if change.kind == Kind.FORMER_NAME:
        number = change.after.get("override") or change.before.get("override")
        there = any(row.pk == number for row in owner_names.hidden_names(researcher))
        return {"override": number if there else None}
    work = _work(change)
    return {"is_theirs": decisions.decision_on(researcher.author_id, work.pk)}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Compare values but for the place of a line, which only helps to find it again."""
    return {**one, "index": None} == {**other, "index": None}


def _put_back(researcher: Researcher, change: Change) -> Change | None:
    value = change.before
    kind = Kind(change.kind)
    if kind in VALUES:
        return pages.set_value(researcher, kind, value, undoes=change)
    if kind == Kind.LINKS:
        links = [(link["url"], link["label"]) for link in value["links"]]
        return owner_links.set_links(researcher=researcher, links=links, undoes=change)
    if kind == Kind.NAME:
        name = owner_names.name_of_value(researcher, value)
        return owner_names.set_name(researcher=researcher, name=name, undoes=change)
    if kind == Kind.WORK_ORDER:
        return owner_works.set_order(researcher=researcher, order=value["works"], undoes=change)
    if kind == Kind.PHOTO:
        if not value["digest"]:
            return owner_photo.remove_photo(researcher=researcher, undoes=change)
        return owner_photo.set_alt(
            researcher=researcher, alt=value["alt"], digest=value["digest"], undoes=change
        )
    if kind == Kind.FORMER_NAME:
        if value.get("override"):
            raise OwnerError("No trace of the name was kept. Hide it again under “Former names”.")
        return owner_names.show_name_again(
            researcher=researcher, override_id=change.after["override"], undoes=change
        )
    return owner_works.restore(researcher=researcher, work=_work(change), value=value, undoes=change)


def _work(change: Change) -> Work:
    work = record_by_pid(Work.objects.defer("search"), change.work_pid)
    if work is None:
        raise OwnerError("This work is not here any more.")
    return work
