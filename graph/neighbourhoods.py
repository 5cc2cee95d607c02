"""Read what surrounds many subjects at once: a handful of queries, however many subjects there are.

Around topics and institutions the newest 20,000 works are looked at, so that no subject is too large.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from graph.algorithms.selection import Edge, Neighbourhood, Node
from graph.algorithms.ties import CLOSE_AUTHORS, CLOSE_WORKS, MOST_AUTHORS

NEWEST = 20_000
STRONG_WORKS = 3  # a tie other than between authors is drawn dark from so many works
CANDIDATES = {"author": 60, "work": 24, "topic": 12, "institution": 12}
NAME_LENGTH = 200

Key = tuple[str, int]

_STANDING = "a.merged_into_id is null and not a.suppressed"

# (subject_id, work_id) of the works that surround a subject.
_BASE = {
    "author": """
      select s.id as subject_id, w.work_id from unnest(%(ids)s::bigint[]) s(id)
      join works_author a on a.id = s.id or a.merged_into_id = s.id
      join works_authorship w on w.author_id = a.id""",
    "work": "select s.id as subject_id, s.id as work_id from unnest(%(ids)s::bigint[]) s(id)",
    "topic": """
      select s.id as subject_id, w.work_id from unnest(%(ids)s::bigint[]) s(id), lateral (
        select work_id from works_worktopic t where t.topic_id = s.id order by work_id desc limit %(newest)s) w""",
    "institution": """
      select distinct s.id as subject_id, w.work_id from unnest(%(ids)s::bigint[]) s(id), lateral (
        select h.work_id from works_authorshipinstitution i join works_authorship h on h.id = i.authorship_id
        where i.institution_id = s.id order by i.authorship_id desc limit %(newest)s) w""",
}

# Each gives (subject_id, id, strength, works, first_year, last_year, strong) before ranking.
_COLLABORATORS = f"""
  select s.id as subject_id, a.id, c.weight as strength, c.works_count as works, c.first_year, c.last_year,
         c.small_works_count >= {CLOSE_WORKS} or c.min_authors_count <= {CLOSE_AUTHORS} as strong
  from unnest(%(ids)s::bigint[]) s(id), lateral (
    select author_b_id as other, x.* from graph_collaboration x where author_a_id = s.id
    union all select author_a_id, x.* from graph_collaboration x where author_b_id = s.id
  ) c join works_author a on a.id = c.other where {_STANDING}"""  # noqa: S608
_AUTHORS_OF_WORKS = f"""
  select b.subject_id, coalesce(a.merged_into_id, a.id) as id, count(*)::float8 as strength, count(*) as works,
         min(w.publication_year) as first_year, max(w.publication_year) as last_year,
         count(*) >= {STRONG_WORKS} as strong
  from base b join works_authorship h on h.work_id = b.work_id join works_author a on a.id = h.author_id
  join works_work w on w.id = b.work_id where not a.suppressed and not exists (
    select from works_author m where m.id = a.merged_into_id and m.suppressed)
  group by 1, 2"""  # noqa: S608
_AUTHORS_OF_WORK = f"""
  select b.subject_id, a.id, 1.0 / (1 + h.index) as strength, 0 as works, null::int as first_year,
         null::int as last_year, false as strong
  from base b join works_authorship h on h.work_id = b.work_id
  join works_author r on r.id = h.author_id join works_author a on a.id = coalesce(r.merged_into_id, r.id)
  where {_STANDING}"""  # noqa: S608
_AUTHORS_AT = f"""
  select s.id as subject_id, a.id, f.works_count::float8 as strength, f.works_count as works, f.first_year,
         f.last_year, f.works_count >= {STRONG_WORKS} as strong
  from unnest(%(ids)s::bigint[]) s(id) join works_affiliation f on f.institution_id = s.id
  join works_author a on a.id = f.author_id where {_STANDING}"""  # noqa: S608
_WORKS_OF_BASE = """
  select b.subject_id, w.id, w.cited_by_count + 1.0 / greatest(w.authors_count, 1) as strength, 0 as works,
         w.publication_year as first_year, w.publication_year as last_year, false as strong
  from base b join works_work w on w.id = b.work_id"""
# Works that cite or are cited come before works that share authors; sharing many makes a tie strong.
_WORKS_NEAR = f"""
  select subject_id, id, max(strength) as strength, 0 as works, min(y) as first_year, min(y) as last_year,
         max(shared) >= {STRONG_WORKS} as strong
  from (
    select b.subject_id, w.id, 100.0 as strength, 0 as shared, w.publication_year as y from base b
      join works_citation c on c.work_id = b.work_id join works_work w on w.id = c.cited_work_id
    union all
    select b.subject_id, w.id, 50.0, 0, w.publication_year from base b
      join works_citation c on c.cited_work_id = b.work_id join works_work w on w.id = c.work_id
    union all
    select b.subject_id, w.id, count(*), count(*), min(w.publication_year) from base b
      join works_work me on me.id = b.work_id and me.authors_count <= {MOST_AUTHORS}
      join works_authorship h on h.work_id = b.work_id join works_authorship o on o.author_id = h.author_id
      join works_work w on w.id = o.work_id and w.authors_count <= {MOST_AUTHORS} group by 1, 2
  ) near where id <> subject_id group by 1, 2"""  # noqa: S608
_TOPICS_OF_BASE = f"""
  select b.subject_id, t.topic_id as id, sum(t.score) as strength, count(*) as works,
         min(w.publication_year) as first_year, max(w.publication_year) as last_year,
         count(*) >= {STRONG_WORKS} as strong
  from base b join works_worktopic t on t.work_id = b.work_id join works_work w on w.id = b.work_id
  group by 1, 2"""  # noqa: S608
_INSTITUTIONS_OF_AUTHOR = f"""
  select s.id as subject_id, f.institution_id as id, sum(f.works_count)::float8 as strength,
         sum(f.works_count)::int as works, min(f.first_year) as first_year, max(f.last_year) as last_year,
         sum(f.works_count) >= {STRONG_WORKS} as strong
  from unnest(%(ids)s::bigint[]) s(id) join works_author a on a.id = s.id or a.merged_into_id = s.id
  join works_affiliation f on f.author_id = a.id group by 1, 2"""  # noqa: S608
_INSTITUTIONS_OF_BASE = f"""
  select b.subject_id, i.institution_id as id, count(distinct b.work_id)::float8 as strength,
         count(distinct b.work_id) as works, min(w.publication_year) as first_year,
         max(w.publication_year) as last_year, count(distinct b.work_id) >= {STRONG_WORKS} as strong
  from base b join works_authorship h on h.work_id = b.work_id
  join works_authorshipinstitution i on i.authorship_id = h.id join works_work w on w.id = b.work_id
  group by 1, 2"""  # noqa: S608

_CANDIDATES: dict[str, dict[str, str]] = {
    "author": {
        "author": _COLLABORATORS,
        "work": _WORKS_OF_BASE,
        "topic": _TOPICS_OF_BASE,
        "institution": _INSTITUTIONS_OF_AUTHOR,
    },
    "work": {
        "author": _AUTHORS_OF_WORK,
        "work": _WORKS_NEAR,
        "topic": _TOPICS_OF_BASE,
        "institution": _INSTITUTIONS_OF_BASE,
    },
    "topic": {
        "author": _AUTHORS_OF_WORKS,
        "work": _WORKS_OF_BASE,
        "topic": _TOPICS_OF_BASE,
        "institution": _INSTITUTIONS_OF_BASE,
    },
    "institution": {
        "author": _AUTHORS_AT,
        "work": _WORKS_OF_BASE,
        "topic": _TOPICS_OF_BASE,
        "institution": _INSTITUTIONS_OF_BASE,
    },
}

_NAMES = {
    "author": f"select id, pid, display_name, null::int from works_author a where id = any(%s) and {_STANDING}",  # noqa: S608
    "work": "select id, pid, title, publication_year from works_work where id = any(%s)",
    "topic": "select id, pid, display_name, null::int from works_topic where id = any(%s)",
    "institution": "select id, pid, display_name, null::int from works_institution where id = any(%s)",
}

_MEMBERS = """
  with m(subject_id, id) as materialized (select * from unnest(%s::bigint[], %s::bigint[])),
  n(subject_id, id) as materialized (select * from unnest(%s::bigint[], %s::bigint[]))"""

# Ties among candidates; m and n are (subject_id, id) of two kinds. Each gives
# (subject_id, id, other id, strength, works, first_year, last_year, strong).
_AMONG: dict[tuple[str, str], str] = {
    ("author", "author"): f"""
      select m.subject_id, m.id, n.id, c.weight, c.works_count, c.first_year, c.last_year,
             c.small_works_count >= {CLOSE_WORKS} or c.min_authors_count <= {CLOSE_AUTHORS}
      from m join graph_collaboration c on c.author_a_id = m.id
      join n on n.subject_id = m.subject_id and n.id = c.author_b_id""",  # noqa: S608
    ("author", "work"): """
      select m.subject_id, m.id, n.id, 1.0, 0, null::int, null::int, false
      from n join works_authorship h on h.work_id = n.id
      join works_author a on a.id = h.author_id
      join m on m.subject_id = n.subject_id and m.id = coalesce(a.merged_into_id, a.id)""",
    ("work", "topic"): """
      select m.subject_id, m.id, n.id, t.score, 0, null::int, null::int, false
      from m join works_worktopic t on t.work_id = m.id
      join n on n.subject_id = m.subject_id and n.id = t.topic_id""",
    ("author", "institution"): f"""
      select m.subject_id, m.id, n.id, f.works_count::float8, f.works_count, f.first_year, f.last_year,
             f.works_count >= {STRONG_WORKS}
      from m join works_affiliation f on f.author_id = m.id
      join n on n.subject_id = m.subject_id and n.id = f.institution_id""",  # noqa: S608
    ("topic", "topic"): """
      select m.subject_id, m.id, n.id, 1.0, 0, null::int, null::int, true
      from m join works_topic t on t.id = m.id join n on n.subject_id = m.subject_id and n.id = t.parent_id""",
    ("work", "work"): """
      select m.subject_id, m.id, n.id, 1.0, 0, null::int, null::int, false
      from m join works_citation c on c.work_id = m.id
      join n on n.subject_id = m.subject_id and n.id = c.cited_work_id""",
}


def read_neighbourhoods(kind: str, object_ids: Iterable[int]) -> dict[int, Neighbourhood]:
    """Return what surrounds each subject of one kind, by id; ids without a public record are left out."""
    ids = sorted(set(object_ids))
    subjects = _names(kind, ids)
    ids = sorted(subjects)
    found = {other: _candidates(kind, other, ids) for other in CANDIDATES}
    names = {other: _names(other, {row[1] for row in rows}) for other, rows in found.items()}
    candidates: dict[int, list[Node]] = defaultdict(list)
    ties: dict[int, dict[Key, Edge]] = defaultdict(dict)
    totals: dict[int, dict[str, int]] = defaultdict(dict)
    for other, rows in found.items():
        for subject_id, object_id, strength, works, first, last, strong, total in rows:
            totals[subject_id][other] = total
            if object_id not in names[other]:
                continue
            pid, name, year = names[other][object_id]
            node = Node(other, object_id, pid, name, float(strength), works, first or year, last or year)
            candidates[subject_id].append(node)
            ties[subject_id][node.key] = Edge(
                (kind, subject_id), node.key, float(strength), strong, works, first, last
            )
    edges = _edges_among(candidates)
    notes = _notes(kind, ids)
    return {
        subject_id: Neighbourhood(
            Node(kind, subject_id, *subjects[subject_id][:2]),
            candidates[subject_id],
            edges[subject_id],
            ties[subject_id],
            totals[subject_id],
            notes[subject_id],
        )
        for subject_id in ids
    }


def _rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _candidates(kind: str, other: str, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the strongest of one kind around each subject, each with how many there are in all."""
    inner = _CANDIDATES[kind][other]
    base = f"base as materialized ({_BASE[kind]})," if "base b" in inner else ""
    sql = f"""
      with {base} found as ({inner}),
      ranked as (
        select *, row_number() over (
                 partition by subject_id order by strength desc, last_year desc nulls last, id) as place,
               count(*) over (partition by subject_id) as total
        from found where not (%(same)s and id = subject_id)
      )
      select subject_id, id, strength, works, first_year, last_year, strong, total
      from ranked where place <= %(most)s
    """  # noqa: S608
    values = {"ids": list(ids), "newest": NEWEST, "most": CANDIDATES[other], "same": kind == other}
    return _rows(sql, values)


def _names(kind: str, ids: Iterable[int]) -> dict[int, tuple[str, str, int | None]]:
    rows = _rows(_NAMES[kind], [list(ids)])
    return {row[0]: (row[1], (row[2] or "Untitled")[:NAME_LENGTH], row[3]) for row in rows}


def _edges_among(candidates: dict[int, list[Node]]) -> dict[int, list[Edge]]:
    edges: dict[int, list[Edge]] = defaultdict(list)
    members: dict[str, tuple[list[int], list[int]]] = {kind: ([], []) for kind in CANDIDATES}
    for subject_id, nodes in candidates.items():
        for node in nodes:
            members[node.kind][0].append(subject_id)
            members[node.kind][1].append(node.id)
    for (kind, other), sql in _AMONG.items():
        both = (*members[kind], *members[other])
        if not all(both):
            continue
        for subject_id, a, b, strength, works, first, last, strong in _rows(_MEMBERS + sql, both):
            edges[subject_id].append(Edge((kind, a), (other, b), float(strength), strong, works, first, last))
    return edges


def _notes(kind: str, ids: Sequence[int]) -> dict[int, list[str]]:
    """Say what a slice leaves out, where it leaves something out."""
    notes: dict[int, list[str]] = defaultdict(list)
    rows = _rows(
        f"""with base as materialized ({_BASE[kind]})
        select b.subject_id, count(*) filter (where w.authors_count > %(most)s), count(*)
        from base b join works_work w on w.id = b.work_id group by 1""",  # noqa: S608
        {"ids": list(ids), "newest": NEWEST, "most": MOST_AUTHORS},
    )
    for subject_id, large, works in rows:
        if large == 1:
            notes[subject_id].append(
                f"1 work with more than {MOST_AUTHORS} authors adds no lines between people."
            )
        elif large:
            notes[subject_id].append(
                f"{large} works with more than {MOST_AUTHORS} authors add no lines between people."
            )
        if kind in {"topic", "institution"} and works >= NEWEST:
            notes[subject_id].append(f"Drawn from the newest {NEWEST:,} works.".replace(",", "\u202f"))
    return notes
