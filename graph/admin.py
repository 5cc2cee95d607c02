from django.contrib import admin

from bzpeer.lib.admin import ReadOnlyAdmin
from graph.models import Collaboration, GraphSlice


@admin.register(Collaboration)
class CollaborationAdmin(ReadOnlyAdmin):
    show_full_result_count = False
    list_display = ["author_a", "author_b", "works_count", "weight", "first_year", "last_year", "computed_at"]
    list_select_related = ["author_a", "author_b"]
    search_fields = ["=author_a__pid", "=author_b__pid"]


@admin.register(GraphSlice)
class GraphSliceAdmin(ReadOnlyAdmin):
    show_full_result_count = False
    list_display = ["kind", "object_id", "size", "method_version", "requested_at", "built_at"]
    list_filter = ["kind", "size"]
    search_fields = ["=object_id"]
    fields = ["kind", "object_id", "size", "method_version", "requested_at", "built_at", "author_ids"]
