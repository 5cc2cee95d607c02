"""Tags for members' own pages; public pages load the fragments of profiles instead."""

import re

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from profiles.models import User
from profiles.services import notifications

register = template.Library()

_ADDRESS = re.compile(r"""https?://[^\s<>"']+""", re.IGNORECASE)
_TRAILING = ".,:;!?)]}…”’"


@register.simple_tag
def unread_notifications(user: User) -> int:
    """Return how many are unread; a view that knows already left it on the user."""
    if not user.is_authenticated:
        return 0
    known = getattr(user, "unread_count", None)
    return notifications.unread_count(user) if known is None else int(known)


@register.filter
def typed_text(text: str, links: bool = True) -> SafeString:
    """Show plain text that a person typed: escaped, in paragraphs, full web addresses as links.

    Links say whom they lead to by their whole address and pass no credit on.
    """
    paragraphs = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip())
    return format_html_join(
        "", '<p dir="auto">{}</p>', ((_lines(part, links),) for part in paragraphs if part)
    )


def _lines(text: str, links: bool) -> SafeString:
    lines = (_linked(line) if links else escape(line) for line in text.split("\n"))
    return mark_safe("<br>".join(lines))  # noqa: S308 - every part is escaped above


def _linked(line: str) -> SafeString:
    parts, end = [], 0
    for match in _ADDRESS.finditer(line):
        address = match.group().rstrip(_TRAILING)
        if len(address) <= len("https://"):
            continue
        parts.append(escape(line[end : match.start()]))
        parts.append(format_html('<a rel="nofollow noopener ugc" href="{}">{}</a>', address, address))
        end = match.start() + len(address)
    parts.append(escape(line[end:]))
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above
