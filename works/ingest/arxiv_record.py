"""What all of arXiv's formats have in common: a work, its categories and its dates."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import resources
from typing import NamedTuple

from works.identifiers import normalise_doi
from works.ingest.arxiv_people import People
from works.ingest.arxiv_source import ARXIV
from works.ingest.crossref_terms import license_of
from works.ingest.records import NEVER, Reject, TopicRef, WorkRecord

_DOMAINS = {
    "1": "Life Sciences", "2": "Social Sciences", "3": "Physical Sciences", "4": "Health Sciences",
}  # fmt: skip
# OpenAlex's four domains hold Scopus' 26 fields.
_DOMAIN_OF_FIELD = {
    **dict.fromkeys(["11", "13", "24", "28", "30"], "1"),
    **dict.fromkeys(["12", "14", "18", "20", "32", "33"], "2"),
    **dict.fromkeys(["15", "16", "17", "19", "21", "22", "23", "25", "26", "31"], "3"),
    **dict.fromkeys(["27", "29", "34", "35", "36"], "4"),
}


class Category(NamedTuple):
    """An arXiv category by its official name and the OpenAlex field or subfield it belongs to."""

    code: str
    name: str
    parent: str  # "subfields/1708" or "fields/17"
    lineage: tuple[tuple[str, str], ...]


@cache
def categories() -> dict[str, Category]:
    """Return every category by its code; retired ones lead to the one that took them over."""
    rows = _rows()
    found = {row["code"]: _category(row) for row in rows if row["status"] != "retired"}
    for row in rows:
        if row["status"] == "retired" and row["current"] in found:
            found[row["code"]] = found[row["current"]]
    return found


@cache
def code_of_subject() -> dict[str, str]:
    """Return the code of each category by its name in Dublin Core: "Mathematics - Logic" is math.LO."""
    found = {}
    for row in _rows():
        found[row["name"]] = row["code"]
    for row in _rows():
        found[f"{row['archive_name']} - {row['name']}"] = row["code"]
    return found


def _rows() -> list[dict[str, str]]:
    text = resources.files("works.ingest").joinpath("arxiv_categories.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def _category(row: dict[str, str]) -> Category:
    domain = _DOMAIN_OF_FIELD[row["field_id"]]
    lineage = [(f"fields/{row['field_id']}", row["field"]), (f"domains/{domain}", _DOMAINS[domain])]
    if row["subfield_id"]:
        lineage.insert(0, (f"subfields/{row['subfield_id']}", row["subfield"]))
    return Category(row["code"], row["name"], lineage[0][0], tuple(lineage))


def make_record(
    arxiv: str,
    *,
    title: str,
    abstract: str,
    people: People,
    codes: Iterable[str],
    created: datetime | None,
    updated: datetime | None,
    primary: str = "",
    doi: str = "",
    license: str = "",
) -> WorkRecord | Reject:
    """Return a work. codes: categories; primary: the first of them where it is not named. license: an address."""
    title, abstract = " ".join(title.split()), " ".join(abstract.split())
    if not title and not people.authorships:
        return Reject("neither title nor authors", arxiv)
    identifiers = {("arxiv", arxiv)}
    if published := normalise_doi(doi):
        identifiers.add(("doi", published))
    codes = [code.strip() for code in codes]
    first = created or updated
    return WorkRecord(
        provider="arxiv",
        record_id=arxiv,
        type="preprint",
        title=title,
        abstract=abstract,
        publication_date=first.date() if first else None,
        publication_year=first.year if first else None,
        is_oa=True,
        license=license_of([("vor", license)]),
        identifiers=tuple(sorted(identifiers)),
        source=ARXIV,
        authorships=people.authorships,
        partial_authors=people.partial,
        topics=_topics(primary.strip() or next(iter(codes), ""), codes),
        observed_at=updated or created or NEVER,
    )


def withdrawn_record(arxiv: str, when: datetime | None) -> WorkRecord:
    return WorkRecord(
        provider="arxiv",
        record_id=arxiv,
        type="preprint",
        identifiers=(("arxiv", arxiv),),
        withdrawn=True,
        observed_at=when or NEVER,
    )


def _topics(primary: str, codes: list[str]) -> tuple[TopicRef, ...]:
    known = categories()
    topics: dict[str, TopicRef] = {}
    for code in [primary, *codes]:
        # Terms that are not arXiv's (MSC "68T05", ACM "D.4.7") are no categories.
        category = known.get(code)
        if category and category.code not in topics:
            topics[category.code] = TopicRef(
                scheme="arxiv",
                value=category.code,
                display_name=category.name,
                is_primary=code == primary,
                lineage=category.lineage,
            )
    return tuple(topics.values())


def moment(text: str) -> datetime | None:
    """Return a time as ISO 8601 ("2007-04-02") or as mail ("Mon, 2 Apr 2007 19:18:42 GMT") writes it."""
    text = text.strip()[:40]
    try:
        when = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if not date(1980, 1, 1) <= when.date() <= date(2200, 1, 1):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
