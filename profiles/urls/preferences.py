"""Addresses of what a member follows and how they are told of it; of links in mails; of the private feed."""

from django.urls import path, re_path

from profiles.views import follow_lists, home, preferences, saved_searches

urlpatterns = [
    path("me/fragments/home/", home.home_account, name="home_account"),
    path("me/feed/read/", home.feed_read, name="feed_read"),
    re_path(r"^feeds/(?P<token>[\w-]{40})\.atom$", home.PrivateAtom(), name="feed_atom"),
    path("me/following/export/", follow_lists.export, name="follows_export"),
    path("me/following/import/", follow_lists.read, name="follows_import"),
    path("me/following/chosen/", follow_lists.choose, name="follows_chosen"),
    path("me/fragments/search/", saved_searches.button, name="search_button"),
    path("me/searches/", saved_searches.save, name="search_save"),
    path("me/searches/<uuid:pk>/remove/", saved_searches.remove, name="search_remove"),
    path("me/settings/notifications/", preferences.notification_settings, name="preferences"),
    path("me/settings/notifications/feed/", preferences.feed_address, name="preferences_feed"),
    path("me/settings/notifications/address/", preferences.address_again, name="preferences_address"),
    path("mail/stop/<str:token>/", preferences.mail_stop, name="mail_stop"),
    path("mail/again/<str:token>/", preferences.mail_again, name="mail_again"),
    path("mail/trouble/", preferences.mail_trouble, name="mail_trouble"),
]
