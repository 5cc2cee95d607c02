"""Write who is who: assignments, identifiers, and what became of authors without a line."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
from django.db.models import PROTECT

from bzpeer.lib.sql import copy_rows, execute, query
from works.matching.papers import Identifier
from works.models import Author, AuthorIdentifier, Authorship, Mark
from works.services.counts import refresh_statistics
from works.services.entities import relations_of
from works.services.marks import mark
from works.services.resolve.choosing import Chosen
from works.services.resolve.identifiers import write_identifiers
from works.services.resolve.reading import Read

MANY = 1000  # lines moved, after which the database must look at its tables anew: what follows asks them all


def write_people(read: Read, chosen: Chosen, adopted: dict[Identifier, int]) -> int:
    """Write what changed and mark it for recounting; return how many lines changed their author."""
    collection = read.collection
    before = collection.standing[chosen.lines].copy()
    if read.removed:
        for place, key in enumerate(collection.keys[chosen.lines].tolist()):
            before[place] = read.removed.get(key, before[place])
    moved = np.flatnonzero(before != chosen.author)
    lines = chosen.lines[moved]
    _move_lines(collection.keys[lines].tolist(), chosen.author[moved].tolist())
    heirs: dict[int, Counter[int]] = defaultdict(Counter)
    for old, new in zip(before[moved].tolist(), chosen.author[moved].tolist(), strict=True):
        if old:
            heirs[old][new] += 1
    touched = set(chosen.author[moved].tolist()) | set(heirs)
    for old, new in write_identifiers(read, chosen, adopted, touched):
        heirs[old][new] += 1
        touched |= {old, new}
    _retire_empty(
        {old: min(n, key=lambda a: (-n[a], a)) for old, n in heirs.items() if old not in read.decided}
    )
    if len(moved) >= MANY:
        refresh_statistics(Author, AuthorIdentifier, Authorship, Mark)
    touched -= delete_ghosts()
    mark(Mark.What.COUNTS, touched, "authors found")
    mark(Mark.What.COLLABORATIONS, touched, "authors found")
    mark(Mark.What.CATALOGUE, set(collection.works[collection.paper_of[lines]].tolist()), "authors found")
    return len(moved)


def _move_lines(keys: list[int], authors: list[int]) -> None:
    if not keys:
        return
    execute(
        "create temporary table if not exists moved_line (id bigint, author_id bigint) on commit delete rows"
    )
    execute("truncate moved_line")
    copy_rows("moved_line", ("id", "author_id"), zip(keys, authors, strict=True))
    execute("analyze moved_line")
    execute("update works_authorship a set author_id = m.author_id from moved_line m where a.id = m.id")


def _retire_empty(heirs: dict[int, int]) -> None:
    """Point authors who lost their last line and identifier to who took most of them."""
    pairs = query(
        "update works_author a set merged_into_id = s.new, version = version + 1, updated_at = now()"
        " from unnest(%s::bigint[], %s::bigint[]) as s (old, new)"
        " where a.id = s.old and not a.claimed and not a.suppressed and a.merged_into_id is null"
        " and not exists (select 1 from works_authorship where author_id = a.id)"
        " and not exists (select 1 from works_authoridentifier where author_id = a.id) returning a.id, s.new",
        [list(heirs), list(heirs.values())],
    )
    columns = [[old for old, _ in pairs], [new for _, new in pairs]]
    execute(
        "update works_author set merged_into_id = s.new from unnest(%s::bigint[], %s::bigint[]) as s (old, new)"
        " where merged_into_id = s.old and id <> s.new",
        columns,
    )


# --- Authors without a line ----------------------------------------------------------------------------------------


def delete_ghosts(everywhere: bool = False) -> set[int]:
    """Delete authors who lost their last line to nobody, and of whom neither a source tells nor anything of people.

    Looked for among those who wait to be recounted, as everybody does who lost a line.
    """
    among = "true" if everywhere else "a.id in (select object_id from works_mark where what = 'counts')"
    rows = query(
        f"select a.id from works_author a where {among}"  # noqa: S608
        " and not a.claimed and not a.suppressed and a.merged_into_id is null"
        " and not exists (select 1 from works_authorship s where s.author_id = a.id)"
        " and not exists (select 1 from works_authoridentifier i join works_sourcerecord r on r.entity = 'author'"
        "  and (r.id = i.record_id or (r.provider = i.scheme and r.record_id = i.value)) where i.author_id = a.id)"
    )
    ghosts = {number for (number,) in rows}
    for relation in relations_of(Author):
        if ghosts and relation.on_delete is PROTECT:
            name = f"{relation.field.name}_id"
            hanging: Any = relation.related_model._base_manager.filter(**{f"{name}__in": ghosts})
            ghosts -= set(hanging.values_list(name, flat=True))
    if ghosts:
        mark(Mark.What.COLLABORATIONS, ghosts, "author gone")
        Author.objects.filter(pk__in=ghosts).delete()
    return ghosts
