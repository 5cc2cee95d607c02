"""Addresses of claiming and of a claim's log."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
