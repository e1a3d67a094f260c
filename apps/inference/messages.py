"""Messages of inference: why an input is rejected or an analysis fails."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "wrong_modality": _("This model accepts %(wanted)s images; this series is %(got)s."),
    "wrong_body_part": _("This model accepts chest X-rays; the header says %(got)s."),
    "wrong_view": _("This model accepts frontal views (AP or PA); the header says %(got)s."),
    "too_small": _("The image has %(rows)s × %(columns)s pixels; this model needs at least %(least)s × %(least)s."),
    "colour": _("The image is in colour; this model accepts greyscale images."),
    "several_frames": _("The object has %(frames)s frames; this model accepts single-frame images."),
    "too_few_slices": _("The series has %(slices)s images; this model needs volumes of at least %(least)s slices."),
    "no_positions": _(
        "The headers lack the slice positions (Image Position, Orientation, Pixel Spacing). Send the original series."
    ),
    "slices_differ": _("The slices differ in size or orientation and do not form a volume. Send one series at a time."),
    "not_transverse": _("The slices are not axial; this model accepts axial slices only."),
    "slices_twice": _("%(slices)s slices have the same position as another slice, so the volume is ambiguous."),
    "slices_missing": _(
        "Slices are missing or unevenly spaced (%(gaps)s gaps). Upload the missing slices; the series is then analysed again."
    ),
    "wrong_extent": _("The volume is %(length)s mm long; this model accepts %(low)s to %(high)s mm, a whole chest."),
    "too_young": _("This model is for patients aged %(least)s years or older; this patient was younger."),
    "too_old": _("This model is for patients aged %(most)s years or younger; this patient was older."),
    "age_unknown": _(
        "This model is for a certain age range, and neither the image nor the record states the patient's age. Send the image with Patient's Age or the date of birth."
    ),
    "uniform": _("The image is blank: all pixels have the same value."),
    "unlike_training": _(
        "The image differs too much from the chest X-rays this model was built for (novelty %(novelty)s, limit %(limit)s). No probability is given."
    ),
    "unreadable_file": _("The file is not DICOM, PNG or JPEG, or it is damaged."),
    "model_output_invalid": _(
        "The model output is not a valid number, so no result was stored. Do not interpret this as a negative result. Contact your administrator."
    ),
    "package_missing": _(
        "The model's files are missing or have been altered, so it was not run. Contact your administrator."
    ),
    "pixels_unreadable": _("The pixel data cannot be read. Upload the image again."),
}
