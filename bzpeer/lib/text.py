"""Words for addresses."""

from django.utils.text import slugify

from bzpeer.lib.names import fold

# Pages beside a record's own: /researchers/<pid>/claim/ and the like.
_TAKEN = {
    "badge.svg", "claim", "correct", "follow", "history", "invite", "merge", "represent", "split", "trust", "vouches",
}  # fmt: skip


def slug_of(text: str) -> str:
    """Return the readable part of an address: at most 80 characters, cut at a word; "-" where nothing is left.

    Names in scripts that have no Latin letters keep their own letters.
    """
    folded = fold(text)
    slug = slugify(folded) or slugify(folded, allow_unicode=True)
    if len(slug) > 80:
        slug = slug[:80].rsplit("-", 1)[0] or slug[:80]
    return f"{slug}-" if slug in _TAKEN or not slug else slug
