"""How long the flow of vouches takes at the size of a large community: make bench-vouches

SIZE people (20,000), each vouched for by three who came before, from 25 seeds. networkx's other algorithms are timed
on the same graph where they end within minutes, to say why the one in use is in use.
"""

import os
import random
import time
from collections.abc import Callable
from typing import Any

SEEDS = 25
VOUCHES = 3
SECONDS = 60.0  # of a processor, the same work whatever else runs


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bzpeer.settings")
    django.setup()
    from networkx.algorithms.flow import edmonds_karp, preflow_push, shortest_augmenting_path

    from bzpeer.lib.figures import Figures
    from trust.flow import carried

    size = int(os.environ.get("SIZE") or 20_000)
    figures = Figures("bench-vouches")
    edges = community(size)
    seconds, found = timed(lambda: carried(range(SEEDS), edges))
    print(f"{size:,} people, {len(edges):,} vouches, {len(found):,} carry", flush=True)
    figures.add("vouches.flow.people", size, "people")
    figures.add("vouches.flow.vouches", len(edges), "vouches")
    figures.add("vouches.flow.seconds", seconds, "s", f"<={SECONDS:.0f}")
    small = community(size // 10)
    for algorithm in (shortest_augmenting_path, preflow_push, edmonds_karp):
        seconds, _ = timed(lambda algorithm=algorithm: carried(range(SEEDS), small, algorithm=algorithm))
        figures.add(f"vouches.flow.tenth.{algorithm.__name__}", seconds, "s")
    figures.write()


def community(size: int) -> set[tuple[int, int]]:
    """Return vouches as a community grows them: newcomers are known to people of the last nine tenths before them."""
    dice = random.Random(1)
    return {
        (dice.randrange(person // 10, person), person)
        for person in range(SEEDS, size)
        for _ in range(VOUCHES)
    }


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    found = action()
    return time.process_time() - started, found


if __name__ == "__main__":
    main()
