"""What a request came to, for people; the same words on pages and in the terminal."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils import timezone

from works.models import ImportRun, Provider, SyncRequest, SyncStep
from works.sync.addresses import host_of

State = SyncStep.State


class Line(NamedTuple):
    """What one source said: answers together, each of the others by itself."""

    source: str
    state: str
    text: str


def label_of(provider: str) -> str:
    return str(Provider(provider).label)


def lines_of(request: SyncRequest) -> list[Line]:
    """Return what the sources said so far, in the order in which they are asked."""
    steps = list(request.steps.select_related("run"))
    lines: list[Line] = []
    for provider in dict.fromkeys(step.provider for step in steps):
        source, here = label_of(provider), f"{label_of(provider)} ({host_of(provider)})"
        own = [step for step in steps if step.provider == provider]
        answered = [step for step in own if step.state in {State.DONE, State.UNCHANGED}]
        if answered:
            lines.append(
                Line(source, State.DONE, f"{here}: {_counted(step.run for step in answered if step.run)}")
            )
        lines += [Line(source, step.state, _unanswered(step, here)) for step in own if step not in answered]
    return list(dict.fromkeys(lines))


def _counted(runs: Iterable[ImportRun]) -> str:
    runs = list(runs)
    read, stored, rejected = (
        sum(getattr(run, name) for run in runs) for name in ("read", "stored", "rejected")
    )
    if not read:
        return "nothing new"
    unchanged = read - stored - rejected
    parts = [f"{stored} new or changed" if stored else "nothing new"]
    if stored and unchanged:
        parts.append(f"{unchanged} as before")
    if rejected:
        parts.append(f"{rejected} unusable")
    return f"{read} record{'' if read == 1 else 's'}, {', '.join(parts)}"


def _unanswered(step: SyncStep, here: str) -> str:
    if step.state != State.WAITING:
        return step.error or f"{here} gave no answer."
    if step.error:
        return f"{step.error} Asked again {_when(step)}."
    return f"{here}: waiting for its turn" if step.attempts else f"{here}: not asked yet"


def _when(step: SyncStep) -> str:
    now = timezone.now()
    if step.run_at <= now:
        return "now"
    same_day = step.run_at.date() == now.date()
    return f"at {step.run_at:%H:%M} UTC" if same_day else f"on {step.run_at:%d %b %Y, %H:%M} UTC"


def changed_by(request: SyncRequest) -> int:
    """Return how many records a request brought that are new or changed."""
    return sum(step.run.stored for step in request.steps.select_related("run") if step.run)


def summary_of(request: SyncRequest, lines: Sequence[Line]) -> str:
    """Return one sentence about a request."""
    if request.state == SyncRequest.State.WAITING:
        return "The sources are being asked."
    if request.state == SyncRequest.State.NOT_FOUND:
        return "None of the sources knows this record."
    if request.state == SyncRequest.State.FAILED:
        return "No source gave a usable answer. Nothing was changed; try again later."
    changed = changed_by(request)
    text = (
        f"{changed} record{'' if changed == 1 else 's'} new or changed."
        if changed
        else "Nothing new: the record is as the sources have it."
    )
    return f"{text} Not every source answered." if any(line.state == State.FAILED for line in lines) else text
