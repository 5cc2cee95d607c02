"""Read a line of the snapshot of arXiv's metadata that Cornell keeps on Kaggle.

Source: https://www.kaggle.com/datasets/Cornell-University/arxiv
"""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from works.identifiers import arxiv_from_float
from works.ingest.arxiv_oai import people_of_list
from works.ingest.arxiv_people import Author, People, people, says_et_al
from works.ingest.arxiv_record import make_record, moment
from works.ingest.json_stream import snippet
from works.ingest.records import Reject, WorkRecord
from works.ingest.shapes import NOT_JSON, decode_shape, text


class _Version(msgspec.Struct, gc=False):
    created: str | None = None


class _Line(msgspec.Struct, gc=False):
    """id: a number in copies that went through a table. authors_parsed: family, given, suffix, affiliations."""

    id: str | float | int | None = None
    title: str | None = None
    abstract: str | None = None
    authors: str | None = None
    authors_parsed: list[list[str | None] | None] | None = None
    categories: str | list[str | None] | None = None
    versions: list[_Version | None] | None = None
    update_date: str | None = None
    doi: str | None = None
    license: str | None = None


def read_line(data: bytes) -> WorkRecord | Reject:
    try:
        line = decode_shape(data, _Line)
    except NOT_JSON as error:
        return Reject(f"not JSON: {error}"[:300], snippet(data))
    except TypeError as error:
        return Reject(str(error), snippet(data))
    arxiv = arxiv_from_float(str(line.id or ""))
    if not arxiv:
        return Reject("no arXiv id", snippet(data))
    categories = line.categories if isinstance(line.categories, list) else [line.categories]
    versions = [found for one in line.versions or () if one and (found := moment(text(one.created)))]
    return make_record(
        arxiv,
        title=text(line.title),
        abstract=text(line.abstract),
        people=_people(line),
        codes=[code for one in categories for code in text(one).split()],
        created=min(versions, default=None),
        updated=moment(text(line.update_date)) or max(versions, default=None),
        doi=text(line.doi),
        license=text(line.license),
    )


def _people(line: _Line) -> People:
    """Return the authors as arXiv took them apart; marks that it left in place of addresses lead there."""
    whole = text(line.authors)
    if not line.authors_parsed:
        return people_of_list(whole)
    parsed = people(_authors(line.authors_parsed))
    authorships = parsed.authorships
    if "(" in whole and not all(one.raw_affiliations for one in authorships):
        ours = people_of_list(whole).authorships
        if len(ours) == len(authorships):
            authorships = tuple(
                replace(one, raw_affiliations=one.raw_affiliations or other.raw_affiliations)
                for one, other in zip(authorships, ours, strict=True)
            )
    return People(authorships, parsed.partial or says_et_al(whole))


def _authors(entries: list[list[str | None] | None]) -> Iterator[Author]:
    for parts in entries:
        family, given, suffix, *places = [text(part) for part in parts or ()] + [""] * 3
        name = " ".join(part for part in (given, family, suffix) if part)
        if name:
            yield Author(name, tuple(places), is_bare=not given)
