"""Writes of trust: lines of the ledger, and the scores derived from works and ledger."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from graph.algorithms.ties import CLOSE_AUTHORS, CLOSE_WORKS, SMALL_AUTHORS
from trust import algorithms
from trust.algorithms import FORMULA_VERSION, Facts, LedgerFact, Score
from trust.models import Evidence, EvidenceDetail
from works.grounds import MATCHED
from works.models import Mark, Provider, WorkIdentifier
from works.services.marks import mark

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

_INSERT = """
insert into trust_evidence (author_id, kind, source, asserted_by_author_id, asserted_by_institution_id, meets_route,
                            ends_id, event_key, observed_at, expires_at, recorded_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())
on conflict do nothing returning id
"""


@transaction.atomic
def record_evidence(
    *,
    author_id: int,
    kind: Evidence.Kind,
    source: str,
    event_key: str,
    observed_at: datetime,
    expires_at: datetime | None = None,
    detail: dict[str, Any] | None = None,
    ends: Evidence | None = None,
    asserted_by_author_id: int | None = None,
    asserted_by_institution_id: int | None = None,
    meets_route: bool = False,
) -> Evidence:
    """Add a line to the ledger; the same event_key again returns the line that stands and adds nothing.

    detail is private and may be deleted later; it never comes back by a retry.
    Raises ValueError when the event_key stands for another author or kind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                author_id, str(kind), source[:64], asserted_by_author_id, asserted_by_institution_id, meets_route,
                ends.pk if ends else None, event_key, observed_at, expires_at,
            ],
        )  # fmt: skip
        inserted = cursor.fetchone()
    if inserted is None:
        # A row may be ended once: whoever comes second gets the end that stands.
        standing = Evidence.objects.filter(ends=ends).first() if ends else None
        evidence = standing or Evidence.objects.get(event_key=event_key)
        if evidence.author_id != author_id or (not ends and evidence.kind != str(kind)):
            raise ValueError(f"the event {event_key} is recorded for another author or kind")
        return evidence
    evidence = Evidence.objects.get(pk=inserted[0])
    if detail:
        EvidenceDetail.objects.create(evidence=evidence, detail=detail)
    _mark([author_id], f"evidence {kind}")
    return evidence


def end_evidence(
    evidence: Evidence, why: str, *, source: str = "BZPEER", at: datetime | None = None, event_key: str = ""
) -> Evidence:
    """Withdraw a line by a new one that names it; the reason is private. Ending it again changes nothing."""
    return record_evidence(
        author_id=evidence.author_id,
        kind=Evidence.Kind.REVOKED,
        source=source,
        event_key=event_key or f"end:{evidence.pk}",
        observed_at=at or timezone.now(),
        detail={"why": why},
        ends=evidence,
    )


@transaction.atomic
def expire_evidence(at: datetime | None = None) -> int:
    """Write the end of every line that has run out; return how many. Called by beat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into trust_evidence (author_id, kind, source, meets_route, ends_id, event_key, observed_at,"
            "  recorded_at)"
            " select e.author_id, 'expired', e.source, false, e.id, 'expired:' || e.id, e.expires_at, now()"
            " from trust_evidence e where e.expires_at <= %s"
            "  and not exists (select from trust_evidence x where x.ends_id = e.id)"
            " on conflict do nothing returning author_id",
            [at or timezone.now()],
        )
        author_ids = [row[0] for row in cursor.fetchall()]
    _mark(author_ids, "evidence ran out")
    return len(author_ids)


@transaction.atomic
def mark_due_scores(at: datetime | None = None) -> int:
    """Mark the scores that time alone changes (expiry, halving); return how many. Called by beat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select author_id from trust_trustscore where next_change_at <= %s", [at or timezone.now()]
        )
        author_ids = [row[0] for row in cursor.fetchall()]
    _mark(author_ids, "time passed")
    return len(author_ids)


def _mark(author_ids: Iterable[int], why: str) -> None:
    from trust.tasks import drain_trust

    if author_ids := list(author_ids):
        mark(Mark.What.TRUST, author_ids, why)
        ring(drain_trust)


# --- Scores -----------------------------------------------------------------------------------------

# Merges move nothing: lines and works of an author merged into another count for that other one.
_WHO = "select id, coalesce(merged_into_id, id) as as_id from works_author where id = any(%(ids)s) or merged_into_id = any(%(ids)s)"

_STANDING = (
    "select distinct coalesce(merged_into_id, id) from works_author where id = any(%(ids)s) order by 1"
)

# A record r of a recognised source that it has not taken back.
_RECOGNISED = "r.provider = any(%(providers)s) and not r.payload ?| array['withdrawn', 'merged_into']"

# What recognised sources know works by.
_KNOWN = f"""
select i.work_id, i.scheme, r.imported_at from works_workidentifier i join works_sourcerecord r on r.id = i.record_id
where i.scheme = any(%(schemes)s) and {_RECOGNISED}
"""  # noqa: S608

# How many works recognised sources know by a persistent identifier, by which, and how many there are in all.
_WORKS = f"""
with who as ({_WHO})
select who.as_id, count(distinct known.work_id), array_agg(distinct known.scheme) filter (where known.scheme is not null),
       max(known.imported_at), count(distinct s.work_id)
from who join works_authorship s on s.author_id = who.id
left join ({_KNOWN}) known on known.work_id = s.work_id
group by who.as_id
"""  # noqa: S608

# As graph.services.collaborations counts close collaborators, but of the works above alone.
_CLOSE = f"""
with who as ({_WHO}),
mine as (
  select distinct who.as_id, s.work_id, w.authors_count as n
  from who join works_authorship s on s.author_id = who.id join works_work w on w.id = s.work_id
  where who.as_id = any(%(doubtful)s) and w.authors_count <= {SMALL_AUTHORS}
    and exists (select from ({_KNOWN}) known where known.work_id = w.id)
),
pairs as (
  select mine.as_id from mine join works_authorship s on s.work_id = mine.work_id
  join works_author a on a.id = s.author_id
  where coalesce(a.merged_into_id, a.id) <> mine.as_id
  group by mine.as_id, coalesce(a.merged_into_id, a.id)
  having count(distinct mine.work_id) >= {CLOSE_WORKS} or min(mine.n) <= {CLOSE_AUTHORS}
)
select as_id, count(*) from pairs group by as_id
"""  # noqa: S608

# Where recognised sources, or organisations in the ORCID record, place an author: the best ground, then the newest.
# The organisation is matched to ROR; where we matched it, a recognised source's record carries the text.
_AFFILIATIONS = f"""
with who as ({_WHO}),
grounds as (
  select who.as_id, l.institution_id, l.matched, r.provider, '' as asserted_by, w.publication_year as year, r.imported_at
  from who join works_authorship s on s.author_id = who.id
  join works_work w on w.id = s.work_id
  join works_sourcerecord r on r.id = s.record_id and r.provider = any(%(providers)s)
  join works_authorshipinstitution l on l.authorship_id = s.id
  union all
  select who.as_id, n.institution_id, false, r.provider, coalesce(x.value ->> 'asserted_by', ''),
         (x.value ->> 'last_year')::int, r.imported_at
  from who join works_authoridentifier i on i.author_id = who.id
  join works_sourcerecord r on r.provider = i.scheme and r.record_id = i.value and r.entity = 'author'
  cross join jsonb_array_elements(r.payload -> 'affiliations') x
  join works_institutionidentifier n
    on n.scheme in ('ror', 'openalex') and n.value = x.value -> 'institution' ->> n.scheme
  where {_RECOGNISED} or x.value ? 'asserted_by'
)
select distinct on (g.as_id) g.as_id, o.display_name, g.matched, g.provider, g.asserted_by, g.imported_at
from grounds g join works_institution o on o.id = g.institution_id
where o.ror <> '' or exists (
  select from works_institutionidentifier n where n.institution_id = o.id and n.scheme = 'ror')
order by g.as_id, g.matched, g.year desc nulls last, o.id, g.imported_at desc, g.provider
"""  # noqa: S608

_LEDGER = f"""
with who as ({_WHO})
select who.as_id, e.kind, e.source, e.observed_at, e.expires_at, e.asserted_by_author_id,
       e.asserted_by_institution_id, e.meets_route
from who join trust_evidence e on e.author_id = who.id
where e.ends_id is null and not exists (select from trust_evidence x where x.ends_id = e.id)
"""  # noqa: S608

_UPSERT = """
with given as (
  select * from jsonb_to_recordset(%s::jsonb)
    as g(author_id bigint, value smallint, level smallint, parts jsonb, next_change_at timestamptz)
),
written as (
  insert into trust_trustscore as t (author_id, value, level, parts, formula_version, computed_at, next_change_at)
  select author_id, value, level, parts, %s, %s, next_change_at from given order by author_id
  on conflict (author_id) do update set value = excluded.value, level = excluded.level, parts = excluded.parts,
    formula_version = excluded.formula_version, computed_at = excluded.computed_at,
    next_change_at = excluded.next_change_at
  where t.frozen_at is null
    and (t.value, t.level, t.parts, t.formula_version, t.next_change_at) is distinct from
        (excluded.value, excluded.level, excluded.parts, excluded.formula_version, excluded.next_change_at)
  returning old.value as old_value, old.level as old_level, author_id, value, level
),
seen as (
  select a.id from works_author a join written on written.author_id = a.id
  where (written.old_value, written.old_level) is distinct from (written.value::int, written.level::int)
  order by a.id for no key update of a
)
update works_author a set version = a.version + 1, updated_at = now() from seen where seen.id = a.id returning a.id
"""


@transaction.atomic
def rescore_authors(author_ids: list[int], at: datetime | None = None) -> None:
    """Work out the scores of these authors from works and ledger; write only what changed.

    Handler of Mark.What.TRUST. A score frozen by a dispute stays; running it twice changes nothing.
    """
    at = at or timezone.now()
    facts = read_facts(author_ids)
    rows = [_row(author_id, algorithms.score(known, at)) for author_id, known in facts.items()]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [json.dumps(rows), FORMULA_VERSION, at])


def read_facts(author_ids: Iterable[int]) -> dict[int, Facts]:
    """Return what the formula may know of each author, by id; merged ones stand under the one that stands."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"ids": list(author_ids)})
        values: dict[str, Any] = {
            "ids": [row[0] for row in cursor.fetchall()],
            "schemes": [str(scheme) for scheme in RECOGNISED_SCHEMES],
            "providers": [str(provider) for provider in RECOGNISED_PROVIDERS],
        }
        cursor.execute(
            "select id, close_collaborators_count from works_author where id = any(%(ids)s)", values
        )
        close = dict(cursor.fetchall())
        cursor.execute(_WORKS, values)
        works = {row[0]: row[1:] for row in cursor.fetchall()}
        # Whoever has works that no recognised source knows: their collaborators there give nothing either.
        values["doubtful"] = [author_id for author_id, (known, *_, all_) in works.items() if known < all_]
        if values["doubtful"]:
            cursor.execute(_CLOSE, values)
            close |= dict.fromkeys(values["doubtful"], 0) | dict(cursor.fetchall())
        cursor.execute(_AFFILIATIONS, values)
        affiliations = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_LEDGER, values)
        ledger: dict[int, list[LedgerFact]] = defaultdict(list)
        for author_id, kind, source, observed, expires, by_author, by_institution, meets in cursor.fetchall():
            by = (
                f"author:{by_author}"
                if by_author
                else f"institution:{by_institution}"
                if by_institution
                else ""
            )
            ledger[author_id].append(LedgerFact(kind, source, observed, expires, by, meets))
    return {
        author_id: _facts(
            close.get(author_id, 0), works.get(author_id), affiliations.get(author_id), ledger[author_id]
        )
        for author_id in values["ids"]
    }


def _facts(
    close: int, works: tuple[Any, ...] | None, affiliation: tuple[Any, ...] | None, ledger: list[LedgerFact]
) -> Facts:
    count, schemes, seen, _ = works or (0, None, None, 0)
    *place, ror_seen = affiliation or (None,)
    return Facts(
        works_with_id=count,
        works_source=", ".join(
            label for scheme, label in RECOGNISED_SCHEMES.items() if scheme in (schemes or ())
        ),
        works_seen_at=seen,
        close_collaborators=close,
        ror_affiliation=_affiliation_words(*place) if place else "",
        ror_seen_at=ror_seen,
        ledger=tuple(ledger),
    )


def _affiliation_words(name: str, matched: bool, provider: str, asserted_by: str) -> str:
    """Return an affiliation with how it is known, for the ledger."""
    label = Provider(provider).label
    if matched:
        return f"{name}, {MATCHED} that {label} carries"
    return (
        f"{name}, asserted by {asserted_by} in the ORCID record"
        if asserted_by
        else f"{name}, stated by {label}"
    )


def _row(author_id: int, score: Score) -> dict[str, Any]:
    moment = score.next_change_at
    return {
        "author_id": author_id,
        "value": score.value,
        "level": score.level,
        "parts": score.parts,
        "next_change_at": moment.isoformat() if moment else None,
    }


def freeze_score(author_id: int, at: datetime | None = None) -> None:
    """Keep a score as it is while a dispute is open."""
    rescore_authors([author_id], at)
    _set_frozen(author_id, at or timezone.now())


def thaw_score(author_id: int) -> None:
    """Let a score follow its evidence again, at once."""
    _set_frozen(author_id, None)
    _mark([author_id], "dispute ended")


@transaction.atomic
def _set_frozen(author_id: int, at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update trust_trustscore set frozen_at = %s where author_id = %s"
            " and (frozen_at is null) <> (%s::timestamptz is null)",
            [at, author_id, at],
        )
        if cursor.rowcount:
            cursor.execute(
                "update works_author set version = version + 1, updated_at = now() where id = %s", [author_id]
            )
