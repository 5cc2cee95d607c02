"""The moderators' desk: claims, requests and reports are decided here; the rest is read-only.

Private words are shown only where somebody asked moderators to read them: a claim's case, a request, a
reported conversation up to the report.
"""

from collections.abc import Callable
from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Model, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bzpeer.lib.admin import ReadOnlyAdmin
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.models import (
    Claim,
    CurationRequest,
    Invitation,
    Notification,
    OutgoingMail,
    Report,
    User,
)
from profiles.services import claims, conversations, curation

admin.site.site_header = "BZPEER moderation"
admin.site.site_title = "BZPEER moderation"
admin.site.index_title = "What waits for a decision"
# The site's own log-in, with its limits on guessing.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class DecisionAdmin(ReadOnlyAdmin):
    """Rows on which a moderator decides: buttons and a reason below the facts, each a service call."""

    Decision = Callable[[Any, User, str], object]
    decisions: dict[str, tuple[str, Decision]] = {}
    without_reason = {"review", "show"}  # every other decision says why

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field: what may change is only the decision."""
        shown = self.fields or [field.name for field in self.model._meta.fields]
        return [str(name) for name in shown]

    def open_decisions(self, obj: Any) -> list[str]:
        """Return the names of the decisions that obj allows now; all unless a subclass knows better."""
        return list(self.decisions)

    def facts(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the template shows beside the fields."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is not None and request.method == "POST":
            if not self.has_change_permission(request, obj):
                raise PermissionDenied
            return self._decide(cast(MemberRequest, request), obj)
        context = extra_context or {}
        if obj is not None:
            names = self.open_decisions(obj) if self.has_change_permission(request, obj) else []
            refused = request.session.pop("decision_choice", "")
            context |= {
                "choice": refused if refused in names else next(iter(names), ""),
                "refused": refused,
                "decisions": [(name, self.decisions[name][0]) for name in names],
                "reason": request.session.pop("decision_reason", ""),
                "show_save": False,
                "show_save_and_continue": False,
                **self.facts(request, obj),
            }
        return super().change_view(request, object_id, form_url, context)

    def _decide(self, request: MemberRequest, obj: Any) -> HttpResponse:
        name = next((name for name in self.decisions if f"_{name}" in request.POST), "")
        reason = request.POST.get("reason", "").strip()
        if not name:
            return self._back(request, "Choose a decision.", messages.ERROR)
        label, decide = self.decisions[name]
        try:
            if not reason and name not in self.without_reason:
                raise ProfilesError("Write the reason first.")
            decide(obj, request.user, reason)
        except ProfilesError as refusal:
            # What was typed and chosen is not lost.
            request.session["decision_reason"], request.session["decision_choice"] = reason, name
            return self._back(request, str(refusal), messages.ERROR)
        self.log_change(request, obj, f"{label}: {reason}"[:2000])
        return self._back(request, f"{label}: done.", messages.SUCCESS)

    def _back(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.message_user(request, text, level)
        return HttpResponseRedirect(request.path)


def _link(record: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record)


@admin.register(Claim)
class ClaimAdmin(DecisionAdmin):
    change_form_template = "profiles/admin/claim.html"
    list_display = ["author", "user", "state", "rivals", "created_at", "decided_at"]
    list_filter = ["state", "created_at"]
    list_select_related = ["author", "user"]
    search_fields = ["author__display_name", "user__display_name", "user__email"]
    fields = ["page", "user", "address", "state", "created_at", "decided_at"]
    # What waits for a decision comes first.
    ordering = [
        Case(When(state__in=[*Claim.OPEN, Claim.State.DISPUTED], then=0), default=1).asc(),
        "-created_at",
    ]
    actions = ["take_into_review"]
    decisions = {
        "review": ("Take into review", lambda claim, actor, reason: claims.review_claim(
            claim=claim, actor=actor, reason=reason)),
        "accept": ("Accept", lambda claim, actor, reason: claims.approve_claim(
            claim=claim, actor=actor, reason=reason)),
        "reject": ("Reject", lambda claim, actor, reason: claims.reject_claim(
            claim=claim, actor=actor, reason=reason)),
        "dispute": ("Open a dispute", lambda claim, actor, reason: claims.dispute_claim(
            claim=claim, actor=actor, reason=reason)),
        "uphold": ("Uphold", lambda claim, actor, reason: claims.uphold_claim(
            claim=claim, actor=actor, reason=reason)),
        "revoke": ("Revoke", lambda claim, actor, reason: claims.revoke_claim(
            claim=claim, actor=actor, reason=reason)),
    }  # fmt: skip

    @admin.display(description="Page")
    def page(self, claim: Claim) -> SafeString:
        return _link(claim.author)

    @admin.display(description="Address of the account")
    def address(self, claim: Claim) -> str:
        return claim.user.email

    @admin.display(description="Other claims")
    def rivals(self, claim: Claim) -> int:
        return claim.rivals_count  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        rivals = Claim.objects.filter(author=OuterRef("author")).exclude(pk=OuterRef("pk"))
        counted = (
            rivals.exclude(state=Claim.State.WITHDRAWN).order_by().values("author").annotate(n=Count("pk"))
        )
        return (
            super()
            .get_queryset(request)
            .annotate(rivals_count=Coalesce(Subquery(counted.values_list("n")), 0))
        )

    def open_decisions(self, claim: Claim) -> list[str]:
        state = Claim.State
        return {
            state.SUBMITTED: ["review", "accept", "reject"],
            state.IN_REVIEW: ["accept", "reject"],
            state.APPEALED: ["accept", "reject"],
            state.APPROVED: ["dispute"],
            state.DISPUTED: ["uphold", "revoke"],
        }.get(state(claim.state), [])

    def facts(self, request: HttpRequest, claim: Claim) -> dict[str, Any]:
        author = claim.author
        return {
            "claim": claim,
            "steps": claim.steps.select_related("actor"),
            "rival_claims": Claim.objects.filter(author=author).exclude(pk=claim.pk).select_related("user"),
            "authorships": author.authorships.select_related("work", "work__source").order_by(
                "-work__publication_year"
            )[:20],
            "identifiers": author.identifiers.all(),
            "affiliations": author.affiliations.select_related("institution").order_by("-last_year")[:10],
        }

    @admin.action(description="Take into review")
    def take_into_review(self, request: MemberRequest, queryset: QuerySet[Claim]) -> None:
        for claim in queryset:
            try:
                claims.review_claim(claim=claim, actor=request.user)
            except ProfilesError as refusal:
                self.message_user(request, f"{claim.author}: {refusal}", messages.ERROR)


@admin.register(CurationRequest)
class CurationRequestAdmin(DecisionAdmin):
    change_form_template = "profiles/admin/decision.html"
    list_display = ["record_name", "kind", "state", "created_at", "decided_at", "decided_by"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["author", "work", "decided_by"]
    search_fields = ["email", "author__display_name", "work__title"]
    fields = [
        "record_link", "kind", "state", "email", "message", "answer",
        "created_at", "confirmed_at", "decided_at", "decided_by",
    ]  # fmt: skip
    ordering = ["-created_at"]
    decisions = {
        "done": ("Done", lambda row, actor, reason: curation.decide_request(
            request=row, actor=actor, done=True, answer=reason)),
        "hide": ("Hide this page", lambda row, actor, reason: curation.hide_author(
            request=row, actor=actor, answer=reason)),
        "decline": ("Decline", lambda row, actor, reason: curation.decide_request(
            request=row, actor=actor, done=False, answer=reason)),
        "show": ("Show the page again", lambda row, actor, reason: curation.show_author(author=row.author)),
    }  # fmt: skip

    @admin.display(description="Record")
    def record_name(self, row: CurationRequest) -> str:
        return str(row.record)

    @admin.display(description="Record")
    def record_link(self, row: CurationRequest) -> SafeString:
        return _link(row.record)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CurationRequest]:
        """Unconfirmed requests are nobody's to read: anybody could have typed that address."""
        return super().get_queryset(request).exclude(state=CurationRequest.State.UNCONFIRMED)

    def open_decisions(self, row: CurationRequest) -> list[str]:
        if row.state == CurationRequest.State.OPEN:
            return ["done", *(["hide"] if row.author_id else []), "decline"]
        return ["show"] if row.author and row.author.suppressed else []

    def facts(self, request: HttpRequest, row: CurationRequest) -> dict[str, Any]:
        return {"reason_label": "Your answer; it is mailed to the person who asked"}


@admin.register(Report)
class ReportAdmin(DecisionAdmin):
    change_form_template = "profiles/admin/report.html"
    list_display = ["created_at", "reporter", "state", "decided_at", "decided_by"]
    list_filter = ["state", "created_at"]
    list_select_related = ["reporter", "decided_by"]
    fields = ["reporter", "reason", "state", "answer", "created_at", "decided_at", "decided_by"]
    ordering = ["-created_at"]
    decisions = {
        "close": ("Close the report", lambda report, actor, reason: conversations.close_report(
            report=report, actor=actor, answer=reason)),
        "suspend": ("Close the other person's account", lambda report, actor, reason: (
            conversations.suspend_reported(report=report, actor=actor, answer=reason))),
    }  # fmt: skip

    def open_decisions(self, report: Report) -> list[str]:
        return ["close", "suspend"] if report.state == Report.State.OPEN else []

    def facts(self, request: HttpRequest, report: Report) -> dict[str, Any]:
        return {
            "reported": conversations.reported_messages(report),
            "reason_label": "What was done and why; only moderators read it",
        }


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
