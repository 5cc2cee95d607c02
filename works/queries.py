"""Page-sized reads of the public record, with the rows beside them already loaded."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from django.core.cache import cache
from django.db.models import Count, F, Max, Min, Q, QuerySet

from works.models import (
    Affiliation,
    Author,
    Authorship,
    AuthorshipInstitution,
    Institution,
    Redirect,
    SourceRecord,
    Topic,
    Work,
    WorkTopic,
)

NAMES_IN_A_LIST = 6  # authors shown of a work in a list
NEWEST = 500  # works that a topic's or an institution's people are taken from

Record = TypeVar("Record", Author, Work, Topic, Institution)
_KINDS: dict[type, str] = {Author: "author", Work: "work", Topic: "topic", Institution: "institution"}

# A list is asked for by a work's date; where there is only a year, after the dated ones of that year.
ORDERS = {
    "newest": (
        F("publication_year").desc(nulls_last=True),
        F("publication_date").desc(nulls_last=True),
        "-id",
    ),
    "oldest": (F("publication_year").asc(nulls_last=True), F("publication_date").asc(nulls_last=True), "id"),
    "cited": ("-cited_by_count", "-id"),
}


# --- One record -----------------------------------------------------------------------------------


def record_by_pid(rows: QuerySet[Record], pid: str) -> Record | None:
    """Return the record that pid leads to, through merges and redirects; None where it leads nowhere.

    Who asks compares pids: another one than asked for means that the record moved.
    """
    kind = _KINDS[rows.model]
    for _ in range(10):  # redirects of redirects end; a ring of them ends too
        record = rows.filter(pid=pid).first()
        if isinstance(record, Author) and record.merged_into_id:
            pid = Author.objects.values_list("pid", flat=True).get(pk=record.merged_into_id)
            continue
        if record is not None:
            return record
        new_pid = Redirect.objects.filter(kind=kind, old_pid=pid).values_list("new_pid", flat=True).first()
        if new_pid is None:
            return None
        pid = new_pid
    return None


# --- Works in a list ------------------------------------------------------------------------------


def works_for_card(rows: QuerySet[Work]) -> QuerySet[Work]:
    """Return works with what a list shows of them, but for the authors: see add_bylines."""
    return rows.select_related("source").defer("search", "title_key", "provenance")


def add_bylines(works: Iterable[Work], keep: Author | None = None) -> None:
    """Give each work `byline`, its first authorships and the one of keep, and `more_authors`, a number."""
    works = list(works)
    first = Q(index__lt=NAMES_IN_A_LIST)
    wanted = first | Q(author=keep) if keep else first
    rows: dict[int, list[Authorship]] = defaultdict(list)
    found = Authorship.objects.filter(wanted, work__in=[work.pk for work in works])
    for row in found.select_related("author").defer("author__search"):
        rows[row.work_id].append(row)
    for work in works:
        work.byline = rows[work.pk]  # type: ignore[attr-defined]
        work.more_authors = max(0, work.authors_count - len(rows[work.pk]))  # type: ignore[attr-defined]


class YearCount(NamedTuple):
    year: int | None
    works: int


def years_of(works: QuerySet[Work]) -> list[YearCount]:
    """Return how many works there are of each year, ascending, works without a year last."""
    rows = (
        works.order_by().values_list("publication_year").annotate(n=Count("pk")).order_by("publication_year")
    )
    return [YearCount(year, count) for year, count in rows]


# --- A work ---------------------------------------------------------------------------------------


def work_authorships(work: Work) -> list[Authorship]:
    """Return every authorship in order, each with its author and `places`, the institutions."""
    rows = list(
        Authorship.objects.filter(work=work)
        .select_related("author")
        .defer("author__search")
        .order_by("index")
    )
    places: dict[int, list[Institution]] = defaultdict(list)
    links = (
        AuthorshipInstitution.objects.filter(authorship__work=work)
        .select_related("institution")
        .order_by("id")
    )
    for link in links:
        places[link.authorship_id].append(link.institution)
    for row in rows:
        row.places = places[row.pk]  # type: ignore[attr-defined]
    return rows


def work_institutions(authorships: Iterable[Any]) -> list[Institution]:
    """Return the institutions of a work's authors, each once, in the order of the authors."""
    return list({place.pk: place for row in authorships for place in row.places}.values())


def work_topics(work: Work) -> QuerySet[WorkTopic]:
    return (
        WorkTopic.objects.filter(work=work).select_related("topic__parent", "record").order_by("-score", "id")
    )


def work_records(work: Work) -> QuerySet[SourceRecord]:
    """Return what each provider said about a work, the newest word first."""
    return SourceRecord.objects.filter(work=work).order_by("-observed_at", "id")


def references_counts(work: Work) -> dict[str, int]:
    return {
        "references": work.references.count(),
        "cited_by": work.cited_by.count(),
    }


# --- An author ------------------------------------------------------------------------------------


def _work_ids(author: Author) -> QuerySet[Authorship, Any]:
    return Authorship.objects.filter(author=author).values("work")


def author_works(author: Author) -> QuerySet[Work]:
    return Work.objects.filter(pk__in=_work_ids(author))


def author_affiliations(author: Author) -> list[Affiliation]:
    """Return where an author was, the last place first."""
    rows = (
        Affiliation.objects.filter(author=author).select_related("institution").defer("institution__search")
    )
    return list(rows.order_by(F("last_year").desc(nulls_last=True), "-works_count", "id"))


class TopicCount(NamedTuple):
    topic: Topic
    works: int


def author_topics(author: Author, most: int | None = None) -> list[TopicCount]:
    """Return the topics of an author's works, the frequent first."""
    rows = WorkTopic.objects.filter(work__in=_work_ids(author)).values_list("topic")
    counted = list(rows.annotate(n=Count("work")).order_by("-n", "topic")[:most])
    topics = Topic.objects.select_related("parent").in_bulk([pk for pk, _ in counted])
    return [TopicCount(topics[pk], count) for pk, count in counted]


class ProviderUse(NamedTuple):
    provider: str
    records: int
    first: Any
    last: Any

    @property
    def label(self) -> str:
        return dict(SourceRecord._meta.get_field("provider").flatchoices).get(self.provider, self.provider)


def providers_of(works: QuerySet[Work]) -> list[ProviderUse]:
    """Return which providers described these works, how many of them, and from when to when that was read."""
    rows = SourceRecord.objects.filter(work__in=works.order_by().values("pk")).values_list("provider")
    return [
        ProviderUse(*row)
        for row in rows.annotate(n=Count("pk"), first=Min("imported_at"), last=Max("imported_at")).order_by(
            "-n"
        )
    ]


# --- Topics and institutions ------------------------------------------------------------------------


def topic_chain(topic: Topic) -> list[Topic]:
    """Return the topics above, the widest first; at most four levels and arXiv's below them."""
    chain: list[Topic] = []
    parent_id = topic.parent_id
    while parent_id and len(chain) < 6:
        parent = Topic.objects.get(pk=parent_id)
        chain.insert(0, parent)
        parent_id = parent.parent_id
    return chain


def topic_works(topic: Topic) -> QuerySet[Work]:
    return Work.objects.filter(work_topics__topic=topic)


def institution_works(institution: Institution) -> QuerySet[Work]:
    """Return works that name the institution; a work counts once, however many of its authors were there."""
    links = AuthorshipInstitution.objects.filter(institution=institution)
    return Work.objects.filter(pk__in=links.values("authorship__work"))


class AuthorCount(NamedTuple):
    author: Author
    works: int


def people_of(works: QuerySet[Work], most: int = 12) -> list[AuthorCount]:
    """Return who has most of the newest works in a set: pages say "among the newest 500"."""
    newest = works.order_by("-pk").values("pk")[:NEWEST]
    rows = Authorship.objects.filter(work__in=newest, author__isnull=False, work__authors_count__lte=100)
    counted = list(rows.values_list("author").annotate(n=Count("work")).order_by("-n", "author")[: most * 2])
    authors = Author.objects.public().defer("search").in_bulk([pk for pk, _ in counted])
    return [AuthorCount(authors[pk], n) for pk, n in counted if pk in authors][:most]


def institution_people(institution: Institution) -> QuerySet[Affiliation]:
    """Return who was there, the last first."""
    return (
        Affiliation.objects.filter(
            institution=institution, author__suppressed=False, author__merged_into__isnull=True
        )
        .select_related("author")
        .defer("author__search")
        .order_by(F("last_year").desc(nulls_last=True), "-works_count", "id")
    )


# --- The first page ---------------------------------------------------------------------------------


def site_counts() -> dict[str, int]:
    """Return how many records there are; counted at most every five minutes."""
    counts = cache.get("works:site_counts")
    if counts is None:
        counts = _count_records()
        cache.set("works:site_counts", counts, 300)
    return counts


def _count_records() -> dict[str, int]:
    return {
        "researchers": Author.objects.public().count(),
        "works": Work.objects.count(),
        "topics": Topic.objects.count(),
        "institutions": Institution.objects.count(),
    }


def newest_works(most: int = 5) -> list[Work]:
    return list(works_for_card(Work.objects.order_by("-pk"))[:most])


def busiest_authors(most: int = 8) -> QuerySet[Author]:
    return (
        Author.objects.public()
        .defer("search")
        .filter(works_count__gt=0)
        .order_by("-works_count", "id")[:most]
    )


def widest_topics(most: int = 12) -> list[Topic]:
    """Return the topics of most works; of two with the same name, in two classifications, the wider."""
    found: dict[str, Topic] = {}
    for topic in Topic.objects.filter(works_count__gt=0).order_by("-works_count", "id")[: 2 * most]:
        found.setdefault(topic.display_name, topic)
    return list(found.values())[:most]
