"""How much evidence says that two lines of author lists are one person, for all pairs of a group at once. Pure.

Evidence is counted in bits, log2 of how much likelier it is under one person than under two. The tables
below were measured on the ACL Anthology: pairs of lines of rare full names, which are one person, against
pairs of one family name with other given names, which are two.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from works.matching.census import Census
from works.matching.names import Shared, Spelling, shared
from works.matching.papers import MOST_AUTHORS, Collection, Ints

Floats = NDArray[np.float32]
Compare = Callable[[Spelling, Spelling], Shared | None]

CERTAINTY = 6.7  # bits wanted beyond even odds, when nobody can say how often a name's bearers meet
NEVER = np.float32(-1000.0)  # two people for certain
WEAKEST = -6.5  # hardly any pair of one person's lines has less evidence

# The tables are of a circle of people that knows itself. Among more people, to have coauthors or a place in
# common also tells that it is the same circle.
_MEASURED = 13.7  # bits of the population

# Value to bits.
_COAUTHORS = ([0.5, 0.75, 1, 2, 4], [3.3, 4.3, 5.2, 5.8, 6.4])
_NO_COAUTHOR = ([2, 3, 4, 5, 6, 7], [-0.2, -0.45, -0.7, -0.95, -1.15, -1.4])  # by log2 of both lists' lengths
_COAUTHOR_WEIGHT = ([14, 23, 26], [0.5, 0.7, 1])  # by the bits of the coauthor's name
_CIRCLE = ([-13.3, -12.7, -11.7, -11, -10.1, -9.2, -8.2, -7], [0.9, 1.7, 2.4, 2.9, 3.5, 4.0, 4.9, 6])  # log2
_NO_CIRCLE = -0.39
_TITLES = (
    [0, 0.01, 0.035, 0.075, 0.12, 0.17, 0.25, 0.4, 0.7, 0.95],
    [-0.3, -0.07, 0.1, 0.7, 1.5, 2.2, 3.2, 4.8, 6.4, 7.7],
)
_PLACES = ([0, 0.02, 0.05, 0.15, 0.25, 0.4, 0.6, 0.8, 0.95], [-2.6, -3, -3, -2, 1, 2.5, 3.7, 4.8, 6])
_YEARS = ([0, 1, 2, 3, 8, 12, 17, 25, 35, 60], [0.6, 0.4, 0.2, 0, 0, -0.4, -1, -1.5, -2.9, -5])
_INSTITUTION, _OTHER_INSTITUTION = 6.0, -1.5
_TOPIC, _OTHER_TOPIC = 5.0, -0.5
_SOURCE = 4.0
_VARIANT, _OTHER_VARIANT = 6.0, -4.0
_TELLING_TITLE = 8.0  # length of a row of weights; common words alone make no title that is like another
_CIRCLE_SIZE = 50  # longer lists are no circle
_NO_CIRCLE_NAME = 18.0  # bits; so common a name is several people's and ties strangers together


class Groups:
    """Lines in groups, and every pair of lines of one group as places in one flat array of squares."""

    def __init__(self, rows: Ints, sizes: Ints) -> None:
        self.rows, self.sizes = rows, sizes
        self.starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self.squares = np.concatenate(([0], np.cumsum(sizes.astype(np.int64) ** 2)))
        self.group_of = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        width = sizes[self.group_of].astype(np.int64)
        self._first = (
            self.squares[self.group_of] + (np.arange(len(rows)) - self.starts[self.group_of]) * width
        )
        self.left: Ints = np.repeat(np.arange(len(rows), dtype=np.int32), width)
        within = np.arange(self.squares[-1]) - np.repeat(self._first, width)
        self.right: Ints = (np.repeat(self.starts[self.group_of], width) + within).astype(np.int32)

    def places(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.int64]:
        return self._first[left] + right - self.starts[self.group_of[left]]

    def square(self, flat: NDArray, group: int) -> NDArray:
        size = int(self.sizes[group])
        return flat[self.squares[group] : self.squares[group + 1]].reshape(size, size)

    def spread(self, matrix: sparse.csr_array) -> Floats:
        """Return a sparse matrix of lines by lines of the same groups as a flat array."""
        flat = np.zeros(self.squares[-1], np.float32)
        left = np.repeat(np.arange(len(self.rows)), np.diff(matrix.indptr))
        flat[self.places(left, matrix.indices)] = matrix.data
        return flat


class Evidence:
    """The evidence among the lines of a collection."""

    def __init__(self, collection: Collection, census: Census) -> None:
        self.collection, self.census = collection, census
        c = collection
        self._name_bits = np.array([census.bits(one) for one in c.spellings], np.float32)
        self._coauthor_weight = np.interp(self._name_bits, *_COAUTHOR_WEIGHT).astype(np.float32)
        self._titles = _scaled(c.titles, census.title_weights(c.title_words), _TELLING_TITLE)
        self._places = _scaled(c.places, census.place_weights(c.place_words), 0.0)
        self._topic_bits = np.minimum(census.topic_bits(c.topic_keys) - 1, _TOPIC).clip(0)
        self._source_bits = (census.source_bits(c.source_keys) - 2).clip(0, _SOURCE)
        self._log_sizes = np.log2(np.maximum(c.sizes, 1)).astype(np.float32)

    def bits_of_name(self, number: int) -> float:
        return float(self._name_bits[number])

    @property
    def base(self) -> float:
        """Return what evidence there is for two lines before anything is compared, beside the name's bits."""
        return -self.census.population - CERTAINTY

    def weigh(self, groups: Groups, compare: Compare = shared) -> Floats:
        """Return the evidence for every pair beyond what joining needs, as a flat array; NEVER where forbidden.

        compare: what two different names have in common.
        """
        c, rows = self.collection, groups.rows
        papers = c.paper_of[rows]
        flat = self._names(groups, compare) + np.float32(self.base)
        coauthors, circle = self._coauthors(groups)
        titles = np.interp(self._alike(groups, self._titles[papers]), *_TITLES).astype(np.float32)
        places = self._whereabouts(groups)
        flat += coauthors + circle + titles + places + self._subjects(groups)
        if self.census.population > _MEASURED:
            wider = 2 * coauthors.clip(0) + 1.5 * circle.clip(0) + 0.7 * places.clip(0) + 0.5 * titles.clip(0)
            flat += wider.clip(0, self.census.population - _MEASURED)
        flat += self._times(groups)
        if any(int(row) in c.variants for row in rows):
            flat += self._variants(groups)
        flat[papers[groups.left] == papers[groups.right]] = NEVER
        return flat

    # --- Names ---------------------------------------------------------------------------------------------

    def _names(self, groups: Groups, compare: Compare) -> Floats:
        c = self.collection
        numbers = c.spelling_of[groups.rows]
        flat = self._name_bits[numbers][groups.left]
        first = numbers[groups.starts[groups.group_of]]
        mixed = np.unique(groups.group_of[numbers != first])
        for group in mixed.tolist():
            own = numbers[groups.starts[group] : groups.starts[group + 1]]
            distinct, place = np.unique(own, return_inverse=True)
            names = [c.spellings[number] for number in distinct]
            table = np.full((len(names), len(names)), NEVER, np.float32)
            for i, one in enumerate(names):
                for j in range(i, len(names)):
                    found = compare(one, names[j])
                    if found is not None:
                        table[i, j] = table[j, i] = self.census.bits_of(found)
            groups.square(flat, group)[:] = table[place[:, None], place[None, :]]
        return flat

    def _variants(self, groups: Groups) -> Floats:
        flat = np.zeros(groups.squares[-1], np.float32)
        variants = self.collection.variants
        having = [place for place, row in enumerate(groups.rows.tolist()) if row in variants]
        by_group: dict[int, list[int]] = {}
        for place in having:
            by_group.setdefault(int(groups.group_of[place]), []).append(place)
        for places in by_group.values():
            for one in places:
                for other in places:
                    ours, theirs = variants[int(groups.rows[one])], variants[int(groups.rows[other])]
                    at = groups.places(np.array([one]), np.array([other]))
                    flat[at] = _VARIANT if ours & theirs else _OTHER_VARIANT
        return flat

    # --- Who works with whom ---------------------------------------------------------------------------------

    def _coauthors(self, groups: Groups) -> tuple[Floats, Floats]:
        """Return the bits that coauthors tell, and those of the coauthors' own coauthors."""
        c = self.collection
        matrix, columns = self._lists(groups)
        names = columns % len(c.spellings)
        weighted = matrix @ sparse.diags_array(self._coauthor_weight[names], format="csr")
        together = groups.spread(sparse.csr_array(weighted @ matrix.T))
        sizes = self._log_sizes[c.paper_of[groups.rows]]
        bits = np.where(
            (sizes[groups.left] > 0) & (sizes[groups.right] > 0),
            np.interp(sizes[groups.left] + sizes[groups.right], *_NO_COAUTHOR),
            0,
        ).astype(np.float32)
        shared_some = together > 0
        bits[shared_some] = np.interp(together[shared_some], *_COAUTHORS)
        near = self._circle(groups, matrix, columns)
        return bits, np.where(shared_some, 0.3 * near.clip(0), near)

    def _lists(self, groups: Groups) -> tuple[sparse.csr_array, NDArray[np.int64]]:
        """Return lines by coauthors as a matrix; its columns are group * number of spellings + spelling."""
        c = self.collection
        papers = c.paper_of[groups.rows]
        lengths = np.where(c.sizes[papers] <= MOST_AUTHORS, c.sizes[papers], 0).astype(np.int64)
        lines = _ranges(c.starts[papers].astype(np.int64), lengths)
        owner = np.repeat(np.arange(len(groups.rows)), lengths)
        others = lines != groups.rows[owner]
        lines, owner = lines[others], owner[others]
        keys = groups.group_of[owner] * len(c.spellings) + c.spelling_of[lines]
        columns, number = np.unique(keys, return_inverse=True)
        matrix = sparse.csr_array(
            (np.ones(len(owner), np.float32), (owner, number)), shape=(len(groups.rows), len(columns))
        )
        matrix.data[:] = 1
        return matrix, columns

    @cached_property
    def _acquaintances(self) -> tuple[sparse.csr_array, NDArray[np.int64]]:
        """Return who stood on a list with whom, by spelling, and with how many."""
        c = self.collection
        keep = (c.sizes[c.paper_of] <= _CIRCLE_SIZE) & (self._name_bits[c.spelling_of] >= _NO_CIRCLE_NAME)
        lists = sparse.csr_array(
            (np.ones(int(keep.sum()), np.float32), (c.paper_of[keep], c.spelling_of[keep])),
            shape=(len(c.works), len(c.spellings)),
        )
        known = sparse.csr_array(lists.T @ lists)
        known.setdiag(0)
        known.eliminate_zeros()
        return known, np.diff(known.indptr).astype(np.int64)

    def _circle(self, groups: Groups, matrix: sparse.csr_array, columns: NDArray[np.int64]) -> Floats:
        """Return bits for coauthors of one line who elsewhere wrote with coauthors of the other."""
        known, degree = self._acquaintances
        names = columns % len(self.collection.spellings)
        spread = degree[names]
        friends = known.indices[_ranges(known.indptr[names].astype(np.int64), spread)]
        owner = np.repeat(np.arange(len(columns)), spread)
        keys = columns[owner] - names[owner] + friends
        at = np.searchsorted(columns, keys)
        at[at == len(columns)] = 0
        hit = columns[at] == keys if len(columns) else np.zeros(0, bool)
        owner, at = owner[hit], at[hit]
        weight = 1 / np.maximum(degree[names], 1)
        links = sparse.csr_array(
            ((weight[owner] * weight[at]).astype(np.float32), (owner, at)), shape=(len(columns), len(columns))
        )
        near = groups.spread(sparse.csr_array(matrix @ links @ matrix.T))
        bits = np.full(len(near), _NO_CIRCLE, np.float32)
        found = near > 0
        bits[found] = np.interp(np.log2(near[found]), *_CIRCLE)
        alone = self.collection.sizes[self.collection.paper_of[groups.rows]] < 2
        bits[alone[groups.left] | alone[groups.right]] = 0
        return bits

    # --- What, where and when --------------------------------------------------------------------------------

    def _alike(self, groups: Groups, rows: sparse.csr_array) -> Floats:
        """Return the cosine of two lines' rows (of length 1 or 0)."""
        lengths = np.diff(rows.indptr)
        keys = np.repeat(groups.group_of, lengths) * rows.shape[1] + rows.indices
        columns, number = np.unique(keys, return_inverse=True)
        matrix = sparse.csr_array((rows.data, number, rows.indptr), shape=(rows.shape[0], len(columns)))
        return groups.spread(sparse.csr_array(matrix @ matrix.T))

    def _whereabouts(self, groups: Groups) -> Floats:
        c = self.collection
        places = c.place_of[groups.rows]
        known = places >= 0
        bits = np.zeros(groups.squares[-1], np.float32)
        if known.sum() > 1:
            alike = self._alike(groups, _blank(self._places[places.clip(0)], known))
            both = known[groups.left] & known[groups.right]
            bits[both] = np.interp(alike[both], *_PLACES)
        institutions = c.institutions[groups.rows]
        known = np.diff(institutions.indptr) > 0
        if known.sum() > 1:
            alike = self._alike(groups, institutions)
            both = known[groups.left] & known[groups.right]
            bits[both] = np.where(
                alike[both] > 0,
                np.maximum(bits[both], _INSTITUTION),
                np.maximum(bits[both], _OTHER_INSTITUTION),
            )
        return bits

    def _subjects(self, groups: Groups) -> Floats:
        c = self.collection
        papers = c.paper_of[groups.rows]
        bits = np.zeros(groups.squares[-1], np.float32)
        topics = c.topics[papers]
        known = np.diff(topics.indptr) > 0
        if known.sum() > 1 and len(c.topic_keys):
            root = np.sqrt(self._topic_bits).astype(np.float32)
            scaled = sparse.csr_array(
                (root[topics.indices], topics.indices, topics.indptr), shape=topics.shape
            )
            some = self._alike(groups, topics) > 0
            both = known[groups.left] & known[groups.right]
            bits += np.where(
                both, np.where(some, self._alike(groups, scaled).clip(0, _TOPIC), _OTHER_TOPIC), 0
            )
        sources = c.sources[papers]
        if len(c.source_keys):
            own = self._source_bits[sources.clip(0)]
            same = (sources[groups.left] == sources[groups.right]) & (sources[groups.left] >= 0)
            bits += np.where(same, own[groups.left], 0)
        return bits

    def _times(self, groups: Groups) -> Floats:
        years = self.collection.years[self.collection.paper_of[groups.rows]]
        ours, theirs = years[groups.left], years[groups.right]
        apart = np.interp(np.abs(ours - theirs), *_YEARS)
        return np.where((ours > 0) & (theirs > 0), apart, 0).astype(np.float32)


def _scaled(matrix: sparse.csr_array, weights: Floats, least: float) -> sparse.csr_array:
    """Return rows weighted and brought to length 1, or less where they are shorter than least."""
    if not len(weights):
        return matrix
    scaled = sparse.csr_array((weights[matrix.indices], matrix.indices, matrix.indptr), shape=matrix.shape)
    length = np.sqrt(scaled.multiply(scaled).sum(axis=1))
    length = np.maximum(length, least)
    inverse = np.divide(1, length, out=np.zeros_like(length), where=length > 0).astype(np.float32)
    scaled.data *= np.repeat(inverse, np.diff(scaled.indptr))
    return scaled


def _blank(rows: sparse.csr_array, keep: NDArray[np.bool_]) -> sparse.csr_array:
    rows = rows.copy()
    rows.data *= np.repeat(keep, np.diff(rows.indptr))
    return rows


def _ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return starts[0], starts[0] + 1, … for each start, one range after another."""
    before = np.concatenate(([0], np.cumsum(lengths)))
    return np.arange(before[-1]) + np.repeat(starts - before[:-1], lengths)
