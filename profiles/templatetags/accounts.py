"""Filters for the pages of security."""

import re

from django import template

register = template.Library()

# In this order: Edge and Opera say that they are Chrome, and Chrome that it is Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/|FxiOS/", "Firefox"), ("Chrom|CriOS/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
_SYSTEMS = (("Android", "Android"), ("iPhone|iPad", "iOS"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


@register.filter
def device(user_agent: str) -> str:
    """Return what a browser calls itself, in words.

    >>> device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((name for mark, name in _BROWSERS if re.search(mark, user_agent)), "")
    system = next((name for mark, name in _SYSTEMS if re.search(mark, user_agent)), "")
    return " on ".join(filter(None, (browser or "Another browser", system)))
