"""DICOM JSON of many instances of a series at once: elements that are alike are converted once.

Of a CT's hundred elements a slice shares all but a few with its neighbours. The bytes of an element, together with
those that decide how it is read (character set, sign of pixels, private creators), determine its JSON.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable

from apps.imaging.dicom.elements import Encoding, Scanner, Window
from apps.imaging.dicom.header import read_elements
from apps.imaging.dicom.json_model import to_json
from apps.imaging.dicom.layout import Layout

_CHARACTER_SET, _PIXEL_REPRESENTATION = 0x00080005, 0x00280103
_UTF_8 = '"00080005":{"vr":"CS","Value":["ISO_IR 192"]}'
_BASE = f"{uuid.uuid4().hex}:"
"""Stands for the instance's address in a converted element until it is put in; no text can contain it by intent."""


class JsonEncoder:
    """Encodes headers as DICOM JSON (PS3.18 annex F), as :func:`~apps.imaging.dicom.json_model.to_json` would."""

    def __init__(self) -> None:
        self._scope: list[bytes] = []
        self._known: dict[bytes, str] = {}

    def encode(self, head: bytes, layout: Layout, base: str, more: Iterable[tuple[int, dict[str, object]]]) -> bytes:
        """Encode a header.

        Args:
            head: its bytes, see :func:`~apps.imaging.dicom.parser.head_bytes`.
            base: address of the instance, to which ``/bulkdata/`` and a path are added.
            more: further attributes by tag, such as values that are not part of the header.
        """
        elements = _elements(head, layout)
        scope = [content for tag, content in elements.items() if _decides_how_others_are_read(tag)]
        if scope != self._scope:
            self._scope, self._known = scope, {}
        self._convert([content for content in elements.values() if content not in self._known], layout)
        attributes = {tag: self._known[content] for tag, content in elements.items()}
        for tag, attribute in more:
            attributes[tag] = f'"{tag:08X}":{json.dumps(attribute, separators=(",", ":"))}'
        attributes[_CHARACTER_SET] = _UTF_8
        text = "{" + ",".join(attributes[tag] for tag in sorted(attributes) if attributes[tag]) + "}"
        return text.replace(_BASE, f"{base}/bulkdata/").encode()

    def _convert(self, contents: list[bytes], layout: Layout) -> None:
        if not contents:
            return
        joined = b"".join([*self._scope, *contents])
        dataset = read_elements(joined, 0, len(joined), layout.implicit, layout.little)
        model = to_json(dataset, bulk_uri=lambda path: _BASE + path)
        order = "little" if layout.little else "big"
        for content in contents:
            group, number = (int.from_bytes(content[at : at + 2], order) for at in (0, 2))  # type: ignore[arg-type]
            name = f"{group:04X}{number:04X}"
            attribute = model.get(name)
            self._known[content] = (
                f'"{name}":{json.dumps(attribute, separators=(",", ":"), ensure_ascii=False)}' if attribute else ""
            )


def _decides_how_others_are_read(tag: int) -> bool:
    private_creator = tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    return tag in (_CHARACTER_SET, _PIXEL_REPRESENTATION) or bool(private_creator)


def _elements(head: bytes, layout: Layout) -> dict[int, bytes]:
    """Return the elements' bytes by tag, without group lengths."""
    scanner = Scanner(Window(io.BytesIO(head)), headers=len(head))
    located = scanner.elements(layout.dataset, Encoding(layout.implicit, layout.little))
    return {element.tag: head[element.start : element.end] for element in located if element.tag & 0xFFFF}
