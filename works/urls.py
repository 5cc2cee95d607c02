from django.urls import path, re_path

from works.views import home, institutions, search, sync, topics, works

app_name = "works"

urlpatterns = [
    path("", home.home, name="home"),
    path("search", search.search, name="search"),
    # What members ask of the sources; before the page itself, whose id may be anything.
    path("works/add/", sync.add_work, name="add_work"),
    path("works/add/<uuid:pk>/", sync.added, name="added"),
    re_path(r"^refresh/(?P<kind>author|work)/(?P<pid>[0-9a-zA-Z]{1,12})/$", sync.refresh, name="refresh"),
    path("works/<str:pid>/cite.<str:extension>", works.citation_file, name="citation"),
    path("works/<str:pid>/<str:slug>/", works.work, name="work"),
    path("works/<str:pid>/", works.work),
    path("topics/<str:pid>/<str:slug>/", topics.topic, name="topic"),
    path("topics/<str:pid>/", topics.topic),
    path("institutions/<str:pid>/<str:slug>/", institutions.institution, name="institution"),
    path("institutions/<str:pid>/", institutions.institution),
    re_path(
        r"^(?P<scheme>orcid|doi|arxiv|openalex|ror|dblp|acl)/(?P<value>.+)$", search.resolve, name="resolve"
    ),
    path("privacy/", home.privacy, name="privacy"),
    path("robots.txt", home.robots),
]
