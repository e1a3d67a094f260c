"""Messages of notes."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "note_changed": _(
        "Someone else changed this note while you were editing. Nothing is lost: review the differences and decide."
    ),
    "note_binary": _("This looks like a file, not text. Add it under Documents."),
    "note_too_long": _("The note has %(letters)s characters; the limit is %(most)s. Add it as a document instead."),
    "nothing_to_summarise": _("There are no notes yet."),
}
