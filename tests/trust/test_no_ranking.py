"""The number ranks nobody: nothing outside trust and the pages that show it reads it, in code or in queries."""

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase as PlainTestCase

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author, make_claimed, make_institution, make_topic
from tests.test_import_order import module_of, sources
from tests.trust.records import make_known_work
from trust.queries import trust_document, trust_snapshot
from trust.services import rescore_authors
from works.models import Author

# Modules of trust that know scores; the ledger (Evidence), its services and tasks do not tell them.
TELLING = {"trust.queries", "trust.scores", "trust.timeline", "trust.bulk", "trust.algorithms", "trust.facts"}
NAMES = {"TrustScore", "TrustChange"}
TABLES = ("trust_trustscore", "trust_trustchange")
RELATIONS = ("trust", "trust_changes")

# Who reads scores outside trust, and what for. Search, orders, structured data and recommendations are not among them.
READERS = {
    "profiles.views.authors": "the page of a researcher shows it",
    "profiles.views.owner": "the owner chooses whether it is shown",
    "profiles.views.owner_parts": "the owner chooses whether it is shown",
    "profiles.views.my_trust": "the owner's own page of trust",
    "profiles.services.invitations": "the level sets how many invitations a week (DESIGN 9)",
    "profiles.services.invitation_rules": "the level sets how many invitations a week (DESIGN 9)",
    "profiles.services.notifications": "no notice of a follower below L2 (DESIGN 9)",
    "profiles.services.vouches": "the level says who may vouch (DESIGN 7)",
    "profiles.feed": "tells when somebody one follows reaches a level, by date",
    "profiles.claims.routes.coauthors": "the level says whose confirmation counts (DESIGN 8)",
    "profiles.claims.sources": "which sources are recognised, no score",
    "bzpeer.management.commands.check_invariants": "compares scores with what the formula gives",
}
LEVEL_ALONE = (
    "profiles.services.invitations",
    "profiles.services.invitation_rules",
    "profiles.services.notifications",
    "profiles.services.vouches",
    "profiles.feed",
    "profiles.claims.routes.coauthors",
)


def strings(tree: ast.AST) -> Iterator[str]:
    yield from (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def readings(tree: ast.Module) -> Iterator[str]:
    """Yield what in a module reads scores: imports, attributes, names of relations and tables."""
    docs = {
        ast.get_docstring(n, clean=False)
        for n in ast.walk(tree)
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                if node.module in TELLING or name.name in NAMES or f"{node.module}.{name.name}" in TELLING:
                    yield f"import {name.name}"
        elif isinstance(node, ast.Attribute) and node.attr in RELATIONS:
            yield f".{node.attr}"
    for text in strings(tree):
        if text in docs:
            continue
        words = text.lstrip("-").split("__")
        if (words[0] in RELATIONS and text != "trust") or any(table in text for table in TABLES):
            yield text[:60]
        elif text == "trust" and _in_a_query(tree, text):
            yield text


def _in_a_query(tree: ast.Module, text: str) -> bool:
    """Tell whether a text is given to a method of a query set."""
    methods = {"select_related", "prefetch_related", "order_by", "values", "values_list", "annotate", "F"}
    return any(
        isinstance(call, ast.Call)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", ""))
        in methods
        and any(isinstance(given, ast.Constant) and given.value == text for given in call.args)
        for call in ast.walk(tree)
    )


class CodeTests(PlainTestCase):
    def test_only_the_pages_that_show_scores_and_the_rules_about_levels_read_them(self) -> None:
        found = defaultdict(set)
        for path in sources():
            module = module_of(path)
            if module.split(".")[0] != "trust":
                for reading in readings(ast.parse(path.read_text(encoding="utf-8"))):
                    found[module].add(reading)
        self.assertLessEqual(set(found), set(READERS), {key: found[key] for key in set(found) - set(READERS)})
        self.assertIn("profiles.views.authors", found)

    def test_the_walk_sees_what_it_looks_for(self) -> None:
        for code in (
            "from trust.models import TrustScore", "from trust.queries import trust_snapshot", "from trust import queries",
            "rows.order_by('-trust__value')", "rows.select_related('trust')", "author.trust",
            "query('select * from trust_trustscore')", "F('trust__level')",
        ):  # fmt: skip
            with self.subTest(code):
                self.assertTrue(list(readings(ast.parse(code))))
        for code in (
            "from trust.models import Evidence",
            "from trust.services import record_evidence",
            "x = 'trust'",
        ):
            with self.subTest(code):
                self.assertEqual(list(readings(ast.parse(code))), [])

    def test_rules_about_levels_read_the_level_and_not_the_number(self) -> None:
        root = Path(__file__).parent.parent.parent
        for module in LEVEL_ALONE:
            tree = ast.parse((root / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
            for text in strings(tree):
                self.assertNotRegex(text, r"trust__value|\bt\.value|trust_trustscore\.value")
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and "TrustScore" in ast.unparse(node):
                    self.assertNotRegex(ast.unparse(node), r"['\"]value['\"]|\.value\b")

    def test_templates_outside_trust_and_the_pages_that_show_it_name_no_score(self) -> None:
        root = Path(__file__).parent.parent.parent / "templates"
        allowed = {"profiles/owner/_number.html", "profiles/_author_evidence.html"}
        wrong = [
            name
            for path in root.rglob("*.*")
            if (name := path.relative_to(root).as_posix()) not in allowed and not name.startswith("trust/")
            and ("snapshot.value" in (text := path.read_text(encoding="utf-8")) or ".trust." in text)
        ]  # fmt: skip
        self.assertEqual(wrong, [])


class QueryTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        place, topic = make_institution("Tufts University", ror="05wvpxv85"), make_topic("Graph theory")
        researcher = make_claimed("Alice Ngata")
        cls.alice, cls.bob = researcher.author, make_author("Bob Stone")
        cls.work = make_known_work(
            "On trust", authors=[cls.alice, cls.bob], institution=place, topics=[topic]
        )
        cls.reader = researcher.user
        rebuild_collaborations([cls.alice.pk])
        rescore_authors([cls.alice.pk, cls.bob.pk])
        cls.place, cls.topic = place, topic

    def queries_of(self, url: str) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            self.assertEqual(self.client.get(url, follow=True).status_code, 200, url)
        return [query["sql"] for query in caught.captured_queries]

    def test_lists_of_people_and_works_are_made_without_scores(self) -> None:
        self.client.force_login(self.reader)
        search = reverse("works:search")
        for url in (
            "/", search, f"{search}?q=alice", f"{search}?q=trust&type=works", f"{search}?q=alice&type=authors",
            f"{search}?q=a&type=authors&sort=works", f"/topics/{self.topic.pid}/", f"/institutions/{self.place.pid}/",
            f"/works/{self.work.pid}/", reverse("profiles:home"), reverse("profiles:following"),
        ):  # fmt: skip
            with self.subTest(url):
                queries = self.queries_of(url)
                self.assertTrue(queries or url in {"/", search})  # without a question there is nothing to ask
                # What members follow tells of steps of trust, by date: the one list that reads the timeline.
                tables = ("trust_trustscore",) if url == reverse("profiles:home") else TABLES
                self.assertEqual([sql for sql in queries if any(table in sql for table in tables)], [])

    def test_the_page_that_shows_a_score_orders_and_filters_nothing_by_it(self) -> None:
        for tab in ("works", "collaborators", "topics", "institutions"):
            for sql in self.queries_of(f"{self.alice.get_absolute_url()}?tab={tab}"):
                self.assertNotRegex(sql.partition("WHERE")[2], r'trust_trustscore"?\."?(value|level|parts)')

    def test_structured_data_and_the_graphs_json_have_no_number(self) -> None:
        page = self.client.get(self.alice.get_absolute_url()).content.decode()
        block = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
        self.assertTrue(block)
        words = json.dumps(json.loads(block)).lower()
        for word in ("trust", "rating", "score", "unverified"):
            self.assertNotIn(word, words)

    def test_the_document_for_machines_has_all_or_nothing(self) -> None:
        for author in Author.objects.all():
            found = trust_document(trust_snapshot(author))
            self.assertEqual("value" in found, "parts" in found)
            self.assertIn("formula_version", found)
