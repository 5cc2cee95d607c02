"""Steps are rows of work: taken up by one worker at a time, given up by none who can still do them."""

import sys
import threading
from datetime import timedelta

from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from bzpeer.schedule import app
from tests.works.sync_server import (
    CROSSREF,
    DOI,
    FROM_CROSSREF,
    NOT_FOUND,
    OPENALEX,
    PROVIDERS,
    Reply,
    SourcesTestCase,
    SyncTestCase,
    no_redis,
)
from works.models import (
    SyncRequest,
    SyncStep,
    Work,
)
from works.sync import tasks
from works.sync.client import Client
from works.sync.errors import Refused
from works.sync.limits import Turns
from works.sync.plan import plan, plan_work
from works.sync.service import MAX_ATTEMPTS, OPEN_AT_MOST, ask, forget_requests, run_due


class RowsOfWorkTests(SyncTestCase):
    def due(self) -> None:
        SyncStep.objects.update(run_at=timezone.now())

    def test_a_step_that_failed_is_done_by_whoever_comes_next(self) -> None:
        self.sources.give(CROSSREF, *[Reply(status=500)] * 4, FROM_CROSSREF)
        request = ask(plan("work", DOI))
        self.assertEqual(run_due(self.client_of_sources), 2)
        self.assertEqual(run_due(self.client_of_sources), 0)  # not due yet
        self.due()
        self.assertEqual(run_due(self.client_of_sources), 1)
        request.refresh_from_db()
        self.assertEqual((request.state, Work.objects.count()), (SyncRequest.State.DONE, 1))

    def test_a_source_that_stays_away_is_given_up_after_five_times(self) -> None:
        self.sources.give(CROSSREF, Reply(status=500))
        self.sources.give(OPENALEX, NOT_FOUND)
        request = ask(plan("work", DOI))
        for _ in range(MAX_ATTEMPTS):
            self.due()
            run_due(self.client_of_sources)
        request.refresh_from_db()
        self.assertEqual(request.state, SyncRequest.State.FAILED)
        self.assertEqual(self.sources.counts()["crossref"], 4 * MAX_ATTEMPTS)

    def test_a_worker_that_died_leaves_its_step_to_another(self) -> None:
        """The row was taken up and nothing came of it: it is due again when no worker can still have it."""
        self.sources.give(CROSSREF, FROM_CROSSREF)
        ask(plan("work", DOI))
        with override_settings(SYNC_SPACING=dict.fromkeys(PROVIDERS, 5.0)):
            for provider in ("crossref", "openalex"):
                with self.turns.turn(provider, 0.0):
                    pass
            with self.assertRaises(SystemExit):
                run_due(Client(turns=Turns(sleep=sys.exit)))  # it dies while it waits for its turn
        self.assertEqual(run_due(self.client_of_sources), 1)  # the other step
        self.assertEqual(SyncStep.objects.get(state="waiting").attempts, 1)
        self.due()
        self.assertEqual(run_due(self.client_of_sources), 1)
        self.assertFalse(SyncStep.objects.filter(state="waiting").exists())

    def test_a_step_that_kills_its_workers_is_given_up(self) -> None:
        request = ask(plan("work", DOI))
        request.steps.update(attempts=MAX_ATTEMPTS)
        run_due(self.client_of_sources)
        request.refresh_from_db()
        self.assertEqual((request.state, self.sources.requests), (SyncRequest.State.FAILED, []))

    @override_settings(SYNC_LONGEST_TURN=0.0, SYNC_SPACING=dict.fromkeys(PROVIDERS, 300.0))
    def test_waiting_for_a_turn_is_no_failed_try(self) -> None:
        with self.turns.turn("crossref", 0.0):
            pass
        request = ask(plan("work", DOI))
        run_due(self.client_of_sources)
        step = request.steps.get(provider="crossref")
        self.assertEqual((step.state, step.attempts), ("waiting", 0))
        self.assertEqual(step.error, "Crossref takes only so many questions at a time.")
        self.assertGreater(step.run_at, timezone.now() + timedelta(seconds=60))
        self.assertEqual(self.sources.counts(), {"openalex": 1})

    def test_without_redis_the_sources_are_asked_all_the_same(self) -> None:
        self.sources.give(CROSSREF, FROM_CROSSREF)
        ask(plan("work", DOI))
        with no_redis():
            self.assertEqual(run_due(Client(turns=Turns(sleep=self.waits.append))), 2)
        self.assertEqual(Work.objects.count(), 1)

    @override_settings(SYNC_SPACING=dict.fromkeys(PROVIDERS, 0.0))
    def test_a_worker_that_hears_the_bell_does_what_is_due(self) -> None:
        self.sources.give(CROSSREF, FROM_CROSSREF)
        with app.connection_for_read() as connection_to_broker:
            channel = connection_to_broker.default_channel
            queue = app.amqp.queues["sync"](channel)
            queue.declare()
            queue.purge()
            with self.captureOnCommitCallbacks(execute=True):
                ask(plan("work", DOI))
            rung = queue.get(no_ack=True)
        self.assertEqual(rung.headers["task"], tasks.run_sync.name)
        self.assertEqual(tasks.run_sync(), 2)
        self.assertEqual(Work.objects.count(), 1)

    def test_who_works_off_a_wish_alone_rings_for_nobody_and_is_left_alone(self) -> None:
        with self.captureOnCommitCallbacks() as rung:
            ask(plan("work", DOI), mine=True)
        self.assertEqual(rung, [])
        self.assertEqual(run_due(self.client_of_sources), 0)

    def test_the_beat_looks_for_steps_that_nobody_rang_for(self) -> None:
        tasks_of_beat = {entry["task"] for entry in app.conf.beat_schedule.values()}
        self.assertLessEqual({tasks.run_sync.name, tasks.forget_sync.name}, tasks_of_beat)

    def test_a_wish_under_way_is_not_doubled(self) -> None:
        first = ask(plan("work", DOI))
        self.assertEqual(ask(plan("work", f"doi:{DOI}")), first)
        self.assertEqual(SyncStep.objects.count(), 2)

    def test_a_record_is_refreshed_once_an_hour(self) -> None:
        self.sources.give(CROSSREF, FROM_CROSSREF)
        request = self.sync("work", DOI)
        work = Work.objects.get()
        ask(plan_work(work))  # the first for the record that is here now
        run_due(self.client_of_sources)
        with self.assertRaisesMessage(Refused, "asked a short time ago"):
            ask(plan_work(work))
        SyncRequest.objects.exclude(pk=request.pk).update(finished_at=timezone.now() - timedelta(minutes=61))
        self.assertEqual(ask(plan_work(work)).state, SyncRequest.State.WAITING)

    def test_after_a_failure_five_minutes_are_enough(self) -> None:
        self.sources.give(OPENALEX, Reply(status=400))
        self.sources.give(CROSSREF, Reply(status=400))
        request = self.sync("work", DOI)
        with self.assertRaises(Refused):
            ask(plan("work", DOI))
        SyncRequest.objects.filter(pk=request.pk).update(finished_at=timezone.now() - timedelta(minutes=6))
        ask(plan("work", DOI))

    def test_too_many_wishes_at_once_are_refused(self) -> None:
        ask(plan("work", DOI))
        SyncRequest.objects.bulk_create(
            SyncRequest(kind="work", scheme="doi", value=f"10.1234/{number}")
            for number in range(OPEN_AT_MOST - 1)
        )
        with self.assertRaisesMessage(Refused, "Too many records wait"):
            ask(plan("work", "10.1234/another"))

    def test_old_requests_are_forgotten(self) -> None:
        old, new = self.sync("work", DOI), self.sync("work", "10.1234/other")
        SyncRequest.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=91))
        self.assertEqual(forget_requests(), 1)
        self.assertEqual(list(SyncRequest.objects.all()), [new])


class SimultaneousWorkersTests(SourcesTestCase, TransactionTestCase):
    def test_workers_at_once_share_the_steps_and_do_none_twice(self) -> None:
        for number in range(12):
            ask(plan("work", f"W{100_000 + number}"))
        start = threading.Barrier(4)
        done: list[int] = []

        def work() -> None:
            try:
                start.wait()
                done.append(run_due(Client(turns=Turns(sleep=lambda seconds: None))))
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((sum(done), len(self.sources.requests)), (12, 12))
        self.assertEqual(set(SyncStep.objects.values_list("attempts", "state")), {(1, "not_found")})

    def test_wishes_at_once_for_one_record_are_one(self) -> None:
        start = threading.Barrier(6)
        requests: list[SyncRequest] = []

        def wish() -> None:
            try:
                start.wait()
                requests.append(ask(plan("work", DOI)))
            finally:
                connection.close()

        threads = [threading.Thread(target=wish) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(requests), len({request.pk for request in requests})), (6, 1))
        self.assertEqual(SyncStep.objects.count(), 2)
