"""What the person of a record decided about it: names shown and hidden, which works are theirs.

profiles pushes it down by call; imports obey it without knowing people. What a page shows is right when the
transaction commits; what is derived further follows by marks.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from bzpeer.lib.names import clean, fold
from works.hidden_names import hidden_names_of, hides, words_of_name
from works.matching.names import shared, spelling
from works.models import Author, Authorship, AuthorshipDecision, Mark, NameOverride, Work
from works.services.counts import refresh_authors
from works.services.marks import mark
from works.services.search_documents import refresh_work_search

SAID = "the researcher says so"  # reason of decisions on works: moved records leave some of their own
AT_ONCE = 500  # works whose search documents are written before the answer; the others' follow by marks


class DecisionError(Exception):
    """What was asked does not fit the record; the message is written for the person who asked."""


# --- Names ------------------------------------------------------------------------------------------


def name_forms(author_id: int) -> list[str]:
    """Return every form of an author's name on works and records, hidden ones too, the frequent first."""
    author = Author.objects.get(pk=author_id)
    lines = Authorship.objects.filter(author=author_id).values_list(
        "raw_author_name", "display_name", "name_variants"
    )
    counts: dict[str, int] = {author.display_name: 0}
    for raw, display, variants in lines:
        for name in {raw, display, *variants} - {""}:
            counts[name[:255]] = counts.get(name[:255], 0) + 1
    for name in author.names.order_by("display_name").values_list("display_name", flat=True):
        counts.setdefault(name, 0)
    for name in author.name_overrides.order_by("pk").values_list("name", flat=True):
        counts.setdefault(name, 0)
    return sorted(counts, key=lambda name: (-counts[name], name))


def shown_names(author_id: int) -> list[str]:
    """Return the forms of an author's name that are not hidden."""
    hidden = hidden_names_of([author_id]).get(author_id, [])
    return [name for name in name_forms(author_id) if not hides(hidden, name)]


def name_to_show(author_id: int) -> str:
    """Return the name that the author chose; "" where the sources decide."""
    chosen = NameOverride.objects.filter(author=author_id, is_hidden=False)
    return chosen.values_list("name", flat=True).first() or ""


@transaction.atomic
def set_name_to_show(author_id: int, name: str) -> None:
    """Show this form of the name, whatever the sources prefer; "" leaves it to the sources again.

    It must stand on a work or agree with one that does. Raises DecisionError.
    """
    _lock([author_id])
    name = clean(name)[:255]
    if name:
        forms = name_forms(author_id)
        if hides(
            NameOverride.objects.filter(author=author_id, is_hidden=True, folded=fold(name)).values_list(
                "name", flat=True
            ),
            name,
        ):
            raise DecisionError("You hide this name. Show it again first.")
        if not _is_one_of(name, forms):
            raise DecisionError(
                "This name stands on none of your works and does not agree with one that does. "
                "Add a work that bears it, or ask us by a correction of the page."
            )
    NameOverride.objects.filter(author=author_id, is_hidden=False).delete()
    if name:
        NameOverride.objects.create(author_id=author_id, name=name, folded=fold(name), is_hidden=False)
    _names_changed(author_id)


@transaction.atomic
def hide_name(author_id: int, name: str) -> NameOverride:
    """Show a former name nowhere: neither on pages nor in search, whatever is imported. Raises DecisionError."""
    _lock([author_id])
    name = clean(name)[:255]
    if not words_of_name(name) or not any(hides([name], form) for form in name_forms(author_id)):
        raise DecisionError("This name stands on none of your works, so nothing shows it.")
    if NameOverride.objects.filter(author=author_id, is_hidden=True, folded=fold(name)).exists():
        raise DecisionError("This name is hidden already.")
    chosen = name_to_show(author_id)
    now = chosen or Author.objects.values_list("display_name", flat=True).get(pk=author_id)
    if sorted(words_of_name(name)) == sorted(words_of_name(now)) or (not chosen and hides([name], now)):
        raise DecisionError("Your page shows this name. Choose another name to be shown first.")
    row = NameOverride.objects.create(author_id=author_id, name=name, folded=fold(name), is_hidden=True)
    _names_changed(author_id)
    return row


@transaction.atomic
def show_name_again(override: NameOverride) -> None:
    """Let a former name be found and shown again where works bear it."""
    _lock([override.author_id])
    author_id = override.author_id
    override.delete()
    _names_changed(author_id)


def _is_one_of(name: str, forms: Iterable[str]) -> bool:
    said = spelling(name)
    return any(fold(name) == fold(form) or shared(said, spelling(form)) is not None for form in forms)


def _names_changed(author_id: int) -> None:
    refresh_authors([author_id])
    Author.objects.filter(pk=author_id).update(version=F("version") + 1, updated_at=timezone.now())
    author = Author.objects.get(pk=author_id)
    hidden = hidden_names_of([author_id]).get(author_id, [])
    for gone in Author.objects.filter(merged_into=author_id).defer("search"):
        if hides(hidden, gone.display_name):  # a merged record lives on in histories
            Author.objects.filter(pk=gone.pk).update(display_name=author.display_name)
    works = list(Authorship.objects.filter(author=author_id).order_by("-work").values_list("work", flat=True))
    refresh_work_search(works[:AT_ONCE])
    mark(Mark.What.CATALOGUE, works[AT_ONCE:], "names changed")
    mark(Mark.What.COLLABORATIONS, [author_id], "names changed")


# --- Works ------------------------------------------------------------------------------------------


def decision_on(author_id: int, work_id: int) -> bool | None:
    """Return whether the author said that a work is theirs; None where they said nothing."""
    rows = AuthorshipDecision.objects.filter(author=author_id, work=work_id)
    return rows.values_list("is_theirs", flat=True).first()


def line_that_fits(author_id: int, work_id: int, index: int | None = None) -> Authorship | None:
    """Return the line of a work that may be this author's by name and is nobody's who decides about their own.

    index: the place to prefer. Raises DecisionError where only such people's lines fit.
    """
    own = {spelling(name) for name in name_forms(author_id)}
    lines = Authorship.objects.filter(work=work_id).select_related("author").order_by("index")
    fits = [line for line in lines if any(shared(spelling(_name(line)), name) is not None for name in own)]
    fits.sort(key=lambda line: (line.index != index, line.index))
    free = [line for line in fits if not line.author or not (line.author.claimed or line.author.suppressed)]
    if fits and not free:
        raise DecisionError(
            "Another researcher holds the line that bears this name. If it is yours, ask by a correction."
        )
    return free[0] if free else None


@transaction.atomic
def say_theirs(author_id: int, work_id: int, index: int | None = None) -> None:
    """Put a work on the author's page: one of its lines must bear a compatible name. Raises DecisionError."""
    if Authorship.objects.filter(author=author_id, work=work_id).exists():
        raise DecisionError("This work is on your page already.")
    line = line_that_fits(author_id, work_id, index)
    if line is None:
        raise DecisionError("None of the names on this work agrees with yours.")
    _decide(author_id, work_id, True)
    _move(line, author_id)


@transaction.atomic
def say_not_theirs(author_id: int, work_id: int) -> int:
    """Take a work off the author's page, for all later imports too; return the place of the line.

    Whose it is instead is found out by a worker. Raises DecisionError.
    """
    line = Authorship.objects.filter(author=author_id, work=work_id).first()
    if line is None:
        raise DecisionError("This work is not on your page.")
    _decide(author_id, work_id, False)
    _move(line, None)
    return line.index


@transaction.atomic
def restore_decision(author_id: int, work_id: int, is_theirs: bool | None, index: int | None = None) -> None:
    """Let the record be as it was before a decision: is_theirs as decision_on told then.

    A line that had left comes back where it still may, at its old place first.
    """
    was = decision_on(author_id, work_id)
    line = Authorship.objects.filter(author=author_id, work=work_id).first()
    _decide(author_id, work_id, is_theirs)
    if was is False and is_theirs is not False and line is None:
        try:
            line = line_that_fits(author_id, work_id, index)
        except DecisionError:
            line = None
        if line:
            _move(line, author_id)
    elif was is True and is_theirs is not True and line is not None:
        _move(line, None)


def _decide(author_id: int, work_id: int, is_theirs: bool | None) -> None:
    rows = AuthorshipDecision.objects.filter(author=author_id, work=work_id)
    if is_theirs is None:
        rows.delete()
    else:
        AuthorshipDecision.objects.update_or_create(
            author_id=author_id,
            work_id=work_id,
            defaults={"is_theirs": is_theirs, "reason": SAID},
        )


def _move(line: Authorship, author_id: int | None) -> None:
    """Give a line to an author, or to whom identity resolution finds, and recount who is touched."""
    from works.tasks import drain_resolve

    touched = [number for number in (line.author_id, author_id) if number]
    _lock(touched)
    Authorship.objects.filter(pk=line.pk).update(author=author_id)
    mark(Mark.What.RESOLVE, [line.work_id], "a researcher decided")
    mark(Mark.What.COLLABORATIONS, touched, "a researcher decided")
    mark(Mark.What.CATALOGUE, [line.work_id], "a researcher decided")
    refresh_authors(touched)
    Author.objects.filter(pk__in=touched).update(version=F("version") + 1, updated_at=timezone.now())
    ring(drain_resolve)


def _name(line: Authorship) -> str:
    return line.display_name or line.raw_author_name


def _lock(author_ids: Iterable[int]) -> None:
    list(Author.objects.select_for_update(no_key=True).filter(pk__in=set(author_ids)).order_by("pk"))


# --- What they said so far --------------------------------------------------------------------------


def works_said_about(author_id: int) -> dict[bool, int]:
    """Return how many works the author said are theirs (True) and are not (False)."""
    rows = AuthorshipDecision.objects.filter(author=author_id, reason=SAID)
    found = {True: 0, False: 0}
    for is_theirs in rows.values_list("is_theirs", flat=True):
        found[is_theirs] += 1
    return found


def works_not_theirs(author_id: int) -> list[Work]:
    """Return the works that the author marked "not mine", the last first."""
    rows = AuthorshipDecision.objects.filter(author=author_id, is_theirs=False, reason=SAID).order_by("-pk")
    return [row.work for row in rows.select_related("work").defer("work__search")[:200]]
