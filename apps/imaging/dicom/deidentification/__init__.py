"""De-identification by DICOM PS3.15 Annex E. No Django here."""
