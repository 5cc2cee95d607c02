"""A former name, once hidden, stands in no byte of any public answer, whoever asks and whatever is imported again."""

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, TestCase
from django.urls import reverse

from bzpeer.lib.names import fold
from profiles.models import Claim, Notification, Researcher, User
from profiles.services import follows, owner_names, owner_works
from profiles.services.notifications import notify
from tests.factories import make_author, make_user
from tests.profiles.cast import HTMX, client_of
from works.ingest.load import store
from works.ingest.records import (
    AffiliationRecord,
    AuthorRecord,
    AuthorshipRecord,
    InstitutionRef,
    Record,
    TopicRef,
    WorkRecord,
)
from works.models import Author, NameOverride, Suggestion, Work
from works.services.authors import mark_claimed

FORMER = "Zoë Álvarez-Brandt"
NOW = "Robin Álvarez"
ORCID = "0000-0002-1825-0097"
PLACE = InstitutionRef("Example University", openalex="I1", ror="05wvpxv85", country_code="BE")
TOPIC = TopicRef("openalex", "T1", "Slow rivers", lineage=(("subfields/1", "Rivers"),))
SPELLINGS = ("zoe alvarez brandt", "alvarez brandt zoe", "brandt zoe alvarez", "zoealvarezbrandt")


def holds_former(text: str) -> str:
    """Return where a text holds the former name, in whatever case, accents, escape or order; "" where it does not."""
    text = html.unescape(unquote(text))
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match.group(1), 16)), text)
    words = " ".join(re.findall(r"[^\W_]+", fold(text)))
    for spelling in SPELLINGS:
        if (place := words.find(spelling)) >= 0:
            return words[max(0, place - 80) : place + 80]
    return ""


def line(name: str, **fields: Any) -> AuthorshipRecord:
    return AuthorshipRecord(raw_name=name, institutions=(PLACE,), **fields)


def me(name: str, **fields: Any) -> AuthorshipRecord:
    return line(name, orcid=ORCID, **fields)


def work(number: int, *lines: AuthorshipRecord, **fields: Any) -> WorkRecord:
    return WorkRecord(
        provider="openalex", record_id=f"W{number}", type="article", title=f"The slow river number {number}", authorships=lines,
        identifiers=(("openalex", f"W{number}"), ("doi", f"10.1000/river{number}")), publication_year=2010 + number,
        topics=(TOPIC,), abstract="Water goes down.", **fields,
    )  # fmt: skip


def records() -> list[Record]:
    """Return what sources say: works under both names, and descriptions of the person that know the former one."""
    return [
        work(1, me(FORMER, variants=(FORMER,)), line("Bob Stone")),
        work(2, line("Bob Stone"), me("ÁLVAREZ-BRANDT, Zoë"), line("Cleo Vance")),
        work(3, me("Zoe M. Alvarez-Brandt", raw_affiliations=(f"{FORMER}, Example University",)), line("Bob Stone")),
        work(4, me(NOW), line("Bob Stone")),
        work(5, me(NOW), line("Cleo Vance")),
        AuthorRecord(
            provider="orcid", record_id=ORCID, identifiers=(("orcid", ORCID), ("dblp", f"{FORMER} 0001")), display_name=FORMER,
            names=(NOW, "Alvarez Brandt, Zoe"), affiliations=(AffiliationRecord(institution=PLACE, first_year=2011),),
        ),
    ]  # fmt: skip


def bring(*items: Record) -> None:
    for record in items:
        store(record.provider, [record], ["a test"])
    call_command("rebuild", verbosity=0)


class Links(HTMLParser):
    """Gathers where a page leads by GET."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("href", "src", "hx-get"):
            if value := values.get(name):
                self.found.add(value)
        if tag == "form" and (values.get("method") or "get").lower() == "get" and values.get("action"):
            self.found.add(values["action"] or "")


class Crawl:
    """Walks every address that can be reached, as one person, each as a page, as a fragment and again with its ETag."""

    MOST = 110

    def __init__(self, client: Client, starts: list[str]) -> None:
        self.client = client
        self.answers: dict[str, int] = {}
        self.hits: list[str] = []
        self.etags: dict[str, str] = {}
        self._waiting = list(starts)

    def run(self) -> "Crawl":
        while self._waiting and len(self.answers) < self.MOST:
            path = self._waiting.pop(0)
            if path in self.answers:
                continue
            for response in self._ask(path):
                self._look(path, response)
        return self

    def _ask(self, path: str) -> Iterator[HttpResponse]:
        first = self.client.get(path)
        self.answers[path] = first.status_code
        yield first
        if "HX-Request" in first.headers.get("Vary", ""):
            yield self.client.get(path, headers=HTMX)
        if etag := self.etags.get(path) or first.headers.get("ETag"):
            yield self.client.get(path, headers={"If-None-Match": etag})

    def _look(self, path: str, response: HttpResponse) -> None:
        body = (b"" if response.streaming else response.content).decode("utf-8", "replace")
        heads = " | ".join(f"{name}: {value}" for name, value in response.headers.items())
        if found := holds_former(f"{heads} | {body}"):
            self.hits.append(f"{path}: …{found}…")
        if "ETag" in response.headers:
            self.etags[path] = response.headers["ETag"]
        type_ = response.headers.get("Content-Type", "")
        targets = Links(body).found if "html" in type_ else set()
        if "Location" in response.headers:
            targets.add(response.headers["Location"])
        if "json" in type_:
            targets |= set(re.findall(r'"url": ?"([^"]+)"', body))
        for target in targets:
            parts = urlsplit(html.unescape(target))
            if parts.netloc not in {"", "testserver", "127.0.0.1:8000"} or not parts.path.startswith("/"):
                relative = not parts.netloc and not parts.scheme and parts.query and not parts.path
                if not relative:
                    continue
            if re.match(r"/(static|accounts|admin|me/page|me/export)", parts.path):
                continue
            if re.search(r"(?:^|&)(?:sort|year|from|try|kind|strength|looks)=", html.unescape(parts.query)):
                continue  # another order or choice of what other addresses show whole
            path_there = parts.path or urlsplit(path).path
            self._waiting.append(f"{path_there}?{parts.query}" if parts.query else path_there)


class FormerNameTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        bring(*records())
        self.author = Author.objects.get(identifiers__scheme="orcid", identifiers__value=ORCID)
        self.assertEqual(self.author.display_name, FORMER, "ORCID's form is shown first")
        self.user = make_user(NOW)
        mark_claimed(self.author.pk)
        Claim.objects.create(user=self.user, author=self.author, state=Claim.State.APPROVED, case="Me.")
        self.researcher = Researcher.objects.create(user=self.user, author=self.author)
        self.bob = self.member_beside()
        self.old_address = self.author.get_absolute_url()

    def member_beside(self) -> User:
        """Return another member, who follows the author, moderates and was told of claims by the name of then."""
        bob = make_user("Bob Stone", is_staff=True)
        follows.follow(follower=bob, target=self.author)
        rival = Claim.objects.create(user=bob, author=self.author, state=Claim.State.REJECTED, case="No, me.")
        for verb, address in (
            (Notification.Verb.CLAIM_REJECTED, rival.get_absolute_url()),
            (Notification.Verb.CLAIM_FILED, f"/researchers/{self.author.pid}/claim/"),
        ):
            notify(
                recipient=bob, verb=verb, target_url=address, target_text=FORMER, event_key=f"test:{verb}", by_mail=False,
            )  # fmt: skip
        double = make_author("Zoë Alvarez-Brandt", merged_into=self.author)
        other = make_author("Somebody")
        one, two = sorted((other.pk, double.pk))
        Suggestion.objects.create(author_a_id=one, author_b_id=two, score=-1, reason=f"2 co-authors in common ({fold(FORMER).title()}).")  # fmt: skip
        return bob

    def hide(self) -> None:
        owner_names.set_name(researcher=self.researcher, name=NOW)
        owner_names.hide_name(researcher=self.researcher, name=FORMER)

    def starts(self) -> list[str]:
        """Return where people and robots begin, the addresses of before among them."""
        pid = self.author.pid
        works = [work.get_absolute_url() for work in Work.objects.all()]
        files = [
            f"/works/{pid}/cite.{kind}"
            for pid in Work.objects.values_list("pid", flat=True)
            for kind in ("bib", "ris", "json")
        ]
        return [
            "/", "/robots.txt", "/sitemap.xml", "/privacy/", "/trust/", "/search?q=alvarez", "/search?q=river", "/search?q=Robin",
            f"/researchers/{pid}/", self.old_address, f"{self.old_address}?tab=collaborators", f"{self.old_address}?tab=institutions",
            f"/orcid/{ORCID}", "/doi/10.1000/river1", f"/researchers/{pid}/history/", f"/researchers/{pid}/claim/",
            f"/researchers/{pid}/correct/", f"/researchers/{pid}/trust/", f"/follow/author/{pid}/",
            reverse("graph:panel", args=["author", pid]), reverse("graph:explorer", args=["author", pid]),
            reverse("graph:data", args=["author", pid]), *works, *files,
            "/me/", "/me/following/", "/me/notifications/", "/me/claims/", f"/me/fragments/researcher/{pid}/", "/moderation/",
        ]  # fmt: skip

    def crawl(self, user: User | None, etags: dict[str, str] | None = None) -> Crawl:
        crawl = Crawl(client_of(user), self.starts())
        crawl.etags = dict(etags or {})
        return crawl.run()

    def assert_nowhere(self, before: Crawl) -> None:
        for user in (None, self.bob):
            crawl = self.crawl(user, before.etags)
            # What was an address before is asked again as it was then.
            old = Crawl(client_of(user), [path for path in before.answers if path not in crawl.answers])
            old.etags = dict(before.etags)
            old.MOST = len(before.answers)
            old.run()
            self.assertEqual(crawl.hits + [hit for hit in old.hits if not self.asked_for(hit)], [], user)
            self.assertGreater(len(crawl.answers), 60)
            self.assertFalse({status for status in crawl.answers.values() if status >= 500})

    def asked_for(self, hit: str) -> bool:
        """Return whether an answer only repeats the name that the address itself asked for."""
        return "q=" in hit.partition(": ")[0] and bool(holds_former(hit.partition(": ")[0]))

    def test_a_crawl_finds_it_before_and_nowhere_after(self) -> None:
        before = self.crawl(None)
        self.assertGreater(len(before.hits), 20, "the crawl sees the name while it is shown")
        self.assertNotEqual(holds_former(client_of(self.bob).get("/me/notifications/").content.decode()), "")
        self.hide()
        self.assert_nowhere(before)

    def test_importing_the_same_works_again_brings_it_back_nowhere(self) -> None:
        before = self.crawl(None)
        self.hide()
        more = work(6, me(FORMER), line("Bob Stone"))
        for record in [*records(), more]:
            store(record.provider, [record], ["a test, again"])
        self.assert_nowhere(before)  # between the import and whoever finds out who is who
        call_command("rebuild", verbosity=0)
        self.assertTrue(self.author.authorships.filter(work__records__record_id="W6").exists())
        self.assert_nowhere(before)

    def test_search_neither_finds_nor_shows_it(self) -> None:
        client = Client()
        self.assertGreater(client.get("/search", {"q": FORMER}).context["found"], 0)
        self.hide()
        call_command("rebuild", verbosity=0)
        for query in (FORMER, "ZOE ALVAREZ BRANDT", "alvarez-brandt, zoe", "Zoë Brandt", "brandt"):
            response = client.get("/search", {"q": query})
            self.assertEqual(response.context["found"], 0, query)
            echo = response.content.decode().replace(html.escape(query), "")
            self.assertEqual(holds_former(echo), "", query)
        found = client.get("/search", {"q": NOW})
        self.assertContains(found, NOW)
        self.assertContains(found, "The slow river number 1", msg_prefix="works are found by the name shown")

    def test_the_old_address_leads_to_the_new_one(self) -> None:
        self.hide()
        response = Client().get(self.old_address)
        self.assertEqual(response.status_code, 301)
        self.assertEqual(response["Location"], f"/researchers/{self.author.pid}/robin-alvarez/")
        self.assertEqual(response.content, b"")

    def test_citations_and_machine_data_name_the_person_of_now(self) -> None:
        self.hide()
        pid = Work.objects.get(identifiers__value="10.1000/river1").pid
        self.assertIn("Álvarez, Robin", Client().get(f"/works/{pid}/cite.bib").content.decode())
        data = json.loads(Client().get(f"/works/{pid}/cite.json").content)
        self.assertEqual(data[0]["author"][0], {"family": "Álvarez", "given": "Robin"})
        page = Client().get(Author.objects.get(pk=self.author.pk).get_absolute_url())
        self.assertEqual(page.context["json_ld_data"]["mainEntity"]["name"], NOW)
        self.assertNotIn("alternateName", page.context["json_ld_data"]["mainEntity"])
        self.assertContains(page, f"https://orcid.org/{ORCID}")

    def test_what_was_written_down_from_it_changes(self) -> None:
        self.hide()
        for text in (
            *Notification.objects.values_list("target_text", flat=True),
            *Suggestion.objects.values_list("reason", flat=True),
            *Author.objects.values_list("display_name", flat=True),
        ):
            self.assertEqual(holds_former(text), "", text)

    def test_the_versions_of_caches_rise(self) -> None:
        version = self.author.version
        self.hide()
        self.author.refresh_from_db()
        self.assertGreater(self.author.version, version)

    def test_it_stays_hidden_when_the_page_is_given_up(self) -> None:
        self.hide()
        Researcher.objects.all().delete()
        mark_claimed(self.author.pk, claimed=False)
        call_command("rebuild", verbosity=0)
        page = Client().get(Author.objects.get(pk=self.author.pk).get_absolute_url())
        self.assertContains(page, "This person has not joined")
        self.assertEqual(holds_former(page.content.decode()), "")

    def test_showing_it_again_brings_it_back(self) -> None:
        self.hide()
        row = NameOverride.objects.get(is_hidden=True)
        owner_names.show_name_again(researcher=self.researcher, override_id=row.pk)
        page = Client().get(Author.objects.get(pk=self.author.pk).get_absolute_url())
        self.assertContains(page, "Also published as")
        self.assertNotEqual(holds_former(page.content.decode()), "")

    def test_a_namesake_keeps_the_name(self) -> None:
        bring(work(7, line(FORMER, orcid="0000-0001-5109-3700")))
        self.hide()
        call_command("rebuild", verbosity=0)
        namesake = Author.objects.get(identifiers__value="0000-0001-5109-3700")
        self.assertEqual(namesake.display_name, FORMER)

    def test_a_work_marked_not_mine_goes_to_somebody_of_the_printed_name(self) -> None:
        self.hide()
        work_ = Work.objects.get(identifiers__value="10.1000/river1")
        owner_works.disown(researcher=self.researcher, work=work_)
        response = Client().get(work_.get_absolute_url())
        self.assertEqual(holds_former(response.content.decode()), "", "until a worker found out whose it is")
