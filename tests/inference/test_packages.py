from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.inference import installed_packages
from apps.inference.models import PackageVersion
from apps.inference.package_reader import read_package
from apps.inference.packages.card import PackageRefused

BUNDLED = site.BASE_DIR / "apps/inference/bundled/cxr-pneumonia/1.1.1"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A copy of the bundled package, the only one that is installed."""
    target = tmp_path / "packages/cxr-pneumonia/1.1.1"
    shutil.copytree(BUNDLED, target)
    settings.MODEL_PACKAGE_DIRS = [tmp_path / "packages"]
    return target


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


def test_the_bundled_package_is_whole_and_small() -> None:
    package = read_package(BUNDLED)
    assert sum(file.stat().st_size for file in BUNDLED.iterdir()) < 10 * 2**20
    assert [label.code for label in package.labels] == [
        "pneumonia",
        "bacterial_pneumonia",
        "viral_pneumonia",
        "normal",
    ]
    for part in package.card["metrics"]:
        for figure in part["values"].values():
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_a_changed_weight_is_refused(folder: Path) -> None:
    with (folder / "weights.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(PackageRefused, match=r"weights\.safetensors"):
        read_package(folder)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda card: card.pop("intended_use"), "intended_use"),
        (lambda card: card.update(name="../evil"), "name"),
        (lambda card: card["thresholds"].pop("pneumonia"), "threshold"),
        (lambda card: card["thresholds"]["pneumonia"].update(value=2), "thresholds/pneumonia"),
        (lambda card: card.update(surprise=1), "surprise"),
        (lambda card: card["files"].update({"more.bin": "0" * 64}), r"more\.bin"),
    ],
)
def test_a_wrong_card_is_refused_naming_the_place(folder: Path, change: Any, word: str) -> None:
    rewrite(folder, change)
    with pytest.raises(PackageRefused, match=word):
        read_package(folder)


def test_a_file_that_the_card_does_not_list_is_refused(folder: Path) -> None:
    (folder / "extra.py").write_text("print('hello')")
    with pytest.raises(PackageRefused, match=r"extra\.py"):
        read_package(folder)


def test_a_card_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "card.json").write_text("{")
    with pytest.raises(PackageRefused):
        read_package(folder)


@pytest.mark.django_db
def test_packages_are_installed_once_and_stopped_when_gone(folder: Path) -> None:
    call_command("models")
    call_command("models")
    row = PackageVersion.objects.get()
    assert row.active
    assert AuditEntry.objects.filter(action="package.installed").count() == 1
    shutil.move(folder, folder.parent.parent / "aside")
    installed_packages.synchronise()
    row.refresh_from_db()
    assert not row.active
    with pytest.raises(PackageRefused):
        installed_packages.package_of(row)


@pytest.mark.django_db
def test_a_changed_package_is_stopped_and_told(folder: Path) -> None:
    call_command("models")
    (folder / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(CommandError, match="digest"):
        call_command("models")
    assert not PackageVersion.objects.get().active
