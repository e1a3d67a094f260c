"""Why a model does not answer."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "wrong_modality": _("This model reads %(wanted)s images; this series is %(got)s."),
    "wrong_body_part": _("This model reads chest films; the header says %(got)s."),
    "wrong_view": _("This model reads frontal films (AP or PA); the header says %(got)s."),
    "too_small": _("The film has %(rows)s × %(columns)s pixels; this model needs at least %(least)s × %(least)s."),
    "colour": _("The film is in colour; this model reads grey ones."),
    "several_frames": _("The object has %(frames)s frames; this model reads single films."),
    "too_few_slices": _("The series has %(slices)s images; this model reads volumes of at least %(least)s slices."),
    "no_positions": _(
        "The headers do not say where the slices lie (Image Position, Orientation, Pixel Spacing). Send the original series."
    ),
    "slices_differ": _("The slices differ in size or direction, so they make no volume. Send one series at a time."),
    "not_transverse": _("The slices are not transverse ones; this model reads those only."),
    "slices_twice": _("%(slices)s slices lie in the same place as another one, so it is not clear what to read."),
    "slices_missing": _(
        "Slices are missing or unevenly spaced (%(gaps)s gaps). Upload the missing ones; the series is then looked at again."
    ),
    "wrong_extent": _("The volume is %(length)s mm long; this model reads %(low)s to %(high)s mm, a whole chest."),
    "too_young": _("This model is for patients of at least %(least)s years; this patient was younger."),
    "too_old": _("This model is for patients of at most %(most)s years; this patient was older."),
    "age_unknown": _(
        "This model is for patients of certain ages, and neither the image nor the record says how old the patient was. Send the image with Patient's Age or the date of birth."
    ),
    "uniform": _("The film shows nothing: all its pixels are alike."),
    "unlike_training": _(
        "The image does not look like the chest films that this model was made for (novelty %(novelty)s, limit %(limit)s). No probability is given."
    ),
    "unreadable_file": _("The file is neither DICOM nor PNG nor JPEG, or it is damaged."),
    "model_output_invalid": _(
        "The model gave a result that is not a valid number, so no result was stored. Do not read this as a negative result. Tell the administrator."
    ),
    "package_missing": _("The model's files are missing or were changed, so it was not run. Tell the administrator."),
    "pixels_unreadable": _("The pixels cannot be read. Upload the image again."),
}
