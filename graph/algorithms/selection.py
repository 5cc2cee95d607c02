"""What a slice shows: the strongest of every kind around a subject, and the lines among them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

KINDS = ("author", "work", "topic", "institution")

MOST_NODES = 60
MOST_EDGES = 200


@dataclass(frozen=True)
class Node:
    """A record that may stand in a slice.

    strength: how near to the subject, comparable within one kind. works: how many works tie it to the
    subject, 0 where that is no fact.
    """

    kind: str
    id: int
    pid: str = ""
    name: str = ""
    strength: float = 0.0
    works: int = 0
    first_year: int | None = None
    last_year: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.kind, self.id


@dataclass(frozen=True)
class Edge:
    """A tie between two records. strong is drawn dark; works and years say what it rests on."""

    a: tuple[str, int]
    b: tuple[str, int]
    strength: float = 1.0
    strong: bool = False
    works: int = 0
    first_year: int | None = None
    last_year: int | None = None


@dataclass(frozen=True)
class Budget:
    """How much fits: nodes of each kind beside the subject, and lines. Places left over go to the next kinds."""

    author: int
    work: int
    topic: int
    institution: int
    edges: int
    ties_each: int = 4  # between people: the strongest few of each, so that a large group stays readable

    @property
    def nodes(self) -> int:
        return self.author + self.work + self.topic + self.institution


PANEL = Budget(author=11, work=4, topic=2, institution=2, edges=70)
PANEL_NARROW = Budget(author=5, work=2, topic=1, institution=1, edges=32)
EXPLORER = Budget(
    author=33, work=12, topic=7, institution=7, edges=180, ties_each=3
)  # the narrow view may add a few
EXPLORER_NARROW = Budget(author=9, work=4, topic=2, institution=2, edges=50, ties_each=3)

# The kinds that a subject is tied to directly; others hang on what stands between, where that is shown.
DIRECT = {
    "author": {"author", "work", "institution"},
    "work": {"author", "topic", "work"},
    "topic": {"work", "topic"},
    "institution": {"author", "institution"},
}


@dataclass(frozen=True)
class Neighbourhood:
    """All that was read around one subject: candidates carry their tie to it, edges run among candidates."""

    subject: Node
    candidates: Sequence[Node] = ()
    edges: Sequence[Edge] = ()
    ties: dict[tuple[str, int], Edge] = field(default_factory=dict)  # from the subject, by candidate
    totals: dict[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Selection:
    """nodes[0] is the subject; edges are pairs of places in nodes with the tie they draw."""

    nodes: list[Node]
    edges: list[tuple[int, int, Edge]]


def select(around: Neighbourhood, budget: Budget) -> Selection:
    """Return the nodes and lines that fit, the same ones for the same facts in whatever order."""
    nodes = [around.subject, *_best_nodes(around, budget)]
    place = {node.key: number for number, node in enumerate(nodes)}
    among = [
        edge
        for edge in _unique(around.edges)
        if edge.a in place and edge.b in place and around.subject.key not in (edge.a, edge.b)
    ]
    on_work = {
        (edge.a, edge.b) if edge.b[0] == "work" else (edge.b, edge.a)
        for edge in among
        if "work" in (edge.a[0], edge.b[0])
    }
    shown_works = [node.key for node in nodes if node.kind == "work"]

    def told_by_a_work(edge: Edge) -> bool:
        """Two weakly tied authors whose shared work is drawn need no line of their own."""
        return (
            edge.a[0] == edge.b[0] == "author"
            and not edge.strong
            and any((edge.a, work) in on_work and (edge.b, work) in on_work for work in shown_works)
        )

    among = _strongest_ties([edge for edge in among if not told_by_a_work(edge)], budget.ties_each)
    direct = [
        around.ties[node.key]
        for node in nodes[1:]
        if node.kind in DIRECT[around.subject.kind] and node.key in around.ties
    ]
    chosen = direct[: budget.edges]
    chosen += sorted(among, key=_edge_rank)[: budget.edges - len(chosen)]
    chosen = _all_reached(around, nodes, chosen, budget)
    return Selection(nodes, [(place[edge.a], place[edge.b], edge) for edge in _dark_and_light(chosen)])


def _strongest_ties(edges: list[Edge], each: int) -> list[Edge]:
    """Return the edges, of those between two authors only the ones among the strongest of either."""
    count: dict[tuple[str, int], int] = {}
    kept = []
    for edge in sorted(edges, key=_edge_rank):
        if edge.a[0] == edge.b[0] == "author":
            if min(count.get(edge.a, 0), count.get(edge.b, 0)) >= each:
                continue
            count[edge.a] = count.get(edge.a, 0) + 1
            count[edge.b] = count.get(edge.b, 0) + 1
        kept.append(edge)
    return kept


def _dark_and_light(edges: list[Edge]) -> list[Edge]:
    """Return the edges, drawn light again where nearly all of a kind are strong: dark is for the stronger half."""
    groups: dict[tuple[str, ...], list[Edge]] = {}
    for edge in edges:
        groups.setdefault(tuple(sorted((edge.a[0], edge.b[0]))), []).append(edge)
    least: dict[tuple[str, ...], float] = {}
    for kinds, group in groups.items():
        if sum(edge.strong for edge in group) > 0.6 * len(group) and len(group) >= 8:
            least[kinds] = sorted(edge.strength for edge in group)[len(group) // 2]
    return [
        replace(
            edge,
            strong=edge.strong and edge.strength >= least.get(tuple(sorted((edge.a[0], edge.b[0]))), 0.0),
        )
        for edge in edges
    ]


def _best_nodes(around: Neighbourhood, budget: Budget) -> list[Node]:
    """Return candidates by kind, strongest first; places that one kind leaves empty go to the others."""
    by_kind = {
        kind: sorted({node.key: node for node in around.candidates if node.kind == kind}.values(), key=_rank)
        for kind in KINDS
    }
    taken = {kind: min(len(by_kind[kind]), getattr(budget, kind)) for kind in KINDS}
    left = budget.nodes - sum(taken.values())
    for kind in KINDS:
        more = min(left, len(by_kind[kind]) - taken[kind], getattr(budget, kind) // 2)
        taken[kind] += more
        left -= more
    return [node for kind in KINDS for node in by_kind[kind][: taken[kind]] if node.key != around.subject.key]


def _rank(node: Node) -> tuple[float, int, int]:
    return -node.strength, -(node.last_year or 0), node.id


def _edge_rank(edge: Edge) -> tuple[bool, float, tuple[str, int], tuple[str, int]]:
    return not edge.strong, -edge.strength, edge.a, edge.b


def _unique(edges: Iterable[Edge]) -> list[Edge]:
    """Return one edge for each pair, the strongest."""
    best: dict[frozenset[tuple[str, int]], Edge] = {}
    for edge in sorted(edges, key=_edge_rank):
        if edge.a != edge.b:
            best.setdefault(frozenset((edge.a, edge.b)), edge)
    return list(best.values())


def _all_reached(around: Neighbourhood, nodes: list[Node], chosen: list[Edge], budget: Budget) -> list[Edge]:
    """Tie to the subject directly whatever the chosen lines leave out of reach; weak lines make room."""
    neighbours: dict[tuple[str, int], set[tuple[str, int]]] = {node.key: set() for node in nodes}
    for edge in chosen:
        neighbours[edge.a].add(edge.b)
        neighbours[edge.b].add(edge.a)
    reached: set[tuple[str, int]] = set()
    extra: list[Edge] = []
    for start in [around.subject.key, *(node.key for node in nodes)]:
        if start in reached:
            continue
        if start != around.subject.key:
            if start not in around.ties:
                continue
            extra.append(around.ties[start])
        stack = [start]
        while stack:
            key = stack.pop()
            if key not in reached:
                reached.add(key)
                stack += neighbours[key] - reached
    ends = {frozenset((edge.a, edge.b)) for edge in extra}
    kept = [edge for edge in chosen if frozenset((edge.a, edge.b)) not in ends]
    return kept[: budget.edges - len(extra)] + extra[: budget.edges]
