"""The back-link route: a page that a source had linked before the claimant came, and that now links to this claim.

Who writes on the page is whom the source means. A page that only the claimant's own ORCID record links would prove
nothing, and neither would one that a source links since the claimant signed up.
"""

from urllib.parse import urlsplit

from profiles.claims.fetching import FetchError, fetch_page, my_links
from profiles.claims.findings import Check, Finding, Line, Outcome
from profiles.claims.subject import Subject, account_name
from profiles.models import Claim, Route
from trust.models import Evidence
from works.provenance import provider_list

PROVES = "That you can write on a page that was known as this person's before you signed up here."
SOON = (
    "At once, if a source such as dblp linked the page from this record before you signed up and it links back now. "
    "Most sources give no pages of people, so this rarely decides; else a moderator reads your case."
)
SHORTEST_TOKEN = 20

Page = (
    tuple[str, ...] | FetchError
)  # the addresses that a page calls the same person's, or why it was not had


def read_page(claim: Claim) -> Page | None:
    """Return the rel="me" links of the page that a claim names, or why there are none. Asks the network."""
    if not claim.link_url:
        return None
    try:
        return tuple(my_links(fetch_page(claim.link_url)))
    except FetchError as error:
        return error


def look(subject: Subject, page: Page | None = None) -> Finding:
    """Look at what is known; page: what read_page just brought, without which nothing is decided."""
    known = _known_pages(subject)
    url = subject.claim.link_url if subject.claim else ""
    if not url:
        checks = [Check("page", Outcome.NOT_MET, _no_page(known))]
        return Finding(Route.BACK_LINK, PROVES, SOON, False, tuple(checks))
    checks = [_known_check(url, known), _token_check(subject, page)]
    if all(check.outcome == Outcome.MET for check in checks):
        checks.append(account_name(subject))
    decides = all(check.outcome == Outcome.MET for check in checks)
    proven = checks[0].outcome == checks[1].outcome == Outcome.MET
    host = urlsplit(url).hostname or ""
    line = Line(Evidence.Kind.BACK_LINK, host[:64], meets_route=decides, detail={"url": url})
    return Finding(Route.BACK_LINK, PROVES, SOON, decides, tuple(checks), (line,) if proven else ())


def _known_pages(subject: Subject) -> dict[str, tuple[str, str]]:
    """Return the pages that sources linked before sign-up, by their comparable form, with the address as given and the source."""
    return {
        _comparable(address): (address, fact.provider)
        for fact in subject.known.about
        if fact.observed_at < subject.user.date_joined
        for address in fact.links
        if _comparable(address)
    }


def _no_page(known: dict[str, tuple[str, str]]) -> str:
    if not known:
        return "No source linked a page of this person before you signed up, so this route needs a moderator."
    address, provider = next(iter(known.values()))
    return f"{provider_list([provider])} links {address[:300]}. If you can write on it, let it link to your claim."


def _known_check(url: str, known: dict[str, tuple[str, str]]) -> Check:
    if found := known.get(_comparable(url)):
        sentence = f"{provider_list([found[1]])} linked this page from the record before you signed up."
        return Check("known_page", Outcome.MET, sentence, {"url": url, "provider": found[1]})
    sentence = (
        "No source other than your own ORCID record linked this page from the record before you signed up."
    )
    return Check("known_page", Outcome.NOT_MET, sentence, {"url": url})


def _token_check(subject: Subject, page: Page | None) -> Check:
    token = subject.claim.link_token if subject.claim else ""
    if page is None:
        return Check("token", Outcome.UNKNOWN, "We look at the page when you say that the link is there.")
    if isinstance(page, FetchError):
        return Check("token", Outcome.UNKNOWN, str(page)[:500])
    if len(token) >= SHORTEST_TOKEN and any(token in address for address in page):
        return Check("token", Outcome.MET, 'The page links to your claim with rel="me".')
    return Check(
        "token", Outcome.NOT_MET, 'The page has no link with rel="me" to your claim.', {"links": len(page)}
    )


def _comparable(url: str) -> str:
    """Return an address by which two spellings of it are one: without scheme, port and last slash; "" for none."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    shown_port = f":{port}" if port not in {None, 80, 443} else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{shown_port}{parts.path.rstrip('/')}{query}"
