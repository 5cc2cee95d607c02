"""Counts and names that pages read, derived from authorships; set-based, and nothing is written that stands."""

from django.apps import apps
from django.db.models import Model

from bzpeer.lib.sql import execute, query
from works.models import Mark
from works.services.described import write_described
from works.services.marks import mark
from works.services.search_documents import (
    refresh_author_search,
    refresh_institution_search,
    refresh_topic_search,
    refresh_work_search,
)


def refresh_statistics(*changed: type[Model]) -> None:
    """Have the database look at the tables that changed, or all of works'.

    Autovacuum comes within a minute, and until then queries are planned for empty tables.
    """
    models = changed or apps.get_app_config("works").get_models()
    execute(f"analyze {', '.join(model._meta.db_table for model in models)}")


def refresh_authors(author_ids: list[int]) -> None:
    """Recount authors, their names, ORCID and affiliations; raise the version of those that changed."""
    # In the order of ids: trust and collaborations write the same rows, and neither must wait for the other.
    query("select 1 from works_author where id = any(%s) order by id for no key update", [author_ids])
    write_described(author_ids)
    execute(
        """
        with facts as (
          select a.id,
            count(w.id) as works_count,
            coalesce(sum(w.cited_by_count), 0) as cited_by_count,
            min(w.publication_year) as first_year,
            max(w.publication_year) as last_year,
            (select count(distinct t.topic_id) from works_worktopic t join works_authorship s on s.work_id = t.work_id
              where s.author_id = a.id) as topics_count,
            coalesce((select min(value) from works_authoridentifier i where i.author_id = a.id and scheme = 'orcid'), '') as orcid
          from unnest(%s::bigint[]) as wanted (id) join works_author a using (id)
          left join works_authorship s on s.author_id = a.id
          left join works_work w on w.id = s.work_id
          group by a.id)
        update works_author a set works_count = f.works_count, cited_by_count = f.cited_by_count,
          first_year = f.first_year, last_year = f.last_year, topics_count = f.topics_count, orcid = f.orcid,
          version = version + 1, updated_at = now()
        from facts f where f.id = a.id
          and (a.works_count, a.cited_by_count, a.first_year, a.last_year, a.topics_count, a.orcid)
            is distinct from (f.works_count, f.cited_by_count, f.first_year, f.last_year, f.topics_count, f.orcid)
        """,
        [author_ids],
    )
    refresh_author_search(author_ids)
    # Points may change where no count does: a recognised source now has a work, an affiliation was matched.
    mark(Mark.What.TRUST, author_ids, "works changed")


def refresh_catalogue(work_ids: list[int]) -> None:
    """Recount the topics, institutions and sources of works, and write the search documents of all of them."""
    refresh_work_search(work_ids)
    topics = _column("select distinct topic_id from works_worktopic where work_id = any(%s)", work_ids)
    institutions = _column(
        "select distinct institution_id from works_authorshipinstitution i join works_authorship s on s.id = i.authorship_id"
        " where s.work_id = any(%s)",
        work_ids,
    )
    sources = _column(
        "select distinct source_id from works_work where id = any(%s) and source_id is not null", work_ids
    )
    recount_topics(topics)
    recount_institutions(institutions)
    recount_sources(sources)
    refresh_institution_search(institutions)
    refresh_topic_search(
        _column(
            "with recursive line as (select id, parent_id from works_topic where id = any(%s)"
            " union select t.id, t.parent_id from works_topic t join line on t.id = line.parent_id) select id from line",
            topics,
        )
    )


def recount_topics(topics: list[int]) -> None:
    execute(
        "update works_topic t set works_count = f.works, authors_count = f.authors from ("
        "  select t.id, count(distinct w.work_id) as works, count(distinct s.author_id) as authors"
        "  from works_topic t left join works_worktopic w on w.topic_id = t.id"
        "  left join works_authorship s on s.work_id = w.work_id where t.id = any(%s) group by 1) f"
        " where f.id = t.id and (t.works_count, t.authors_count) is distinct from (f.works, f.authors)",
        [topics],
    )


def recount_institutions(institutions: list[int]) -> None:
    execute(
        "update works_institution t set works_count = f.works, authors_count = f.authors from ("
        "  select t.id, count(distinct s.work_id) as works, count(distinct s.author_id) as authors"
        "  from works_institution t left join works_authorshipinstitution i on i.institution_id = t.id"
        "  left join works_authorship s on s.id = i.authorship_id where t.id = any(%s) group by 1) f"
        " where f.id = t.id and (t.works_count, t.authors_count) is distinct from (f.works, f.authors)",
        [institutions],
    )


def recount_sources(sources: list[int]) -> None:
    execute(
        "update works_source t set works_count = f.works from (select t.id, count(w.id) as works from works_source t"
        "  left join works_work w on w.source_id = t.id and not w.is_withdrawn where t.id = any(%s) group by 1) f"
        " where f.id = t.id and t.works_count <> f.works",
        [sources],
    )


def _column(sql: str, ids: list[int]) -> list[int]:
    return [number for (number,) in query(sql, [ids])]
