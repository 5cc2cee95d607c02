"""Write who holds which identifier: as their lines say, and as author records do."""

from collections import defaultdict

import numpy as np

from bzpeer.lib.sql import copy_rows, execute, query
from works.matching.papers import Identifier
from works.services.resolve.choosing import Chosen, make_authors
from works.services.resolve.reading import Read

_Holder = tuple[int, int | None]  # an author, and a line of theirs that bears it
# An author record's word stands without any line.
_DESCRIBED = (
    "select 1 from works_sourcerecord r where r.entity = 'author'"
    " and (r.id = i.record_id or (r.provider = i.scheme and r.record_id = i.value))"
)


def write_identifiers(
    read: Read, chosen: Chosen, adopted: dict[Identifier, int], touched: set[int]
) -> list[tuple[int, int]]:
    """Write the identifiers of authors; return who lost one to whom.

    One that lines of several authors bear stays with who has most of these. What a source took back goes.
    """
    held = _by_lines(read, chosen)
    author_of = dict(zip(chosen.lines.tolist(), chosen.author.tolist(), strict=True)) if adopted else {}
    held |= {identifier: (author_of[line], None) for identifier, line in adopted.items()}
    _hold_linked(read, held)
    for identifier in chosen.foreign:
        held.pop(identifier, None)
    execute(
        "create temporary table if not exists held_identifier (scheme text, value text, author_id bigint, line_id bigint)"
        " on commit delete rows"
    )
    execute("truncate held_identifier")
    copy_rows(
        "held_identifier", ("scheme", "value", "author_id", "line_id"),
        ((*identifier, author, line) for identifier, (author, line) in sorted(held.items())),
    )  # fmt: skip
    # What a hidden author is known by stays with them for ever: it keeps them hidden when they are imported again.
    execute(
        "delete from held_identifier h using works_authoridentifier i join works_author a on a.id = i.author_id"
        " where a.suppressed and i.scheme = h.scheme and i.value = h.value and i.author_id <> h.author_id"
    )
    moved: list[tuple[int, int]] = [
        (old, new)
        for old, new in query(
            "select i.author_id, h.author_id from works_authoridentifier i join held_identifier h using (scheme, value)"
            " where i.author_id <> h.author_id order by 1, 2"
        )
    ]
    execute(
        "insert into works_authoridentifier (scheme, value, author_id, record_id)"
        " select h.scheme, h.value, h.author_id, a.record_id"
        " from held_identifier h left join works_authorship a on a.id = h.line_id order by h.scheme, h.value"
        " on conflict (scheme, value) do update set author_id = excluded.author_id,"
        "  record_id = coalesce(works_authoridentifier.record_id, excluded.record_id)"
        " where (works_authoridentifier.author_id, works_authoridentifier.record_id) is distinct from"
        "  (excluded.author_id, coalesce(works_authoridentifier.record_id, excluded.record_id))"
    )
    judged = sorted({*touched, *np.unique(chosen.author).tolist()})
    execute(
        "delete from works_authoridentifier i where author_id = any(%s)"  # noqa: S608
        " and not exists (select 1 from held_identifier h where h.scheme = i.scheme and h.value = i.value)"
        f" and not exists ({_DESCRIBED})"
        " and not exists (select 1 from works_author a where a.id = i.author_id and a.suppressed)"
        " and not exists (select 1 from works_authorship a where a.author_id = i.author_id and i.value ="
        "  case i.scheme when 'orcid' then a.orcid when 'openalex' then a.openalex_id when 'acl' then a.acl_id else a.dblp_id end)",
        [judged],
    )
    if read.everything:
        moved += _part_from_described(read)
    return moved


def _by_lines(read: Read, chosen: Chosen) -> dict[Identifier, _Holder]:
    """Return for each identifier on lines the author who has most of them, and a line of theirs."""
    collection = read.collection
    found: dict[Identifier, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    if collection.ids:
        for line, author in zip(chosen.lines.tolist(), chosen.author.tolist(), strict=True):
            for identifier in collection.ids.get(line, ()):
                found[identifier][author].append(line)
    held: dict[Identifier, _Holder] = {}
    for identifier, authors in found.items():
        author = min(authors, key=lambda author: (-len(authors[author]), authors[author][0]))
        held[identifier] = author, int(collection.keys[authors[author][0]])
    return held


def _hold_linked(read: Read, held: dict[Identifier, _Holder]) -> None:
    """Give the other identifiers of an author record to who holds one of them by their lines."""
    for record in read.described:
        identifiers = sorted(record.telling)
        holders = [held[identifier] for identifier in identifiers if identifier in held]
        for identifier in identifiers:
            if holders and identifier not in held:
                held[identifier] = (holders[0][0], None)


def _part_from_described(read: Read) -> list[tuple[int, int]]:
    """Give an author row of their own to whom a record describes, and who stands with somebody's lines that no
    longer bear any of the record's identifiers."""
    rows = query(
        "select i.id, i.author_id, r.payload->>'display_name', r.id from works_authoridentifier i"
        " join works_sourcerecord r on r.entity = 'author' and r.provider = i.scheme and r.record_id = i.value"
        " where not exists (select 1 from held_identifier h where h.scheme = i.scheme and h.value = i.value)"
        " and not r.payload ? 'merged_into' and not r.payload ? 'withdrawn' and i.author_id <> all(%s)"
        " and exists (select 1 from works_authorship a where a.author_id = i.author_id) order by i.scheme, i.value",
        [sorted(read.decided)],
    )
    if not rows:
        return []
    made = make_authors([name[:255] for _, _, name, _ in rows])
    execute(
        "update works_authoridentifier i set author_id = m.author_id"
        " from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) m (id, record_id, author_id)"
        " where i.id = m.id or (i.record_id = m.record_id"
        "  and not exists (select 1 from held_identifier h where h.scheme = i.scheme and h.value = i.value))",
        [[row[0] for row in rows], [row[3] for row in rows], made],
    )
    return [(new, old) for (_, old, _, _), new in zip(rows, made, strict=True)]
