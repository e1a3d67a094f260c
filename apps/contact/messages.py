"""Why an appointment, a question or a mail cannot be, and notices about them."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "appointment_past": _("An appointment lies in the future."),
    "appointment_closed": _("This appointment has been cancelled or is over."),
    "appointment_changed": _("Somebody changed the appointment meanwhile. Look at how it stands now."),
    "question_empty": _("Write your question in a few words."),
    "question_answered": _("This question has been answered already."),
    "question_many": _("You have %(number)s open questions. Please wait for an answer, or call us."),
    "mail_address": _("This is no e-mail address: %(reason)s"),
    "mail_off": _("This hospital sends no mails. Look at your page from time to time."),
    "mail_link": _("This link is no longer valid. Ask for a new one on your page."),
    "question_asked": _("A patient asked your team a question."),
    "question_answer": _("Your care team answered your question."),
    "appointment_made": _("There is a new appointment on your page."),
    "appointment_moved": _("An appointment on your page has changed."),
    "appointment_soon": _("You have an appointment within a day. Please have a look at your page."),
    "appointment_unwanted": _("A patient cannot come to an appointment."),
    "release_words": _("Write in plain words what this means for the patient."),
    "release_portal": _("The patient does not use the patient portal: nothing can be released there."),
}
