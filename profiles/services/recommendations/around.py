"""Who and what is near a member: read in bounded queries, ordered by graph.recommending."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db.models import Count, Exists, OuterRef, Q

from graph import facts, recommending
from graph.recommending import History, Numbers, Starts
from profiles.models import Block, Follow, NotInterested, Preferences, Researcher, User
from works.models import Affiliation, Author, Authorship, Institution, WorkTopic

DIRECT = 100  # collaborators of oneself
OF_THE_FOLLOWED = 20
FURTHER = 20  # of each of those
PEOPLE = 1500
FOLLOWED = 300  # the last ones followed
WORKS_OF_A_TOPIC = 150
TOPICS = 3
IN_THE_CITY = 200
RECENT_YEARS = 3


@dataclass(frozen=True)
class Member:
    """What a member's own page and choices say."""

    user: User
    researcher: Researcher | None
    followed: list[int]
    followed_topics: set[int]
    topics: dict[int, int]  # of their works, or of whom they follow; how many works
    places: list[Institution]
    away: set[int]  # authors across a block, or not wanted
    works_away: set[int]
    seen_until: date | None

    @property
    def author_id(self) -> int | None:
        return self.researcher.author_id if self.researcher else None

    @property
    def all_topics(self) -> set[int]:
        return {*self.topics, *self.followed_topics}


@dataclass(frozen=True)
class Around:
    """The people near a member: scores of those unknown to them, best first."""

    history: History
    starts: Starts
    scores: dict[int, float]
    known: list[int]  # with whom they wrote, the strongest tie first

    def column(self, author_id: int) -> int | None:
        found = self.history.facts.numbers_of([author_id])
        return int(found[0]) if len(found) else None

    def neighbours(self, author_id: int) -> set[int]:
        """Return with whom somebody wrote, as far as it was read."""
        column = self.column(author_id)
        if column is None:
            return set()
        return set(self.history.facts.people[self.history.neighbours[[column]].indices].tolist())


def member_of(user: User) -> Member:
    researcher = Researcher.objects.select_related("author").filter(user=user).first()
    author = researcher.author_id if researcher else None
    followed = _followed(user)
    last_seen = Preferences.objects.filter(user=user).values_list("feed_seen_at", flat=True).first()
    return Member(
        user=user,
        researcher=researcher,
        followed=followed,
        followed_topics=set(
            Follow.objects.filter(user=user, topic__isnull=False).values_list("topic_id", flat=True)
        ),
        topics=_topics_of([author] if author else followed),
        places=current_institutions(author) if author else [],
        away=_blocked_authors(user) | set(_not_wanted(user, "author_id")),
        works_away=set(_not_wanted(user, "work_id")),
        seen_until=last_seen.date() if last_seen else None,
    )


def look_around(member: Member, today: date) -> Around | None:
    """Return who is near; None where there is nothing to begin with."""
    seeds = [member.author_id] if member.author_id else member.followed
    if not seeds and not member.followed_topics:
        return None
    near = facts.nearest_collaborators(seeds, DIRECT if member.author_id else OF_THE_FOLLOWED)
    near += [one for one in member.followed if one not in set(near)]
    further = facts.nearest_collaborators(near, FURTHER)
    topics = sorted(
        member.all_topics,
        key=lambda topic: (topic not in member.followed_topics, -member.topics.get(topic, 0), topic),
    )
    peers = facts.people_on_topics(topics[:TOPICS], WORKS_OF_A_TOPIC)
    people = list(dict.fromkeys([*seeds, *near, *further, *_in_the_city(member.places, today), *peers]))[
        :PEOPLE
    ]
    history = History(facts.facts_around(people), facts.day_number(today) + 1)
    return _scored(history, member, people, seeds)


def _scored(history: History, member: Member, people: list[int], seeds: list[int]) -> Around:
    numbers = history.facts.numbers_of(seeds)
    own = bool(member.author_id) and len(numbers) == 1 and history.active[numbers[0]]
    starts = (
        history.starts_of(numbers) if own else history.start_around(history.facts.numbers_of(member.followed))
    )
    allowed = history.unknown(starts)[0]
    read = np.zeros(len(allowed), bool)
    read[history.facts.numbers_of(people)] = True  # of everybody else only some works are known
    read[history.facts.numbers_of({*member.away, *([member.author_id] if member.author_id else [])})] = False
    person = np.flatnonzero(allowed & read)
    pairs = (np.zeros(len(person), np.int64), person)
    found = history.describe(starts, pairs, history.walks(starts))
    scores: Numbers = found.features @ recommending.shipped_weights()
    ids = history.facts.people
    order = np.argsort(-scores, kind="stable")
    ties = starts.ties[[0]]
    strongest = ties.indices[np.argsort(-ties.data, kind="stable")]
    return Around(
        history=history,
        starts=starts,
        scores={int(ids[person[place]]): float(scores[place]) for place in order},
        known=[int(ids[column]) for column in strongest],
    )


def current_institutions(author_id: int) -> list[Institution]:
    """Return where somebody was last, newest first."""
    rows = (
        Affiliation.objects.filter(author=author_id)
        .select_related("institution")
        .defer("institution__search")
    )
    return [row.institution for row in rows.order_by("-last_year", "-works_count", "pk")[:TOPICS]]


def city_of(institution: Institution) -> tuple[str, str] | None:
    return (institution.city, institution.country_code) if institution.city else None


def _in_the_city(places: list[Institution], today: date) -> list[int]:
    cities = {found for place in places if (found := city_of(place))}
    same = Q(pk__in=[])
    for city, country in sorted(cities):
        same |= Q(institution__city=city, institution__country_code=country)
    rows = Affiliation.objects.filter(
        same, last_year__gte=today.year - RECENT_YEARS, author__suppressed=False
    )
    return list(rows.order_by("-works_count", "pk").values_list("author_id", flat=True)[:IN_THE_CITY])


def _followed(user: User) -> list[int]:
    rows = Follow.objects.filter(user=user, author__isnull=False, author__suppressed=False)
    return [
        a.merged_into_id or a.pk
        for a in Author.objects.filter(follows__in=rows).order_by("-follows__pk")[:FOLLOWED]
    ]


def _topics_of(author_ids: list[int]) -> dict[int, int]:
    works = Authorship.objects.filter(
        Q(author__in=author_ids) | Q(author__merged_into__in=author_ids)
    ).values("work")
    rows = WorkTopic.objects.filter(work__in=works).values_list("topic").annotate(n=Count("work"))
    return dict(rows.order_by("-n", "topic")[:30])


def _blocked_authors(user: User) -> set[int]:
    """Return the pages of members across a block, whoever made it."""
    across = Block.objects.filter(
        Q(blocker=user, blocked=OuterRef("user")) | Q(blocked=user, blocker=OuterRef("user"))
    )
    return set(Researcher.objects.filter(Exists(across)).values_list("author_id", flat=True))


def _not_wanted(user: User, column: str) -> list[int]:
    rows = NotInterested.objects.filter(user=user, **{f"{column}__isnull": False})
    return list(rows.values_list(column, flat=True))


def years_before(today: date, years: int) -> int:
    """Return the number of the day so many years before today."""
    return facts.day_number(today - timedelta(days=round(years * 365.25)))
