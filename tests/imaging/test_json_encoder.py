"""Encoding many headers at once gives what converting each gives."""

from __future__ import annotations

import json

from apps.imaging.dicom.json_encoder import JsonEncoder
from apps.imaging.dicom.json_model import to_json
from apps.imaging.dicom.parser import Unreadable, head_bytes, open_object
from tests.imaging.test_round_trip import FILES, path_of


def test_every_header_is_encoded_as_it_is_converted() -> None:
    """One encoder for all files, in any order: what it remembers of one must not leak into another."""
    encoder, count = JsonEncoder(), 0
    for name in [*FILES, *reversed(FILES)]:
        with path_of(name).open("rb") as stream:
            try:
                dicom = open_object(stream)
            except Unreadable:
                continue
            content = encoder.encode(head_bytes(dicom.stream, dicom.layout), dicom.layout, "/here", [])
        assert json.loads(content) == to_json(dicom.header, bulk_uri=lambda path: f"/here/bulkdata/{path}"), name
        count += 1
    assert count > 200


def test_further_attributes_are_put_in_their_place() -> None:
    with path_of("pydicom:test_files/CT_small.dcm").open("rb") as stream:
        dicom = open_object(stream)
        content = JsonEncoder().encode(
            head_bytes(stream, dicom.layout), dicom.layout, "", [(0x00083002, {"vr": "UI", "Value": ["1.2"]})]
        )
    names = list(json.loads(content))
    assert names == sorted(names) and "00083002" in names
