"""The signals of a claim (profiles/claims/signals.py) in words, the most telling first."""

from typing import Any

from profiles.claims import signals as gathered

MAIL_CLASSES = {
    gathered.RECORD: "address at an institution of the record",
    gathered.INSTITUTION: "address at another institution",
    gathered.OWN: "address at a domain of their own",
    gathered.PROVIDER: "address at a public mail provider",
    gathered.DISPOSABLE: "disposable address",
    gathered.NONE: "no confirmed address",
}


def signal_words(signals: dict[str, Any]) -> list[str]:
    """Return what a moderator should know, a few words each; nothing for what was not gathered."""
    words = []
    if count := _number(signals, "speak_against"):
        words.append(f"{_some(count, 'check')} {'speaks' if count == 1 else 'speak'} against it")
    if signals.get("look_alike_name"):
        words.append("name of look-alike letters")
    if signals.get("name_fit") == "none":
        words.append("name of the account does not fit")
    elif signals.get("name_fit") == "initials":
        words.append("name fits by initials alone")
    if (mail_class := signals.get("mail_class")) in MAIL_CLASSES:
        domain = signals.get("mail_domain")
        words.append(MAIL_CLASSES[mail_class] + (f" ({domain})" if domain else ""))
    if "account_days" in signals:
        words.append(f"account {_some(_number(signals, 'account_days'), 'day')} old when filed")
    if "hours_to_claim" in signals:
        words.append(f"claimed {_age(_number(signals, 'hours_to_claim'))} sign-up")
    if count := _number(signals, "other_claims"):
        lately = _number(signals, "other_claims_lately")
        words.append(f"{_some(count, 'other claim')} by this account, {lately} in 30 days")
    if count := _number(signals, "claims_ended_badly"):
        words.append(f"{_some(count, 'claim')} of theirs turned down before")
    if count := _number(signals, "domain_ended_badly"):
        words.append(f"{_some(count, 'claim')} from this mail domain turned down")
    if signals.get("page_held"):
        words.append("somebody else holds the page")
    if signals.get("well_known"):
        words.append("well-known page")
    return words


def _number(signals: dict[str, Any], name: str) -> int:
    value = signals.get(name)
    return value if isinstance(value, int) else 0


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _age(hours: int) -> str:
    if hours < 1:
        return "within the hour of"
    return f"{_some(hours, 'hour') if hours < 48 else _some(hours // 24, 'day')} after"
