"""Does the catalogue agree with itself? Counts recomputed, orphans looked for, and one hash of all it says."""

from typing import NamedTuple

from django.db import transaction

from bzpeer.lib.sql import execute, query


class Check(NamedTuple):
    """wrong: how many rows disagree."""

    name: str
    wrong: int


_AUTHOR = """
    select count(*) from works_author a left join (
      select s.author_id, count(*) as works, coalesce(sum(w.cited_by_count), 0) as cited, min(w.publication_year) as first, max(w.publication_year) as last
      from works_authorship s join works_work w on w.id = s.work_id group by 1) f on f.author_id = a.id
    where (a.works_count, a.cited_by_count, a.first_year, a.last_year)
      is distinct from (coalesce(f.works, 0), coalesce(f.cited, 0), f.first, f.last)"""
_CHECKS = {
    "authors: works, citations, years": _AUTHOR,
    "topics: works, authors": "select count(*) from works_topic t left join (select topic_id, count(distinct w.work_id) as works,"
    " count(distinct s.author_id) as authors from works_worktopic w left join works_authorship s on s.work_id = w.work_id group by 1) f"
    " on f.topic_id = t.id where (t.works_count, t.authors_count) is distinct from (coalesce(f.works, 0), coalesce(f.authors, 0))",
    "institutions: works, authors": "select count(*) from works_institution t left join (select i.institution_id,"
    " count(distinct s.work_id) as works, count(distinct s.author_id) as authors from works_authorshipinstitution i"
    " join works_authorship s on s.id = i.authorship_id group by 1) f on f.institution_id = t.id"
    " where (t.works_count, t.authors_count) is distinct from (coalesce(f.works, 0), coalesce(f.authors, 0))",
    "sources: works": "select count(*) from works_source t left join (select source_id, count(*) as works from works_work where not is_withdrawn group by 1) f"
    " on f.source_id = t.id where t.works_count <> coalesce(f.works, 0)",
    "works: length of the author list": "select count(*) from works_work w where authors_count <>"
    " (select count(*) from works_authorship s where s.work_id = w.id)",
    "works without a record": "select count(*) from works_work w where not exists (select 1 from works_sourcerecord r where r.work_id = w.id)",
    "live records without a work": "select count(*) from works_sourcerecord where entity = 'work' and work_id is null"
    " and not payload ? 'withdrawn' and not payload ? 'merged_into'",
    "authorships without an author": "select count(*) from works_authorship where author_id is null",
    "authorships of merged authors": "select count(*) from works_authorship s join works_author a on a.id = s.author_id where a.merged_into_id is not null",
    "citations that miss their work": "select count(*) from works_citation c join works_workidentifier i using (scheme, value)"
    " where c.cited_work_id is distinct from i.work_id",
    "redirects that lead nowhere": "select count(*) from works_redirect r where kind = 'work'"
    " and not exists (select 1 from works_work w where w.pid = r.new_pid)",
    "files: read is not stored + rejected": "select count(*) from works_importrun where read <> stored + unchanged + rejected",
    "marks waiting": "select count(*) from works_mark where what in ('affiliations', 'resolve', 'counts', 'catalogue')",
}

# A row of the hash for each thing; row numbers, public ids and times are left out. Works are known by their
# records, authors by their lines and identifiers, the others by their identifiers.
_STATE = {
    "records": "select provider, entity, record_id, encode(digest, 'hex') from works_sourcerecord",
    "works": """
        select k.name, w.type, w.title_html, w.abstract_html, w.publication_date, w.publication_year, s.name, w.language, w.license,
          w.is_oa, w.is_retracted, w.cited_by_count, w.authors_count,
          (select array_agg(scheme || ':' || value order by scheme, value) from works_workidentifier i where i.work_id = w.id),
          (select array_agg(array[t.name, x.score::text, x.is_primary::text] order by t.name) from works_worktopic x
            join state_topic t on t.id = x.topic_id where x.work_id = w.id),
          (select array_agg(c.scheme || ':' || c.value || coalesce(o.name, '') order by c.scheme, c.value) from works_citation c
            left join state_work o on o.id = c.cited_work_id where c.work_id = w.id)
        from works_work w join state_work k on k.id = w.id left join state_source s on s.id = w.source_id where not w.is_withdrawn""",
    "authorships": """
        select k.name, a.index, a.raw_author_name, a.display_name, a.orcid, a.openalex_id, a.acl_id, a.dblp_id, a.is_corresponding,
          a.raw_affiliation_strings, a.name_variants, p.name,
          (select array_agg(n.name || l.matched::text order by n.name) from works_authorshipinstitution l
            join state_institution n on n.id = l.institution_id where l.authorship_id = a.id)
        from works_authorship a join state_work k on k.id = a.work_id left join state_author p on p.id = a.author_id""",
    "authors": """
        select k.name, a.display_name, a.orcid, a.works_count, a.cited_by_count, a.first_year, a.last_year, a.claimed, a.suppressed,
          (select array_agg(scheme || ':' || value order by scheme, value) from works_authoridentifier i where i.author_id = a.id),
          (select array_agg(n.display_name || n.works_count order by n.display_name) from works_authorname n where n.author_id = a.id),
          (select array_agg(array[t.name, f.first_year::text, f.last_year::text, f.works_count::text] order by t.name)
            from works_affiliation f join state_institution t on t.id = f.institution_id where f.author_id = a.id)
        from works_author a join state_author k on k.id = a.id""",
    "institutions": """
        select k.name, i.display_name, i.type, i.country_code, i.city, i.status, i.works_count, i.authors_count,
          (select array_agg(v order by v) from unnest(i.name_variants) v)
        from works_institution i join state_institution k on k.id = i.id""",
    "sources": "select k.name, s.display_name, s.type, s.host_organization_name, s.works_count from works_source s join state_source k on k.id = s.id",
    "topics": """
        select k.name, t.display_name, t.level, p.name, t.works_count, t.authors_count
        from works_topic t join state_topic k on k.id = t.id left join state_topic p on p.id = t.parent_id""",
}  # fmt: skip

_NAMES = {
    "work": "select work_id as id, min(provider || ':' || record_id) as name from works_sourcerecord where work_id is not null group by 1",
    "author": "select id, min(name) as name from (select a.author_id as id, w.name || '/' || lpad(a.index::text, 6, '0') as name"
    " from works_authorship a join state_work w on w.id = a.work_id where a.author_id is not null"
    " union all select author_id, scheme || ':' || value from works_authoridentifier) names group by 1",
    **{
        entity: f"select {entity}_id as id, min(scheme || ':' || value) as name from works_{entity}identifier group by 1"  # noqa: S608
        for entity in ("institution", "source", "topic")
    },
}


def checks() -> list[Check]:
    """Return how many rows disagree with what they are derived from, by check."""
    return [Check(name, query(sql)[0][0]) for name, sql in _CHECKS.items()]


def state_hash() -> dict[str, str]:
    """Return a hash of each part of the catalogue and, under "state", of all of it."""
    with transaction.atomic():
        for entity, sql in _NAMES.items():
            execute(f"drop table if exists pg_temp.state_{entity}")
            execute(f"create temporary table state_{entity} on commit drop as {sql}")
            execute(f"create index on state_{entity} (id)")
            execute(f"analyze state_{entity}")
        found = {
            part: query(
                f"select md5(coalesce(string_agg(h, '' order by h), '')) from (select md5(r::text) as h from ({sql}) r) hashes"  # noqa: S608
            )[0][0]
            for part, sql in _STATE.items()
        }
    found["state"] = query("select md5(%s)", [" ".join(found.values())])[0][0]
    return found
