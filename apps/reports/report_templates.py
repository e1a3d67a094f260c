"""Sections and templates of reports, by modality."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SECTIONS = {
    "history": _("Clinical history"),
    "technique": _("Technique"),
    "comparison": _("Comparison"),
    "findings": _("Findings"),
    "impression": _("Impression"),
}
TEMPLATES = {
    "chest-film": {
        "title": _("Chest X-ray"),
        "modalities": ("DX", "CR"),
        "texts": {
            "technique": _("Frontal chest X-ray."),
            "findings": _("Lungs: \nPleura: \nHeart and mediastinum: \nBones and soft tissue: \nDevices: "),
        },
    },
    "ct": {
        "title": _("CT"),
        "modalities": ("CT",),
        "texts": {
            "technique": _("Helical CT. Contrast medium: \nDose-length product: "),
            "findings": _(
                "Lungs and airways: \nPleura: \nMediastinum and hila: \nHeart and vessels: \nUpper abdomen: \nBones: "
            ),
        },
    },
    "mr": {
        "title": _("MR"),
        "modalities": ("MR",),
        "texts": {"technique": _("Sequences: \nContrast medium: "), "findings": ""},
    },
    "ultrasound": {"title": _("Ultrasound"), "modalities": ("US",), "texts": {"findings": ""}},
    "general": {"title": _("General"), "modalities": (), "texts": {}},
}


def template_for(modalities: list[str]) -> str:
    """The name of the first template for one of the modalities, else ``general``."""
    for name, template in TEMPLATES.items():
        if set(modalities) & set(template["modalities"]):  # type: ignore[call-overload]
            return name
    return "general"
