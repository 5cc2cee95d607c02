"""Whose the identifiers are of authors who were merged or divided."""

from collections import defaultdict

from bzpeer.lib.sql import execute, query
from works.services.regrouping.replay import Event, owners

_Identifier = tuple[str, str]


def settle_identifiers(events: list[Event], authors: list[int], touched: set[int]) -> set[int]:
    """Give the identifiers of touched authors to whose they are now; return the authors who gained or lost one.

    As identity resolution does: to who has most lines that bear it, or one that the same author record names. What
    stands on no line follows the record that gave it, and what no record gave stays: pages follow the redirect.
    """
    held = {
        (scheme, value): (author, records)
        for scheme, value, author, records in query(
            "select i.scheme, i.value, i.author_id, array(select r.id from works_sourcerecord r where r.entity = 'author'"
            "  and (r.id = i.record_id or (r.provider = i.scheme and r.record_id = i.value)))"
            " from works_authoridentifier i where i.author_id = any(%s)",
            [sorted(touched)],
        )
    }
    holder = _by_lines(authors, set(held))
    by_record: dict[int, int] = {}
    for identifier in sorted(holder):
        for record in held[identifier][1]:
            by_record.setdefault(record, holder[identifier])
    journaled = {thing[1]: owner for (thing, _), owner in owners(events).items() if isinstance(thing, tuple)}
    for identifier, (_, records) in held.items():
        if identifier not in holder:
            mates = [by_record[record] for record in records if record in by_record]
            given = [journaled[record] for record in records if record in journaled]
            if mates or given:
                holder[identifier] = (mates or given)[0]
    moved = {i: new for i, new in holder.items() if new != held[i][0]}
    execute(
        "update works_authoridentifier i set author_id = m.author from unnest(%s::text[], %s::text[], %s::bigint[])"
        " as m (scheme, value, author) where i.scheme = m.scheme and i.value = m.value",
        [[scheme for scheme, _ in moved], [value for _, value in moved], list(moved.values())],
    )
    return set(moved.values()) | {held[identifier][0] for identifier in moved}


def records_without_lines(author: int) -> list[int]:
    """Return the author records that gave an author identifiers of which none stands on a line of theirs."""
    rows = query(
        "select distinct r.id from works_authoridentifier i join works_sourcerecord r on r.entity = 'author'"
        " and (r.id = i.record_id or (r.provider = i.scheme and r.record_id = i.value)) where i.author_id = %s order by 1",
        [author],
    )
    borne = _by_lines([author], None)
    told = {
        record
        for scheme, value, record in query(
            "select i.scheme, i.value, r.id from works_authoridentifier i join works_sourcerecord r on r.entity = 'author'"
            " and (r.id = i.record_id or (r.provider = i.scheme and r.record_id = i.value)) where i.author_id = %s",
            [author],
        )
        if (scheme, value) in borne
    }
    return [record for (record,) in rows if record not in told]


def _by_lines(authors: list[int], wanted: set[_Identifier] | None) -> dict[_Identifier, int]:
    """Return who among authors has most of the lines that bear each identifier."""
    counts: dict[_Identifier, list[tuple[int, int, int]]] = defaultdict(list)
    for scheme, value, author, count, first in query(
        "select v.scheme, v.value, a.author_id, count(*), min(a.id) from works_authorship a cross join lateral"
        " (values ('orcid', orcid), ('openalex', openalex_id), ('acl', acl_id), ('dblp', dblp_id)) v (scheme, value)"
        " where v.value <> '' and a.author_id = any(%s) group by 1, 2, 3",
        [authors],
    ):
        if wanted is None or (scheme, value) in wanted:
            counts[scheme, value].append((-count, first, author))
    return {identifier: min(several)[2] for identifier, several in counts.items()}
