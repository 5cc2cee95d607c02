"""Plain functions that make records as an import would leave them."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from profiles.models import Claim, Researcher, User
from works.models import (
    Affiliation,
    Author,
    Authorship,
    AuthorshipInstitution,
    Institution,
    InstitutionIdentifier,
    Source,
    Topic,
    Work,
    WorkIdentifier,
    WorkTopic,
)

_numbers = count(1)
PASSWORD = "correct horse battery"


def make_user(name: str = "Reader", **fields: Any) -> User:
    """Return a member whose address is confirmed."""
    from allauth.account.models import EmailAddress

    email = fields.pop("email", f"{name.lower().replace(' ', '.')}.{next(_numbers)}@example.org")
    user = User.objects.create_user(email, PASSWORD, display_name=name, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def make_author(name: str = "Ada Smith", **fields: Any) -> Author:
    return Author.objects.create(display_name=name, **fields)


def make_topic(name: str = "Graph theory", **fields: Any) -> Topic:
    return Topic.objects.create(display_name=name, **fields)


def make_institution(name: str = "Tufts University", ror: str = "", **fields: Any) -> Institution:
    institution = Institution.objects.create(display_name=name, ror=ror, **fields)
    if ror:
        InstitutionIdentifier.objects.create(institution=institution, scheme="ror", value=ror)
    return institution


def make_work(
    title: str = "On counting",
    authors: int | Sequence[Author] = 1,
    topics: Sequence[Topic] = (),
    institution: Institution | None = None,
    doi: str | None = None,
    arxiv: str | None = None,
    year: int = 2020,
    **fields: Any,
) -> Work:
    """Return a work with authorships; authors is their number or the authors themselves."""
    if isinstance(authors, int):
        authors = [make_author(f"Author {next(_numbers)}") for _ in range(authors)]
    number = next(_numbers)
    fields.setdefault("source", Source.objects.get_or_create(display_name="arXiv", type="repository")[0])
    work = Work.objects.create(
        type=fields.pop("type", "preprint"), title=title, title_html=fields.pop("title_html", title), title_key=title.lower()[:200],
        publication_year=year, authors_count=len(authors), **fields,
    )  # fmt: skip
    WorkIdentifier.objects.create(
        work=work, scheme="doi" if doi else "arxiv", value=doi or arxiv or f"2001.{number:05d}"
    )
    last = len(authors) - 1
    for index, author in enumerate(authors):
        authorship = Authorship.objects.create(
            work=work, author=author, index=index, raw_author_name=author.display_name, name_block="",
            author_position="first" if index == 0 else "last" if index == last else "middle",
        )  # fmt: skip
        if institution:
            AuthorshipInstitution.objects.create(authorship=authorship, institution=institution)
            Affiliation.objects.get_or_create(
                author=author, institution=institution, defaults={"first_year": year, "last_year": year}
            )
    for topic in topics:
        WorkTopic.objects.create(work=work, topic=topic, score=1.0)
    return work


def make_claimed(name: str = "Alice Ngata", **fields: Any) -> Researcher:
    """Return a researcher: a member whose claim on an author was accepted."""
    user = make_user(name)
    author = make_author(name, claimed=True, **fields)
    Claim.objects.create(user=user, author=author, state=Claim.State.APPROVED, case="It is me.")
    return Researcher.objects.create(user=user, author=author)
