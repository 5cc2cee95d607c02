"""An affiliation string, read: its words, and the places it names."""

from functools import cached_property
from typing import NamedTuple

from works.affiliations import places
from works.affiliations.index import Index
from works.affiliations.places import Countries
from works.affiliations.words import COMMA, Word, form_of, read, split_words, unglue

MOST_WORDS = 300  # of one string; the rest is not looked at


class Place(NamedTuple):
    """Words start to end (both included) name a place. city: its key in the index, "" for countries and regions."""

    start: int
    end: int
    countries: Countries
    city: str = ""


class Text:
    """words: of the string. cities, regions: places named, the longest names where they overlap."""

    def __init__(self, text: str, index: Index) -> None:
        self.text = read(text)
        self.words = _unglued(split_words(self.text)[:MOST_WORDS], index)
        self.is_shouted = self.text.isupper()
        self.cities: list[Place] = []
        self.regions: list[Place] = []
        self._find_places(index)
        self.in_region = _numbers(self.regions)
        self.in_place = (
            self.in_region
            | _numbers(self.cities)
            | {number for number, word in enumerate(self.words) if has_digit(word)}
        )
        # Common words make a place together: "San Jose", "West Bengal".
        self.in_long_place = _numbers([p for p in (*self.cities, *self.regions) if p.end > p.start])

    def _find_places(self, index: Index) -> None:
        names, codes, cities = places.names(), places.codes(), index.city_countries
        city_end = region_end = -1
        for start, word in enumerate(self.words):
            key, city, region = "", None, None
            for end in range(start, min(start + places.MOST_WORDS, len(self.words))):
                key = f"{key} {self.words[end].form}" if key else self.words[end].form
                if key in cities:
                    city = Place(start, end, frozenset(cities[key]), key)
                if key in names:
                    region = Place(start, end, names[key])
            if region is None and word.raw in codes and not self._follows_digits(start):
                region = Place(start, start, codes[word.raw])
            if city and city.end > city_end and not self._is_county(city):
                self.cities.append(city)
                city_end = city.end
            if region and region.end > region_end:
                self.regions.append(region)
                region_end = region.end

    def _is_county(self, place: Place) -> bool:
        behind = self.words[place.end + 1 : place.end + 2]
        return bool(behind) and behind[0].form == "county" and behind[0].gap < COMMA

    def _follows_digits(self, number: int) -> bool:
        """Return whether the word is the end of a postal code, as in "5600 MB Eindhoven"."""
        return number > 0 and self.words[number].gap < COMMA and self.words[number - 1].raw.isdigit()

    @cached_property
    def countries(self) -> list[Place]:
        """Return what the text says of countries, in order: where an address ends, and in postal codes."""
        found = [place for place in self.regions if self._ends_address(place) and not self._is_town(place)]
        for offset, countries in places.postal_countries(self.text):
            at = next((number for number, word in enumerate(self.words) if word.start >= offset), None)
            if at is not None:
                found.append(Place(at, at, countries))
        return sorted(found, key=lambda place: place[:2])

    @cached_property
    def end_cities(self) -> list[Place]:
        """Return the cities named where an address ends."""
        return [place for place in self.cities if self._ends_address(place)]

    def _is_town(self, place: Place) -> bool:
        """Return whether a region's name is a town's, as the region behind it says: "Moscow, Idaho"."""
        if places.key_of(self.words[place.start : place.end + 1]) in places.countries():
            return False
        return any(
            other.start == place.end + 1 and not other.countries & place.countries for other in self.regions
        )

    def _ends_address(self, place: Place) -> bool:
        first = self.words[place.start]
        if place.start and first.gap < COMMA and first.link == "of":
            return False
        for number in range(place.end + 1, len(self.words)):
            if self.words[number].gap >= COMMA:
                break
            if number not in self.in_place:
                return False
        return True

    def is_parted(self, number: int) -> bool:
        """Return whether a comma or more stands before a word, or the text begins or ends there."""
        return number in (0, len(self.words)) or self.words[number].gap >= COMMA

    def quote(self, start: int, end: int) -> str:
        """Return the words from start to end as they are written."""
        last = self.words[end]
        return self.text[self.words[start].start : last.start + len(last.raw)]


def has_digit(word: Word) -> bool:
    return any(char.isdigit() for char in word.raw)


def _numbers(found: list[Place]) -> set[int]:
    return {number for place in found for number in range(place.start, place.end + 1)}


def _unglued(words: list[Word], index: Index) -> list[Word]:
    """Return words, those that lost their spaces taken apart where a part is a word of some name."""
    found: list[Word] = []
    for word in words:
        parts = unglue(word.raw) if word.form not in index.vocabulary and len(word.raw) > 2 else []
        if len(parts) < 2 or not any(len(part) > 1 and form_of(part) in index.vocabulary for part in parts):
            found.append(word)
            continue
        offset = word.start
        for number, part in enumerate(parts):
            for piece in split_words(part):
                gap, link = (COMMA, "") if number else (word.gap, word.link)
                found.append(piece._replace(gap=gap, link=link, start=offset))
            offset += len(part)
    return found
