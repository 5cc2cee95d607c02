"""People say that two records are one, or that one is two; each step can be taken back by itself, at any time."""

from django.db import transaction

from works.models import Regrouping
from works.services.catalogue import lock_catalogue
from works.services.regrouping.authors import (
    MergePreview,
    lock_authors,
    merge_authors,
    preview_merge,
    redo_authors,
    split_author,
    undo_authors,
)
from works.services.regrouping.journal import OF_AUTHORS
from works.services.regrouping.terms import Line, Moved, Refused
from works.services.regrouping.works import merge_works, redo_works, split_work, undo_works

__all__ = [
    "Line",
    "MergePreview",
    "Moved",
    "Refused",
    "lock_authors",
    "merge_authors",
    "merge_works",
    "preview_merge",
    "redo",
    "split_author",
    "split_work",
    "undo",
]


@transaction.atomic
def undo(*, regrouping: Regrouping) -> Moved:
    """Take one regrouping back, and nothing else; later ones stay. Raises Refused."""
    event = _locked(regrouping)
    if event.is_undone:
        raise Refused("This was taken back already.")
    return undo_authors(event) if event.kind in OF_AUTHORS else undo_works(event)


@transaction.atomic
def redo(*, regrouping: Regrouping) -> Moved:
    """Let a regrouping stand again that was taken back. Raises Refused."""
    event = _locked(regrouping)
    if not event.is_undone:
        raise Refused("This stands already.")
    return redo_authors(event) if event.kind in OF_AUTHORS else redo_works(event)


def _locked(regrouping: Regrouping) -> Regrouping:
    lock_catalogue()
    return Regrouping.objects.select_related("author", "other_author").get(pk=regrouping.pk)
