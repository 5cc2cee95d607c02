from django.urls import path

from graph import views

app_name = "graph"

urlpatterns = [
    path("graph/<str:kind>/<str:pid>/panel/", views.panel, name="panel"),
    path("graph/<str:kind>/<str:pid>/data.json", views.data, name="data"),
    path("graph/<str:kind>/<str:pid>/", views.explorer, name="explorer"),
]
