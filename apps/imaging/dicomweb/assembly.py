"""STOW-RS of metadata and bulk data: assembling DICOM files from their parts (PS3.18 section 10.5.1.2)."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from apps.imaging.dicom.json_model import from_json, load_json
from apps.imaging.dicom.model_elements import InvalidModel
from apps.imaging.dicom.multipart import IN_MEMORY, Part
from apps.imaging.dicom.negotiation import COMPRESSED_MEDIA_TYPES, XML
from apps.imaging.dicom.xml_model import from_xml

MAX_METADATA_BYTES = 64 * 2**20
_XML_TYPES = frozenset({XML, "text/xml", "application/xml"})
_PIXEL_DATA = Tag(0x7FE00010)


def assemble(first: Part, others: Iterator[Part]) -> Iterator[Part]:
    """Yield a DICOM file for each data set of the metadata, with the bulk data that it refers to.

    Args:
        first: the first part, whose media type is one of metadata.
        others: the parts that follow; JSON comes in one part, XML in a part for each instance.

    Raises:
        InvalidModel: if the metadata are no valid model or refer to bulk data that were not sent.
    """
    metadata, bulk = [first], {}
    for part in others:
        if part.media_type == first.media_type:
            metadata.append(part)
        else:
            bulk[part.headers.get("content-location", "")] = part
    for part in metadata:
        with part:
            content = part.content.read(MAX_METADATA_BYTES + 1)
        if len(content) > MAX_METADATA_BYTES:
            raise InvalidModel("too_large", "")
        yield from (_file(dataset, sources) for dataset, sources in _datasets(part.media_type, content, bulk))
    for part in bulk.values():
        part.content.close()


def _datasets(media_type: str, content: bytes, bulk: dict[str, Part]) -> Iterator[tuple[Dataset, dict[str, Part]]]:
    """Yield each data set, and the parts it refers to by their addresses."""
    models = [content] if media_type in _XML_TYPES else load_json(content)
    for model in models if isinstance(models, list) else [models]:
        sources: dict[str, Part] = {}

        def fetch(uri: str, sources: dict[str, Part] = sources) -> bytes:
            sources[uri] = bulk[uri]
            bulk[uri].content.seek(0)
            return bulk[uri].content.read()

        convert = from_xml if media_type in _XML_TYPES else from_json
        yield convert(model, bulk=fetch), sources


def _file(dataset: Dataset, sources: dict[str, Part]) -> Part:
    """Write a DICOM file (PS3.10); compressed pixels keep the form in which they were sent."""
    syntax = _syntax(sources)
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        if not dataset.get(keyword):
            raise InvalidModel("missing_uid", keyword)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        dataset.get("SOPClassUID"),
        dataset.get("SOPInstanceUID"),
    )
    meta.TransferSyntaxUID = syntax
    for tag in [tag for tag in dataset.keys() if tag.group == 2]:  # noqa: SIM118
        del dataset[tag]
    if syntax.is_compressed and _PIXEL_DATA in dataset:
        dataset.add_new(_PIXEL_DATA, "OB", encapsulate([bytes(dataset[_PIXEL_DATA].value)]))
        dataset[_PIXEL_DATA].is_undefined_length = True
    dataset.file_meta = meta
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, implicit_vr=False, little_endian=True, enforce_file_format=True)
    file.write(buffer.getbuffer())
    return Part(file)


def _syntax(sources: dict[str, Part]) -> UID:
    """Return the transfer syntax of the bulk data: that of its part, else its media type's default."""
    for part in sources.values():
        if part.media_type in COMPRESSED_MEDIA_TYPES:
            return UID(part.parameter("transfer-syntax") or COMPRESSED_MEDIA_TYPES[part.media_type][0])
    return ExplicitVRLittleEndian
