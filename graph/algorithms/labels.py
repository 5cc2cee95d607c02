"""Words beside nodes: how wide they are, how they get shorter, where they fit."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

# Advance widths in thousandths of the type size, of a wide sans (DejaVu Sans): narrower faces leave room.
_WIDTHS = {
    **dict.fromkeys("ijl'|", 280), **dict.fromkeys(" .,:;!I", 330), **dict.fromkeys("frt()[]-/\"", 405),
    **dict.fromkeys("sczvxyJ", 575), **dict.fromkeys("abdeghknopquLFT?ELS0123456789", 635),
    **dict.fromkeys("ABCKPRVXYZ&", 690), **dict.fromkeys("DGHNOQUw+=<>", 820), **dict.fromkeys("mMW%@", 990),
    "…": 1000,
}  # fmt: skip
_OTHER, _WIDE = 660, 1020
# A label never ends in one of these.
_SMALL_WORDS = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "using", "via", "with"}
)  # fmt: skip

Array = npt.NDArray[np.float64]


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """Return about how wide text is drawn at a type size, rather more than less."""
    total = 0
    for char in text:
        if unicodedata.combining(char):
            continue
        if unicodedata.east_asian_width(char) in "WF":
            total += _WIDE
            continue
        base = unicodedata.normalize("NFD", char)[0]
        total += _WIDTHS.get(base, _OTHER if base.islower() else 760)
    return total * size / 1000


def shorten(text: str, most: int) -> str:
    """Return text of at most so many characters, cut at a word where that leaves enough, with an ellipsis."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at_word = cut.rsplit(" ", 1)[0]
    kept = at_word if len(at_word) * 2 >= most else cut
    while " " in kept and kept.rsplit(" ", 1)[1].lower() in _SMALL_WORDS:
        kept = kept.rsplit(" ", 1)[0]
    return kept.rstrip(" ,;:-–(") + "…"


def variants(kind: str, name: str) -> list[str]:
    """Return the ways to write a node's label, longest first."""
    name = name.strip() or "Untitled"
    if kind == "author":
        words = name.split()
        found = [name] if len(name) <= 24 else []
        if len(words) > 1 and name.isascii():
            initials = " ".join(f"{word[0]}." for word in words[:-1])
            found += [f"{initials} {words[-1]}", f"{words[0][0]}. {words[-1]}"]
        found += [shorten(name, 16), shorten(name, 10)]
    elif kind == "work":
        before, colon, _ = name.partition(":")
        if colon and 3 <= len(before.strip()) <= 28:
            found = [before.strip()]
        else:
            found = [shorten(name, 26)]
        found += [shorten(found[0], 17), shorten(found[0], 11)]
    else:
        found = [shorten(name, 30), shorten(name, 20), shorten(name, 13)]
    return list(dict.fromkeys(label for label in found if len(label) <= 30))


@dataclass(frozen=True)
class Label:
    """Text drawn with its baseline at (x, y); anchor is SVG's text-anchor."""

    text: str
    x: float
    y: float
    anchor: str

    def box(self, size: float) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom."""
        width = text_width(self.text, size)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.95 * size, left + width, self.y + 0.3 * size


def place_labels(
    names: list[tuple[str, str]],
    centres: Array,
    radii: Array,
    lines: Array,
    frame: tuple[float, float],
    sizes: list[float],
) -> list[Label | None]:
    """Return a label for each node, or None where none fits; no two touch, none covers a node or leaves.

    names: kind and name, most important first. centres: x, y. lines: x1, y1, x2, y2 of every edge.
    frame: width, height. Labels cross as few lines as they can.
    """
    placed: list[Label | None] = []
    boxes: list[tuple[float, float, float, float]] = [
        (x - r - 1, y - r - 1, x + r + 1, y + r + 1) for (x, y), r in zip(centres, radii, strict=True)
    ]
    # Room that the layout left below each node: others keep out of it while they can.
    reserved = [
        _around(variants(kind, name)[0], centre, radius, size)[1].box(size)
        for (kind, name), centre, radius, size in zip(names, centres, radii, sizes, strict=True)
    ]
    for number, (kind, name) in enumerate(names):
        best: tuple[float, Label] | None = None
        for text in variants(kind, name):
            for preference, label in enumerate(_around(text, centres[number], radii[number], sizes[number])):
                box = label.box(sizes[number])
                if not _inside(box, frame) or _touches(box, boxes, but=number):
                    continue
                invaded = sum(_overlap(box, other) for other in reserved[number + 1 :])
                cost = _crossings(box, lines) + 0.3 * preference + 2 * invaded
                if best is None or cost < best[0]:
                    best = cost, label
            if best:
                break
        placed.append(best[1] if best else None)
        if best:
            boxes.append(best[1].box(sizes[number]))
    return placed


def _around(text: str, centre: Array, radius: float, size: float) -> list[Label]:
    x, y = float(centre[0]), float(centre[1])
    level = y + 0.35 * size
    return [
        Label(text, x + radius + 5, level, "start"),
        Label(text, x, y + radius + 0.95 * size + 3, "middle"),
        Label(text, x - radius - 5, level, "end"),
        Label(text, x, y - radius - 0.3 * size - 3, "middle"),
    ]


def _inside(box: tuple[float, float, float, float], frame: tuple[float, float]) -> bool:
    return box[0] >= 2 and box[1] >= 1 and box[2] <= frame[0] - 2 and box[3] <= frame[1] - 1


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _touches(
    box: tuple[float, float, float, float], boxes: list[tuple[float, float, float, float]], but: int
) -> bool:
    left, top, right, bottom = box
    return any(
        number != but
        and left < other[2] + 2
        and right > other[0] - 2
        and top < other[3]
        and bottom > other[1]
        for number, other in enumerate(boxes)
    )


def _crossings(box: tuple[float, float, float, float], lines: Array) -> float:
    """Return how many lines run through a box (Liang-Barsky, all lines at once)."""
    if not len(lines):
        return 0.0
    start, step = lines[:, :2], lines[:, 2:] - lines[:, :2]
    low, high = np.array(box[:2]), np.array(box[2:])
    flat = np.abs(step) < 1e-9
    safe = np.where(flat, 1.0, step)
    t1, t2 = (low - start) / safe, (high - start) / safe
    inside = (start >= low) & (start <= high)
    enter = np.where(flat, np.where(inside, -np.inf, np.inf), np.minimum(t1, t2)).max(axis=1)
    leave = np.where(flat, np.where(inside, np.inf, -np.inf), np.maximum(t1, t2)).min(axis=1)
    return float(np.count_nonzero((enter <= leave) & (leave >= 0) & (enter <= 1)))
