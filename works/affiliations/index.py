"""The names of all organisations, laid out so that every run of words of a text can be looked up at once."""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from works.affiliations import places
from works.affiliations.words import Word, expanded_form, read, split_words, words

MOST_WORDS = 24  # of a name
_REACH = 32  # a form's number carries how long a name it stands in, below this
_MASK = (1 << 61) - 1
_CODE_BEFORE = re.compile(r"[A-ZÀ-ÖØ-Þ]{2,6} [-–—] (?=\w)")  # "VSB - Technical University of Ostrava"

# How a name names its organisation; the better first.
DISPLAY, LABEL, PARTIAL, NATIONAL, SHORT, ACRONYM = range(6)


@dataclass(frozen=True, slots=True)
class Known:
    """An organisation as the catalogue has it.

    key: what a match answers; several may share it (a withdrawn record and its successor).
    names: the one to show first.
    """

    key: int
    names: tuple[str, ...]
    acronyms: tuple[str, ...] = ()
    country_code: str = ""
    city: str = ""


@lru_cache(maxsize=1 << 16)
def _number(form: str) -> int:
    """Return the form's own number, the same in every process."""
    return int.from_bytes(blake2b(form.encode(), digest_size=8).digest(), "big") & _MASK


class Index:
    """Names by the sum of their words' numbers, so that the order of words does not matter to find them."""

    def __init__(self, institutions: Iterable[Known]) -> None:
        self.keys = array("q")
        self.countries: list[str] = []
        self.cities: list[str] = []
        self.city_countries: dict[str, set[str]] = {}
        self.families: dict[int, int] = {}  # sum of a name without its city to whose it is, -1 for several
        self._first: dict[int, int] = {}  # sum of a name to its first entry
        self._next = array("l")
        self.owner = array("l")
        self.kind = array("b")
        self.order = array("Q")
        self.vocabulary: dict[str, int] = {}
        for known in institutions:
            self._add(known)

    def _add(self, known: Known) -> None:
        number = len(self.keys)
        self.keys.append(known.key)
        self.countries.append(known.country_code)
        # What a system of universities is named after has campuses in many towns; its seat tells nothing.
        shown = {word.form for word in split_words(read(known.names[0]))} if known.names else set()
        city_words = [] if {"university", "system"} <= shown else split_words(read(known.city))
        city = places.key_of(city_words)
        self.cities.append(city)
        if city:
            self.city_countries.setdefault(city, set()).add(known.country_code)
        seen: set[tuple[int, int]] = set()
        for kind, name in name_forms(known, [word.form for word in city_words]):
            self._add_name(number, kind, name, seen)

    def _add_name(self, owner: int, kind: int, name: list[Word], seen: set[tuple[int, int]]) -> None:
        if not 0 < len(name) <= MOST_WORDS:
            return
        total = order = 0
        for place, word in enumerate(name, 1):
            value = _number(word.form)
            total += value
            order += value * place
        total &= _MASK
        order &= _MASK
        if kind == PARTIAL:
            key = self.keys[owner]
            self.families[total] = key if self.families.get(total, key) == key else -1
            if all(word.form in words("generic") for word in name):
                return
        if (total, order) in seen:
            return
        seen.add((total, order))
        for word in name:
            self._learn(word.form, len(name))
            if not word.raw.isascii() and (other := expanded_form(word.raw)):
                self._learn(other, len(name), as_form=word.form)
        entry = len(self.owner)
        self._next.append(self._first.get(total, -1))
        self._first[total] = entry
        self.owner.append(owner)
        self.kind.append(kind)
        self.order.append(order)

    def _learn(self, form: str, length: int, as_form: str = "") -> None:
        known = self.vocabulary.get(form)
        reach = max(length, known % _REACH) if known else length
        self.vocabulary[form] = _number(as_form or form) * _REACH + reach

    def entries(self, total: int) -> Iterator[int]:
        """Return the entries of names whose numbers add up to this."""
        entry = self._first.get(total & _MASK, -1)
        while entry >= 0:
            yield entry
            entry = self._next[entry]

    def is_order(self, entry: int, order: int) -> bool:
        """Return whether an entry's words stand in this order."""
        return self.order[entry] == order & _MASK

    def is_multinational(self, total: int) -> bool:
        """Return whether a company has this name in several countries, so that the country tells which is meant."""
        return (
            len({self.countries[self.owner[e]] for e in self.entries(total) if self.kind[e] == NATIONAL}) > 1
        )

    def is_family(self, total: int, key: int) -> bool:
        """Return whether another organisation has this name when its city is left out."""
        return self.families.get(total & _MASK, key) != key

    def has(self, total: int) -> bool:
        return total & _MASK in self._first

    def __len__(self) -> int:
        return len(self.keys)


def number_and_reach(value: int) -> tuple[int, int]:
    return value // _REACH, value % _REACH


def name_forms(known: Known, city: list[str]) -> Iterator[tuple[int, list[Word]]]:
    """Return the ways in which the organisation is named, each with what kind of name it is."""
    acronyms = {acronym.casefold() for acronym in known.acronyms}
    shown = split_words(read(known.names[0])) if known.names else []
    for place, name in enumerate(known.names):
        kind = LABEL if place else DISPLAY
        text = read(name)
        bare, bracket = _without_bracket(text)
        if bare and places.names().get(places.key_of(split_words(bracket))):
            # "Siemens (Germany)": the country must be said elsewhere.
            yield NATIONAL, split_words(bare)
            yield kind, split_words(text)
            continue
        full = split_words(text)
        if place:
            rest = _rest(shown, full)
            if _is_parent(rest, shown, full):
                continue
            if _place_in(full, city) < 0 and any(
                word.form not in words("generic") and word.raw.casefold() not in acronyms for word in rest
            ):
                kind = PARTIAL  # "University of Wisconsin" of Madison's, but not "University of Munich" of Ludwig's
        yield kind, full
        if bare and any(word.form in words("organisation") for word in split_words(bracket)):
            continue  # "National University of Singapore (acting through Duke-NUS Medical School)"
        if bare:
            full = split_words(bare)
            # More than a short form in the brackets sets this organisation apart from others of the name.
            yield max(LABEL if " " not in bracket.strip() else PARTIAL, kind), full
        if len(full) > 2 and full[0].raw.casefold() in acronyms and not full[1].link and not full[2].link:
            # "KTH Royal Institute of Technology", but not "SOAS University of London"
            full = full[1:]
            yield max(LABEL, kind), full
        if match := _CODE_BEFORE.match(text):
            yield LABEL, split_words(text[match.end() :])
        if trust := _without_trust(full):
            yield LABEL, trust
        if local := _without(full, city):
            yield PARTIAL, local
        if len(full) == 2 and full[1].form == "university" and full[0].form not in words("generic"):
            yield SHORT, full[:1]
    for acronym in known.acronyms:
        yield ACRONYM, split_words(read(acronym))


def _rest(shown: list[Word], other: list[Word]) -> list[Word]:
    """Return what another name leaves out of the one shown; [] where it is more than a part of it."""
    forms = [word.form for word in other]
    if len(forms) >= len(shown) or not set(forms) <= {word.form for word in shown}:
        return []
    return [word for word in shown if word.form not in forms]


def _is_parent(rest: list[Word], shown: list[Word], other: list[Word]) -> bool:
    """Return whether another name is only that of what the organisation belongs to: "CHRR at The Ohio State University"."""
    return bool(rest) and (
        any(word.form in words("organisation") for word in rest)
        or any(word.link == "at" and word.form == other[0].form for word in shown)
    )


def _without_trust(name: list[Word]) -> list[Word]:
    """Return the name of a British hospital trust without that it is one; [] for others."""
    end = len(name)
    while end and name[end - 1].form in {"nhs", "foundation", "trust"}:
        end -= 1
    return name[:end] if 1 < end < len(name) and name[end].form == "nhs" else []


def _without_bracket(text: str) -> tuple[str, str]:
    before, opened, rest = text.partition("(")
    inside, closed, after = rest.partition(")")
    if not (opened and closed and before.strip()) or len(before) < 2:
        return "", ""
    return f"{before} {after}", inside


def _place_in(name: list[Word], city: list[str]) -> int:
    """Return where in a name its city begins; -1 where it is not there."""
    forms = [word.form for word in name]
    for start in range(len(forms) - len(city) + 1):
        if city and forms[start : start + len(city)] == city:
            return start
    return -1


def _without(name: list[Word], city: list[str]) -> list[Word]:
    """Return the name without the city in it, where enough is left: "Washington University" of "… in St. Louis"."""
    start = _place_in(name, city)
    return name[:start] + name[start + len(city) :] if start >= 0 and len(name) > len(city) + 1 else []
