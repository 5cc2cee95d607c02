"""The shape of what is held about a member."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Kind(NamedTuple):
    """One kind of thing: the name of its files, what it is in words, its rows."""

    name: str
    about: str
    rows: Iterable[Row]
