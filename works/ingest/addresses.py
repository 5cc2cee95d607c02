"""Web addresses as strangers give them."""

from urllib.parse import urlsplit

from bzpeer.lib.names import clean


def web_address(text: str, most: int) -> str:
    """Return an address that a reader may follow, at most that long; "" for what is none, such as javascript:."""
    address = clean(text)
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return address if is_web and len(address) <= most and " " not in address else ""
