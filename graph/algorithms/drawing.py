"""Make the stored form of a slice from what was read around its subject."""

from collections import Counter
from dataclasses import replace

from graph.algorithms import layout, selection
from graph.algorithms.layout import Drawing, Frame
from graph.algorithms.payload import EdgeRow, Mark, NodeRow, Payload, View
from graph.algorithms.selection import Budget, Edge, Neighbourhood, Node, Selection


def build_payload(around: Neighbourhood, explorer: bool) -> Payload:
    """Return the slice around a subject; the narrow view shows a part of the wide one."""
    budget, few = (
        (selection.EXPLORER, selection.EXPLORER_NARROW)
        if explorer
        else (selection.PANEL, selection.PANEL_NARROW)
    )
    wide, narrow = (
        (layout.EXPLORER_WIDE, layout.EXPLORER_NARROW)
        if explorer
        else (layout.PANEL_WIDE, layout.PANEL_NARROW)
    )
    chosen = selection.select(around, budget)
    part = _narrower(around, chosen, few)
    place = {node.key: number for number, node in enumerate(chosen.nodes)}
    ties = _ties(chosen) | _ties(part)
    numbers = {ends: number for number, ends in enumerate(ties)}
    strong = {
        place[key]
        for edge in ties.values()
        if edge.strong
        for key in (edge.a, edge.b)
        if around.subject.key in (edge.a, edge.b)
    }
    shown = Counter(node.kind for node in chosen.nodes[1:])
    return Payload(
        nodes=[_node_row(node, number in strong and number > 0) for number, node in enumerate(chosen.nodes)],
        edges=[_edge_row(place[edge.a], place[edge.b], edge) for edge in ties.values()],
        wide=_view(chosen, place, numbers, wide),
        narrow=_view(part, place, numbers, narrow),
        totals={kind: max(around.totals.get(kind, 0), shown[kind]) for kind in selection.KINDS},
        notes=list(around.notes),
    )


def _ties(chosen: Selection) -> dict[frozenset[tuple[str, int]], Edge]:
    return {frozenset((edge.a, edge.b)): edge for _, _, edge in chosen.edges}


def _narrower(around: Neighbourhood, wide: Selection, budget: Budget) -> Selection:
    """Return the part of a selection that fits a phone."""
    edges = [edge for _, _, edge in wide.edges]
    return selection.select(replace(around, candidates=wide.nodes[1:], edges=edges), budget)


def _node_row(node: Node, strong: bool) -> NodeRow:
    return NodeRow(
        kind=node.kind, id=node.id, pid=node.pid, name=node.name, works=node.works,
        first_year=node.first_year, last_year=node.last_year, strong=strong,
    )  # fmt: skip


def _edge_row(a: int, b: int, edge: Edge) -> EdgeRow:
    return EdgeRow(
        a=a, b=b, strong=edge.strong, works=edge.works, first_year=edge.first_year, last_year=edge.last_year
    )


def _view(
    part: Selection,
    place: dict[tuple[str, int], int],
    numbers: dict[frozenset[tuple[str, int]], int],
    frame: Frame,
) -> View:
    drawing = layout.draw(part, frame)
    return View(
        width=frame.width,
        height=frame.height,
        marks=[_mark(place[node.key], number, drawing) for number, node in enumerate(part.nodes)],
        edges=[numbers[ends] for ends in _ties(part)],
    )


def _mark(node: int, number: int, drawing: Drawing) -> Mark:
    x, y = drawing.centres[number]
    label = drawing.labels[number]
    return Mark(
        node=node, x=x, y=y, r=drawing.radii[number],
        text=label.text if label else "",
        tx=round(label.x, 1) if label else 0, ty=round(label.y, 1) if label else 0,
        anchor=label.anchor if label else "start",
    )  # fmt: skip
