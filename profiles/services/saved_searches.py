"""Searches that members follow: works that come later and that a search finds appear in their feed."""

from urllib.parse import parse_qs, urlencode

from django.db import transaction

from profiles.exceptions import FollowError, TooMany
from profiles.models import SavedSearch, User
from works.search import MAX_QUERY, words_of

MOST = 20


def words(text: str) -> str:
    """Return the words of a search as the search page reads them; raises FollowError where there are none."""
    text = " ".join(text.replace("\x00", " ").split())[:MAX_QUERY]
    if not words_of(text):
        raise FollowError("Type some words to search for first.")
    return text


def text_of(saved: SavedSearch) -> str:
    return parse_qs(saved.query).get("q", [""])[0]


@transaction.atomic
def save(*, user: User, text: str) -> SavedSearch:
    """Follow a search; following it twice is following it once."""
    text = words(text)
    query = urlencode({"q": text})
    if len(query) > 1000:  # letters beyond ASCII take nine characters each in an address
        raise FollowError("This search is too long to be followed. Use fewer words.")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limit counts rows
    mine = SavedSearch.objects.filter(user=user)
    known = mine.filter(query=query).first()
    if known:
        return known
    if mine.count() >= MOST:
        raise TooMany(f"You can follow {MOST} searches. Stop following one first.")
    return SavedSearch.objects.create(user=user, name=text[:120], query=query)


@transaction.atomic
def remove(*, saved: SavedSearch) -> None:
    saved.delete()
