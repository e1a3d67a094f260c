"""Slices to volumes: order, direction, and what makes none."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from apps.imaging.dicom.volumes import NotAVolume, arrange
from apps.synthetic.chest_ct import draw_chest
from tests.factories import chest_files

SHAPE = (20, 32, 32)


@pytest.fixture(scope="module")
def headers() -> list[Dataset]:
    return [pydicom.dcmread(io.BytesIO(content)) for content in chest_files(3, shape=SHAPE)]


def copies(headers: list[Dataset]) -> list[Dataset]:
    return copy.deepcopy(headers)


def test_slices_are_ordered_by_place_not_by_number(headers: list[Dataset]) -> None:
    shuffled = copies(headers)
    random.Random(1).shuffle(shuffled)
    for number, header in enumerate(shuffled):
        header.InstanceNumber = number
    found = arrange(shuffled, min_slices=16)
    heights = [float(shuffled[place].ImagePositionPatient[2]) for place in found.order]
    assert heights == sorted(heights, reverse=True), "from head to feet"
    drawn = draw_chest(3, nodule=True, shape=SHAPE)
    assert found.spacing == pytest.approx(drawn.spacing, abs=1e-2)
    assert found.flipped == (False, False)


def test_a_series_scanned_face_down_is_turned_round(headers: list[Dataset]) -> None:
    prone = copies(headers)
    for header in prone:
        header.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    found = arrange(prone, min_slices=16)
    assert found.flipped == (True, True)
    pixels = np.arange(12).reshape(3, 4)
    assert (found.upright(pixels) == pixels[::-1, ::-1]).all()


def drop(headers: list[Dataset]) -> None:
    del headers[9]


def double(headers: list[Dataset]) -> None:
    headers[5].ImagePositionPatient = headers[4].ImagePositionPatient


def lose_place(headers: list[Dataset]) -> None:
    del headers[5].ImagePositionPatient


def spoil_place(headers: list[Dataset]) -> None:
    headers[5].ImagePositionPatient = [0.0, 0.0, float("nan")]


def stand_up(headers: list[Dataset]) -> None:
    for header in headers:
        header.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]


def shrink(headers: list[Dataset]) -> None:
    headers[5].Rows = 16


def leave_space(headers: list[Dataset]) -> None:
    headers[5].FrameOfReferenceUID = "2.25.1"


def cut(headers: list[Dataset]) -> None:
    del headers[10:]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (drop, "slices_missing"),
        (double, "slices_twice"),
        (lose_place, "no_positions"),
        (spoil_place, "no_positions"),
        (stand_up, "not_transverse"),
        (shrink, "slices_differ"),
        (leave_space, "slices_differ"),
        (cut, "too_few_slices"),
    ],
)
def test_what_is_no_volume_is_refused_with_the_reason(
    headers: list[Dataset], spoil: Callable[[list[Dataset]], None], code: str
) -> None:
    spoiled = copies(headers)
    spoil(spoiled)
    with pytest.raises(NotAVolume) as refusal:
        arrange(spoiled, min_slices=16)
    assert refusal.value.code == code


def test_drawn_chests_are_the_same_each_time_and_know_where_the_nodule_is() -> None:
    one, again = (draw_chest(5, nodule=True, shape=(24, 64, 64)) for _ in range(2))
    assert (one.voxels == again.voxels).all()
    assert one.nodule.any() and not draw_chest(5, nodule=False, shape=(24, 64, 64)).nodule.any()
    assert one.voxels[one.nodule].mean() > -200
