"""Pieces of an ORCID record, as JSON and XML have them in common: dicts, lists and texts.

JSON says {"value": "2020"} where XML says "2020", and null nearly everywhere; JSON of 2.x says JOURNAL_ARTICLE
for journal-article. Whoever reads through these functions need not know.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bzpeer.lib.names import clean
from works.identifiers import normalise_orcid
from works.ingest.records import NEVER

# What of a record is read. The other affiliations (memberships, services, invited positions …) say little about
# where a person works.
AFFILIATIONS = ("employment-summary", "education-summary", "qualification-summary")
SUMMARIES = (*AFFILIATIONS, "funding-summary", "peer-review-summary")
_PUBLIC = {"", "public"}

# What looks like ORCID's and is not read.
SEARCH_RESULTS = "a list of search results, which names people and says nothing of them"
MESSAGE_FORMAT = "ORCID's message format 1.2, which ended in 2018; bring records of 2.0 or later"


class Part(NamedTuple):
    """kind: a name of ORCID's, "path" for the record's own, or "refused" with the reason for a node."""

    kind: str
    node: Any


def text(node: Any) -> str:
    """Return what a node says: a text, a number, or what either wraps."""
    if isinstance(node, dict):
        node = node.get("value", node.get("content"))
    if isinstance(node, int) and not isinstance(node, bool):
        return str(node)
    return node.replace("\x00", "").strip() if isinstance(node, str) else ""


def name(node: Any) -> str:
    return clean(text(node))[:255]


def word(node: Any) -> str:
    """Return one of ORCID's own words, as 3.0 writes it."""
    return text(node).lower().replace("_", "-")


def below(node: Any, *names: str) -> Any:
    """Return what lies below a node, or None."""
    for key in names:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def every(node: Any) -> list[Any]:
    """Return a list as it is, nothing as none, and what stands alone as one."""
    if node is None or node == "":
        return []
    return node if isinstance(node, list) else [node]


def find_all(node: Any, key: str) -> Iterator[Any]:
    """Yield what has this name, however deep: 3.0 groups what 2.x lists."""
    for child in node if isinstance(node, list) else (node,):
        if isinstance(child, dict):
            for own, value in child.items():
                if own == key:
                    yield from every(value)
                elif isinstance(value, dict | list):
                    yield from find_all(value, key)


def is_public(node: Any) -> bool:
    """Return whether everybody may see this; member accounts get what others may not."""
    return word(below(node, "visibility")) in _PUBLIC


def orcid_of(node: Any) -> str:
    """Return the iD that a node names by its path or address, or a text holds; "" where that is none of ORCID's.

    ORCID's are numbers from two blocks of ISNI; its samples show people outside of them who never were.
    """
    wanted = text(node) or text(below(node, "path")) or text(below(node, "uri"))
    orcid = normalise_orcid(wanted) or ""
    return orcid if orcid.startswith(("0000-000", "0009-00")) else ""


def moment(node: Any) -> datetime:
    """Return a time that stands in milliseconds or as ISO 8601."""
    value = text(node)
    try:
        if re.fullmatch(r"\d{11,14}", value, re.A):
            found = datetime.fromtimestamp(int(value) / 1000, UTC)
        else:
            found = datetime.fromisoformat(value)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return NEVER
    return found if 2000 <= found.year <= 2200 else NEVER


def number(node: Any, least: int, most: int) -> int | None:
    value = text(node)
    if not re.fullmatch(r"\d{1,9}", value, re.A):
        return None
    return int(value) if least <= int(value) <= most else None


def year(node: Any) -> int | None:
    """Return the year of a date that has year, month and day apart."""
    return number(below(node, "year"), 1400, 2200)


# --- Who says so --------------------------------------------------------------------------------------------

# Clients through which people add works of their own choice: 3.0 gives the person as the origin of the
# assertion wherever one of these is the source, 2.x does not say.
_WIZARDS = {
    "0000-0002-3054-1567",  # Crossref Metadata Search
    "0000-0002-5982-8983",  # Scopus - Elsevier
    "0000-0002-9157-3431",  # Europe PubMed Central
    "0000-0003-1377-5676",  # ResearcherID
    "APP-0JOXOPPRQ09Y9L3Q",  # Deutsche Nationalbibliothek
}


def asserted_by(node: Any) -> str:
    """Return the organisation that put this into the record by itself; "" where the person did, by whatever means.

    A source that is an iD is a person: the owner, a delegate, or the owner under an iD given up since. It may
    also be an old client, but nothing tells which.
    """
    source = below(node, "source")
    client = text(below(source, "source-client-id", "path")) or text(below(source, "source-client-id", "uri"))
    if not client or below(source, "assertion-origin-orcid") or client.rpartition("/")[2] in _WIZARDS:
        return ""
    is_for_another = below(source, "assertion-origin-client-id")
    named = below(source, "assertion-origin-name" if is_for_another else "source-name")
    return name(named) or client.rpartition("/")[2]


def people_named(node: Any) -> Iterator[tuple[str, str]]:
    """Yield (iD, name) of the people who are the source of a node."""
    source = below(node, "source")
    for who, named in (("source-orcid", "source-name"), ("assertion-origin-orcid", "assertion-origin-name")):
        orcid, shown = orcid_of(below(source, who)), name(below(source, named))
        if orcid and shown:
            yield orcid, shown
