"""Which address of which source answers which question; the only place that knows the sources' spellings.

Sources: https://developers.openalex.org, https://info.arxiv.org/help/api/user-manual.html,
https://api.crossref.org, https://info.orcid.org/documentation/api-tutorials/, https://ror.readme.io
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from django.conf import settings

from works.ingest.records import Identifier
from works.models import Provider

PAGE = 100  # works in one answer: as many as OpenAlex gives
MAX_PAGES = 20  # of one person's works
MAX_TOGETHER = 50  # works asked for by identifier in one question
LONGEST_LIST = 4000  # characters of such a list: servers refuse long addresses


class Question(NamedTuple):
    """address: below the source's own. expects: what the answer must be about; None for a list."""

    provider: Provider
    address: str
    expects: Identifier | None = None


def openalex_work(identifier: Identifier) -> Question:
    return _openalex("works", identifier)


def openalex_author(identifier: Identifier) -> Question:
    return _openalex("authors", identifier)


def openalex_institution(identifier: Identifier) -> Question:
    return _openalex("institutions", identifier)


def _openalex(entity: str, identifier: Identifier) -> Question:
    scheme, value = identifier
    name = {
        "openalex": value,
        "arxiv": f"doi:10.48550/arXiv.{value}",
        "orcid": f"orcid:{value}",
        "ror": f"ror:{value}",
    }
    return Question(
        Provider.OPENALEX, f"/{entity}/{_quoted(name.get(scheme, f'{scheme}:{value}'))}", identifier
    )


def openalex_works_of(identifier: Identifier) -> Question:
    """Return the question for the first page of a person's works, newest first."""
    scheme, value = identifier
    field = "author.orcid" if scheme == "orcid" else "author.id"
    return _openalex_list(f"{field}:{value}", sort="publication_date:desc", cursor="*")


def openalex_works(identifiers: Sequence[Identifier]) -> Question:
    """Return the question for several works at once, by DOI or arXiv id."""
    dois = [f"10.48550/arxiv.{value}" if scheme == "arxiv" else value for scheme, value in identifiers]
    return _openalex_list("doi:" + "|".join(dois))


def _openalex_list(wanted: str, **more: str) -> Question:
    query = urlencode({"filter": wanted, "per_page": PAGE, **more})
    return Question(Provider.OPENALEX, f"/works?{query}")


def next_page(address: str, cursor: str) -> str:
    """Return the address of the page behind an address that has a cursor."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query)) | {"cursor": cursor}
    return parts._replace(query=urlencode(query)).geturl()


def has_pages(address: str) -> bool:
    return "cursor" in dict(parse_qsl(urlsplit(address).query))


def arxiv_works(ids: Sequence[str]) -> Question:
    """Return the question for one or several arXiv works."""
    query = urlencode({"id_list": ",".join(ids), "max_results": len(ids)})
    return Question(Provider.ARXIV, f"?{query}", ("arxiv", ids[0]) if len(ids) == 1 else None)


def crossref_work(doi: str) -> Question:
    return Question(Provider.CROSSREF, f"/works/{_quoted(doi)}", ("doi", doi))


def orcid_record(orcid: str) -> Question:
    return Question(Provider.ORCID, f"/{_quoted(orcid)}/record", ("orcid", orcid))


def ror_record(ror: str) -> Question:
    return Question(Provider.ROR, f"/organizations/{_quoted(ror)}", ("ror", ror))


def _quoted(text: str) -> str:
    """Return text as one part of a path: no slash, dot segment or query of it can lead anywhere else."""
    return quote(text, safe=":")


def full_address(provider: str, address: str) -> str:
    """Return where to send a question, with the contact and keys that a source wants in the query."""
    url = shown_address(provider, address)
    own = {}
    if provider in {Provider.CROSSREF, Provider.OPENALEX} and settings.SYNC_CONTACT:
        own["mailto"] = settings.SYNC_CONTACT
    if provider == Provider.OPENALEX and settings.SYNC_OPENALEX_KEY:
        own["api_key"] = settings.SYNC_OPENALEX_KEY
    if not own:
        return url
    return f"{url}{'&' if '?' in address else '?'}{urlencode(own)}"


def shown_address(provider: str, address: str) -> str:
    """Return where a question goes, without contact and keys."""
    return str(settings.SYNC_ADDRESSES[provider]) + address


def headers_for(provider: str) -> dict[str, str]:
    """Return what a source's question carries beside the address. The contact stands in the User-Agent."""
    contact = f"; mailto:{quote(settings.SYNC_CONTACT, safe='@+')}" if settings.SYNC_CONTACT else ""
    headers = {
        "User-Agent": f"BZPEER (+{quote(settings.PUBLIC_URL, safe=':/')}{contact})",
        "Accept": "application/atom+xml" if provider == Provider.ARXIV else "application/json",
        "Accept-Encoding": "gzip",
    }
    if provider == Provider.ROR and settings.SYNC_ROR_CLIENT_ID:
        headers["Client-Id"] = settings.SYNC_ROR_CLIENT_ID
    return headers


def host_of(provider: str) -> str:
    return urlsplit(settings.SYNC_ADDRESSES[provider]).hostname or ""
