"""Find the institutions in affiliation strings of authorships for which no source names one."""

import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from bzpeer.lib.sql import copy_rows, execute, query, stream
from works.affiliations import Known, Matcher
from works.models import Mark
from works.services.catalogue import lock_catalogue
from works.services.counts import recount_institutions
from works.services.marks import mark

log = logging.getLogger(__name__)

Link = tuple[int, int]  # (authorship, institution)

# Only organisations that ROR knows: others have no names but the one a work gave them.
_INSTITUTIONS = (
    "select id, display_name, name_variants::text[], acronyms::text[], country_code, city, status, successor_id"
    " from works_institution where ror <> '' order by id"
)
_STATE = "select count(*), max(updated_at)::text, coalesce(sum(successor_id), 0) from works_institution where ror <> ''"


class _Loaded(NamedTuple):
    state: tuple[Any, ...]
    matcher: Matcher


_loaded: _Loaded | None = None


class _Line(NamedTuple):
    """An authorship. strings: JSON. stated: a source names its institutions, so that nothing is looked up."""

    key: int
    work: int
    author: int | None
    strings: str
    stated: bool


def match_affiliations(work_ids: list[int]) -> None:
    """Write which institutions the affiliation strings of these works name, where no source says it; mark what follows."""
    matcher = current_matcher()  # may take seconds: before anything is locked
    lock_catalogue()
    lines = [
        _Line(*row)
        for row in query(
            "select a.id, a.work_id, a.author_id, a.raw_affiliation_strings::text, exists (select 1 from"
            " works_authorshipinstitution i where i.authorship_id = a.id and not i.matched)"
            " from works_authorship a where a.work_id = any(%s)",
            [work_ids],
        )
    ]
    wanted = {link for line in lines if not line.stated for link in _links(line, matcher)}
    standing: set[Link] = set(
        query(
            "select authorship_id, institution_id from works_authorshipinstitution i"
            " join works_authorship a on a.id = i.authorship_id where i.matched and a.work_id = any(%s)",
            [work_ids],
        )
    )
    _write(sorted(wanted - standing), sorted(standing - wanted))
    changed = {authorship for authorship, _ in wanted ^ standing}
    works = {line.work for line in lines if line.key in changed}
    mark(Mark.What.RESOLVE, works, "institutions found")
    mark(Mark.What.CATALOGUE, works, "institutions found")
    mark(
        Mark.What.COUNTS,
        {line.author for line in lines if line.key in changed and line.author},
        "institutions found",
    )


def mark_unmatched(why: str) -> None:
    """Have every work looked up that has affiliation strings for which no source names an institution."""
    execute(
        "insert into works_mark (what, object_id, since, run_at, why, attempts, error, dead)"
        " select %(what)s, work_id, now(), now(), %(why)s, 0, '', false from ("
        "  select distinct work_id from works_authorship a where raw_affiliation_strings not in ('[]', 'null')"
        "  and not exists (select 1 from works_authorshipinstitution i where i.authorship_id = a.id and not i.matched)"
        "  and not exists (select 1 from works_mark m where m.what = %(what)s and m.object_id = a.work_id and not m.dead)"
        " ) w where exists (select 1 from works_institution where ror <> '') order by work_id",
        {"what": Mark.What.AFFILIATIONS, "why": why[:120]},  # type: ignore[arg-type]
    )


def current_matcher() -> Matcher:
    """Return the matcher of the institutions as they are now; read again only where they changed."""
    global _loaded
    state = query(_STATE)[0]
    if _loaded is None or _loaded.state != state:
        _loaded = _Loaded(state, Matcher(known_institutions()))
        log.info("Read %s institutions to look affiliations up in.", state[0])
    return _loaded.matcher


def known_institutions() -> Iterator[Known]:
    """Yield the organisations a string may name; who asks for a withdrawn one gets its successor, if it has one."""
    successors = dict(
        query("select id, successor_id from works_institution where ror <> '' and status = 'withdrawn'")
    )
    for key, display_name, variants, acronyms, country_code, city, _, _ in stream(_INSTITUTIONS):
        standing = _standing(key, successors)
        if standing is not None:
            yield Known(standing, (display_name, *variants), tuple(acronyms), country_code, city)


def _standing(key: int | None, successors: dict[int, int | None]) -> int | None:
    """Follow withdrawn records to who took over; None where nobody did."""
    seen: set[int] = set()
    while key in successors:
        if key in seen:
            return None
        seen.add(key)
        key = successors[key]
    return key


def _links(line: _Line, matcher: Matcher) -> Iterator[Link]:
    strings = json.loads(line.strings)
    for text in strings if isinstance(strings, list) else []:
        if isinstance(text, str):
            for match in matcher.find(text):
                yield line.key, match.key


def _write(added: list[Link], gone: list[Link]) -> None:
    if gone:
        execute(
            "delete from works_authorshipinstitution i using unnest(%s::bigint[], %s::bigint[]) g (authorship_id, institution_id)"
            " where i.matched and i.authorship_id = g.authorship_id and i.institution_id = g.institution_id",
            [[authorship for authorship, _ in gone], [institution for _, institution in gone]],
        )
    columns = ("authorship_id", "institution_id", "matched")
    copy_rows("works_authorshipinstitution", columns, ((*link, True) for link in added))
    # Whose works are marked is recounted with them; who lost the last one would be forgotten.
    recount_institutions(sorted({institution for _, institution in gone}))
