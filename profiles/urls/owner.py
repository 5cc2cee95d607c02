"""Addresses from which people change the page they hold."""

from django.urls import URLPattern, URLResolver, path, re_path

from profiles.views import owner, owner_works

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(
        r"^researchers/(?P<pid>[0-9a-zA-Z]{1,12})/photo-(?P<digest>[0-9a-f]{16})\.webp$",
        owner.photo,
        name="photo",
    ),
    path("me/page/", owner.page, name="page"),
    path("me/page/preview/", owner.preview, name="page_preview"),
    path("me/page/history/", owner.history, name="page_history"),
    path("me/page/history/<uuid:pk>/undo/", owner.undo, name="page_undo"),
    path("me/page/add/", owner_works.add, name="page_add"),
    path("me/page/add/list/", owner_works.read_list, name="page_list"),
    path("me/page/add/chosen/", owner_works.choose, name="page_chosen"),
    path("me/page/add/<uuid:pk>/", owner_works.added, name="page_added"),
    path("me/page/bio/preview/", owner.bio_preview, name="page_bio_preview"),
    path("me/page/<slug:name>/", owner.part, name="page_part"),
]
