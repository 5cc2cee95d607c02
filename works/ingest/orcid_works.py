"""Read the works of an ORCID record: one for each group of versions, and works that come alone and in full."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from bzpeer.lib.names import split_name
from works.identifiers import normalise_arxiv, normalise_doi, normalise_issn, normalise_pmid
from works.ingest.dates import partial_date
from works.ingest.orcid_nodes import (
    asserted_by,
    below,
    every,
    is_public,
    moment,
    name,
    number,
    orcid_of,
    text,
    word,
    year,
)
from works.ingest.records import (
    AssertionRecord,
    AuthorshipRecord,
    Identifier,
    Reject,
    SourceRef,
    WorkRecord,
)

MAX_CONTRIBUTORS = 20_000
MAX_TEXT = 200_000

# https://info.orcid.org/documentation/integration-guide/work-types/ in OpenAlex's words; all others are "other".
_TYPES = {
    **dict.fromkeys(
        ["journal-article", "conference-paper", "conference-abstract", "magazine-article", "newsletter-article",
         "newspaper-article", "book-review"], "article",
    ),
    **dict.fromkeys(["book", "edited-book", "conference-proceedings"], "book"),
    "book-chapter": "book-chapter",
    **dict.fromkeys(["dictionary-entry", "encyclopedia-entry"], "reference-entry"),
    **dict.fromkeys(["dissertation", "dissertation-thesis"], "dissertation"),
    **dict.fromkeys(["preprint", "working-paper"], "preprint"),
    **dict.fromkeys(["standards-and-policy", "technical-standard"], "standard"),
    "data-set": "dataset",
    "journal-issue": "paratext",
    "report": "report",
    "review": "review",
    "software": "software",
}  # fmt: skip
# People who had a part in a work and are not its authors. What CRediT lists, authors do.
_NOT_AUTHORS = {
    "assignee", "chair-or-translator", "co-investigator", "editor", "graduate-student", "other-inventor",
    "postdoctoral-researcher", "principal-investigator", "support-staff",
}  # fmt: skip
_NUMBERED = re.compile(r"\d{1,18}", re.A)
_DOI_ADDRESS = re.compile(r"https?://(?:dx\.)?doi\.org/", re.I)
_ARXIV_ADDRESS = re.compile(r"https?://(?:www\.|export\.)?arxiv\.org/", re.I)


def read_group(group: Any) -> tuple[WorkRecord | Reject, list[AssertionRecord]]:
    """Return the work that a group's versions describe, by the preferred one, and which organisations added it.

    The record lacks its authors and has the put-code for an id until `owned_by` completes it.
    """
    versions = every(below(group, "work-summary"))
    public = [version for version in versions if is_public(version)]
    if not versions:
        return Reject("a group that holds no work"), []
    if not public:
        return Reject("a work that its owner does not show to everybody", _put_code(versions[0])), []
    # The preferred version has the highest index; equal ones stand in order.
    preferred = max(public, key=lambda version: number(below(version, "display-index"), 0, 10**9) or 0)
    everywhere = [i for node in public for i in own_identifiers(node)]
    assertions: dict[str, AssertionRecord] = {}
    for version in public:
        if organisation := asserted_by(version):
            # Only what the organisation itself wrote: the others' identifiers are the person's word.
            assertions.setdefault(
                organisation,
                AssertionRecord(
                    kind="work", title=_title(version)[:500], asserted_by=organisation,
                    identifiers=tuple(dict.fromkeys(own_identifiers(version))), year=year(below(version, "publication-date")),
                ),
            )  # fmt: skip
    return _work(preferred, everywhere, ()), list(assertions.values())


def read_work(node: Any) -> WorkRecord | Reject:
    """Return a work that came in full; as `read_group`, but with the authors that it names."""
    if not is_public(node):
        return Reject("a work that its owner does not show to everybody", _put_code(node))
    contributors = every(below(node, "contributors", "contributor"))[:MAX_CONTRIBUTORS]
    return _work(node, own_identifiers(node), tuple(_authors(contributors)))


def _work(
    node: Any, identifiers: Sequence[Identifier], authorships: tuple[AuthorshipRecord, ...]
) -> WorkRecord | Reject:
    put_code = _put_code(node)
    title = _title(node)
    if not _NUMBERED.fullmatch(put_code):
        return Reject("a work without a put-code", title[:200])
    if not title and not identifiers:
        return Reject("neither title nor identifier", put_code)
    published = partial_date(
        *(text(below(node, "publication-date", part)) for part in ("year", "month", "day"))
    )
    source = name(below(node, "journal-title"))
    return WorkRecord(
        provider="orcid",
        record_id=put_code,
        type=_TYPES.get(word(below(node, "type")), "other"),
        title=title,
        abstract=text(below(node, "short-description"))[:MAX_TEXT],
        publication_date=published.date if published else None,
        publication_year=published.year if published else None,
        language=_language(text(below(node, "language-code"))),
        identifiers=tuple(sorted(set(identifiers))),
        source=SourceRef(display_name=source, issn=_issns(node)) if source else None,
        authorships=authorships,
        observed_at=moment(below(node, "last-modified-date")),
    )


def owned_by(work: WorkRecord, orcid: str, names: Sequence[str]) -> WorkRecord | Reject:
    """Return the work with the record's owner among its authors. names: the one shown and others; may be empty.

    Whoever has a work on their record is one of its authors. Where the work names others, the owner is found
    by iD, or by name where that fits one line alone; else they are added, as the list then lacks somebody.
    """
    authorships = list(work.authorships)
    mine = [place for place, line in enumerate(authorships) if line.orcid == orcid]
    if not mine:
        mine = [
            place for place, line in enumerate(authorships) if not line.orcid and _fits(line.raw_name, names)
        ]
    if len(mine) == 1:
        line = authorships[mine[0]]
        shown = names[0] if names and names[0] != line.raw_name else ""
        authorships[mine[0]] = msgspec.structs.replace(line, orcid=orcid, display_name=shown)
    elif not mine and names:
        authorships.append(AuthorshipRecord(raw_name=names[0], orcid=orcid))
    if not authorships:
        return Reject("a work that names nobody; the person's record is needed", work.title[:200])
    return msgspec.structs.replace(
        work,
        record_id=f"{orcid}/{work.record_id}",
        authorships=tuple(authorships),
        partial_authors=not mine or len(authorships) == 1,
    )


def _fits(printed: str, names: Sequence[str]) -> bool:
    """Return whether a printed name could be one of these: the same family name and first initial."""
    one = split_name(printed).folded
    for known in names:
        other = split_name(known).folded
        if (
            one.family_key == other.family_key
            and one.given
            and other.given
            and one.given[0][0] == other.given[0][0]
        ):
            return True
    return False


def _authors(contributors: Sequence[Any]) -> Iterator[AuthorshipRecord]:
    """Yield each author once: CRediT gives a person a line for each thing they did."""
    seen: set[str] = set()
    for contributor in contributors:
        role = word(below(contributor, "contributor-attributes", "contributor-role"))
        orcid = orcid_of(below(contributor, "contributor-orcid"))
        if role in _NOT_AUTHORS:
            continue
        # People type a whole list into the field for one.
        for raw_name in text(below(contributor, "credit-name")).split(";"):
            if (printed := name(raw_name)) and not {printed, orcid or printed} & seen:
                seen |= {printed, orcid or printed}
                yield AuthorshipRecord(raw_name=printed, orcid=orcid)


def own_identifiers(node: Any) -> list[Identifier]:
    """Return the identifiers of a thing itself, not of what it is part of, a version of, or was paid by.

    Where nothing is said, as in old records, the identifier is the thing's own.
    """
    return [
        identifier
        for entry in every(below(node, "external-ids", "external-id"))
        if word(below(entry, "external-id-relationship")) in {"", "self"}
        for identifier in _identifiers(entry)
    ]


def _identifiers(entry: Any) -> Iterator[Identifier]:
    kind = word(below(entry, "external-id-type"))
    value = text(below(entry, "external-id-value"))
    address = text(below(entry, "external-id-url"))
    if kind == "uri":
        # Identifiers are typed into this field as well; other sites' addresses may hold a DOI of something else.
        kind = "doi" if _DOI_ADDRESS.match(value) else "arxiv" if _ARXIV_ADDRESS.match(value) else ""
    if kind == "doi":
        doi = normalise_doi(value) or (normalise_doi(address) if _DOI_ADDRESS.match(address) else None)
        if doi:
            yield "doi", doi
            if arxiv := normalise_arxiv(doi):
                yield "arxiv", arxiv
    elif kind == "arxiv" and (arxiv := normalise_arxiv(value)):
        yield "arxiv", arxiv
    elif kind == "pmid" and (pmid := normalise_pmid(value)):
        yield "pmid", pmid


def _issns(node: Any) -> tuple[str, ...]:
    entries = every(below(node, "external-ids", "external-id"))
    found = {
        normalise_issn(text(below(entry, "external-id-value")))
        for entry in entries
        if word(below(entry, "external-id-type")) == "issn"
    }
    return tuple(sorted(issn for issn in found if issn))


def _title(node: Any) -> str:
    title = text(below(node, "title", "title"))[:MAX_TEXT]
    subtitle = text(below(node, "title", "subtitle"))[:MAX_TEXT]
    if not subtitle or subtitle.lower() in title.lower():
        return title
    joint = " " if title.endswith((":", "?", "!", ".")) else ": "
    return f"{title}{joint}{subtitle}" if title else subtitle


def _language(code: str) -> str:
    """Return ISO 639-1 of "zh_CN"."""
    language = re.split("[_-]", code)[0].lower()
    return language if re.fullmatch("[a-z]{2}", language) else ""


def _put_code(node: Any) -> str:
    return text(below(node, "put-code"))
