from django.urls import path, re_path

from works.views import home, institutions, search, topics, works

app_name = "works"

urlpatterns = [
    path("", home.home, name="home"),
    path("search", search.search, name="search"),
    path("works/<str:pid>/cite.<str:extension>", works.citation_file, name="citation"),
    path("works/<str:pid>/<str:slug>/", works.work, name="work"),
    path("works/<str:pid>/", works.work),
    path("topics/<str:pid>/<str:slug>/", topics.topic, name="topic"),
    path("topics/<str:pid>/", topics.topic),
    path("institutions/<str:pid>/<str:slug>/", institutions.institution, name="institution"),
    path("institutions/<str:pid>/", institutions.institution),
    re_path(r"^(?P<scheme>orcid|doi|arxiv|openalex|ror)/(?P<value>.+)$", search.resolve, name="resolve"),
    path("privacy/", home.privacy, name="privacy"),
    path("robots.txt", home.robots),
]
