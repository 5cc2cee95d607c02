"""Read OpenAlex works: API pages, single answers, JSON arrays, and the snapshot's JSON Lines.

Every schema since 2023 is read: what a vintage lacks is absent, what it renamed has two names here.
Source: https://docs.openalex.org/api-entities/works/work-object
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from bzpeer.lib.names import clean, split_name
from works.identifiers import (
    normalise_arxiv,
    normalise_doi,
    normalise_issn,
    normalise_openalex,
    normalise_orcid,
    normalise_pmid,
    normalise_ror,
)
from works.ingest.files import open_members, read_lines, read_whole
from works.ingest.records import (
    NEVER,
    AuthorshipRecord,
    InstitutionRecord,
    Reject,
    SourceRef,
    TopicRecord,
    WorkRecord,
)

SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz", ".zip", ".xz")
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
_SOURCE_NAMES = {"S4306400194": "arXiv"}

_DECODER = msgspec.json.Decoder(dict[str, Any])
_ANY = msgspec.json.Decoder(Any)


def read(path: Path) -> Iterator[WorkRecord | Reject]:
    """Yield each work of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    for name, stream in open_members(path):
        for item in _objects(stream, name):
            yield item if isinstance(item, Reject) else _record(item)


def _objects(stream: IO[bytes], name: str) -> Iterator[dict[str, Any] | Reject]:
    """Yield raw objects from JSON Lines, an array, an API answer or a single work."""
    first = b""
    lines = read_lines(stream)
    for line in lines:
        if line is None:
            yield Reject("longer than a record may be")
            continue
        first = line.removeprefix(b"\xef\xbb\xbf").strip()
        if first:
            break
    if not first:
        return
    if first.startswith(b"{"):
        try:
            value: dict[str, Any] | None = _DECODER.decode(first)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            value = None
        if value is not None and "results" not in value:
            # Each line a whole object: JSON Lines, of one line or of millions.
            yield value
            for line in lines:
                if line is None:
                    yield Reject("longer than a record may be")
                elif line.strip():
                    yield _decode_line(line)
            return
        if value is not None:
            yield from _each(value["results"])
            return
        second = next(lines, b"")
        if second is not None and second.lstrip().startswith(b'{"'):
            # JSON Lines whose first line is broken.
            yield Reject("not JSON", _snippet(first))
            yield _decode_line(second)
            for line in lines:
                if line is None:
                    yield Reject("longer than a record may be")
                elif line.strip():
                    yield _decode_line(line)
            return
        first += b"\n" + (second or b"")
    document = first + b"\n" + read_whole(stream, name)
    try:
        whole = _ANY.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        yield Reject(f"not JSON: {error}"[:300], _snippet(document))
        return
    if isinstance(whole, dict):
        whole = whole.get("results", [whole])
    yield from _each(whole)


def _each(values: Any) -> Iterator[dict[str, Any] | Reject]:
    if not isinstance(values, list):
        yield Reject("neither a work nor a list of works", _snippet(values))
        return
    for value in values:
        yield value if isinstance(value, dict) else Reject("not an object", _snippet(value))


def _decode_line(line: bytes) -> dict[str, Any] | Reject:
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return Reject(f"not JSON: {error}"[:300], _snippet(line))


def _snippet(value: Any) -> str:
    if isinstance(value, bytes):
        return value[:200].decode("utf-8", "replace")
    return str(value)[:200]


def _record(item: dict[str, Any]) -> WorkRecord | Reject:
    try:
        return _work(item)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return Reject(f"not as OpenAlex describes a work: {error}"[:300], _snippet(item))


def _work(item: dict[str, Any]) -> WorkRecord | Reject:
    record_id = normalise_openalex(_text(item.get("id")))
    if not record_id or not record_id.startswith("W"):
        return Reject("no OpenAlex work id", _snippet(item))
    kind = _text(item.get("type")) or "other"
    if kind in _NOT_WORKS:
        return Reject(f"a {kind}, which is no publication", record_id)
    title = _text(item.get("display_name") or item.get("title"))
    authorships = tuple(_one_id_each(list(_authorships(item))))
    if not title and not authorships:
        return Reject("neither title nor authors", record_id)
    when = _date(item.get("publication_date"))
    year = _integer(item.get("publication_year"), 1400, 2200) or (when.year if when else None)
    location = _dict(item.get("primary_location"))
    best = _dict(item.get("best_oa_location"))
    access = _dict(item.get("open_access"))
    is_oa = access.get("is_oa", item.get("is_oa"))
    return WorkRecord(
        provider="openalex",
        record_id=record_id,
        type=_TYPES.get(kind, kind)[:32],
        title=title,
        abstract=_abstract(item.get("abstract_inverted_index")),
        publication_date=when,
        publication_year=year,
        language=_text(item.get("language"))[:8],
        license=(_text(location.get("license")) or _text(best.get("license")))[:64],
        is_oa=is_oa if isinstance(is_oa, bool) else None,
        is_retracted=item.get("is_retracted") is True,
        cited_by_count=_integer(item.get("cited_by_count"), 0, MAX_CITED) or 0,
        identifiers=_identifiers(item, record_id),
        source=_source(location.get("source") or item.get("host_venue")),
        authorships=authorships,
        topics=tuple(_topics(item)),
        references=tuple(
            sorted(
                {
                    ("openalex", cited)
                    for raw in _list(item.get("referenced_works"))
                    if (cited := normalise_openalex(_text(raw)))
                }
            )
        ),
        observed_at=_moment(item.get("updated_date") or item.get("updated")),
    )


def _identifiers(item: dict[str, Any], record_id: str) -> tuple[tuple[str, str], ...]:
    ids = _dict(item.get("ids"))
    found = {("openalex", record_id)}
    doi = normalise_doi(_text(item.get("doi")) or _text(ids.get("doi")))
    if doi:
        if arxiv := normalise_arxiv(doi):
            found.add(("arxiv", arxiv))
        found.add(("doi", doi))
    if pmid := normalise_pmid(_text(ids.get("pmid"))):
        found.add(("pmid", pmid))
    for location in _list(item.get("locations")):
        address = _text(_dict(location).get("landing_page_url"))
        if "arxiv.org/abs/" in address and (arxiv := normalise_arxiv(address)):
            found.add(("arxiv", arxiv))
    return tuple(sorted(found))


def _authorships(item: dict[str, Any]) -> Iterator[AuthorshipRecord]:
    for raw in _list(item.get("authorships"))[:MAX_AUTHORS]:
        entry = _dict(raw)
        author = _dict(entry.get("author"))
        display_name = clean(_text(author.get("display_name")))[:255]
        raw_name = clean(_text(entry.get("raw_author_name")))[:255] or display_name
        if not raw_name:
            continue  # a place in the list without a name tells nothing about anybody
        strings = entry.get("raw_affiliation_strings")
        if strings is None:
            strings = [entry.get("raw_affiliation_string")]
        yield AuthorshipRecord(
            raw_name=raw_name,
            display_name=display_name if display_name != raw_name else "",
            orcid=normalise_orcid(_text(author.get("orcid"))) or "",
            openalex=_openalex(author.get("id"), "A"),
            is_corresponding=entry.get("is_corresponding") is True,
            raw_affiliations=tuple(text[:1000] for value in _list(strings) if (text := _text(value)))[:20],
            institutions=tuple(_institutions(entry)),
        )


def _one_id_each(authorships: list[AuthorshipRecord]) -> list[AuthorshipRecord]:
    """Take an author id that stands twice in one list from all lines but the one whose printed name fits it best.

    OpenAlex gives a person's id to a coauthor now and then ("W. Kastens" as Moses J. Bockarie) and to both
    of two namesakes; nobody is twice on one work.
    """
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


def _institutions(entry: dict[str, Any]) -> Iterator[InstitutionRecord]:
    seen = set()
    for raw in _list(entry.get("institutions"))[:50]:
        institution = _dict(raw)
        openalex = _openalex(institution.get("id"), "I")
        ror = normalise_ror(_text(institution.get("ror"))) or ""
        name = clean(_text(institution.get("display_name")))[:512]
        # Without an id it is a text, not a known organisation: it stays among the raw affiliations.
        if name and (openalex or ror) and (openalex, ror) not in seen:
            seen.add((openalex, ror))
            yield InstitutionRecord(
                display_name=name, openalex=openalex, ror=ror,
                country_code=_text(institution.get("country_code"))[:2].upper(), type=_text(institution.get("type"))[:32],
            )  # fmt: skip


def _topics(item: dict[str, Any]) -> Iterator[TopicRecord]:
    primary = normalise_openalex(_text(_dict(item.get("primary_topic")).get("id")))
    seen = set()
    for raw in _list(item.get("topics"))[:20]:
        topic = _dict(raw)
        value = normalise_openalex(_text(topic.get("id")))
        name = clean(_text(topic.get("display_name")))[:255]
        if not value or not name or value in seen:
            continue
        seen.add(value)
        lineage = []
        for level in ("subfield", "field", "domain"):
            parent = _dict(topic.get(level))
            parent_id = _parent_id(level, parent.get("id"))
            if parent_id and _text(parent.get("display_name")):
                lineage.append((parent_id, _text(parent.get("display_name"))[:255]))
        yield TopicRecord(
            scheme="openalex", value=value, display_name=name, score=_score(topic.get("score")),
            is_primary=value == primary, lineage=tuple(lineage) if len(lineage) == 3 else (),
        )  # fmt: skip


def _parent_id(level: str, raw: Any) -> str | None:
    """Return "fields/17"; early schemas give the bare number."""
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else _text(raw)
    number = text.rstrip("/").rpartition("/")[2]
    return f"{level}s/{number}" if number.isdigit() and len(number) < 8 else None


def _source(raw: Any) -> SourceRef | None:
    source = _dict(raw)
    name = clean(_text(source.get("display_name")))[:512]
    if not name:
        return None
    openalex = _openalex(source.get("id"), "S")
    issns = [source.get("issn_l"), *_list(source.get("issn"))]
    return SourceRef(
        display_name=_SOURCE_NAMES.get(openalex, name),
        openalex=openalex,
        issn=tuple(sorted({issn for value in issns if (issn := normalise_issn(_text(value)))})),
        type=_text(source.get("type"))[:32],
        host_organization_name=_text(source.get("host_organization_name") or source.get("publisher"))[:255],
    )


def _abstract(index: Any) -> str:
    """Return the abstract that an inverted index ({word: [positions]}) was made from."""
    places: list[tuple[int, str]] = []
    for word, positions in _dict(index).items():
        for place in _list(positions):
            if isinstance(place, int):
                places.append((place, word))
    places.sort()
    # A long word at many places would grow without end: the length is bounded while it is put together.
    words, length = [], 0
    for _, word in places[:MAX_ABSTRACT_WORDS]:
        length += len(word) + 1
        if length > MAX_ABSTRACT:
            break
        words.append(word)
    return _text(" ".join(words))


def _openalex(value: Any, kind: str) -> str:
    """Return an OpenAlex id of that kind ("A", "I", …), else ""."""
    found = normalise_openalex(_text(value)) or ""
    return found if found.startswith(kind) else ""


def _text(value: Any) -> str:
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _integer(value: Any, least: int, most: int) -> int | None:
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None
    )


def _score(value: Any) -> float:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return 1.0
    return min(1.0, max(0.0, score)) if score == score else 1.0


def _date(value: Any) -> date | None:
    try:
        when = date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None
    return when if 1400 <= when.year <= 2200 else None


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value).replace("Z", "+00:00"))
    except ValueError:
        return NEVER
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
