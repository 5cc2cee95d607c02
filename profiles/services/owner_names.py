"""The name that a page shows, and former names that are shown nowhere.

Histories hold neither: a chosen name stands there as a keyed digest, a hidden one as the number of its row, because
rows of a history cannot be changed when somebody later hides what they hold.
"""

import re
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from bzpeer.lib.names import clean, fold
from graph.models import GraphSlice
from profiles.exceptions import OwnerError
from profiles.models import (
    Change,
    Claim,
    ClaimConfirmation,
    CurationRequest,
    Notification,
    Proposal,
    Researcher,
    User,
)
from profiles.services.owner import check_names_unlocked, lock_page, write_down
from works.hidden_names import hides, mentions
from works.models import Author, Mark, NameOverride, Suggestion
from works.services import decisions
from works.services.decisions import DecisionError
from works.services.marks import mark

Kind = Change.Kind


# --- The name shown ---------------------------------------------------------------------------------


@transaction.atomic
def set_name(*, researcher: Researcher, name: str, undoes: Change | None = None) -> Change | None:
    """Choose the form of the name that the page shows; "" leaves it to the sources."""
    researcher = lock_page(researcher)
    check_names_unlocked(researcher)
    name = clean(name)[:255]
    before = shown_value(researcher)
    if decisions.name_to_show(researcher.author_id) == name:
        return None
    _decide(lambda: decisions.set_name_to_show(researcher.author_id, name))
    _forget_drawn_names(researcher.author_id)
    return write_down(researcher, Kind.NAME, before, shown_value(researcher), undoes=undoes)


def shown_value(researcher: Researcher) -> dict[str, str]:
    name = decisions.name_to_show(researcher.author_id)
    return {"name": _digest(researcher, name) if name else ""}


def name_of_value(researcher: Researcher, value: dict[str, Any]) -> str:
    """Return the name that a value of shown_value stands for. Raises OwnerError where nothing bears it now."""
    if not value.get("name"):
        return ""
    names = [*decisions.shown_names(researcher.author_id), researcher.user.display_name]
    for name in names:
        if _digest(researcher, name) == value["name"]:
            return name
    raise OwnerError("The name of then stands on none of your works, or you hide it. Choose one that does.")


def _digest(researcher: Researcher, name: str) -> str:
    return salted_hmac("profiles.owner_names", f"{researcher.author_id}:{name}").hexdigest()[:32]


# --- Former names -----------------------------------------------------------------------------------


@transaction.atomic
def hide_name(*, researcher: Researcher, name: str) -> Change:
    """Show a former name nowhere any more: pages, search, files, graphs, notes to others."""
    researcher = lock_page(researcher)
    check_names_unlocked(researcher)
    row = _decide(lambda: decisions.hide_name(researcher.author_id, name))
    researcher.author.refresh_from_db()
    _forget(researcher, row.name)
    return write_down(researcher, Kind.FORMER_NAME, {"override": None}, {"override": row.pk})


@transaction.atomic
def show_name_again(*, researcher: Researcher, override_id: int, undoes: Change | None = None) -> Change:
    """Let a hidden name be shown and found again."""
    researcher = lock_page(researcher)
    check_names_unlocked(researcher)
    row = NameOverride.objects.filter(author=researcher.author_id, is_hidden=True, pk=override_id).first()
    if row is None:
        raise OwnerError("This name is not hidden any more.")
    decisions.show_name_again(row)
    _forget_drawn_names(researcher.author_id)
    before, after = {"override": override_id}, {"override": None}
    return write_down(researcher, Kind.FORMER_NAME, before, after, undoes=undoes)


def hidden_names(researcher: Researcher) -> list[NameOverride]:
    return list(NameOverride.objects.filter(author=researcher.author_id, is_hidden=True).order_by("pk"))


def bio_mentions(researcher: Researcher) -> bool:
    """Return whether what they wrote themselves still holds a hidden name."""
    return mentions((row.name for row in hidden_names(researcher)), researcher.bio)


def _forget(researcher: Researcher, name: str) -> None:
    """Take a former name out of what was written down from it: drawn graphs, notes to others, reasons."""
    shown = researcher.author.display_name
    _forget_drawn_names(researcher.author_id)
    if hides([name], researcher.user.display_name):
        User.objects.filter(pk=researcher.user_id).update(display_name=shown[:150])
    for note in Notification.objects.filter(_notes_about(researcher.author_id)):
        if mentions([name], note.target_text):
            Notification.objects.filter(pk=note.pk).update(
                target_text=_without(name, note.target_text, shown)
            )
    for suggestion in Suggestion.objects.filter(reason__icontains=fold(name)):
        Suggestion.objects.filter(pk=suggestion.pk).update(
            reason=_without(name, suggestion.reason, shown)[:300]
        )


def _notes_about(author_id: int) -> Q:
    """Return the condition that a note leads to the page, or to what somebody filed about it."""
    mine, joined = Q(author=author_id), Q(author__merged_into=author_id)
    filed = [
        *Claim.objects.filter(mine | joined).values_list("pk", flat=True),
        *CurationRequest.objects.filter(mine | joined).values_list("pk", flat=True),
        *Proposal.objects.filter(mine | joined | Q(other=author_id)).values_list("pk", flat=True),
        *ClaimConfirmation.objects.filter(Q(author=author_id) | Q(claim__author=author_id)).values_list(
            "pk", flat=True
        ),
    ]
    of_page = Author.objects.filter(Q(pk=author_id) | Q(merged_into=author_id)).values_list("pid", flat=True)
    about = Q(pk=None)
    for key in [*of_page, *filed]:
        about |= Q(target_url__contains=str(key))
    return about


def _without(name: str, text: str, shown: str) -> str:
    """Return text with what is shown instead of a former name; all of it where the name stands there otherwise."""
    words = r"[\s,.-]+".join(re.escape(word) for word in name.split())
    changed = re.sub(rf"(?<!\w){words}(?!\w)", lambda _: shown, text, flags=re.IGNORECASE)
    return shown if mentions([name], changed) else changed


def _forget_drawn_names(author_id: int) -> None:
    """Have every graph that draws the author drawn again; until then pages say that it is being built."""
    slices = GraphSlice.objects.filter(author_ids__contains=[author_id])
    ids = list(slices.values_list("pk", flat=True))
    slices.update(payload=None)
    mark(Mark.What.SLICE, ids, "names changed")


def _decide(decide: Any) -> Any:
    try:
        return decide()
    except DecisionError as error:
        raise OwnerError(str(error)) from error
