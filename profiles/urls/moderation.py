"""Addresses of the moderators' desk, /moderation/."""

from django.urls import URLPattern, path

from profiles.views import moderation, moderation_tools

urlpatterns: list[URLPattern] = [
    path("moderation/", moderation.overview, name="moderation"),
    path("moderation/queues/<slug:key>/", moderation.queue, name="moderation_queue"),
    path("moderation/claims/<uuid:pk>/", moderation.claim, name="moderation_claim"),
    path("moderation/claims/<uuid:pk>/decide/", moderation.decide_claim, name="moderation_claim_decide"),
    path("moderation/claims/<uuid:pk>/look/", moderation.look_again, name="moderation_claim_look"),
    path("moderation/requests/<uuid:pk>/", moderation.curation_request, name="moderation_request"),
    path(
        "moderation/requests/<uuid:pk>/decide/", moderation.decide_request, name="moderation_request_decide"
    ),
    path("moderation/requests/<uuid:pk>/address/", moderation_tools.address, name="moderation_address"),
    path("moderation/reports/<uuid:pk>/", moderation.report, name="moderation_report"),
    path("moderation/reports/<uuid:pk>/decide/", moderation.decide_report, name="moderation_report_decide"),
    path(
        "moderation/representatives/<uuid:pk>/", moderation.representative, name="moderation_representative"
    ),
    path(
        "moderation/representatives/<uuid:pk>/decide/",
        moderation.decide_representative,
        name="moderation_representative_decide",
    ),
    path("moderation/accounts/<int:pk>/", moderation_tools.account, name="moderation_account"),
    path("moderation/accounts/<int:pk>/restore/", moderation_tools.restore, name="moderation_restore"),
    path("moderation/audit/", moderation_tools.audit, name="moderation_audit"),
    path("moderation/audit/download/", moderation_tools.audit_download, name="moderation_audit_download"),
    path("moderation/answers/", moderation_tools.answer_list, name="moderation_answers"),
    path("moderation/answers/usual/", moderation_tools.keep_usual_answers, name="moderation_answers_usual"),
    path("moderation/answers/<int:pk>/", moderation_tools.answer, name="moderation_answer"),
    path(
        "moderation/answers/<int:pk>/delete/", moderation_tools.delete_answer, name="moderation_answer_delete"
    ),
]
