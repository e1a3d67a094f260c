from django.urls import path

from apps.notes.views import discordance, notes, review

app_name = "notes"
urlpatterns = [
    path("<uuid:pk>/discordances/<uuid:discordance_id>/", discordance.settle, name="settle"),
    path("<uuid:pk>/notes/", notes.note_list, name="notes"),
    path("<uuid:pk>/notes/draft/", notes.draft, name="draft"),
    path("<uuid:pk>/notes/<uuid:note_id>/", notes.note_page, name="note"),
    path("<uuid:pk>/notes/<uuid:note_id>/understood/", notes.understood, name="understood"),
    path("<uuid:pk>/notes/<uuid:note_id>/read/", notes.read_again, name="read-again"),
    path("<uuid:pk>/notes/<uuid:note_id>/explain/", notes.explain, name="explain-note"),
    path("<uuid:pk>/whys/<uuid:why_id>/", notes.why, name="why"),
    path("<uuid:pk>/notes/<uuid:note_id>/<int:number>/", notes.revision, name="revision"),
    path("<uuid:pk>/notes/<uuid:note_id>/review/", review.review, name="review"),
]
