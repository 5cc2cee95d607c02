"""What is recommended to a member."""

from django.urls import path, re_path

from profiles.views import recommendations

TARGET = r"(?P<kind>author|work)/(?P<pid>[0-9a-zA-Z]{1,12})"

urlpatterns = [
    path("me/recommendations/", recommendations.recommendation_list, name="recommendations"),
    path("me/fragments/recommended/", recommendations.recommended_people, name="recommended_people"),
    re_path(
        rf"^me/recommendations/not-interested/{TARGET}/$",
        recommendations.not_interested,
        name="not_interested",
    ),
    re_path(rf"^me/recommendations/interested/{TARGET}/$", recommendations.interested, name="interested"),
]
