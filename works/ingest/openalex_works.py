"""Make a WorkRecord of a work as OpenAlex describes it."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate, takewhile
from operator import itemgetter

import msgspec

from bzpeer.lib.names import clean, split_name
from works.identifiers import (
    normalise_arxiv,
    normalise_doi,
    normalise_issn,
    normalise_orcid,
    normalise_pmid,
    normalise_ror,
)
from works.ingest.openalex_shapes import (
    PREFIX,
    STAND_INS,
    AuthorshipShape,
    Ids,
    InstitutionShape,
    ParentShape,
    SourceShape,
    Texts,
    TopicShape,
    WorkShape,
    day,
    integer,
    key,
    moment,
)
from works.ingest.records import (
    AuthorshipRecord,
    Identifier,
    InstitutionRef,
    Reject,
    SourceRef,
    TopicRef,
    WorkRecord,
)
from works.ingest.shapes import text

MAX_ABSTRACT_WORDS = 20_000
MAX_ABSTRACT = 200_000  # characters
MAX_AUTHORS = 20_000
MAX_CITED = 2_000_000_000

# OpenAlex took over Crossref's types until 2023.
_TYPES = {
    "journal-article": "article",
    "proceedings-article": "article",
    "posted-content": "preprint",
    "monograph": "book",
}
_NOT_WORKS = {"grant"}
# What a source calls itself where OpenAlex adds its host's name.
SOURCE_NAMES = {"S4306400194": "arXiv"}
# What stands where nobody is named.
_NOBODY = {"none &na;", "&na;", "null author_id", "unknown author", "unknown unknown", "deleted author"}

_WORK = f"{PREFIX}W"
_AFTER_PREFIX = len(PREFIX)

orcid_of = lru_cache(1 << 14)(normalise_orcid)
issn_of = lru_cache(1 << 14)(normalise_issn)


def read_work(shape: WorkShape, record_id: str) -> WorkRecord | Reject:
    kind = text(shape.type) or "other"
    if kind in _NOT_WORKS:
        return Reject(f"a {kind}, which is no publication", record_id)
    title = text(shape.display_name) or text(shape.title)
    authorships = tuple(_one_id_each(_authorships(shape.authorships or ())))
    if not title and not authorships:
        return Reject("neither title nor authors", record_id)
    when = day(shape.publication_date)
    location, best, access = shape.primary_location, shape.best_oa_location, shape.open_access
    return WorkRecord(
        provider="openalex",
        record_id=record_id,
        type=_TYPES.get(kind, kind)[:32],
        title=title,
        abstract=_abstract(shape.abstract_inverted_index or {}),
        publication_date=when,
        publication_year=integer(shape.publication_year, 1400, 2200) or (when.year if when else None),
        language=text(shape.language)[:8],
        license=((text(location.license) if location else "") or (text(best.license) if best else ""))[:64],
        is_oa=access.is_oa if access and access.is_oa is not None else shape.is_oa,
        is_retracted=shape.is_retracted is True,
        cited_by_count=integer(shape.cited_by_count, 0, MAX_CITED) or 0,
        identifiers=_identifiers(shape, record_id),
        source=source_ref((location.source if location else None) or shape.host_venue),
        authorships=authorships,
        partial_authors=shape.is_authors_truncated is True,
        topics=_topics(shape),
        references=_references(shape.referenced_works or []),
        observed_at=moment(shape.updated_date or shape.updated),
    )


def _identifiers(shape: WorkShape, record_id: str) -> tuple[Identifier, ...]:
    found, ids = {("openalex", record_id)}, shape.ids or Ids()
    if doi := normalise_doi(shape.doi or ids.doi):
        if doi.startswith("10.48550/arxiv.") and (arxiv := normalise_arxiv(doi)):
            found.add(("arxiv", arxiv))
        found.add(("doi", doi))
    if pmid := normalise_pmid(ids.pmid):
        found.add(("pmid", pmid))
    for place in shape.locations or ():
        address = place and place.landing_page_url
        if address and "arxiv.org/abs/" in address and (arxiv := normalise_arxiv(address)):
            found.add(("arxiv", arxiv))
    return tuple(sorted(found))


def _references(references: Texts) -> tuple[Identifier, ...]:
    # What nearly all look like, without a call for each; there may be thousands.
    found = {
        one[_AFTER_PREFIX:]
        for one in references
        if one and one.startswith(_WORK) and len(one) < 38 and one[len(_WORK) :].isdigit() and one.isascii()
    }
    if len(found) < len(references):
        found = {key(one) for one in references}
        found.discard("")
    return tuple([("openalex", one) for one in sorted(found - STAND_INS)])


def _authorships(entries: Iterable[AuthorshipShape | None]) -> list[AuthorshipRecord]:
    found = []
    for entry in entries:
        record = _authorship(entry) if entry else None
        if record:
            found.append(record)
            if len(found) == MAX_AUTHORS:
                break
    return found


def _authorship(entry: AuthorshipShape) -> AuthorshipRecord | None:
    """Return one place in the list; None where nobody is named, which tells nothing about anybody."""
    author = entry.author
    display_name = openalex = orcid = ""
    if author:
        openalex = key(author.id, "A")
        if openalex in STAND_INS:
            openalex = ""
        else:
            display_name = clean(author.display_name or "")[:255]
            orcid = orcid_of(author.orcid) or "" if author.orcid else ""
    raw_name = clean(entry.raw_author_name or "")[:255] or display_name
    if not raw_name or raw_name.lower() in _NOBODY:
        return None
    strings = entry.raw_affiliation_strings
    if strings is None:
        strings = [entry.raw_affiliation_string]
    return AuthorshipRecord(
        raw_name=raw_name,
        display_name=display_name if display_name != raw_name else "",
        orcid=orcid,
        openalex=openalex,
        is_corresponding=entry.is_corresponding is True,
        raw_affiliations=tuple([cut[:1000] for value in strings if (cut := text(value))])[:20],
        institutions=_institutions(entry.institutions) if entry.institutions else (),
    )


def _one_id_each(authorships: list[AuthorshipRecord]) -> list[AuthorshipRecord]:
    """Take an author id that stands twice in one list from all lines but the one whose printed name fits it best.

    OpenAlex gives a person's id to a coauthor now and then ("W. Kastens" as Moses J. Bockarie) and to both
    of two namesakes; nobody is twice on one work.
    """
    values = [value for one in authorships for value in (one.openalex, one.orcid) if value]
    if len(values) == len(set(values)):
        return authorships
    lines: dict[str, list[int]] = {}
    for place, authorship in enumerate(authorships):
        for value in {authorship.openalex, authorship.orcid} - {""}:
            lines.setdefault(value, []).append(place)
    for places in lines.values():
        fits = [place for place in places if _name_fits(authorships[place])]
        for place in places:
            if len(places) > 1 and place != (fits or places)[0]:
                authorships[place] = msgspec.structs.replace(
                    authorships[place], openalex="", orcid="", display_name=""
                )
    return authorships


def _name_fits(authorship: AuthorshipRecord) -> bool:
    printed, known = split_name(authorship.raw_name).folded, split_name(authorship.name).folded
    return printed.family_key == known.family_key


def _institutions(entries: list[InstitutionShape | None]) -> tuple[InstitutionRef, ...]:
    found = [institution_ref(entry) for entry in entries[:50] if entry]
    return tuple(dict.fromkeys([ref for ref in found if ref]))


def institution_ref(shape: InstitutionShape) -> InstitutionRef | None:
    """Return an institution; None without any id: it is a text then, and stays among the raw affiliations."""
    return _institution_ref(shape.id, shape.ror, shape.display_name, shape.country_code, shape.type)


@lru_cache(1 << 14)
def _institution_ref(
    openalex: str | None, ror: str | None, name: str | None, country: str | None, kind: str | None
) -> InstitutionRef | None:
    openalex, ror = key(openalex, "I"), normalise_ror(ror) or ""
    name = clean(name or "")[:512]
    if not name or openalex in STAND_INS or not (openalex or ror):
        return None
    return InstitutionRef(
        display_name=name, openalex=openalex, ror=ror, country_code=text(country)[:2].upper(), type=text(kind)[:32]
    )  # fmt: skip


def _topics(shape: WorkShape) -> tuple[TopicRef, ...]:
    primary = key(shape.primary_topic.id) if shape.primary_topic else ""
    found: dict[str, TopicRef] = {}
    for topic in (shape.topics or ())[:20]:
        known = _topic(topic) if topic else None
        if topic and known and known.value not in found:
            found[known.value] = TopicRef(
                scheme="openalex",
                value=known.value,
                display_name=known.display_name,
                score=_score(topic.score),
                is_primary=known.value == primary,
                lineage=known.lineage,
            )
    return tuple(found.values())


def _topic(topic: TopicShape) -> TopicRef | None:
    parents = [
        (parent.id, parent.display_name) if parent else (None, None)
        for parent in (topic.subfield, topic.field, topic.domain)
    ]
    return _topic_ref(topic.id, topic.display_name, *parents)


_Parent = tuple[str | int | None, str | None]


@lru_cache(1 << 14)
def _topic_ref(
    openalex: str | None, name: str | None, subfield: _Parent, field: _Parent, domain: _Parent
) -> TopicRef | None:
    value, name = key(openalex), clean(name or "")[:255]
    if not value or not name:
        return None
    line = [
        (parent, text(parent_name)[:255])
        for level, (number, parent_name) in (("subfield", subfield), ("field", field), ("domain", domain))
        if (parent := parent_id(level, number)) and text(parent_name)
    ]
    return TopicRef(
        scheme="openalex", value=value, display_name=name, lineage=tuple(line) if len(line) == 3 else ()
    )


def parent_id(level: str, value: str | int | None) -> str:
    """Return "fields/17"; early schemas give the bare number."""
    number = str(value or "").rstrip("/").rpartition("/")[2]
    return f"{level}s/{number}" if number.isdigit() and number.isascii() and len(number) < 8 else ""


def lineage(*parents: tuple[str, ParentShape | None]) -> tuple[tuple[str, str], ...]:
    """Return (value, display_name) of each parent that is named. parents: (level, shape), nearest first."""
    return tuple(
        (value, text(shape.display_name)[:255])
        for level, shape in parents
        if shape and (value := parent_id(level, shape.id)) and text(shape.display_name)
    )


def source_ref(shape: SourceShape | None) -> SourceRef | None:
    if shape is None:
        return None
    return _source_ref(
        shape.id, shape.display_name, shape.issn_l, tuple(shape.issn or ()), shape.type,
        shape.host_organization_name or shape.publisher,
    )  # fmt: skip


@lru_cache(1 << 14)
def _source_ref(
    openalex: str | None, name: str | None, issn_l: str | None, issns: tuple[str | None, ...], kind: str | None,
    host: str | None,
) -> SourceRef | None:  # fmt: skip
    openalex, name = key(openalex, "S"), clean(name or "")[:512]
    if not name:
        return None
    return SourceRef(
        display_name=SOURCE_NAMES.get(openalex, name),
        openalex=openalex,
        issn=issn_set((issn_l, *issns)),
        type=text(kind)[:32],
        host_organization_name=text(host)[:255],
    )


def issn_set(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({issn for value in values if (issn := issn_of(value))}))


def _score(value: float | str | None) -> float:
    try:
        score = float(value if value is not None else 1.0)
    except ValueError:
        return 1.0
    return min(1.0, max(0.0, score)) if score == score else 1.0


def _abstract(index: dict[str, list[int | None] | None]) -> str:
    """Return the abstract that an inverted index ({word: [positions]}) was made from."""
    if not index:
        return ""
    words = _quick_words(index)
    if words is None:
        places = [(n, word) for word, several in index.items() for n in several or () if n is not None]
        words = [word for _, word in sorted(places, key=itemgetter(0))]
    words = words[:MAX_ABSTRACT_WORDS]
    if len(words) * (max(map(len, index)) + 1) > MAX_ABSTRACT:
        # A long word at many places would grow without end: the length is bounded before it is put together.
        ends = accumulate(len(word) + 1 for word in words)
        words = words[: sum(1 for _ in takewhile(lambda end: end <= MAX_ABSTRACT, ends))]
    return text(" ".join(words))


def _quick_words(index: dict[str, list[int | None] | None]) -> list[str] | None:
    """Return the words in order; None where places are missing, double or no numbers."""
    try:
        words = [""] * sum(map(len, index.values()))  # type: ignore[arg-type]
        for word, places in index.items():
            for place in places:  # type: ignore[union-attr]
                words[place] = word  # type: ignore[index]
    except (IndexError, TypeError):
        return None
    return None if "" in words else words
