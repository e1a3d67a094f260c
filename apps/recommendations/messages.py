"""Error messages and notices of recommendations."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "recommendation_changed": _("Someone else has decided on this recommendation. Check its current status."),
    "recommendation_closed": _("This recommendation is closed. No further action is possible."),
    "recommendation_forbidden": _("It cannot be recommended now: %(why)s"),
    "recommendation_reason": _("Enter a reason."),
    "recommendation_clinicians": _("This is for clinicians only and is not released to patients."),
    "recommendation_words": _("The text for the patient is empty."),
    "recommendation_hard": _(
        "The text is too hard to read: grade %(grade)s, the limit is %(most)s. Use short sentences and short words."
    ),
    "recommendation_nagging": _(
        "The patient already has %(number)s open recommendations. Wait until some are completed, or recall one."
    ),
    "item_changed": _("Someone else changed this item while you were editing. Your text is below."),
    "item_circle": _("Items are prerequisites of each other: %(circle)s. Remove one of them."),
    "item_unknown": _("There is no item with the code %(item)s."),
    "rule_broken": _("The rule cannot be evaluated: %(why)s"),
    "rule_examples": _("The rule fails on %(number)s of its examples. Correct the rule or the example."),
    "rule_untested": _("A rule needs at least one example patient to whom it applies and one to whom it does not."),
    "catalogue_file": _("The file is not a valid catalogue: %(why)s"),
    "too_few_acts": _(
        "Not enough data to learn from: %(number)s actions by %(people)s people; at least %(least)s actions by %(folks)s people are needed."
    ),
    "recommendations_waiting": _("New recommendations await review: %(number)s."),
    "recommendation_told": _("There is something new from your care team in your patient portal."),
    "recommendation_reminder": _("Something in your patient portal still needs your attention."),
    "recommendation_recalled": _("Your care team has withdrawn something in your patient portal."),
    "recommendation_answered": _("One of your patients responded to a recommendation."),
    "rule_stumbled": _("Guideline rule %(rule)s cannot be evaluated. Check it under Guidelines."),
}
