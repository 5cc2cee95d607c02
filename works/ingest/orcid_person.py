"""Read what an ORCID record says of the person: names, links, where they were, and who vouches for what."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from bzpeer.lib.names import clean
from works.identifiers import normalise_issn, normalise_orcid, normalise_ror
from works.ingest.addresses import web_address
from works.ingest.orcid_nodes import (
    asserted_by,
    below,
    every,
    is_public,
    moment,
    name,
    text,
    word,
    year,
)
from works.ingest.orcid_works import own_identifiers
from works.ingest.records import AffiliationRecord, AssertionRecord, Identifier, InstitutionRef

MAX_NAMES = 100
MAX_LINKS = 100
MAX_ADDRESS = 2000
MAX_BIOGRAPHY = 5000  # ORCID's own limit


class Person(NamedTuple):
    """What everybody may know of a person. shown: "" where they show no name. identifiers: without the iD."""

    shown: str
    names: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    links: tuple[tuple[str, str], ...]
    biography: str
    changed_at: datetime


def read_person(node: Any) -> Person:
    shown, *names = _names(node) or [""]
    biography = below(node, "biography")
    return Person(
        shown=shown,
        names=tuple(names[:MAX_NAMES]),
        identifiers=tuple(sorted(set(_identifiers(node)))),
        links=tuple(dict.fromkeys(_links(node)))[:MAX_LINKS],
        biography=clean(text(below(biography, "content")))[:MAX_BIOGRAPHY] if is_public(biography) else "",
        # The date of the whole leaves names and biographies out.
        changed_at=max(
            moment(below(part, "last-modified-date")) for part in (node, below(node, "name"), biography)
        ),
    )


def _names(node: Any) -> list[str]:
    """Return the name that the person shows, then the others."""
    found = []
    own = below(node, "name")
    if is_public(own):
        credit = below(own, "credit-name")
        parts = (name(below(own, "given-names")), name(below(own, "family-name")))
        # Who has one name alone types a dot into the field for the other.
        found = [name(credit) if is_public(credit) else "", " ".join(filter(_is_name, parts))]
    for other in _listed(node, "other-names", "other-name"):
        found += [name(part) for part in text(below(other, "content")).split(";")]
    shown = [spelling[:255] for spelling in found if _is_name(spelling)]
    return list(dict.fromkeys(shown)) if any(found[:2]) else []


def _is_name(spelling: str) -> bool:
    return any(char.isalpha() for char in spelling)


def _listed(node: Any, plural: str, singular: str) -> Iterator[Any]:
    """Yield what everybody may see of a list, first what the person put first."""
    return (entry for entry in every(below(node, plural, singular)) if is_public(entry))


def _identifiers(node: Any) -> Iterator[Identifier]:
    for entry in _listed(node, "external-identifiers", "external-identifier"):
        kind = word(below(entry, "external-id-type"))
        value = text(below(entry, "external-id-value"))
        if word(below(entry, "external-id-relationship")) not in {"", "self"}:
            continue
        if "scopus" in kind and re.fullmatch(r"\d{6,15}", value, re.A):
            yield "scopus", value
        elif kind == "isni" and (isni := normalise_orcid(re.sub(r"[\s-]", "", value))):
            # An ISNI has ORCID's form and check digit.
            yield "isni", isni.replace("-", "")
        elif "wikidata" in kind and (
            match := re.fullmatch(r"(?:https?://www\.wikidata\.org/\w+/)?(Q\d{1,12})", value, re.A)
        ):
            yield "wikidata", match.group(1)


def _links(node: Any) -> Iterator[tuple[str, str]]:
    for entry in _listed(node, "researcher-urls", "researcher-url"):
        if address := web_address(text(below(entry, "url")), MAX_ADDRESS):
            yield name(below(entry, "url-name")), address


# --- Activities ---------------------------------------------------------------------------------------------


def read_affiliation(node: Any) -> AffiliationRecord | None:
    """Return where the person worked or studied; None where no organisation is named."""
    organisation = below(node, "organization")
    named = clean(text(below(organisation, "name")))[:512]
    if not named:
        return None
    first, last = year(below(node, "start-date")), year(below(node, "end-date"))
    if first and last and first > last:
        first = last = None
    ror, country = _ror(organisation), _country(organisation)
    town = name(below(organisation, "address", "city"))
    return AffiliationRecord(
        institution=InstitutionRef(display_name=named, ror=ror, country_code=country) if ror else None,
        raw="" if ror else ", ".join(filter(None, (named, town, country))),
        role=name(below(node, "role-title")),
        department=name(below(node, "department-name")),
        first_year=first,
        last_year=last,
        asserted_by=asserted_by(node),
    )


def read_assertion(kind: str, node: Any) -> AssertionRecord | None:
    """Return what an organisation says of the person; None for what the person says. kind: of the summary."""
    organisation = asserted_by(node)
    if not organisation:
        return None
    if kind == "funding-summary":
        return AssertionRecord(
            kind="funding", title=_short(below(node, "title", "title")), asserted_by=organisation,
            identifiers=tuple(dict.fromkeys(own_identifiers(node))), year=year(below(node, "start-date")),
        )  # fmt: skip
    if kind == "peer-review-summary":
        # The journal is all that a summary tells of what was reviewed.
        issn = normalise_issn(text(below(node, "review-group-id")).lower().removeprefix("issn:"))
        return AssertionRecord(
            kind="peer_review", title=_short(below(node, "convening-organization", "name")), asserted_by=organisation,
            identifiers=(("issn", issn),) if issn else (), year=year(below(node, "completion-date")),
        )  # fmt: skip
    ror = _ror(below(node, "organization"))
    return AssertionRecord(
        kind="affiliation", title=_short(below(node, "organization", "name")), asserted_by=organisation,
        identifiers=(("ror", ror),) if ror else (), year=year(below(node, "start-date")),
    )  # fmt: skip


def _short(node: Any) -> str:
    return clean(text(node))[:500]


def _ror(organisation: Any) -> str:
    known = below(organisation, "disambiguated-organization")
    if word(below(known, "disambiguation-source")) != "ror":
        return ""
    return normalise_ror(text(below(known, "disambiguated-organization-identifier"))) or ""


def _country(organisation: Any) -> str:
    code = text(below(organisation, "address", "country")).upper()
    return code if re.fullmatch("[A-Z]{2}", code) else ""
