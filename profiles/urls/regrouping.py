"""Addresses of merging and dividing records, and of undoing it."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
