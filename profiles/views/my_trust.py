"""What would add to the trust of one's own page, said to the person, and the badge for a page elsewhere."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from profiles import access
from profiles.access import MemberRequest
from trust.queries import ledger_of


@require_safe
@access.member_required
def my_trust(request: MemberRequest) -> HttpResponse:
    researcher = access.researcher(request.user)
    if researcher is None:
        return render(request, "profiles/owner/none.html")
    snapshot = ledger_of(researcher.author)
    page = settings.PUBLIC_URL + researcher.author.get_absolute_url()
    badge = settings.PUBLIC_URL + reverse("trust:badge", args=[researcher.author.pid])
    words = f"BZPEER record of {researcher.author.display_name}"
    context = {
        "author": researcher.author,
        "researcher": researcher,
        "snapshot": snapshot,
        "badge": reverse("trust:badge", args=[researcher.author.pid]),
        "html": format_html('<a href="{}"><img src="{}" height="20" alt="{}"></a>', page, badge, words),
        "markdown": f"[![{_plain(words)}]({badge})]({page})",
    }
    return render(request, "trust/my_trust.html", context)


def _plain(text: str) -> str:
    """Return text without the signs that end an image's words in Markdown."""
    return "".join(char for char in text if char not in "[]()\\`<>\n")
