"""Messages and notifications about appointments, questions and e-mails, by code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "appointment_past": _("Choose a time in the future."),
    "appointment_closed": _("This appointment has been cancelled or has already taken place."),
    "appointment_changed": _("Someone else changed this appointment. Check its current details."),
    "question_empty": _("Write your question in a few words."),
    "question_answered": _("This question has already been answered."),
    "question_many": _("You have %(number)s unanswered questions. Please wait for an answer, or call us."),
    "mail_address": _("This is not a valid e-mail address: %(reason)s"),
    "mail_off": _("This hospital does not send e-mails. Check your patient portal from time to time."),
    "mail_link": _("This link is no longer valid. Request a new one in your patient portal."),
    "question_asked": _("A patient sent your team a question."),
    "question_answer": _("Your care team answered your question."),
    "appointment_made": _("You have a new appointment in your patient portal."),
    "appointment_moved": _("An appointment in your patient portal has changed."),
    "appointment_soon": _("You have an appointment within a day. Please check your patient portal."),
    "appointment_unwanted": _("A patient cannot attend an appointment."),
    "release_words": _("Explain in plain language what this means for the patient."),
    "release_portal": _("The patient has closed the patient portal, so nothing can be released there."),
}
