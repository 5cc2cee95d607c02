"""One work from what several providers say of it. Pure: no database, no clock."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from bzpeer.lib.names import fold, split_name
from works.ingest.records import AuthorshipRecord, Identifier, SourceRef, TopicRef, WorkRecord

# Whose word the page shows. Texts come from the author's own source first: its mathematics is intact.
FACTS = ("openalex", "crossref", "acl", "dblp", "arxiv", "csl", "ris", "bibtex", "orcid", "ror")
TEXTS = ("arxiv", "acl", "crossref", "openalex", "dblp", "csl", "ris", "bibtex", "orcid", "ror")
SOFT = ("doi", "pmid")  # typed by hand into other sources: a wrong one must not join two works
TYPED = ("orcid", "bibtex", "ris", "csl")  # providers whose identifiers people typed, all of them
MOST_OF_ONE_TITLE = 50  # "Table of contents", "Author index": a title of many works tells nothing
_SCHEMES_THAT_PART = ("doi", "arxiv", "acl")


class Merged(NamedTuple):
    """fields: column values of Work. provenance: field to the key of the record that gave it."""

    fields: dict[str, Any]
    provenance: dict[str, int]
    title: str
    abstract: str
    identifiers: dict[tuple[str, str], int]
    authorships: list[tuple[AuthorshipRecord, int]]
    topics: dict[tuple[str, str], tuple[TopicRef, int]]
    references: dict[tuple[str, str], int]
    retracts: set[Identifier]
    source: SourceRef | None


def merge(records: Mapping[int, WorkRecord]) -> Merged:
    """Return one work made from records (key: the record's id, at least one). The order does not matter.

    Records that their source withdrew or merged away say nothing more than their identifiers; a work that
    has no others is withdrawn: it keeps its title and loses its authors.
    """
    live = {key: record for key, record in records.items() if is_live(record)}
    merged = _merge(live or records)
    if len(live) == len(records):
        return merged
    identifiers = dict(merged.identifiers)
    for key in sorted(records, key=lambda key: records[key].record_id):
        for identifier in identifiers_of(records[key]):
            identifiers.setdefault(identifier, key)
    if live:
        return merged._replace(identifiers=identifiers)
    return merged._replace(
        fields=merged.fields | {"is_withdrawn": True}, identifiers=identifiers, authorships=[], topics={}, references={}, retracts=set()
    )  # fmt: skip


def is_live(record: WorkRecord) -> bool:
    return not record.withdrawn and not record.merged_into


def identifiers_of(record: WorkRecord) -> tuple[Identifier, ...]:
    """Return the identifiers that place a record; one merged away is also what it was merged into."""
    if record.merged_into:
        return (*record.identifiers, (record.provider, record.merged_into))
    return record.identifiers


def _merge(records: Mapping[int, WorkRecord]) -> Merged:
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
    if fields["type"] == "other":  # a record that does not know must not hide one that does
        known = [key for key in by_fact if records[key].type not in {"", "other"}]
        if known:
            fields["type"], provenance["type"] = records[known[0]].type, known[0]
    fields["is_withdrawn"] = False
    fields["is_retracted"] = any(record.is_retracted for record in records.values())
    fields["cited_by_count"] = max(record.cited_by_count for record in records.values())
    identifiers: dict[tuple[str, str], int] = {}
    topics: dict[tuple[str, str], tuple[TopicRef, int]] = {}
    references: dict[tuple[str, str], int] = {}
    for key in by_fact:
        for identifier in records[key].identifiers:
            identifiers.setdefault(identifier, key)
        for topic in records[key].topics:
            topics.setdefault((topic.scheme, topic.value), (topic, key))
        for reference in (*records[key].references, *records[key].retracts):
            references.setdefault(reference, key)
    authorships = _authorships(records, by_fact)
    if authorships:
        provenance["authorships"] = authorships[0][1]
    return Merged(
        fields, provenance, first("title", by_text), first("abstract", by_text), identifiers, authorships, topics,
        references, {i for record in records.values() for i in record.retracts}, first("source", by_fact),
    )  # fmt: skip


def _ordered(records: Mapping[int, WorkRecord], providers: Sequence[str]) -> list[int]:
    """Return the records' keys, best first: by provider, then the newest and fullest."""
    if len(records) == 1:
        return list(records)
    newest = sorted(records, key=lambda key: records[key].rank, reverse=True)
    return sorted(newest, key=lambda key: providers.index(records[key].provider))


def _authorships(records: Mapping[int, WorkRecord], order: list[int]) -> list[tuple[AuthorshipRecord, int]]:
    """Return the longest author list; what only other lists know of the same people is added to it."""
    if len(records) == 1:
        return [(authorship, order[0]) for authorship in records[order[0]].authorships]
    chosen = max(
        order,
        key=lambda key: (not records[key].partial_authors, len(records[key].authorships), -order.index(key)),
    )
    if not records[chosen].authorships:
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
                    acl=authorship.acl or other.acl,
                    dblp=authorship.dblp or other.dblp,
                    variants=authorship.variants or other.variants,
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
    if one.partial_authors or other.partial_authors:
        return families[0] <= families[1] or families[1] <= families[0]
    return len(families[0] & families[1]) * 2 >= min(len(families[0]), len(families[1])) and (
        len(families[0] & families[1]) * 3 >= max(len(families[0]), len(families[1]))
    )


def cluster_records(
    records: Mapping[int, WorkRecord],
    title_keys: Mapping[int, str],
    standing: Mapping[int, int] | None = None,
    decided: Mapping[int, int] | None = None,
) -> list[list[int]]:
    """Return the keys of records grouped by work: by identifier, then by title, year and authors.

    standing: the work that a record belongs to already; records of one work stay together. decided: the work that
    people gave it to, which wins: records of one such work are together, those of two never. Without either the
    result depends on the records alone, not on their keys or order.
    """
    groups = _Parted(decided) if decided else UnionFind()
    buckets: dict[tuple[str, str], list[int]] = defaultdict(list)
    for key in sorted(records, key=lambda key: (records[key].provider, records[key].record_id)):
        record = records[key]
        groups.find(key)
        if decided and key in decided:
            groups.join(("decided", decided[key]), key)
        elif standing and key in standing:
            groups.join(("work", standing[key]), key)
        for identifier in identifiers_of(record):
            if identifier[0] not in SOFT and record.provider not in TYPED:
                groups.join(identifier, key)
            buckets[identifier].append(key)
        if title_keys.get(key):
            buckets["title", title_keys[key]].append(key)
    held: dict[Hashable, set[Identifier]] = defaultdict(set)
    for key, record in records.items():
        held[groups.find(key)].update(i for i in record.identifiers if i[0] in _SCHEMES_THAT_PART)
    # DOIs first: who is joined by title then has what tells it from others of that title.
    for name, keys in sorted(buckets.items(), key=lambda bucket: bucket[0][0] == "title"):
        by_title = name[0] == "title"
        pairs: Iterable[tuple[int, int]] = combinations(keys, 2)
        if len(keys) > MOST_OF_ONE_TITLE:
            pairs = () if by_title else ((keys[0], key) for key in keys[1:])
        for one, other in pairs:
            ours, theirs = groups.find(one), groups.find(other)
            if ours == theirs:
                continue
            if by_title and (
                not same_work(records[one], records[other]) or _are_parted(held[ours], held[theirs])
            ):
                continue
            if (by_title or could_be_one(records[one], records[other])) and groups.join(one, other):
                held[groups.find(one)] = held[ours] | held[theirs]
    return list(groups.groups(records))


def _are_parted(ours: set[Identifier], theirs: set[Identifier]) -> bool:
    """Return whether two groups of records hold different identifiers of a scheme that tells works apart."""
    for scheme in _SCHEMES_THAT_PART:
        one = {i for i in ours if i[0] == scheme}
        other = {i for i in theirs if i[0] == scheme}
        if one and other and not one & other:
            return True
    return False


class UnionFind:
    """Groups of things that were joined, directly or through others."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, node: Hashable) -> Hashable:
        parent = self._parent
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, one: Hashable, other: Hashable) -> bool:
        """Put two into one group; return whether they are in one."""
        self._parent[self.find(other)] = self.find(one)
        return True

    def nodes(self) -> list[Hashable]:
        return list(self._parent)

    def groups(self, nodes: Iterable[Hashable]) -> Iterator[list[Any]]:
        found: dict[Hashable, list[Any]] = defaultdict(list)
        for node in nodes:
            found[self.find(node)].append(node)
        yield from found.values()


class _Parted(UnionFind):
    """Groups of which no two are joined that people told apart. decided: what tells a thing's group."""

    def __init__(self, decided: Mapping[int, int]) -> None:
        super().__init__()
        self._decided: dict[Hashable, int] = {}
        self._given = decided

    def join(self, one: Hashable, other: Hashable) -> bool:
        ours, theirs = self.find(one), self.find(other)
        said = [self._said(root) for root in (ours, theirs)]
        if None not in said and said[0] != said[1]:
            return False
        super().join(ours, theirs)
        if (decided := said[0] if said[0] is not None else said[1]) is not None:
            self._decided[ours] = decided
        return True

    def _said(self, root: Hashable) -> int | None:
        return self._decided.get(root, self._given.get(root) if isinstance(root, int) else None)
