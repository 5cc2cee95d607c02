"""Addresses of vouches, and of the seeds at which their flow begins."""

from django.urls import URLPattern, path

from profiles.views import vouches

urlpatterns: list[URLPattern] = [
    path("researchers/<str:pid>/vouch/", vouches.vouch_for, name="vouch_for"),
    path("researchers/<str:pid>/<str:slug>/vouches/", vouches.author_vouches, name="author_vouches"),
    path("me/vouches/", vouches.vouch_list, name="vouches"),
    path("me/vouches/<uuid:pk>/", vouches.vouch, name="vouch"),
    path("me/vouches/<uuid:pk>/end/", vouches.end, name="vouch_end"),
    path("moderation/vouches/", vouches.moderation_vouches, name="moderation_vouches"),
    path(
        "moderation/vouches/<uuid:pk>/revoke/",
        vouches.moderation_vouch_revoke,
        name="moderation_vouch_revoke",
    ),
    path("moderation/seeds/", vouches.moderation_seeds, name="moderation_seeds"),
    path("moderation/seeds/<int:pk>/end/", vouches.moderation_seed_end, name="moderation_seed_end"),
]
