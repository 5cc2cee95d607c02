"""An author's names and affiliations: as the works say, and as providers describe the author beside them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from bzpeer.lib.sql import execute, query, replace_rows
from works.hidden_names import hides
from works.ingest.records import AuthorRecord
from works.models import NameOverride
from works.services.entities import find_rows, institution_keys
from works.services.entity_records import records_about

About = Mapping[int, Mapping[int, AuthorRecord]]


def write_described(author_ids: list[int]) -> None:
    """Write the names and affiliations of authors, where they differ from what stands."""
    about = records_about("author", author_ids)
    _write_names(author_ids, about)
    _write_affiliations(author_ids, about)


def _write_names(author_ids: list[int], about: About) -> None:
    """Record the forms of each author's name, and which one to show.

    Shown is what the author decided, else the name of their own ORCID record, else the form on most works,
    the fullest of equals. A name that the author hides stands nowhere.
    """
    hidden: dict[int, list[str]] = defaultdict(list)
    best: dict[int, str] = {}
    for override in NameOverride.objects.filter(author__in=author_ids):
        if override.is_hidden:
            hidden[override.author_id].append(override.name)
        else:
            best[override.author_id] = override.name
    forms: dict[int, Counter[str]] = defaultdict(Counter)
    for author_id, name, count in query(
        "select author_id, coalesce(nullif(display_name, ''), raw_author_name), count(*) from works_authorship"
        " where author_id = any(%s) group by 1, 2 order by 1, 2",
        [author_ids],
    ):
        forms[author_id][name] += count
    for author_id, name in query(
        "select distinct author_id, jsonb_array_elements_text(name_variants) from works_authorship"
        " where author_id = any(%s) and name_variants <> '[]'",
        [author_ids],
    ):
        forms[author_id].setdefault(name[:255], 0)
    for author_id, records in about.items():
        for record in records.values():
            for name in (record.display_name, *record.names):
                forms[author_id].setdefault(name[:255], 0)
    for author_id, counts in forms.items():
        for name in [name for name in counts if hides(hidden[author_id], name)]:
            del counts[name]
        own = [r.display_name for r in about.get(author_id, {}).values() if r.provider == "orcid"]
        own = [name[:255] for name in own if not hides(hidden[author_id], name)]
        if counts and author_id not in best:
            best[author_id] = own[0] if own else best_name(counts)
    rows = [(author_id, name, count) for author_id, counts in forms.items() for name, count in counts.items()]
    replace_rows(
        "works_authorname", ("author_id", "display_name", "works_count"), "author_id", author_ids, rows
    )
    execute(
        "update works_author a set display_name = n.name, version = version + 1"
        " from unnest(%s::bigint[], %s::text[]) as n (id, name) where a.id = n.id and a.display_name <> n.name",
        [list(best), list(best.values())],
    )


def best_name(counts: Counter[str]) -> str:
    """Return the form to show: most works, then the fullest, then the alphabet."""

    def fullness(name: str) -> tuple[int, int]:
        words = [word for word in name.replace(".", ". ").split() if len(word.strip(".")) > 1]
        return (sum(len(word) for word in words) if not name.isupper() else 0, len(name))

    return min(counts, key=lambda name: (-counts[name], tuple(-n for n in fullness(name)), name))


def _write_affiliations(author_ids: list[int], about: About) -> None:
    """Record where authors were and when: from their works, else from what a record of theirs says."""
    rows: dict[tuple[int, int], tuple[Any, ...]] = {
        (author_id, institution_id): tuple(facts)
        for author_id, institution_id, *facts in query(
            "select s.author_id, i.institution_id, min(w.publication_year), max(w.publication_year), count(distinct w.id),"
            " (array_agg(s.record_id order by w.publication_year desc nulls last, s.work_id, s.index))[1]"
            " from works_authorship s join works_authorshipinstitution i on i.authorship_id = s.id"
            " join works_work w on w.id = s.work_id where s.author_id = any(%s) group by 1, 2",
            [author_ids],
        )
    }
    described = [
        (author_id, key, affiliation, affiliation.institution)
        for author_id, records in about.items()
        for key, record in records.items()
        for affiliation in record.affiliations
        if affiliation.institution
    ]
    numbers = find_rows(
        "institution",
        (identifier for *_, institution in described for identifier in institution_keys(institution)),
    )
    for author_id, key, affiliation, institution in described:
        places = (
            numbers[identifier] for identifier in institution_keys(institution) if identifier in numbers
        )
        place = next(places, None)
        if place is None:
            continue
        first, last = affiliation.first_year, affiliation.last_year
        if first and last and first > last:
            first, last = last, first
        said = rows.get((author_id, place))
        if said is None:
            rows[author_id, place] = (first, last, 0, key)
        else:  # works and records together span the years
            years = [year for year in (said[0], first) if year], [year for year in (said[1], last) if year]
            rows[author_id, place] = (min(years[0], default=None), max(years[1], default=None), *said[2:])
    columns = ("author_id", "institution_id", "first_year", "last_year", "works_count", "record_id")
    replace_rows(
        "works_affiliation",
        columns,
        "author_id",
        author_ids,
        [(*pair, *facts) for pair, facts in rows.items()],
    )
