from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from graph.models import Collaboration, GraphSlice


class ReadOnly(admin.ModelAdmin):
    """Derived: looked at, never changed by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Collaboration)
class CollaborationAdmin(ReadOnly):
    list_display = ["author_a", "author_b", "works_count", "weight", "first_year", "last_year", "computed_at"]
    list_select_related = ["author_a", "author_b"]
    search_fields = ["=author_a__pid", "=author_b__pid"]


@admin.register(GraphSlice)
class GraphSliceAdmin(ReadOnly):
    list_display = ["kind", "object_id", "size", "method_version", "requested_at", "built_at"]
    list_filter = ["kind", "size"]
    search_fields = ["=object_id"]
    fields = ["kind", "object_id", "size", "method_version", "requested_at", "built_at", "author_ids"]
