"""What people write about themselves, as Markdown: read by markdown-it-py without HTML, then sanitised by nh3."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

MAX_TEXT = 10_000  # characters

_READER = MarkdownIt("commonmark", {"html": False}).disable(
    ["image", "heading", "lheading", "hr", "reference"]
)
_TAGS = {"p", "br", "em", "strong", "a", "ul", "ol", "li", "code", "pre", "blockquote"}
_SCHEMES = {"https", "http", "mailto"}


def render_markdown(text: str) -> SafeString:
    """Return Markdown as safe HTML: paragraphs, emphasis, lists, quotes, code and links, which count for nothing.

    What looks like HTML is shown as it is written; pictures and headings are left as text.
    """
    shown = _READER.render(text[:MAX_TEXT].replace("\x00", ""))
    clean = nh3.clean(
        shown,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        link_rel="nofollow ugc noopener",
        strip_comments=True,
    )
    return mark_safe(clean.strip())  # noqa: S308 - nh3 let nothing else through
