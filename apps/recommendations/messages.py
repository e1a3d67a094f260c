"""Why something about a recommendation cannot be done, and notices about it."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "recommendation_changed": _("Somebody else decided on this recommendation meanwhile. Look at how it stands now."),
    "recommendation_closed": _("This recommendation is closed: nothing more can be done with it."),
    "recommendation_forbidden": _("It cannot be given now: %(why)s"),
    "recommendation_reason": _("State a reason."),
    "recommendation_clinicians": _("This is for clinicians only and is not released to patients."),
    "recommendation_words": _("The text for the patient is empty."),
    "recommendation_hard": _(
        "The text is hard to read: grade %(grade)s, at most %(most)s. Use short sentences and short words."
    ),
    "recommendation_nagging": _(
        "The patient has %(number)s open recommendations. Wait until some are done, or recall one."
    ),
    "item_changed": _("Somebody changed the item meanwhile. Your text is below."),
    "item_circle": _("Items wait for each other: %(circle)s. Take one of them out."),
    "item_unknown": _("There is no item with the code %(item)s."),
    "rule_broken": _("The rule does not work: %(why)s"),
    "rule_examples": _("The rule fails on %(number)s of its examples. Mend the rule or the example."),
    "rule_untested": _("A rule needs an example patient on whom it holds and one on whom it does not."),
    "catalogue_file": _("The file cannot be read as a catalogue: %(why)s"),
    "too_few_acts": _(
        "There is too little to learn from: %(number)s acts of %(people)s people; at least %(least)s acts of %(folks)s people are needed."
    ),
    "recommendations_waiting": _("New recommendations wait for review: %(number)s."),
    "recommendation_told": _("There is something new from your care team on your page."),
    "recommendation_reminder": _("There is something open on your page. Please have a look."),
    "recommendation_recalled": _("Your care team took back something on your page."),
    "recommendation_answered": _("A patient of yours answered a recommendation."),
    "rule_stumbled": _("The guideline rule %(rule)s cannot be evaluated. Look at it under Guidelines."),
}
