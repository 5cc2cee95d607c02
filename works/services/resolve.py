"""Find the author of every authorship: by identifier, else by name and evidence (works/matching.py).

Everybody of a name block is judged together, so that the result does not depend on the order of imports.
"""

from collections import Counter, defaultdict
from typing import NamedTuple

from bzpeer.lib.names import fold
from bzpeer.lib.sql import copy_rows, execute, query
from works.matching import Line, NearMiss, cluster
from works.models import Author, Mark
from works.services.catalogue import lock_catalogue
from works.services.marks import mark


def resolve_works(work_ids: list[int]) -> None:
    """Give each authorship of these works, and of everybody they could be, its author."""
    lock_catalogue()
    lines, blocks, standing = _read_lines(work_ids)
    if not lines:
        return
    groups, near = cluster(lines, blocks)
    authors = _choose_authors(groups, standing)
    changed, works = _write(groups, authors, standing)
    _write_identifiers(groups, authors)
    _write_suggestions(near, groups, authors)
    mark(Mark.What.COUNTS, changed, "authors found")
    mark(Mark.What.COLLABORATIONS, changed, "authors found")
    mark(Mark.What.CATALOGUE, works, "authors found")


def _read_lines(work_ids: list[int]) -> tuple[list[Line], dict[int, str], dict[int, int | None]]:
    """Return the lines of all name blocks that stand on these works, their blocks and present authors."""
    rows = query(
        "select a.id, a.work_id, coalesce(nullif(a.display_name, ''), a.raw_author_name), a.orcid, a.openalex_id,"
        " a.name_block, a.author_id, w.publication_year, case when author.claimed or author.suppressed then a.author_id end,"
        " coalesce((select array_agg(institution_id) from works_authorshipinstitution i where i.authorship_id = a.id), '{}'),"
        " coalesce((select array_agg(topic_id) from works_worktopic t where t.work_id = a.work_id), '{}'),"
        " (select s.id from works_source s where s.id = w.source_id and s.type <> 'repository')"
        " from works_authorship a join works_work w on w.id = a.work_id left join works_author author on author.id = a.author_id"
        " where a.name_block in (select name_block from works_authorship where work_id = any(%s))",
        [work_ids],
    )
    names: dict[int, list[str]] = defaultdict(list)
    for work_id, name in query(
        "select work_id, coalesce(nullif(display_name, ''), raw_author_name) from works_authorship where work_id = any(%s)",
        [sorted({row[1] for row in rows})],
    ):
        names[work_id].append(fold(name))
    lines, blocks, standing = [], {}, {}
    for key, work, name, orcid, openalex, block, author, year, pin, institutions, topics, source in rows:
        others = names[work].copy()
        others.remove(fold(name))
        ids = [("orcid", orcid)] * bool(orcid) + [("openalex", openalex)] * bool(openalex)
        # Long lists tell nothing about who knows whom.
        coauthors = frozenset(others) if len(others) <= 100 else frozenset()
        lines.append(
            Line(
                key,
                work,
                name,
                frozenset(ids),
                coauthors,
                frozenset(institutions),
                frozenset(topics),
                year,
                pin,
                source,
            )
        )
        blocks[key] = block
        standing[key] = author
    return lines, blocks, standing


def _choose_authors(groups: list[list[Line]], standing: dict[int, int | None]) -> list[int]:
    """Return the author of each group: who holds its identifiers, else who most of its lines had, else a new one."""
    wanted = sorted({identifier for lines in groups for line in lines for identifier in line.ids})
    holders = {
        (scheme, value): author_id
        for scheme, value, author_id in query(
            "select scheme, value, author_id from works_authoridentifier"
            " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)",
            [[scheme for scheme, _ in wanted], [value for _, value in wanted]],
        )
    }
    claims: list[tuple[int, int, int, int]] = []
    for number, lines in enumerate(groups):
        votes = Counter(author for line in lines if (author := standing[line.key]))
        for line in lines:
            for identifier in line.ids:
                if identifier in holders:
                    votes[holders[identifier]] += 1000 if identifier[0] == "orcid" else 100
            if line.pin:
                votes[line.pin] += 1_000_000
        claims += [(-count, author, -len(lines), number) for author, count in votes.items()]
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for _, author, _, number in sorted(claims):
        if number not in chosen and author not in taken:
            chosen[number] = author
            taken.add(author)
    fresh = [number for number in range(len(groups)) if number not in chosen]
    made = Author.objects.bulk_create(Author(display_name=groups[number][0].name) for number in fresh)
    chosen |= {number: author.pk for number, author in zip(fresh, made, strict=True)}
    return [chosen[number] for number in range(len(groups))]


def _write(
    groups: list[list[Line]], authors: list[int], standing: dict[int, int | None]
) -> tuple[set[int], set[int]]:
    """Write changed assignments; return every author who won or lost a line, and the works of those lines."""
    moves: dict[int, int] = {}
    works: set[int] = set()
    successors: dict[int, Counter[int]] = defaultdict(Counter)
    for lines, author in zip(groups, authors, strict=True):
        for line in lines:
            old = standing[line.key]
            if old != author:
                moves[line.key] = author
                works.add(line.work)
                if old:
                    successors[old][author] += 1
    if not moves:
        return set(), set()
    execute(
        "update works_authorship a set author_id = moved.author_id"
        " from unnest(%s::bigint[], %s::bigint[]) as moved (id, author_id) where a.id = moved.id",
        [list(moves), list(moves.values())],
    )
    _retire_empty({old: new.most_common(1)[0][0] for old, new in successors.items()})
    return set(moves.values()) | set(successors), works


def _retire_empty(successors: dict[int, int]) -> None:
    """Point authors who lost their last line to who took most of them; the claimed ones stay for people to decide."""
    pairs = query(
        "update works_author a set merged_into_id = s.new, version = version + 1, updated_at = now()"
        " from unnest(%s::bigint[], %s::bigint[]) as s (old, new)"
        " where a.id = s.old and not a.claimed and not a.suppressed and a.merged_into_id is null"
        " and not exists (select 1 from works_authorship where author_id = a.id) returning a.id, s.new",
        [list(successors), list(successors.values())],
    )
    gone = [old for old, _ in pairs]
    execute("update works_author set merged_into_id = s.new from unnest(%s::bigint[], %s::bigint[]) as s (old, new) where merged_into_id = s.old",
            [gone, [new for _, new in pairs]])  # fmt: skip
    execute(
        "update works_authoridentifier i set author_id = s.new from unnest(%s::bigint[], %s::bigint[]) as s (old, new) where i.author_id = s.old",
        [gone, [new for _, new in pairs]],
    )


def _write_identifiers(groups: list[list[Line]], authors: list[int]) -> None:
    """Record who holds which identifier; an identifier that two groups carry stays with the larger."""
    votes: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for lines, author in zip(groups, authors, strict=True):
        for line in lines:
            for identifier in line.ids:
                votes[identifier][author] += 1
    rows = [
        (scheme, value, min(counts, key=lambda author: (-counts[author], author)))
        for (scheme, value), counts in sorted(votes.items())
    ]
    execute(
        "create temporary table if not exists staged_identifier (scheme text, value text, author_id bigint) on commit delete rows"
    )
    execute("truncate staged_identifier")
    copy_rows("staged_identifier", ("scheme", "value", "author_id"), rows)
    execute(
        "insert into works_authoridentifier (scheme, value, author_id)"
        " select scheme, value, author_id from staged_identifier order by scheme, value"
        " on conflict (scheme, value) do update set author_id = excluded.author_id"
        " where works_authoridentifier.author_id <> excluded.author_id"
    )


class _Pair(NamedTuple):
    author_a: int
    author_b: int


def _write_suggestions(near: list[NearMiss], groups: list[list[Line]], authors: list[int]) -> None:
    """Keep pairs that fell just short, for people to look at; the best evidence of each pair."""
    author_of = {line.key: author for lines, author in zip(groups, authors, strict=True) for line in lines}
    best: dict[_Pair, float] = {}
    for one, other, score in near:
        pair = _Pair(*sorted((author_of[one], author_of[other])))
        if pair.author_a != pair.author_b and score > best.get(pair, float("-inf")):
            best[pair] = score
    touched = sorted(set(author_of.values()))
    execute(
        "delete from works_suggestion where author_a_id = any(%s) and author_b_id = any(%s)",
        [touched, touched],
    )
    copy_rows(
        "works_suggestion", ("author_a_id", "author_b_id", "score", "reason", "created_at"),
        ((*pair, score, "same name, and evidence just short of what the name needs", "now") for pair, score in sorted(best.items())),
    )  # fmt: skip
