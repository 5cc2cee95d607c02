"""Who wrote a work, as arXiv's lists of authors say it. Collaborations, "et al." and editors are no people.

Source: https://info.arxiv.org/help/prep.html#author
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from bzpeer.lib.markup import render
from bzpeer.lib.names import clean
from works.ingest.people import MAX_AUTHORS, MAX_NAME, is_organisation
from works.ingest.records import AuthorshipRecord

MAX_WRITTEN = 1000  # characters of a name with its marks and footnotes
# One look that nearly all names pass: nothing in them is TeX, a mark or a word of those below.
_ODD = re.compile(
    r"[\d\\${}~()\[\]:;*^_&]|\. -|\b(?:collab|consort|contributors|editor|anonymous)"
    r"|\b(?:team|group|project|survey|task force|et\.? al\w*|and|the|for|behalf|representing|eds?|others|jr|sr|i{2,3}|iv)\b",
    re.I,
)
_TEX_BRACES = re.compile(r"[{}]")
_TEX_MARK = re.compile(
    r"\$\s*\^[^$]*\$|\^\{[^{}]*\}|\\(?:thanks|footnote|inst|textsuperscript)\s*\{[^{}]*\}|\\and\b"
)
_BEFORE = re.compile(r"^(?:and\s+|\d+(?=[^\W\d_])|(?:.*\bcollaborations?|editors?|eds?\.?)\s*:\s*)", re.I)
# A footnote's number, and whom somebody speaks for: "Gang Wu1", "A. B. for the IceCube Collaboration".
_BEHIND = re.compile(
    r"(?<=[^\W\d_])\d+\s*$|[\s,]+\(?(?:on behalf of|representing|for\s+(?:the\b|.*\bcollaborations?\b)).*$"
    r"|[\s,]+et\.? al(?:ii|\.)?\s*$|\s*\(?\beds?\.\)?\s*$",
    re.I,
)
_ET_AL = re.compile(r"\bet\.? al(?:ii)?\b|^(?:and )?others$", re.I)
_NOBODY = re.compile(
    r"[\W\d_]*|(?:the\s+)?(?:editors?|eds?\.?|(?:and )?others|anonymous|et\.? al(?:ii)?\.?)", re.I
)
_COLLECTIVE = re.compile(
    r"^(?-i:(?:and )?the|for|on behalf of|representing)\s"  # "The Duy Bui" is a person
    r"|\b(?:collaborations?|consorti(?:um|a)|contributors|task force|working group|study group)\b"
    r"|\S\s+(?:team|group|project|survey)$",
    re.I,
)
_SPOKEN_FOR = re.compile(r"^(?:for|on behalf of|representing)\s|\bcollaborations?$", re.I)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.I)
_MARK = re.compile(r"[(){},;]|\s(?:and|&|\\and)(?=\s)")
_NUMBERED = re.compile(r"(?:^|[\s,;])\(?(\d{1,3}|[a-z*](?=\)))[).:]*\s*(?=[^\W\d_])")
_MARKERS = re.compile(r"(?:(?:\d{1,3}(?!\d)|and\b|&|[a-z*](?![a-z]))[\s,;]*+)++", re.A)


class Author(NamedTuple):
    """One of a list, as it is written. is_bare: the field for a given name is empty, as organisations leave it."""

    name: str
    affiliations: tuple[str, ...] = ()
    is_bare: bool = False


class People(NamedTuple):
    """partial: the list is known to lack people."""

    authorships: tuple[AuthorshipRecord, ...] = ()
    partial: bool = False


def people(authors: Iterable[Author]) -> People:
    """Return those of a list who are people."""
    found: list[AuthorshipRecord] = []
    named = partial = after_collective = False
    for author in authors:
        named = True
        name = _name(author.name)
        partial = partial or (name != author.name and says_et_al(author.name))
        if author.name.strip() == ":" and after_collective:
            found.clear()  # "Keck Array, BICEP2 Collaborations, :, P. Ade": people come behind the colon
        after_collective = bool(name) and _is_collective(name, author)
        if _SUFFIX.fullmatch(name) and found:
            found[-1] = replace(found[-1], raw_name=f"{found[-1].raw_name} {name}"[:MAX_NAME])
        elif name and not after_collective:
            found.append(AuthorshipRecord(raw_name=name, raw_affiliations=_affiliations(author.affiliations)))
        if len(found) == MAX_AUTHORS:
            return People(tuple(found), partial=True)
    return People(tuple(found), partial or (named and not found))


def says_et_al(text: str) -> bool:
    return bool(_ET_AL.search(text))


def _name(text: str) -> str:
    """Return one author's name without TeX, marks and whom they speak for; "" for nobody."""
    text = clean(text[:MAX_WRITTEN]).strip(" ,;")
    if text[:1].isalpha() and not _ODD.search(text):
        return text[:MAX_NAME]
    text = clean(_TEX_MARK.sub(" ", text))
    if "\\" in text or "$" in text or "{" in text:
        text = _TEX_BRACES.sub("", render(text, blocks=False).plain)
    text = text.replace("~", " ").replace(". -", ".-").strip(" ,;")
    text = _BEHIND.sub("", _BEFORE.sub("", text)).strip(" ,;")
    return "" if _NOBODY.fullmatch(text) else " ".join(text.split())[:MAX_NAME]


def _is_collective(name: str, author: Author) -> bool:
    if _ODD.search(name) and _COLLECTIVE.search(name):
        return True
    return author.is_bare and " " in name and is_organisation(name)


def _affiliations(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses as text, without marks that lead to one and collaborations that somebody speaks for."""
    found: dict[str, None] = {}
    for text in texts:
        text = clean(text)
        if "\\" in text or "$" in text or "``" in text:
            text = _TEX_BRACES.sub("", render(text, blocks=False).plain)
        text = text.strip(" ,;")[:1000]
        if text and not _MARKERS.fullmatch(text) and not _SPOKEN_FOR.search(text):
            found[text] = None
    return tuple(found)[:20]


def split_authors(text: str) -> tuple[list[Author], bool]:
    """Return the authors of "A. Bee (1), C. Dee (1 and 2) and E. Eff ((1) MIT, (2) ETH)"; whether the end is missing.

    Brackets behind a name hold addresses or marks that lead to them; within a name they belong to it, as in
    "Hai (Helen) Li".
    """
    parts, complete = _parts(" ".join(text.split()))
    entries = [_brackets(part) for part in parts]
    addresses = _addresses([group for _, groups in entries for group in groups])
    found = []
    for name, groups in entries:
        places: list[str] = []
        for group in groups:
            if _MARKERS.fullmatch(group):
                places += [addresses[mark] for mark in re.findall(r"\d+|[a-z*]", group) if mark in addresses]
            elif not (addresses and _NUMBERED.match(group)):
                places.append(group)
        found.append(Author(name, tuple(places)))
    return [author for author in found if author.name], not complete


def _addresses(groups: list[str]) -> dict[str, str]:
    """Return addresses by the mark that leads to them: "(1) MIT, (2) ETH" or "1 MIT; 2 ETH"."""
    found: dict[str, str] = {}
    if any(_MARKERS.fullmatch(group) for group in groups):
        for group in groups:
            if _NUMBERED.match(group):
                pieces = _NUMBERED.split(group)[1:]
                found |= dict(zip(pieces[::2], pieces[1::2], strict=True))
    return found


def _parts(text: str) -> tuple[list[str], bool]:
    """Split at commas and "and" outside brackets and braces; say whether all of them are closed."""
    parts, start, depth = [], 0, 0
    for match in _MARK.finditer(text):
        mark = match.group()
        if mark in "({":
            depth += 1
        elif mark in ")}":
            depth = max(0, depth - 1)
        elif depth == 0:
            parts.append(text[start : match.start()].strip())
            start = match.end()
    last = text[start:]
    # What follows a bracket that nobody closes may be addresses as well as names.
    parts.append((last.partition("(")[0] if depth else last).strip())
    return parts, not depth


def _brackets(part: str) -> tuple[str, list[str]]:
    """Return a name and what stands in brackets behind it."""
    groups: list[str] = []
    while part.endswith(")"):
        depth = 0
        for place in range(len(part) - 1, -1, -1):
            depth += {")": 1, "(": -1}.get(part[place], 0)
            if depth == 0:
                groups.insert(0, part[place + 1 : -1].strip())
                part = part[:place].strip()
                break
        else:
            return part.strip("() "), groups
    return part, groups
