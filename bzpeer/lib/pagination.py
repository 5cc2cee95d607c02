"""Pages of a list: forgiving about the number asked for, and never counting twice."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

DEEPEST = 10_000  # rows; an offset beyond costs the database more than a reader gains


def page_of(
    rows: QuerySet[Any] | Sequence[Any],
    number: str | int | None,
    *,
    per_page: int = 20,
    total: int | None = None,
) -> Page[Any]:
    """Return one page of rows; a number that is none gives the first page, one too large the last.

    total: how many rows there are, where the caller knows it already.
    """
    paginator: Paginator[Any] = Paginator(rows, per_page)
    known = paginator.count if total is None else total
    paginator.__dict__["count"] = min(known, DEEPEST)  # fills Django's cached property
    return paginator.get_page(number)
