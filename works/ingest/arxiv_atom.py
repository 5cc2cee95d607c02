"""Read an entry of arXiv's Atom answers. Source: https://info.arxiv.org/help/api/user-manual.html"""

from lxml import etree

from works.identifiers import normalise_arxiv
from works.ingest.arxiv_people import Author, people
from works.ingest.arxiv_record import make_record, moment
from works.ingest.records import Reject, WorkRecord

ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"


def read_entry(entry: etree._Element) -> WorkRecord | Reject:
    address = text_of(entry, f"{ATOM}id")
    arxiv = normalise_arxiv(address)
    if not arxiv:
        # The API reports an error as an entry by "arXiv api core".
        said = text_of(entry, f"{ATOM}summary") or text_of(entry, f"{ATOM}title")
        return Reject(f"no arXiv work: {said}"[:300], address[:200])
    authors = [
        Author(
            text_of(node, f"{ATOM}name"),
            tuple(joined(place) for place in node.findall(f"{_ARXIV}affiliation")),
        )
        for node in entry.findall(f"{ATOM}author")
    ]
    primary = entry.find(f"{_ARXIV}primary_category")
    return make_record(
        arxiv,
        title=text_of(entry, f"{ATOM}title"),
        abstract=text_of(entry, f"{ATOM}summary"),
        people=people(authors),
        codes=[node.get("term", "") for node in entry.findall(f"{ATOM}category")],
        primary=primary.get("term", "") if primary is not None else "",
        created=moment(text_of(entry, f"{ATOM}published")),
        updated=moment(text_of(entry, f"{ATOM}updated")),
        doi=text_of(entry, f"{_ARXIV}doi"),
    )


def joined(node: etree._Element) -> str:
    return " ".join("".join(node.itertext()).split())


def text_of(parent: etree._Element, tag: str) -> str:
    node = parent.find(tag)
    return joined(node) if node is not None else ""
