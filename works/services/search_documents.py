"""Write the documents that works.search searches: set-based, by id, safe to run twice.

Each function reads what it needs in one statement, folds it in Python (the database has no extension for
accents) and writes changed rows only, in one UPDATE.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from bzpeer.lib.sql import execute, query
from works.hidden_names import all_hidden_names, hidden_names_of, hides
from works.search import document, name_lexemes, words_of

AUTHORS_OF_A_WORK = 50  # names of further authors do not find the work
ABSTRACT = 20_000  # characters
BATCH = 2_000

# title, authors, abstract: in this order of weight
WORK_SEARCH = (
    "setweight(to_tsvector('english', title_words), 'A') || names::tsvector"
    " || setweight(to_tsvector('english', abstract_words), 'D')"
)


class WorkDocument(NamedTuple):
    """names: a tsvector's text form of the title's words and the authors' names. The others: folded words."""

    names: str
    title_words: str
    abstract_words: str


_UPDATE_NAMES = (
    "update {table} set search = new.search from"
    " (select id, search::tsvector from unnest(%s::bigint[], %s::text[]) doc (id, search)) new"
    " where {table}.id = new.id and {table}.search is distinct from new.search"
)


def refresh_author_search(ids: Iterable[int]) -> None:
    """Rewrite the search documents of authors: the name shown, then the names on works."""
    _refresh_names(
        "works_author",
        "select a.id, a.display_name, array(select n.display_name from works_authorname n"
        " where n.author_id = a.id order by n.works_count desc, n.id limit 50)"
        " from works_author a where a.id = any(%s)",
        ids,
    )


def refresh_institution_search(ids: Iterable[int]) -> None:
    _refresh_names(
        "works_institution",
        "select id, display_name, name_variants::text[] from works_institution where id = any(%s)",
        ids,
    )


def refresh_topic_search(ids: Iterable[int]) -> None:
    """Rewrite the search keys of topics: their words, then the codes that sources know them by."""
    for batch in _batches(ids):
        rows = query(
            "select t.id, t.display_name, array(select i.value from works_topicidentifier i"
            " where i.topic_id = t.id and i.scheme = 'arxiv') from works_topic t where t.id = any(%s)",
            [batch],
        )
        keys = [
            " " + " ".join(word for text in (name, *codes) for word in words_of(text))
            for _, name, codes in rows
        ]
        execute(
            "update works_topic set search_key = new.search_key from"
            " unnest(%s::bigint[], %s::text[]) new (id, search_key)"
            " where works_topic.id = new.id and works_topic.search_key <> new.search_key",
            [[row[0] for row in rows], keys],
        )


def refresh_work_search(ids: Iterable[int]) -> None:
    """Rewrite the search documents of works: title, authors, abstract, in this order of weight."""
    for batch in _batches(ids):
        rows = query(
            "select w.id, w.title, left(w.abstract, %s),"
            " array(select s.raw_author_name from works_authorship s where s.work_id = w.id"
            "  order by s.index limit %s) from works_work w where w.id = any(%s)",
            [ABSTRACT, AUTHORS_OF_A_WORK, batch],
        )
        former = _former_names(batch)
        documents = [
            work_document(title, abstract, [former.get((number, name), name) for name in names])
            for number, title, abstract, names in rows
        ]
        execute(
            f"update works_work set search = new.search from (select id, {WORK_SEARCH} as search"  # noqa: S608
            " from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) doc (id, names, title_words, abstract_words)) new"
            " where works_work.id = new.id and works_work.search is distinct from new.search",
            [
                [row[0] for row in rows],
                [words.names for words in documents],
                [words.title_words for words in documents],
                [words.abstract_words for words in documents],
            ],
        )


def _former_names(work_ids: list[int]) -> dict[tuple[int, str], str]:
    """Return what finds a work instead of a former name that its author hides, by work and printed name.

    While nobody was found for a line, a name that anybody hides finds nothing.
    """
    hidden = all_hidden_names()
    if not hidden:
        return {}
    rows = query(
        "select s.work_id, s.raw_author_name, s.author_id, coalesce(a.display_name, '') from works_authorship s"
        " left join works_author a on a.id = s.author_id where s.work_id = any(%s) and (s.author_id is null"
        "  or exists (select 1 from works_nameoverride o where o.author_id = s.author_id and o.is_hidden))",
        [work_ids],
    )
    own = hidden_names_of(author_id for _, _, author_id, _ in rows if author_id)
    return {
        (work_id, name): shown
        for work_id, name, author_id, shown in rows
        if hides(own[author_id] if author_id else hidden, name)
    }


def work_document(title: str, abstract: str, raw_names: Sequence[str]) -> WorkDocument:
    """Return what WORK_SEARCH makes a work's search document of."""
    title_words = words_of(title)
    names = document(
        [
            *((word, "A") for word in title_words),
            *((lexeme, "B") for name in raw_names[:AUTHORS_OF_A_WORK] for lexeme in _lexemes(name)),
        ]
    )
    return WorkDocument(names, " ".join(title_words), " ".join(words_of(abstract[:ABSTRACT])))


@lru_cache(50_000)
def _lexemes(name: str) -> list[str]:
    return name_lexemes(name)


def _refresh_names(table: str, select: str, ids: Iterable[int]) -> None:
    for batch in _batches(ids):
        rows = query(select, [batch])
        documents = [
            document(
                [
                    *((lexeme, "A") for lexeme in name_lexemes(name)),
                    *((lexeme, "B") for other in others if other != name for lexeme in name_lexemes(other)),
                ]
            )
            for _, name, others in rows
        ]
        execute(_UPDATE_NAMES.format(table=table), [[row[0] for row in rows], documents])


def _batches(ids: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(set(ids))
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))
