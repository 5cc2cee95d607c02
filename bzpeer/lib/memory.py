"""Work on many objects at once without Python's cycle collector walking through them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collection() -> Iterator[None]:
    """Let cycles be looked for only where the caller asks (gc.collect) and at the end; what has no cycle goes at once.

    A batch makes hundreds of thousands of objects that live until its end: looking through them took a fifth
    of an import's time.
    """
    if not gc.isenabled():  # somebody around us did it already
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
