"""Read works with their author lists, as identity resolution wants them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from bzpeer.lib.sql import execute, query, stream
from works.matching.names import aliases, block_of, shared, spelling
from works.matching.papers import Author, Collection, Identifier, Paper
from works.models import NameOverride
from works.services.entity_records import TELLING, identifiers_of_entity

_SCHEMES = ("orcid", "openalex", "acl", "dblp")
SAMPLE = 60_000  # lines
AT_ONCE = 3_000  # works
CIRCLE = 50_000  # works of co-authors; more are not read
BY_NAME = "acl"  # the provider that tells people apart by name, and by id only where it must
_NAME = "coalesce(nullif(a.display_name, ''), a.raw_author_name)"


class Scope(NamedTuple):
    """Which lines to judge: all of some name blocks, and single authorships."""

    blocks: list[str]
    authorships: list[int]


class Read(NamedTuple):
    """wanted: the lines to judge. described: author records about them; everything: of all there are. decided: authors about whom people decided; claimed: of these, who join with nobody.

    removed: lines that people took from their author, by key.
    """

    collection: Collection
    wanted: NDArray[np.bool_]
    described: list["Described"]
    everything: bool
    decided: frozenset[int]
    claimed: frozenset[int]
    removed: dict[int, int]


# --- Which lines ----------------------------------------------------------------------------------------------


def scope_of(work_ids: list[int]) -> Scope:
    """Return everybody whom the authors of works could be."""
    rows = query(
        f"select distinct {_NAME}, a.name_block, a.orcid, a.openalex_id, a.acl_id, a.dblp_id, a.author_id is null"  # noqa: S608
        " from works_authorship a where work_id = any(%s)",
        [work_ids],
    )
    blocks = sorted({row[1] for row in rows})
    ids = {(scheme, value) for row in rows for scheme, value in zip(_SCHEMES, row[2:6], strict=True) if value}
    others = _lines_of_holders(ids.union(*(record.telling for record in described_by(ids))), blocks)
    others |= _lines_of_aliases({row[0] for row in rows if row[6]}, blocks)
    return Scope(blocks, sorted(others))


def _lines_of_holders(ids: set[Identifier], blocks: list[str]) -> set[int]:
    """Return the lines outside of blocks of the authors who hold identifiers."""
    if not ids:
        return set()
    rows = query(
        "select id from works_authorship where name_block <> all(%s) and author_id in"
        " (select author_id from works_authoridentifier join unnest(%s::text[], %s::text[]) as wanted (scheme, value)"
        "  using (scheme, value))",
        [blocks, [scheme for scheme, _ in ids], [value for _, value in ids]],
    )
    return {number for (number,) in rows}


def _lines_of_aliases(names: Iterable[str], blocks: list[str]) -> set[int]:
    """Return the lines outside of blocks whose names are others' in another order, or in short."""
    wanted = {other for name in names for other in aliases(spelling(name))}
    rows = query(
        f"select a.id, {_NAME} from works_authorship a where name_block = any(%s) and name_block <> all(%s)",  # noqa: S608
        [sorted({block_of(other) for other in wanted}), blocks],
    )
    return {number for number, name in rows if spelling(name) in wanted}


# --- What identifiers belong together ---------------------------------------------------------------------------


class Described(msgspec.Struct, frozen=True):
    """What a provider's record of a person says of identifiers and names."""

    provider: str
    record_id: str
    display_name: str = ""
    names: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    merged_into: str = ""
    withdrawn: bool = False

    @property
    def telling(self) -> frozenset[Identifier]:
        """The identifiers that say who it is."""
        found: list[Identifier] = identifiers_of_entity("author", cast(Any, self), TELLING["author"])
        return frozenset(found)


_DECODER = msgspec.json.Decoder(Described)


def everybody_described() -> list[Described]:
    """Return the author records that tie identifiers together, or names to one. Call it in a transaction."""
    rows = stream(
        'select payload::text from works_sourcerecord where entity = \'author\' order by provider collate "C", record_id collate "C"'
    )
    records = (_DECODER.decode(payload) for (payload,) in rows)
    return [
        record
        for record in records
        if not record.withdrawn and (record.provider == BY_NAME or len(record.telling) > 1)
    ]


def described_by(ids: set[Identifier]) -> list[Described]:
    """Return the author records that mention some of these identifiers."""
    if not ids:
        return []
    rows = query(
        "with wanted as (select * from unnest(%s::text[], %s::text[]) as wanted (scheme, value)),"
        " found as (select r.id from wanted join works_sourcerecord r on r.provider = scheme and r.record_id = value"
        "  union select i.record_id from wanted join works_authoridentifier i using (scheme, value))"
        " select payload::text from works_sourcerecord join found using (id) where entity = 'author'"
        ' order by provider collate "C", record_id collate "C"',
        [[scheme for scheme, _ in ids], [value for _, value in ids]],
    )
    return [record for (payload,) in rows if not (record := _DECODER.decode(payload)).withdrawn]


# --- The lines themselves ---------------------------------------------------------------------------------------


def read_everything() -> Read:
    """Read all works. Call it in a transaction."""
    return _read(None, everybody_described())


def read_scope(scope: Scope, *, whole_authors: bool) -> Read:
    """Read the works of lines to judge, and what else tells about them. Call it in a transaction.

    whole_authors: all lines of everybody who has one of these are judged; who is joined without them is split.
    """
    execute("drop table if exists pg_temp.resolving_line")
    execute(
        "create temporary table resolving_line on commit drop as"
        " select id, work_id from works_authorship where name_block = any(%s) or id = any(%s)",
        [scope.blocks, scope.authorships],
    )
    execute("create unique index on resolving_line (id)")
    execute("analyze resolving_line")
    if whole_authors:
        execute(
            "insert into resolving_line select a.id, a.work_id from works_authorship a where a.author_id in"
            " (select author_id from works_authorship join resolving_line using (id)) on conflict do nothing"
        )
    rows = query(
        "select orcid, openalex_id, acl_id, dblp_id from works_authorship join resolving_line using (id)"
        " where orcid <> '' or openalex_id <> '' or acl_id <> '' or dblp_id <> ''"
    )
    ids = {(scheme, value) for row in rows for scheme, value in zip(_SCHEMES, row, strict=True) if value}
    return _read("resolving_line", described_by(ids))


def read_sample(total: int) -> Collection:
    """Return works with about SAMPLE author lines, chosen by their titles. total: lines that there are."""
    _order_works(f"where (hashtext(w.title_key) & 2147483647) %% {max(1, total // SAMPLE)} = 0")
    return Collection(_papers(_Decisions()))


def _read(lines: str | None, described: list[Described]) -> Read:
    """lines: a table of the lines to judge."""
    _order_works(f"where w.id in (select work_id from {lines}) {_circle(lines)}" if lines else "")  # noqa: S608
    decisions = _Decisions()
    collection = Collection(_papers(decisions))
    wanted = np.ones(len(collection), bool)
    if lines:
        numbers = np.array([n for (n,) in query(f"select id from {lines}")], np.int64)  # noqa: S608
        wanted = np.isin(collection.keys, numbers)
    return Read(
        collection, wanted, described, not lines, decisions.decided, decisions.claimed, decisions.removed
    )


def _circle(lines: str) -> str:
    """Return a condition for the other works of co-authors, which tell who knows whom; none where they are too many."""
    near = (
        f"select distinct o.work_id from {lines} l join works_authorship c on c.work_id = l.work_id"  # noqa: S608
        " join works_authorship o on o.author_id = c.author_id"
    )
    count = query(f"select count(*) from ({near} limit {CIRCLE + 1}) near")[0][0]  # noqa: S608
    return f"or w.id in ({near})" if count <= CIRCLE else ""


def _order_works(where: str) -> None:
    """Give works a place in an order that depends on what they are, and not on when they came."""
    execute("drop table if exists pg_temp.resolving_work")
    execute(
        "create temporary table resolving_work on commit drop as"  # noqa: S608
        " select w.id as work_id, row_number() over (order by (select min(provider || ':' || record_id) collate \"C\""
        '  from works_sourcerecord r where r.work_id = w.id) nulls last, w.title_key collate "C", w.id)::int as place'
        f" from works_work w {where}"
    )
    execute("create unique index on resolving_work (place)")
    execute("analyze resolving_work")


def _papers(decisions: "_Decisions") -> Iterator[Paper]:
    """Yield the ordered works, some at a time: all rows at once would take more memory than what is made of them."""
    last = query("select coalesce(max(place), 0) from resolving_work")[0][0]
    for start in range(1, last + 1, AT_ONCE):
        yield from _some_papers((start, start + AT_ONCE - 1), decisions)


def _some_papers(places: tuple[int, int], decisions: "_Decisions") -> Iterator[Paper]:
    institutions: dict[int, list[int]] = defaultdict(list)
    for number, institution in query(
        "select l.authorship_id, l.institution_id from resolving_work o join works_authorship a using (work_id)"
        " join works_authorshipinstitution l on l.authorship_id = a.id where o.place between %s and %s order by l.institution_id",
        places,
    ):
        institutions[number].append(institution)
    lists: dict[int, list[Author]] = defaultdict(list)
    for work, key, name, orcid, openalex, acl, dblp, standing, affiliation, variants in query(
        f"select a.work_id, a.id, {_NAME}, a.orcid, a.openalex_id, a.acl_id, a.dblp_id, coalesce(a.author_id, 0),"  # noqa: S608
        " nullif(a.raw_affiliation_strings::text, '[]'), nullif(a.name_variants::text, '[]')"
        " from resolving_work o join works_authorship a using (work_id) where o.place between %s and %s"
        " order by o.place, a.index",
        places,
    ):
        ids: tuple[Identifier, ...] = ()
        if orcid or openalex or acl or dblp:
            values = (orcid, openalex, acl, dblp)
            ids = tuple((scheme, value) for scheme, value in zip(_SCHEMES, values, strict=True) if value)
        lists[work].append(
            Author(
                key, name, ids, tuple(institutions.get(key, ())), " ".join(json.loads(affiliation)) if affiliation else "",
                tuple(json.loads(variants)) if variants else (), standing,
            )
        )  # fmt: skip
    for work, year, source, title, topics in query(
        "select w.id, w.publication_year, s.id, w.title,"
        " array(select topic_id from works_worktopic t where t.work_id = w.id order by topic_id)"
        " from resolving_work o join works_work w on w.id = o.work_id"
        " left join works_source s on s.id = w.source_id and s.type <> 'repository'"
        " where o.place between %s and %s order by o.place",
        places,
    ):
        if work in lists:
            yield Paper(work, decisions.apply(work, lists[work]), year, source, title, tuple(topics))


class _Decisions:
    """What people decided: whose lines stay theirs, and which lines are or are not an author's."""

    def __init__(self) -> None:
        rows = query("select id, claimed from works_author where claimed or suppressed")
        self.claimed = frozenset(author for author, claimed in rows if claimed)
        self.removed: dict[int, int] = {}
        self._theirs: dict[int, list[int]] = defaultdict(list)
        self._not_theirs: dict[int, list[int]] = defaultdict(list)
        # What was said of an author who was joined with another holds for that one, unless that one said otherwise.
        for author, work, is_theirs in query(
            "select distinct on (2, 1) coalesce(a.merged_into_id, a.id), d.work_id, d.is_theirs"
            " from works_authorshipdecision d join works_author a on a.id = d.author_id"
            " order by 2, 1, a.merged_into_id nulls first, d.is_theirs desc"
        ):
            (self._theirs if is_theirs else self._not_theirs)[work].append(author)
        named = NameOverride.objects.values_list("author", flat=True)
        several = [*self._theirs.values(), *self._not_theirs.values()]
        self.decided = (
            frozenset(author for author, _ in rows) | {a for each in several for a in each} | set(named)
        )
        self._names: dict[int, set[Any]] = defaultdict(set)
        for author, name in query(
            "select author_id, display_name from works_authorname where author_id = any(%s)"
            " union select id, display_name from works_author where id = any(%s)",
            [sorted({a for each in self._theirs.values() for a in each})] * 2,
        ):
            self._names[author].add(spelling(name))

    def apply(self, work: int, authors: list[Author]) -> list[Author]:
        """Return the authors of a work with what people decided about them."""
        barred = tuple(self._not_theirs.get(work, ()))
        theirs = self._theirs.get(work, ())
        if not barred and not theirs and not any(author.standing in self.decided for author in authors):
            return authors
        found = []
        for author in authors:
            if author.standing in barred:
                self.removed[author.key] = author.standing
                author = author._replace(standing=0)
            pin = author.standing if author.standing in self.decided else 0
            found.append(author._replace(pin=pin, barred=barred))
        for wanted in theirs:
            if any(author.pin == wanted for author in found):
                continue
            fits = [
                place for place, author in enumerate(found) if not author.pin and self._fits(wanted, author)
            ]
            if fits:
                place = fits[0]
                if found[place].standing:
                    self.removed[found[place].key] = found[place].standing
                found[place] = found[place]._replace(pin=wanted, standing=0)
        return found

    def _fits(self, author: int, line: Author) -> bool:
        name = spelling(line.name)
        return any(shared(name, own) is not None for own in self._names[author])
