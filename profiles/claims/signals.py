"""What a moderator should know of a claim beside its evidence: of the account, its addresses and the page."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Count, Q
from django.utils import timezone

from profiles.claims import domains
from profiles.claims.findings import Finding, Outcome
from profiles.claims.names import Fit, best_fit, is_confusing
from profiles.models import Claim, User
from works.models import Affiliation, Author, AuthorName, Institution, NameOverride
from works.queries import WITHDRAWN

# Classes of mail domains, the most telling first.
RECORD, INSTITUTION, OWN, PROVIDER, DISPOSABLE, NONE = (
    "institution of the record",
    "another institution",
    "a domain of their own",
    "public provider",
    "disposable",
    "no confirmed address",
)
_CLASSES = (RECORD, INSTITUTION, OWN, PROVIDER, DISPOSABLE)
WELL_KNOWN_FOLLOWERS = 50
WELL_KNOWN_CITATIONS = 5000
ENDED_BADLY = [Claim.State.REJECTED, Claim.State.REVOKED]


def signals(*, user: User, author: Author, findings: list[Finding]) -> dict[str, Any]:
    """Return what is known, fit for JSON. Ages are whole days and hours."""
    now = timezone.now()
    mail_class, mail_domain = _mail(user, author)
    own = Claim.objects.filter(user=user).exclude(author=author).aggregate(
        all=Count("pk"),
        lately=Count("pk", filter=Q(created_at__gt=now - timedelta(days=30))),
        ended_badly=Count("pk", filter=Q(state__in=ENDED_BADLY)),
    )  # fmt: skip
    filed = (
        Claim.objects.filter(user=user, author=author)
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    outcomes = [check.outcome for finding in findings for check in finding.checks]
    return {
        "mail_class": mail_class,
        "mail_domain": mail_domain,
        "account_days": (now - user.date_joined).days,
        "hours_to_claim": max(0, int(((filed or now) - user.date_joined).total_seconds() // 3600)),
        "other_claims": own["all"],
        "other_claims_lately": own["lately"],
        "claims_ended_badly": own["ended_badly"],
        "domain_ended_badly": _rejected_from(mail_domain, user)
        if mail_class in {INSTITUTION, OWN, DISPOSABLE}
        else 0,
        "page_held": Claim.objects.filter(author=author, state__in=Claim.HELD).exclude(user=user).exists(),
        "page_followers": author.followers_count,
        "page_citations": author.cited_by_count,
        "well_known": author.followers_count >= WELL_KNOWN_FOLLOWERS
        or author.cited_by_count >= WELL_KNOWN_CITATIONS,
        "name_fit": _name_fit(user, author).name.lower(),
        "look_alike_name": is_confusing(user.display_name),
        "speak_against": outcomes.count(Outcome.AGAINST),
        "enough": [finding.route.value for finding in findings if finding.decides],
    }


def risk(signals: dict[str, Any]) -> int:
    """Return how careful a moderator should be, 0 to 100; missing signals count as harmless."""
    points = {RECORD: 0, INSTITUTION: 10, OWN: 20, PROVIDER: 15, DISPOSABLE: 45, NONE: 45}.get(
        signals.get("mail_class", RECORD), 20
    )
    points += (
        15 if signals.get("account_days", 365) < 2 else 5 if signals.get("account_days", 365) < 30 else 0
    )
    points += 5 if signals.get("hours_to_claim", 24) < 1 else 0
    points += min(20, 5 * signals.get("other_claims_lately", 0))
    points += min(30, 15 * signals.get("claims_ended_badly", 0))
    points += min(20, 10 * signals.get("domain_ended_badly", 0))
    points += 15 if signals.get("page_held") else 0
    points += 10 if signals.get("well_known") else 0
    points += {"none": 25, "initials": 5}.get(signals.get("name_fit", "full"), 0)
    points += 40 if signals.get("look_alike_name") else 0
    points += min(50, 25 * signals.get("speak_against", 0))
    points -= 25 if signals.get("enough") else 0
    return max(0, min(100, points))


def _mail(user: User, author: Author) -> tuple[str, str]:
    """Return the most telling class among the domains of the confirmed addresses, with its domain."""
    addresses = (
        EmailAddress.objects.filter(user=user, verified=True).order_by("pk").values_list("email", flat=True)
    )
    mine = [domain for domain in map(domains.domain_of, addresses) if domain]
    if not mine:
        return NONE, ""
    above = {parent for domain in mine for parent in domains.and_above(domain)}
    spelled = sorted(above | {domains.to_shown(domain) for domain in above})
    rows = (
        Institution.objects.filter(domains__overlap=spelled)
        .exclude(status=WITHDRAWN)
        .values_list("pk", "domains")[:200]
    )
    owners: dict[str, set[int]] = {}
    for pk, listed in rows:
        for domain in map(domains.to_ascii, listed):
            owners.setdefault(domain, set()).add(pk)
    there = {pk for found in owners.values() for pk in found}
    recorded = set(
        Affiliation.objects.filter(author=author, institution__in=there).values_list("institution", flat=True)
    )
    classed = [(_class_of(domain, owners, recorded), domain) for domain in mine]
    return min(classed, key=lambda one: _CLASSES.index(one[0]))


def _class_of(domain: str, owners: dict[str, set[int]], recorded: set[int]) -> str:
    if domains.is_disposable(domain):
        return DISPOSABLE
    if domains.is_provider(domain):
        return PROVIDER
    for parent in domains.and_above(domain):
        if not domains.is_public_suffix(parent) and parent in owners:
            return RECORD if owners[parent] & recorded else INSTITUTION
    return OWN


def _rejected_from(domain: str, user: User) -> int:
    """Return how many claims of other accounts with an address at this domain were turned down."""
    ended = Claim.objects.filter(state__in=ENDED_BADLY, user__emailaddress__email__iendswith=f"@{domain}")
    return ended.exclude(user=user).values("pk").distinct().count()


def _name_fit(user: User, author: Author) -> Fit:
    names: Iterable[str] = [
        author.display_name,
        *AuthorName.objects.filter(author=author)
        .order_by("-works_count", "pk")
        .values_list("display_name", flat=True)[:200],
        *NameOverride.objects.filter(author=author).values_list("name", flat=True),
    ]
    return best_fit([user.display_name], names)
