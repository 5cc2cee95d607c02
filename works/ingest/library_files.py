"""What people's own lists of literature (BibTeX, RIS, CSL-JSON) have in common: fields typed by hand, and no ids."""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from bzpeer.lib.markup import render
from bzpeer.lib.names import clean, fold, split_name
from works.identifiers import normalise_arxiv, normalise_doi, normalise_issn, normalise_pmid
from works.ingest.arxiv_source import ARXIV
from works.ingest.dates import PartialDate
from works.ingest.languages import TWO_LETTERS
from works.ingest.records import AuthorshipRecord, Identifier, Reject, SourceRef, WorkRecord

MAX_TITLE = 10_000  # characters
MAX_ABSTRACT = 200_000
MAX_FIELD = 1_000_000  # one of 3,000 authors has 80,000
_ARXIV_ID = r"(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?!\d)"
# "arXiv:1912.12953", "arXiv preprint arXiv:1912.12953", "https://arxiv.org/abs/1912.12953", and dblp's "abs/1912.12953".
_ARXIV_TEXT = re.compile(
    rf"(?:arxiv(?:\s+(?:e-)?prints?)?(?:\.org/(?:abs|pdf|html)/|[\s:,]+(?:arxiv:)?\s*)|^abs/){_ARXIV_ID}",
    re.I,
)
_ARXIV_JOURNAL = re.compile(r"arxiv\b|corr$", re.I)
_ACL = re.compile(
    r"(?:aclanthology\.(?:org|info)|aclweb\.org/anthology)/(?:papers/\w/\w+/|volumes/)?"
    r"([a-z]\d\d-\d{4,5}|\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+)(?![\d.-]*\d)",
    re.I,
)
_PUBMED = re.compile(r"(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/(\d{1,9})\b", re.I)
# "https://doi.org/10.1000/x", "doi: 10.1000/x", "https://dl.acm.org/doi/pdf/10.1000/x?download=true"
_DOI_ADDRESS = re.compile(
    r"(?:\bdoi\.org/|\bdoi:\s*|/doi/(?:abs/|e?pdf/|full/|book/)?)(10\.\d{4,9}/[^\s?#]+)", re.I
)
_ISSN = re.compile(r"(?<![\dX-])(\d{4})[-‐–]?(\d{3}[\dX])(?![\dX-])", re.I)
# By the first three letters, so that names of languages count as well.
_LANGUAGES = TWO_LETTERS | {"ame": "en", "bri": "en", "usa": "en", "nge": "de", "jap": "ja", "bra": "pt"}


class Entry(NamedTuple):
    """One item of a list. container: what it appeared in, by name.

    links: where its own ids may stand besides. notes: where an id counts if there is little else.
    """

    kind: str  # OpenAlex's word
    title: str
    abstract: str = ""
    authorships: tuple[AuthorshipRecord, ...] = ()
    partial_authors: bool = False
    published: PartialDate | None = None
    doi: str = ""
    arxiv: str = ""
    pmid: str = ""
    links: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    container: str = ""
    container_type: str = ""
    issn: str = ""
    publisher: str = ""
    language: str = ""


def work_of(provider: str, entry: Entry) -> WorkRecord | Reject:
    """Return the record of an entry; one without any identifier is known by title, year and first author."""
    title = entry.title[:MAX_TITLE].strip()
    if not title and not entry.authorships:
        return Reject("neither title nor authors")
    identifiers = _identifiers(entry)
    schemes = {scheme for scheme, _ in identifiers}
    source = _source(entry)
    kind = entry.kind
    if kind in {"article", "other", "preprint"} and "arxiv" in schemes and source in (None, ARXIV):
        kind, source = "preprint", ARXIV
    published = entry.published
    return WorkRecord(
        provider=provider,
        record_id=_record_id(entry, title, identifiers),
        type=kind,
        title=title,
        abstract=entry.abstract[:MAX_ABSTRACT].strip(),
        publication_date=published.date if published else None,
        publication_year=published.year if published else None,
        language=language_of(entry.language),
        identifiers=identifiers,
        source=source,
        authorships=entry.authorships,
        partial_authors=entry.partial_authors,
    )


def _identifiers(entry: Entry) -> tuple[Identifier, ...]:
    found: set[Identifier] = set()
    # A long note may speak of other works: "Erratum: doi:…", "Preprint of …".
    texts = [
        clean(text[:2000])
        for text in (*entry.links, *(note for note in entry.notes if len(note.split()) <= 3))
    ]
    dois = [entry.doi, *(match.group(1) for text in texts if (match := _DOI_ADDRESS.search(text)))]
    if doi := next((doi for text in dois if (doi := _doi(text))), None):
        found.add(("doi", doi))
        if arxiv := normalise_arxiv(doi):
            found.add(("arxiv", arxiv))
    for text in (
        entry.arxiv,
        *(f"arxiv:{match.group(1)}" for text in texts if (match := _ARXIV_TEXT.search(text))),
    ):
        if arxiv := normalise_arxiv(clean(text)):
            found.add(("arxiv", arxiv))
            break
    if acl := next((match.group(1) for text in texts if (match := _ACL.search(text))), None):
        found.add(("acl", acl.upper() if acl[0].isalpha() else acl.lower()))
    pubmed = next((match.group(1) for text in texts if (match := _PUBMED.search(text))), "")
    if pmid := normalise_pmid(clean(entry.pmid)) or normalise_pmid(pubmed):
        found.add(("pmid", pmid))
    return tuple(sorted(found))


def _doi(text: str) -> str | None:
    text = clean(text)
    if "%2f" in text.lower():
        text = unquote(text)
    doi = normalise_doi(text)
    return doi if doi and len(doi) <= 250 else None


def _record_id(entry: Entry, title: str, identifiers: tuple[Identifier, ...]) -> str:
    known = dict(identifiers)
    for scheme in ("doi", "arxiv", "acl"):
        if scheme in known:
            return f"{scheme}:{known[scheme]}"
    family = split_name(entry.authorships[0].name).folded.family if entry.authorships else ""
    words = " ".join(re.findall(r"\w+", fold(render(title, blocks=False).plain)))
    key = f"{words}|{entry.published.year if entry.published else ''}|{family}"
    return f"digest:{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def _source(entry: Entry) -> SourceRef | None:
    name = render(entry.container, blocks=False).plain[:512]
    if not name:
        return None
    if _ARXIV_JOURNAL.match(name):
        return ARXIV
    issns = {
        issn
        for match in _ISSN.finditer(entry.issn[:1000])
        if (issn := normalise_issn("-".join(match.groups())))
    }
    return SourceRef(
        display_name=name,
        issn=tuple(sorted(issns)),
        type=entry.container_type,
        host_organization_name=render(entry.publisher, blocks=False).plain[:255],
    )


def decode_text(data: bytes) -> str:
    """Return bytes as text: UTF-8, or else as Windows wrote the letters of Western Europe."""
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def language_of(text: str) -> str:
    """Return "en" for "en-US", "eng" or "English"; "" for what is none that we know."""
    words = re.findall(r"[a-z]+", fold(text[:100]))
    if not words:
        return ""
    return words[0] if len(words[0]) == 2 else _LANGUAGES.get(words[0][:3], "")


def without_others(names: Iterable[str]) -> tuple[list[str], bool]:
    """Return names without "et al.", and whether it stood there."""
    kept, others = [], False
    for name in names:
        folded = fold(name).strip(" ,;")
        if folded in {"others", "et al", "et alii", "u a", "and others"}:
            others = True
        elif folded and not set(folded.split()) <= {"and"}:
            kept.append(name)
    return kept, others
