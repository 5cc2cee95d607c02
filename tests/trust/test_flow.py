import random
from collections import Counter, defaultdict
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from trust.algorithms import LEDGER_RULES
from trust.flow import CAPACITIES, Edge, carried

EACH, MOST = LEDGER_RULES["vouch"].each, LEDGER_RULES["vouch"].most
SEEDS = (1, 2, 3)
HONEST = range(1, 121)
FAKES = 1_000_000  # ids from here on


def honest_vouches() -> set[Edge]:
    """Return vouches as a community grows them: everybody is vouched for by two who came before."""
    dice = random.Random(5)
    return {(dice.randrange(1, person), person) for person in HONEST if person > 3 for _ in range(2)}


def ring(size: int, bought: list[int], attack_edges: int) -> set[Edge]:
    """Return a ring of fakes who vouch for each other as often as it serves them, and how it got in.

    Each fake vouches for the next one, for one far off and for whoever was bought; all count as entitled to vouch.
    """
    dice = random.Random(size)
    fakes = range(FAKES, FAKES + size)
    edges = {(fake, FAKES + (fake - FAKES + 1) % size) for fake in fakes}
    edges |= {(fake, dice.choice(fakes)) for fake in fakes for _ in range(3)}
    edges |= {(fake, dice.choice(bought)) for fake in fakes}
    targets = dice.sample(fakes, min(size, attack_edges * len(bought)))
    return edges | {(bought[n % len(bought)], fake) for n, fake in enumerate(targets)}


def points(edges: set[Edge]) -> Counter[int]:
    """Return the points of everybody: each vouch that carries counts, up to the cap of the rule."""
    found: Counter[int] = Counter()
    for _, person in edges:
        found[person] = min(found[person] + EACH, MOST)
    return found


def distances(edges: set[Edge]) -> dict[int, int]:
    following = defaultdict(set)
    for voucher, person in edges:
        following[voucher].add(person)
    found, level = dict.fromkeys(SEEDS, 0), set(SEEDS)
    while level:
        level = set().union(*(following[person] for person in level)) - found.keys()
        found |= dict.fromkeys(level, max(found.values()) + 1)
    return found


def capacity(step: int) -> int:
    return CAPACITIES[step] if step < len(CAPACITIES) else 0


class RingTests(TestCase):
    def test_what_a_ring_gains_is_bounded_by_its_attack_edges_and_not_by_its_size(self) -> None:
        honest = honest_vouches()
        far = distances(honest)
        before = carried(SEEDS, honest)
        # Bought at the middle of the community, and at its very core.
        outer = sorted(person for person in HONEST if far[person] == 3)
        core = sorted(person for person in HONEST if far[person] == 1)
        for people in (outer, core):
            for count in (1, 2, 5):
                bought = people[:count]
                let_in = sum(capacity(far[person]) - 1 for person in bought)
                accepted = []
                for size in (10, 100, 1_000, 10_000):
                    with self.subTest(bought=bought, size=size):
                        edges = honest | ring(size, bought, attack_edges=5)
                        found = carried(SEEDS, edges)
                        fakes = {person: given for person, given in points(found).items() if person >= FAKES}
                        attack = [(v, f) for v, f in edges if v in bought and f >= FAKES]
                        by_edges = sum(capacity(far[voucher] + 1) for voucher, _ in attack)
                        self.assertLessEqual(sum(fakes.values()), MOST * min(let_in, by_edges))
                        # What fakes say of whoever was bought gives the bought no more than the cap of the rule.
                        more = points(found).total() - points(before).total() - sum(fakes.values())
                        self.assertLessEqual(more, (MOST - EACH) * count)
                        self.assertEqual({edge for edge in found if max(edge) < FAKES}, before)
                        accepted.append(len(fakes))
                # Ten times as many accounts let nobody more in once the bought nodes are full.
                self.assertEqual(accepted[2], accepted[3])
                self.assertLessEqual(accepted[3], let_in)

    def test_a_ring_that_nobody_vouches_for_gains_nothing(self) -> None:
        self.assertEqual(carried(SEEDS, ring(1_000, [1], attack_edges=0)), set())

    def test_what_fakes_say_of_others_changes_no_honest_vouch(self) -> None:
        honest = honest_vouches()
        slander = {(FAKES + n, person) for n, person in enumerate(HONEST)}
        self.assertEqual(carried(SEEDS, honest | slander), carried(SEEDS, honest))


class HonestTests(TestCase):
    def test_every_vouch_between_people_within_reach_carries(self) -> None:
        honest = honest_vouches()
        self.assertLess(max(distances(honest).values()), len(CAPACITIES))
        self.assertEqual(carried(SEEDS, honest), honest)
        self.assertEqual(max(points(honest).values()), MOST)

    def test_nothing_carries_without_seeds_or_beyond_the_last_distance(self) -> None:
        chain = {(n, n + 1) for n in range(1, 20)}
        self.assertEqual(carried((), chain), set())
        self.assertEqual(carried((99,), chain), set())
        self.assertEqual(carried((1,), chain), {(n, n + 1) for n in range(1, len(CAPACITIES))})
        self.assertEqual(carried((1,), set()), set())

    def test_nobody_vouches_for_themselves(self) -> None:
        self.assertEqual(carried((1,), {(1, 1), (1, 2), (2, 2)}), {(1, 2)})

    def test_where_capacity_runs_short_the_nearer_are_served_first(self) -> None:
        edges = {(1, 2), (2, 30), (2, 31), (1, 3), (3, 40), (3, 41)}
        # The seed stands for four: itself, both beside it, one of those further out, the one with the lowest id.
        self.assertEqual(carried((1,), edges, capacities=(4, 3, 1)), {(1, 2), (1, 3), (2, 30)})


people = st.integers(min_value=1, max_value=30)


class AnyGraphTests(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(people, people), max_size=120), st.lists(people, max_size=3), st.randoms())
    def test_order_does_not_matter_and_capacity_is_kept(
        self, edges: list[Edge], seeds: list[int], dice: random.Random
    ) -> None:
        capacities = (6, 3, 2, 1)
        found = carried(seeds, edges, capacities=capacities)
        shuffled = [*edges, *edges[:5]]
        dice.shuffle(shuffled)
        self.assertEqual(carried(reversed(seeds), shuffled, capacities=capacities), found)
        self.assertLessEqual(found, set(edges))
        reached = {person for edge in found for person in edge}
        self.assertLessEqual(len(reached), capacities[0] * len(set(seeds)))
