"""Blocks: both ways at once, everywhere."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404

from profiles.models import (
    Block,
    Researcher,
    User,
)


def blocked_between(user: User, other: F | OuterRef) -> Exists:
    """Return the condition that user and the member in `other` block each other, in either direction."""
    return Exists(Block.objects.filter(Q(blocker=user.pk, blocked=other) | Q(blocked=user.pk, blocker=other)))


def without_blocked(rows: QuerySet[Any], user: User, field: str) -> QuerySet[Any]:
    """Return rows without those whose member in `field` and user block each other."""
    return rows.exclude(blocked_between(user, OuterRef(field)))


def are_blocked(one: User, other: User) -> bool:
    return Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).exists()


def blocks(user: User) -> QuerySet[Block]:
    """Return the blocks that user made; those made by others are nobody's to see."""
    return Block.objects.filter(blocker=user).select_related("blocked").order_by("-created_at")


def authors_across_block(user: User) -> QuerySet[Researcher]:
    """Return the pages of members across a block from user, in either direction."""
    return Researcher.objects.filter(blocked_between(user, OuterRef("user")))


def block(user: User, pk: UUID) -> Block:
    return one_of(blocks(user), pk)


def one_of(rows: QuerySet[Any], pk: UUID | int) -> Any:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("Nothing here.")
    return row
