"""Where a slice is drawn: the same facts give the same picture."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import numpy.typing as npt

from graph.algorithms.labels import Label, place_labels, text_width, variants
from graph.algorithms.selection import Selection

Array = npt.NDArray[np.float64]

SEED = 20
MARGIN = 8.0
BOLD = 1.12  # how much wider bold letters are: the subject's


@dataclass(frozen=True)
class Frame:
    """The paper of one variant, in its own units; type is the size of a label."""

    width: int
    height: int
    type: float
    radius: float
    subject_radius: float


PANEL_WIDE = Frame(820, 440, type=13, radius=7, subject_radius=12)
PANEL_NARROW = Frame(380, 420, type=15, radius=8, subject_radius=13)
EXPLORER_WIDE = Frame(1180, 760, type=13, radius=7, subject_radius=13)
EXPLORER_NARROW = Frame(380, 620, type=15, radius=8, subject_radius=13)


@dataclass(frozen=True)
class Drawing:
    """Places of nodes and labels within a frame, in the order of the selection."""

    frame: Frame
    centres: list[tuple[int, int]]
    radii: list[float]
    labels: list[Label | None]


def draw(selection: Selection, frame: Frame) -> Drawing:
    """Lay a selection out: springs, then room for every label, then the labels themselves."""
    nodes = selection.nodes
    radii = np.array([frame.subject_radius if i == 0 else frame.radius for i in range(len(nodes))])
    sizes = [(frame.type + 2) * BOLD if i == 0 else frame.type for i in range(len(nodes))]
    boxes = np.array(
        [_room(node.kind, node.name, r, size) for node, r, size in zip(nodes, radii, sizes, strict=True)]
    )
    centres = _to_frame(_springs(selection), boxes, frame)
    centres = np.rint(_make_room(centres, boxes, frame))
    lines = np.array([[*centres[a], *centres[b]] for a, b, _ in selection.edges]).reshape(-1, 4)
    labels = place_labels(
        [(node.kind, node.name) for node in nodes], centres, radii, lines, (frame.width, frame.height), sizes
    )
    return Drawing(frame, [(int(x), int(y)) for x, y in centres], [float(r) for r in radii], labels)


def _room(kind: str, name: str, radius: float, size: float) -> tuple[float, float]:
    """Return half the width and half the height of a node with its label below."""
    width = text_width(variants(kind, name)[0], size)
    return max(width / 2, radius) + 5, radius + 0.65 * size + 4


def _springs(selection: Selection) -> Array:
    """Return rough places between 0 and 1, from springs as strong as the ties."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(selection.nodes)))
    for a, b, edge in selection.edges:
        graph.add_edge(a, b, weight=1.5 if edge.strong else 0.7)
    if len(graph) == 1:
        return np.array([[0.5, 0.5]])
    places = nx.spring_layout(graph, seed=SEED, iterations=120, k=2.2 / len(graph) ** 0.5)
    found = np.array([places[i] for i in range(len(graph))])
    # Half the way to even spacing: dense middles open, outliers come nearer.
    ranks = found.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / (len(graph) - 1)
    spread = (found - found.min(axis=0)) / np.maximum(np.ptp(found, axis=0), 1e-9)
    return 0.5 * spread + 0.5 * ranks


def _to_frame(places: Array, boxes: Array, frame: Frame) -> Array:
    low = boxes + MARGIN
    high = np.array([frame.width, frame.height]) - boxes - MARGIN
    return low + places * (high - low)


def _make_room(centres: Array, boxes: Array, frame: Frame) -> Array:
    """Push apart what overlaps, each pair along its shorter way out, without leaving the frame."""
    low = boxes + MARGIN
    high = np.maximum(np.array([frame.width, frame.height]) - boxes - MARGIN, low)
    need = boxes[:, None, :] + boxes[None, :, :]
    moved = centres.copy()
    order = np.arange(len(centres))
    side = np.where(order[:, None] < order[None, :], -1.0, 1.0)  # who gives way when two share a place
    for _ in range(300):
        gap = moved[:, None, :] - moved[None, :, :]
        overlap = need - np.abs(gap)
        np.einsum("iij->ij", overlap)[:] = 0
        hit = np.asarray((overlap > 0.01).all(axis=2))
        if not hit.any():
            break
        along_x = np.asarray(overlap[..., 0] <= 1.6 * overlap[..., 1])
        direction = np.where(np.abs(gap) < 1e-6, side[..., None], np.sign(gap))
        push = np.where(hit[..., None], overlap * direction, 0.0)
        push[..., 0] *= along_x
        push[..., 1] *= ~along_x
        moved = np.clip(moved + 0.3 * push.sum(axis=1), low, high)
    return moved
