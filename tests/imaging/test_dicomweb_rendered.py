"""Rendered resources, thumbnails and WADO-URI."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from PIL import Image
from rest_framework.test import APIClient

from apps.accounts.models import CareTeam
from apps.imaging.models import Instance
from tests.factories import film_file, take_in
from tests.imaging.test_dicomweb import frames_of
from tests.imaging.test_round_trip import path_of


@pytest.fixture
def film(team: CareTeam) -> Instance:
    instance = take_in(film_file(), team).instance
    assert instance
    return instance


@pytest.fixture
def cine(team: CareTeam) -> Instance:
    instance = take_in(path_of("pydicom:test_files/examples_ybr_color.dcm").read_bytes(), team).instance
    assert instance
    return instance


def uids(instance: Instance) -> list[str]:
    series = instance.series
    return [series.study.study_instance_uid, series.series_instance_uid, instance.sop_instance_uid]


def picture(answer: object) -> Image.Image:
    assert answer.status_code == 200, answer.content  # type: ignore[attr-defined]
    return Image.open(io.BytesIO(answer.content))  # type: ignore[attr-defined]


@pytest.mark.parametrize("accept", ["image/jpeg", "image/png", "image/gif", "*/*", "image/*"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_each_level_is_drawn(api: APIClient, film: Instance, accept: str, depth: int) -> None:
    name = ("study-rendered", "series-rendered", "instance-rendered")[depth - 1]
    answer = api.get(reverse(f"dicomweb:{name}", args=uids(film)[:depth]), HTTP_ACCEPT=accept)
    shown = picture(answer)
    assert shown.size == (256, 256)
    assert accept in (answer.headers["Content-Type"], "*/*", "image/*")


def test_parameters_change_the_picture(api: APIClient, film: Instance) -> None:
    url = reverse("dicomweb:instance-rendered", args=uids(film))
    plain, dark = api.get(url).content, api.get(url, {"window": "9000,10,linear"}).content
    assert plain != dark
    assert picture(api.get(url, {"viewport": "64,32"})).size == (32, 32)
    assert len(api.get(url, {"quality": "5"}).content) < len(plain)
    for wrong in ({"window": "a,b"}, {"viewport": "0,0"}, {"quality": "101"}, {"viewport": "1e9,1e9"}, {"window": "5"}):
        answer = api.get(url, wrong)
        assert answer.status_code == 400 and next(iter(wrong)) in answer.json()["detail"]
    assert api.get(url, HTTP_ACCEPT="text/html").status_code == 406


def test_thumbnails_are_small(api: APIClient, film: Instance) -> None:
    for depth, name in enumerate(("study-thumbnail", "series-thumbnail", "instance-thumbnail"), start=1):
        assert picture(api.get(reverse(f"dicomweb:{name}", args=uids(film)[:depth]))).size == (128, 128)


def test_frames_are_drawn_one_by_one_or_moving(api: APIClient, cine: Instance) -> None:
    one = reverse("dicomweb:frames-rendered", args=[*uids(cine), "7"])
    assert picture(api.get(one)).size == (cine.columns, cine.rows)
    several = api.get(
        reverse("dicomweb:frames-rendered", args=[*uids(cine), "7,8"]),
        HTTP_ACCEPT='multipart/related; type="image/jpeg"',
    )
    assert len(frames_of(several)) == 2
    moving = picture(api.get(reverse("dicomweb:instance-rendered", args=uids(cine)), HTTP_ACCEPT="image/gif"))
    assert getattr(moving, "n_frames", 1) > 1
    assert api.get(reverse("dicomweb:frames-rendered", args=[*uids(cine), "31"])).status_code == 404


def test_what_has_no_pixels_is_not_drawn(api: APIClient, team: CareTeam) -> None:
    instance = take_in(path_of("pydicom:test_files/rtplan.dcm").read_bytes(), team).instance
    assert instance
    answer = api.get(reverse("dicomweb:instance-rendered", args=uids(instance)))
    assert answer.status_code == 406 and "no image" in answer.json()["detail"]


def test_wado_uri_gives_pictures_and_files(api: APIClient, film: Instance) -> None:
    study, series, instance = uids(film)
    query = {"requestType": "WADO", "studyUID": study, "seriesUID": series, "objectUID": instance}
    url = reverse("dicomweb:wado-uri")
    assert picture(api.get(url, query)).format == "JPEG"
    assert picture(api.get(url, {**query, "contentType": "image/png", "frameNumber": "1"})).format == "PNG"
    file = api.get(url, {**query, "contentType": "application/dicom"})
    assert file.headers["Content-Type"].startswith("application/dicom") and b"".join(file) == film_file()
    assert api.get(url, {**query, "frameNumber": "2"}).status_code == 404
    assert api.get(url, {**query, "requestType": ""}).status_code == 400
    assert api.get(url, {"requestType": "WADO"}).status_code == 400
    assert api.get(url, {**query, "objectUID": "1.2"}).status_code == 404


def test_wado_uri_heeds_its_parameters(api: APIClient, film: Instance) -> None:
    study, series, instance = uids(film)
    query = {"requestType": "WADO", "studyUID": study, "seriesUID": series, "objectUID": instance}
    url = reverse("dicomweb:wado-uri")
    plain = api.get(url, query).content
    rs = reverse("dicomweb:instance-rendered", args=uids(film))
    dark = api.get(url, {**query, "windowCenter": "9000", "windowWidth": "10"}).content
    assert dark == api.get(rs, {"window": "9000,10,linear"}).content != plain
    assert picture(api.get(url, {**query, "rows": "32"})).size == (32, 32)
    assert picture(api.get(url, {**query, "columns": "64", "rows": "16"})).size == (16, 16)
    corner = {"region": "0.5,0.5,1,0.75"}
    assert picture(api.get(url, {**query, **corner})).size == (128, 64)
    assert api.get(url, {**query, **corner}).content == api.get(rs, {"viewport": "128,64,128,128,128,64"}).content
    assert len(api.get(url, {**query, "imageQuality": "5"}).content) < len(plain)
    for wrong in (
        {"windowCenter": "1"},
        {"windowCenter": "1", "windowWidth": "nan"},
        {"rows": "0"},
        {"columns": "-1"},
        {"region": "a"},
        {"region": "0,0,0,0"},
        {"region": "nan,0,1,1"},
        {"region": "2,2,3,3"},
        {"imageQuality": "z"},
    ):
        assert api.get(url, {**query, **wrong}).status_code == 400, wrong


@pytest.mark.parametrize("content_type", ["application/dicom", "image/jpeg"])
def test_wado_uri_never_sends_names_to_who_asks_for_none(api: APIClient, film: Instance, content_type: str) -> None:
    study, series, instance = uids(film)
    query = {"requestType": "WADO", "studyUID": study, "seriesUID": series, "objectUID": instance}
    answer = api.get(reverse("dicomweb:wado-uri"), {**query, "contentType": content_type, "anonymize": "yes"})
    assert answer.status_code == 406 and "not de-identified" in answer.json()["detail"]


def test_what_a_picture_can_be_asked_is_told(api: APIClient, film: Instance) -> None:
    assert api.options(reverse("dicomweb:instance-rendered", args=uids(film))).status_code == 200
