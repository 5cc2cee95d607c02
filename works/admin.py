"""What a host may look at; records change through imports and decisions, not here."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bzpeer.lib.admin import ReadOnlyAdmin
from bzpeer.lib.pagination import page_of
from bzpeer.lib.templatetags.bzpeer import thousands, years
from works.models import (
    Author,
    AuthorshipDecision,
    ImportFile,
    ImportRun,
    Mark,
    NameOverride,
    Suggestion,
    Suppression,
    SyncRequest,
    SyncStep,
)

_OPEN = (ImportFile.State.QUEUED, ImportFile.State.RUNNING)
_REASONS = 20  # reasons of rejects with their counts, the frequent first
_MAX_SEARCH = 200  # characters


def _page(record: Any) -> SafeString:
    """Return a link to a record's public page."""
    return format_html('<a href="{}"><bdi>{}</bdi></a>', record.get_absolute_url(), record)


# --- Imports ----------------------------------------------------------------------------------------


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """Runs; a run's page lists its files, and the records that were refused with the reasons."""

    change_form_template = "works/admin/importrun.html"
    list_display = (
        "name", "state", "files_done", "records_read", "new", "changed", "same", "refused", "started", "took", "speed",
    )  # fmt: skip
    # No filters: they take the width that the numbers need. Words find as well: "ror", "failed".
    search_fields = ("provider", "state")
    list_per_page = 50
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        ("provider", "state", "files_done"),
        ("records_read", "new", "changed", "same", "refused"),
        ("started_at", "finished_at", "took", "speed"),
        "reading",
    )
    readonly_fields = (
        "files_done", "records_read", "new", "changed", "same", "refused", "took", "speed", "reading",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        rows = super().get_queryset(request)
        return rows.annotate(
            files_total=Count("files"), files_open=Count("files", filter=Q(files__state__in=_OPEN))
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = extra_context or {}
        if isinstance(run, ImportRun) and self.has_view_permission(request, run):
            rejects = request.GET.get("list") == "rejects"
            context |= {"run": run, **(_rejects(request, run) if rejects else _files(request, run))}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="run", ordering="id")
    def name(self, run: ImportRun) -> str:
        return str(run)

    @admin.display(description="started", ordering="started_at")
    def started(self, run: ImportRun) -> str:
        return date_format(timezone.localtime(run.started_at), "j M Y, H:i")

    @admin.display(description="read by")
    def reading(self, run: ImportRun) -> str:
        tasks = f"{run.jobs} Celery task{'' if run.jobs == 1 else 's'}" if run.jobs else "the command itself"
        return f"{tasks}; files known from before were read once more" if run.again else tasks

    @admin.display(description="files")
    def files_done(self, run: Any) -> str:
        return f"{thousands(run.files_total - run.files_open)}/{thousands(run.files_total)}"

    @admin.display(description="read", ordering="read")
    def records_read(self, run: ImportRun) -> str:
        return thousands(run.read)

    @admin.display(description="new")
    def new(self, run: ImportRun) -> str:
        return thousands(run.stored - run.updated)

    @admin.display(description="updated", ordering="updated")
    def changed(self, run: ImportRun) -> str:
        return thousands(run.updated)

    @admin.display(description="unchanged", ordering="unchanged")
    def same(self, run: ImportRun) -> str:
        return thousands(run.unchanged)

    @admin.display(description="rejected", ordering="rejected")
    def refused(self, run: ImportRun) -> SafeString | str:
        if not run.rejected:
            return "0"
        address = reverse("admin:works_importrun_change", args=[run.pk])
        return format_html('<a href="{}?list=rejects">{}</a>', address, thousands(run.rejected))

    @admin.display(description="duration")
    def took(self, run: ImportRun) -> str:
        took = str(timedelta(seconds=round(_seconds(run))))
        return took if run.finished_at else f"{took} so far"

    @admin.display(description="records a second")
    def speed(self, run: ImportRun) -> str:
        seconds = _seconds(run)
        return thousands(round(run.read / seconds)) if run.read and seconds > 0 else ""


def _seconds(run: ImportRun) -> float:
    return ((run.finished_at or timezone.now()) - run.started_at).total_seconds()


def _files(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """Return a page of a run's files, those that somebody looked for."""
    text = _searched(request)
    files = run.files.order_by("id")
    if text:
        files = files.filter(Q(name__icontains=text) | Q(path__icontains=text) | Q(error__icontains=text))
    page = page_of(files, request.GET.get("page"), per_page=50)
    return {"list": "files", "page": page, "query": text, "rejects_total": run.rejected}


def _rejects(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """Return a page of the records that a run refused, and how many there are of each reason."""
    text, reason, file = _searched(request), request.GET.get("reason", ""), request.GET.get("file", "")
    rejects = run.rejects.select_related("file").order_by("file", "position")
    reasons = run.rejects.order_by().values("reason").annotate(count=Count("pk"))
    if file.isascii() and file.isdigit() and len(file) < 19:
        rejects = rejects.filter(file=int(file))
    if reason:
        rejects = rejects.filter(reason=reason)
    if text:
        words = Q(reason__icontains=text) | Q(snippet__icontains=text) | Q(file__name__icontains=text)
        rejects = rejects.filter(words)
    return {
        "list": "rejects",
        "page": page_of(rejects, request.GET.get("page"), per_page=50),
        "query": text,
        "reason": reason,
        "file": file,
        "reasons": reasons.order_by("-count", "reason")[:_REASONS],
        "rejects_total": run.rejected,
    }


def _searched(request: HttpRequest) -> str:
    return " ".join(request.GET.get("q", "").split())[:_MAX_SEARCH]


# --- Work to do -------------------------------------------------------------------------------------


@admin.register(Mark)
class MarkAdmin(ReadOnlyAdmin):
    """Work still to do, and what was given up after five attempts."""

    list_display = ("what", "object_id", "why", "since", "run_at", "attempts", "error", "dead")
    list_filter = ("dead", "what")
    actions = ("try_again",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    @admin.action(description="Try again", permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: Any) -> None:
        queryset.update(dead=False, attempts=0)


# --- Who is who -------------------------------------------------------------------------------------


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    """Pairs that may be one person, the likeliest first, with what speaks for it."""

    list_display = ("pair", "first", "second", "reason", "evidence", "created_at")
    list_display_links = ("pair",)
    list_select_related = ("author_a", "author_b")
    list_per_page = 50
    ordering = ("-score", "id")
    search_fields = ("author_a__display_name", "author_b__display_name", "reason")
    show_full_result_count = False
    fields = ("first", "second", "reason", "evidence", "created_at")
    readonly_fields = ("first", "second", "evidence")

    @admin.display(description="pair", ordering="id")
    def pair(self, row: Suggestion) -> str:
        return f"{row.pk}"

    @admin.display(description="this author")
    def first(self, row: Suggestion) -> SafeString:
        return _author(row.author_a)

    @admin.display(description="may be this one")
    def second(self, row: Suggestion) -> SafeString:
        return _author(row.author_b)

    @admin.display(description="evidence", ordering="score")
    def evidence(self, row: Suggestion) -> str:
        """Write how far the evidence is from what the name needs, in bits."""
        return f"{-row.score:.1f} bits short" if row.score < 0 else f"{row.score:.1f} bits"


def _author(author: Author) -> SafeString:
    when = f", {span}" if (span := years(author)) else ""
    works = f"{thousands(author.works_count)} work{'' if author.works_count == 1 else 's'}"
    return format_html("{} ({}{})", _page(author), works, when)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("author", "reason", "created_at", "lifted_at")
    list_select_related = ("author",)


@admin.register(AuthorshipDecision)
class AuthorshipDecisionAdmin(ReadOnlyAdmin):
    """Who said whether an author is on a work; identity resolution obeys."""

    list_display = ("number", "who", "is_theirs", "what", "reason", "created_at")
    list_select_related = ("author", "work")
    list_filter = ("is_theirs",)
    search_fields = ("=author__pid", "author__display_name", "work__title", "reason")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("who", "is_theirs", "what", "reason", "created_at")
    readonly_fields = ("who", "what")

    @admin.display(description="decision", ordering="id")
    def number(self, row: AuthorshipDecision) -> str:
        return f"{row.pk}"

    @admin.display(description="author")
    def who(self, row: AuthorshipDecision) -> SafeString:
        return _page(row.author)

    @admin.display(description="work")
    def what(self, row: AuthorshipDecision) -> SafeString:
        return _page(row.work)


@admin.register(NameOverride)
class NameOverrideAdmin(ReadOnlyAdmin):
    """Names that authors want shown, or shown nowhere; a hidden one is shown to nobody but hosts."""

    list_display = ("name", "who", "is_hidden", "created_at")
    list_select_related = ("author",)
    list_filter = ("is_hidden",)
    search_fields = ("=author__pid", "author__display_name", "name")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("name", "who", "is_hidden", "created_at")
    readonly_fields = ("who",)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    @admin.display(description="author")
    def who(self, row: NameOverride) -> SafeString:
        return _page(row.author)


# --- Live sync --------------------------------------------------------------------------------------


class SyncStepInline(admin.TabularInline):
    """What each source was asked for a request, and what came of it."""

    model = SyncStep
    extra = 0
    can_delete = False
    fields = ("number", "provider", "address", "state", "attempts", "run_at", "answered_at", "error")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(SyncRequest)
class SyncRequestAdmin(ReadOnlyAdmin):
    """What the sources were asked live; nobody is named who asked."""

    list_display = ("__str__", "state", "asked_at", "finished_at")
    list_filter = ("state", "kind")
    search_fields = ("value",)
    ordering = ("-asked_at",)
    show_full_result_count = False
    fields = (("kind", "scheme", "value"), "state", ("asked_at", "finished_at"))
    inlines = (SyncStepInline,)


@admin.register(SyncStep)
class SyncStepAdmin(ReadOnlyAdmin):
    """Single questions: which wait, and why those that failed did."""

    list_display = ("request", "provider", "state", "attempts", "run_at", "error")
    list_filter = ("state", "provider")
    list_select_related = ("request",)
    search_fields = ("address", "expects", "error")
    ordering = ("-id",)
    show_full_result_count = False
    fields = (
        ("request", "number"), ("provider", "state", "attempts"), "address", "expects", "error",
        ("run_at", "answered_at"), ("etag", "last_modified"), "run",
    )  # fmt: skip
