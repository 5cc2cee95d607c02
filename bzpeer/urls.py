"""Every address, in one place; DESIGN's order."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from bzpeer import health

urlpatterns = [
    # Upper apps first: "works/<pid>/correct/" is theirs, and would pass for a work's readable address.
    path("", include("profiles.urls")),
    path("", include("trust.urls")),
    path("", include("graph.urls")),
    path("", include("works.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    # Asked for by browsers on pages that name no icon, the admin's among them.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/icon.svg"))),
]

handler400 = "bzpeer.lib.errors.bad_request"
handler403 = "bzpeer.lib.errors.forbidden"
handler404 = "bzpeer.lib.errors.not_found"
handler500 = "bzpeer.lib.errors.server_error"
