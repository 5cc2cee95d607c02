"""Addresses of merging and dividing records, and of undoing it."""

from django.urls import URLPattern, path

from profiles.views import regrouping

urlpatterns: list[URLPattern] = [
    path("researchers/<str:pid>/merge/", regrouping.merge_author, name="merge_author"),
    path("researchers/<str:pid>/split/", regrouping.split_author, name="split_author"),
    path("works/<str:pid>/merge/", regrouping.merge_work, name="merge_work"),
    path("works/<str:pid>/split/", regrouping.split_work, name="split_work"),
    path("moderation/proposals/<uuid:pk>/", regrouping.proposal, name="proposal"),
    path("moderation/changes/<uuid:pk>/undo/", regrouping.undo, name="undo_change"),
    path("me/proposals/", regrouping.proposal_list, name="own_proposals"),
    path("me/proposals/<uuid:pk>/", regrouping.own_proposal, name="own_proposal"),
    path("me/proposals/<uuid:pk>/withdraw/", regrouping.withdraw_proposal, name="withdraw_proposal"),
]
