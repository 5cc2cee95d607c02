"""What pages say to machines: schema.org as JSON-LD. Never the trust number."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from works.citation import printed_name, warning_of
from works.models import Affiliation, Author, Authorship, Work, WorkTopic
from works.provenance import Link

MOST_AUTHORS = 50


def work_json_ld(
    work: Work,
    authorships: Iterable[Authorship],
    links: Iterable[Link],
    topics: Iterable[WorkTopic],
) -> dict[str, Any]:
    """Return a work as schema.org's ScholarlyArticle; nothing of one that every source took back."""
    if work.is_withdrawn:
        return {}
    people = [_person(row) for row in list(authorships)[:MOST_AUTHORS]]
    data = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "@id": settings.PUBLIC_URL + work.get_absolute_url(),
        "name": work.title,
        "author": people,
        "datePublished": work.publication_date.isoformat()
        if work.publication_date
        else str(work.publication_year or ""),
        "isPartOf": {"@type": "Periodical", "name": work.source.display_name} if work.source else None,
        "abstract": work.abstract[:5000],
        "inLanguage": work.language,
        "license": work.license if work.license.startswith("http") else "",
        "about": [row.topic.display_name for row in topics],
        "creativeWorkStatus": warning_of(work),
        "sameAs": addresses(links),
    }
    return {name: value for name, value in data.items() if value}


def author_json_ld(
    author: Author, names: Iterable[str], affiliations: Iterable[Affiliation], links: Iterable[Link]
) -> dict[str, Any]:
    """Return an author as schema.org's Person, wrapped in a ProfilePage. affiliations: from queries.author_affiliations.

    Where we only read an institution in a text, no machine shall take it for a fact.
    """
    stated = [row for row in affiliations if not row.ground.matched]  # type: ignore[attr-defined]
    person = {
        "@type": "Person",
        "@id": settings.PUBLIC_URL + author.get_absolute_url(),
        "name": author.display_name,
        "alternateName": list(names),
        "affiliation": [
            {
                "@type": "Organization",
                "name": row.institution.display_name,
                **({"@id": f"https://ror.org/{row.institution.ror}"} if row.institution.ror else {}),
            }
            for row in stated[:3]
        ],
        "sameAs": addresses(links),
    }
    return {
        "@context": "https://schema.org",
        "@type": "ProfilePage",
        "dateModified": author.updated_at.isoformat(timespec="seconds"),
        "mainEntity": {name: value for name, value in person.items() if value},
    }


def addresses(links: Iterable[Link]) -> list[str]:
    """Return where a record is also known; a search for its name is no such place."""
    return [link.address for link in links if link.address and "/search?" not in link.address]


def _person(row: Authorship) -> dict[str, str]:
    person = {"@type": "Person", "name": printed_name(row)}
    if row.author and not row.author.suppressed:
        person["@id"] = settings.PUBLIC_URL + row.author.get_absolute_url()
    return person
