"""What a host may look at; records change through imports and decisions, not here."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from bzpeer.lib.admin import ReadOnlyAdmin
from works.models import ImportReject, ImportRun, Mark, Suggestion, Suppression


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "provider",
        "state",
        "read",
        "stored",
        "unchanged",
        "rejected",
        "started_at",
        "finished_at",
    )
    list_filter = ("provider", "state")


@admin.register(ImportReject)
class ImportRejectAdmin(ReadOnlyAdmin):
    list_display = ("file", "position", "reason", "snippet")
    list_filter = ("run",)
    list_select_related = ("file",)


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


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    list_display = ("author_a", "author_b", "score", "reason", "created_at")
    list_select_related = ("author_a", "author_b")


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("author", "reason", "created_at", "lifted_at")
    list_select_related = ("author",)
