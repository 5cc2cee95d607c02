"""Where a name in a text may begin and end: whether the words around it belong to it or to another."""

import re
from typing import NamedTuple

from bzpeer.lib.names import fold
from works.affiliations import places
from works.affiliations.index import Index
from works.affiliations.text import Text, has_digit
from works.affiliations.words import COMMA, HYPHEN, raw_words, words

NOT, LOOSE, FAIR, CLEAN = range(4)  # how well a name begins or ends where it seems to

# Endings of subjects, which stand before a name where commas are missing: "Neurology Yale University".
_SUBJECT = re.compile(r"(?:logy|graphy|nomy|iatry|istry|metry|ics?|ing|tion|ment|itie|ences?|gery|therapy)$")
_ENGLISH_HEADS = frozenset(
    [
        "university",
        "college",
        "institute",
        "hospital",
        "center",
        "centre",
        "academy",
        "school",
        "laboratory",
        "department",
        "faculty",
    ]
)
_WHOLE = frozenset(["university", "hospital", "academy", "polytechnic"])
_SCHOOLS = frozenset(["medical", "law", "business", "dental", "divinity", "graduate"])
_HEALTH = frozenset({("health", "system"), ("health", "care"), ("health", "service"), ("medical", "system")})


class Window(NamedTuple):
    """Words start to end (both included) of a text; total: the sum of their numbers (index.py)."""

    start: int
    end: int
    total: int


def begins(text: Text, window: Window, sure: bool) -> int:
    """Return how well a name may begin here; NOT where the words before belong to it.

    sure: the place fits so well that an unknown word before it may be borne with.
    """
    if text.is_parted(window.start):
        return CLEAN
    first, before = text.words[window.start], text.words[window.start - 1]
    organisation = first.form in words("organisation")
    if first.link == "and":
        return CLEAN if organisation or first.form not in words("generic") else NOT
    if first.link == "the" or len(before.raw) == 1 or before.raw.isdigit():
        return CLEAN
    if first.gap == HYPHEN:
        return FAIR if organisation and before.raw.isupper() else NOT
    if first.link == "of":
        return NOT if before.form in words("care") else FAIR  # "Hospital of Wuhan University"
    if first.link:
        return FAIR
    if organisation and (first.form != "university" or _ends_english_name(text, window)):
        return NOT
    if fold(before.raw) in raw_words("adjective"):
        return NOT
    if text.is_parted(window.start - 1) and (
        before.form in words("field") or (before.raw.isupper() and not text.is_shouted)
    ):
        return NOT  # "Science University of Tokyo", "IT University of Copenhagen"
    if (
        before.form in words("generic")
        or before.form in words("unit")
        or before.raw.islower()
        or _SUBJECT.search(before.form)
    ):
        return FAIR
    head_first = is_head_first(text, window)
    if not sure or (organisation and not head_first):
        return NOT
    return LOOSE if head_first or window.start - 1 not in text.in_place else NOT


def ends(text: Text, index: Index, window: Window, owner: int, placed: bool) -> int:
    """Return how well a name may end here; NOT where the words behind belong to it.

    placed: the place fits, so that an unknown word behind it may be borne with.
    """
    behind = window.end + 1
    if text.is_parted(behind):
        return CLEAN
    last, after = text.words[window.end], text.words[behind]
    if after.link == "the" or has_digit(after):
        return CLEAN
    city = index.cities[owner].split()
    if city and [word.form for word in text.words[behind : behind + len(city)]] == city:
        return NOT if _begins_clinic(text, behind + len(city)) else CLEAN
    if after.link == "and":
        return NOT if after.form in words("field") and last.form in words("field") else CLEAN
    own_region = _own_region(text, index, behind, owner)
    if after.link in ("at", "in"):
        return FAIR if own_region else NOT
    if after.link:
        return NOT
    inside = {word.form for word in text.words[window.start : behind]}
    if _goes_on(text, window, inside):
        return NOT
    if after.gap == HYPHEN:
        return FAIR if after.form in words("unit") or after.form in words("organisation") else NOT
    adjective = fold(after.raw) in raw_words("adjective") or after.form in words("place")
    if not adjective and (after.form in words("unit") or after.form in words("generic")):
        return FAIR
    if own_region:
        return CLEAN if own_region == 2 or _says_more(text, index, behind, owner) else NOT
    if not adjective and _unit_follows(text, behind):
        return FAIR
    if fold(last.raw) == "universitesi":
        return FAIR  # in Turkish the last word of a university's name
    return LOOSE if placed or after.raw.islower() else NOT


def is_head_first(text: Text, window: Window) -> bool:
    """Return whether the name begins as "University of X" or "Université X" do, to which words before seldom belong."""
    first = text.words[window.start]
    if window.start == window.end or first.form not in words("organisation"):
        return False
    return text.words[window.start + 1].link == "of" or fold(first.raw) not in _ENGLISH_HEADS


def is_school(text: Text, window: Window) -> bool:
    """Return whether a university's school follows: "Harvard Medical School", "Yale School of Medicine"."""
    rest = text.words[window.end + 1 : window.end + 3]
    if len(rest) < 2 or rest[0].link or any(word.gap for word in rest):
        return False
    if rest[0].form == "school":
        return rest[1].link == "of"
    return rest[1].form == "school" and rest[0].form in _SCHOOLS


def is_unit_next(text: Text, window: Window) -> bool:
    """Return whether what follows a name that does not say what it is, is clearly no part of it."""
    behind = window.end + 1
    if text.is_parted(behind):
        return True
    after = text.words[behind]
    return after.link != "and" and (
        behind in text.in_place or after.form in words("unit") or after.form in words("generic")
    )


def _ends_english_name(text: Text, window: Window) -> bool:
    """Return whether "University" ends a name rather than begins one: "Sport University Cologne"."""
    behind = text.words[window.start + 1 : window.end + 1]
    return (
        fold(text.words[window.start].raw) == "university"
        and bool(behind)
        and not behind[0].link
        and behind[0].form not in words("organisation")
    )


def _goes_on(text: Text, window: Window, inside: set[str]) -> bool:
    """Return whether the words behind make another organisation's name of this one."""
    behind = window.end + 1
    last, after = text.words[window.end], text.words[behind]
    if not inside & words("organisation") and after.form in _WHOLE | {"college"}:
        return True
    if last.form not in words("organisation") and after.form in _WHOLE:
        return True
    if last.form not in words("care") and _is_care(text, behind):
        return True
    return after.form == "county" or ("university" in inside and _is_center(text, behind))


def _begins_clinic(text: Text, number: int) -> bool:
    return not text.is_parted(number) and (
        text.words[number].form == "county" or _is_care(text, number) or _is_center(text, number)
    )


def _is_care(text: Text, number: int) -> bool:
    """Return whether a hospital's name goes on here: "Tianjin Medical University General Hospital"."""
    forms = tuple(word.form for word in text.words[number : number + 2])
    if forms in _HEALTH or forms[:1] == ("healthcare",):
        return True
    for word in text.words[number : number + 3]:
        if word.gap >= COMMA or word.link or word.form in ("school", "college", "department", "faculty"):
            return False
        if word.form in words("care"):
            return True
    return False


def _is_center(text: Text, number: int) -> bool:
    """Return whether "Medical Center" or "Health Sciences Center" begins here: mostly an organisation of its own."""
    forms = [word.form for word in text.words[number : number + 3]]
    return forms[:2] == ["medical", "center"] or forms == ["health", "science", "center"]


def _unit_follows(text: Text, behind: int) -> bool:
    """Return whether one of the next words begins a part of the organisation: "… Bloomberg School of Public Health"."""
    for number in range(behind + 1, min(behind + 4, len(text.words))):
        if text.words[number].gap < COMMA and text.words[number].form in words("unit"):
            return True
    return False


def _own_region(text: Text, index: Index, number: int, owner: int) -> int:
    """Return 2 where the organisation's country is named at a word, 1 where a region of it is, else 0."""
    for place in text.regions:
        if place.start == number and index.countries[owner] in place.countries:
            return 2 if places.key_of(text.words[place.start : place.end + 1]) in places.countries() else 1
    return 0


def _says_more(text: Text, index: Index, number: int, owner: int) -> bool:
    """Return whether the country is said behind a region too: "Wisconsin" alone may belong to the name."""
    return any(place.start > number and index.countries[owner] in place.countries for place in text.countries)
