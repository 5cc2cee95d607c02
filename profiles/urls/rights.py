"""Addresses of exports, deletion and rights without an account."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
