"""Retrieve Capabilities: the description says what the addresses really answer."""

from __future__ import annotations

from defusedxml.ElementTree import fromstring
from rest_framework.test import APIClient

from apps.imaging.dicom.query_attributes import ATTRIBUTES, Level
from apps.imaging.dicomweb.capabilities import described, routes
from tests.factories import related
from tests.imaging.test_search import CT, file_of

WADL = "{http://wadl.dev.java.net/2009/02}"


def test_the_description_is_wadl_by_get_and_by_options(api: APIClient) -> None:
    answer = api.options("/dicom-web/")
    assert answer.headers["Content-Type"] == "application/vnd.sun.wadl+xml"
    assert api.get("/dicom-web/").content == answer.content
    resources = fromstring(answer.content).find(f"{WADL}resources")
    assert resources is not None and resources.get("base") == "http://testserver/dicom-web/"
    methods = {method.get("id"): method for method in resources.iter(f"{WADL}method")}
    keys = {parameter.get("name") for parameter in methods["SearchForStudies"].iter(f"{WADL}param")}
    assert {"PatientName", "00100010", "limit", "fuzzymatching"} <= keys
    assert "SeriesInstanceUID" not in keys
    searchable = {item.path for item in ATTRIBUTES if item.searchable}
    series = {parameter.get("name") for parameter in methods["SearchForSeries"].iter(f"{WADL}param")}
    assert {path for path in searchable if "Sequence" in path} <= series
    assert "SOPInstanceUID" in {p.get("name") for p in methods["SearchForInstances"].iter(f"{WADL}param")}
    assert all(Level.STUDY <= item.level <= Level.INSTANCE for item in ATTRIBUTES)


def test_json_is_sent_if_preferred(api: APIClient) -> None:
    for accept, kind in (
        ("application/json", "application/json"),
        ("application/json;q=0.1, application/vnd.sun.wadl+xml", "application/vnd.sun.wadl+xml"),
        ("*/*", "application/vnd.sun.wadl+xml"),
    ):
        answer = api.get("/dicom-web/", headers={"accept": accept})
        assert answer.headers["Content-Type"] == kind
    model = api.get("/dicom-web/", headers={"accept": "application/json"}).json()
    assert len(model["application"]["resources"]["resource"]) == len(routes()) - 1
    assert api.get("/dicom-web/", headers={"accept": "text/html"}).status_code == 406
    assert APIClient().get("/dicom-web/").status_code == 401


def test_every_method_described_is_answered_and_no_other(api: APIClient) -> None:
    body, content_type = related(file_of("1", "1", "1", SOPClassUID=CT))
    api.post("/dicom-web/studies", data=body, content_type=content_type)
    names = {"study": "1.1", "series": "1.1.1", "instance": "1.1.1.1", "frames": "1", "path": "00100010"}
    for resource in described():
        path = "/dicom-web/" + resource["path"].format(**names)
        methods = {method["name"] for method in resource["method"]}
        assert methods, path
        for method in ("GET", "POST", "PUT"):
            status = api.generic(method, path, content_type="text/plain").status_code
            assert (status == 405) == (method not in methods), (method, path, status)
