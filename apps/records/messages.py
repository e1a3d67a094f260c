"""Messages of the patient record, by reason code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "case_closed": _("This case is closed. Reopen it first."),
    "statement_empty": _("Enter the condition, the allergen or the drug."),
    "statement_status": _("This kind of entry cannot have this status."),
    "allergies_recorded": _("Allergies are recorded: %(list)s. Mark them as resolved or as an error first."),
    "dose_unit": _("%(dose)s has no unit. Enter the dose with its unit, for example 50 mg."),
    "dose_ambiguous": _("%(dose)s may mean %(readings)s. Enter it without a thousands separator."),
    "order_warnings": _("There are warnings about this drug. Read them, and give a reason to record it anyway."),
    "code_contradicts": _(
        "The code %(given)s is that of another substance than %(text)s. Change the code, or leave it empty."
    ),
    "statement_in_error": _("This entry has been marked as an error in the meantime. Add a new one."),
    "code_unknown": _("The code %(given)s does not exist. Choose one from the list or enter words."),
    "note_empty": _("The note is empty. Enter some text."),
    "values_too_large": _("The file is too large: the limit is %(most)s MiB. Split it."),
    "values_binary": _("The file is neither CSV nor FHIR JSON. Save it as CSV (UTF-8) and try again."),
    "values_empty": _("The file contains no data rows."),
    "values_too_many": _("The file has too many rows: the limit is %(most)s. Split it."),
    "values_columns": _("Missing columns: %(columns)s. The first line must contain the column names: %(expected)s."),
    "values_json": _("The file is not valid JSON (line %(line)s)."),
    "value_code": _("Unknown code: %(given)s. Use a LOINC code or a name from the list of measurements."),
    "value_which": _("%(given)s may stand for several measurements: %(titles)s. Say which."),
    "value_number": _("Not a number: %(value)s."),
    "value_range": _("%(value)s is a range, not one value. Enter the value that was measured."),
    "value_ratio": _("%(value)s is two numbers. Enter each as a value of its own."),
    "value_series": _("A series of samples cannot be recorded as one value."),
    "value_not_numeric": _("The result %(given)s is not a number."),
    "value_no_result": _("There is no result (status: %(status)s)."),
    "value_absent": _("There is no value: %(why)s."),
    "value_withdrawn": _("This result was withdrawn by its sender (status: %(status)s)."),
    "value_status": _("The status of this result is not known (%(status)s). Confirm that it is final: %(value)s."),
    "value_preliminary": _("This result is preliminary and may still change: %(value)s. Confirm to record it."),
    "value_other_patient": _("This result belongs to another patient or subject: %(subject)s."),
    "value_focus": _("This result is about someone or something else than the patient, such as a fetus or a donor."),
    "value_modifier": _("This result has a modifier that is not understood here. Enter it by hand."),
    "value_resource": _("%(kind)s is not an Observation."),
    "value_specimen": _("A value of %(specimen)s cannot be recorded as %(what)s."),
    "value_comparator": _("The comparator %(comparator)s is not understood. Use <, <=, > or >=."),
    "value_comparators": _("The value has two comparators: %(first)s and %(second)s."),
    "value_two_units": _("The value has two different units: %(first)s and %(second)s. Say which is right."),
    "value_ambiguous": _("%(value)s may mean: %(readings)s. Choose one."),
    "value_approximate": _("%(value)s is an estimate. Confirm the number to record it."),
    "value_remark": _("%(value)s has a remark. Read it, and confirm the number to record it."),
    "value_rare": _(
        "%(value)s %(unit)s is very unusual. Check the number and the unit, and confirm it if it is right."
    ),
    "value_line": _("This line is not a JSON object."),
    "unit_unknown": _("The unit %(unit)s is not known. Use %(expected)s or a unit that converts to it."),
    "unit_dimension": _("The unit %(unit)s measures another kind of quantity. Use %(expected)s."),
    "unit_analyte": _("%(unit)s cannot be converted to %(expected)s for this measurement. Enter it in %(expected)s."),
    "value_impossible": _("%(value)s %(unit)s is impossible. Enter a value from %(least)s to %(most)s."),
    "value_time": _("Not a valid date and time: %(value)s. Use the format 2026-03-02 14:30."),
    "value_future": _("This time is in the future: %(value)s."),
    "value_twice": _("This value is already recorded for this time."),
    "value_differs": _(
        "Another value is already recorded for this time: %(value)s. Mark it as entered in error first."
    ),
    "model_missing": _("The model required for this is not installed. Contact your administrator."),
}
