"""What the documents say of the project holds."""

from __future__ import annotations

import re

from django.conf import settings


def test_every_test_that_the_security_documents_name_exists() -> None:
    named = 0
    for document in ("asvs.md", "security.md"):
        text = (settings.BASE_DIR / "docs" / document).read_text()
        for path, name in re.findall(r"`([\w/]+\.py)::(\w+)`", text):
            named += 1
            source = (settings.BASE_DIR / "tests" / path).read_text()
            assert f"def {name}(" in source, f"{document}: {path}::{name}"
    assert named > 60


def test_every_file_that_a_document_names_exists() -> None:
    documents = [settings.BASE_DIR / "CONTRIBUTING.md", *(settings.BASE_DIR / "docs").glob("*.md")]
    for document in sorted(documents):
        for path in re.findall(r"`((?:apps|tests|docs|docker|templates|static)/[\w./-]+\.\w+)`", document.read_text()):
            assert (settings.BASE_DIR / path).exists(), f"{document.name}: {path}"
