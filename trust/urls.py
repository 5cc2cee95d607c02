from django.urls import path

from trust import views

app_name = "trust"

urlpatterns = [
    path("trust/", views.about, name="about"),
    path("researchers/<str:pid>/<str:slug>/trust/", views.author_trust, name="author_trust"),
]
