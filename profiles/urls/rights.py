"""Addresses of exports, deletion and rights without an account."""

from django.urls import URLPattern, path

from profiles.views import curation, rights

urlpatterns: list[URLPattern] = [
    path("me/export/", rights.export, name="export"),
    path("me/export/<uuid:pk>/", rights.download, name="export_file"),
    path("me/delete/", rights.delete, name="delete_account"),
    path("correct/<str:token>/withdraw/", curation.withdraw, name="curation_withdraw"),
]
