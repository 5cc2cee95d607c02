"""Take a wish to hear from the sources, and work off its steps: rows that any worker may take up."""

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from bzpeer.lib.doorbell import ring, ring_sweeper
from bzpeer.lib.sql import lock_text_for_transaction
from works.ingest.load import store
from works.ingest.records import Identifier, WorkRecord
from works.models import ImportRun, Provider, SyncRequest, SyncStep, Work
from works.queries import record_by_pid
from works.search import find_by_identifier
from works.sync.addresses import MAX_PAGES, Question, next_page, shown_address
from works.sync.answers import Read, read
from works.sync.client import Answer, Client
from works.sync.errors import BadAnswer, NotFound, NoTurn, Refused, TryLater
from works.sync.plan import Plan, further_questions
from works.sync.tasks import run_sync

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
MAX_STEPS = 60  # of one request
OPEN_AT_MOST = 1000  # requests that wait at the same time
LEASE = timedelta(minutes=5)  # longer than Celery lets a task live
AGAIN_AFTER = timedelta(hours=1)
AGAIN_AFTER_FAILURE = timedelta(minutes=5)
KEPT = timedelta(days=90)

State = SyncStep.State


# --- Asking ---------------------------------------------------------------------------------------------


def ask(wish: Plan, *, mine: bool = False, whenever: bool = False) -> SyncRequest:
    """Return the request for a plan: the one under way, or a new one with its steps.

    mine: the caller works it off; workers take it up only should the caller die. whenever: however short a
    time ago it was asked for last. Raises Refused with a sentence.
    """
    if not wish.questions:
        raise Refused(
            "No source can be asked about this record: it has no identifier that one of them knows."
        )
    with transaction.atomic():
        lock_text_for_transaction(f"sync {wish.kind} {wish.scheme}:{wish.value}")
        last = last_request(wish)
        if last and last.state == SyncRequest.State.WAITING:
            return last
        if not whenever:
            _check_limits(last)
        request = SyncRequest.objects.create(kind=wish.kind, scheme=wish.scheme, value=wish.value)
        _add_steps(request, wish.questions, LEASE if mine else timedelta(0))
        if not mine:
            ring(run_sync)
    return request


def last_request(wish: Plan) -> SyncRequest | None:
    named = SyncRequest.objects.filter(kind=wish.kind, scheme=wish.scheme, value=wish.value)
    return named.order_by("-asked_at").first()


def again_at(last: SyncRequest | None) -> datetime | None:
    """Return from when on a record may be refreshed again; None for now."""
    if last is None or last.finished_at is None:
        return None
    answered = last.state != SyncRequest.State.FAILED
    when = last.finished_at + (AGAIN_AFTER if answered else AGAIN_AFTER_FAILURE)
    return when if when > timezone.now() else None


def pause_of(request: SyncRequest) -> datetime | None:
    """Return when a source is asked next, where every one left wants to be left alone for more than a minute."""
    left = request.steps.filter(state=State.WAITING)
    if left.filter(error="").exists():
        return None
    soonest = left.aggregate(soonest=Min("run_at"))["soonest"]
    return soonest if soonest and soonest > timezone.now() + timedelta(minutes=1) else None


def _check_limits(last: SyncRequest | None) -> None:
    if when := again_at(last):
        raise Refused(f"The sources were asked a short time ago. Ask again after {when:%H:%M} UTC.")
    if SyncRequest.objects.filter(finished_at=None).count() >= OPEN_AT_MOST:
        raise Refused("Too many records wait to be refreshed. Please try again in an hour.")


def _add_steps(request: SyncRequest, questions: list[Question], wait: timedelta = timedelta(0)) -> None:
    last = request.steps.aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    run_at = timezone.now() + wait
    SyncStep.objects.bulk_create(
        SyncStep(
            request=request, number=first + place, provider=question.provider, address=question.address,
            expects=":".join(question.expects) if question.expects else "", run_at=run_at,
        )
        for place, question in enumerate(questions)
        if first + place < MAX_STEPS
    )  # fmt: skip


def work_of(request: SyncRequest) -> Work | None:
    """Return the work that was asked for, once it is here: by its identifier, else the one that the answers brought."""
    if request.scheme == "pid":
        return record_by_pid(Work.objects.defer("search"), request.value)
    record = find_by_identifier(request.scheme, request.value)
    if isinstance(record, Work):
        return record
    runs = request.steps.filter(run__isnull=False).values("run")
    return Work.objects.defer("search").filter(records__run__in=runs).order_by("pk").first()


# --- Working off ------------------------------------------------------------------------------------------


class _How(NamedTuple):
    """How steps are worked off. wait: how long what follows from one is left to who works here."""

    client: Client
    fresh: bool = False
    wait: timedelta = timedelta(0)


def run_due(client: Client | None = None, seconds: float | None = None) -> int:
    """Work off steps that are due until none is left or the time is over; return how many were tried."""
    how = _How(client or Client())
    begun, done = time.monotonic(), 0
    while seconds is None or time.monotonic() - begun < seconds:
        step = _take(SyncStep.objects.filter(run_at__lte=timezone.now()))
        if step is None:
            break
        _perform(step, how)
        done += 1
    if done:
        ring_sweeper()  # what the records left to rebuild
    return done


def run_request(request: SyncRequest, client: Client | None = None, *, fresh: bool = False) -> SyncRequest:
    """Work off the steps of one request here and now, each at most once; return the request as it stands then.

    fresh: take every answer whole, also where the source would say that nothing is new.
    """
    how = _How(client or Client(), fresh, LEASE)
    tried: set[int] = set()
    # What a worker has in hand just now is left to it: tried, not due, and nothing said of it.
    free = Q(attempts=0) | ~Q(error="") | Q(run_at__lte=timezone.now())
    while step := _take(request.steps.filter(free).exclude(pk__in=tried)):
        tried.add(step.pk)
        _perform(step, how)
    request.refresh_from_db()
    return request


def _take(steps: QuerySet[SyncStep]) -> SyncStep | None:
    """Take up the step that waits longest: others leave it alone for as long as a worker may live."""
    with transaction.atomic():
        waiting = steps.filter(state=State.WAITING).order_by("run_at", "id")
        step = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("request").first()
        if step is None:
            return None
        step.attempts += 1
        step.run_at, step.error = timezone.now() + LEASE, ""
        step.save(update_fields=["attempts", "run_at", "error"])
    return step


def _perform(step: SyncStep, how: _How) -> None:
    """Do one step to its end or leave it for later; what is wrong with one holds up no other."""
    try:
        _ask_and_store(step, how)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        log.exception("Step %s (%s) failed.", step.pk, step)
        name = Provider(step.provider).label
        _try_later(step, TryLater(f"What {name} sent could not be stored; the log of this site says why."))


def _ask_and_store(step: SyncStep, how: _How) -> None:
    if step.attempts > MAX_ATTEMPTS:
        _close(step, State.FAILED, "Every try was cut short; the log of this site says more.")
        return
    question = _question(step)
    try:
        known = None if how.fresh else _known_answer(question)
        answer = how.client.ask(question, *((known.etag, known.last_modified) if known else ()))
        if known and answer.status == 304:
            _close(
                step,
                State.UNCHANGED,
                answer=answer._replace(etag=known.etag, last_modified=known.last_modified),
            )
            return
        found = read(question, answer)
    except NotFound as error:
        _close(step, State.NOT_FOUND, str(error))
    except BadAnswer as error:
        _close(step, State.FAILED, str(error))
    except NoTurn as error:
        SyncStep.objects.filter(pk=step.pk).update(attempts=step.attempts - 1)
        step.postpone(timezone.now() + timedelta(seconds=error.seconds), str(error))
    except TryLater as error:
        _try_later(step, error)
    else:
        _store(step, answer, found, how.wait)


def _question(step: SyncStep) -> Question:
    scheme, _, value = step.expects.partition(":")
    return Question(Provider(step.provider), step.address, (scheme, value) if value else None)


def _known_answer(question: Question) -> SyncStep | None:
    """Return the last answer to the same question, if what it said is still here."""
    if question.expects is None or find_by_identifier(*question.expects) is None:
        return None
    last = SyncStep.objects.filter(
        provider=question.provider, expects=":".join(question.expects), state__in=[State.DONE, State.UNCHANGED]
    )  # fmt: skip
    found = last.order_by("-answered_at").first()
    usable = found and found.address == question.address and (found.etag or found.last_modified)
    return found if usable else None


@transaction.atomic
def _store(step: SyncStep, answer: Answer, found: Read, wait: timedelta) -> None:
    """Write what came, end the step and add what follows: all of it or nothing."""
    where = [shown_address(step.provider, step.address)]
    run = store(step.provider, found.items, where) if found.items else None
    if run and run.rejected:
        answer = answer._replace(etag="", last_modified="")  # read it again next time
    if run and step.expects and run.rejected == run.read:
        name = Provider(step.provider).label
        _close(
            step, State.FAILED, f"What {name} sent cannot be stored; the list of rejects says why.", run=run
        )
        return
    request = step.request
    asked = request.steps.values_list("address", flat=True)
    questions = further_questions(request.kind, _learnt(found), asked)
    pages = request.steps.filter(provider=step.provider, expects="").count()
    if found.next_cursor and pages < MAX_PAGES:
        questions.append(Question(Provider(step.provider), next_page(step.address, found.next_cursor)))
    _close(step, State.DONE, answer=answer, run=run, then=questions, wait=wait)


def _learnt(found: Read) -> list[Identifier]:
    """Return what the answer about one work says it is called elsewhere; lists are about many."""
    works = [record for record in found.items if isinstance(record, WorkRecord) and not record.merged_into]
    return list(works[0].identifiers) if len(works) == 1 else []


def _try_later(step: SyncStep, error: TryLater) -> None:
    if step.attempts >= MAX_ATTEMPTS:
        _close(step, State.FAILED, str(error))
        return
    wait = max(error.seconds or 0, 60 * 2 ** (step.attempts - 1))
    step.postpone(timezone.now() + timedelta(seconds=wait), str(error))


def _close(
    step: SyncStep,
    state: State,
    error: str = "",
    *,
    answer: Answer | None = None,
    run: ImportRun | None = None,
    then: list[Question] | None = None,
    wait: timedelta = timedelta(0),
) -> None:
    """End a step, add what follows from it (left alone by workers for `wait`), and end the request with its last step."""
    step.state, step.error, step.run, step.answered_at = state, error[:300], run, timezone.now()
    if answer:
        step.etag, step.last_modified = answer.etag, answer.last_modified
    with transaction.atomic():
        request = SyncRequest.objects.select_for_update().get(pk=step.request_id)
        step.save()
        if request.finished_at is None:
            _add_steps(request, then or [], wait)
            _finish_if_done(request)


def _finish_if_done(request: SyncRequest) -> None:
    states = set(request.steps.values_list("state", flat=True))
    if State.WAITING in states:
        return
    if states & {State.DONE, State.UNCHANGED}:
        request.state = SyncRequest.State.DONE
    elif State.FAILED in states:
        request.state = SyncRequest.State.FAILED
    else:
        request.state = SyncRequest.State.NOT_FOUND
    request.finished_at = timezone.now()
    request.save(update_fields=["state", "finished_at"])


def forget_requests() -> int:
    """Delete requests that nobody will look at again; their answers' validators go too, which costs one answer."""
    old = SyncRequest.objects.filter(finished_at__lt=timezone.now() - KEPT)
    return old.delete()[1].get("works.SyncRequest", 0)
