"""Dates of publication as far as sources know them: a year, perhaps a month, perhaps a day."""

import calendar
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

FIRST_YEAR, LAST_YEAR = 1400, 2200
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?![\d-])", re.A)
_YEAR = re.compile(r"(?<!\d)(1[4-9]\d\d|2[01]\d\d)(?!\d)", re.A)


class PartialDate(NamedTuple):
    year: int
    month: int | None = None
    day: int | None = None

    @property
    def date(self) -> date | None:
        """Return the day, where it is known: "2019" is no first of January."""
        return date(self.year, self.month, self.day) if self.month and self.day else None


def partial_date(year: Any, month: Any = None, day: Any = None) -> PartialDate | None:
    """Return what of a date makes sense; None without a year of print (0000, 9999 and null are none).

    >>> partial_date("2019", "12", 31)
    PartialDate(year=2019, month=12, day=31)
    >>> partial_date(2019, 2, 31)
    PartialDate(year=2019, month=2, day=None)
    """
    number = _number(year)
    if number is None or not FIRST_YEAR <= number <= LAST_YEAR:
        return None
    months = _month(month)
    if months is None:
        return PartialDate(number)
    days = _number(day)
    if days is None or not 1 <= days <= calendar.monthrange(number, months)[1]:
        return PartialDate(number, months)
    return PartialDate(number, months, days)


def _number(value: Any) -> int | None:
    if isinstance(value, str) and len(value) < 8 and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _month(value: Any) -> int | None:
    number = _number(value)
    if number is None and isinstance(value, str):
        name = value.strip(" .").lower()[:3]
        number = _MONTHS.index(name) + 1 if name in _MONTHS else None
    return number if number is not None and 1 <= number <= 12 else None


def read_date(text: str) -> PartialDate | None:
    """Return the date at the start of "2019-12-30", "2019/12//" or "2019", else the first year a text holds.

    >>> read_date("2019/12/30/Winter")
    PartialDate(year=2019, month=12, day=30)
    >>> read_date("submitted in 2019")
    PartialDate(year=2019, month=None, day=None)
    """
    text = text[:100].strip()
    if (match := _YEAR_FIRST.match(text)) and (found := partial_date(*match.groups())):
        return found
    year = _YEAR.search(text)
    return partial_date(year.group()) if year else None


def earliest(dates: Iterable[PartialDate | None]) -> PartialDate | None:
    """Return the first of some dates; of "2019" and "2019-12-30" the one that says more."""
    known = [found for found in dates if found]
    return min(known, key=lambda found: (found.year, found.month or 13, found.day or 32), default=None)
