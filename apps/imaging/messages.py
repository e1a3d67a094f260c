"""Why a file was not taken, and what to do about it."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "not_dicom": _("This is not a DICOM file. Export the images as DICOM (.dcm) and upload them again."),
    "truncated": _("The file ends too early: it was cut off on its way. Export or copy it again."),
    "damaged": _("The header cannot be read. Export the file again from where it comes from."),
    "header_too_large": _(
        "The header is larger than any real one, so the file was not read. Check where it comes from."
    ),
    "no_pixels": _("This DICOM file holds no image (a report or a structure, say). Only images are taken for now."),
    "bad_dimensions": _(
        "The image's size is missing, impossible, or differs from the compressed data. Export it again."
    ),
    "frame_too_large": _("An image of this file would need more than %(mebibytes)s MiB. Such files are not taken."),
    "unsupported_transfer_syntax": _(
        "The pixels are stored as “%(syntax)s”, which is not supported. Export without compression or as JPEG 2000."
    ),
    "undecodable": _("The pixels cannot be decoded: the compressed data are damaged. Export the file again."),
    "not_grey": _("This is a colour image; a grey one is needed."),
    "missing_uid": _(
        "The identifier %(keyword)s is missing or malformed. Export the file again from the device or PACS."
    ),
    "no_patient_id": _(
        "There is no Patient ID, so the image cannot be matched to a patient. Add it at the device or PACS."
    ),
    "no_care_team": _(
        "You belong to no care team, so nobody would see this patient. Ask an administrator to add you to one."
    ),
    "identity_conflict": _(
        "A patient with this MRN is known under another name or birth date. The file is put aside until a doctor decides."
    ),
    "other_care_team": _(
        "This MRN belongs to a patient of another care team. The file is put aside until that team decides."
    ),
    "study_of_other_patient": _(
        "This study is already stored for another patient. Check the Patient ID at the device or PACS."
    ),
    "sop_instance_differs": _(
        "An image with the same identifier but other content is already stored. The stored one was kept."
    ),
    "no_research_consent": _(
        "The patient has not consented to research, so nothing is exported. Record the consent first."
    ),
    "text_remains": _("Burnt-in text could not be removed with certainty, so nothing was exported."),
    "may_hold_text": _(
        "The header says that text is burnt into the image, but none was found to blank. Nothing was exported."
    ),
    "release_too_large": _("The study unpacks to more than %(gibibytes)s GiB. Such studies are not exported."),
    "duplicate": _("Already stored; nothing was changed."),
    "too_large": _("The file is larger than %(gibibytes)s GiB. Split it and upload the parts."),
    "bad_multipart": _("The body is not multipart/related as DICOMweb (PS3.18 section 10.5) describes it."),
    "body_too_large": _("The request is larger than allowed. Send the instances in several requests."),
    "empty": _("The file is empty."),
    "zip_damaged": _("The ZIP archive is damaged. Create it again."),
    "zip_too_many": _("The archive holds more than %(most)s files. Split it and upload the parts."),
    "zip_too_large": _("The archive unpacks to more than %(gibibytes)s GiB. Split it and upload the parts."),
    "zip_unsafe_name": _("The name of this file within the archive points outside it. The file was not taken."),
    "zip_encrypted": _("This file is protected by a password. Create the archive without one."),
    "zip_entry_damaged": _("This file of the archive is damaged. Create the archive again."),
    "zip_nested": _("An archive within an archive is not opened. Unpack it first."),
}
