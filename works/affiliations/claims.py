"""What speaks for and against the claim that words of a text name an organisation.

A name counts only where nothing around it says that it is part of another, and where the place the text gives
does not contradict; the less a name tells by itself, the more of its place must be said. Rather no answer
than a wrong one: the index never holds all organisations, so what looks unique may not be.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from bzpeer.lib.names import fold
from works.affiliations import places
from works.affiliations.bounds import CLEAN, FAIR, LOOSE, Window, begins, ends, is_school, is_unit_next
from works.affiliations.index import ACRONYM, DISPLAY, LABEL, NATIONAL, PARTIAL, SHORT, Index
from works.affiliations.text import Place, Text
from works.affiliations.words import COMMA, raw_words, words

# Words that name no one organisation, whatever they mean.
_COMMON = re.compile(
    r"(?:logy|graphy|nomy|iatry|istry|metry|ics?|tion|ment|therapy|able|ible|ical|ional|ous|ular|ive)$"
)
_KINDS = {
    DISPLAY: "name",
    LABEL: "name",
    PARTIAL: "part of the name",
    NATIONAL: "name without its country",
    SHORT: "school of the university",
    ACRONYM: "acronym",
}


class Strength(NamedTuple):
    """Of two claims to the same words the greater holds."""

    in_city: bool
    in_country: bool
    ordered: bool
    minus_kind: int


class Claim:
    """An organisation (its number in the index), a kind of name, and the words of a text that may be this name.

    ordered: the words stand in the name's own order.
    """

    def __init__(
        self, text: Text, index: Index, window: Window, owner: int, kind: int, ordered: bool
    ) -> None:
        self.text = text
        self.index = index
        self.window = window
        self.owner = owner
        self.kind = kind
        self.ordered = ordered
        self.words = text.words[window.start : window.end + 1]
        self.forms = {word.form for word in self.words}

    @property
    def holds(self) -> bool:
        return not any(refuses(self) for refuses in REFUSALS)

    @property
    def key(self) -> int:
        return self.index.keys[self.owner]

    @property
    def strength(self) -> Strength:
        return Strength(self.in_city, self.in_country, self.ordered, -self.kind)

    @property
    def score(self) -> float:
        """Return 0 to 1, how sure."""
        sure = 1.0 if self.in_city else 0.9 if self.in_country else 0.8
        return round(sure - 0.1 * (not self.ordered or self.kind == SHORT) - 0.2 * (self.kind == ACRONYM), 2)

    @property
    def why(self) -> str:
        words_said = f"{_KINDS[self.kind]} “{self.quote}”"
        return words_said + ", city" * self.in_city + ", country" * self.in_country

    @property
    def quote(self) -> str:
        return self.text.quote(self.window.start, self.window.end)

    # What the text says of places

    @cached_property
    def country(self) -> str:
        """Return whether the text says the organisation's country: "yes", "no", "" where it does not say."""
        code, said = self.index.countries[self.owner], self.text.countries
        after = [place for place in said if place.start > self.window.end]
        if after:
            return "yes" if code in after[0].countries else "no"
        before = [place for place in said if place.end < self.window.start]
        if before:
            return "yes" if any(code in place.countries for place in before) else "no"
        cities = [place for place in self.text.end_cities if place.start > self.window.end]
        return "no" if cities and not any(code in place.countries for place in cities) else ""

    @property
    def in_country(self) -> bool:
        return self.country == "yes"

    @cached_property
    def in_city(self) -> bool:
        """Return whether the organisation's city stands in the same address, outside the name."""
        return bool(self.city) and any(
            place.city == self.city
            and (place.start > self.window.end or place.end < self.window.start)
            and not parted(self.text, self.window, place)
            for place in self.text.cities
        )

    @property
    def city(self) -> str:
        return self.index.cities[self.owner]

    @cached_property
    def names_city(self) -> bool:
        """Return whether the name itself has the organisation's city in it."""
        return any(
            place.city == self.city and self.window.start <= place.start and place.end <= self.window.end
            for place in self.text.cities
        )

    @property
    def in_another_city(self) -> bool:
        following = [place for place in self.text.end_cities if place.start > self.window.end]
        return bool(following) and following[0].city != self.city

    @property
    def is_elsewhere(self) -> bool:
        """Return whether the address behind the name gives a town that is not the organisation's, known to us or not."""
        segment: list[int] = []
        for number in range(self.window.end + 1, len(self.text.words) + 1):
            if segment and (self.text.is_parted(number) or self.text.words[number].link == "and"):
                if self._is_other_town(segment):
                    return True
                if segment[-1] in self.text.in_region:
                    return False
                segment = []
            segment.append(number)
        return False

    def _is_other_town(self, segment: list[int]) -> bool:
        forms = [self.text.words[number].form for number in segment]
        if any(
            place.start == segment[0] and place.city not in (self.city, *places.names())
            for place in self.text.cities
        ):
            return True
        if forms == self.city.split():
            return False
        if all(number in self.text.in_region or forms[i].isdigit() for i, number in enumerate(segment)):
            return False
        return not any(
            form in words("unit")
            or form in words("organisation")
            or (form in words("generic") and form not in words("place"))
            for form in forms
        )

    # What the name tells

    @cached_property
    def specific(self) -> list[int]:
        """Return the words of the name that tell it from others of its sort."""
        return [
            number
            for number, word in enumerate(self.words, self.window.start)
            if number in self.text.in_long_place
            or (
                word.form not in words("generic")
                and ("university" in self.forms or not _COMMON.search(word.form))
            )
        ]

    @property
    def is_generic(self) -> bool:
        return not self.specific

    @property
    def is_care(self) -> bool:
        return bool(self.forms & words("care"))

    @property
    def has_organisation(self) -> bool:
        """Return whether the name says what it is: a university, an institute …"""
        return bool(self.forms & words("organisation"))

    @property
    def is_state_university(self) -> bool:
        """Return whether the name is "University of" an American state: most have universities in several towns."""
        state = places.key_of(self.words[1:])
        return self.words[0].form == "university" and "US" in places.names().get(state, ())

    @property
    def is_family(self) -> bool:
        """Return whether other organisations have this name when their city is left out."""
        return self.index.is_family(self.window.total, self.key) or self.is_state_university

    @cached_property
    def left(self) -> int:
        return begins(self.text, self.window, self.kind == DISPLAY and self.in_city and self.in_country)

    @cached_property
    def right(self) -> int:
        return ends(self.text, self.index, self.window, self.owner, self.in_country or self.in_city)

    @property
    def is_whole(self) -> bool:
        return self.left == self.right == CLEAN


def parted(text: Text, one: Window | Place, other: Window | Place) -> bool:
    """Return whether a country is said between two places of the text, so that each has an address of its own."""
    first, second = sorted((one[:2], other[:2]))
    return any(first[1] < place.start and place.end < second[0] for place in text.countries)


# Each says whether a claim must be refused, cheapest first.


def _another_country(claim: Claim) -> bool:
    return claim.country == "no"


def _part_of_another_name(claim: Claim) -> bool:
    return not claim.left or not claim.right


def _weak_acronym(claim: Claim) -> bool:
    """Acronyms are shared by many: city and country must be said, and capitals must stand out."""
    return claim.kind == ACRONYM and not (
        claim.in_city
        and claim.in_country
        and len(claim.quote) > 3
        and claim.quote.isupper()
        and not claim.text.is_shouted
    )


def _weak_short_name(claim: Claim) -> bool:
    """ "Harvard" is the university where a school of it follows."""
    return claim.kind == SHORT and (
        claim.window.start in claim.text.in_place or not is_school(claim.text, claim.window)
    )


def _weak_word(claim: Claim) -> bool:
    """A single word must stand alone, be no place, and its place be said."""
    if len(claim.words) > 1 or claim.kind in (ACRONYM, SHORT):
        return False
    placed = claim.in_country or claim.in_city
    return not (claim.is_whole and placed) or claim.is_generic or claim.window.start in claim.text.in_place


def _only_a_place(claim: Claim) -> bool:
    numbers = range(claim.window.start, claim.window.end + 1)
    return claim.kind not in (ACRONYM, SHORT) and all(number in claim.text.in_place for number in numbers)


def _says_not_what_it_is(claim: Claim) -> bool:
    """A name without "university", "institute" and the like must stand alone."""
    if len(claim.words) == 1 or claim.kind in (ACRONYM, SHORT) or claim.has_organisation:
        return False
    return not (claim.left == CLEAN and claim.right >= FAIR and is_unit_next(claim.text, claim.window))


def _no_place_said(claim: Claim) -> bool:
    """Where no place is said, a hospital may be any of its name, and what is not a university must stand alone."""
    if claim.in_city or claim.in_country or claim.kind in (ACRONYM, SHORT):
        return False
    if claim.is_care:
        named = any(number not in claim.text.in_place for number in claim.specific)
        return claim.kind != DISPLAY or not (named or claim.names_city)
    if not claim.forms & {"university", "polytechnic"} and (not claim.is_whole or claim.in_another_city):
        return True
    # "Southeast University", of any country
    return len(claim.words) == 2 and all(
        fold(claim.text.words[number].raw) in raw_words("vague") for number in claim.specific
    )


def _hospital_of_another_city(claim: Claim) -> bool:
    """Most towns have a hospital named after a saint or a region."""
    if not claim.is_care or claim.in_city or claim.names_city or not claim.in_another_city:
        return False
    return claim.kind == LABEL or len(claim.specific) < 2


def _company_not_placed(claim: Claim) -> bool:
    """Companies have sites, and a sister may be meant that we do not know."""
    return claim.kind == NATIONAL and not (
        claim.in_country and (claim.in_city or claim.index.is_multinational(claim.window.total))
    )


def _part_not_placed(claim: Claim) -> bool:
    """A name without its distinguishing part needs the city: "University of Wisconsin", Madison's."""
    return claim.kind == PARTIAL and not (claim.in_city or (claim.in_country and claim.names_city))


def _torn_from_segment(claim: Claim) -> bool:
    """The last word before a comma, with what follows: "Columbia [University, New York]"."""
    commas = [number for number, word in enumerate(claim.words) if number and word.gap >= COMMA]
    return bool(commas) and (
        (commas[0] == 1 and claim.left < CLEAN) or (not claim.ordered and not claim.is_whole)
    )


def _shuffled(claim: Claim) -> bool:
    """Words in another order than the name's: "Washington University" is not the University of Washington."""
    if claim.ordered:
        return False
    return (
        claim.is_generic
        or len(claim.words) < 2
        or not claim.in_city
        or claim.kind == NATIONAL
        or any(word.link == "and" for word in claim.words[1:])
        or not claim.has_organisation
        or min(claim.left, claim.right) < FAIR
    )


def _generic(claim: Claim) -> bool:
    """ "Institute of Physics" needs its city; a "National Research Centre" its country, if that has but one."""
    if not claim.is_generic or claim.kind == ACRONYM:
        return False
    national = "national" in claim.forms and claim.in_country and not claim.is_family
    return not (claim.is_whole and (claim.in_city or national))


def _one_of_a_family(claim: Claim) -> bool:
    """ "University of California" with another town is one of its sisters, known to us or not."""
    if claim.is_state_university and claim.index.countries[claim.owner] != "US" and not claim.in_country:
        return True  # Georgia's
    if claim.kind not in (DISPLAY, LABEL) or claim.in_city or not claim.is_family:
        return False
    return claim.right == LOOSE or claim.is_elsewhere


REFUSALS: tuple[Callable[[Claim], bool], ...] = (
    _another_country,
    _weak_short_name,
    _weak_acronym,
    _part_not_placed,
    _company_not_placed,
    _only_a_place,
    _part_of_another_name,
    _weak_word,
    _says_not_what_it_is,
    _torn_from_segment,
    _shuffled,
    _no_place_said,
    _generic,
    _hospital_of_another_city,
    _one_of_a_family,
)
