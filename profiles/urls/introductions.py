"""Addresses of what people write to each other: invitations to several, conversations' parts, introductions."""

from django.urls import URLPattern, path

from profiles.views import conversations, introductions, invitations, safety

urlpatterns: list[URLPattern] = [
    path("researchers/<str:pid>/invite/preview/", invitations.invite_preview, name="invite_preview"),
    path("researchers/<str:pid>/introduction/", introductions.ask, name="introduction_ask"),
    path("me/settings/invitations/", invitations.invitation_rules_page, name="invitation_rules"),
    path("me/invitations/group/", invitations.invite_group, name="invite_group"),
    path("me/invitations/<uuid:pk>/not-now/", invitations.postpone, name="invitation_postpone"),
    path("me/invitations/<uuid:pk>/report/", invitations.report, name="invitation_report"),
    path("me/invitations/<uuid:pk>/calendar.ics", invitations.calendar, name="invitation_calendar"),
    path("me/introductions/", introductions.introduction_list, name="introductions"),
    path("me/introductions/<uuid:pk>/", introductions.introduction, name="introduction"),
    path("me/introductions/<uuid:pk>/consent/", introductions.consent, name="introduction_consent"),
    path("me/introductions/<uuid:pk>/decline/", introductions.decline, name="introduction_decline"),
    path("me/introductions/<uuid:pk>/withdraw/", introductions.withdraw, name="introduction_withdraw"),
    path("me/conversations/<uuid:pk>/new/", conversations.new_messages, name="conversation_new"),
    path("me/conversations/<uuid:pk>/draft/", conversations.draft, name="conversation_draft"),
    path("me/conversations/<uuid:pk>/archive/", conversations.archive, name="conversation_archive"),
    path("me/conversations/<uuid:pk>/mute/", conversations.mute, name="conversation_mute"),
    path(
        "me/conversations/<uuid:pk>/messages/<int:seq>/", conversations.message, name="conversation_message"
    ),
    path("moderation/accounts/<int:pk>/limit/", safety.limit, name="moderation_limit"),
    path(
        "moderation/reports/<uuid:pk>/messages/<int:seq>/", safety.reported_message, name="moderation_message"
    ),
]
