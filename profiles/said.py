"""What a message holds beside its words: works it names, addresses that pretend to be others."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from profiles.claims.domains import imitates, to_ascii, to_shown
from profiles.claims.names import is_confusing, looks
from profiles.models import Message
from works.identifiers import normalise_arxiv, normalise_doi
from works.models import Work, WorkIdentifier
from works.queries import works_for_card

MOST_CARDS = 4  # below one message
_WORD = re.compile(r"\S+")
_EDGES = "<>()[]{}\"'“”‘’«».,;:!?"
_OWN = re.compile(r"/works/([0-9A-Za-z]{1,12})(?:/|$)")
_ADDRESS = re.compile(r"""https?://[^\s<>"']+""", re.IGNORECASE)
# Addresses that researchers trust at sight.
KNOWN = (
    "doi.org", "orcid.org", "arxiv.org", "openalex.org", "crossref.org", "github.com", "zenodo.org", "google.com",
    "overleaf.com", "dropbox.com", "nature.com", "acm.org", "ieee.org", "springer.com", "wiley.com", "elsevier.com",
)  # fmt: skip


class Named(NamedTuple):
    """How a work is named in a text: scheme "doi", "arxiv", or "pid" for an address of ours."""

    scheme: str
    value: str


def works_named(text: str) -> list[Named]:
    """Return the identifiers of works in a text, each once, in their order.

    >>> works_named("See https://doi.org/10.1000/182, and arXiv:1912.12953.")
    [Named(scheme='doi', value='10.1000/182'), Named(scheme='arxiv', value='1912.12953')]
    """
    found: dict[Named, None] = {}
    own = urlsplit(settings.PUBLIC_URL).netloc
    for word in _WORD.findall(text[:10_000]):
        word = word.strip(_EDGES)
        if own and f"//{own}/" in word:
            if match := _OWN.search(word):
                found[Named("pid", match.group(1))] = None
        elif arxiv := _arxiv(word):
            found[Named("arxiv", arxiv)] = None
        elif "10." in word and (doi := normalise_doi(word)):
            found[Named("doi", doi)] = None
    return list(found)


def _arxiv(word: str) -> str | None:
    """Return an arXiv id that says it is one: "2001.00001" alone may be any number."""
    return normalise_arxiv(word) if "arxiv" in word.lower() else None


def doubtful_hosts(text: str) -> list[str]:
    """Return the hosts of addresses in a text that are written to be taken for others, as they would be shown.

    >>> doubtful_hosts("https://orcid.org/x https://orcid.org.login.example/ https://аrxiv.org/")
    ['orcid.org.login.example', 'аrxiv.org']
    """
    found: dict[str, None] = {}
    for address in _ADDRESS.findall(text[:10_000]):
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
        except ValueError:  # "http://[": no address at all
            continue
        if host and ("@" in parts.netloc or is_doubtful(host)):
            found[to_shown(host)] = None
    return list(found)


def is_doubtful(host: str) -> bool:
    """Return whether a host mixes alphabets, looks like Latin letters without being, or hides behind a known name."""
    host = host.rstrip(".").lower()
    shown = to_shown(to_ascii(host) or host)
    own = urlsplit(settings.PUBLIC_URL).hostname or ""
    for real in (*KNOWN, own):
        if (
            real
            and not _is_or_below(shown, real)
            and (imitates(to_ascii(host), real) or f".{real}." in f".{shown}.")
        ):
            return True
    if shown.isascii():
        return False
    labels = shown.split(".")
    letters = "".join(label for label in labels if not label.isascii())
    return any(is_confusing(label) for label in labels) or (
        looks(letters).isascii() and not _is_accented(letters)
    )


def _is_accented(text: str) -> bool:
    """Return whether text is Latin with accents, as München is: nothing pretends to be anything."""
    return all(char.isascii() or "LATIN" in unicodedata.name(char, "") for char in text)


def _is_or_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def add_said(messages: Iterable[Message]) -> None:
    """Give each message `works`, those of our catalogue that it names, and `doubtful`, hosts to beware of."""
    messages = list(messages)
    named = {message.pk: works_named(message.body)[:MOST_CARDS] for message in messages}
    works = _works({name for names in named.values() for name in names})
    for message in messages:
        cards = {work.pk: work for name in named[message.pk] if (work := works.get(name))}
        message.works = list(cards.values())  # type: ignore[attr-defined]
        message.doubtful = doubtful_hosts(message.body)  # type: ignore[attr-defined]


def _works(names: set[Named]) -> dict[Named, Work]:
    if not names:
        return {}
    values: dict[str, list[str]] = defaultdict(list)
    for name in names:
        values[name.scheme].append(name.value)
    wanted = Q(pid__in=values.pop("pid", []))
    rows = WorkIdentifier.objects.filter(
        Q(scheme="doi", value__in=values["doi"]) | Q(scheme="arxiv", value__in=values["arxiv"])
    )
    keys = {Named(row.scheme, row.value): row.work_id for row in rows}
    works = {
        work.pk: work for work in works_for_card(Work.objects.filter(wanted | Q(pk__in=set(keys.values()))))
    }
    found = {name: works[pk] for name, pk in keys.items() if pk in works}
    return found | {Named("pid", work.pid): work for work in works.values()}
