from django.urls import path

from apps.cases.views import lists, overview, team, timeline

app_name = "cases"
urlpatterns = [
    path("", lists.case_list, name="list"),
    path("new/", lists.new, name="new"),
    path("<uuid:pk>/", overview.overview, name="overview"),
    path("<uuid:pk>/summary/", overview.summary, name="summary"),
    path("<uuid:pk>/change/", overview.change, name="change"),
    path("<uuid:pk>/open/", overview.set_open, name="set-open"),
    path("<uuid:pk>/merge/", overview.merge, name="merge"),
    path("<uuid:pk>/timeline/", timeline.timeline, name="timeline"),
    path("<uuid:pk>/team/", team.team, name="team"),
    path("<uuid:pk>/tasks/", team.add_task, name="add-task"),
    path("<uuid:pk>/tasks/<uuid:task_id>/done/", team.finish_task, name="finish-task"),
    path("<uuid:pk>/comments/", team.comment, name="comment"),
    path("<uuid:pk>/documents/", team.add_document, name="add-document"),
    path("<uuid:pk>/documents/<uuid:document_id>/", team.document, name="document"),
    path("<uuid:pk>/referrals/", team.refer, name="refer"),
    path("<uuid:pk>/referrals/<uuid:referral_id>/answer/", team.answer, name="answer"),
    path("<uuid:pk>/referrals/<uuid:referral_id>/end/", team.end_referral, name="end-referral"),
    path("<uuid:pk>/hand-over/", team.hand_over, name="hand-over"),
    path("<uuid:pk>/hand-over/<uuid:hand_over_id>/", team.accept, name="accept"),
]
