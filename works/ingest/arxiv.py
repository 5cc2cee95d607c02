"""Read arXiv: Atom answers of its API, OAI-PMH answers, the snapshot on Kaggle, and tables of one category."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import IO

from lxml import etree

from works.ingest.arxiv_atom import ATOM, read_entry
from works.ingest.arxiv_kaggle import read_line
from works.ingest.arxiv_oai import OAI, read_error, read_record
from works.ingest.arxiv_record import Category, categories
from works.ingest.arxiv_table import read_table
from works.ingest.files import UnreadableFile
from works.ingest.json_stream import stream_records
from works.ingest.reading import start_of
from works.ingest.records import Reject, WorkRecord
from works.ingest.xml_elements import check_root, elements, read_chunks

__all__ = ["SUFFIXES", "Category", "categories", "read_stream"]

SUFFIXES = (".xml", ".atom", ".tsv", ".json", ".jsonl", ".ndjson")
_ENTRY, _ERROR = f"{ATOM}entry", f"{OAI}error"
# Harvesters keep whole answers, or records cut out of them.
_ROOTS = (
    f"{ATOM}feed",
    _ENTRY,
    f"{OAI}OAI-PMH",
    "OAI-PMH",
    f"{OAI}record",
    "record",
    f"{OAI}ListRecords",
    "ListRecords",
)


def read_stream(stream: IO[bytes], name: str) -> Iterator[WorkRecord | Reject]:
    """Yield each work of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    if start.startswith(b"<"):
        yield from _read_xml(stream, name)
    elif start.startswith((b"{", b"[")):
        for item in stream_records(stream, name):
            yield item if isinstance(item, Reject) else read_line(item)
    elif b"\t" in start.partition(b"\n")[0]:
        yield from read_table(stream, name)
    else:
        raise UnreadableFile(f"{name}: neither XML nor JSON Lines nor a tab-separated table of arXiv.")


def _read_xml(stream: IO[bytes], name: str) -> Iterator[WorkRecord | Reject]:
    chunks = read_chunks(stream)
    head = next(chunks, b"")
    check_root(head, name, _ROOTS, "an answer of arXiv")
    found = 0
    for element in elements(chain([head], chunks), name, (_ENTRY, "{*}record", _ERROR)):
        found += 1
        try:
            yield _read_element(element)
        except (ValueError, TypeError, AttributeError) as error:
            yield Reject(f"not as arXiv describes a work: {error}"[:300], snippet_of(element))
    if not found and re.search(rb"<OAI-PMH\b", head):
        raise UnreadableFile(
            f"{name}: an answer of OAI-PMH without records; ask for ListRecords or GetRecord."
        )


def _read_element(element: etree._Element) -> WorkRecord | Reject:
    if element.tag == _ENTRY:
        return read_entry(element)
    return read_error(element) if element.tag == _ERROR else read_record(element)


def snippet_of(element: etree._Element) -> str:
    return " ".join("".join(element.itertext()).split())[:200]
