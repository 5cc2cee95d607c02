"""Write what the records of works say: new works with COPY, standing ones only where something differs."""

from collections import defaultdict

from psycopg.types.json import Jsonb

from bzpeer.lib.sql import copy_rows, execute, replace_rows
from works.ingest.merging import Merged
from works.ingest.records import Identifier
from works.models import Mark
from works.services.catalogue.authorships import write_authorships
from works.services.catalogue.finding import Links, authors_of, known_works
from works.services.catalogue.texts import Texts
from works.services.counts import recount_institutions, recount_sources, recount_topics
from works.services.entities import place_sources, place_topics
from works.services.marks import mark
from works.services.search_documents import WORK_SEARCH, WorkDocument

_COLUMNS = (
    "type", "title", "title_html", "abstract", "abstract_html", "title_key", "publication_date", "publication_year",
    "source_id", "language", "license", "is_oa", "is_retracted", "is_withdrawn", "cited_by_count", "authors_count",
    "provenance",
)  # fmt: skip
_NO_WORDS = WorkDocument("", "", "")  # the search document is staged


def write_works(
    merged: dict[int, Merged], existing: set[int], texts: Texts, *, settled: bool = False
) -> None:
    """Write works with all that hangs on them, and mark what must follow. existing: those that have rows already.

    settled: no two of these works claim one identifier, and what they claim is taken from whoever has it.
    """
    if not merged:
        return
    standing = existing & merged.keys()
    _write_works(merged, standing, texts)
    _write_identifiers(merged, standing, settled)
    _write_topics(merged, standing)
    _write_references(merged, standing)
    _mark_retracted(merged)
    changed = write_authorships(merged, standing)
    mark(Mark.What.RESOLVE, changed.works, "imported")
    mark(Mark.What.AFFILIATIONS, changed.unplaced, "imported")
    mark(Mark.What.CATALOGUE, merged, "imported")
    mark(Mark.What.COUNTS, authors_of(standing - changed.works), "imported")


def _write_works(merged: dict[int, Merged], existing: set[int], texts: Texts) -> None:
    sources = place_sources(
        [(work.source, work.provenance["source"]) for work in merged.values() if work.source]
    )
    rows = []
    for work_id, work in merged.items():
        title, abstract = texts.title(work.title), texts.abstract(work.abstract)
        values = work.fields | {
            "title": title.plain, "title_html": title.html, "abstract": abstract.plain, "abstract_html": abstract.html,
            "title_key": title.key, "source_id": sources.get(work.source) if work.source else None,
            "authors_count": len(work.authorships), "provenance": Jsonb(work.provenance),
        }  # fmt: skip
        written = (work.title, work.abstract, [authorship.raw_name for authorship, _ in work.authorships])
        place = texts.place(*written)
        words = texts.words(*written) if place is None else _NO_WORDS
        rows.append((work_id, *(values[column] for column in _COLUMNS), place, *words))
    names = ", ".join(_COLUMNS)
    execute(
        "create temporary table if not exists staged_work on commit delete rows as"  # noqa: S608
        f" select id, {names}, 0 as place, '' as names, '' as title_words, '' as abstract_words from works_work with no data"
    )
    execute("truncate staged_work")
    copy_rows("staged_work", ("id", *_COLUMNS, "place", *WorkDocument._fields), rows)
    staged = (
        f"select id, {names}, case when place is null then {WORK_SEARCH} else d.search end as search"  # noqa: S608
        " from staged_work left join staged_document d using (place)"
    )
    if len(existing) < len(merged):
        execute(
            f"insert into works_work (id, {names}, search, created_at, updated_at)"  # noqa: S608
            f" select id, {names}, search, now(), now() from ({staged} where not id = any(%s)) s order by id",
            [list(existing)],
        )
    if existing:
        compared = (*_COLUMNS, "search")
        # A source that takes a work back says no title any more: the page keeps the one it had.
        kept = [
            f"case when s.is_withdrawn and s.title = '' then w.{c} else s.{c} end as {c}"
            if c.startswith("title")
            else f"s.{c}"
            for c in ("id", *compared)
        ]
        standing = (
            f"select {', '.join(kept)} from ({staged} where id = any(%s)) s join works_work w using (id)"  # noqa: S608
        )
        execute(
            f"update works_work w set {', '.join(f'{c} = s.{c}' for c in compared)}, updated_at = now()"  # noqa: S608
            f" from ({standing}) s"
            f" where w.id = s.id and ({', '.join(f'w.{c}' for c in compared)}) is distinct from"
            f" ({', '.join(f's.{c}' for c in compared)})",
            [list(existing)],
        )


def _write_identifiers(merged: dict[int, Merged], existing: set[int], settled: bool) -> None:
    wanted: dict[Identifier, tuple[int, int]] = {}
    for work_id, work in merged.items():
        for identifier, key in work.identifiers.items():
            wanted.setdefault(identifier, (work_id, key))
    # One that two works claim stays with whom it stands already.
    taken = {} if settled else known_works(wanted)
    if settled:
        execute(
            "delete from works_workidentifier i using unnest(%s::text[], %s::text[], %s::bigint[]) w (scheme, value, work_id)"
            " where i.scheme = w.scheme and i.value = w.value and i.work_id <> w.work_id",
            [[i[0] for i in wanted], [i[1] for i in wanted], [work_id for work_id, _ in wanted.values()]],
        )
    rows = [
        (*identifier, work_id, key)
        for identifier, (work_id, key) in wanted.items()
        if taken.get(identifier, work_id) == work_id
    ]
    columns = ("scheme", "value", "work_id", "record_id")
    added = replace_rows("works_workidentifier", columns, "work_id", existing, rows)
    # Works that cited these before they came.
    execute(
        "update works_citation c set cited_work_id = i.work_id"
        " from unnest(%s::text[], %s::text[], %s::bigint[]) i (scheme, value, work_id)"
        " where c.scheme = i.scheme and c.value = i.value and c.cited_work_id is distinct from i.work_id",
        [[row[0] for row in added], [row[1] for row in added], [row[2] for row in added]],
    )


def _write_topics(merged: dict[int, Merged], existing: set[int]) -> None:
    topics = place_topics([topic for work in merged.values() for topic, _ in work.topics.values()])
    rows: dict[tuple[int, int], tuple[float, bool, int]] = {}
    for work_id, work in merged.items():
        for key, (topic, record) in work.topics.items():
            rows.setdefault((work_id, topics[key]), (topic.score, topic.is_primary, record))
    columns = ("work_id", "topic_id", "score", "is_primary", "record_id")
    replace_rows(
        "works_worktopic", columns, "work_id", existing, [(*key, *value) for key, value in rows.items()]
    )


def _write_references(merged: dict[int, Merged], existing: set[int]) -> None:
    references = {reference for work in merged.values() for reference in work.references}
    known = known_works(references) if references else {}
    rows = [
        (work_id, *reference, key, known.get(reference), reference in work.retracts)
        for work_id, work in merged.items()
        for reference, key in work.references.items()
    ]
    columns = ("work_id", "scheme", "value", "record_id", "cited_work_id", "retracts")
    replace_rows("works_citation", columns, "work_id", existing, rows)


def _mark_retracted(merged: dict[int, Merged]) -> None:
    """Mark works that a notice takes back, whichever of the two came first."""
    notices = [work_id for work_id, work in merged.items() if work.retracts]
    execute(
        "update works_work w set is_retracted = true, updated_at = now() from works_citation c"
        " where c.retracts and c.cited_work_id = w.id and not w.is_retracted and (c.work_id = any(%s) or w.id = any(%s))",
        [notices, list(merged)],
    )


def recount_lost(before: Links, now: Links) -> None:
    """Recount what lost a work; what has one is recounted with the work's mark."""
    lost: dict[str, set[int]] = defaultdict(set)
    for kind, number, _ in before - now:
        lost[kind].add(number)
    if lost:
        recount_topics(sorted(lost["topic"]))
        recount_institutions(sorted(lost["institution"]))
        recount_sources(sorted(lost["source"]))
