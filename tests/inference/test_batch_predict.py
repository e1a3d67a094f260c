from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image
from pydicom.data import get_testdata_file

from tests.factories import film_file, film_pixels


def picture(path: Path, mode: str = "L", size: int = 448) -> Path:
    grey = Image.fromarray((film_pixels(1, "normal", size) >> 4).astype(np.uint8))
    grey.convert(mode).save(path)
    return path


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, dict[str, str]]:
    """A folder of everything, predicted."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "film.bin").write_bytes(film_file(1, size=448))
    picture(folder / "grey.png")
    picture(folder / "rgb.jpeg", "RGB")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(
        folder / "colour.png"
    )
    Image.new("L", (300, 300), 7).save(folder / "blank.png")
    picture(folder / "small.png", size=100)
    (folder / "ct.dcm").write_bytes(Path(get_testdata_file("CT_small.dcm") or "").read_bytes())
    (folder / "text.txt").write_text("hello")
    (folder / "cut.dcm").write_bytes(film_file(1, size=448)[:5000])
    call_command("predict", "cxr-pneumonia", str(folder), "--out", str(tmp_path / "out.csv"), "--age", "4")
    with (tmp_path / "out.csv").open(newline="") as file:
        return {Path(row["path"]).name: row for row in csv.DictReader(file)}


def test_each_file_has_a_row_with_probabilities_or_a_reason(rows: dict[str, dict[str, str]]) -> None:
    assert len(rows) == 9
    for name in ("film.bin", "grey.png", "rgb.jpeg"):
        row = rows[name]
        assert row["refusal"] == "", name
        assert float(row["pneumonia"]) + float(row["normal"]) == pytest.approx(1, abs=1e-5)
    for name, word in {
        "colour.png": "colour",
        "blank.png": "blank",
        "small.png": "at least",
        "ct.dcm": "CT",
        "text.txt": "not DICOM",
        "cut.dcm": "is incomplete",
    }.items():
        assert word in rows[name]["refusal"], (name, rows[name])
        assert rows[name]["pneumonia"] == ""


def test_a_film_gives_the_same_answer_as_dicom_and_as_picture(rows: dict[str, dict[str, str]]) -> None:
    assert float(rows["film.bin"]["pneumonia"]) == pytest.approx(float(rows["grey.png"]["pneumonia"]), abs=0.05)


def test_wrong_arguments_are_explained(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("predict", "cxr-pneumonia", str(tmp_path / "none"), "--out", str(tmp_path / "o.csv"))
    with pytest.raises(CommandError, match=r"installed: .*cxr-pneumonia"):
        call_command("predict", "no-such", str(tmp_path), "--out", str(tmp_path / "o.csv"))
    assert not (tmp_path / "o.csv").exists()
