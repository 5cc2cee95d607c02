"""Judge all works anew from the records alone: afterwards the order of imports no longer matters.

Rows keep their ids and addresses where most of what they were made of stays together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from django.db import transaction

from bzpeer.lib.markup import render
from bzpeer.lib.sql import execute, new_ids, query, stream
from works.ingest.merging import (
    FACTS,
    MOST_OF_ONE_TITLE,
    Merged,
    UnionFind,
    cluster_records,
    is_live,
    merge,
    title_key,
)
from works.ingest.records import Identifier, WorkRecord, decode
from works.services.catalogue.finding import decided_works, join_works, links_of, lock_catalogue
from works.services.catalogue.texts import Texts
from works.services.catalogue.writing import recount_lost, write_works

BATCH = 2000  # records in one transaction


class _Brief(msgspec.Struct):
    """What tells which records may be of one work."""

    provider: str
    record_id: str
    identifiers: tuple[Identifier, ...] = ()
    merged_into: str = ""
    title: str = ""


class Rederived(NamedTuple):
    """works: how many were looked at. joined, split: how many works the imports had apart, or together."""

    works: int
    joined: int
    split: int


def rederive_works(say: Callable[[str], None] = lambda words: None) -> Rederived:
    """Group all records to works as if they had come at once, and write what differs."""
    with transaction.atomic():
        lock_catalogue()
        groups, common = _related()
    say(f"{len(groups):,} groups of records that may be one work")
    done = Rederived(0, 0, 0)
    for batch in _batches(groups):
        with transaction.atomic():
            lock_catalogue()
            found = _rederive(batch, common)
        done = Rederived(*(a + b for a, b in zip(done, found, strict=True)))
    with transaction.atomic():
        lock_catalogue()
        _relink_citations()
    return done


def _related() -> tuple[list[list[int]], set[str]]:
    """Return the ids of records that share an identifier, a title or a work; and titles too common to tell."""
    groups = UnionFind()
    first: dict[Any, int] = {}
    titles: dict[str, list[int]] = defaultdict(list)
    brief = msgspec.json.Decoder(_Brief)
    rows = "select id, work_id, payload::text from works_sourcerecord where entity = 'work' order by provider, record_id"
    for key, work_id, payload in stream(rows):
        record = brief.decode(payload)
        names: list[Any] = [hash(identifier) for identifier in record.identifiers]
        if record.merged_into:
            names.append(hash((record.provider, record.merged_into)))
        if work_id:
            names.append(("work", work_id))
        for name in names:
            groups.join(first.setdefault(name, key), key)
        if title := title_key(render(record.title, blocks=False).plain):
            titles[title].append(key)
    for keys in titles.values():
        if len(keys) <= MOST_OF_ONE_TITLE:
            for key in keys[1:]:
                groups.join(keys[0], key)
    nodes = [node for node in groups.nodes() if isinstance(node, int)]
    common = {title for title, keys in titles.items() if len(keys) > MOST_OF_ONE_TITLE}
    return [group for group in groups.groups(nodes) if len(group) > 1], common


def _batches(groups: list[list[int]]) -> Iterator[list[int]]:
    batch: list[int] = []
    for group in groups:
        batch += group
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _rederive(keys: list[int], common: set[str]) -> Rederived:
    records: dict[int, WorkRecord] = {}
    standing: dict[int, int] = {}
    for key, work_id, payload in query(
        "select id, work_id, payload::text from works_sourcerecord where id = any(%s)", [keys]
    ):
        records[key] = decode(payload)
        if work_id:
            standing[key] = work_id
    texts = Texts()
    title_keys = {key: texts.title(record.title).key for key, record in records.items()}
    groups = cluster_records(
        records,
        {key: title for key, title in title_keys.items() if title not in common},
        decided=decided_works(records, standing),
    )
    chosen = _choose_works(groups, standing)
    live = [any(is_live(records[key]) for key in group) for group in groups]
    placed = {
        key: work_id
        for group, work_id, alive in zip(groups, chosen, live, strict=True)
        for key in group
        if alive or work_id in standing.values()
    }
    before = links_of(set(standing.values()))
    left = _move_records(placed, standing)
    merged = {
        work_id: merge({key: records[key] for key in group})
        for group, work_id in zip(groups, chosen, strict=True)
        if work_id in placed.values()
    }
    settle_identifiers(merged, records)
    texts.stage_documents()
    write_works(merged, set(standing.values()) - left, texts, settled=True)
    recount_lost(before, links_of(merged))
    split = sum(chosen[place] not in standing.values() for place in range(len(groups)) if live[place])
    return Rederived(len(merged), len(left), split)


def _choose_works(groups: list[list[int]], standing: dict[int, int]) -> list[int]:
    """Return a work for each group: the one that most of its records stood in, each work once, else a new one."""
    votes = sorted(
        (-count, work_id, number)
        for number, group in enumerate(groups)
        for work_id, count in Counter(standing[key] for key in group if key in standing).items()
    )
    chosen: dict[int, int] = {}
    for _, work_id, number in votes:
        if number not in chosen and work_id not in chosen.values():
            chosen[number] = work_id
    fresh = iter(new_ids("works_work", len(groups) - len(chosen)))
    return [chosen[number] if number in chosen else next(fresh) for number in range(len(groups))]


def _move_records(placed: dict[int, int], standing: dict[int, int]) -> set[int]:
    """Give records to their works; works that have none left lead to who has most of theirs. Return those."""
    took: dict[int, Counter[int]] = defaultdict(Counter)
    for key, work_id in standing.items():
        took[work_id][placed.get(key, 0)] += 1
    left = {work_id for work_id in took if work_id not in placed.values() and set(took[work_id]) != {0}}
    for work_id in sorted(left):
        # A work that nobody chose lost every group of its records to another standing work.
        heir = max(
            (number for number in took[work_id] if number),
            key=lambda number: (took[work_id][number], -number),
        )
        join_works(heir, [work_id])
    execute(
        "update works_sourcerecord r set work_id = w.work_id from unnest(%s::bigint[], %s::bigint[]) as w (id, work_id)"
        " where r.id = w.id and r.work_id is distinct from w.work_id",
        [list(placed), list(placed.values())],
    )
    nowhere = [key for key in standing if key not in placed]
    execute("update works_sourcerecord set work_id = null where id = any(%s)", [nowhere])
    return left


def settle_identifiers(merged: dict[int, Merged], records: dict[int, WorkRecord]) -> None:
    """Leave each identifier that several works claim to the one whose record counts most."""
    claims: dict[Identifier, list[tuple[int, str, int]]] = defaultdict(list)
    for work_id, work in merged.items():
        for identifier, key in work.identifiers.items():
            record = records[key]
            claims[identifier].append((FACTS.index(record.provider), record.record_id, work_id))
    for identifier, claimants in claims.items():
        for _, _, work_id in sorted(claimants)[1:]:
            del merged[work_id].identifiers[identifier]


def _relink_citations() -> None:
    execute(
        "update works_citation c set cited_work_id = i.work_id from works_citation o"
        " left join works_workidentifier i on i.scheme = o.scheme and i.value = o.value"
        " where c.id = o.id and c.cited_work_id is distinct from i.work_id"
    )
