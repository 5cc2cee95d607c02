"""The stored form of a slice: drawn twice, told once as a table, ready to show."""

from typing import TypedDict

METHOD_VERSION = 1


class NodeRow(TypedDict):
    kind: str
    id: int
    pid: str
    name: str
    works: int
    first_year: int | None
    last_year: int | None
    strong: bool  # tied to the subject by a strong line


class EdgeRow(TypedDict):
    a: int  # places in nodes
    b: int
    strong: bool
    works: int
    first_year: int | None
    last_year: int | None


class Mark(TypedDict):
    """One node as drawn: its place in nodes, where it stands, its label; text is empty where none fits."""

    node: int
    x: int
    y: int
    r: float
    text: str
    tx: float
    ty: float
    anchor: str


class View(TypedDict):
    width: int
    height: int
    marks: list[Mark]
    edges: list[int]  # places in edges


class Payload(TypedDict):
    nodes: list[NodeRow]  # the subject first
    edges: list[EdgeRow]
    wide: View
    narrow: View
    totals: dict[str, int]  # how many there are of each kind, shown or not
    notes: list[str]
