import threading

from django.conf import settings
from django.test import SimpleTestCase, override_settings

from tests.works.sync_server import PROVIDERS, SourcesTestCase, no_redis
from works.sync.errors import NoTurn
from works.sync.limits import PROCESSES, Turns, redis_client

# Minutes where seconds are usual: a machine that stalls within a test changes nothing.
SPACING = dict.fromkeys(PROVIDERS, 300.0)


DEFAULTS = settings.SYNC_SPACING


@override_settings(SYNC_SPACING=SPACING)
class TurnTests(SourcesTestCase, SimpleTestCase):
    def next_turn(self, provider: str = "arxiv") -> int:
        """Return from when on the next turn is, in milliseconds of Redis' clock."""
        value = redis_client(settings.REDIS_URL).get(f"bzpeer:sync:{provider}")
        assert isinstance(value, bytes), "no turn was taken"
        return int(value)

    def take(self, turns: Turns, provider: str = "arxiv", longest: float = 3600.0) -> None:
        with turns.turn(provider, longest):
            pass

    def test_turns_are_evenly_spaced_for_all_workers_together(self) -> None:
        workers = [Turns(sleep=self.waits.append) for _ in range(3)]
        self.take(workers[0])
        first = self.next_turn()
        for place, worker in enumerate([workers[1], workers[2], workers[0]], start=1):
            self.take(worker)
            self.assertEqual(self.next_turn() - first, 300_000 * place)
        # Nobody waits for the first turn; the others wait for theirs.
        self.assertEqual(len(self.waits), 3)
        self.assertEqual(self.waits, sorted(self.waits))

    def test_arxiv_has_three_seconds_unless_a_host_says_otherwise(self) -> None:
        self.assertEqual(DEFAULTS["arxiv"], 3.0)

    def test_sources_do_not_wait_for_each_other(self) -> None:
        for provider in SPACING:
            self.take(self.turns, provider)
        self.assertEqual(self.waits, [])

    def test_who_would_wait_too_long_takes_no_turn(self) -> None:
        self.take(self.turns)
        before = self.next_turn()
        with self.assertRaises(NoTurn) as caught:
            self.take(self.turns, longest=1.0)
        self.assertTrue(1 < caught.exception.seconds <= 300)
        self.assertEqual((self.next_turn(), self.waits), (before, []))

    def test_a_source_that_asks_for_peace_has_it_from_everybody(self) -> None:
        self.take(self.turns, "crossref")
        before = self.next_turn("crossref")
        self.turns.hold("crossref", 3600 + 300)
        self.assertGreater(self.next_turn("crossref"), before + 3_000_000)
        self.turns.hold("crossref", 1)
        self.assertGreater(self.next_turn("crossref"), before + 3_000_000)  # never nearer
        with self.assertRaises(NoTurn):
            self.take(Turns(sleep=self.waits.append), "crossref", longest=20.0)

    def test_arxiv_has_one_connection_from_all_of_us(self) -> None:
        held, may_end = threading.Event(), threading.Event()

        def hold() -> None:
            with Turns(sleep=self.waits.append).turn("arxiv", 60.0):
                held.set()
                may_end.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        self.assertTrue(held.wait(10))
        with self.assertRaises(NoTurn):
            self.take(self.turns, longest=0.05)
        may_end.set()
        thread.join()
        self.take(self.turns)

    def test_a_turn_is_given_back_when_the_question_fails(self) -> None:
        with self.assertRaises(ValueError), self.turns.turn("arxiv", 60.0):
            raise ValueError
        self.take(self.turns)

    def test_an_emptied_redis_costs_one_turn_and_no_more(self) -> None:
        self.take(self.turns)
        self.forget_turns()
        self.take(self.turns)
        self.assertEqual(self.waits, [])
        self.take(self.turns)
        self.assertEqual(len(self.waits), 1)

    def test_without_redis_each_process_keeps_a_longer_time_of_its_own(self) -> None:
        now = 1000.0
        with no_redis():
            turns = Turns(sleep=self.waits.append, clock=lambda: now)
            for _ in range(3):
                self.take(turns, longest=6000.0)
            self.assertEqual(self.waits, [300.0 * PROCESSES, 600.0 * PROCESSES])
            with self.assertRaises(NoTurn) as caught:
                self.take(turns, longest=20.0)
            self.assertEqual(caught.exception.seconds, 900.0 * PROCESSES)
            turns.hold("arxiv", 50_000.0)
            with self.assertRaises(NoTurn) as caught:
                self.take(turns, longest=20.0)
            self.assertEqual(caught.exception.seconds, 50_000.0)
