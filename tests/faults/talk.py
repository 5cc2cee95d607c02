"""Kill web, worker, Redis and the database while people talk: make faults-talk KILLS=20

Clients send 200 invitations and 2,000 messages over HTTP and try again until they are told that each is there.
Afterwards each must exist exactly once, with one notice each, and every mail must have been sent at least once.
"""

import dataclasses
import os
import random
import re
import secrets
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.servers import own_servers

PEOPLE, INVITATIONS_EACH, MESSAGES_EACH = 100, 2, 20  # 200 and 2,000; within what one member may send
CLIENTS = 8
SEED = 20260102
VICTIMS = ("web", "worker", "redis", "postgres")
PATIENCE = 300  # seconds for what is left to be done after the last fault


class Client:
    """A member's browser that does not give up."""

    retries: Counter[str] = Counter()

    def __init__(self, base: str, session: str) -> None:
        token = secrets.token_hex(16)
        self.http = httpx.Client(
            base_url=base,
            timeout=20,
            cookies={"sessionid": session, "csrftoken": token},
            headers={"X-CSRFToken": token},
        )

    def post(self, path: str, data: dict[str, Any], done: Callable[[httpx.Response], bool]) -> None:
        """Post until the answer says that it is there."""
        while True:
            try:
                answer = self.http.post(path, data=data)
            except httpx.HTTPError as error:
                self.retries[type(error).__name__] += 1
            else:
                if done(answer):
                    return
                self.retries[str(answer.status_code)] += 1
                if answer.status_code in {302, 400, 403, 404}:
                    raise SystemExit(f"{path}: {answer.status_code} {answer.headers.get('Location', '')}")
            time.sleep(0.3)


class Stack:
    """The application beside the servers that already run, under the same supervisor."""

    def __init__(self) -> None:
        from bzpeer.run import testing
        from bzpeer.run.application import application

        self.supervisor = testing._running[0].supervisor
        place = testing._running[0].place
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.mails = place.var / "mail"
        programs = application(place, "127.0.0.1", port)
        wanted = [program for program in programs if program.name in {"web", "worker", "beat"}]
        self.supervisor.set_group("app", [dataclasses.replace(one, autostart=True) for one in wanted])
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.base}/healthz", timeout=5).status_code == 200:
                    return
            time.sleep(0.5)
        raise SystemExit("The site does not answer.")

    def kill(self, name: str) -> bool:
        """Kill a program and all it started; return whether it ran."""
        process = self.supervisor.processes().get(name)
        if not process or process["statename"] != "RUNNING":
            return False
        pid = int(process["pid"])
        for one in [pid, *children(pid)]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        return True

    def stop(self) -> None:
        from bzpeer.run.watch import stop_group

        stop_group(self.supervisor.control, "app")


def children(pid: int) -> Iterable[int]:
    """Yield the processes below one, where the system tells."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listed.read_text().split()):
                yield child
                yield from children(child)


def main() -> None:
    from bzpeer.lib.figures import Figures

    wanted = int(os.environ.get("KILLS", "20"))
    os.environ["BZPEER_LOCAL"] = "1"
    with own_servers():
        from django.db import connection

        with connection.cursor() as cursor:  # what was answered must be there: test servers would lose it
            cursor.execute("ALTER ROLE current_user SET synchronous_commit = on")
        connection.close()
        people = make_people()
        stack = Stack()
        try:
            met = run(stack, people, wanted)
            left = wait_for_mail()
        finally:
            stack.stop()
        figures = Figures("faults-talk")
        print("Retries by what the client met:", dict(Client.retries))
        figures.add("talk.kills", sum(met.values()), "kills", f">={wanted}")
        for name in VICTIMS:
            figures.add(f"talk.kills.{name}", met[name], "kills")
        figures.add("talk.retries", sum(Client.retries.values()), "requests")
        good = [figures.add(*row) for row in counted(people, stack, left)]
        figures.write()
    if not all(good):
        raise SystemExit(1)


@dataclasses.dataclass
class Person:
    user: Any
    pid: str
    session: str
    conversation: Any = None
    keys: list[str] = dataclasses.field(default_factory=list)


def make_people() -> list[Person]:
    """Return researchers, each in a conversation with the one beside."""
    from django.test import Client as DjangoClient

    from profiles.services import conversations
    from tests.factories import make_claimed

    people = []
    for number in range(PEOPLE):
        row = make_claimed(f"Person {number}")
        client = DjangoClient()
        client.force_login(row.user, backend="django.contrib.auth.backends.ModelBackend")
        people.append(Person(row.user, row.author.pid, client.cookies["sessionid"].value))
    for one, other in zip(people[::2], people[1::2], strict=True):
        talk = conversations.open_conversation(
            subject="Faults", people=[one.user, other.user], invitation=None, first_message="Hello"
        )
        one.conversation = other.conversation = talk
    return people


def run(stack: Stack, people: list[Person], wanted: int) -> Counter[str]:
    """Send everything while the killer goes round; return what was killed how often."""
    from django.utils import timezone

    chance = random.Random(SEED)
    jobs: list[Callable[[], None]] = []
    day = str(timezone.localdate() + timedelta(days=14))
    form = {"purpose": "paper", "offer": "Data", "ask": "Time", "expected_time": "A week", "reply_by": day}
    for number, person in enumerate(people):
        client = Client(stack.base, person.session)
        for step in range(1, INVITATIONS_EACH + 1):
            to = people[(number + 2 * step) % len(people)].pid
            jobs.append(partial(client.post, f"/researchers/{to}/invite/", form, is_invited))
        for _ in range(MESSAGES_EACH):
            key = str(uuid4())
            person.keys.append(key)
            path = f"{person.conversation.get_absolute_url()}send/"
            jobs.append(partial(client.post, path, {"body": f"Said {key}", "client_key": key}, is_sent))
    chance.shuffle(jobs)
    met: Counter[str] = Counter()
    over = threading.Event()
    # What is sent lasts as long as what is killed.
    gap, killed_enough = 4.0, threading.Event()
    pause = wanted * gap * CLIENTS / len(jobs) / 2

    def killer() -> None:
        order = 0
        while not over.wait(gap):
            name = VICTIMS[order % len(VICTIMS)]
            if stack.kill(name):
                met[name] += 1
                order += 1
            if sum(met.values()) >= wanted:
                killed_enough.set()
                return

    def work(job: Callable[[], None]) -> None:
        job()
        if not killed_enough.is_set():
            time.sleep(chance.uniform(0, 2 * pause))

    thread = threading.Thread(target=killer)
    thread.start()
    begun = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(work, job) for job in jobs]:
            done.result()
    over.set()
    thread.join()
    print(f"{len(jobs)} requests were answered within {time.monotonic() - begun:.0f} s.", flush=True)
    return met


def is_sent(answer: httpx.Response) -> bool:
    return answer.status_code == 302 and "/me/conversations/" in answer.headers["Location"]


def is_invited(answer: httpx.Response) -> bool:
    """An answer that was lost is asked for again, and then says that the invitation is there."""
    if answer.status_code == 302:
        return "/me/invitations/" in answer.headers["Location"]
    return answer.status_code == 200 and "You have invited" in answer.text


def wait_for_mail() -> int:
    """Wait until the outbox is empty; return how many mails are still to be sent."""
    from django.db import OperationalError, connection

    from profiles.models import OutgoingMail

    end = time.monotonic() + PATIENCE
    left = -1
    while left and time.monotonic() < end:
        time.sleep(1)
        try:
            left = OutgoingMail.objects.filter(sent_at=None).count()
        except OperationalError:  # it starts again
            connection.close()
    return left


def counted(people: list[Person], stack: Stack, left: int) -> Iterable[tuple[str, float, str, str]]:
    """Yield the figures: what is missing, what is there twice, what was mailed again."""
    from django.db.models import Count, F, Max

    from profiles.mail import message_id
    from profiles.models import Invitation, Message, Notification, OutgoingMail

    keys = {key for person in people for key in person.keys}
    stored = Counter(str(key) for key in Message.objects.values_list("client_key", flat=True))
    yield "talk.messages", len(keys), "messages", ">=2000"
    yield "talk.messages_missing", len(keys - set(stored)), "messages", "<=0"
    yield "talk.messages_doubled", sum(n - 1 for n in stored.values()), "messages", "<=0"
    gaps = Message.objects.values("conversation").annotate(n=Count("pk"), top=Max("seq")).exclude(n=F("top"))
    yield "talk.conversations_with_gaps", gaps.count(), "conversations", "<=0"
    pairs = Counter(Invitation.objects.values_list("sender", "recipient"))
    expected = PEOPLE * INVITATIONS_EACH
    yield "talk.invitations", expected, "invitations", ">=200"
    yield "talk.invitations_missing", expected - len(pairs), "invitations", "<=0"
    yield "talk.invitations_doubled", sum(n - 1 for n in pairs.values()), "invitations", "<=0"
    told = Counter(Notification.objects.values_list("verb", flat=True))
    wrong = abs(told["message_received"] - len(keys)) + abs(told["invitation_received"] - expected)
    yield "talk.notices_missing_or_doubled", wrong, "notices", "<=0"
    sent = Counter[str]()
    for path in stack.mails.glob("*.log"):
        sent.update(
            re.findall(
                r"^Message-ID:\s*(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE | re.IGNORECASE
            )
        )
    mails = {message_id(mail) for mail in OutgoingMail.objects.all()}
    yield "talk.mails", len(mails), "mails", ">=200"
    yield "talk.mails_missing", len(mails - set(sent)) + max(left, 0), "mails", "<=0"
    yield "talk.mails_of_no_event", len(set(sent) - mails), "mails", "<=0"
    yield "talk.mails_repeated", sum(n - 1 for n in sent.values()), "mails", ""


if __name__ == "__main__":
    main()
