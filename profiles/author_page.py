"""What the public page of a researcher shows: page-sized reads, the same for every reader."""

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.core.paginator import Page
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from bzpeer.lib.markdown import render_markdown
from bzpeer.lib.pagination import page_of
from graph.models import Collaboration
from profiles.models import Photo, Researcher, ResearcherLink, ShownWork
from works import queries
from works.hidden_names import hides
from works.models import Affiliation, Author, NameOverride
from works.provenance import Link, links_of
from works.services.decisions import works_said_about
from works.structured_data import author_json_ld

THEIRS = "theirs"  # the order that the researcher chose
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
    hidden = ArraySubquery(NameOverride.objects.filter(author=author, is_hidden=True).values("name"))
    others = author.names.exclude(display_name=author.display_name).order_by("-works_count", "display_name")
    forms = others.values_list("display_name", hidden)[:50]
    names = [name for name, former in forms if not hides(former, name)]
    # dblp's and the Anthology's ids of people are names.
    identifiers = author.identifiers.annotate(former=hidden).order_by("scheme", "value")
    links = links_of("author", (row for row in identifiers if not hides(row.former, row.value)))
    native_name = next((name for name in names if not scripts_of(name) & scripts_of(author.display_name)), "")
    works = queries.author_works(author)
    return Facts(
        native_name=native_name,
        names=[name for name in names if name != native_name],
        links=links,
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
    """Return a page of works with their bylines; in the researcher's order each has `place` and `lit`."""
    works = queries.author_works(author)
    total = facts.works_count
    if year:
        works = works.filter(publication_year=year)
        total = next(row.works for row in facts.years if row.year == year)
    rows = queries.works_for_card(works)
    if order == THEIRS:
        shown = ShownWork.objects.filter(researcher__author=author, work=OuterRef("pk"))
        rows = rows.annotate(
            lit=Subquery(shown.values("is_highlighted")), place=Subquery(shown.values("position"))
        ).order_by(F("lit").desc(nulls_last=True), F("place").asc(nulls_last=True), *queries.ORDERS["newest"])
    else:
        rows = rows.order_by(*queries.ORDERS[order])
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


# --- What the researcher says -----------------------------------------------------------------------


class Availability(NamedTuple):
    """Whether others may invite, and the words about it. ended: when being open was over, as they had said."""

    is_open: bool
    scope: str
    role: str
    until: Any
    ended: Any


class Says(NamedTuple):
    """What stands on a claimed page by its researcher's own word. said: how many works they marked."""

    bio_html: str
    links: list[ResearcherLink]
    photo: Photo | None
    availability: Availability
    has_order: bool
    theirs: int
    not_theirs: int

    @property
    def marked(self) -> int:
        return self.theirs + self.not_theirs


def availability(researcher: Researcher) -> Availability:
    """Return what a researcher said about working with others, as of today."""
    until = researcher.open_until
    over = until is not None and until < timezone.localdate()
    is_open = researcher.open_to_collaborate and not over
    return Availability(
        is_open,
        researcher.collaboration_scope if is_open else "",
        researcher.get_collaboration_role_display() if is_open and researcher.collaboration_role else "",
        until if is_open else None,
        until if over else None,
    )


def photo_of(researcher: Researcher) -> Photo | None:
    """Return the picture without its bytes."""
    return Photo.objects.filter(researcher=researcher).defer("content").first()


def what_they_say(researcher: Researcher) -> Says:
    said = works_said_about(researcher.author_id)
    return Says(
        render_markdown(researcher.bio),
        list(researcher.links.all()),
        photo_of(researcher),
        availability(researcher),
        ShownWork.objects.filter(researcher=researcher).exists(),
        said[True],
        said[False],
    )
