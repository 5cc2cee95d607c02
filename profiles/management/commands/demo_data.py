"""Fill an empty site with real records from open sources and with four made-up accounts."""

from argparse import ArgumentParser
from typing import Any, NamedTuple

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from profiles.models import Claim, User
from profiles.services import accounts, claims, follows, pages
from works.ingest.report import Reporter
from works.models import Author, Topic
from works.services.demo import demo_records_imported, import_demo_records
from works.services.marks import pending
from works.tasks import rebuild_works


class Login(NamedTuple):
    role: str
    email: str
    password: str
    name: str


# Known to everybody who reads this file: the command refuses to make them on a public site.
LOGINS = [
    Login("reader", "reader@example.org", "reader-demo-2026", "Robin Reader"),
    Login("researcher", "researcher@example.org", "researcher-demo-2026", "Carole-Jean Wu"),
    Login("moderator", "moderator@example.org", "moderator-demo-2026", "Morgan Moderator"),
    Login("admin", "admin@example.org", "admin-demo-2026", "Alex Admin"),
]
UNCLAIMED = "Liu Ke"  # the page everything started from stays as it was found


class Command(BaseCommand):
    help = "Import the demo records and make the demo accounts; running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where records exist already")
        parser.add_argument("--logins", action="store_true", help="only print the demo accounts as a table")
        parser.add_argument("--people", action="store_true", help="only make the accounts, import nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("This site is public, so it gets no accounts whose passwords everybody knows.")
        if options["logins"]:
            self.stdout.write(table(LOGINS))
            return
        if options["if_empty"] and Author.objects.exists():
            return
        if not options["people"] and not demo_records_imported():
            self._import()
        self._rebuild()
        if make_people():
            self.stdout.write("Demo accounts are ready: manage.py demo_data --logins")
            self._rebuild()

    def _import(self) -> None:
        """Import the records and find out who is who, so that there are researchers to claim."""
        with Reporter() as reporter:
            import_demo_records(reporter.show)
            rebuild_works(reporter.say)

    def _rebuild(self) -> None:
        """Finish collaborations, trust and what else is marked, so that the first page shown is whole."""
        if pending():
            call_command("rebuild", stdout=self.stdout, stderr=self.stderr)


def table(rows: list[Login]) -> str:
    head = Login("account", "e-mail address", "password", "name")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )


@transaction.atomic
def make_people() -> bool:
    """Make the accounts, and give the researcher a page through the same services as everybody.

    Returns whether anything was missing.
    """
    there = User.objects.filter(email__in=[login.email for login in LOGINS]).count() == len(LOGINS)
    if there and Claim.objects.filter(user__email=LOGINS[1].email).exists():
        return False
    reader, researcher, moderator, admin = [make_account(login) for login in LOGINS]
    accounts.make_moderator(user=moderator)
    User.objects.filter(pk=admin.pk).update(is_staff=True, is_superuser=True)
    if author := choose_author():
        claim_page(researcher, author, moderator)
        follows.follow(follower=reader, target=author)
        topics = Topic.objects.filter(work_topics__work__authorships__author=author)
        if topic := topics.order_by("-works_count", "pk").first():
            follows.follow(follower=reader, target=topic)
    return True


def make_account(login: Login) -> User:
    user = User.objects.filter(email=login.email).first()
    if user is None:
        user = User.objects.create_user(login.email, login.password, display_name=login.name)
        EmailAddress.objects.create(user=user, email=login.email, verified=True, primary=True)
    return user


def choose_author() -> Author | None:
    """Return the author whom the demo researcher claims: with several works, and never Liu Ke."""
    authors = Author.objects.public().exclude(display_name=UNCLAIMED).order_by("-works_count", "pk")
    return authors.filter(display_name="Carole-Jean Wu").first() or authors.first()


def claim_page(user: User, author: Author, moderator: User) -> None:
    if author.claimed or Claim.objects.filter(user=user).exists():
        return
    claim = claims.submit_claim(
        user=user, author=author, case="This is the demo account of a researcher; it claims this page."
    )
    claims.approve_claim(claim=claim, actor=moderator, reason="Made for the demo.")
    if author.display_name != user.display_name:
        accounts.rename(user=user, display_name=author.display_name)
    pages.update_researcher(
        researcher=user.researcher,
        bio="A made-up text: in this demo an account that anybody can use holds this page. "
        "The person of this name has nothing to do with it.",
        open_to_collaborate=True,
    )
