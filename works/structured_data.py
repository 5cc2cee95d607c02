"""What pages say to machines: schema.org as JSON-LD. Never the trust number."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from bzpeer.lib.templatetags.bzpeer import identifier_address
from works.models import Affiliation, Author, Authorship, Work, WorkIdentifier, WorkTopic

MOST_AUTHORS = 50


def work_json_ld(
    work: Work,
    authorships: Iterable[Authorship],
    identifiers: Iterable[WorkIdentifier],
    topics: Iterable[WorkTopic],
) -> dict[str, Any]:
    """Return a work as schema.org's ScholarlyArticle."""
    people = [_person(row) for row in list(authorships)[:MOST_AUTHORS]]
    same_as = [address for i in identifiers if (address := identifier_address(i.scheme, i.value))]
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
        "sameAs": same_as,
    }
    return {name: value for name, value in data.items() if value}


def author_json_ld(
    author: Author, names: Iterable[str], affiliations: Iterable[Affiliation], same_as: Iterable[str]
) -> dict[str, Any]:
    """Return an author as schema.org's Person, wrapped in a ProfilePage."""
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
            for row in list(affiliations)[:3]
        ],
        "sameAs": list(same_as),
    }
    return {
        "@context": "https://schema.org",
        "@type": "ProfilePage",
        "dateModified": author.updated_at.isoformat(timespec="seconds"),
        "mainEntity": {name: value for name, value in person.items() if value},
    }


def _person(row: Authorship) -> dict[str, str]:
    person = {"@type": "Person", "name": row.raw_author_name}
    if row.author and not row.author.suppressed:
        person["@id"] = settings.PUBLIC_URL + row.author.get_absolute_url()
    return person
