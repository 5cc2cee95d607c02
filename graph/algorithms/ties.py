"""How strong a tie between two authors is."""

from collections.abc import Sequence

MOST_AUTHORS = 100  # works of more authors make no pairs
SMALL_AUTHORS = 50  # works of more authors make no close collaborators
CLOSE_AUTHORS = 10  # one shared work of at most so many authors is close
CLOSE_WORKS = 2  # or so many shared works of at most SMALL_AUTHORS


def tie_strength(author_counts: Sequence[int]) -> float:
    """Return the collaboration weight between two coauthors.

    author_counts: authors on each shared work, every value >= 2.
    Unit: works, as the sum of 1 / (n - 1); 0.0 when empty.
    Raises ValueError below 2.
    Source: Newman 2001, Phys. Rev. E 64, 016132.
    """
    if any(count < 2 for count in author_counts):
        raise ValueError("a shared work has at least two authors")
    return sum(1 / (count - 1) for count in author_counts)


def is_close(small_works_count: int, min_authors_count: int) -> bool:
    """Return whether two authors are close collaborators.

    small_works_count: shared works of at most SMALL_AUTHORS. min_authors_count: authors on the shortest list.
    """
    return small_works_count >= CLOSE_WORKS or min_authors_count <= CLOSE_AUTHORS
