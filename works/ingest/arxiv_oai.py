"""Read a record of arXiv's OAI-PMH answers in the formats arXiv, arXivRaw and oai_dc.

Elements are found by their names alone: harvested cuts have lost the declarations of their namespaces.
Source: https://info.arxiv.org/help/oa/index.html
"""

from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from works.identifiers import normalise_arxiv
from works.ingest.arxiv_atom import joined, text_of
from works.ingest.arxiv_people import Author, People, people, split_authors
from works.ingest.arxiv_record import code_of_subject, make_record, moment, withdrawn_record
from works.ingest.records import Reject, WorkRecord

OAI = "{http://www.openarchives.org/OAI/2.0/}"


def read_record(record: etree._Element) -> WorkRecord | Reject:
    header = record.find("{*}header")
    stated = text_of(record, "{*}header/{*}identifier")
    changed = moment(text_of(record, "{*}header/{*}datestamp"))
    arxiv = normalise_arxiv(stated.rpartition("oai:arXiv.org:")[2])
    if header is not None and header.get("status") == "deleted":
        return withdrawn_record(arxiv, changed) if arxiv else Reject("no arXiv id", stated[:200])
    node = next(iter(record.findall("{*}metadata/*")), None)
    if node is None:
        return Reject("a record without metadata", stated[:200])
    kind = etree.QName(node).localname
    if kind == "dc":
        arxiv = arxiv or next(filter(None, map(normalise_arxiv, _texts(node, "identifier"))), None)
    else:
        arxiv = normalise_arxiv(text_of(node, "{*}id")) or arxiv
    if not arxiv:
        return Reject("no arXiv id", stated[:200])
    if kind == "dc":
        return _dublin_core(arxiv, node, changed)
    if kind not in ("arXiv", "arXivRaw"):
        return Reject(f"in the format {kind}; harvest arXiv, arXivRaw or oai_dc"[:300], arxiv)
    raw = kind == "arXivRaw"
    return make_record(
        arxiv,
        title=text_of(node, "{*}title"),
        abstract=text_of(node, "{*}abstract"),
        people=people_of_list(text_of(node, "{*}authors")) if raw else people(_authors(node)),
        codes=text_of(node, "{*}categories").split(),
        created=moment(text_of(node, "{*}version/{*}date" if raw else "{*}created")),
        updated=changed or moment(text_of(node, "{*}updated")),
        doi=text_of(node, "{*}doi"),
        license=text_of(node, "{*}license"),
    )


def read_error(error: etree._Element) -> Reject:
    return Reject(f"no records, but an answer of OAI-PMH: {error.get('code', 'error')} {joined(error)}"[:300])


def people_of_list(text: str) -> People:
    """Return who stands in one text of all authors."""
    authors, cut_off = split_authors(text)
    found = people(authors)
    return People(found.authorships, found.partial or cut_off)


def _authors(node: etree._Element) -> Iterator[Author]:
    for author in node.findall("{*}authors/{*}author"):
        parts = [*_texts(author, "forenames"), *_texts(author, "keyname"), *_texts(author, "suffix")]
        is_bare = author.find("{*}forenames") is None
        yield Author(" ".join(parts), tuple(_texts(author, "affiliation")), is_bare)


def _dublin_core(arxiv: str, node: etree._Element, changed: datetime | None) -> WorkRecord | Reject:
    abstracts = [text for text in _texts(node, "description") if not text.startswith("Comment")]
    dates = sorted(filter(None, map(moment, _texts(node, "date"))))
    subjects = code_of_subject()
    dois = [text for text in _texts(node, "identifier") if text.startswith(("doi:", "10."))]
    return make_record(
        arxiv,
        title=text_of(node, "{*}title"),
        abstract=next(iter(abstracts), ""),
        people=people(Author(_reading_order(name)) for name in _texts(node, "creator")),
        codes=[subjects[subject] for subject in _texts(node, "subject") if subject in subjects],
        created=next(iter(dates), None),
        updated=changed or (dates[-1] if dates else None),
        doi=next(iter(dois), ""),
        license=next(iter(_texts(node, "rights")), ""),
    )


def _reading_order(name: str) -> str:
    """Return "Neal J. Evans II" for "Evans, Neal J., II"."""
    family, *given = (part.strip() for part in name.split(","))
    return " ".join([*given[:1], family, *given[1:]])


def _texts(node: etree._Element, name: str) -> list[str]:
    return [text for found in node.findall(f"{{*}}{name}") if (text := joined(found))]
