"""How long the home page takes a member who follows 1,000 records, over SIZE works (1,000,000): make bench-feed

The catalogue is made by SQL: three authors to a work and 15 works to an author, two of 2,000 topics, one institution
of 5,000 to every other authorship. The member follows 940 researchers, 40 topics and 20 institutions; another member
follows nothing. Both pages are asked for in turn, whole, through the middleware, as a browser does, a first time and
further down; the slowest twentieth of each is compared.
"""

import os
import re
import time
from statistics import quantiles

from django.test import Client

from tests.bench.servers import own_servers
from tests.bench.trust import clone, drop_references

RESEARCHERS, TOPICS, INSTITUTIONS = 940, 40, 20
ROUNDS = 100


def main() -> None:
    size = int(os.environ.get("SIZE") or 1_000_000)
    with own_servers():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from bzpeer.lib.figures import Figures
        from tests.factories import make_user
        from tests.profiles.cast import client_of

        figures = Figures("bench-feed")
        started = time.monotonic()
        make_catalogue(size)
        reader, newcomer = make_user("Reader"), make_user("Newcomer")
        follow(reader.pk, size)
        print(f"{size:,} works and 1,000 follows, made in {time.monotonic() - started:.0f} s", flush=True)
        clients = {
            "follows": client_of(reader, SERVER_NAME="localhost"),
            "follow-less": client_of(newcomer, SERVER_NAME="localhost"),
        }
        older = after_first_page(clients["follows"])
        pages = {
            "follows": ("follows", "/me/"),
            "older": ("follows", f"/me/?after={older}"),
            "follow-less": ("follow-less", "/me/"),
        }
        times: dict[str, list[float]] = {name: [] for name in pages}
        for turn in range(ROUNDS + 10):
            for name, (member, path) in pages.items():
                started = time.perf_counter()
                response = clients[member].get(path)
                if turn >= 10:  # the first fill the database's and Python's caches
                    times[name].append(time.perf_counter() - started)
                assert response.status_code == 200
        with CaptureQueriesContext(connection) as asked:
            clients["follows"].get("/me/")
        p95 = {name: quantiles(values, n=20)[-1] * 1000 for name, values in times.items()}
        p50 = {name: quantiles(values, n=2)[0] * 1000 for name, values in times.items()}
        figures.add("feed.works", size, "works")
        figures.add("feed.follows", RESEARCHERS + TOPICS + INSTITUTIONS, "follows")
        figures.add("feed.queries", len(asked), "queries", "<=6")
        for name in pages:
            figures.add(f"feed.p50.{name}", p50[name], "ms")
            figures.add(f"feed.p95.{name}", p95[name], "ms")
        figures.add("feed.p95.ratio", p95["follows"] / p95["follow-less"], "ratio", "<=3")
        figures.add("feed.p95.ratio_older", p95["older"] / p95["follow-less"], "ratio", "<=3")
        figures.write()


def make_catalogue(size: int) -> None:
    from bzpeer.lib.sql import execute
    from tests.factories import make_author, make_institution, make_topic, make_work
    from works import models

    author, topic, place = make_author("Template"), make_topic("Template"), make_institution("Template")
    work = make_work("Template", authors=[author], topics=[topic], institution=place)
    authors = size // 5
    drop_references("works_authorship", "works_authorshipinstitution", "works_worktopic")
    clone(models.Author, author.pk, authors, display_name="'Author ' || n")
    clone(models.Topic, topic.pk, 2000, display_name="'Topic ' || n")
    clone(models.Institution, place.pk, 5000, display_name="'Place ' || n")
    clone(
        models.Work, work.pk, size, title="'Work ' || n", authors_count="3",
        created_at=f"now() - ({size} - n) * interval '20 seconds'",
    )  # fmt: skip
    row = work.authorships.get()
    clone(
        models.Authorship, row.pk, size * 3, index="(n - 1) %% 3", work_id="(n - 1) / 3 + 1",
        author_id=f"(n::bigint * 7919 + (n - 1) / {authors} * 13) %% {authors} + 1",
    )  # fmt: skip
    execute("delete from works_authorshipinstitution")
    execute(
        "insert into works_authorshipinstitution (authorship_id, institution_id, matched)"
        " select n, (n::bigint * 31) %% 5000 + 1, false from generate_series(2, %s, 2) n",
        [size * 3],
    )
    execute("delete from works_worktopic")
    execute(
        "insert into works_worktopic (work_id, topic_id, score, is_primary)"
        " select n, (n * 17 + k * 1009) %% 2000 + 1, 1, k = 0 from generate_series(1, %s) n, generate_series(0, 1) k",
        [size],
    )
    # One researcher in ten holds a page, with three steps of trust each.
    execute("update works_author set claimed = true where id %% 10 = 0")
    execute(
        "insert into trust_trustchange (author_id, at, old_value, value, old_level, level, formula_version, differences)"
        " select id, now() - k * interval '9 days', 10, 20, 3 - k, 4 - k, 1, '[]'"
        " from works_author, generate_series(0, 2) k where id %% 10 = 0"
    )
    execute("analyze")


def follow(user: int, size: int) -> None:
    from bzpeer.lib.sql import execute

    for column, count, most in (
        ("author_id", RESEARCHERS, size // 5),
        ("topic_id", TOPICS, 2000),
        ("institution_id", INSTITUTIONS, 5000),
    ):
        execute(
            f"insert into profiles_follow (user_id, {column}, created_at)"  # noqa: S608 - one of three columns
            " select %s, 1 + n * %s, now() from generate_series(0, %s) n",
            [user, most // count, count - 1],
        )
    execute("analyze profiles_follow")


def after_first_page(client: Client) -> str:
    """Return where the second page begins."""
    found = re.search(r"\?after=([0-9.]+)", client.get("/me/").content.decode())
    assert found
    return found[1]


if __name__ == "__main__":
    main()
