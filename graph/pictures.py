"""What the templates draw: shapes, lines, words and rows, made from a stored slice. No queries."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.urls import reverse

from graph.algorithms.payload import NodeRow, View
from graph.queries import Shown, record_address

WORDS = {"author": "person", "work": "work", "topic": "topic", "institution": "institution"}
PLURALS = {"author": "people", "work": "works", "topic": "topics", "institution": "institutions"}
HIT = 14  # radius of what a finger or pointer meets


@dataclass(frozen=True)
class Row:
    """One node in words: a line of the table."""

    place: int
    kind: str
    word: str
    name: str
    address: str  # its own page
    graph_address: str  # the graph around it
    works: int
    years: str
    strong: bool
    is_subject: bool
    together: bool  # two people

    @property
    def label(self) -> str:
        """The accessible name: what it is and how it is tied."""
        if self.is_subject:
            return f"{self.name}, {self.word}, subject of this graph"
        said = [self.name, self.word]
        if self.works:
            said.append(
                f"{self.works} {'work' if self.works == 1 else 'works'}{' together' if self.together else ''}"
            )
        if self.years:
            said.append(self.years)
        return ", ".join(said)


@dataclass(frozen=True)
class Shape:
    """One node as drawn; outline is the path of a diamond or hexagon."""

    row: Row
    href: str
    x: int
    y: int
    r: float
    outline: str
    text: str
    tx: float
    ty: float
    anchor: str

    @property
    def corner(self) -> tuple[float, float, float]:
        """The left, top and side of a square of about the same area."""
        side = round(self.r * 0.9, 1)
        return round(self.x - side, 1), round(self.y - side, 1), round(2 * side, 1)


@dataclass(frozen=True)
class Line:
    x1: int
    y1: int
    x2: int
    y2: int
    a: int
    b: int
    strong: bool


@dataclass(frozen=True)
class Picture:
    name: str
    width: int
    height: int
    lines: list[Line]
    shapes: list[Shape]
    label: str
    shown: str  # "11 of 20 people, 2 works"


@dataclass(frozen=True)
class Filter:
    """What a reader wants to see; nothing chosen means everything."""

    kinds: frozenset[str] = frozenset()
    strong_only: bool = False

    def lets_through(self, node: NodeRow, place: int) -> bool:
        if place == 0:
            return True
        if self.kinds and node["kind"] not in self.kinds:
            return False
        return not self.strong_only or node["strong"]

    @property
    def is_on(self) -> bool:
        return bool(self.kinds) or self.strong_only


@dataclass(frozen=True)
class Panel:
    """All that the templates need of a slice."""

    rows: list[Row]
    pictures: list[Picture]
    kinds: list[tuple[str, str]]  # drawn here, with the word of the legend
    shown: str  # "11 of 20 people, 2 works"
    notes: list[str]
    filtered: Filter = field(default_factory=Filter)

    @property
    def subject(self) -> Row:
        return self.rows[0]


def panel_of(shown: Shown, to_graph: bool = False, filtered: Filter | None = None) -> Panel:
    """Return a slice as shapes and rows; nodes lead to the graphs around them, or else to their own pages."""
    filtered = filtered or Filter()
    nodes = shown.payload["nodes"]
    visible = {
        place
        for place, node in enumerate(nodes)
        if place not in shown.hidden and filtered.lets_through(node, place)
    }
    rows = {place: _row(place, nodes[place], nodes[0]) for place in sorted(visible)}
    kinds = {row.kind for row in rows.values()}
    told = _told(rows.values(), shown.payload["totals"])
    return Panel(
        rows=list(rows.values()),
        pictures=[
            _picture(name, view, rows, shown, to_graph)
            for name, view in (("wide", shown.payload["wide"]), ("narrow", shown.payload["narrow"]))
        ],
        kinds=[(kind, word) for kind, word in WORDS.items() if kind in kinds],
        shown=told,
        notes=shown.payload["notes"],
        filtered=filtered,
    )


def _row(place: int, node: NodeRow, subject: NodeRow) -> Row:
    came_from = f"?from={subject['kind']}:{subject['pid']}"
    kind, pid = node["kind"], node["pid"]
    first, last = node["first_year"] or node["last_year"], node["last_year"] or node["first_year"]
    years = "" if not first else str(first) if first == last else f"{first} to {last}"
    return Row(
        place=place,
        kind=kind,
        word=WORDS[kind],
        name=node["name"],
        address=record_address(kind, pid, node["name"]),
        graph_address=reverse("graph:explorer", args=[kind, pid]) + ("" if place == 0 else came_from),
        works=node["works"],
        years=years,
        strong=node["strong"],
        is_subject=place == 0,
        together=kind == subject["kind"] == "author",
    )


def _told(rows: Iterable[Row], totals: dict[str, int]) -> str:
    """Say how many of each kind are shown, of how many there are."""
    counted = dict.fromkeys(WORDS, 0)
    for row in rows:
        if not row.is_subject:
            counted[row.kind] += 1
    told = []
    for kind, number in counted.items():
        total = totals.get(kind, 0)
        word = WORDS[kind] if max(number, total) == 1 else PLURALS[kind]
        if number:
            told.append(
                f"{number} of {total:,} {word}".replace(",", "\u202f")
                if total > number
                else f"{number} {word}"
            )
    return ", ".join(told)


def _picture(name: str, view: View, rows: dict[int, Row], shown: Shown, to_graph: bool) -> Picture:
    edges = shown.payload["edges"]
    marks = {mark["node"]: mark for mark in view["marks"] if mark["node"] in rows}
    drawn = [
        edges[number]
        for number in view["edges"]
        if edges[number]["a"] in marks and edges[number]["b"] in marks
    ]
    lines = [
        Line(
            marks[edge["a"]]["x"], marks[edge["a"]]["y"], marks[edge["b"]]["x"], marks[edge["b"]]["y"],
            edge["a"], edge["b"], edge["strong"],
        )
        for edge in sorted(drawn, key=lambda edge: edge["strong"])
    ]  # fmt: skip
    shapes = [
        Shape(
            row=rows[place],
            href=rows[place].graph_address if to_graph and not rows[place].is_subject else rows[place].address,
            x=mark["x"], y=mark["y"], r=mark["r"],
            outline=_outline(rows[place].kind, mark["x"], mark["y"], mark["r"]),
            text=mark["text"], tx=mark["tx"], ty=mark["ty"], anchor=mark["anchor"],
        )
        for place, mark in marks.items()
    ]  # fmt: skip
    told = _told((rows[place] for place in marks), shown.payload["totals"])
    label = f"Research graph around {rows[0].name}: {told or 'nothing else'}"
    return Picture(name, view["width"], view["height"], lines, shapes, label, told or "only the subject")


def _outline(kind: str, x: int, y: int, r: float) -> str:
    if kind == "topic":
        d = round(r * 1.25, 1)
        return f"M{x} {y - d:g}l{d:g} {d:g}-{d:g} {d:g}-{d:g}-{d:g}z"
    if kind == "institution":
        big, half = round(r * 1.12, 1), round(r * 0.56, 1)
        tall = round(r * 0.97, 1)
        return f"M{x - big:g} {y}l{half:g}-{tall:g}h{2 * half:g}l{half:g} {tall:g}-{half:g} {tall:g}h-{2 * half:g}z"
    return ""
