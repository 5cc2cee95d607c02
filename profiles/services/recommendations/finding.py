"""Choose what to recommend, and say why: a reason is a sentence with the records that it rests on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from django.db.models import Count

from graph.facts import day_number
from graph.recommending import History, varied
from profiles.models import Recommendation, Researcher
from profiles.services.recommendations.around import (
    RECENT_YEARS,
    Around,
    Member,
    city_of,
    years_before,
)
from works.models import Affiliation, Author, Authorship, Topic, Work, WorkTopic
from works.queries import author_works

EACH = 12  # of a kind
COAUTHORS = 4  # of those to follow
LOOKED_AT = 60
WORKS_LOOKED_AT = 80
REASONS = 3
VARIETY = 1.0  # what two works with the same title cost the second
NAMED = 3  # records in a sentence
OPEN_BONUS, CITY_BONUS, TOPIC_BONUS = 0.7, 0.4, 0.3  # in the unit of the scores: 0.7 doubles the odds

# {} is where the records stand that a reason names: their public ids are kept, so that their names are today's.
Reason = dict[str, Any]


def reason(text: str, kind: str = "", pids: Sequence[str] = ()) -> Reason:
    return {"text": text, "kind": kind, "pids": list(pids)[:NAMED]}


@dataclass
class Found:
    kind: Recommendation.Kind
    score: float
    author_id: int | None = None
    work_id: int | None = None
    reasons: list[Reason] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "score": self.score, "author_id": self.author_id, "work_id": self.work_id,
            "reasons": self.reasons[:REASONS],
        }  # fmt: skip


@dataclass
class Facts:
    """What the sentences need of some people."""

    authors: dict[int, Author]
    topics: dict[int, dict[int, int]]
    topic_names: dict[int, Topic]
    last_places: dict[int, list[Affiliation]]
    pages: dict[int, Researcher]


def find(member: Member, around: Around, today: date) -> list[Found]:
    known = [one for one in around.known if one not in member.away and one != member.author_id]
    best = list(around.scores)[:LOOKED_AT]
    read = _read(known + best + member.followed, member, today)
    sentences = Sentences(member, around, read)
    return [
        *_to_follow(member, around, sentences, known, best),
        *_to_work_with(member, around, sentences, best),
        *_to_read(member, around, read, today),
    ]


def _to_follow(
    member: Member, around: Around, sentences: "Sentences", known: list[int], best: list[int]
) -> list[Found]:
    """Recommend some of those they wrote with, then those near them."""
    kind, followed = Recommendation.Kind.FOLLOW, set(member.followed)
    wrote = [one for one in known if one not in followed][:COAUTHORS] if member.author_id else []
    top = around.scores[best[0]] if best else 0.0
    found = [
        Found(kind, top + COAUTHORS - place, author_id=one, reasons=sentences.together(one))
        for place, one in enumerate(wrote)
    ]
    found += [
        Found(kind, around.scores[one], author_id=one, reasons=sentences.nearness(one))
        for one in best
        if one not in followed
    ]
    return [one for one in found if one.reasons and one.author_id in sentences.facts.authors][:EACH]


def _to_work_with(member: Member, around: Around, sentences: "Sentences", best: list[int]) -> list[Found]:
    found = []
    for one in best:
        page = sentences.facts.pages.get(one)
        if one not in sentences.facts.authors or (page and not page.open_to_collaborate):
            continue
        open_to, city, other = sentences.openness(one), sentences.city(one), sentences.complement(one)
        bonus = OPEN_BONUS * bool(open_to) + CITY_BONUS * bool(city) + TOPIC_BONUS * bool(other)
        reasons = [*sentences.nearness(one)[:2], *open_to, *other, *city]
        if reasons:
            found.append(
                Found(Recommendation.Kind.COLLABORATE, around.scores[one] + bonus, one, None, reasons)
            )
    return sorted(found, key=lambda one: -one.score)[:EACH]


class Sentences:
    """Why somebody is near a member, in sentences."""

    def __init__(self, member: Member, around: Around, facts: Facts) -> None:
        self.member, self.around, self.facts = member, around, facts
        self._known = [one for one in around.known if one in facts.authors]
        self._followed = [one for one in member.followed if one in facts.authors]

    def nearness(self, one: int) -> list[Reason]:
        return [*self._common(one), *self._topics(one), *self._place(one)]

    def together(self, one: int) -> list[Reason]:
        if self.member.researcher is None:
            return []
        both = author_works(self.member.researcher.author).filter(
            pk__in=Authorship.objects.filter(author=one).values("work")
        )
        pids = list(both.order_by("-publication_year", "-pk").values_list("pid", flat=True)[:1])
        return [reason("You wrote {} together.", "work", pids)] if pids else []

    def _common(self, one: int) -> list[Reason]:
        theirs = self.around.neighbours(one)
        both = [other for other in self._known if other in theirs] if self.member.author_id else []
        if both:
            return [reason("You both wrote with {}.", "author", self._pids(both))]
        followed = [other for other in self._followed if other in theirs]
        return [reason("Wrote with {}, whom you follow.", "author", self._pids(followed))] if followed else []

    def _pids(self, author_ids: Iterable[int]) -> list[str]:
        return [self.facts.authors[one].pid for one in author_ids]

    def _topics(self, one: int) -> list[Reason]:
        theirs = self.facts.topics.get(one, {})
        ours = [topic for topic in theirs if topic in self.member.topics] if self.member.author_id else []
        if ours:
            return [reason("Works on {}, as you do.", "topic", self._names(ours))]
        followed = [topic for topic in theirs if topic in self.member.followed_topics]
        if followed:
            return [reason("Works on {}, which you follow.", "topic", self._names(followed))]
        near = [topic for topic in theirs if topic in self.member.topics]
        return [reason("Works on {}, as those you follow do.", "topic", self._names(near))] if near else []

    def complement(self, one: int) -> list[Reason]:
        """Tell what they work on, beside a topic in common, that the member has not written about."""
        theirs = self.facts.topics.get(one, {})
        if not self.member.author_id or not any(topic in self.member.topics for topic in theirs):
            return []
        other = [topic for topic, works in theirs.items() if works > 1 and topic not in self.member.topics]
        wanted = [topic for topic in other if topic in self.member.followed_topics]
        if wanted:
            return [reason("Also works on {}, which you follow.", "topic", self._names(wanted))]
        text = "Also works on {}, on which you have not written yet."
        return [reason(text, "topic", self._names(other[:1]))] if other else []

    def _names(self, topics: Sequence[int]) -> list[str]:
        return [self.facts.topic_names[topic].pid for topic in topics[:NAMED]]

    def _place(self, one: int) -> list[Reason]:
        ours = {place.pk for place in self.member.places}
        same = [
            row.institution.pid for row in self.facts.last_places.get(one, []) if row.institution_id in ours
        ]
        return [reason("Is at {}, as you are.", "institution", same)] if same else []

    def city(self, one: int) -> list[Reason]:
        ours = {place.pk for place in self.member.places}
        cities = {city for place in self.member.places if (city := city_of(place))}
        for row in self.facts.last_places.get(one, []):
            if row.institution_id not in ours and city_of(row.institution) in cities:
                return [
                    reason(
                        f"Is in {row.institution.city}, as you are, at {{}}.",
                        "institution",
                        [row.institution.pid],
                    )
                ]
        return []

    def openness(self, one: int) -> list[Reason]:
        """Tell that somebody said they are open, in a part that suits what the member is after."""
        page, mine = self.facts.pages.get(one), self.member.researcher
        if page is None or not page.open_to_collaborate:
            return []
        wanted = mine.collaboration_role if mine else ""
        if wanted and page.collaboration_role == wanted:
            return [
                reason(f"Is open to collaborate as you are: {page.get_collaboration_role_display().lower()}.")
            ]
        fits = not wanted or not page.collaboration_role
        return [reason("Joined here and is open to collaborate.")] if fits else []


def _read(people: list[int], member: Member, today: date) -> Facts:
    ids = list(dict.fromkeys(people))
    authors = Author.objects.public().defer("search").in_bulk(ids)
    counted = (
        WorkTopic.objects.filter(work__authorships__author__in=authors)
        .values_list("work__authorships__author", "topic")
        .annotate(n=Count("work"))
    )
    topics: dict[int, dict[int, int]] = defaultdict(dict)
    for author, topic, works in counted.order_by("-n", "topic"):
        if author in authors:
            topics[author][topic] = works
    named = {topic for several in topics.values() for topic in several} | member.all_topics
    places: dict[int, list[Affiliation]] = defaultdict(list)
    rows = Affiliation.objects.filter(author__in=authors, last_year__gte=today.year - RECENT_YEARS)
    for row in rows.select_related("institution").defer("institution__search").order_by("-last_year", "pk"):
        places[row.author_id].append(row)
    pages = {
        page.author_id: page
        for page in Researcher.objects.filter(author__in=authors, author__claimed=True, user__is_active=True)
    }
    return Facts(authors, dict(topics), Topic.objects.in_bulk(list(named)), dict(places), pages)


# --- Works to read ----------------------------------------------------------------------------------


def _to_read(member: Member, around: Around, read: Facts, today: date) -> list[Found]:
    """Recommend recent works by people near and on their topics; not their own, nor what their feed has shown them."""
    scores = _work_scores(member, around, today)
    best = sorted(scores, key=lambda work: (-scores[work], -work))[:WORKS_LOOKED_AT]
    scores = _with_variety(around.history, scores, best)
    best = list(scores)
    writers = defaultdict(list)
    for work, author in (
        Authorship.objects.filter(work__in=best).order_by("index").values_list("work", "author")
    ):
        writers[work].append(author)
    on = defaultdict(list)
    for work, topic in (
        WorkTopic.objects.filter(work__in=best).order_by("-score", "pk").values_list("work", "topic")
    ):
        on[work].append(topic)
    rows = (
        Work.objects.filter(pk__in=best, is_retracted=False, is_withdrawn=False)
        .only("pk", "created_at")
        .in_bulk()
    )
    found = []
    for work in best:
        if work not in rows or _was_seen(member, rows[work], writers[work]):
            continue
        reasons = [*_by_whom(member, around, read, writers[work]), *_on_what(member, read, on[work])]
        if reasons:
            found.append(Found(Recommendation.Kind.READ, scores[work], None, work, reasons))
    return found[:EACH]


def _work_scores(member: Member, around: Around, today: date) -> dict[int, float]:
    """Return recent works by how near their writers are, how alike their words and how new they are."""
    history = around.history
    facts = history.facts
    places = history.work_numbers
    if not len(places):
        return {}
    alike = (history.work_words @ around.starts.words.T).toarray().ravel()
    nearness = np.zeros(len(facts.people), np.float32)
    for rank, one in enumerate(list(around.scores)[:LOOKED_AT]):
        nearness[facts.numbers_of([one])] = 0.5 * np.exp(-rank / 30)
    nearness[facts.numbers_of([*around.known, *member.followed])] = 0.6
    by = facts.by[places]
    near = np.asarray((by * nearness).max(axis=1).toarray()).ravel()
    age = (day_number(today) - facts.day[places]) / 365.25
    score = 2 * alike + near - 0.1 * age
    away = facts.numbers_of({*member.away, *([member.author_id] if member.author_id else [])})
    allowed = (facts.day[places] >= years_before(today, RECENT_YEARS)) & (
        np.asarray(by[:, away].sum(axis=1)).ravel() == 0
    )
    ids = facts.works[places]
    return {
        int(ids[row]): float(score[row])
        for row in np.flatnonzero(allowed)
        if int(ids[row]) not in member.works_away
    }


def _with_variety(history: History, scores: dict[int, float], works: list[int]) -> dict[int, float]:
    """Return these works in an order in which neighbours are less alike, with their scores."""
    ids = history.facts.works[history.work_numbers]
    words = history.work_words[np.searchsorted(ids, works)]
    given = np.array([scores[work] for work in works], np.float32)
    return {works[place]: score for place, score in varied(given, (words @ words.T).toarray(), VARIETY)}


def _was_seen(member: Member, work: Work, writers: list[int]) -> bool:
    shown = member.seen_until is not None and work.created_at.date() < member.seen_until
    return shown and bool(set(writers) & set(member.followed))


def _by_whom(member: Member, around: Around, read: Facts, writers: list[int]) -> list[Reason]:
    public = [one for one in writers if one in read.authors]
    followed = [read.authors[one].pid for one in public if one in member.followed]
    if followed:
        return [reason("By {}, whom you follow.", "author", followed)]
    known = set(around.known)
    wrote = [read.authors[one].pid for one in public if one in known]
    if wrote and member.author_id:
        return [reason("By {}, with whom you wrote.", "author", wrote)]
    near = [read.authors[one].pid for one in public if one in around.scores]
    text = "By {}, who works near you." if member.author_id else "By {}, who works near those you follow."
    return [reason(text, "author", near[:1])] if near else []


def _on_what(member: Member, read: Facts, topics: list[int]) -> list[Reason]:
    named = {topic: read.topic_names[topic].pid for topic in topics if topic in read.topic_names}
    ours = [pid for topic, pid in named.items() if topic in member.topics]
    if ours and member.author_id:
        return [reason("On {}, as your works are.", "topic", ours)]
    followed = [pid for topic, pid in named.items() if topic in member.followed_topics]
    if followed:
        return [reason("On {}, which you follow.", "topic", followed)]
    return [reason("On {}, as those you follow write.", "topic", ours)] if ours else []
