from django.urls import path

from trust import views

app_name = "trust"

urlpatterns = [
    path("trust/", views.about, name="about"),
    path("researchers/<str:pid>/badge.svg", views.badge, name="badge"),
    path("researchers/<str:pid>/trust.json", views.trust_json, name="trust_json"),
    path("researchers/<str:pid>/<str:slug>/trust/", views.author_trust, name="author_trust"),
]
