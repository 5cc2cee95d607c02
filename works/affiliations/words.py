"""The words of affiliation strings and of organisations' names, brought to one spelling; and where places are."""

import csv
import html
import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from bzpeer.lib.names import clean, fold

MOST_CHARACTERS = 2500  # of one affiliation string; the rest is not looked at
MOST_LETTERS = 64  # of one word

# How a word is parted from the one before it; no name goes over a BREAK.
JOINED, HYPHEN, COMMA, BREAK = range(4)

_MARKS = "".join(chr(c) for c in range(0x300, 0xFFFF) if unicodedata.category(chr(c)).startswith("M"))
_LETTER = rf"(?:[^\W_]|[{re.escape(_MARKS)}])"
_WORD = re.compile(rf"{_LETTER}+(?:['’‘‛`´ʼ＇]{_LETTER}+)*")
_IDEOGRAPHS = re.compile(r"[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# Where a space was lost: "EngineeringNanjing", "PhiladelphiaPA", "1Baylor".
_GLUED = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=\d)(?=[^\W\d_])")
# "U.S.", "P. R. China", "N. Y.", but not "J. Smith".
_INITIALS = re.compile(r"(?<![\w.])[^\W\d_](?:\. ?[^\W\d_](?![\w]))+\.?")
# "(A.K., K.G., J.B.S.)": who of the authors is meant.
_PEOPLE = re.compile(r"\((?:[^\W\d_]{1,3}\.[-\s,;]*)+\)")
_PARTS = re.compile(r"[^-\s‐‑‒–—―─'’‘‛`´ʼ＇&.]")
_EXPANDED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)  # fmt: skip


class Word(NamedTuple):
    """raw: as written. form: its one spelling. gap: what parts it from the word before (JOINED, HYPHEN, COMMA, BREAK).

    link: the little word before it that is no word of its own ("of", "at", "in", "and", "the", "").
    start: its place in the text.
    """

    raw: str
    form: str
    gap: int
    link: str
    start: int


@cache
def _rows() -> list[list[str]]:
    """Return words.tsv: kind, word, forms.

    same: forms that stand for the word. link, legal: left out, and said by `Word.link`. organisation: what says
    that a name is one's. unit: what parts of organisations are called. care: hospitals. field: what a part may be
    "of", beside "and". adjective: may stand before "University" as a part of the name. vague: tells nothing without
    a place. place: begins or ends a town's name. generic: stands in names of many countries (counted in ROR's).
    """
    text = resources.files("works.affiliations").joinpath("words.tsv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()[1:], delimiter="\t"))


@cache
def _same() -> dict[str, str]:
    return {
        _singular(form): _singular(word)
        for kind, word, forms in _rows()
        if kind == "same"
        for form in forms.split()
    }


@cache
def _links() -> dict[str, str]:
    """Return the words that are left out, with what they say: links of a name, forms of companies ("")."""
    return {
        form: word for kind, word, forms in _rows() if kind in {"link", "legal"} for form in forms.split()
    }


@cache
def words(kind: str) -> frozenset[str]:
    """Return all words of a kind of words.tsv, spelled as forms are."""
    return frozenset(canonical(form) for row, _, forms in _rows() if row == kind for form in forms.split())


@cache
def raw_words(kind: str) -> frozenset[str]:
    """Return all words of a kind of words.tsv as they stand there: folded, but no two forms brought to one."""
    return frozenset(form for row, _, forms in _rows() if row == kind for form in forms.split())


def _singular(word: str) -> str:
    return (
        word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )


def canonical(folded: str) -> str:
    """Return the one form that stands for a folded word's inflections, abbreviations and translations.

    >>> canonical("universite"), canonical("sciences")
    ('university', 'science')
    """
    word = _singular(folded)
    return _same().get(word, word)


@lru_cache(maxsize=1 << 16)
def form_of(raw: str) -> str:
    return canonical(fold(raw).replace(" ", ""))


def expanded_form(raw: str) -> str:
    """Return the form of the same word without umlauts, as "tuebingen" for "Tübingen"; "" where there is none."""
    other = raw.translate(_EXPANDED)
    return form_of(other) if other != raw else ""


def read(text: str) -> str:
    """Return the text as it was meant: entities resolved, no invisible characters or addresses, initials joined."""
    text = text[:MOST_CHARACTERS]
    if "&" in text:
        text = html.unescape(html.unescape(text))
    text = clean(text)
    if "@" in text or "www." in text or "://" in text:
        # A mail address seldom tells more than the words do, and often of another place.
        text = " ".join("," if _is_address(word) else word for word in text.split(" "))
    if "(" in text:
        text = _PEOPLE.sub(",", text)
    return _INITIALS.sub(lambda found: re.sub(r"[. ]", "", found.group()), text) if "." in text else text


def _is_address(word: str) -> bool:
    return "@" in word[1:-1] or "://" in word or word.startswith("www.")


def split_words(text: str) -> list[Word]:
    """Return the words of a text that `read` returned."""
    found: list[Word] = []
    end, gap, link = 0, JOINED, ""
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        if between != " " and (between or end):
            gap = max(gap, _gap(between))
            if between.startswith(". ") and found and _ends_sentence(found[-1].raw):
                gap = COMMA
            if "&" in between or "+" in between:
                link = "and"
        end = match.end()
        raw = match.group()
        if _IDEOGRAPHS.match(raw):
            for place, char in enumerate(raw):
                found.append(
                    Word(char, char, JOINED if place else gap, "" if place else link, match.start() + place)
                )
            gap, link = JOINED, ""
            continue
        form = form_of(raw[:MOST_LETTERS])
        if not form:
            continue
        if form in _links() and not (len(form) > 1 and raw.isupper() and not text.isupper()):
            link = link if link and link != "the" else _links()[form]
            continue
        found.append(Word(raw, form, gap, link, match.start()))
        gap, link = JOINED, ""
    return found


def _gap(between: str) -> int:
    if any(char in ";)|•" for char in between):
        return BREAK
    if _PARTS.search(between):
        return COMMA
    if "-" in between.strip() or any(char in "‐‑‒–—―─" for char in between):
        return COMMA if between.startswith(" ") or between.endswith(" ") else HYPHEN
    return JOINED


def _ends_sentence(raw: str) -> bool:
    """Return whether a full stop after this word is more than the mark of an abbreviation."""
    return len(raw) > 4 and fold(raw) not in _same()


def unglue(raw: str) -> list[str]:
    """Return the words of a word that lost its spaces; itself alone where it shows none."""
    return [part for part in _GLUED.split(raw) if part]
