"""Which work a record belongs to; works that turn out to be one are joined."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bzpeer.lib.sql import execute, lock_for_transaction, new_ids, query
from works.ingest.merging import MOST_OF_ONE_TITLE, cluster_records, identifiers_of
from works.ingest.records import Identifier, WorkRecord, decode
from works.models import AuthorshipDecision, Mark, Regrouping, Work
from works.services.catalogue.texts import Texts
from works.services.entities import hand_over, relations_of
from works.services.marks import mark

CATALOGUE_LOCK = 100
_OF_WORKS = (Regrouping.Kind.MERGE_WORKS, Regrouping.Kind.SPLIT_WORK)

Links = set[tuple[str, int, int]]


class Found(NamedTuple):
    """records: by work, all of those whose facts must be written anew. existing: of these works, the ones not new.

    lost: what works that were joined into others were counted under.
    """

    records: dict[int, dict[int, WorkRecord]]
    existing: set[int]
    lost: Links


def lock_catalogue() -> None:
    """Be the one who writes works and authorships, until the end of the transaction."""
    lock_for_transaction(CATALOGUE_LOCK)


def find_works(changed: dict[int, WorkRecord], standing: dict[int, int], texts: Texts) -> Found:
    """Return the work of each changed record (key: SourceRecord id), with all its records."""
    title_keys = {key: texts.title(record.title).key for key, record in changed.items()}
    hits = known_works({i for record in changed.values() for i in identifiers_of(record)})
    titles = _works_by_title(set(title_keys.values()))
    shared = Counter(i for record in changed.values() for i in set(identifiers_of(record)))
    shared.update(("title", title) for title in title_keys.values() if title)
    alone: list[int] = []
    others: dict[int, WorkRecord] = {}
    touched: set[int] = set()
    for key, record in changed.items():
        names = [*identifiers_of(record), ("title", title_keys[key])]
        works = {hits[name] for name in names if name in hits} | titles.get(title_keys[key], set())
        if key in standing:
            works.add(standing[key])
        if works or any(shared[name] > 1 for name in names):
            others[key] = record
            touched |= works
        else:
            alone.append(key)
    groups = [[key] for key in alone]
    work_of: dict[int, int] = {}
    decided: dict[int, int] = {}
    everything = dict(changed)
    if others:
        for work_id, records in records_of(touched).items():
            for key, record in records.items():
                everything[key] = changed.get(key, record)
                work_of[key] = work_id
        mates = {key: everything[key] for key in [*others, *work_of]}
        keys = {key: texts.title(record.title).key for key, record in mates.items()}
        decided = decided_works(mates, standing | work_of)
        groups += [
            group
            for group in cluster_records(mates, keys, work_of, decided)
            if any(key in changed for key in group) or len({work_of[key] for key in group}) > 1
        ]
    told = set(decided.values())  # a work that people made keeps its address
    standing_works = [
        sorted({work_of[key] for key in group if key in work_of}, key=lambda work: (work not in told, work))
        for group in groups
    ]
    fresh = iter(new_ids("works_work", sum(not joined for joined in standing_works)))
    found: dict[int, dict[int, WorkRecord]] = {}
    existing: set[int] = set()
    lost: Links = set()
    for group, joined in zip(groups, standing_works, strict=True):
        work_id = joined[0] if joined else next(fresh)
        found[work_id] = {key: everything[key] for key in group}
        if joined:
            existing.add(work_id)
        if len(joined) > 1:
            lost |= links_of(joined[1:])
            join_works(work_id, joined[1:])
    return Found(found, existing, lost)


def decided_works(keys: Iterable[int], standing: Mapping[int, int]) -> dict[int, int]:
    """Return the work that people gave records to. standing: the works in which records are now.

    Whatever else stands in a work that people made of others, or divided, is theirs to move, too.
    """
    keys = list(keys)
    found = dict(
        query(
            "select distinct on (d.record_id) d.record_id, coalesce(w.id, heir.id, d.work_number) from works_recorddecision d"
            " join works_regrouping g on g.id = d.regrouping_id and not g.is_undone and g.kind = any(%s)"
            " left join works_work w on w.id = d.work_number"
            " left join works_redirect r on w.id is null and r.kind = 'work' and r.old_pid = works_pid(d.work_number)"
            " left join works_work heir on heir.pid = r.new_pid"
            " where d.record_id = any(%s) order by d.record_id, d.regrouping_id desc",
            [list(_OF_WORKS), keys],
        )
    )
    regrouped = {
        number
        for pair in query(
            "select work_number, other_work_number from works_regrouping where not is_undone and kind = any(%s)"
            " and (work_number = any(%s) or other_work_number = any(%s))",
            [list(_OF_WORKS), *[sorted(set(standing.values()))] * 2],
        )
        for number in pair
    } | set(found.values())
    return {key: standing[key] for key in keys if standing.get(key) in regrouped} | found


def known_works(identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
    """Return the work that holds each identifier."""
    identifiers = list(identifiers)
    rows = query(
        "select scheme, value, work_id from works_workidentifier"
        " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)",
        [[scheme for scheme, _ in identifiers], [value for _, value in identifiers]],
    )
    return {(scheme, value): work_id for scheme, value, work_id in rows}


def _works_by_title(keys: set[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for key, work_id in query(
        "select title_key, id from works_work where title_key = any(%s)", [sorted(keys - {""})]
    ):
        found[key].add(work_id)
    return {key: works for key, works in found.items() if len(works) <= MOST_OF_ONE_TITLE}


def records_of(work_ids: Iterable[int]) -> dict[int, dict[int, WorkRecord]]:
    """Return the records of works by work and SourceRecord id."""
    found: dict[int, dict[int, WorkRecord]] = defaultdict(dict)
    for key, work_id, payload in query(
        "select id, work_id, payload::text from works_sourcerecord where work_id = any(%s)",
        [sorted(work_ids)],
    ):
        found[work_id][key] = decode(payload)
    return found


def authors_of(work_ids: Iterable[int]) -> list[int]:
    rows = query(
        "select distinct author_id from works_authorship where work_id = any(%s) and author_id is not null",
        [list(work_ids)],
    )
    return [author_id for (author_id,) in rows]


def join_works(kept: int, gone: list[int]) -> None:
    """Give the records of works that turned out to be one to the work kept; their addresses lead there for ever."""
    mark(Mark.What.COUNTS, authors_of(gone), "works joined")
    mark(Mark.What.COLLABORATIONS, authors_of(gone), "works joined")
    execute("update works_sourcerecord set work_id = %s where work_id = any(%s)", [kept, gone])
    execute(
        "update works_redirect set new_pid = works_pid(%s) where kind = 'work' and new_pid = any(select works_pid(id) from unnest(%s::bigint[]) id)",
        [kept, gone],
    )
    execute(
        "insert into works_redirect (kind, old_pid, new_pid, created_at)"
        " select 'work', works_pid(id), works_pid(%s), now() from unnest(%s::bigint[]) id on conflict do nothing",
        [kept, gone],
    )
    # What people decided of a work holds for what it became; where both works had a decision, the kept one's stands.
    execute(
        "update works_authorshipdecision d set work_id = %s where work_id = any(%s) and not exists ("
        " select 1 from works_authorshipdecision other where other.author_id = d.author_id"
        "  and (other.work_id = %s or (other.work_id = any(%s) and other.id < d.id)))",
        [kept, gone, kept, gone],
    )
    AuthorshipDecision.objects.filter(work__in=gone).delete()
    execute(
        "insert into works_regroupedline (regrouping_id, work_id, base_author_id)"
        " select regrouping_id, %s, base_author_id from works_regroupedline where work_id = any(%s) on conflict do nothing",
        [kept, gone],
    )
    # What other apps hang on a work (a correction asked for, an invitation) goes with it; no need to know them.
    for relation in relations_of(Work):
        if relation.related_model._meta.app_label != "works":
            hand_over(relation, kept, gone)
    Work.objects.filter(pk__in=gone).delete()


def links_of(work_ids: Iterable[int]) -> Links:
    """Return what these works are counted under: ("topic" | "institution" | "source", its id, the work's id)."""
    ids = list(work_ids)
    if not ids:
        return set()
    return set(
        query(
            "select 'topic', topic_id, work_id from works_worktopic where work_id = any(%(ids)s)"
            " union select 'institution', i.institution_id, a.work_id from works_authorshipinstitution i"
            "  join works_authorship a on a.id = i.authorship_id where a.work_id = any(%(ids)s)"
            " union select 'source', source_id, id from works_work where id = any(%(ids)s) and source_id is not null",
            {"ids": ids},  # type: ignore[arg-type]
        )
    )
