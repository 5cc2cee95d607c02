"""Crossref's words and ours: what its JSON and its XML have in common.

Source: https://api.crossref.org/types and https://www.crossref.org/documentation/schema-library/
"""

import html
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from bzpeer.lib.markup import render
from bzpeer.lib.names import clean, fold
from works.identifiers import normalise_arxiv, normalise_doi, normalise_issn, normalise_pmid
from works.ingest.records import Identifier, InstitutionRef, Reject, SourceRef

MAX_ABSTRACT = 200_000  # characters
MAX_RECORD_ID = 255

TYPES = {
    "journal-article": "article",
    "proceedings-article": "article",
    "posted-content": "preprint",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "book": "book",
    "book-set": "book",
    "proceedings": "book",
    "book-chapter": "book-chapter",
    "book-section": "book-chapter",
    "book-part": "book-chapter",
    "book-track": "book-chapter",
    "reference-entry": "reference-entry",
    "dissertation": "dissertation",
    "dataset": "dataset",
    "database": "dataset",
    "report": "report",
    "report-component": "report",
    "peer-review": "peer-review",
    "standard": "standard",
}
POSTED = {"preprint": "preprint", "working_paper": "preprint", "dissertation": "dissertation", "letter": "letter", "report": "report", "other": "other"}  # fmt: skip
# A DOI each, but what people publish is in them, or they are in it: a "Figure 2" is nobody's work.
_NOT_WORKS = {
    "component": "a part of another work",
    "grant": "a grant",
    "journal": "a journal",
    "journal-issue": "a journal issue",
    "journal-volume": "a journal volume",
    "book-series": "a book series",
    "proceedings-series": "a series of proceedings",
    "report-series": "a series of reports",
    "standard-series": "a series of standards",
}
_SOURCE_TYPES = {
    "journal-article": "journal",
    "proceedings-article": "conference",
    "posted-content": "repository",
    "dataset": "repository",
}
_IN_BOOKS = {
    kind
    for kind, ours in TYPES.items()
    if ours in {"book", "book-chapter", "reference-entry", "report", "standard"}
}
# "Updates" by which a work is taken back, and those that correct it. Source: Crossmark's update types.
TAKEN_BACK = {"retraction", "removal", "withdrawal"}
CORRECTED = {"correction", "corrigendum", "erratum", "addendum", "clarification", "partial_retraction", "expression_of_concern"}  # fmt: skip
# As NISO RP-45 has a retracted work's own title begin; "Retracted: …" in small letters is often the notice.
_RETRACTED = re.compile(r"(?:<[^>]*>|\W)*(?:RETRACTED|WITHDRAWN)(?: ARTICLE| PAPER)?\s*:")
_LICENSE = re.compile(r"creativecommons\.org/(?:licen[cs]es/(by(?:-nc)?(?:-nd|-sa)?)|publicdomain)\b", re.I)
_VERSIONS = ("vor", "unspecified", "", "am")  # whose license is the work's; one for text mining is not


def type_of(kind: str, subtype: str = "", notices: Collection[str] = ()) -> str:
    """Return OpenAlex's word. notices: what the work says has become of another one ("retraction" …)."""
    if TAKEN_BACK & set(notices):
        return "retraction"
    if CORRECTED & set(notices):
        return "erratum"
    if kind == "posted-content" and subtype in POSTED:
        return POSTED[subtype]
    return TYPES.get(kind, "other")


def not_a_work(kind: str) -> Reject | None:
    label = _NOT_WORKS.get(kind)
    return Reject(f"{label}, which is no publication of its own") if label else None


def doi_of(text: str) -> str | None:
    doi = normalise_doi(clean(text))
    return doi if doi and len(doi) <= MAX_RECORD_ID else None


def identifier_of(scheme: str, value: str) -> Identifier | None:
    """Return an identifier of one of our schemes, from Crossref's name for it."""
    normalised = {"doi": doi_of, "arxiv": normalise_arxiv, "pmid": normalise_pmid}.get(scheme)
    found = normalised(value) if normalised else None
    return (scheme, found) if found else None


def institution(name: str, ror: str) -> InstitutionRef:
    return InstitutionRef(display_name=clean(html.unescape(name))[:512] or ror, ror=ror)


def license_of(licenses: list[tuple[str, str]]) -> str:
    """Return the first Creative Commons license as OpenAlex writes it ("cc-by-nc"). licenses: (version, address)."""
    for wanted in _VERSIONS:
        for version, address in licenses:
            if version == wanted and (match := _LICENSE.search(address)):
                return f"cc-{match.group(1).lower()}" if match.group(1) else "public-domain"
    return ""


def full_title(title: str, subtitle: str) -> str:
    """Return "Title: Subtitle", unless the subtitle repeats the title or is its running head."""
    if not title or not subtitle:
        return title or subtitle
    added = fold(subtitle)
    if added in fold(title) or (subtitle.isupper() and not title.isupper()):
        return title
    return f"{title} {subtitle}" if title.endswith((":", "?", "!", ".")) else f"{title}: {subtitle}"


def retracted_by(doi: str, updates: Iterable[tuple[str | None, str]]) -> tuple[Identifier, ...]:
    """Return the other works that a notice takes back. updates: (DOI, what has become of it)."""
    return tuple(
        sorted({("doi", other) for other, kind in updates if other and other != doi and kind in TAKEN_BACK})
    )


def says_retracted(title: str) -> bool:
    return bool(_RETRACTED.match(title))


def source_of(kind: str, names: list[str], issns: list[str], publisher: str) -> SourceRef | None:
    """Return where a work of Crossref's type appeared. names: of the series and of the volume in it, in any order."""
    names = [name for text in names if (name := render(text, blocks=False).plain[:512])]
    if not names:
        return None
    issn = tuple(sorted({issn for text in issns if (issn := normalise_issn(_hyphened(text)))}))
    # An ISSN is the series', whose name is the shorter one; the volume's own says what it is about.
    name = min(names, key=len) if issn else names[-1]
    return SourceRef(
        display_name=name,
        issn=issn,
        type=_source_type(kind, is_series=bool(issn)),
        host_organization_name=clean(html.unescape(publisher))[:255],
    )


def _source_type(kind: str, *, is_series: bool) -> str:
    if kind in _IN_BOOKS:
        return "book series" if is_series else "other"
    return _SOURCE_TYPES.get(kind, "")


def _hyphened(issn: str) -> str:
    issn = issn.strip()
    return f"{issn[:4]}-{issn[4:]}" if len(issn) == 8 else issn


def moment_of(text: str) -> datetime | None:
    """Return the moment of "2022-03-31T13:00:34Z", "2021-10-08 22:17:12" or "20180830143828", in UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text[:32].replace("Z", "+00:00"))
    except ValueError:
        if not re.fullmatch(r"\d{14,20}", text, re.A):
            return None
        try:
            moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S")
        except ValueError:
            return None
    # A clock that is wrong by centuries would let its record stand against every later one.
    if not 1990 <= moment.year <= 2200:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
