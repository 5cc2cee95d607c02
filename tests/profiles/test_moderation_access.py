"""Who reaches the desk and representatives' pages: everybody else gets what a missing page gives."""

from uuid import uuid4

from django.http import HttpResponse
from django.urls import reverse

from profiles.models import AnswerTemplate, Representative
from profiles.services import conversations, curation
from profiles.urls import moderation, representatives
from tests.factories import make_user
from tests.profiles.cast import client_of
from tests.profiles.desk import add_address
from tests.profiles.test_representatives import InstitutionTestCase

# name: what its object is, whether it answers GET
DESK: dict[str, tuple[str, str]] = {
    "moderation": ("", "get"),
    "moderation_queue": ("queue", "get"),
    "moderation_claim": ("claim", "get"),
    "moderation_claim_decide": ("claim", "post"),
    "moderation_claim_look": ("claim", "post"),
    "moderation_request": ("request", "get"),
    "moderation_request_decide": ("request", "post"),
    "moderation_address": ("request", "both"),
    "moderation_report": ("report", "get"),
    "moderation_report_decide": ("report", "post"),
    "moderation_representative": ("standing", "get"),
    "moderation_representative_decide": ("standing", "post"),
    "moderation_account": ("account", "both"),
    "moderation_restore": ("account", "post"),
    "moderation_audit": ("", "get"),
    "moderation_audit_download": ("", "post"),
    "moderation_answers": ("", "both"),
    "moderation_answers_usual": ("", "post"),
    "moderation_answer": ("answer", "both"),
    "moderation_answer_delete": ("answer", "post"),
}
SPEAKING: dict[str, tuple[str, str]] = {
    "institution": ("university", "get"),
    "institution_sheet": ("university", "post"),
    "institution_confirm": ("university", "post"),
    "institution_change": ("university", "post"),
    "institution_download": ("university", "get"),
    "institution_member": ("university_member", "both"),
    "representative_end": ("standing", "post"),
    "assertion": ("assertion", "both"),
}
MEMBERS: dict[str, tuple[str, str]] = {
    "represent": ("university", "both"),
    "institutions": ("", "get"),
}


def methods(kind: str) -> list[str]:
    return ["get", "post"] if kind == "both" else [kind]


class DoorTests(InstitutionTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        request = curation.request_curation(
            kind="correction", record=cls.bob_author, email="x@example.org", message="Wrong."
        )
        curation.confirm_request(request=request)
        cls.pending = make_user("Pen Ding")
        add_address(cls.pending, "pen@stone.edu")
        Representative.objects.create(
            user=cls.pending,
            institution=cls.university,
            email="pen@stone.edu",
            position="x",
            state="requested",
        )
        cls.arguments: dict[str, tuple[list[object], list[object]]] = {
            "": ([], []),
            "queue": (["claims"], ["nothing"]),
            "claim": ([cls.claim.pk], [uuid4()]),
            "request": ([request.pk], [uuid4()]),
            "account": ([cls.bob.pk], [10**12]),
            "answer": ([AnswerTemplate.objects.create(title="Short", body="No.").pk], [10**12]),
            "standing": ([cls.rita_standing.pk], [uuid4()]),
            "university": ([cls.university.pid], ["zzzzzzz"]),
            "university_member": (
                [cls.university.pid, cls.alice_author.pid],
                ["zzzzzzz", cls.alice_author.pid],
            ),
        }

    def setUp(self) -> None:
        if "report" not in self.arguments:
            conversation = self.make_conversation()
            report = conversations.report_conversation(
                conversation=conversation, user=self.alice, reason="Rude."
            )
            self.arguments = {
                **self.arguments,
                "report": ([report.pk], [uuid4()]),
                "assertion": ([self.assert_member().pk], [uuid4()]),
            }

    def there(self, name: str, kind: str) -> str:
        return reverse(f"profiles:{name}", args=self.arguments[kind][0])

    def missing(self, name: str, kind: str) -> str:
        return reverse(f"profiles:{name}", args=self.arguments[kind][1])

    def ask(self, user: object, method: str, path: str) -> HttpResponse:
        return getattr(client_of(user), method)(path)  # type: ignore[arg-type]

    def plain(self, page: HttpResponse, path: str) -> str:
        """Return a page without the address asked for and its words, which the search box repeats."""
        words = path.strip("/").split("/")[2].replace("-", " ")
        return page.content.decode().replace(path, "").replace(f'value="{words}"', 'value=""')

    def test_every_address_is_in_a_table(self) -> None:
        names = {pattern.name for pattern in [*moderation.urlpatterns, *representatives.urlpatterns]}
        self.assertEqual(names, {*DESK, *SPEAKING, *MEMBERS})

    def test_the_desk_is_there_for_moderators_alone(self) -> None:
        for name, (kind, answers) in DESK.items():
            for method in methods(answers):
                path = self.there(name, kind)
                with self.subTest(path=path, method=method):
                    for user in (self.bob, self.alice, self.otto, self.pending):
                        self.assertEqual(self.ask(user, method, path).status_code, 404)
                    anonymous = self.ask(None, method, path)
                    self.assertEqual(anonymous.status_code, 302)
                    self.assertTrue(anonymous["Location"].startswith("/accounts/login/?next="))
                    page = self.ask(self.moderator, method, path)
                    self.assertIn(page.status_code, {200, 302})
                    self.assertIn("no-store", page["Cache-Control"])

    def test_a_member_learns_nothing_from_the_desk(self) -> None:
        for name, (kind, answers) in DESK.items():
            if not self.arguments[kind][0]:
                continue
            there, missing = self.there(name, kind), self.missing(name, kind)
            for method in methods(answers):
                with self.subTest(path=there, method=method):
                    theirs, none = self.ask(self.bob, method, there), self.ask(self.bob, method, missing)
                    self.assertEqual((theirs.status_code, none.status_code), (404, 404))
                    self.assertEqual(self.plain(theirs, there), self.plain(none, missing))

    def test_what_is_missing_is_missing_for_moderators_too(self) -> None:
        for name, (kind, answers) in DESK.items():
            if self.arguments[kind][0]:
                for method in methods(answers):
                    with self.subTest(name=name, method=method):
                        self.assertEqual(
                            self.ask(self.moderator, method, self.missing(name, kind)).status_code, 404
                        )

    def test_an_institution_is_there_for_who_speaks_for_it_alone(self) -> None:
        owners = {"assertion": self.alice}
        for name, (kind, answers) in SPEAKING.items():
            there, missing = self.there(name, kind), self.missing(name, kind)
            for method in methods(answers):
                with self.subTest(path=there, method=method):
                    self.assertEqual(self.ask(None, method, there).status_code, 302)
                    for user in (self.bob, self.otto, self.pending, self.moderator):
                        theirs, none = self.ask(user, method, there), self.ask(user, method, missing)
                        self.assertEqual((theirs.status_code, none.status_code), (404, 404))
                        self.assertEqual(self.plain(theirs, there), self.plain(none, missing))
                    page = self.ask(owners.get(name, self.rita), method, there)
                    self.assertIn(page.status_code, {200, 302})
                    self.assertIn("no-store", page["Cache-Control"])

    def test_asking_is_for_members(self) -> None:
        for name, (kind, answers) in MEMBERS.items():
            path = self.there(name, kind)
            for method in methods(answers):
                with self.subTest(path=path, method=method):
                    self.assertEqual(self.ask(None, method, path).status_code, 302)
                    self.assertEqual(self.ask(self.bob, method, path).status_code, 200)
        self.assertEqual(self.ask(self.bob, "get", self.missing("represent", "university")).status_code, 404)

    def test_actions_refuse_get_and_writes_need_a_token(self) -> None:
        for tables in (DESK, SPEAKING, MEMBERS):
            for name, (kind, answers) in tables.items():
                user = self.moderator if tables is DESK else self.alice if name == "assertion" else self.rita
                path = self.there(name, kind)
                with self.subTest(path=path):
                    if answers == "post":
                        self.assertEqual(self.ask(user, "get", path).status_code, 405)
                    if answers in {"post", "both"}:
                        client = client_of(user, enforce_csrf_checks=True)
                        self.assertEqual(client.post(path).status_code, 403)
                    if answers == "get":
                        self.assertEqual(self.ask(user, "post", path).status_code, 405)

    def test_a_closed_representation_and_a_suspended_moderator_have_no_door(self) -> None:
        self.rita_standing.state = "revoked"
        self.rita_standing.save()
        self.assertEqual(self.ask(self.rita, "get", self.home).status_code, 404)
        moderator = client_of(self.moderator)
        self.assertEqual(moderator.get("/moderation/").status_code, 200)
        self.moderator.is_active = False
        self.moderator.save()
        self.assertEqual(moderator.get("/moderation/").status_code, 302)
