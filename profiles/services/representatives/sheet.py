"""A table of members: what each row names, looked up all at once, before anything is asserted."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from django.core import signing
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from bzpeer.lib.names import clean, fold
from bzpeer.lib.sheets import SheetError, read_csv
from profiles.claims import names
from profiles.exceptions import RepresentativeError
from profiles.models import Representative, Researcher
from profiles.services.representatives.assertions import EARLIEST, Member, standing_author_ids
from works.identifiers import normalise_orcid
from works.models import Affiliation, Author, AuthorIdentifier, Institution, Redirect
from works.queries import record_by_pid
from works.search import search_authors, whole_name, words_of

MOST_ROWS = 5000
MOST_BYTES = 2 * 1024 * 1024
MOST_TOKEN = 900_000  # characters: what comes back with the confirmation stays below the limit of a form
CONFIRM_WITHIN = 3600  # seconds
SALT = "profiles.representatives.sheet"

COLUMNS = ("name", "id", "role", "since")
_HEADINGS = {
    **dict.fromkeys(("name", "member", "person", "full name", "display name"), "name"),
    **dict.fromkeys(
        ("orcid", "orcid id", "orcid or address", "orcid or page", "bzpeer", "address", "page", "id", "pid", "identifier"),
        "id",
    ),
    **dict.fromkeys(("role", "position", "title", "function"), "role"),
    **dict.fromkeys(("since", "from", "start", "start date", "member since"), "since"),
}  # fmt: skip
_PAGE = re.compile(r"/researchers/([0-9a-zA-Z]{1,12})(?:/|$)")
_PID = re.compile(r"[0-9a-zA-Z]{7}")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)


class Status(StrEnum):
    FOUND = "found"
    KNOWN = "known"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass
class Row:
    """A line of the table and what it was found to name. note says why in a sentence."""

    line: int
    name: str
    ident: str
    role: str
    since: date | None = None
    status: Status = Status.UNKNOWN
    author: Author | None = None
    note: str = ""
    others: list[Author] = field(default_factory=list)

    def settle(self, status: Status, note: str, author: Author | None = None) -> None:
        self.status, self.note, self.author = status, note, author or self.author


def affiliated(institution: Institution, text: str) -> QuerySet[Author]:
    """Return the authors of that name whose works name the institution."""
    here = Affiliation.objects.filter(institution=institution, author=OuterRef("pk"))
    return search_authors(text).filter(Exists(here))


def read_rows(data: bytes) -> list[Row]:
    """Read a table; raises RepresentativeError with a sentence for what is none."""
    if len(data) > MOST_BYTES:
        raise RepresentativeError("This file is larger than 2 MB. Split it, and send the parts one by one.")
    try:
        lines = read_csv(data, most_rows=MOST_ROWS + 1)
    except SheetError as error:
        raise RepresentativeError(str(error)) from error
    places = _places(lines[0][1])
    if places is None:
        places = {name: place for place, name in enumerate(COLUMNS)}
    else:
        lines = lines[1:]
    if not lines:
        raise RepresentativeError("Below the heading this file holds no rows.")
    if len(lines) > MOST_ROWS:
        raise RepresentativeError(
            f"More than {MOST_ROWS} rows. Split the file, and send the parts one by one."
        )
    return [_row(number, cells, places) for number, cells in lines]


def match(rows: Sequence[Row], representative: Representative) -> None:
    """Say of every row whom it names; as many queries for 5,000 rows as for one."""
    institution = representative.institution
    open_rows = [row for row in rows if row.status != Status.REFUSED]
    _match_ids([row for row in open_rows if row.ident])
    _match_names([row for row in open_rows if not row.ident], institution)
    found = [row for row in open_rows if row.status == Status.FOUND and row.author]
    known = standing_author_ids(institution)
    own = set(Researcher.objects.filter(user=representative.user).values_list("author_id", flat=True))
    ids = {row.author.pk for row in found if row.author}
    here = set(
        Affiliation.objects.filter(institution=institution, author__in=ids).values_list(
            "author_id", flat=True
        )
    )
    lines: dict[int, int] = {}
    for row in found:
        assert row.author is not None  # noqa: S101 - filtered above
        pk = row.author.pk
        if pk in lines:
            row.settle(Status.REFUSED, f"The same researcher as in line {lines[pk]}.")
        elif pk in own:
            row.settle(Status.REFUSED, "This page is yours: somebody else at the institution asserts you.")
        elif pk in known:
            row.settle(Status.KNOWN, "Asserted already; renew it in the list of members.")
        elif pk not in here and not row.note:
            row.note = "No work here names the institution beside this researcher yet."
        lines.setdefault(pk, row.line)


def members_of(rows: Iterable[Row]) -> list[Member]:
    """Return whom the rows name without doubt."""
    return [
        Member(row.author.pk, row.role, row.since)
        for row in rows
        if row.status == Status.FOUND and row.author
    ]


def to_token(members: Sequence[Member], representative: Representative) -> str:
    """Write down what was shown, signed, so that exactly that is confirmed."""
    lines = [[m.author_id, m.role, m.since.isoformat() if m.since else ""] for m in members]
    token = signing.dumps([str(representative.pk), lines], salt=SALT, compress=True)
    if len(token) > MOST_TOKEN:
        raise RepresentativeError(
            "The roles in this file are too long to be confirmed at once. Split it in two."
        )
    return token


def from_token(token: str, representative: Representative) -> list[Member]:
    """Return what was shown to this representative; raises RepresentativeError for what was not, or is old."""
    try:
        owner, lines = signing.loads(token, salt=SALT, max_age=CONFIRM_WITHIN)
    except signing.SignatureExpired as error:
        raise RepresentativeError("This preview is older than an hour. Send the file again.") from error
    except signing.BadSignature as error:
        raise RepresentativeError("This preview is not complete. Send the file again.") from error
    if owner != str(representative.pk):
        raise RepresentativeError("This preview is another representative's. Send the file again.")
    return [Member(pk, role, date.fromisoformat(since) if since else None) for pk, role, since in lines]


def read_day(text: str) -> date | None:
    """Return the day of "2021-09-01", "2021-09" or "2021"; raises ValueError for anything else and for the future."""
    if not text:
        return None
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day = date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    if not EARLIEST <= day <= timezone.localdate():
        raise ValueError(text)
    return day


# --- Rows -----------------------------------------------------------------------------------------------


def _places(heading: Sequence[str]) -> dict[str, int] | None:
    """Return where the columns stand, None where the first line is no heading."""
    places: dict[str, int] = {}
    for place, cell in enumerate(heading):
        column = _HEADINGS.get(fold(cell).replace("_", " "))
        if column:
            places.setdefault(column, place)
    return places if "name" in places or "id" in places else None


def _row(number: int, cells: Sequence[str], places: dict[str, int]) -> Row:
    def cell(column: str) -> str:
        place = places.get(column, len(cells))
        return clean(cells[place][:500]) if place < len(cells) else ""

    row = Row(number, cell("name")[:255], cell("id")[:300], cell("role"))
    if not row.name and not row.ident:
        row.settle(Status.REFUSED, "Neither a name nor an ORCID iD or address of a page.")
    if len(row.role) > 150:
        row.settle(Status.REFUSED, "The role is longer than 150 characters.")
        row.role = row.role[:150]
    try:
        row.since = read_day(cell("since"))
    except ValueError:
        row.settle(
            Status.REFUSED, f"“{cell('since')[:40]}” is no day in the past. Write it as 2021-09-01 or 2021."
        )
    return row


def _match_ids(rows: Sequence[Row]) -> None:
    orcids = {row.line: value for row in rows if (value := _orcid_of(row.ident))}
    pids = {row.line: value for row in rows if row.line not in orcids and (value := _pid_of(row.ident))}
    authors = _authors_by_orcid(set(orcids.values())) | _authors_by_pid(set(pids.values()))
    for row in rows:
        key = orcids.get(row.line) or pids.get(row.line)
        author = authors.get(key or "")
        if key is None:
            row.settle(Status.UNKNOWN, "This is neither an ORCID iD nor the address of a page here.")
        elif author is None or author.suppressed:
            what = "ORCID iD" if row.line in orcids else "address"
            row.settle(Status.UNKNOWN, f"No researcher here has this {what}.")
        elif row.name and not names.compatible(row.name, author.display_name):
            row.settle(
                Status.AMBIGUOUS,
                "The page is of another name. If it is the right one, leave the name out of the row.",
                author,
            )
        else:
            row.settle(Status.FOUND, "", author)


def _orcid_of(ident: str) -> str | None:
    return normalise_orcid(ident) if "/researchers/" not in ident else None


def _pid_of(ident: str) -> str | None:
    if found := _PAGE.search(ident):
        return found[1].lower()
    return ident.lower() if _PID.fullmatch(ident) else None


def _authors_by_orcid(orcids: set[str]) -> dict[str, Author]:
    rows = AuthorIdentifier.objects.filter(scheme=AuthorIdentifier.Scheme.ORCID, value__in=orcids)
    rows = rows.select_related("author__merged_into").defer("author__search", "author__merged_into__search")
    return {row.value: row.author.merged_into or row.author for row in rows}


def _authors_by_pid(pids: set[str]) -> dict[str, Author]:
    rows = (
        Author.objects.filter(pid__in=pids)
        .select_related("merged_into")
        .defer("search", "merged_into__search")
    )
    found = {row.pid: row.merged_into or row for row in rows}
    moved = Redirect.objects.filter(kind="author", old_pid__in=pids - found.keys())
    for pid in moved.values_list("old_pid", flat=True):
        if author := record_by_pid(Author.objects.defer("search"), pid):
            found[pid] = author
    return found


def _match_names(rows: Sequence[Row], institution: Institution) -> None:
    """Find rows without an identifier by their very name, among the authors whose works name the institution."""
    if not rows:
        return
    keys = {row.line: whole_name(words_of(row.name)) for row in rows}
    wanted = set(keys.values())
    here: dict[str, list[int]] = defaultdict(list)
    authors = Author.objects.public().filter(affiliations__institution=institution).distinct()
    for pk, name in authors.values_list("pk", "display_name").iterator(chunk_size=5000):
        if (key := whole_name(words_of(name))) in wanted:
            here[key].append(pk)
    by_pk = Author.objects.defer("search").in_bulk([pk for pks in here.values() for pk in pks])
    for row in rows:
        found = [by_pk[pk] for pk in here[keys[row.line]]]
        if len(found) == 1:
            row.settle(Status.FOUND, "By the name alone.", found[0])
        elif found:
            row.settle(
                Status.AMBIGUOUS,
                f"{len(found)} researchers here have this name: add an ORCID iD or an address.",
            )
            row.others = found[:10]
        else:
            row.settle(
                Status.UNKNOWN, "No researcher with an affiliation here has this name: add an ORCID iD."
            )
