"""Words that moderators use again: a handful comes with the code, the rest is theirs."""

from typing import NamedTuple

from django.db import transaction

from profiles.exceptions import ModerationError
from profiles.models import AnswerTemplate, By, Claim, User
from profiles.services import history


class Answer(NamedTuple):
    title: str
    body: str


# Offered until moderators write their own; "{name}" and "{page}" are filled in at the desk.
USUAL = (
    Answer(
        "Accepted: the evidence fits",
        "Dear {name}, the evidence and the record of {page} fit together. The page is yours now; welcome.",
    ),
    Answer(
        "Not accepted: nothing links you to the record",
        "Dear {name}, we found nothing yet that links you to the record of {page}. What would: signing in with the "
        "ORCID iD that stands on your works, an address at an institution of the record, or a line on your "
        "institution's page. You can appeal once, or file a new claim when you have one of these.",
    ),
    Answer(
        "Not accepted: the record is another person's",
        "Dear {name}, the works of {page} are by another person of that name, as far as we can see. Your own works "
        "may stand on another page: search for a title of yours. If some of these works are yours all the same, "
        "appeal and name them.",
    ),
    Answer(
        "Not accepted: the record holds works of several people",
        "Dear {name}, the record of {page} holds works of more than one person. Propose on the page to divide it, "
        "and claim the part that is yours.",
    ),
    Answer(
        "Dispute: upheld",
        "We compared what both sides showed. The evidence of the person who holds {page} is the stronger one, so "
        "the page stays theirs.",
    ),
    Answer(
        "Spam",
        "This was sent many times, or has nothing to do with the record. We closed it. If that is a mistake, "
        "answer this and say which work is yours.",
    ),
)


def ready_answers() -> list[Answer]:
    """Return the moderators' own templates; the usual ones while there are none."""
    own = AnswerTemplate.objects.order_by("title").values_list("title", "body")
    return [Answer(*row) for row in own] or list(USUAL)


def filled(title: str, claim: Claim | None = None) -> str:
    """Return the body of a template with the claim's names in it; empty for a title that is none."""
    body = next((answer.body for answer in ready_answers() if answer.title == title), "")
    if claim:
        body = body.replace("{name}", str(claim.user or "")).replace("{page}", claim.author.display_name)
    return body


@transaction.atomic
def keep_usual(*, actor: User) -> None:
    """Make the usual answers the moderators' own, so that they can be edited."""
    if AnswerTemplate.objects.exists():
        raise ModerationError("You have answers of your own already.")
    AnswerTemplate.objects.bulk_create(AnswerTemplate(title=a.title, body=a.body) for a in USUAL)
    history.audit(actor=actor, by=By.MODERATOR, action="answer.keep_usual", subject="answers:usual")


@transaction.atomic
def save_answer(
    *, actor: User, title: str, body: str, template: AnswerTemplate | None = None
) -> AnswerTemplate:
    """Write a new template, or write an old one anew."""
    others = AnswerTemplate.objects.exclude(pk=template.pk) if template else AnswerTemplate.objects.all()
    if others.filter(title__iexact=title).exists():
        raise ModerationError("Another answer has this title.")
    template = template or AnswerTemplate()
    template.title, template.body = title, body
    template.save()
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action="answer.save",
        subject=f"answer:{template.pk}",
        data={"title": title},
    )
    return template


@transaction.atomic
def delete_answer(*, actor: User, template: AnswerTemplate) -> None:
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action="answer.delete",
        subject=f"answer:{template.pk}",
        data={"title": template.title, "body": template.body},
    )
    template.delete()
