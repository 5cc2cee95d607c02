"""Introductions: a researcher asks somebody who wrote with both to introduce them; the answer is silent."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from graph.models import Collaboration
from profiles import access
from profiles.author_page import availability
from profiles.exceptions import IntroductionError, TooMany
from profiles.models import Conversation, Introduction, Notification, Researcher, User
from profiles.services import conversations
from profiles.services.invitation_rules import QUIET_DAYS, check_may_write, level_of, rules_of
from profiles.services.notifications import notify
from works.models import Author

State = Introduction.State

PER_WEEK = 3  # that one member asks for
MOST_WAITING = 5  # that one member in the middle has to answer
WAIT_DAYS = 21
CLOSED = "This researcher takes no introductions at present."


def check_can_ask(*, requester: User, author: Author) -> Researcher:
    """Return who is to be met, or raise what stands in the way; a block reads the same as a closed page."""
    check_may_write(requester)
    target = Researcher.objects.select_related("user", "author").filter(author=author).first()
    if target is None or author.suppressed:
        raise IntroductionError("Nobody has claimed this page yet, so there is nobody to meet here.")
    if target.user_id == requester.pk:
        raise IntroductionError("This is your own page.")
    is_open = availability(target).is_open and target.user.is_active
    least = rules_of(target.user).invite_level
    if not is_open or access.are_blocked(requester, target.user) or level_of(requester) < least:
        raise IntroductionError(CLOSED)
    return target


def people_between(*, requester: User, target: Researcher) -> QuerySet[Researcher]:
    """Return the members who wrote with both, the strongest ties first: whoever may introduce them."""
    mine = Researcher.objects.get(user=requester).author_id
    between = Researcher.objects.filter(
        author__in=_coauthors(mine), user__is_active=True, author__suppressed=False
    ).filter(author__in=_coauthors(target.author_id))
    for person in (requester, target.user):
        between = access.without_blocked(between, person, "user")
    pairs = Collaboration.objects.filter(
        Q(author_a=mine, author_b=OuterRef("author")) | Q(author_b=mine, author_a=OuterRef("author"))
    )
    ties = between.annotate(tie=Subquery(pairs.values("weight")[:1]))
    return ties.select_related("user", "author").order_by("-tie", "pk")


def _coauthors(author_id: int) -> QuerySet[Collaboration, Any]:
    """Return the ids of everybody who wrote with an author."""
    after = Collaboration.objects.filter(author_a=author_id).values(other=F("author_b"))
    before = Collaboration.objects.filter(author_b=author_id).values(other=F("author_a"))
    return after.union(before, all=True)


@transaction.atomic
def ask_introduction(*, requester: User, target: Author, middle: Author, message: str) -> Introduction:
    """Ask the person in the middle; nobody else learns of it until they consent."""
    wanted = check_can_ask(requester=requester, author=target)
    between = people_between(requester=requester, target=wanted).filter(author=middle).first()
    if between is None:
        raise IntroductionError("Choose somebody who wrote with both of you.")
    if not message.strip():
        raise IntroductionError("Say why you would like to meet.")
    people = [requester.pk, between.user_id]
    list(User.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
    _check_limits(requester, between.user, wanted.user)
    try:
        with transaction.atomic():
            introduction = Introduction.objects.create(
                requester=requester,
                middle=between.user,
                target=wanted.user,
                message=message.strip(),
                expires_at=timezone.now() + timedelta(days=WAIT_DAYS),
            )
    except IntegrityError as error:
        raise IntroductionError("You have asked for this already.") from error
    notify(
        recipient=between.user,
        actor=requester,
        verb=Notification.Verb.INTRODUCTION_ASKED,
        target_url=address_of(introduction),
        target_text=str(wanted.user),
        event_key=f"introduction:{introduction.pk}",
    )
    return introduction


def address_of(introduction: Introduction) -> str:
    return reverse("profiles:introduction", args=[introduction.pk])


def _check_limits(requester: User, middle: User, target: User) -> None:
    now = timezone.now()
    asked = Introduction.objects.filter(requester=requester)
    last = asked.filter(target=target).exclude(state=State.CONSENTED).order_by("-created_at").first()
    day = last.created_at.date() + timedelta(days=QUIET_DAYS) if last else None
    if day and day > timezone.localdate():
        raise TooMany(f"You have asked to meet {target} already; you can do so again on {day:%-d %b %Y}.")
    if asked.filter(created_at__gt=now - timedelta(days=7)).count() >= PER_WEEK:
        raise TooMany(f"You can ask for {PER_WEEK} introductions a week. Please wait a few days.")
    waiting = Introduction.objects.filter(middle=middle, state=State.ASKED, expires_at__gt=now)
    if waiting.count() >= MOST_WAITING:
        raise TooMany(f"{middle} has several requests to answer. Ask somebody else, or try in a week.")


@transaction.atomic
def consent(*, introduction: Introduction, user: User) -> Conversation:
    """Introduce them: a conversation of three, which begins with what was asked. Doing it twice opens one."""
    introduction = _lock(introduction)
    if introduction.middle_id != user.pk:
        raise IntroductionError("This is not yours to decide.")
    if introduction.state == State.CONSENTED and introduction.conversation:
        return introduction.conversation
    _check_open(introduction)
    requester, target = introduction.requester, introduction.target
    people = [requester, user, target]
    pairs = [(requester, target), (requester, user), (user, target)]
    if not all(one.is_active for one in people) or any(access.are_blocked(*pair) for pair in pairs):
        raise IntroductionError("This introduction cannot be made any more.")
    conversation = conversations.open_conversation(
        subject=f"{user} introduces {requester} and {target}",
        people=people,
        invitation=None,
        first_message=introduction.message,
    )
    introduction.conversation = conversation
    _close(introduction, State.CONSENTED)
    for other in (requester, target):
        notify(
            recipient=other,
            actor=user,
            verb=Notification.Verb.INTRODUCED,
            target_url=conversation.get_absolute_url(),
            target_text=conversation.subject,
            event_key=f"introduction:{introduction.pk}:consented",
        )
    return conversation


@transaction.atomic
def decline(*, introduction: Introduction, user: User) -> Introduction:
    """Decline, silently: who asked sees a request that waits and then expires."""
    introduction = _lock(introduction)
    if introduction.middle_id != user.pk:
        raise IntroductionError("This is not yours to decide.")
    _check_open(introduction)
    return _close(introduction, State.DECLINED)


@transaction.atomic
def withdraw(*, introduction: Introduction, user: User) -> Introduction:
    """Take the request back; works the same when it was declined, which who asked does not know."""
    introduction = _lock(introduction)
    if introduction.requester_id != user.pk:
        raise IntroductionError("This is not yours to decide.")
    if introduction.state == State.DECLINED:
        introduction.state = State.ASKED
    _check_open(introduction)
    return _close(introduction, State.WITHDRAWN)


@transaction.atomic
def expire_introductions() -> int:
    overdue = Introduction.objects.filter(state=State.ASKED, expires_at__lt=timezone.now())
    return overdue.update(state=State.EXPIRED, decided_at=timezone.now())


def shown_state(*, introduction: Introduction, viewer: User) -> str:
    """Return the state as viewer may know it."""
    state = introduction.state
    if state == State.DECLINED and viewer.pk != introduction.middle_id:
        state = State.ASKED
    if state == State.ASKED and introduction.expires_at < timezone.now():
        state = State.EXPIRED
    return str(state)


def _lock(introduction: Introduction) -> Introduction:
    rows = Introduction.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("requester", "middle", "target", "conversation").get(pk=introduction.pk)


def _check_open(introduction: Introduction) -> None:
    if introduction.state != State.ASKED or introduction.expires_at < timezone.now():
        raise IntroductionError("This request is no longer open.")


def _close(introduction: Introduction, state: str) -> Introduction:
    introduction.state, introduction.decided_at = state, timezone.now()
    introduction.save(update_fields=["state", "decided_at", "conversation"])
    return introduction
