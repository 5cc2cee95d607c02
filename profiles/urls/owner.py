"""Addresses from which people change the page they hold."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
