"""How quickly every score is worked out anew, and how soon one claim shows: make bench-trust

A catalogue of SIZE authors (1,000,000) with five authorships each is made by SQL: three authors to a work, some works
that no recognised source knows, affiliations, and a ledger for one author in twenty. Everything is rescored as
`manage.py trust recompute` does it, and for a sample the same formula is asked author by author through the ORM.
"""

import os
import random
import time
from datetime import datetime
from typing import Any

from tests.bench.ingest import workers
from tests.bench.servers import own_servers

SAMPLE = 1000
CLAIMS = 7


def main() -> None:
    size = int(os.environ.get("SIZE") or 1_000_000)
    with own_servers():
        from bzpeer.lib.figures import Figures
        from trust.bulk import recompute_scores
        from trust.models import TrustScore
        from trust.scores import database_now

        figures = Figures("bench-trust")
        started = time.monotonic()
        authorships = make_catalogue(size)
        print(
            f"{size:,} authors, {authorships:,} authorships, made in {time.monotonic() - started:.0f} s",
            flush=True,
        )
        at = database_now()

        def rescore() -> float:
            started = time.monotonic()
            authors, changed = recompute_scores(at=at)
            seconds = time.monotonic() - started
            print(f"rescored {authors:,} authors in {seconds:.1f} s, {changed:,} changed", flush=True)
            return seconds

        first, again = rescore(), rescore()
        analyse()  # as autovacuum does within a minute: the ORM's queries are planned for what is there
        one_by_one = measure_orm(random.Random(1).sample(range(1, size + 1), min(SAMPLE, size)), at)
        print(
            f"through the ORM: {one_by_one * 1000:.2f} ms an author; in bulk {first / size * 1000:.4f} ms",
            flush=True,
        )
        figures.add("trust.recompute.authors", size, "authors")
        figures.add("trust.recompute.authorships", authorships, "authorships")
        figures.add("trust.recompute.seconds", first, "s")
        figures.add("trust.recompute.unchanged", again, "s")
        figures.add("trust.recompute.orm_author", one_by_one * 1000, "ms")
        figures.add("trust.recompute.vs_orm", one_by_one / (first / size), "ratio", ">=50")
        figures.add("trust.recompute.unchanged_vs_orm", one_by_one / (again / size), "ratio")
        assert TrustScore.objects.count() == size
        with workers():
            waits = sorted(measure_claim(author_id) for author_id in range(1, CLAIMS + 1))
        figures.add("trust.claim_visible", waits[len(waits) // 2], "s", "<=2")
        figures.add("trust.claim_visible_worst", waits[-1], "s", "<=2")
        figures.write()


# --- The catalogue ----------------------------------------------------------------------------------


def make_catalogue(size: int) -> int:
    """Fill the tables that trust reads; return how many authorships there are."""
    from bzpeer.lib.sql import execute, query
    from tests.factories import make_author, make_institution, make_work
    from tests.trust.records import give_record
    from works import models

    author = make_author("Template")
    place = make_institution("Place", ror="05wvpxv85")
    work = make_work("Template", authors=[author], arxiv="0001.00001", institution=place)
    record = give_record(work)
    works = size * 5 // 3
    drop_references(
        "works_sourcerecord", "works_workidentifier", "works_authorship", "works_authorshipinstitution"
    )
    execute("delete from works_author where id > 1")
    execute("update works_authorship set author_id = 1")
    clone(models.Author, author.pk, size, display_name="'Author ' || n", close_collaborators_count="n %% 7")
    clone(models.Work, work.pk, works, title="'Work ' || n", authors_count="3")
    # One record in forty is what a host imported: no recognised source.
    clone(
        models.SourceRecord, record.pk, works, record_id="'r' || n", work_id="n",
        provider="case when n %% 40 = 0 then 'bibtex' when n %% 3 = 0 then 'crossref' else 'arxiv' end",
        imported_at="now() - (n %% 700) * interval '1 day'",
    )  # fmt: skip
    identifier = work.identifiers.get()
    clone(
        models.WorkIdentifier, identifier.pk, works, value="'v' || n", work_id="n", record_id="n",
        scheme="case when n %% 3 = 0 then 'doi' else 'arxiv' end",
    )  # fmt: skip
    # Three different authors to each work, five works to each author, spread over the whole range.
    row = work.authorships.get()
    clone(
        models.Authorship, row.pk, size * 5, index="(n - 1) %% 3", record_id="(n - 1) / 3 + 1", work_id="(n - 1) / 3 + 1",
        author_id=f"(n::bigint * 7919 + (n - 1) / {size} * 13) %% {size} + 1",
    )  # fmt: skip
    execute(
        "insert into works_authorshipinstitution (authorship_id, institution_id, matched)"
        " select n, %s, n %% 2 = 0 from generate_series(2, %s, 5) n",
        [place.pk, size * 5],
    )
    for table in (
        "works_author",
        "works_work",
        "works_sourcerecord",
        "works_workidentifier",
        "works_authorship",
    ):
        execute(f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))")  # noqa: S608
    execute(
        "insert into trust_evidence (author_id, kind, source, meets_route, event_key, observed_at, expires_at, recorded_at)"
        " select n, k.kind, 'made up', n %% 2 = 0, 'bench:' || n || k.kind, now() - (n %% 900) * interval '1 day',"
        "  case when k.kind = 'affiliation_asserted' then now() + (n %% 400 - 20) * interval '1 day' end, now()"
        " from generate_series(20, %s, 20) n cross join (values ('email_confirmed'), ('claim_accepted'),"
        "  ('orcid_oauth'), ('domain_confirmed'), ('affiliation_asserted'), ('work_asserted')) k(kind)",
        [size],
    )
    analyse()
    doubled = query(
        "select count(*) from (select from works_authorship group by work_id, author_id having count(*) > 1) d"
    )
    assert doubled == [(0,)], doubled
    return models.Authorship.objects.count()


def analyse() -> None:
    from trust.models import Evidence, TrustChange, TrustScore
    from works.services.counts import refresh_statistics

    refresh_statistics()
    refresh_statistics(Evidence, TrustScore, TrustChange)


def drop_references(*tables: str) -> None:
    """Let rows that fit by construction in without a check of each; nothing that is measured writes these tables."""
    from bzpeer.lib.sql import execute, query

    found = "select conrelid::regclass::text, conname from pg_constraint where contype = 'f' and conrelid = any(%s::regclass[])"
    for table, name in query(found, [list(tables)]):
        execute(f"alter table {table} drop constraint {name}")


def clone(model: Any, pk: int, rows: int, **columns: str) -> None:
    """Insert copies of a row until there are so many, numbered from 1. columns: SQL over n, others stay the same."""
    from bzpeer.lib.sql import execute

    table = model._meta.db_table
    execute(f"update {table} set id = 1 where id = %s", [pk])  # noqa: S608
    names = [field.column for field in model._meta.concrete_fields if not getattr(field, "generated", False)]
    values = ", ".join("n" if name == "id" else columns.get(name, f't."{name}"') for name in names)
    execute(
        f"insert into {table} ({', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)})"  # noqa: S608
        f" select {values} from {table} t cross join generate_series(2, %s) n where t.id = 1",
        [rows],
    )


# --- Author by author, as one would write it with the ORM ----------------------------------------------


def measure_orm(author_ids: list[int], at: datetime) -> float:
    """Return the seconds that one author takes; the scores must be those that stand."""
    from django.db import transaction

    from trust.algorithms import score
    from trust.models import TrustScore

    started = time.monotonic()
    wrong = 0
    for author_id in author_ids:
        with transaction.atomic():
            found = score(orm_facts(author_id), at)
            stood = TrustScore.objects.get(author_id=author_id)
            wrong += (stood.value, stood.level, stood.parts) != (found.value, found.level, found.parts)
            stood.value, stood.level, stood.parts = found.value, found.level, found.parts
            stood.next_change_at, stood.computed_at = found.next_change_at, at
            stood.save()
    seconds = time.monotonic() - started
    if wrong:
        raise SystemExit(f"{wrong} of {len(author_ids)} scores differ between bulk and ORM.")
    return seconds / len(author_ids)


def orm_facts(author_id: int) -> Any:
    """Return what the formula knows of one author."""
    from django.db.models import Count, F, Min, Q

    from graph.algorithms.ties import SMALL_AUTHORS, is_close
    from trust.algorithms import Facts, LedgerFact
    from trust.facts import RECOGNISED_PROVIDERS, RECOGNISED_SCHEMES
    from trust.models import Evidence
    from works import models

    author = models.Author.objects.defer("search").get(pk=author_id)
    ids = [author.pk, *author.merged.values_list("pk", flat=True)]
    known = list(
        models.WorkIdentifier.objects.filter(
            work__authorships__author__in=ids,
            scheme__in=RECOGNISED_SCHEMES,
            record__provider__in=RECOGNISED_PROVIDERS,
        )
        .exclude(record__payload__has_any_keys=["withdrawn", "merged_into"])
        .values_list("work_id", "scheme", "record__imported_at")
    )
    works = {work_id for work_id, _, _ in known}
    everything = models.Authorship.objects.filter(author__in=ids).values("work_id").distinct().count()
    close = author.close_collaborators_count
    if len(works) < everything:
        shared = (
            models.Authorship.objects.filter(work__in=works, work__authors_count__lte=SMALL_AUTHORS)
            .exclude(author__in=ids)
            .values("author_id")
            .annotate(works=Count("work", distinct=True), least=Min("work__authors_count"))
        )
        close = sum(is_close(row["works"], row["least"]) for row in shared)
    place = (
        models.AuthorshipInstitution.objects.filter(
            Q(institution__identifiers__scheme="ror") | ~Q(institution__ror=""),
            authorship__author__in=ids, authorship__record__provider__in=RECOGNISED_PROVIDERS,
        )
        .annotate(provider=F("authorship__record__provider"), seen=F("authorship__record__imported_at"))
        .select_related("institution", "authorship__work")
        .order_by("matched", F("authorship__work__publication_year").desc(nulls_last=True), "institution_id", "-seen", "provider")
        .first()
    )  # fmt: skip
    words = ""
    if place:
        label = models.Provider(place.provider).label
        words = place.institution.display_name + (
            f", matched from the affiliation text that {label} carries"
            if place.matched
            else f", stated by {label}"
        )
    ledger = [
        LedgerFact(
            row.kind, row.source, row.observed_at, row.expires_at,
            f"author:{row.asserted_by_author_id}" if row.asserted_by_author_id
            else f"institution:{row.asserted_by_institution_id}" if row.asserted_by_institution_id else "",
            row.meets_route,
        )
        for row in Evidence.objects.filter(author__in=ids, ends=None, ended_by=None)
    ]  # fmt: skip
    schemes = {scheme for _, scheme, _ in known}
    return Facts(
        works_with_id=len(works),
        works_source=", ".join(label for scheme, label in RECOGNISED_SCHEMES.items() if scheme in schemes),
        works_seen_at=max((seen for _, _, seen in known), default=None),
        close_collaborators=close,
        ror_affiliation=words,
        ror_seen_at=place.seen if place else None,
        ledger=ledger,
    )


# --- One claim --------------------------------------------------------------------------------------


def measure_claim(author_id: int) -> float:
    """Return the seconds from a moderator's approval until the public page shows the new number."""
    from django.test import Client

    from profiles.services import claims
    from tests.factories import make_user
    from trust.models import TrustScore
    from trust.queries import trust_snapshot
    from works.models import Author

    author = Author.objects.get(pk=author_id)
    moderator = make_user("Mona Ravi", is_staff=True)
    claim = claims.submit_claim(
        user=make_user("Ada Smith"), author=author, case="Both papers name my address."
    )
    wanted = TrustScore.objects.get(author=author).value + 10
    page, browser = trust_snapshot(author).address, Client(HTTP_HOST="localhost")
    browser.get(page)
    started = time.monotonic()
    claims.approve_claim(claim=claim, actor=moderator)
    while f"<h1>Why {wanted}?</h1>" not in browser.get(page).content.decode():
        if time.monotonic() - started > 60:
            raise SystemExit("The claim did not show within a minute.")
        time.sleep(0.02)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
