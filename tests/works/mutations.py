"""Put wrong values into JSON that was right, as no provider promises what its fields hold."""

import copy
from typing import Any

from hypothesis import strategies as st

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), st.just([]), st.just({}), st.just([None]),
    st.just([[None]]), st.just("x" * 10_000), st.just({"date-parts": [[None, -1]]}), st.just("\x00\u202e"),
)  # fmt: skip


def mutate(value: Any, data: st.DataObject) -> None:
    """Put something else at a random place of a JSON value."""
    while True:
        places = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not places:
            return
        place = data.draw(st.sampled_from(places))
        below = value[place]
        if isinstance(below, dict | list) and below and data.draw(st.booleans()):
            value = below
            continue
        value[place] = copy.deepcopy(data.draw(ANYTHING))
        return
