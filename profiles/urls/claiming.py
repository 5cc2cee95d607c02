"""Addresses of claiming and of a claim's log."""

from django.urls import URLPattern, path

from profiles.views import claims, confirmations, history

urlpatterns: list[URLPattern] = [
    path("researchers/<str:pid>/history/", history.author_history, name="author_history"),
    path("researchers/<str:pid>/<str:slug>/history/", history.author_history, name="author_history"),
    path("me/claims/<uuid:pk>/look/", claims.look, name="claim_look"),
    path("me/claims/<uuid:pk>/case/", claims.write_case, name="claim_case"),
    path("me/claims/<uuid:pk>/link/", claims.name_page, name="claim_link"),
    path("me/claims/<uuid:pk>/ask/", claims.ask, name="claim_ask"),
    path("me/claims/<uuid:pk>/files/", claims.add_files, name="claim_files"),
    path("me/claims/<uuid:pk>/remove-file/", claims.remove_file, name="claim_remove_file"),
    path("me/confirmations/<uuid:pk>/", confirmations.confirmation, name="confirmation"),
    path("moderation/claims/<uuid:claim_pk>/files/<uuid:pk>/", confirmations.attachment, name="claim_file"),
]
