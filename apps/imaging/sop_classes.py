"""What a SOP class is, in words (PS3.4 table B.5-1): by family, since a reader needs no more to know how to open it."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydicom.uid import UID, EncapsulatedPDFStorage

_FAMILIES: tuple[tuple[re.Pattern[str], str | Promise], ...] = tuple(
    (re.compile(pattern), label)
    for pattern, label in (
        ("^KeyObjectSelection", _("Key object selection")),
        ("CADSR|Report|SRStorage|PatientRadiationDose|SimplifiedAdultEcho|ProcedureLog|ImplantationPlan", _("Report")),
        ("^EncapsulatedPDF", _("PDF document")),
        ("^EncapsulatedCDA", _("Clinical document (CDA)")),
        ("^(Encapsulated(STL|OBJ|MTL)|SurfaceScan)", _("3D model")),
        ("Annotations", _("Annotations")),
        ("^RTStructureSet", _("Structure set")),
        ("^RTDose", _("Radiotherapy dose")),
        ("^RT.*Image|^EnhancedRTImage", _("Radiotherapy image")),
        ("TreatmentRecord", _("Radiotherapy treatment record")),
        ("^(RT|CArm|Tomotherapeutic|Robotic|RadiationPhysician)", _("Radiotherapy plan")),
        ("PresentationState|StructuredDisplay", _("Presentation state")),
        ("ECG", _("Electrocardiogram")),
        ("^BasicVoice|AudioWaveform", _("Audio recording")),
        ("Waveform|Electroencephalogram|Electromyogram|Electrooculogram|Polysomnography", _("Waveform")),
        ("^Video", _("Video")),
        ("^RawData|MRSpectroscopy", _("Raw data")),
        ("Segmentation", _("Segmentation")),
        ("^ParametricMap", _("Parametric map")),
        ("Registration", _("Spatial registration")),
        ("^SpatialFiducials", _("Spatial fiducials")),
        ("^RealWorldValueMapping", _("Value mapping")),
        ("^Tractography", _("Tractography results")),
        ("^(Lensometry|Autorefraction|Keratometry|SubjectiveRefraction|VisualAcuity|IntraocularLens|Ophthalmic(Visual"
         "FieldStatic|AxialMeasurements))", _("Ophthalmic measurements")),
        ("^(HangingProtocol|ColorPalette|GenericImplant|ImplantAssembly|ImplantTemplate|CTDefinedProcedure|CTPerformed"
         "Procedure|DefinedProcedure|PerformedProcedure|ProtocolApproval|XADefined|XAPerformed|Inventory)",
         _("Settings or templates")),
        ("Image|USVolume|VolumeAnalysis|ThicknessMap|TopographyMap|DICOS.*AIT", _("Images")),
    )
)  # fmt: skip


_PIXELS = re.compile("Image|^Segmentation|^ParametricMap|^RTDose|USVolume")


def kind_of(sop_class_uid: str) -> str:
    """Return what an object is, in the current language; an unknown or private class is said to be one."""
    keyword = UID(sop_class_uid).keyword
    for pattern, label in _FAMILIES:
        if keyword and pattern.search(keyword):
            return str(label)
    return str(_("DICOM object of an unknown kind"))


def should_hold_images(sop_class_uid: str) -> bool:
    """Return whether objects of the class have pixel data, so that one without is worth a word."""
    return bool(_PIXELS.search(UID(sop_class_uid).keyword))


def is_report(sop_class_uid: str) -> bool:
    """Return whether the object has a content tree that can be read as text (PS3.3 section C.17.3): SR, KO."""
    keyword = UID(sop_class_uid).keyword
    return bool(keyword) and bool(_FAMILIES[0][0].search(keyword) or _FAMILIES[1][0].search(keyword))


def is_pdf(sop_class_uid: str) -> bool:
    """Return whether the object is an encapsulated PDF document (PS3.3 section A.45.1)."""
    return sop_class_uid == EncapsulatedPDFStorage
