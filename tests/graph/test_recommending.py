from datetime import date
from io import StringIO
from unittest import TestCase

import django.test
import numpy as np
from django.core.management import call_command

from graph.evaluation import AT, day_of_share, measure, split
from graph.facts import all_facts, day_number
from graph.recommending import (
    FEATURES,
    WEIGHTS,
    Facts,
    History,
    WorkFact,
    fit,
    make_facts,
    shipped_weights,
    varied,
)
from tests.factories import make_work

YEAR = 365


def facts_of(*works: tuple[int, list[int], str]) -> Facts:
    """Return facts of works given as (day, people, title); the first has the number 1."""
    rows = [WorkFact(number, day, len(people), title) for number, (day, people, title) in enumerate(works, 1)]
    pairs = [(number, one) for number, (_, people, _) in enumerate(works, 1) for one in people]
    return make_facts(rows, pairs, [(number, "t1") for number in range(1, len(works) + 1)])


def features_of(history: History, one: int, other: int) -> dict[str, float]:
    starts = history.starts_of(history.facts.numbers_of([one]))
    pairs = (np.array([0]), history.facts.numbers_of([other]))
    found = history.describe(starts, pairs, history.walks(starts))
    return dict(zip(FEATURES, found.features[0].tolist(), strict=True))


class HistoryTests(TestCase):
    def test_weights_are_named_by_the_features_in_their_order(self) -> None:
        self.assertEqual(tuple(WEIGHTS), FEATURES)
        self.assertEqual(shipped_weights().tolist(), np.array(list(WEIGHTS.values()), np.float32).tolist())

    def test_somebody_two_steps_away_is_described(self) -> None:
        history = History(facts_of((10, [1, 2], "parsing trees"), (20, [2, 3], "parsing words")), 30)
        found = features_of(history, 1, 3)
        self.assertAlmostEqual(found["common"], np.log(2), places=5)
        self.assertAlmostEqual(found["overlap"], 1.0)  # each wrote with 2 and with nobody else
        self.assertAlmostEqual(found["adamic_adar"], np.log1p(1 / np.log(2)), places=4)
        self.assertEqual(found["near"], 1.0)
        self.assertEqual(found["newly_met"], np.float32(np.log(2)))

    def test_a_walk_prefers_the_newer_tie(self) -> None:
        now = 20 * YEAR
        history = History(
            facts_of(
                (1, [1, 2], "a"), (now - 10, [1, 3], "b"), (now - 10, [2, 4], "c"), (now - 10, [3, 5], "d")
            ),
            now,
        )
        two, _ = history.walks(history.starts_of(history.facts.numbers_of([1])))
        ids = dict(zip(history.facts.people.tolist(), two[0].tolist(), strict=True))
        self.assertLess(ids[4], ids[5] / 100)

    def test_what_comes_later_is_not_known(self) -> None:
        before = [(10, [1, 2], "parsing trees"), (20, [2, 3], "parsing words"), (25, [4], "speech sounds")]
        after = [(40, [1, 3, 4], "parsing speech"), (50, [3, 4], "parsing trees again")]
        alone, both = History(facts_of(*before), 30), History(facts_of(*before, *after), 30)
        for other in (3, 4):
            with self.subTest(other=other):
                self.assertEqual(features_of(alone, 1, other), features_of(both, 1, other))
        starts = both.starts_of(both.facts.numbers_of([1]))
        self.assertEqual(both.facts.people[both.unknown(starts)[0]].tolist(), [3, 4])

    def test_who_wrote_nothing_yet_is_nobodys_candidate(self) -> None:
        history = History(facts_of((10, [1, 2], "a"), (40, [3], "b")), 30)
        starts = history.starts_of(history.facts.numbers_of([1]))
        self.assertFalse(history.unknown(starts).any())

    def test_a_reader_starts_from_whom_they_follow(self) -> None:
        history = History(facts_of((10, [1, 2], "parsing trees"), (20, [3, 4], "speech sounds")), 30)
        starts = history.start_around(history.facts.numbers_of([1]))
        self.assertEqual(history.facts.people[history.unknown(starts)[0]].tolist(), [2, 3, 4])
        steps = history.step.T @ starts.ties.toarray().T
        self.assertEqual(np.asarray(steps).ravel().tolist(), [0.0, 1.0, 0.0, 0.0])

    def test_nothing_known_is_no_trouble(self) -> None:
        history = History(make_facts([], [], []), 30)
        starts = history.start_around(history.facts.numbers_of([1]))
        self.assertEqual(history.unknown(starts).shape, (1, 0))


class VariedTests(TestCase):
    def test_the_second_of_two_alike_comes_later(self) -> None:
        alike = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], np.float32)
        order = varied(np.array([1.0, 0.9, 0.5], np.float32), alike, 1.0)
        self.assertEqual([place for place, _ in order], [0, 2, 1])
        self.assertEqual([score for _, score in order], sorted((score for _, score in order), reverse=True))

    def test_nothing_is_no_trouble(self) -> None:
        self.assertEqual(varied(np.zeros(0, np.float32), np.zeros((0, 0), np.float32), 1.0), [])


class FitTests(TestCase):
    def test_it_finds_what_the_chosen_have_in_common(self) -> None:
        generator = np.random.default_rng(5)
        features = generator.normal(size=(400, 3)).astype(np.float32)
        start = np.repeat(np.arange(40), 10)
        hit = np.zeros(400, bool)
        hit[[ten * 10 + int(features[ten * 10 : ten * 10 + 10, 1].argmax()) for ten in range(40)]] = True
        weights = fit(features, hit, start)
        self.assertGreater(weights[1], 5 * max(abs(weights[0]), abs(weights[2])))

    def test_starts_without_a_hit_say_nothing(self) -> None:
        generator = np.random.default_rng(6)
        features = generator.normal(size=(60, 2)).astype(np.float32)
        start = np.repeat(np.arange(6), 10)
        hit = np.zeros(60, bool)
        hit[[0, 11, 22]] = True
        first = fit(features, hit, start)
        again = fit(
            np.concatenate([features, features[:10]]), np.r_[hit, np.zeros(10, bool)], np.r_[start, [6] * 10]
        )
        self.assertLess(np.abs(first - again).max(), 0.2)


def groups(seed: int = 3, teams: int = 30, size: int = 12, works: int = 1500) -> Facts:
    """Return works of teams, each with words of its own; within a team anybody writes with anybody, in time."""
    generator = np.random.default_rng(seed)
    rows = []
    for day in range(works):
        team = int(generator.integers(teams))
        people = generator.choice(size, 2, replace=False) + team * size
        rows.append((day * 4, people.tolist(), f"word{team} thing{team} {generator.integers(50)} sundry"))
    return facts_of(*rows)


class EvaluationTests(TestCase):
    def test_a_share_of_the_pairs_met_before_the_day(self) -> None:
        facts = facts_of(
            (1, [1, 2], "a"), (2, [1, 2], "b"), (3, [1, 3], "c"), (4, [2, 3], "d"), (5, [3, 4], "e")
        )
        self.assertEqual(day_of_share(facts, 0.75, None), 5)
        self.assertEqual(day_of_share(facts, 0.5, 5), 3)

    def test_hidden_are_new_pairs_of_people_who_had_works(self) -> None:
        facts = facts_of((1, [1, 2], "a"), (2, [3], "b"), (10, [1, 2, 3], "c"), (11, [3, 9], "d"))
        found = split(facts, 10, None)
        rows = found.hidden.tocoo()
        pairs = {
            (int(facts.people[a]), int(facts.people[b])) for a, b in zip(rows.row, rows.col, strict=True)
        }
        self.assertEqual(pairs, {(1, 3), (3, 1), (2, 3), (3, 2)})
        self.assertEqual(facts.people[found.people].tolist(), [1, 2, 3])

    def test_it_foresees_more_than_popularity(self) -> None:
        lines: list[str] = []
        recall, weights = measure(groups(), lines.append)
        self.assertEqual(
            set(recall.found),
            {"common_neighbours", "adamic_adar", "popularity", "bzpeer", "bzpeer_as_shipped"},
        )
        self.assertGreater(recall.of("bzpeer"), 0.9)  # a team has 12 people, and 20 are named
        self.assertLess(recall.of("popularity"), 0.3)
        self.assertEqual(tuple(weights), FEATURES)
        for found in recall.found.values():
            self.assertTrue(
                all(0 <= one <= min(hidden, AT) for one, hidden in zip(found, recall.hidden, strict=True))
            )
        self.assertEqual(len(lines), 1)


class CommandTests(django.test.TestCase):
    def test_an_empty_catalogue_is_told(self) -> None:
        said = StringIO()
        call_command("evaluate", "recommendations", stdout=said)
        self.assertIn("There are too few works to measure on", said.getvalue())

    def test_a_year_alone_counts_from_its_last_day_and_never_lies_ahead(self) -> None:
        today = date.today()
        make_work("Long ago", year=2001)
        make_work("Of this year", year=today.year)
        facts = all_facts()
        self.assertEqual(facts.day.tolist(), [day_number(date(2001, 12, 31)), day_number(today)])
