"""Who is who: how much evidence says that lines of author lists are one person. Pure: no database, no clock.

Evidence is counted in bits, log2 of how much likelier it is under one person than under two. The rarer a
full name, the less further evidence it needs; a common name never joins by itself.
"""

from works.matching.census import Census
from works.matching.names import name_block, shared, spelling
from works.matching.papers import Author, Collection, Paper
from works.matching.people import Near, People, find_people

__all__ = [
    "Author", "Census", "Collection", "Near", "Paper", "People", "find_people", "name_block", "shared", "spelling",
]  # fmt: skip
