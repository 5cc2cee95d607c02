"""Addresses of people: public pages, members' own pages under /me/, fragments that know a viewer."""

from django.urls import path, re_path

from profiles.urls import (
    claiming,
    introductions,
    moderation,
    owner,
    preferences,
    recommendations,
    regrouping,
    representatives,
    rights,
    security,
    vouches,
)
from profiles.views import (
    account,
    authors,
    claims,
    conversations,
    curation,
    follows,
    fragments,
    home,
    invitations,
    my_trust,
    notifications,
)

app_name = "profiles"

KIND = r"(?P<kind>author|researcher|topic|institution)/(?P<pid>[0-9a-zA-Z]{1,12})"

urlpatterns = [
    # What one does about a public record; before the page itself, whose slug may be anything.
    path("researchers/<str:pid>/claim/", claims.claim_author, name="claim_author"),
    path("researchers/<str:pid>/invite/", invitations.invite, name="invite"),
    path("researchers/<str:pid>/correct/", curation.correct_author, name="correct_author"),
    path("works/<str:pid>/correct/", curation.correct_work, name="correct_work"),
    path("correct/", curation.find_record, name="curation_request"),
    path("correct/<str:token>/", curation.confirm, name="curation_confirm"),
    re_path(rf"^follow/{KIND}/$", follows.follow, name="follow"),
    re_path(rf"^unfollow/{KIND}/$", follows.unfollow, name="unfollow"),
    # Fragments: what depends on the viewer, loaded lazily into public pages.
    re_path(rf"^me/fragments/follow/{KIND}/$", follows.follow_button, name="follow_button"),
    path("me/fragments/researcher/<str:pid>/", fragments.author_viewer, name="author_viewer"),
    path("me/fragments/nav/", fragments.account_nav, name="account_nav"),
    *claiming.urlpatterns,
    *introductions.urlpatterns,
    *owner.urlpatterns,
    *preferences.urlpatterns,
    *representatives.urlpatterns,
    *rights.urlpatterns,
    *moderation.urlpatterns,
    *recommendations.urlpatterns,
    *regrouping.urlpatterns,
    *security.urlpatterns,
    *vouches.urlpatterns,
    path("me/trust/", my_trust.my_trust, name="trust"),
    # Members' own pages.
    path("me/", home.home, name="home"),
    path("me/following/", follows.following, name="following"),
    path("me/settings/", account.account_settings, name="settings"),
    path("me/claims/", claims.claim_list, name="claims"),
    path("me/claims/<uuid:pk>/", claims.claim, name="claim"),
    path("me/claims/<uuid:pk>/withdraw/", claims.withdraw, name="claim_withdraw"),
    path("me/claims/<uuid:pk>/appeal/", claims.appeal, name="claim_appeal"),
    path("me/claims/<uuid:pk>/give-up/", claims.give_up, name="claim_give_up"),
    path("me/invitations/", invitations.invitation_list, name="invitations"),
    path("me/invitations/<uuid:pk>/", invitations.invitation, name="invitation"),
    path("me/invitations/<uuid:pk>/accept/", invitations.accept, name="invitation_accept"),
    path("me/invitations/<uuid:pk>/decline/", invitations.decline, name="invitation_decline"),
    path("me/invitations/<uuid:pk>/withdraw/", invitations.withdraw, name="invitation_withdraw"),
    path("me/invitations/<uuid:pk>/block/", invitations.block, name="invitation_block"),
    path("me/conversations/", conversations.conversation_list, name="conversations"),
    path("me/conversations/<uuid:pk>/", conversations.conversation, name="conversation"),
    path("me/conversations/<uuid:pk>/send/", conversations.send, name="conversation_send"),
    path("me/conversations/<uuid:pk>/leave/", conversations.leave, name="conversation_leave"),
    path("me/conversations/<uuid:pk>/report/", conversations.report, name="conversation_report"),
    path("me/conversations/<uuid:pk>/block/", conversations.block, name="conversation_block"),
    path("me/blocks/", conversations.block_list, name="blocks"),
    path("me/blocks/<uuid:pk>/unblock/", conversations.unblock, name="unblock"),
    path("me/notifications/", notifications.notification_list, name="notifications"),
    path("me/notifications/read/", notifications.mark_all_read, name="notifications_read"),
    path("me/notifications/<uuid:pk>/read/", notifications.mark_read, name="notification_read"),
    # The public page of a researcher.
    path("researchers/<str:pid>/", authors.author, name="author_bare"),
    path("researchers/<str:pid>/<str:slug>/", authors.author, name="author"),
]
