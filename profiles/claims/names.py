"""Whether two names may be one person's, for a claim: as the catalogue compares them, and nothing looser.

Names in two scripts are not compared: authors have their names in other scripts beside them, and where they have
not, a moderator looks.
"""

import unicodedata
from collections.abc import Iterable
from enum import IntEnum

from confusable_homoglyphs import categories, confusables

from bzpeer.lib.names import clean
from works.matching.names import Spelling, shared, shared_as_aliases, spelling

_LOOK_ALIKE_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}


class Fit(IntEnum):
    """How well two names agree; the greater the better. INITIALS: one of them has no full given name."""

    NONE = 0
    INITIALS = 1
    FULL = 2


def fit(one: str, other: str) -> Fit:
    """Return how well two names agree, whichever comes first.

    >>> fit("Ke Liu", "Liu, K."), fit("Müller, Hans", "Hans Mueller"), fit("Ke Liu", "Jia Liu")
    (<Fit.INITIALS: 1>, <Fit.FULL: 2>, <Fit.NONE: 0>)
    """
    return _fit(_spelling(one), _spelling(other))


def compatible(one: str, other: str) -> bool:
    return fit(one, other) is not Fit.NONE


def best_fit(mine: Iterable[str], theirs: Iterable[str]) -> Fit:
    """Return how well the two names agree that agree best of two people's."""
    others = [_spelling(name) for name in theirs]
    ours = [_spelling(name) for name in mine]
    return max((_fit(one, other) for one in ours for other in others), default=Fit.NONE)


def _spelling(name: str) -> Spelling:
    return spelling(clean(name)[:255])


def _fit(one: Spelling, other: Spelling) -> Fit:
    if not one.family or not other.family:
        return Fit.NONE
    if one.family != other.family and not {one.family, *one.given} & {other.family, *other.given}:
        return Fit.NONE  # at once: lists of authors are long
    if shared(one, other) is None and shared_as_aliases(one, other) is None:
        return Fit.NONE
    return Fit.INITIALS if _is_short(one) != _is_short(other) else Fit.FULL


def is_confusing(name: str) -> bool:
    """Return whether a name is written to look like another: Latin letters among Cyrillic or Greek ones, or whole
    words of these that look Latin beside a Latin word.

    >>> is_confusing("Ada Smith"), is_confusing("Аda Smith"), is_confusing("Анна Смирнова")
    (False, True, False)
    """
    words = unicodedata.normalize("NFC", clean(name)).replace("-", " ").split()
    scripts = [_scripts(word) for word in words]
    if any(len(found) > 1 and found & _LOOK_ALIKE_SCRIPTS for found in scripts):
        return True
    if {"LATIN"} not in scripts:
        return False
    return any(
        "LATIN" not in found and found & _LOOK_ALIKE_SCRIPTS and _looks_latin(word)
        for word, found in zip(words, scripts, strict=True)
    )


def looks(text: str) -> str:
    """Return text with what looks like an ASCII letter written as that letter, to see what it is meant to be read as.

    >>> looks("tuftѕ.edu")
    'tufts.edu'
    """
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(_look_of(char) for char in decomposed if not unicodedata.combining(char))


def _is_short(name: Spelling) -> bool:
    return bool(name.given) and name.has_only_initials


def _scripts(word: str) -> set[str]:
    """Return the scripts of a word's letters."""
    return {str(categories.alias(char)) for char in word if char.isalpha()} - {"COMMON", "INHERITED"}


def _looks_latin(word: str) -> bool:
    letters = [char for char in word if char.isalpha()]
    return bool(letters) and all(_look_of(char).isascii() for char in letters)


def _look_of(char: str) -> str:
    if char.isascii():
        return char
    found = confusables.is_confusable(char, greedy=True, preferred_aliases=[])
    alike = [other["c"] for match in found or () for other in match["homoglyphs"]]
    letters = (other.lower() for other in alike if len(other) == 1 and other.isascii() and other.isalpha())
    return next(letters, char)
