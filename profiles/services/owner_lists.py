"""A researcher's own list of literature (BibTeX, RIS): what of it is here, what is new, what bears no name of theirs.

Nothing of the file is stored: a new work comes from the sources that know its identifier, not from the upload.
"""

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from bzpeer.lib.markup import render
from profiles.exceptions import OwnerError
from profiles.models import Researcher
from works.ingest.files import UnreadableFile
from works.ingest.records import Reject, WorkRecord
from works.matching.names import Spelling, shared, spelling
from works.models import Authorship, Work
from works.services.catalogue.finding import known_works
from works.services.decisions import name_forms

MAX_BYTES = 2_000_000
MAX_ENTRIES = 500
SCHEMES = ("doi", "arxiv")  # by which the sources can be asked


class Item(NamedTuple):
    """One entry. state: on_page, here, new, other_name, no_identifier or unreadable. identifier: "doi:10.1/x"."""

    state: str
    title: str
    year: int | None = None
    authors: str = ""
    work: Work | None = None
    identifier: str = ""
    reason: str = ""


def preview(*, researcher: Researcher, data: bytes, name: str) -> list[Item]:
    """Read a list and say of each entry what it is to this researcher. Raises OwnerError for the file itself."""
    if len(data) > MAX_BYTES:
        raise OwnerError(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Send it in parts.")
    records = list(islice(_read(data, name), MAX_ENTRIES + 1))
    if len(records) > MAX_ENTRIES:
        raise OwnerError(f"The file has more than {MAX_ENTRIES} entries. Send it in parts.")
    found = known_works(
        identifier
        for record in records
        if isinstance(record, WorkRecord)
        for identifier in record.identifiers
    )
    numbers = {
        place: number
        for place, record in enumerate(records)
        if isinstance(record, WorkRecord)
        and (number := next((found[one] for one in record.identifiers if one in found), None))
    }
    works = Work.objects.filter(is_withdrawn=False).defer("search").in_bulk(set(numbers.values()))
    mine = set(
        Authorship.objects.filter(author=researcher.author_id, work__in=works).values_list("work", flat=True)
    )
    forms = name_forms(researcher.author_id)
    own = {spelling(form) for form in forms}
    return [
        _item(record, works.get(numbers.get(place, 0)), mine, own) for place, record in enumerate(records)
    ]


def _read(data: bytes, name: str) -> Iterator[WorkRecord | Reject]:
    provider = "ris" if _is_ris(data, name) else "bibtex"
    try:
        for record in import_module(f"works.ingest.{provider}").read_stream(BytesIO(data), name[:100]):
            if isinstance(record, WorkRecord | Reject):
                yield record
    except UnreadableFile as error:
        raise OwnerError(f"This file is neither BibTeX nor RIS: {error}") from error


def _is_ris(data: bytes, name: str) -> bool:
    return name.lower().endswith(".ris") or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"TY ")


def _item(record: WorkRecord | Reject, work: Work | None, mine: set[int], own: set[Spelling]) -> Item:
    if isinstance(record, Reject):
        return Item("unreadable", record.snippet[:120] or "An entry", reason=record.reason)
    names = [authorship.name for authorship in record.authorships]
    title = work.title if work else render(record.title, blocks=False).plain or "Untitled work"
    fits = any(shared(spelling(name), form) is not None for name in names for form in own)
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    item = Item("", title[:300], record.publication_year, ", ".join(names[:6]) + more, work)
    if work:
        state = "on_page" if work.pk in mine else "here" if fits else "other_name"
        return item._replace(state=state)
    if not fits:
        return item._replace(state="other_name")
    ids = dict(record.identifiers)
    scheme = next((scheme for scheme in SCHEMES if scheme in ids), "")
    if not scheme:
        return item._replace(state="no_identifier")
    return item._replace(state="new", identifier=f"{scheme}:{ids[scheme]}")
