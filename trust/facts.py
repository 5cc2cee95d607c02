"""What the formula may know of records, read from works and the ledger in sets: of some authors, of a range of them,
as things stand or as they stood on a past day.

The statements below are written once. They name what they are about by {who} (rows of id and the id it counts for),
and a past day by {then}; statements() fills both in.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from graph.algorithms.ties import CLOSE_AUTHORS, CLOSE_WORKS, SMALL_AUTHORS
from trust.algorithms import Facts, LedgerFact
from works.grounds import MATCHED
from works.models import Provider, WorkIdentifier

# Sources that look at what they list. Not among them: what somebody says of themselves (ORCID) and lists that
# the host imported (BibTeX, RIS, CSL-JSON). The method's page names them: templates/trust/about.html.
RECOGNISED_PROVIDERS = (
    Provider.OPENALEX,
    Provider.CROSSREF,
    Provider.ARXIV,
    Provider.DBLP,
    Provider.ACL,
)

# Persistent identifiers of works, and what the ledger calls them.
RECOGNISED_SCHEMES = {
    WorkIdentifier.Scheme.DOI: "DOI",
    WorkIdentifier.Scheme.ARXIV: "arXiv",
    WorkIdentifier.Scheme.OPENALEX: "OpenAlex",
    WorkIdentifier.Scheme.DBLP: "DBLP",
    WorkIdentifier.Scheme.ACL: "ACL Anthology",
    WorkIdentifier.Scheme.PMID: "PubMed",
}

_PROVIDERS = "array[" + ", ".join(f"'{provider.value}'" for provider in RECOGNISED_PROVIDERS) + "]::varchar[]"
_SCHEMES = "array[" + ", ".join(f"'{scheme.value}'" for scheme in RECOGNISED_SCHEMES) + "]::varchar[]"
_SCHEME_WORDS = ", ".join(
    f"case when '{scheme.value}' = any(schemes) then '{label}' end"
    for scheme, label in RECOGNISED_SCHEMES.items()
)
_PROVIDER_WORDS = " ".join(f"when '{provider.value}' then '{provider.label}'" for provider in Provider)

# Merges move nothing: lines and works of an author merged into another count for that other one.
_WHO = """
with standing as (select distinct coalesce(merged_into_id, id) as id from works_author where id = any(%s))
select id, id from standing
union all select a.id, a.merged_into_id from standing join works_author a on a.merged_into_id = standing.id
order by 2, 1
"""
# Given as rows, so that the database knows that they are few, whatever it knows of its tables.
_SOME = "select * from unnest(%(some)s::bigint[], %(some_as)s::bigint[]) as of_some (id, as_id)"

# A record r of a recognised source that it has not taken back.
_RECOGNISED = (
    f"r.provider = any({_PROVIDERS}) and not r.payload ?| array['withdrawn', 'merged_into'] {{then_imported}}"
)

# What recognised sources know works by.
_KNOWN = f"""
select i.work_id, i.scheme, r.imported_at from works_workidentifier i join works_sourcerecord r on r.id = i.record_id
where i.scheme = any({_SCHEMES}) and {_RECOGNISED}
"""  # noqa: S608

# How many works recognised sources know by a persistent identifier, by which, since when, and how many there are in all.
_WORKS = f"""
select as_id, works, concat_ws(', ', {_SCHEME_WORDS}) as source, seen_at, all_works from (
  select who.as_id, count(distinct known.work_id) as works,
         array_agg(distinct known.scheme) filter (where known.scheme is not null) as schemes,
         max(known.imported_at) as seen_at, count(distinct s.work_id) as all_works
  from ({{who}}) who join works_authorship s on s.author_id = who.id
  left join ({_KNOWN}) known on known.work_id = s.work_id
  group by who.as_id
) counted
"""  # noqa: S608

# As graph.services.collaborations counts close collaborators, but of the works above alone.
_CLOSE = f"""
with mine as (
  select distinct who.as_id, s.work_id, w.authors_count as n
  from ({{who}}) who join works_authorship s on s.author_id = who.id join works_work w on w.id = s.work_id
  where {{doubtful}} and w.authors_count <= {SMALL_AUTHORS}
    and exists (select from ({_KNOWN}) known where known.work_id = w.id)
),
pairs as (
  select mine.as_id from mine join works_authorship s on s.work_id = mine.work_id
  join works_author a on a.id = s.author_id
  where coalesce(a.merged_into_id, a.id) <> mine.as_id
  group by mine.as_id, coalesce(a.merged_into_id, a.id)
  having count(distinct mine.work_id) >= {CLOSE_WORKS} or min(mine.n) <= {CLOSE_AUTHORS}
)
select as_id, count(*) as close from pairs group by as_id
"""  # noqa: S608

# Where recognised sources, or organisations in the ORCID record, place an author: the best ground, then the newest,
# and how it is known, in words. The organisation is matched to ROR; where we matched it, a recognised source's record
# carries the text.
_AFFILIATIONS = f"""
with grounds as (
  select who.as_id, l.institution_id, l.matched, r.provider, '' as asserted_by, w.publication_year as year, r.imported_at
  from ({{who}}) who join works_authorship s on s.author_id = who.id
  join works_work w on w.id = s.work_id
  join works_sourcerecord r on r.id = s.record_id and r.provider = any({_PROVIDERS}) {{then_imported}}
  join works_authorshipinstitution l on l.authorship_id = s.id
  union all
  select who.as_id, n.institution_id, false, r.provider, coalesce(x.value ->> 'asserted_by', ''),
         (x.value ->> 'last_year')::int, r.imported_at
  from ({{who}}) who join works_authoridentifier i on i.author_id = who.id
  join works_sourcerecord r on r.provider = i.scheme and r.record_id = i.value and r.entity = 'author' {{then_imported}}
  cross join jsonb_array_elements(r.payload -> 'affiliations') x
  join works_institutionidentifier n
    on n.scheme in ('ror', 'openalex') and n.value = x.value -> 'institution' ->> n.scheme
  where {_RECOGNISED} or x.value ? 'asserted_by'
)
select distinct on (g.as_id) g.as_id, o.display_name || case
    when g.matched then ', {MATCHED} that ' || (case g.provider {_PROVIDER_WORDS} end) || ' carries'
    when g.asserted_by <> '' then ', asserted by ' || g.asserted_by || ' in the ORCID record'
    else ', stated by ' || (case g.provider {_PROVIDER_WORDS} end) end as words, g.imported_at as seen_at
from grounds g join works_institution o on o.id = g.institution_id
where o.ror <> '' or exists (
  select from works_institutionidentifier n where n.institution_id = o.id and n.scheme = 'ror')
order by g.as_id, g.matched, g.year desc nulls last, o.id, g.imported_at desc, g.provider
"""  # noqa: S608

# Lines that nobody has ended, oldest first; asserted_by as LedgerFact writes it.
_LEDGER = """
select who.as_id, e.kind, e.source, e.observed_at, e.expires_at,
       coalesce('author:' || e.asserted_by_author_id, 'institution:' || e.asserted_by_institution_id, '') as asserted_by,
       e.meets_route
from ({who}) who join trust_evidence e on e.author_id = who.id
where e.ends_id is null {then_recorded}
  and not exists (select from trust_evidence x where x.ends_id = e.id {then_ended})
"""


@dataclass(frozen=True)
class Statements:
    """The reads of one set of authors; each row begins with the id of the author that stands."""

    works: str
    close: str
    affiliations: str
    ledger: str


@lru_cache(maxsize=8)
def statements(
    who: str = _SOME, doubtful: str = "who.as_id = any(%(doubtful)s)", past: bool = False
) -> Statements:
    """Return the reads about {who}: SQL that gives id and as_id. All three are ours, never a user's.

    doubtful: whose close collaborators are counted anew. past: as %(then)s knew them.
    """
    words = {
        "who": who,
        "doubtful": doubtful,
        "then_imported": "and r.imported_at <= %(then)s" if past else "",
        "then_recorded": "and e.recorded_at <= %(then)s and e.observed_at <= %(then)s" if past else "",
        "then_ended": "and x.recorded_at <= %(then)s" if past else "",
    }
    return Statements(*(text.format(**words) for text in (_WORKS, _CLOSE, _AFFILIATIONS, _LEDGER)))


def read_facts(author_ids: Iterable[int], then: datetime | None = None) -> dict[int, Facts]:
    """Return what the formula may know of each author, by id; merged ones stand under the one that stands.

    then: as it was recorded at that moment. Merges, and records that their source has changed since, cannot be
    taken back: a record counts from when its present text was imported.
    """
    reads = statements(past=then is not None)
    with connection.cursor() as cursor:
        cursor.execute(_WHO, [list(author_ids)])
        pairs = cursor.fetchall()
        values: dict[str, Any] = {
            "ids": sorted({as_id for _, as_id in pairs}),
            "some": [number for number, _ in pairs],
            "some_as": [as_id for _, as_id in pairs],
            "then": then,
        }
        cursor.execute(
            "select id, close_collaborators_count from works_author where id = any(%(ids)s)", values
        )
        close = dict(cursor.fetchall()) if then is None else {}
        cursor.execute(reads.works, values)
        works = {row[0]: row[1:] for row in cursor.fetchall()}
        # Whoever has works that no recognised source knows: their collaborators there give nothing either.
        values["doubtful"] = [
            author_id for author_id, (known, _, _, all_) in works.items() if known < all_ or then
        ]
        if values["doubtful"]:
            cursor.execute(reads.close, values)
            close |= dict.fromkeys(values["doubtful"], 0) | dict(cursor.fetchall())
        cursor.execute(reads.affiliations, values)
        affiliations = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(reads.ledger, values)
        ledger: dict[int, list[LedgerFact]] = defaultdict(list)
        for author_id, *line in cursor.fetchall():
            ledger[author_id].append(LedgerFact(*line))
    found = {}
    for author_id in values["ids"]:
        count, source, works_seen, _ = works.get(author_id, (0, "", None, 0))
        place, place_seen = affiliations.get(author_id, ("", None))
        found[author_id] = Facts(
            works_with_id=count,
            works_source=source,
            works_seen_at=works_seen,
            close_collaborators=close.get(author_id, 0),
            ror_affiliation=place,
            ror_seen_at=place_seen,
            ledger=tuple(ledger[author_id]),
        )
    return found
