"""Addresses of the moderators' desk, /moderation/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
