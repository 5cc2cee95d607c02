"""How we know that somebody was somewhere: a source states it, their own record does, or we found it in a text."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Case, F, Q, When

from bzpeer.lib.sql import query
from works.models import Affiliation, Provider
from works.provenance import provider_list

MATCHED = "matched from the affiliation text"
MOST_TEXTS = 3

# A record about the person says since when, and no end.
_ONGOING = Q(works_count=0, first_year__isnull=False, last_year__isnull=True)
LAST_FIRST = (
    Case(When(_ONGOING, then=1), default=0).desc(),
    F("last_year").desc(nulls_last=True),
    "-works_count",
    "id",
)

# What works say of these authors; and where no work says it, what the record behind the affiliation says.
_GROUNDS = """
select s.author_id, l.institution_id, case when l.matched then 'matched' else 'stated' end, r.provider,
       (array_agg(s.raw_affiliation_strings order by s.work_id desc) filter (where l.matched))[1]
from works_authorship s join works_authorshipinstitution l on l.authorship_id = s.id
left join works_sourcerecord r on r.id = s.record_id
where s.author_id = any(%(authors)s) and l.institution_id = any(%(places)s)
group by s.author_id, l.institution_id, l.matched, r.provider
union all
select f.author_id, f.institution_id, 'described', r.provider, jsonb_build_array(coalesce(said.by, ''))
from works_affiliation f join works_sourcerecord r on r.id = f.record_id and r.entity = 'author'
left join lateral (
  select x.value ->> 'asserted_by' as by from jsonb_array_elements(r.payload -> 'affiliations') x
  join works_institutionidentifier n on n.institution_id = f.institution_id
    and n.value = x.value -> 'institution' ->> n.scheme
  order by x.value ->> 'asserted_by' nulls last limit 1
) said on true
where f.author_id = any(%(authors)s) and f.institution_id = any(%(places)s) and f.works_count = 0
order by 1, 2, 3, 4
"""


@dataclass
class Ground:
    """Why an affiliation stands. stated_by: providers whose records of works name the institution.

    described_by: the provider of a record about the person; asserted_by: who put it there, "" the person.
    texts: affiliation texts, as printed, in which we found the institution; texts_from: who gives them.
    """

    stated_by: list[str] = field(default_factory=list)
    described_by: str = ""
    asserted_by: str = ""
    texts: list[str] = field(default_factory=list)
    texts_from: list[str] = field(default_factory=list)

    @property
    def matched(self) -> bool:
        """Whether nobody states it: we found it in a text."""
        return bool(self.texts) and not self.stated_by and not self.described_by

    @property
    def sentence(self) -> str:
        """Say it; without a full stop, and "" where nothing is known."""
        if self.stated_by:
            return f"stated by {provider_list(self.stated_by)}"
        if self.described_by == Provider.ORCID:
            by = self.asserted_by
            return (
                f"asserted by {by} in the ORCID record"
                if by
                else "stated only in the person's own ORCID record"
            )
        if self.described_by:
            return f"stated by {provider_list([self.described_by])} about the person"
        if self.texts:
            return f"{MATCHED} {quoted(self.texts)}, as given by {provider_list(self.texts_from)}"
        return ""


def add_grounds(affiliations: Iterable[Affiliation]) -> None:
    """Give each affiliation `ground`, a Ground, and `ongoing`; one query, none where there is no affiliation."""
    rows = list(affiliations)
    if not rows:
        return
    grounds = {(row.author_id, row.institution_id): Ground() for row in rows}
    ids = {
        "authors": list({row.author_id for row in rows}),
        "places": list({row.institution_id for row in rows}),
    }
    for author, place, how, provider, said in query(_GROUNDS, ids):  # type: ignore[arg-type]
        ground = grounds.get((author, place))
        if ground is None:  # another pair of the same authors and places
            continue
        if how == "stated":
            ground.stated_by.append(provider or "")
        elif how == "described":
            ground.described_by, ground.asserted_by = provider, json.loads(said)[0]
        else:
            ground.texts += [text for text in json.loads(said) if text not in ground.texts]
            ground.texts_from.append(provider or "")
    for row in rows:
        row.ground = grounds[row.author_id, row.institution_id]  # type: ignore[attr-defined]
        row.ongoing = not row.works_count and bool(row.first_year) and not row.last_year  # type: ignore[attr-defined]


def quoted(texts: Sequence[str]) -> str:
    """Return texts in quotation marks, the first three."""
    shown = ", ".join(f"“{text}”" for text in texts[:MOST_TEXTS])
    return f"{shown} and {len(texts) - MOST_TEXTS} more" if len(texts) > MOST_TEXTS else shown
