from django.contrib import admin

from bzpeer.lib.admin import ReadOnlyAdmin
from trust.models import Evidence, TrustScore


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ["author", "kind", "source", "observed_at", "expires_at", "ends"]
    list_filter = ["kind"]
    list_select_related = ["author", "ends__author"]
    search_fields = ["event_key", "=author__pid"]
    date_hierarchy = "observed_at"


@admin.register(TrustScore)
class TrustScoreAdmin(ReadOnlyAdmin):
    list_display = ["author", "value", "level", "formula_version", "computed_at", "frozen_at"]
    list_filter = ["level", "formula_version"]
    list_select_related = ["author"]
    search_fields = ["=author__pid", "author__display_name"]
