"""Why something about a case cannot be done, and notices about it."""

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    "case_changed": _("Somebody changed the case meanwhile. Look at the differences and decide."),
    "case_closed": _("The case is closed: open it again first."),
    "case_merge_other": _("Only two open cases of one patient can be merged."),
    "note_changed": _("Somebody changed the note meanwhile. Nothing is lost: look at the differences and decide."),
    "note_empty": _("A note needs at least one word."),
    "note_binary": _("This looks like a file and not like a text. Add it under documents."),
    "note_too_long": _("The note has %(letters)s letters; at most %(most)s can be kept. Add it as a document."),
    "values_too_large": _("The file is too large: at most %(most)s MiB. Split it."),
    "values_binary": _("The file is neither CSV nor FHIR JSON. Save it as CSV (UTF-8) and try again."),
    "values_empty": _("There is no row in the file."),
    "values_too_many": _("The file has too many rows: at most %(most)s. Split it."),
    "values_columns": _("These columns are missing: %(columns)s. The first line must name the columns: %(expected)s."),
    "values_json": _("The file is no valid JSON (line %(line)s)."),
    "value_code": _("Unknown code: %(given)s. Use a LOINC code or a name from the list of values."),
    "value_number": _("Not a number: %(value)s."),
    "value_unit": _(
        "The unit %(unit)s is not known or does not fit; expected is %(expected)s or what can be converted to it."
    ),
    "value_impossible": _("%(value)s %(unit)s is not possible: expected is %(least)s to %(most)s."),
    "value_time": _("Not a date and time: %(value)s. Write it like 2026-03-02 14:30."),
    "value_future": _("This time lies in the future: %(value)s."),
    "value_twice": _("This value at this time is there already."),
    "value_differs": _("There is another value at this time: %(value)s. Mark that one as wrong first."),
    "document_type": _("Only PDF, PNG, JPEG and plain text can be added; DICOM images go to Upload."),
    "document_too_large": _("The file is too large: at most %(most)s MiB."),
    "referral_open": _("This team has been asked already and has not answered yet."),
    "referral_own": _("This team cares for the patient already: mention somebody in a comment instead."),
    "model_missing": _("The model for this is not installed. Tell the administrator."),
    "too_few_values": _(
        "There is too little to reckon with: the model needs at least one value of the first %(hours)s hours."
    ),
    "too_early": _("The model answers from hour %(hours)s after admission on."),
    "nothing_to_fuse": _("Neither images nor notes nor values have been assessed yet."),
    "nothing_to_summarise": _("There is no note yet."),
    "report_signed": _("A signed report is amended, not changed: state the reason for the amendment."),
    "report_changed": _("Somebody changed the report meanwhile. Nothing is lost: your text is below."),
    "report_incomplete": _("A report needs findings and an impression before it can be issued."),
    "report_no_pdf": _("PDF needs the libraries Pango and HarfBuzz on the server. Print the page instead."),
    "case_mentioned": _("%(who)s mentioned you in case %(case)s."),
    "case_assigned": _("%(who)s assigned case %(case)s to you."),
    "case_task": _("%(who)s gave you a task in case %(case)s."),
    "case_handed_over": _("%(who)s handed case %(case)s over to you. Accept it on its page."),
    "case_referred": _("%(who)s asks your team for a second opinion on case %(case)s."),
    "case_answered": _("%(who)s answered your referral in case %(case)s."),
    "case_alarm": _("An alarm was raised in case %(case)s."),
}
