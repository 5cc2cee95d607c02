"""One work from what several providers say of it. Pure: no database, no clock."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from bzpeer.lib.names import fold, split_name
from works.ingest.records import AuthorshipRecord, SourceRef, TopicRecord, WorkRecord

# Whose word the page shows. Texts come from the author's own source first: its mathematics is intact.
FACTS = ("openalex", "arxiv")
TEXTS = ("arxiv", "openalex")
_SCHEMES_THAT_PART = ("doi", "arxiv")


class Merged(NamedTuple):
    """fields: column values of Work. provenance: field to the key of the record that gave it."""

    fields: dict[str, Any]
    provenance: dict[str, int]
    title: str
    abstract: str
    identifiers: dict[tuple[str, str], int]
    authorships: list[tuple[AuthorshipRecord, int]]
    topics: dict[tuple[str, str], tuple[TopicRecord, int]]
    references: dict[tuple[str, str], int]
    source: SourceRef | None


def merge(records: dict[int, WorkRecord]) -> Merged:
    """Return one work made from records (key: the record's id, at least one). The order does not matter."""
    by_fact = _ordered(records, FACTS)
    by_text = _ordered(records, TEXTS)
    provenance: dict[str, int] = {}

    def first(name: str, order: list[int]) -> Any:
        for key in order:
            value = getattr(records[key], name)
            if value not in (None, "", ()):
                provenance[name] = key
                return value
        return getattr(records[order[0]], name)

    fields = {
        name: first(name, by_fact)
        for name in ("type", "publication_date", "publication_year", "language", "license", "is_oa")
    }
    fields["is_retracted"] = any(record.is_retracted for record in records.values())
    fields["cited_by_count"] = max(record.cited_by_count for record in records.values())
    identifiers: dict[tuple[str, str], int] = {}
    topics: dict[tuple[str, str], tuple[TopicRecord, int]] = {}
    references: dict[tuple[str, str], int] = {}
    for key in by_fact:
        for identifier in records[key].identifiers:
            identifiers.setdefault(identifier, key)
        for topic in records[key].topics:
            topics.setdefault((topic.scheme, topic.value), (topic, key))
        for reference in records[key].references:
            references.setdefault(reference, key)
    authorships = _authorships(records, by_fact)
    if authorships:
        provenance["authorships"] = authorships[0][1]
    return Merged(
        fields, provenance, first("title", by_text), first("abstract", by_text), identifiers, authorships, topics,
        references, first("source", by_fact),
    )  # fmt: skip


def _ordered(records: dict[int, WorkRecord], providers: Sequence[str]) -> list[int]:
    """Return the records' keys, best first: by provider, then the newest and fullest."""
    newest = sorted(records, key=lambda key: records[key].rank, reverse=True)
    return sorted(newest, key=lambda key: providers.index(records[key].provider))


def _authorships(records: dict[int, WorkRecord], order: list[int]) -> list[tuple[AuthorshipRecord, int]]:
    """Return the longest author list; what only other lists know of the same people is added to it."""
    chosen = max(order, key=lambda key: (len(records[key].authorships), -order.index(key)))
    authorships = list(records[chosen].authorships)
    ours = Counter(name_key(authorship.name) for authorship in authorships)
    for key in order:
        if key == chosen:
            continue
        others = {name_key(other.name): other for other in records[key].authorships}
        counts = Counter(name_key(other.name) for other in records[key].authorships)
        for place, authorship in enumerate(authorships):
            name = name_key(authorship.name)
            other = others.get(name)
            if other and counts[name] == 1 == ours[name]:  # of two namesakes nobody knows which
                authorships[place] = msgspec.structs.replace(
                    authorship,
                    orcid=authorship.orcid or other.orcid,
                    openalex=authorship.openalex or other.openalex,
                    raw_affiliations=authorship.raw_affiliations or other.raw_affiliations,
                    institutions=authorship.institutions or other.institutions,
                    is_corresponding=authorship.is_corresponding or other.is_corresponding,
                )
    return [(authorship, chosen) for authorship in authorships]


def name_key(name: str) -> str:
    parts = split_name(name).folded
    return f"{' '.join(parts.given)} {parts.family}"


def title_key(plain_title: str) -> str:
    """Return the folded title by which the same work is found again; "" for titles too short to tell."""
    key = re.sub(r"[\W_]+", "", fold(plain_title))
    return key[:200] if len(key) >= 15 else ""


def could_be_one(one: WorkRecord, other: WorkRecord) -> bool:
    """Return whether two records that share a DOI may be one work: wrong DOIs are typed and placeholders copied.

    Two arXiv ids are two works unless the titles are equal. Else equal titles or shared authors will do, and
    a record that says nothing cannot speak against it.
    """
    titles = [title_key(record.title) for record in (one, other)]
    if one.title and titles[0] == titles[1]:
        return True
    ours, theirs = (
        {value for scheme, value in record.identifiers if scheme == "arxiv"} for record in (one, other)
    )
    if ours and theirs and not ours & theirs:
        return False
    families = [{split_name(a.name).family_key for a in record.authorships} - {""} for record in (one, other)]
    if not families[0] or not families[1]:
        return not one.title or not other.title or titles[0][:30] == titles[1][:30]
    return len(families[0] & families[1]) * 2 >= min(len(families[0]), len(families[1]))


def same_work(one: WorkRecord, other: WorkRecord) -> bool:
    """Return whether two records of equal titles are one work: years near, authors shared, no identifier against it."""
    if (
        one.publication_year
        and other.publication_year
        and abs(one.publication_year - other.publication_year) > 1
    ):
        return False
    for scheme in _SCHEMES_THAT_PART:
        ours = {value for name, value in one.identifiers if name == scheme}
        theirs = {value for name, value in other.identifiers if name == scheme}
        if ours and theirs and not ours & theirs:
            return False
    families = [{split_name(a.name).family_key for a in record.authorships} - {""} for record in (one, other)]
    if not families[0] or not families[1]:
        return False
    return len(families[0] & families[1]) * 2 >= min(len(families[0]), len(families[1])) and (
        len(families[0] & families[1]) * 3 >= max(len(families[0]), len(families[1]))
    )
