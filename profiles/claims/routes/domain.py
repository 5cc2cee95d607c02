"""The domain route: a confirmed address at an institution that the record names, where nobody else there has the name.

The address shows that somebody of that institution asks; that it is this person follows from the name alone. So
the domain must be one organisation's own, the affiliation recent and the name unique there. What an ORCID record
or a list that somebody brought says of affiliations does not count: people type it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.sql import query
from profiles.claims import domains
from profiles.claims.findings import Check, Finding, Line, Outcome
from profiles.claims.names import Fit, best_fit
from profiles.claims.sources import RECOGNISED, TYPED
from profiles.claims.subject import Subject, account_name
from profiles.models import Route
from trust.models import Evidence
from works.models import Institution
from works.queries import WITHDRAWN
from works.services.catalogue.authorships import name_block

PROVES = "That you have an address at an institution where the person of this page works, and that nobody else there has the name."
SOON = (
    "At once, if the domain is the institution's own, sources place this person there within the last two years and no "
    "other person there has a name like it. Else a moderator reads your case."
)
YEARS = 2  # since the affiliation ended
MOST_NAMESAKES = 200

# Where recognised sources place an author: by the lines of works, and by their records about the person. The last
# year is none where a source says that it goes on.
_PLACES = """
select l.institution_id, w.publication_year from works_authorship s
join works_authorshipinstitution l on l.authorship_id = s.id join works_work w on w.id = s.work_id
left join works_sourcerecord r on r.id = s.record_id
where s.author_id = any(%(ids)s) and (r.id is null or r.provider <> all(%(typed)s))
union all
select n.institution_id, (x.value ->> 'last_year')::int from works_sourcerecord r
cross join jsonb_array_elements(r.payload -> 'affiliations') x
join works_institutionidentifier n on n.scheme in ('ror', 'openalex') and n.value = x.value -> 'institution' ->> n.scheme
where r.entity = 'author' and r.provider = any(%(recognised)s) and not r.payload ?| array['withdrawn', 'merged_into']
  and (r.provider, r.record_id) in (
    select 'openalex', openalex_id from works_authorship where author_id = any(%(ids)s) and openalex_id like 'A5%%')
"""

# Who else is recorded at an institution, of these blocks of names.
_THERE = """
select distinct f.author_id, a.display_name, coalesce(s.raw_author_name, '') from works_affiliation f
join works_author a on a.id = f.author_id and a.merged_into_id is null
left join works_authorship s on s.author_id = f.author_id and s.name_block = any(%(blocks)s)
where f.institution_id = %(institution)s and f.author_id <> all(%(ids)s)
  and (s.id is not null or lower(a.display_name) = any(%(names)s))
order by 1, 2, 3 limit %(most)s
"""


@dataclass(frozen=True)
class Place:
    institution: Institution
    last_year: int | None


def look(subject: Subject) -> Finding:
    places = _places(subject) if subject.addresses else []
    listed = _listed(subject, places)
    found = [_look_at(subject, address, places, listed) for address in subject.addresses]
    if not found:
        check = Check(
            "address", Outcome.NOT_MET, "You have no confirmed address. Confirm the one of your institution."
        )
        return _finding(False, [check])
    decides, checks, lines = max(
        found, key=lambda one: (one[0], len(one[2]), sum(c.outcome == Outcome.MET for c in one[1]))
    )
    # What speaks against the claim is not passed over because another address does not.
    against = [check for _, others, _ in found for check in others if check.outcome == Outcome.AGAINST]
    if against and not any(check.outcome == Outcome.AGAINST for check in checks):
        decides, checks = False, [*checks, replace(against[0], name="imitation")]
    return _finding(decides, checks, lines)


def _finding(decides: bool, checks: list[Check], lines: list[Line] | None = None) -> Finding:
    return Finding(
        route=Route.DOMAIN,
        proves=PROVES,
        soon=SOON,
        decides=decides,
        checks=tuple(checks),
        lines=tuple(lines or ()),
        start="" if decides else reverse("account_email"),
        start_label="" if decides else "Add an address of your institution",
    )


def _look_at(
    subject: Subject, address: str, places: list[Place], listed: dict[str, list[Institution]]
) -> tuple[bool, list[Check], list[Line]]:
    """Return what one confirmed address shows: whether it decides, the checks and the lines of the ledger."""
    domain = domains.domain_of(address)
    check = _domain_check(domain, places, listed)
    if check.outcome != Outcome.MET:
        return False, [check], []
    [institution] = listed[_owned(domain, listed)]
    here = [place for place in places if place.institution.pk == institution.pk]
    checks = [check, _place_check(institution, here, subject.now)]
    if checks[-1].outcome == Outcome.NOT_MET:
        return False, checks, []
    checks.append(account_name(subject))
    if all(check.outcome == Outcome.MET for check in checks):
        checks.append(_unique_check(subject, institution))
    decides = all(check.outcome == Outcome.MET for check in checks)
    detail = {"email": address}
    line = Line(
        Evidence.Kind.DOMAIN_CONFIRMED, institution.display_name[:64], meets_route=decides, detail=detail
    )
    return decides, checks, [line]


def _domain_check(domain: str, places: list[Place], listed: dict[str, list[Institution]]) -> Check:
    """Return whether the domain is one organisation's own, and of those alone who work there."""
    shown = domains.to_shown(domain)[:200]
    detail = {"domain": domain[:253]}

    def no(sentence: str, outcome: Outcome = Outcome.NOT_MET) -> Check:
        return Check("domain", outcome, sentence[:500], detail)

    if not domain:
        return no("Your confirmed address has no domain that could be looked up.")
    real = (
        known
        for place in places
        for known in map(domains.to_ascii, place.institution.domains)
        if domains.imitates(domain, known)
    )
    if imitated := next(real, ""):
        return no(f"{shown} is written to look like {imitated} and is another domain.", Outcome.AGAINST)
    if domains.is_disposable(domain):
        return no(f"Anybody gets an address at {shown} for a few minutes; it shows nothing.")
    if domains.is_provider(domain):
        return no(
            f"Anybody gets an address at {shown}. Add and confirm the one that your institution gave you."
        )
    if domains.is_public_suffix(domain):
        return no(f"Many organisations have their addresses below {shown}; it is no institution's own.")
    if reason := domains.not_for_staff(domain):
        return no(f"An address at {shown} {reason}; it does not show that somebody works there.")
    owned = _owned(domain, listed)
    if not owned:
        return no(
            f"{shown} is listed for no institution in the Research Organization Registry (ROR) as known here."
        )
    owners = listed[owned]
    if len(owners) > 1:
        names = ", ".join(owner.display_name for owner in owners[:3])
        return no(
            f"{owned} is listed for several organisations ({names[:300]}); it does not say which one is yours."
        )
    return Check("domain", Outcome.MET, f"{shown} belongs to {owners[0].display_name} alone."[:500], detail)


def _place_check(institution: Institution, here: list[Place], now: datetime) -> Check:
    name = institution.display_name[:200]
    if not here:
        sentence = (
            f"No source places this person at {name}. What an ORCID record alone says of it does not count."
        )
        return Check("affiliation", Outcome.NOT_MET, sentence)
    years = [place.last_year for place in here if place.last_year]
    if not years:
        return Check(
            "affiliation", Outcome.PARTLY, f"Sources place this person at {name} and do not say when."
        )
    if max(years) < now.year - YEARS:
        sentence = f"Sources last place this person at {name} in {max(years)}, more than {YEARS} years ago."
        return Check("affiliation", Outcome.PARTLY, sentence)
    return Check("affiliation", Outcome.MET, f"Sources place this person at {name}, last in {max(years)}.")


def _unique_check(subject: Subject, institution: Institution) -> Check:
    name = institution.display_name[:200]
    if namesakes := _namesakes(subject, institution):
        sentence = (
            f"Another person at {name} has a name that could be the same; a moderator looks who is who."
        )
        return Check("unique_name", Outcome.NOT_MET, sentence, {"authors": namesakes[:10]})
    return Check("unique_name", Outcome.MET, f"Nobody else at {name} has a name like it.")


def _places(subject: Subject) -> list[Place]:
    """Return where recognised sources place the author and until when, each institution that has domains once."""
    last: dict[int, int | None] = {}
    params = {"ids": subject.author_ids, "typed": TYPED, "recognised": RECOGNISED}
    for institution, year in query(_PLACES, params):  # type: ignore[arg-type]
        known = last.get(institution)
        last[institution] = max(known, year) if known and year else known or year
    found = (
        Institution.objects.filter(pk__in=last).exclude(domains=[]).only("display_name", "domains", "status")
    )
    return [Place(institution, last[institution.pk]) for institution in found]


def _listed(subject: Subject, places: list[Place]) -> dict[str, list[Institution]]:
    """Return which institutions list the domains of the confirmed addresses, or those above them, as theirs."""
    wanted = {
        above for address in subject.addresses for above in domains.and_above(domains.domain_of(address))
    }
    if not wanted:
        return {}
    spelled = wanted | {domains.to_shown(domain) for domain in wanted}
    rows = Institution.objects.filter(Q(domains__overlap=sorted(spelled))).exclude(status=WITHDRAWN)
    listed: dict[str, list[Institution]] = {}
    for institution in rows.only("display_name", "domains", "status").order_by("pk")[:MOST_NAMESAKES]:
        for domain in {domains.to_ascii(own) for own in institution.domains} & wanted:
            listed.setdefault(domain, []).append(institution)
    return listed


def _owned(domain: str, listed: dict[str, list[Institution]]) -> str:
    """Return the longest domain at or above this one that somebody lists, and that is nobody else's by its nature."""
    for above in domains.and_above(domain):
        if domains.is_public_suffix(above):
            return ""
        if above in listed:
            return above
    return ""


def _namesakes(subject: Subject, institution: Institution) -> list[int]:
    """Return who else is recorded at the institution by a name that could be this author's."""
    params = {
        "ids": subject.author_ids,
        "institution": institution.pk,
        "blocks": sorted({name_block(name) for name in subject.author_names}),
        "names": sorted({name.lower() for name in subject.author_names}),
        "most": MOST_NAMESAKES,
    }
    rows = query(_THERE, params)  # type: ignore[arg-type]
    return sorted(
        {author for author, *names in rows if best_fit(names, subject.author_names) is not Fit.NONE}
    )
