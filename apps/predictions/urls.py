from django.urls import path

from apps.predictions.views import alarms, risk

app_name = "predictions"
urlpatterns = [
    path("<uuid:pk>/alarms/<uuid:alarm_id>/", alarms.act_on_alarm, name="alarm"),
    path("<uuid:pk>/risk/", risk.risk, name="risk"),
    path("<uuid:pk>/risk/figures/", risk.figures, name="risk-figures"),
    path("<uuid:pk>/risk/ask/", risk.ask, name="ask"),
    path("<uuid:pk>/risk/what-if/", risk.what_if, name="what-if"),
    path("<uuid:pk>/risk/what-if/<uuid:question_id>/", risk.what_if_answer, name="what-if-answer"),
    path("<uuid:pk>/rules/", risk.set_rule, name="set-rule"),
    path("<uuid:pk>/rules/<uuid:rule_id>/stop/", risk.stop_rule, name="stop-rule"),
]
