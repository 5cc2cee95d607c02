"""Read Crossref works: answers of its REST API, its public data file in every form, and its XML.

Source: https://github.com/CrossRef/rest-api-doc/blob/master/api_format.md
"""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from works.identifiers import normalise_arxiv, normalise_orcid, normalise_pmid, normalise_ror
from works.ingest import crossref_terms as terms
from works.ingest import crossref_xml
from works.ingest.dates import PartialDate, earliest, partial_date
from works.ingest.files import UnreadableFile
from works.ingest.json_stream import parse, stream_records
from works.ingest.people import MAX_AUTHORS, person
from works.ingest.reading import (
    dict_of,
    dicts_of,
    integer_of,
    list_of,
    shown_start,
    snippet_of,
    start_of,
    text_of,
    texts_of,
)
from works.ingest.records import (
    NEVER,
    AuthorshipRecord,
    Identifier,
    InstitutionRef,
    Record,
    Reject,
    WorkRecord,
)

SUFFIXES = (".json", ".jsonl", ".ndjson", ".xml")
MAX_CITED = 2_000_000_000
_CHUNK = (("items",),)  # what the public data file is made of
# Every date at which something appeared; "created" is when the DOI was registered, decades after print perhaps.
_DATES = (
    "issued",
    "published",
    "published-print",
    "published-online",
    "published-other",
    "posted",
    "content-created",
)
_SAME = ("is-identical-to", "is-same-as")
_ROUTES = {
    "member": "members", "journal": "journals", "funder": "funders", "prefix": "prefixes", "type": "types",
    "license": "licenses",
}  # fmt: skip


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each work of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    if start.startswith(b"<"):
        yield from crossref_xml.read_stream(stream, name)
        return
    if start and not start.startswith((b"{", b"[")):
        raise UnreadableFile(
            f"{name}: neither JSON nor XML of Crossref; it begins with {shown_start(start)}."
        )
    for data in stream_records(stream, name, _CHUNK):
        value = data if isinstance(data, Reject) else parse(data)
        for item in _works(value):
            yield item if isinstance(item, Reject) else _record(item)


def _works(value: Any) -> Iterator[dict[str, Any] | Reject]:
    """Yield the works in an answer, in a chunk of the public data file, or the one that a value is."""
    if isinstance(value, Reject):
        yield value
    elif not isinstance(value, dict):
        yield Reject("neither a work nor an answer of Crossref", snippet_of(value))
    elif "message-type" in value:
        yield from _answer(text_of(value["message-type"]), value.get("message"))
    elif isinstance(value.get("items"), list):
        yield from _each(value["items"])
    else:
        yield value


def _answer(kind: str, message: Any) -> Iterator[dict[str, Any] | Reject]:
    route, _, listed = kind.partition("-")
    if kind == "work":
        yield (
            message if isinstance(message, dict) else Reject("an answer without a work", snippet_of(message))
        )
    elif kind == "work-list":
        yield from _each(dict_of(message).get("items"))
    elif kind == "work-agency":
        yield Reject("says which agency registered a DOI, not what the work is", snippet_of(message))
    elif route in _ROUTES:
        yield Reject(
            f"a list of {_ROUTES[route]}, not of works"
            if listed
            else f"one of Crossref's {_ROUTES[route]}, not a work"
        )
    else:
        said = dicts_of(message) or [dict_of(message)]
        reason = "; ".join(text_of(item.get("message")) for item in said) or kind
        yield Reject(f"Crossref answered with an error: {reason}"[:300], snippet_of(message))


def _each(values: Any) -> Iterator[dict[str, Any] | Reject]:
    if not isinstance(values, list):
        yield Reject("an answer without a list of works", snippet_of(values))
        return
    for value in values:
        yield value if isinstance(value, dict) else Reject("not an object", snippet_of(value))


def _record(item: dict[str, Any]) -> WorkRecord | Reject:
    try:
        return _work(item)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return Reject(f"not as Crossref describes a work: {error}"[:300], snippet_of(item))


def _work(item: dict[str, Any]) -> WorkRecord | Reject:
    doi = terms.doi_of(text_of(item.get("DOI")))
    if not doi:
        return Reject("no DOI", snippet_of(item))
    kind = text_of(item.get("type"))
    if reject := terms.not_a_work(kind):
        return reject._replace(snippet=doi)
    title, authorships = _title(item), _authorships(item)
    if not title and not authorships:
        return Reject("neither title nor authors", doi)
    updates = [(_doi(update), text_of(update.get("type"))) for update in dicts_of(item.get("update-to"))]
    notices = {update for other, update in updates if other != doi}
    changed = {update for other, update in updates if other == doi}
    changed |= {text_of(update.get("type")) for update in dicts_of(item.get("updated-by"))}
    published = earliest(_date(item.get(name)) for name in _DATES)
    return WorkRecord(
        provider="crossref",
        record_id=doi,
        type=terms.type_of(kind, text_of(item.get("subtype")), notices),
        title=title,
        abstract=text_of(item.get("abstract"))[: terms.MAX_ABSTRACT],
        publication_date=published.date if published else None,
        publication_year=published.year if published else None,
        language=text_of(item.get("language"))[:8],
        license=terms.license_of(
            [(text_of(one.get("content-version")), text_of(one.get("URL"))) for one in dicts_of(item.get("license"))]
        ),
        retracts=terms.retracted_by(doi, updates),
        is_retracted=bool(changed & terms.TAKEN_BACK)
        or (not notices & terms.TAKEN_BACK and terms.says_retracted(title)),
        cited_by_count=integer_of(item.get("is-referenced-by-count"), 0, MAX_CITED) or 0,
        identifiers=_identifiers(item, doi),
        source=terms.source_of(
            kind,
            texts_of(item.get("container-title")) or _repository(kind, item),
            texts_of(item.get("ISSN")) + [text_of(one.get("value")) for one in dicts_of(item.get("issn-type"))],
            text_of(item.get("publisher")),
        ),
        authorships=authorships,
        references=_references(item, doi),
        observed_at=_moment(item.get("deposited")) or _moment(item.get("indexed")) or NEVER,
    )  # fmt: skip


def _title(item: dict[str, Any]) -> str:
    for name in ("title", "original-title"):
        subtitle = texts_of(item.get("subtitle")) if name == "title" else []
        if title := terms.full_title(_first(texts_of(item.get(name))), _first(subtitle)):
            return title
    return ""


def _first(texts: list[str]) -> str:
    return " ".join(texts[0].split()) if texts else ""


def _doi(item: dict[str, Any]) -> str | None:
    return terms.doi_of(text_of(item.get("DOI")))


def _identifiers(item: dict[str, Any], doi: str) -> tuple[Identifier, ...]:
    """Return the DOI, those that mean the same work, and what other ids Crossref knows it by."""
    found = {("doi", doi)}
    found |= {("doi", alias) for text in texts_of(item.get("aliases")) if (alias := terms.doi_of(text))}
    relations = dict_of(item.get("relation"))
    for relation in _SAME:
        for other in dicts_of(relations.get(relation)):
            if identifier := terms.identifier_of(text_of(other.get("id-type")), text_of(other.get("id"))):
                found.add(identifier)
    found |= {
        ("arxiv", arxiv) for scheme, value in found if scheme == "doi" and (arxiv := normalise_arxiv(value))
    }
    if pmid := normalise_pmid(text_of(item.get("PMID"))):
        found.add(("pmid", pmid))
    return tuple(sorted(found))


def _authorships(item: dict[str, Any]) -> tuple[AuthorshipRecord, ...]:
    found = []
    for author in dicts_of(item.get("author"))[:MAX_AUTHORS]:
        roles = {text_of(role.get("role")) for role in dicts_of(author.get("role"))}
        if roles and not roles & {"author", ""}:
            continue
        affiliations, institutions = _affiliations(author)
        # A bare "name" is an organisation's.
        authorship = person(
            text_of(author.get("given")), text_of(author.get("family")), text_of(author.get("suffix")),
            orcid=normalise_orcid(text_of(author.get("ORCID"))) or "", affiliations=affiliations, institutions=institutions,
        )  # fmt: skip
        if authorship:
            found.append(authorship)
    return tuple(found)


def _affiliations(author: dict[str, Any]) -> tuple[list[str], list[InstitutionRef]]:
    texts, institutions = [], []
    for affiliation in dicts_of(author.get("affiliation"))[:50]:
        name = text_of(affiliation.get("name"))
        parts = [*texts_of(affiliation.get("department")), name, *texts_of(affiliation.get("place"))]
        texts.append(", ".join(part for part in parts if part))
        for identifier in dicts_of(affiliation.get("id")):
            if ror := normalise_ror(text_of(identifier.get("id"))):
                institutions.append(terms.institution(name, ror))
    return texts, institutions


def _repository(kind: str, item: dict[str, Any]) -> list[str]:
    """Return where a preprint was posted, or a data set is kept; for other types "institution" says whose it is."""
    if kind not in {"posted-content", "dataset"}:
        return []
    return [text_of(one.get("name")) for one in dicts_of(item.get("institution"))][:1]


def _references(item: dict[str, Any], own: str) -> tuple[Identifier, ...]:
    cited = {_doi(reference) for reference in dicts_of(item.get("reference"))}
    return tuple(sorted(("doi", doi) for doi in cited if doi and doi != own))


def _date(value: Any) -> PartialDate | None:
    parts = list_of(dict_of(value).get("date-parts"))
    first = list_of(parts[0]) if parts else []
    return partial_date(*first[:3]) if first else None


def _moment(value: Any) -> datetime | None:
    return terms.moment_of(text_of(dict_of(value).get("date-time")))
