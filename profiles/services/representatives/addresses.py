"""Whether a mail address shows that somebody belongs to one institution."""

from profiles.claims import domains
from works.models import Institution
from works.queries import WITHDRAWN


def why_not_at(email: str, institution: Institution) -> str:
    """Return why an address does not stand for this institution alone, as a sentence; empty where it does.

    The longest domain that any institution lists counts: "cs.tufts.edu" before "tufts.edu".
    """
    domain = domains.domain_of(email)
    if not domain:
        return "This is no address of the network."
    if domains.is_provider(domain) or domains.is_disposable(domain):
        return f"Anybody gets an address at {domain}."
    if why := domains.not_for_staff(domain):
        return f"{domain} {why}."
    names = [name for name in domains.and_above(domain) if not domains.is_public_suffix(name)]
    spelled = {*names, *map(domains.to_shown, names)}
    listed = Institution.objects.filter(domains__overlap=sorted(spelled)).exclude(status=WITHDRAWN)
    owners = {pk: set(map(domains.to_ascii, own)) for pk, own in listed.values_list("pk", "domains")}
    longest = next((name for name in names if any(name in own for own in owners.values())), "")
    holders = {pk for pk, own in owners.items() if longest in own}
    if not longest or institution.pk not in holders:
        return f"{domain} is not among the domains that ROR lists for {institution}."
    if len(holders) > 1:
        return f"{longest} is shared by {len(holders)} organisations."
    return ""
