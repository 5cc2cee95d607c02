"""What regrouping returns and refuses."""

from collections.abc import Sequence
from typing import NamedTuple

from works.models import Regrouping, Work


class Refused(Exception):
    """People asked for what cannot be; the text says why and what to do, and names the works it is about."""

    def __init__(self, sentence: str, works: Sequence[Work] = ()) -> None:
        super().__init__(sentence)
        self.works = list(works)


class Line(NamedTuple):
    """An authorship that moved, or could not."""

    work: int
    old: int
    new: int


class Moved(NamedTuple):
    """What one step did.

    lines: authorships that moved. stayed: those that could not go back, since somebody stands there by now. before,
    after: where each author concerned led to (itself, while it stands). records: of works, those that moved.
    """

    regrouping: Regrouping
    lines: list[Line]
    stayed: list[Line]
    before: dict[int, int]
    after: dict[int, int]
    records: list[int]


def titles_of(works: Sequence[Work], most: int = 3) -> str:
    """Name works in a sentence."""
    named = ", ".join(f"“{work.title or 'Untitled work'}”" for work in works[:most])
    return f"{named} and {len(works) - most} more" if len(works) > most else named
