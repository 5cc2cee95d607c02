"""Addresses of institutions' representatives and what they assert."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
