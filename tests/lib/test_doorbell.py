import time

from django.test import TestCase

from bzpeer.celery import app
from bzpeer.lib.doorbell import ring, ring_sweeper
from works.tasks import drain_counts


class BrokerAwayTests(TestCase):
    def test_a_ring_neither_raises_nor_holds_up_the_page(self) -> None:
        broker, app.conf.broker_url = app.conf.broker_url, "redis+socket:///nowhere/redis.sock"
        app.pool.force_close_all()
        app.__dict__.pop("amqp", None)
        try:
            begun = time.monotonic()
            with self.assertLogs("bzpeer.lib.doorbell", "WARNING") as logs:
                with self.captureOnCommitCallbacks(execute=True):
                    ring(drain_counts)
                ring_sweeper()
            seconds = time.monotonic() - begun
        finally:
            app.conf.broker_url = broker
            app.pool.force_close_all()
            app.__dict__.pop("amqp", None)
        self.assertEqual(len(logs.output), 2)
        # Not a timing of ours but of kombu's default: it tried for six seconds.
        self.assertLess(seconds, 5)

    def test_a_ring_comes_after_commit_only(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            ring(drain_counts)
        self.assertEqual(len(callbacks), 1)
