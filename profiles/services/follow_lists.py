"""What a member follows, as a table to take along and to bring: read, looked at, then followed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from bzpeer.lib.sheets import SheetError, csv_lines, read_csv
from profiles import access
from profiles.exceptions import FollowError, TooMany
from profiles.models import User
from profiles.services import follows
from profiles.services.follows import KINDS, Target
from works.models import Author, AuthorIdentifier, Institution, InstitutionIdentifier
from works.search import find_by_identifier, recognise

MOST_ROWS = 500
MOST_BYTES = 500_000
HEADINGS = ("kind", "id", "name", "identifier", "address")
_KINDS = {"researcher": "author", "author": "author", "topic": "topic", "institution": "institution"}


@dataclass(frozen=True)
class Line:
    """One row of a table that was brought: what it names here, or why nothing."""

    number: int
    said: str
    kind: str = ""
    target: Target | None = None
    following: bool = False
    problem: str = ""


def table(user: User) -> Iterator[str]:
    """Return what user follows as CSV: kind, our id, name, ORCID or ROR, address."""
    rows = list(access.follows(user))
    orcids = dict(AuthorIdentifier.objects.filter(author__follows__user=user, scheme="orcid").values_list("author", "value"))  # fmt: skip
    rors = dict(InstitutionIdentifier.objects.filter(institution__follows__user=user, scheme="ror").values_list("institution", "value"))  # fmt: skip

    def lines() -> Iterator[Sequence[str]]:
        yield HEADINGS
        for row in rows:
            target = row.target
            known = orcids.get(target.pk) if row.kind == "author" else rors.get(target.pk) if row.kind == "institution" else ""  # fmt: skip
            kind = "researcher" if row.kind == "author" else row.kind
            yield kind, target.pid, str(target), known or "", settings.PUBLIC_URL + target.get_absolute_url()

    return csv_lines(lines())


def read_table(*, user: User, data: bytes) -> list[Line]:
    """Return what each row of a table names here; raises FollowError with a sentence for what is no table."""
    if len(data) > MOST_BYTES:
        raise FollowError("This file is larger than 500 kB.")
    try:
        rows = read_csv(data, most_rows=MOST_ROWS + 1)
    except SheetError as error:
        raise FollowError(str(error)) from error
    heading = [cell.lower() for cell in rows[0][1]]
    if any(name in heading for name in ("id", "identifier", "orcid", "ror", "kind")):
        rows = rows[1:]
    else:
        heading = []
    if len(rows) > MOST_ROWS:
        raise FollowError(f"This file has more than {MOST_ROWS} rows. Bring it in parts.")
    mine = {(row.kind, row.target.pk) for row in access.follows(user)}
    seen: set[tuple[str, int]] = set()
    lines = []
    for number, cells in rows:
        named = dict(zip(heading, cells, strict=False))
        said = next((cell for cell in (named.get("name"), *cells) if cell), "")[:200]
        target = _find(named, cells)
        if target is None:
            lines.append(Line(number, said, problem="Nobody and nothing here carries this id or identifier."))
            continue
        kind = follows.kind_of(target)
        if (kind, target.pk) in seen:
            continue
        seen.add((kind, target.pk))
        lines.append(Line(number, said, kind, target, (kind, target.pk) in mine))
    return lines


def _find(named: dict[str, str], cells: list[str]) -> Target | None:
    """Find a record by an identifier that others know too, else by our own id and kind."""
    for cell in [named.get("identifier", ""), named.get("orcid", ""), named.get("ror", ""), *cells]:
        known = recognise(cell) if cell else None
        if known and (found := find_by_identifier(*known)) and isinstance(found, Author | Institution):
            return _shown(found)
    kind = _KINDS.get(named.get("kind", "").lower())
    return target_of(kind, named.get("id", "")) if kind else None


def target_of(kind: str, pid: str) -> Target | None:
    """Return a record that can be followed, by our own id; None where there is none."""
    if kind not in KINDS or not (pid.isascii() and pid.isalnum()) or len(pid) > 12:
        return None
    rows = KINDS[kind]._default_manager.all()
    return _shown(rows.filter(pid=pid).first())


def _shown(target: Target | None) -> Target | None:
    """Return the record that stands for it today; None for a hidden one."""
    if isinstance(target, Author):
        target = target.merged_into or target
        return None if target.suppressed else target
    return target


def follow_all(*, user: User, chosen: Iterable[tuple[str, str]]) -> tuple[int, str]:
    """Follow what was chosen, (kind, id) each, as far as the limits go; return how many, and why not all.

    Each in a transaction of its own: two lists that name the same records never wait for each other in a ring.
    """
    count = 0
    for kind, pid in list(chosen)[:MOST_ROWS]:
        target = target_of(kind, pid)
        if target is None or follows.is_following(user=user, target=target):
            continue
        try:
            follows.follow(follower=user, target=target)
        except TooMany as refusal:
            return count, str(refusal)
        count += 1
    return count, ""
