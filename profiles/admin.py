"""Lists of what people did, to look things up in. Claims, requests and reports are decided at /moderation/.

Private words are not shown here: moderators read them at the desk, where somebody asked them to.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bzpeer.lib.admin import ReadOnlyAdmin
from profiles.models import (
    Claim,
    CurationRequest,
    Invitation,
    Notification,
    OutgoingMail,
    Report,
    Representative,
    User,
)

admin.site.site_header = "BZPEER administration"
admin.site.site_title = "BZPEER administration"
admin.site.index_title = "Records and accounts"
# The site's own log-in, with its limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(Claim)
class ClaimAdmin(ReadOnlyAdmin):
    list_display = ["author", "user", "state", "risk", "created_at", "decided_at"]
    list_filter = ["state", "decided_by_route", "created_at"]
    list_select_related = ["author", "user"]
    search_fields = ["author__display_name", "user__display_name", "user__email"]
    fields = ["author", "user", "state", "risk", "decided_by_route", "created_at", "decided_at", "due_at"]
    ordering = ["-created_at"]


@admin.register(CurationRequest)
class CurationRequestAdmin(ReadOnlyAdmin):
    list_display = ["record", "kind", "state", "created_at", "decided_at", "decided_by"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["author", "work", "decided_by"]
    search_fields = ["author__display_name", "work__title"]
    fields = ["record", "kind", "state", "created_at", "confirmed_at", "decided_at", "decided_by"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CurationRequest]:
        """Unconfirmed requests are nobody's to read: anybody could have typed that address."""
        return super().get_queryset(request).exclude(state=CurationRequest.State.UNCONFIRMED)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "reporter", "state", "decided_at", "decided_by"]
    list_filter = ["state", "created_at"]
    list_select_related = ["reporter", "decided_by"]
    fields = ["reporter", "state", "created_at", "decided_at", "decided_by"]
    ordering = ["-created_at"]


@admin.register(Representative)
class RepresentativeAdmin(ReadOnlyAdmin):
    list_display = ["user", "institution", "position", "state", "created_at", "decided_at", "decided_by"]
    list_filter = ["state", "created_at"]
    list_select_related = ["user", "institution", "decided_by"]
    search_fields = ["institution__display_name", "user__display_name"]
    fields = ["user", "institution", "position", "state", "created_at", "decided_at", "decided_by"]
    ordering = ["-created_at"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who invited whom and when; what they wrote is theirs."""

    list_display = ["created_at", "sender", "recipient", "purpose", "state"]
    list_filter = ["state", "created_at"]
    list_select_related = ["sender", "recipient"]
    fields = ["sender", "recipient", "author", "purpose", "state", "created_at", "reply_by", "decided_at"]


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """That something was announced; not what it says."""

    list_display = ["created_at", "recipient", "verb", "read_at"]
    list_filter = ["verb", "created_at"]
    list_select_related = ["recipient"]
    fields = ["recipient", "verb", "created_at", "read_at"]


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """The outbox, without bodies."""

    list_display = ["created_at", "subject", "sent_at"]
    list_filter = ["created_at"]
    fields = ["subject", "from_email", "created_at", "sent_at"]


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    list_display = ["email", "display_name", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "date_joined"]
    search_fields = ["email", "display_name"]
    ordering = ["-date_joined"]
    fields = [
        "email", "display_name", "is_active", "is_staff", "is_superuser", "groups",
        "date_joined", "last_login",
    ]  # fmt: skip
    filter_horizontal = ["groups"]
    readonly_fields = ["email", "date_joined", "last_login"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign up, and confirm their address

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # deleting goes through services.accounts, by the person
