"""Page-sized reads of the public record, with the rows beside them already loaded."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import Count, F, OuterRef, Q, QuerySet

from bzpeer.lib.sql import query
from works.grounds import LAST_FIRST, add_grounds
from works.hidden_names import NOT_SHOWN, all_hidden_names, hides, mentions
from works.models import (
    Affiliation,
    Author,
    Authorship,
    AuthorshipInstitution,
    Citation,
    Entity,
    Institution,
    InstitutionIdentifier,
    NameOverride,
    Redirect,
    SourceRecord,
    Topic,
    Work,
    WorkTopic,
)
from works.provenance import PROVIDER_PAGES, provider_list

NAMES_IN_A_LIST = 6  # authors shown of a work in a list
NEWEST = 500  # works that a topic's or an institution's people are taken from
WITHDRAWN = "withdrawn"  # ROR's word for an institution that it took back

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


def standing_institution(institution: Institution) -> Institution:
    """Return who came after an institution that was withdrawn, through several; itself where nobody did."""
    seen = {institution.pk}
    found = institution
    while found.status == WITHDRAWN and found.successor is not None:
        found = found.successor
        if found.pk in seen:  # a ring leads nowhere
            return institution
        seen.add(found.pk)
    return found


# --- Works in a list ------------------------------------------------------------------------------


def listed_works() -> QuerySet[Work]:
    """Return the works that lists and counts may show: what every source took back has only its page."""
    return Work.objects.filter(is_withdrawn=False)


def works_for_card(rows: QuerySet[Work]) -> QuerySet[Work]:
    """Return works with what a list shows of them, but for the authors: see add_bylines."""
    return rows.select_related("source").defer("search", "title_key", "provenance")


def add_bylines(works: Iterable[Work], keep: Author | None = None) -> None:
    """Give each work `byline`, its first authorships and the one of keep, and `more_authors`, a number.

    Each authorship has `printed`, the name to show where no page of a person is linked.
    """
    works = list(works)
    first = Q(index__lt=NAMES_IN_A_LIST)
    wanted = first | Q(author=keep) if keep else first
    rows: dict[int, list[Authorship]] = defaultdict(list)
    found = _with_former_names(Authorship.objects.filter(wanted, work__in=[work.pk for work in works]))
    for row in found.select_related("author").defer("author__search"):
        rows[row.work_id].append(row)
    _add_printed(row for several in rows.values() for row in several)
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
    """Return every authorship in order, each with its author.

    `stated` holds the institutions that a source names, `matched` those that we found in the affiliation text.
    `printed` is the name as the work prints it, or what stands for one that shall be shown nowhere; `hides_names`
    says whether the author has such a name.
    """
    rows: list[Authorship] = list(
        _with_former_names(Authorship.objects.filter(work=work))
        .select_related("author")
        .defer("author__search")
        .order_by("index")
    )
    places: dict[tuple[int, bool], list[Institution]] = defaultdict(list)
    links = (
        AuthorshipInstitution.objects.filter(authorship__work=work)
        .select_related("institution")
        .defer("institution__search")
        .order_by("id")
    )
    for link in links:
        places[link.authorship_id, link.matched].append(link.institution)
    for row in rows:
        row.stated = places[row.pk, False]  # type: ignore[attr-defined]
        row.matched = places[row.pk, True]  # type: ignore[attr-defined]
    _add_printed(rows)
    return rows


def _with_former_names(rows: QuerySet[Authorship]) -> QuerySet[Authorship]:
    former = NameOverride.objects.filter(author=OuterRef("author"), is_hidden=True).order_by("pk")
    return rows.annotate(former_names=ArraySubquery(former.values("name")))


def _add_printed(rows: Iterable[Any]) -> None:
    """Give authorships `printed` and `hides_names`; an affiliation text that holds a hidden name goes too."""
    rows = list(rows)
    # Nobody was found for a line yet: the name may be one that its bearer hides.
    anybodys = all_hidden_names() if any(row.author_id is None for row in rows) else []
    for row in rows:
        own = row.former_names if row.author_id else anybodys
        row.hides_names = bool(row.former_names)
        row.printed = row.raw_author_name or (row.author.display_name if row.author else "")
        if row.hides_names:
            row.printed = row.author.display_name
        elif own and hides(own, row.printed):
            row.printed = NOT_SHOWN
        if own:
            row.raw_affiliation_strings = [
                text for text in row.raw_affiliation_strings if not mentions(own, text)
            ]
            row.name_variants = [name for name in row.name_variants if not hides(own, name)]


class Match(NamedTuple):
    """An institution that nobody states, and the texts in which we found it."""

    institution: Institution
    texts: list[str]


class Places(NamedTuple):
    """Where a work's authors were: as sources state it, as we read it in texts, and texts that led nowhere."""

    stated: list[Institution]
    matched: list[Match]
    unmatched: list[str]


def work_places(authorships: Iterable[Any]) -> Places:
    """Return the institutions of a work's authors, each once, in the order of the authors."""
    authorships = list(authorships)
    stated = {place.pk: place for row in authorships for place in row.stated}
    matched: dict[int, Match] = {}
    unmatched: dict[str, str] = {}
    for row in authorships:
        texts = row.raw_affiliation_strings
        for place in row.matched:
            if place.pk not in stated:
                found = matched.setdefault(place.pk, Match(place, []))
                found.texts.extend(text for text in texts if text not in found.texts)
        if not row.stated and not row.matched:
            for text in texts:  # with or without a full stop it is one text to a reader
                unmatched.setdefault(text.rstrip(" .,;").casefold(), text)
    return Places(list(stated.values()), list(matched.values()), list(unmatched.values()))


def work_topics(work: Work) -> QuerySet[WorkTopic]:
    return (
        WorkTopic.objects.filter(work=work).select_related("topic__parent", "record").order_by("-score", "id")
    )


def work_records(work: Work) -> QuerySet[SourceRecord]:
    """Return what each provider said about a work, the newest word first."""
    return SourceRecord.objects.filter(work=work).order_by("-observed_at", "id")


def retraction_notices(work: Work) -> list[Citation]:
    """Return the citations by which notices take a work back, each with its notice and the record that says so."""
    if not work.is_retracted:
        return []
    rows = Citation.objects.filter(cited_work=work, retracts=True, work__is_withdrawn=False)
    return list(
        rows.select_related("work", "record").defer("work__search", "record__payload").order_by("work")
    )


def references_counts(work: Work) -> dict[str, int]:
    return {
        "references": work.references.count(),
        "cited_by": work.cited_by.count(),
    }


# --- An author ------------------------------------------------------------------------------------


def _work_ids(author: Author) -> QuerySet[Authorship, Any]:
    return Authorship.objects.filter(author=author).values("work")


def author_works(author: Author) -> QuerySet[Work]:
    return listed_works().filter(pk__in=_work_ids(author))


def author_affiliations(author: Author) -> list[Affiliation]:
    """Return where an author was, the last place first, each with its `ground` (works.grounds)."""
    rows = (
        Affiliation.objects.filter(author=author).select_related("institution").defer("institution__search")
    )
    found = list(rows.order_by(*LAST_FIRST))
    add_grounds(found)
    return found


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
    """A provider behind a page: how many of its records, and from when to when they were read."""

    provider: str
    records: int
    first: datetime
    last: datetime

    @property
    def label(self) -> str:
        return provider_list([self.provider])

    @property
    def address(self) -> str:
        return PROVIDER_PAGES.get(self.provider, "")


def author_providers(author: Author) -> list[ProviderUse]:
    """Return which providers described an author or one of their works, who has most records first."""
    rows = query(
        "select provider, count(*), min(imported_at), max(imported_at) from ("
        "  select r.provider, r.imported_at from works_authorship s join works_sourcerecord r on r.work_id = s.work_id"
        "  where s.author_id = %s"
        "  union all"
        "  select r.provider, r.imported_at from works_authoridentifier i"
        "  join works_sourcerecord r on r.provider = i.scheme and r.record_id = i.value and r.entity = 'author'"
        "  where i.author_id = %s) record group by provider order by 2 desc, 1",
        [author.pk, author.pk],
    )
    return [ProviderUse(*row) for row in rows]


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
    return listed_works().filter(work_topics__topic=topic)


def institution_works(institution: Institution) -> QuerySet[Work]:
    """Return works that name the institution; a work counts once, however many of its authors were there."""
    links = AuthorshipInstitution.objects.filter(institution=institution)
    return listed_works().filter(pk__in=links.values("authorship__work"))


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


def institution_records(identifiers: Sequence[InstitutionIdentifier]) -> list[SourceRecord]:
    """Return the records that describe an institution, and those of works that first gave its identifiers."""
    wanted = Q(pk__in=[row.record_id for row in identifiers if row.record_id])
    for row in identifiers:
        wanted |= Q(provider=row.scheme, record_id=row.value, entity=Entity.INSTITUTION)
    return list(SourceRecord.objects.filter(wanted).order_by("-observed_at", "id"))


def institution_people(institution: Institution) -> QuerySet[Affiliation]:
    """Return who was there, the last first."""
    return (
        Affiliation.objects.filter(
            institution=institution, author__suppressed=False, author__merged_into__isnull=True
        )
        .select_related("author")
        .defer("author__search")
        .order_by(*LAST_FIRST)
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
        "works": listed_works().count(),
        "topics": Topic.objects.count(),
        "institutions": Institution.objects.count(),
    }


def newest_works(most: int = 5) -> list[Work]:
    return list(works_for_card(listed_works().order_by("-pk"))[:most])


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
