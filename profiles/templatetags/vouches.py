"""The panel of a public page that says who vouches for a researcher: templates sit above all apps."""

from typing import Any

from django import template
from django.urls import reverse

from bzpeer.lib.text import slug_of
from profiles.services import vouches
from works.models import Author

register = template.Library()

ON_A_PANEL = 10


@register.inclusion_tag("profiles/vouches/_panel.html")
def vouches_panel(author: Author) -> dict[str, Any]:
    """Show the newest vouches for an author that stand; one query, none for a page that nobody claimed."""
    found = list(vouches.received(author)[: ON_A_PANEL + 1]) if author.claimed else []
    return {
        "author": author,
        "rows": vouches.shown(found[:ON_A_PANEL]),
        "more": len(found) > ON_A_PANEL,
        "address": reverse("profiles:author_vouches", args=[author.pid, slug_of(author.display_name)]),
    }
