"""What the public page of a researcher shows: page-sized reads, the same for every reader."""

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.paginator import Page
from django.db.models import Q, QuerySet

from bzpeer.lib.pagination import page_of
from graph.models import Collaboration
from works import queries
from works.models import Affiliation, Author
from works.provenance import Link, links_of
from works.structured_data import author_json_ld

TABS = ("works", "collaborators", "topics", "institutions")


class Tie(NamedTuple):
    """A collaborator, seen from the author of the page."""

    author: Author
    collaboration: Collaboration


class Facts(NamedTuple):
    """What every tab of the page shows. native_name: the name in another script, "" where no source prints one."""

    native_name: str
    names: list[str]
    links: list[Link]
    affiliations: list[Affiliation]
    topics: list[queries.TopicCount]
    years: list[queries.YearCount]
    providers: list[queries.ProviderUse]

    @property
    def other_links(self) -> list[Link]:
        """Return the identifiers but for ORCID iDs, which stand beside the name with a word of warning."""
        return [link for link in self.links if link.scheme != "orcid"]

    @property
    def place(self) -> Affiliation | None:
        """Return the last known affiliation."""
        return self.affiliations[0] if self.affiliations else None

    @property
    def works_count(self) -> int:
        return sum(row.works for row in self.years)


def author_facts(author: Author) -> Facts:
    others = author.names.exclude(display_name=author.display_name).order_by("-works_count", "display_name")
    names = list(others.values_list("display_name", flat=True)[:50])
    native_name = next((name for name in names if not scripts_of(name) & scripts_of(author.display_name)), "")
    works = queries.author_works(author)
    return Facts(
        native_name=native_name,
        names=[name for name in names if name != native_name],
        links=links_of("author", author.identifiers.order_by("scheme", "value")),
        affiliations=queries.author_affiliations(author),
        topics=queries.author_topics(author),
        years=queries.years_of(works),
        providers=queries.author_providers(author),
    )


def scripts_of(name: str) -> set[str]:
    """Return the scripts of a name's letters, as Unicode names them: {"LATIN"}, {"CJK"}, {"CYRILLIC"} …"""
    return {unicodedata.name(char, "").partition(" ")[0] for char in name if char.isalpha()}


def contribution(author: Author, facts: Facts) -> str:
    """Return the sentence under the name: the general one until real facts can say more."""
    topics = [row.topic.display_name for row in facts.topics[:2]]
    if facts.works_count < 3 or not topics:
        return f"{author.display_name} contributes to research discovery and scholarly infrastructure."
    return f"{author.display_name} works on {' and '.join(topics)}."


def chosen_year(raw: str, years: Sequence[queries.YearCount]) -> int | None:
    """Return the year asked for where the author has works of it."""
    return next((row.year for row in years if row.year and str(row.year) == raw), None)


def author_works_page(
    author: Author, facts: Facts, *, year: int | None, order: str, number: str | None
) -> Page[Any]:
    """Return a page of works with their bylines."""
    works = queries.author_works(author)
    total = facts.works_count
    if year:
        works = works.filter(publication_year=year)
        total = next(row.works for row in facts.years if row.year == year)
    rows = queries.works_for_card(works).order_by(*queries.ORDERS[order])
    page = page_of(rows, number, total=total)
    page.object_list = list(page.object_list)
    queries.add_bylines(page.object_list, keep=author)
    return page


def author_collaborators(author: Author, number: str | None) -> Page[Any]:
    """Return a page of ties, the strongest first; hidden authors are left out."""
    rows: QuerySet[Collaboration] = (
        Collaboration.objects.filter(Q(author_a=author) | Q(author_b=author))
        .exclude(Q(author_a__suppressed=True) | Q(author_b__suppressed=True))
        .select_related("author_a", "author_b")
        .defer("author_a__search", "author_b__search")
        .order_by("-weight", "id")
    )
    page = page_of(rows, number, per_page=50)
    page.object_list = [
        Tie(row.author_b if row.author_a_id == author.pk else row.author_a, row) for row in page
    ]
    return page


def structured_data(author: Author, facts: Facts) -> dict[str, Any]:
    names = [facts.native_name, *facts.names] if facts.native_name else facts.names
    return author_json_ld(author, names[:20], facts.affiliations, facts.links)
