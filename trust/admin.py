from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from trust.models import Evidence, TrustScore


class ReadOnly(admin.ModelAdmin):
    """Looked at, never changed by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Evidence)
class EvidenceAdmin(ReadOnly):
    list_display = ["author", "kind", "source", "observed_at", "expires_at", "ends"]
    list_filter = ["kind"]
    list_select_related = ["author", "ends__author"]
    search_fields = ["event_key", "=author__pid"]
    date_hierarchy = "observed_at"


@admin.register(TrustScore)
class TrustScoreAdmin(ReadOnly):
    list_display = ["author", "value", "level", "formula_version", "computed_at", "frozen_at"]
    list_filter = ["level", "formula_version"]
    list_select_related = ["author"]
    search_fields = ["=author__pid", "author__display_name"]
