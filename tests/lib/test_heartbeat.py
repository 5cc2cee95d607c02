import time

from django.core.cache import cache
from django.test import TestCase

from bzpeer.lib import heartbeat
from bzpeer.schedule import app, sweep


class HeartbeatTests(TestCase):
    def setUp(self) -> None:
        cache.delete(heartbeat.KEY)
        self.addCleanup(cache.delete, heartbeat.KEY)

    def worker(self) -> dict[str, object]:
        """Return what /readyz says of the workers; pages are served whatever it is."""
        response = self.client.get("/readyz")
        self.assertEqual((response.status_code, response.json()["ready"]), (200, True))
        found: dict[str, object] = response.json()["checks"]["worker"]
        self.assertLessEqual(not found["ok"], response.json()["degraded"])
        return found

    def test_a_worker_that_sweeps_is_alive(self) -> None:
        self.assertEqual(self.worker(), {"ok": False, "error": "no heartbeat"})
        sweep()
        self.assertIs(self.worker()["ok"], True)

    def test_after_a_minute_of_silence_something_is_wrong(self) -> None:
        cache.set(heartbeat.KEY, time.time() - 600, 60)
        found = self.worker()
        self.assertIs(found["ok"], False)
        self.assertGreaterEqual(found["seconds_since_heartbeat"], 600)

    def test_what_is_no_time_is_no_heartbeat(self) -> None:
        cache.set(heartbeat.KEY, "yesterday", 60)
        self.assertIs(self.worker()["ok"], False)

    def test_beat_asks_for_it_more_often_than_it_is_missed(self) -> None:
        entry = app.conf.beat_schedule["sweep"]
        self.assertEqual((entry["task"], entry["schedule"] < 60), (sweep.name, True))
