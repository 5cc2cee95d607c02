"""Real documents with values or bytes changed anywhere, for readers that nothing may make fall."""

from typing import Any

from hypothesis import strategies as st

_WORDS = (
    "value", "type", "types", "id", "all", "name", "lang", "date", "path", "uri", "content", "year", "source", "title",
    "work-summary",
)  # fmt: skip
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn, documents: list[Any]) -> Any:
    """One of the documents with one to three values, wherever they stand, become anything."""
    document = draw(st.sampled_from(documents))
    for _ in range(draw(st.integers(1, 3))):
        if places := _places(document):
            document = _replaced(document, draw(st.sampled_from(places)), draw(ANYTHING))
    return document


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each value in a document."""
    found = [path] if path else []
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        found += _places(value, (*path, key))
    return found


def _replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = _replaced(node[path[0]], path[1:], value)
    return copy


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, insertions: list[bytes]) -> bytes:
    """The bytes with a stretch of them gone and something else in its place."""
    start = draw(st.integers(0, len(whole)))
    end = start + draw(st.integers(0, 400))
    return whole[:start] + draw(st.binary(max_size=8) | st.sampled_from(insertions)) + whole[end:]
