"""Messages of notes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "note_changed": _("Somebody changed the note meanwhile. Nothing is lost: look at the differences and decide."),
    "note_binary": _("This looks like a file and not like a text. Add it under documents."),
    "note_too_long": _("The note has %(letters)s letters; at most %(most)s can be kept. Add it as a document."),
    "nothing_to_summarise": _("There is no note yet."),
}
