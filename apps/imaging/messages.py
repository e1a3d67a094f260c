"""Messages on files that were not accepted and what to do about them, by reason code."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "not_dicom": _("This is not a DICOM file. Export the images as DICOM (.dcm) and upload them again."),
    "not_dicom_picture": _(
        "This is a picture (such as JPEG or PNG), not a DICOM file: it does not say whose it is or how it was taken. "
        "Export the study as DICOM from the device or PACS. A photo belongs in the case’s documents."
    ),
    "not_dicom_video": _(
        "This is a video file, not DICOM: it does not say whose it is. Export the recording as DICOM from the device."
    ),
    "not_dicom_pdf": _("This is a PDF document, not a DICOM file. Add it to the case’s documents."),
    "not_dicom_office": _(
        "This is an office document, not a DICOM file. Save it as PDF and add it to the case’s documents."
    ),
    "not_dicom_archive": _("Archives of this kind are not opened. Unpack it and upload the folder, or send a ZIP."),
    "not_dicom_research": _(
        "This is an image volume of a research format (such as NIfTI), not DICOM. Upload the DICOM series it was made from."
    ),
    "not_dicom_message": _("This is an HL7 message, not a DICOM file. Send it through the interface engine."),
    "truncated": _("The file is incomplete: it was cut off in transfer. Export or copy it again."),
    "damaged": _("The header cannot be read. Export the file again from its source."),
    "header_too_large": _("The header is implausibly large, so the file was not read. Check its source."),
    "no_pixels": _("This DICOM object contains no image (it may be a report or a structure set)."),
    "no_pixel_data": _("Stored as received. It holds no pixel data, so there is nothing to display."),
    "too_large_to_draw": _("The image has more than %(megapixels)s million pixels, too many to draw on the server."),
    "media_directory": _(
        "This is the directory of a DICOM medium (DICOMDIR), which holds no data of its own. Upload the files it lists."
    ),
    "damaged_pixels": _(
        "Stored as received, but it cannot be displayed: the pixel data contradict the header. Export the file again."
    ),
    "pixels_missing": _(
        "Stored as received, but it cannot be displayed: the header describes an image and the file holds no pixel data. "
        "It may have been cut off: export it again."
    ),
    "frames_unclear": _(
        "Stored as received, but it cannot be displayed: the compressed data do not say where each frame begins."
    ),
    "video": _("Stored as received. Video is not displayed here yet: download the file to view it."),
    "bad_dimensions": _(
        "Stored as received, but it cannot be displayed: the image size is missing, invalid or inconsistent with the "
        "compressed data. Export the file again."
    ),
    "frame_too_large": _("An image in this file would need more than %(mebibytes)s MiB. It cannot be displayed."),
    "unsupported_transfer_syntax": _(
        "Stored as received, but it cannot be displayed: the pixel data use the encoding “%(syntax)s”. Export without "
        "compression or as JPEG 2000 to see it here."
    ),
    "undecodable": _(
        "Stored as received, but it cannot be displayed: the compressed pixel data are damaged. Export the file again."
    ),
    "not_grey": _("This is a colour image. A greyscale image is required."),
    "missing_uid": _(
        "The identifier %(keyword)s is missing or invalid. Export the file again from the device or PACS."
    ),
    "no_patient_id": _(
        "The Patient ID is missing, so the file cannot be matched to a patient. It is quarantined until a clinician or "
        "administrator assigns it."
    ),
    "no_care_team": _(
        "You are not in a care team, so nobody would see this patient. Ask an administrator to add you to one."
    ),
    "identity_conflict": _(
        "The record with this MRN has a different name or birth date. The file is quarantined until a doctor decides."
    ),
    "other_care_team": _(
        "This MRN belongs to a patient of another care team. The file is quarantined until that team decides."
    ),
    "study_of_other_patient": _(
        "This study is already stored under another patient. The file is quarantined until that patient’s care team "
        "decides."
    ),
    "stored_for_other_patient": _(
        "This file is already stored under another patient. Discard this copy, or ask that patient’s care team to check "
        "the stored one."
    ),
    "mrn_exists": _("A record with this MRN and issuer exists already. Assign the file to it, or check the MRN."),
    "file_held": _("Files were quarantined and wait for your decision. They are listed under Quarantined."),
    "study_differs": _("The object belongs to another study than the one it was sent to. Send it to /studies."),
    "sop_instance_differs": _(
        "An object with the same identifier but different content is already stored. The stored one was kept; this file "
        "is quarantined until a clinician decides."
    ),
    "retention_period": _("The study must be kept until %(date)s and cannot be deleted before."),
    "legal_hold": _("The record is under a legal hold. Nothing of it can be deleted until the hold is lifted."),
    "no_research_consent": _(
        "The patient has not consented to research, so nothing is exported. Record the consent first."
    ),
    "text_remains": _("Burnt-in text could not be removed reliably, so nothing was exported."),
    "may_hold_text": _(
        "The header says the image contains burnt-in text, but none was found to remove. Nothing was exported."
    ),
    "release_too_large": _(
        "The study is larger than %(gibibytes)s GiB when unpacked. Studies of this size are not exported."
    ),
    "duplicate": _("Already stored. Nothing was changed."),
    "too_large": _("The file is larger than %(gibibytes)s GiB. Split it and upload the parts."),
    "bad_multipart": _("The body is not a multipart/related message as defined by DICOMweb (PS3.18 section 10.5)."),
    "body_too_large": _("The request exceeds the size limit. Send the instances in several requests."),
    "empty": _("The file is empty."),
    "zip_damaged": _("The ZIP archive is damaged. Create it again."),
    "zip_too_many": _("The archive contains more than %(most)s files. Split it and upload the parts."),
    "zip_too_large": _("The archive is larger than %(gibibytes)s GiB when unpacked. Split it and upload the parts."),
    "zip_unsafe_name": _("The path of this file points outside the archive. The file was not accepted."),
    "zip_encrypted": _("This file is password-protected. Create the archive without a password."),
    "zip_entry_damaged": _("This file in the archive is damaged. Create the archive again."),
    "zip_nested": _("Nested archives are not opened. Unpack the archive first."),
}

HELD_REASONS = {
    "no_patient_id": _("No Patient ID"),
    "identity_conflict": _("Name or birth date differ from the record"),
    "other_care_team": _("MRN of another care team’s patient"),
    "study_of_other_patient": _("Study of another patient"),
    "sop_instance_differs": _("Differs from the stored object"),
    "stored_for_other_patient": _("Stored under another patient"),
}
"""Short names of the reasons for which a file is quarantined."""
