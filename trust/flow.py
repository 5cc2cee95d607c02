"""Which vouches carry flow from the curators' seeds, as Advogato's trust metric has it. Pure: edges in, edges out.

R. Levien, Attack-resistant trust metrics (2009): whoever is bought can let in so many others as their capacity says,
however many there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import networkx as nx
from networkx.algorithms.flow import shortest_augmenting_path

Edge = tuple[int, int]

# By distance from the nearest seed: how many people a node stands for, itself among them. Advogato's own: each step
# divides by about what one person vouches for (five a year here), so that honest people rarely meet the limit.
CAPACITIES = (800, 200, 50, 12, 4, 2, 1)

_SOURCE, _SINK = -1, -2


def carried(
    seeds: Iterable[int],
    edges: Iterable[Edge],
    *,
    capacities: Sequence[int] = CAPACITIES,
    algorithm: Callable[..., nx.DiGraph] = shortest_augmenting_path,
) -> set[Edge]:
    """Return the vouches (who vouches, for whom) that carry.

    A vouch carries when both its ends are accepted, and people are accepted through flow: each takes one unit, from
    the seeds over the vouches, and passes on no more than the rest of its capacity. That the two ends are asked, and
    not whether this very edge has flow in it, is because a person takes one unit only: of three honest vouches one
    would carry, and which one would hang on chance. What bounds the points is how many are accepted. Behind bought
    nodes these are at most the sum of (capacity - 1) over the bought nodes, and at most the sum over the attack edges
    (vouches by bought nodes for fakes) of the capacity of where they lead; each of them gains at most the cap of the
    vouch rule, whatever they vouch among themselves. Somebody who is accepted anyway gains by one of them only by
    taking part, and at most the cap.

    The answer does not depend on the order of the input. Where capacity runs short, flow goes the shortest ways first
    (the algorithm augments along them, and takes back from nobody): those near the seeds are served before those
    further out, and among them lower ids.

    20,000 people with 60,000 vouches take about 3 s of a processor; networkx's preflow_push takes as long or half as
    long again, edmonds_karp six times (make bench-vouches), dinitz sixty times.
    """
    known = sorted({(voucher, person) for voucher, person in edges if voucher != person})
    vouched: dict[int, list[int]] = defaultdict(list)
    for voucher, person in known:
        vouched[voucher].append(person)
    distance = _distances(seeds, vouched, len(capacities) - 1)
    accepted = _accepted(distance, vouched, capacities, algorithm)
    return {edge for edge in known if accepted.issuperset(edge)}


def _distances(seeds: Iterable[int], vouched: dict[int, list[int]], most: int) -> dict[int, int]:
    """Return the distance of everybody within reach of a seed, in the order of distance and id."""
    level = sorted(set(seeds))
    distance = dict.fromkeys(level, 0)
    for step in range(1, most + 1):
        following = {person for voucher in level for person in vouched.get(voucher, ())}
        level = sorted(following - distance.keys())
        distance |= dict.fromkeys(level, step)
    return distance


def _accepted(
    distance: dict[int, int],
    vouched: dict[int, list[int]],
    capacities: Sequence[int],
    algorithm: Callable[..., nx.DiGraph],
) -> set[int]:
    """Return who takes a unit of the greatest flow. Each node is two, joined by what it may pass on."""
    if not distance:
        return set()
    place = {person: 2 * number for number, person in enumerate(distance)}
    graph = nx.DiGraph()
    graph.add_nodes_from([_SOURCE, *range(2 * len(place)), _SINK])
    for person, step in distance.items():
        entry = place[person]
        if step == 0:
            graph.add_edge(_SOURCE, entry, capacity=capacities[0])
        graph.add_edge(entry, _SINK, capacity=1)
        graph.add_edge(entry, entry + 1, capacity=capacities[step] - 1)
        for other in vouched.get(person, ()):
            if other in place:
                graph.add_edge(entry + 1, place[other], capacity=capacities[distance[other]])
    residual = algorithm(graph, _SOURCE, _SINK)
    return {person for person, entry in place.items() if residual[entry][_SINK]["flow"] > 0}
