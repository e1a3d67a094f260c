"""Films are shown with the window of the file, whatever function it names."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Browser

from apps.synthetic.dicom_image import FilmDescription, wrap_film
from tests.journeys.services import wait_for

pytestmark = pytest.mark.needs("chromium")
FUNCTIONS = ("", "LINEAR", "LINEAR_EXACT", "SIGMOID")


@pytest.fixture
def browser(webgl_browser: Browser) -> Browser:
    """Where the viewer draws with WebGL; the other journeys see it drawn without."""
    return webgl_browser


def ramp(function: str, folder: Path) -> Path:
    """A film from black on the left to white on the right, with the function's name in its header."""
    pixels = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (256, 1))
    film = FilmDescription(
        mrn=f"W-{function or 'NONE'}",
        name=f"Window^{function or 'None'}",
        birth_date=date(2021, 5, 4),
        sex="F",
        study_date=date(2026, 3, 2),
        accession_number="W1",
        identity=[str(folder), function],
        synthetic=True,
    )
    dataset = pydicom.dcmread(io.BytesIO(wrap_film(pixels, film, bits=12)))
    if function:
        dataset.VOILUTFunction = function
    path = folder / f"ramp{function}.dcm"
    dataset.save_as(path)
    return path


def greys(page: Any) -> Any:
    """Mean grey of 16 columns of the picture on the screen, left to right, without its black surroundings."""
    shot = Image.open(io.BytesIO(page.locator("#viewport").screenshot())).convert("L")
    rows = np.asarray(shot, dtype=float)
    middle = rows[rows.shape[0] // 2 - 10 : rows.shape[0] // 2 + 10]
    side = min(rows.shape)
    left = (rows.shape[1] - side) // 2
    return middle[:, left : left + side // 16 * 16].mean(axis=0).reshape(16, -1).mean(axis=1)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_film_with_a_voi_lut_function_is_not_all_white(visit: Any, function: str, tmp_path: Path) -> None:
    # Small: WebGL in software draws each pixel with the processor that the worker needs.
    doctor = visit(viewport={"width": 900, "height": 600}).sign_in("doctor")
    doctor.upload(ramp(function, tmp_path))
    doctor.page.click("#outcomes a[data-study]")
    doctor.page.wait_for_selector("#viewport[data-ready]", state="attached")
    assert doctor.page.get_attribute("#viewport", "data-ready") != "failed"
    wait_for(lambda: greys(doctor.page)[13] > 150, 30, "the picture")
    shown = greys(doctor.page)
    assert shown[2] < 90 < shown[7] < 170 < shown[13], shown
    assert (np.diff(shown[1:15]) > 0).all(), shown
