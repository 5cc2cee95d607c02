"""Two nightly runs at once, and two vouches at once."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from profiles.exceptions import VouchError
from profiles.models import Vouch
from profiles.services import vouches
from tests.factories import make_claimed, make_user
from tests.profiles.test_vouches import SAYS, set_level
from trust.models import Evidence


def at_once(action: Callable[[], Any], times: int = 4) -> list[Any]:
    """Return what the same action gave, or refused, in several threads that start together."""
    gate, found = threading.Barrier(times), []

    def run() -> None:
        try:
            gate.wait(timeout=30)
            found.append(action())
        except VouchError as refusal:
            found.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


class VouchRaces(TransactionTestCase):
    def test_vouching_and_running_at_once_leaves_one_vouch_and_one_line(self) -> None:
        alice, dora = make_claimed("Alice Ngata"), make_claimed("Dora Lund")
        set_level(dora.author)
        vouches.add_seed(author=dora.author, actor=make_user("Mo", is_staff=True), reason="We know her.")
        found = at_once(lambda: vouches.vouch_for(user=dora.user, author=alice.author, statement=SAYS))
        self.assertEqual(sum(isinstance(one, Vouch) for one in found), 1)
        self.assertEqual(sum(isinstance(one, VouchError) for one in found), 3)
        self.assertEqual(sorted(at_once(vouches.run_flow)), [0, 0, 0, 1])
        self.assertEqual(Evidence.objects.filter(kind="vouch").count(), 1)
        set_level(dora.author, 3)
        self.assertEqual(sorted(at_once(vouches.run_flow)), [0, 0, 0, 1])
        self.assertEqual(Evidence.objects.filter(kind="revoked").count(), 1)
