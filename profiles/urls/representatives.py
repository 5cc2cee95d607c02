"""Addresses of institutions' representatives and what they assert."""

from django.urls import URLPattern, path

from profiles.views import representatives

urlpatterns: list[URLPattern] = [
    path("institutions/<str:pid>/represent/", representatives.represent, name="represent"),
    path("me/institutions/", representatives.institutions, name="institutions"),
    path("me/institutions/standing/<uuid:pk>/end/", representatives.end, name="representative_end"),
    path("me/institutions/<str:pid>/", representatives.institution, name="institution"),
    path("me/institutions/<str:pid>/sheet/", representatives.preview_sheet, name="institution_sheet"),
    path("me/institutions/<str:pid>/confirm/", representatives.confirm_sheet, name="institution_confirm"),
    path("me/institutions/<str:pid>/change/", representatives.change_members, name="institution_change"),
    path(
        "me/institutions/<str:pid>/download/", representatives.download_members, name="institution_download"
    ),
    path(
        "me/institutions/<str:pid>/members/<str:author_pid>/",
        representatives.member,
        name="institution_member",
    ),
    path("me/assertions/<uuid:pk>/", representatives.assertion, name="assertion"),
]
