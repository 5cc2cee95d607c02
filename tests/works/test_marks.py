import threading

from django.db import connection
from django.test import TestCase, TransactionTestCase

from works.models import Mark
from works.services.marks import MAX_ATTEMPTS, drain, due_kinds, mark, pending


class DrainTests(TestCase):
    def test_each_object_is_done_once_however_often_it_was_marked(self) -> None:
        mark(Mark.What.COUNTS, [3, 1, 1], "one")
        mark(Mark.What.COUNTS, [1, 2], "two")
        seen: list[int] = []
        drain(Mark.What.COUNTS, seen.extend)
        self.assertEqual(seen, [1, 2, 3])
        self.assertEqual(pending(), 0)

    def test_marks_of_other_kinds_stay(self) -> None:
        mark(Mark.What.TRUST, [1], "why")
        mark(Mark.What.COUNTS, [1], "why")
        drain(Mark.What.COUNTS, lambda ids: None)
        self.assertEqual(due_kinds(), {"trust"})

    def test_one_bad_object_holds_nobody_up(self) -> None:
        done: list[int] = []

        def handler(ids: list[int]) -> None:
            if 2 in ids:
                raise ValueError("cannot")
            done.extend(ids)

        mark(Mark.What.COUNTS, [1, 2, 3], "why")
        with self.assertLogs("works.services.marks", "ERROR"):
            drain(Mark.What.COUNTS, handler)
        self.assertEqual(done, [1, 3])
        left = Mark.objects.get()
        self.assertEqual(
            (left.object_id, left.attempts, left.error, left.dead), (2, 1, "ValueError: cannot", False)
        )

    def test_an_object_that_fails_five_times_is_given_up_and_stays_visible(self) -> None:
        def handler(ids: list[int]) -> None:
            raise ValueError("never")

        mark(Mark.What.COUNTS, [7], "why")
        for _ in range(MAX_ATTEMPTS):
            Mark.objects.update(run_at="2020-01-01T00:00:00Z")
            with self.assertLogs("works.services.marks", "ERROR"):
                drain(Mark.What.COUNTS, handler)
        self.assertEqual(drain(Mark.What.COUNTS, handler), 0)
        self.assertEqual(Mark.objects.get().dead, True)

    def test_a_failed_handler_leaves_its_mark_and_none_of_its_writes(self) -> None:
        def handler(ids: list[int]) -> None:
            mark(Mark.What.TRUST, ids, "half done")
            raise ValueError("cannot")

        mark(Mark.What.COUNTS, [1], "why")
        with self.assertLogs("works.services.marks", "ERROR"):
            drain(Mark.What.COUNTS, handler)
        self.assertEqual(list(Mark.objects.values_list("what", "object_id")), [("counts", 1)])


class TwoDrainsTests(TransactionTestCase):
    def test_a_second_drain_of_a_kind_returns_at_once(self) -> None:
        inside, go_on = threading.Event(), threading.Event()
        counts: list[int] = []

        def slow(ids: list[int]) -> None:
            inside.set()
            go_on.wait(20)

        def first() -> None:
            try:
                counts.append(drain(Mark.What.COUNTS, slow))
            finally:
                connection.close()

        mark(Mark.What.COUNTS, [1], "why")
        thread = threading.Thread(target=first)
        thread.start()
        self.assertTrue(inside.wait(20))
        mark(Mark.What.COUNTS, [1], "changed meanwhile")
        self.assertEqual(drain(Mark.What.COUNTS, slow), 0)
        go_on.set()
        thread.join()
        # The mark that came meanwhile was done after the first one, not lost with it.
        self.assertEqual((counts, pending()), ([2], 0))
