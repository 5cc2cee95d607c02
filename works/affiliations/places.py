"""Countries, their parts and postal marks, as affiliation strings name them."""

import csv
import re
from functools import cache
from importlib import resources

from works.affiliations.words import Word, read, split_words

Countries = frozenset[str]  # ISO 3166-1 alpha-2 codes: several where the words leave it open

MOST_WORDS = 5  # of a place's name
_POSTAL = re.compile(r"\b([A-Z]{1,3})[-–‐−] ?\d{4,6}\b")
_BRITISH = re.compile(r"\b(?:GIR ?0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})\b")
_CANADIAN = re.compile(r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d\b")
_AMERICAN = re.compile(r"\b([A-Z]{2})[ ,]+\d{5}(?:-\d{4})?\b")


@cache
def _rows(kind: str) -> list[tuple[Countries, list[str]]]:
    text = resources.files("works.affiliations").joinpath("places.tsv").read_text(encoding="utf-8")
    return [
        (frozenset(row[1].split()), row[2].split("|"))
        for row in csv.reader(text.splitlines()[1:], delimiter="\t")
        if row[0] == kind
    ]


def key_of(words: list[Word]) -> str:
    return " ".join(word.form for word in words)


@cache
def _names(kind: str) -> dict[str, Countries]:
    found: dict[str, Countries] = {}
    for countries, spellings in _rows(kind):
        for spelling in spellings:
            key = key_of(split_words(read(spelling)))
            found[key] = found.get(key, frozenset()) | countries
    return found


def countries() -> dict[str, Countries]:
    """Return the countries of each name of a country; keys are forms joined by spaces."""
    return _names("country")


@cache
def names() -> dict[str, Countries]:
    """Return the countries of each name of a country or one of its regions; keys as `countries` has them."""
    return {
        key: countries().get(key, frozenset()) | _names("region").get(key, frozenset())
        for key in countries() | _names("region")
    }


@cache
def codes() -> dict[str, Countries]:
    """Return the countries of each abbreviation that counts only in capitals: "PA", "NSW"."""
    return {code: countries for countries, listed in _rows("code") for code in listed}


@cache
def _postal() -> dict[str, Countries]:
    return {mark: countries for countries, marks in _rows("post") for mark in marks}


def postal_countries(text: str) -> list[tuple[int, Countries]]:
    """Return the countries that postal codes of a text tell, each with its place in the text."""
    if not any(char.isdigit() for char in text):
        return []
    found = [
        (match.start(), _postal()[match.group(1)])
        for match in _POSTAL.finditer(text)
        if match.group(1) in _postal()
    ]
    found += [(match.start(), frozenset(["GB"])) for match in _BRITISH.finditer(text)]
    found += [(match.start(), frozenset(["CA"])) for match in _CANADIAN.finditer(text)]
    found += [
        (match.start(), frozenset(["US"]))
        for match in _AMERICAN.finditer(text)
        if "US" in codes().get(match.group(1), ())
    ]
    return sorted(found, key=lambda one: one[0])
