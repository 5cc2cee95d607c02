"""Addresses of a member's security; /accounts/ holds allauth's own."""

from django.urls import path, re_path

from profiles.views import security

urlpatterns = [
    path("me/security/", security.overview, name="security"),
    path("me/security/sessions/<int:pk>/end/", security.end_session, name="end_session"),
    # Stands before allauth's view of the same address, which lets anybody confirm anything.
    re_path(r"^accounts/confirm-email/(?P<key>[-:\w]+)/$", security.confirm_email, name="confirm_email"),
]
