"""Who is who: how much evidence says that lines of author lists are one person. Pure: no database, no clock.

Evidence is counted in bits, log2 of how much likelier it is under one person than under two. The rarer a
full name, the less further evidence it needs; a common name never joins by itself.

Nothing is imported here: pages compare names (names.py), and must not load what people are found with.
"""
