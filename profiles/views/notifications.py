"""What happened that a member should know."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access
from profiles.access import MemberRequest
from profiles.services import notifications


@require_GET
@access.member_required
def notification_list(request: MemberRequest) -> HttpResponse:
    page = Paginator(access.notifications(request.user), 30).get_page(request.GET.get("page"))
    context = {"page": page, "unread": notifications.unread_count(request.user)}
    return render(request, "profiles/notifications.html", context)


@require_POST
@access.member_required
def mark_read(request: MemberRequest, pk: UUID) -> HttpResponse:
    notification = access.notification(request.user, pk)
    notifications.mark_read(notification=notification)
    if wants_partial(request):
        return render(request, "profiles/_notification.html", {"notification": notification})
    return redirect("profiles:notifications")


@require_POST
@access.member_required
def mark_all_read(request: MemberRequest) -> HttpResponse:
    notifications.mark_all_read(user=request.user)
    return redirect("profiles:notifications")
