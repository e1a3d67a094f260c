"""Frames as pictures: the transformations of PS3.3 and the parameters of PS3.18 section 8.3.5."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from apps.imaging.dicom.parser import Unreadable, open_object
from apps.imaging.dicom.render import apply_window, encode_picture, render_frame
from apps.imaging.dicom.render_options import (
    BadParameter,
    Viewport,
    Window,
    parse_quality,
    parse_viewport,
    parse_window,
)
from apps.imaging.dicom.transcode import PIXEL_DATA
from tests.conftest import SHARED
from tests.imaging.real_files import paths
from tests.imaging.test_transcode import header_for

RAMP = np.arange(0, 4096, 16, dtype=np.int16).reshape(16, 16)


def picture(array: np.ndarray[Any, Any], header: Dataset | None = None, **options: Any) -> np.ndarray[Any, Any]:
    header = header if header is not None else header_for(array)
    tag = {"f4": Tag(0x7FE00008), "f8": Tag(0x7FE00009)}.get(array.dtype.str[1:], PIXEL_DATA)
    drawn = render_frame(header, array.tobytes(), transfer_syntax=ExplicitVRLittleEndian, pixel_tag=tag, **options)
    return np.asarray(drawn)


def test_every_real_image_is_drawn() -> None:
    drawn = 0
    for path in paths():
        with path.open("rb") as stream:
            try:
                dicom = open_object(stream)
                frame = next(dicom.iter_frames())
            except (Unreadable, StopIteration):
                continue
        try:
            image = render_frame(
                dicom.header,
                frame,
                transfer_syntax=dicom.transfer_syntax,
                pixel_tag=dicom.pixel_tag,
                viewport=Viewport(64, 64),
                overlays=True,
            )
        except Unreadable as refusal:
            assert refusal.code == "bad_dimensions", path.name  # the code stream contradicts the header
            continue
        assert image.mode in ("L", "RGB") and max(image.size) == 64, path.name
        drawn += 1
    assert drawn > 100


@pytest.mark.parametrize(
    ("case", "left", "right"),
    [
        ("mono1_no_window", "white", "black"),
        ("voi_lut_sequence", "white", "black"),
        ("palette_16", "red", "lime"),
        ("ybr_full_422_native", "red", "blue"),
    ],
)
def test_reported_cases(case: str, left: str, right: str) -> None:
    folder = SHARED.parent / "cases" / "dicom" / case
    if not folder.is_dir():
        pytest.skip("the cases lie beside the project")
    (path,) = (file for file in folder.iterdir() if file.suffix == ".dcm")
    dicom = open_object(io.BytesIO(path.read_bytes()))
    image = render_frame(
        dicom.header, next(dicom.iter_frames()), transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag
    ).convert("RGB")
    for column, colour in ((0, left), (image.width - 1, right)):
        expected = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        found = image.getpixel((column, image.height // 2))
        assert isinstance(expected, tuple) and isinstance(found, tuple)
        assert max(abs(a - b) for a, b in zip(expected, found, strict=True)) <= 6


@pytest.mark.parametrize(
    ("window", "value", "share"),
    [
        (Window(2048, 4096), 0, 0.0),
        (Window(2048, 4096), 4095, 1.0),
        (Window(0, 100), -50, 0.0),
        (Window(0, 100), 49, 1.0),
        (Window(0, 100, "LINEAR_EXACT"), 0, 0.5),
        (Window(0, 100, "LINEAR_EXACT"), 25, 0.75),
        (Window(0, 100, "SIGMOID"), 0, 0.5),
        (Window(0, 100, "SIGMOID"), 25, 1 / (1 + np.exp(-1))),
        (Window(127, 1), 126, 0.0),
        (Window(127, 1), 127, 1.0),
    ],
)
def test_windows_follow_the_standard(window: Window, value: float, share: float) -> None:
    assert apply_window(np.array([value], np.float32), window)[0] == pytest.approx(share, abs=1e-5)


def test_the_window_of_the_object_and_of_the_request() -> None:
    header = header_for(RAMP, WindowCenter=[1024, 0], WindowWidth=[2048, 1], RescaleSlope=1, RescaleIntercept=-1024)
    drawn = picture(RAMP, header)
    assert drawn[0, 0] == 0 and drawn[-1, -1] == 255 and 120 <= drawn.flat[np.abs(RAMP - 2048).argmin()] <= 135
    asked = picture(RAMP, header, window=Window(-1000, 20))
    assert asked.flat[0] == 0 and asked.flat[3] == 255


def test_a_window_of_functional_groups_is_used_for_its_frame() -> None:
    header = header_for(RAMP)
    frames = []
    for center in (0, 4000):
        window, groups = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 2
        groups.FrameVOILUTSequence = [window]
        frames.append(groups)
    header.PerFrameFunctionalGroupsSequence = frames
    assert picture(RAMP, header, number=1).mean() > 250
    assert picture(RAMP, header, number=2).mean() < 10


@pytest.mark.parametrize("width", [0, -5, "", "x"])
def test_an_invalid_window_gives_way_to_an_automatic_one(width: Any) -> None:
    header = header_for(RAMP)
    header.WindowCenter = 5
    if width != "x":
        header.WindowWidth = width
    drawn = picture(RAMP, header)
    assert drawn.min() == 0 and drawn.max() == 255


def test_padding_does_not_spoil_the_automatic_window() -> None:
    array = RAMP.copy()
    array[0] = -2000
    header = header_for(array, PixelPaddingValue=-2000)
    drawn = picture(array, header)
    assert (drawn[0] == 0).all() and drawn[1, 0] < 5 and drawn[-1, -1] == 255
    header.PhotometricInterpretation = "MONOCHROME1"
    inverted = picture(array, header)
    assert (inverted[0] == 0).all() and inverted[1, 0] > 250 and inverted[-1, -1] == 0
    assert picture(np.full((4, 4), -2000, np.int16), header_for(array[:4, :4], PixelPaddingValue=-2000)).max() > 0


def test_numbers_that_are_none_are_black() -> None:
    array = np.array([[np.nan, np.inf], [1.0, 3.0]], np.float32)
    assert picture(array).tolist() == [[0, 0], [0, 255]]


def test_a_float_window_of_width_one_is_no_threshold() -> None:
    array = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    assert picture(array, header_for(array, WindowCenter=0.5, WindowWidth=1)).tolist() == [[0, 64], [128, 255]]


def test_unsigned_bytes_are_shown_as_they_are() -> None:
    array = np.array([[10, 20], [30, 40]], np.uint8)
    assert picture(array).tolist() == array.tolist()
    assert picture(array, header_for(array, SegmentationType="LABELMAP")).max() == 255


def test_a_lookup_table_goes_before_the_window() -> None:
    array = np.array([[0, 1], [2, 3]], np.uint16)
    header = header_for(array, WindowCenter=1, WindowWidth=1)
    table = Dataset()
    table.LUTDescriptor = [4, 0, 12]
    table.add_new(0x00283006, "OW", np.array([4095, 2048, 1024, 0], "<u2").tobytes())
    header.VOILUTSequence = [table]
    header.set_original_encoding(False, True)
    assert picture(array, header).tolist() == [[255, 128], [64, 0]]


@pytest.mark.parametrize(
    ("bits", "vr", "entries"), [(8, "OW", b"\x00\xff"), (16, "OW", b"\x00\x00\x00\xff"), (16, "US", [0, 0xFF00])]
)
def test_palettes_of_eight_and_sixteen_bits(bits: int, vr: str, entries: Any) -> None:
    array = np.array([[0, 1]], np.uint8)
    header = header_for(array, "PALETTE COLOR")
    for colour in range(3):
        header.add_new(0x00281101 + colour, "US", [2, 0, bits])
        header.add_new(0x00281201 + colour, vr, entries)
    assert picture(array, header).tolist() == [[[0, 0, 0], [255, 255, 255]]]
    del header[0x00281201]
    with pytest.raises(Unreadable) as refusal:
        picture(array, header)
    assert refusal.value.code == "bad_palette"


def test_four_samples_are_not_drawn_in_wrong_colours() -> None:
    array = np.zeros((4, 4, 4), np.uint8)
    with pytest.raises(Unreadable):
        picture(array, header_for(array, "ARGB"))


def test_sixteen_bit_colour_keeps_its_upper_bits() -> None:
    array = np.array([[[65535, 256, 255]]], np.uint16)
    assert picture(array).tolist() == [[[255, 1, 0]]]


def test_overlays_are_drawn_where_they_lie() -> None:
    array = np.zeros((4, 4), np.uint8)
    header = header_for(array)
    header.add_new(0x60000010, "US", 2)
    header.add_new(0x60000011, "US", 8)
    header.add_new(0x60000050, "SS", [2, 0])
    header.add_new(0x60000100, "US", 1)
    header.add_new(0x60003000, "OW", b"\x02\x80")
    drawn = picture(array, header, overlays=True)
    assert np.argwhere(drawn == 255).tolist() == [[1, 0]]
    assert picture(array, header).max() == 0


@pytest.mark.parametrize(("keyword", "value"), [("PixelAspectRatio", [2, 1]), ("PixelSpacing", [1.0, 0.5])])
def test_pixels_are_drawn_square(keyword: str, value: Any) -> None:
    array = np.zeros((8, 8), np.uint8)
    assert picture(array, header_for(array, **{keyword: value})).shape == (16, 8)
    assert picture(array, header_for(array, **{keyword: value}), viewport=Viewport(4, 4)).shape == (4, 2)
    assert picture(array, header_for(array, **{keyword: value[::-1]})).shape == (8, 16)


def test_viewports_scale_cut_and_flip() -> None:
    array = np.zeros((4, 8), np.uint8)
    array[:2, :4] = 255
    assert picture(array, viewport=Viewport(16, 16)).shape == (8, 16)
    assert (picture(array, viewport=Viewport(4, 2, 0, 0, 4, 2)) == 255).all()
    assert (picture(array, viewport=Viewport(4, 2, 4, 2, 4, 2)) == 0).all()
    flipped = picture(array, viewport=Viewport(8, 4, 0, 0, -8, -4))
    assert np.array_equal(flipped, array[::-1, ::-1])
    part = picture(array, viewport=Viewport(4, 2, 0, 0, -4, 2))
    assert (part == 255).all()
    assert picture(array, viewport=Viewport(5, 5, 100, 100, 900, 900)).shape == (5, 5)


def test_pictures_are_encoded() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8))
    coarse, fine = (encode_picture([image], "image/jpeg", quality=quality) for quality in (5, 95))
    assert len(coarse) < len(fine)
    with Image.open(io.BytesIO(encode_picture([image], "image/png"))) as png:
        assert np.array_equal(np.asarray(png), np.asarray(image))
    header = Dataset()
    header.FrameTime = "50"
    other = Image.new("L", (32, 32), 200)
    with Image.open(io.BytesIO(encode_picture([image, other], "image/gif", header=header))) as gif:
        assert getattr(gif, "n_frames", 0) == 2 and gif.info["duration"] == 50
    for pictures, kind in (([image, other], "image/jpeg"), ([image], "image/webp"), ([], "image/png")):
        with pytest.raises(ValueError):
            encode_picture(pictures, kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40,400,linear", Window(40, 400)),
        ("-600, 1500.5 ,LINEAR", Window(-600, 1500.5)),
        ("0.5,0.2,linear-exact", Window(0.5, 0.2, "LINEAR_EXACT")),
        ("1,2,SIGMOID", Window(1, 2, "SIGMOID")),
        ("1,2,LINEAR_EXACT", Window(1, 2, "LINEAR_EXACT")),
        ("40,400", Window(40, 400)),
    ],
)
def test_window_parameters(text: str, expected: Window) -> None:
    assert parse_window(text) == expected


@pytest.mark.parametrize("text", ["", "40", "40,0,linear", "40,-1", "a,b", "nan,1", "1,inf", "40,400,cubic", "1,2,3,4"])
def test_wrong_window_parameters(text: str) -> None:
    with pytest.raises(BadParameter) as refusal:
        parse_window(text)
    assert refusal.value.parameter == "window"


def test_viewport_parameters() -> None:
    assert parse_viewport("512,256") == Viewport(512, 256)
    assert parse_viewport("512,256,,,-100,") == Viewport(512, 256, 0.0, 0.0, -100.0, None)
    assert parse_viewport("9,9,1.5,2,3,4") == Viewport(9, 9, 1.5, 2.0, 3.0, 4.0)
    for text in ("", "1", "0,5", "5,99999", "1.5,2", "1,2,3", "1,2,-1,0,5,5", "1,2,0,0,0,5", "x,y", "1_0,10"):
        with pytest.raises(BadParameter):
            parse_viewport(text)


def test_quality_parameters() -> None:
    assert [parse_quality(text) for text in ("1", "75", "100")] == [1, 75, 100]
    for text in ("0", "101", "-1", "", "7.5", "٣", "best"):
        with pytest.raises(BadParameter):
            parse_quality(text)


@given(st.text(max_size=40))
def test_no_parameter_raises_anything_else(text: str) -> None:
    for parse in (parse_window, parse_viewport, parse_quality):
        try:
            parse(text)
        except BadParameter as refusal:
            assert refusal.parameter in ("window", "viewport", "quality") and refusal.expected


def test_a_real_ct_is_drawn_as_its_window_says() -> None:
    with open(str(get_testdata_file("CT_small.dcm")), "rb") as stream:  # noqa: PTH123
        dicom = open_object(stream)
        frame = next(dicom.iter_frames())
    image = render_frame(
        dicom.header,
        frame,
        transfer_syntax=dicom.transfer_syntax,
        pixel_tag=dicom.pixel_tag,
        window=Window(40, 400),
    )
    values = np.frombuffer(frame, "<i2").reshape(128, 128).astype(np.float64) - 1024
    expected = np.clip((values - 39.5) / 399 + 0.5, 0, 1) * 255
    assert np.abs(np.asarray(image) - expected).max() <= 0.51


def test_an_image_too_large_to_draw_is_refused() -> None:
    header = header_for(np.zeros((2, 2), np.uint8))
    header.Rows = header.Columns = 9_000
    with pytest.raises(Unreadable, match="too_large_to_draw"):
        render_frame(header, b"", transfer_syntax=ExplicitVRLittleEndian, pixel_tag=PIXEL_DATA)
