"""Shared queries on studies and pixel data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import Manager, QuerySet
from pydicom import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from apps.accounts.actors import Actor
from apps.imaging.access import visible_to
from apps.imaging.dicom import pixels
from apps.imaging.dicom.layout import Layout
from apps.imaging.dicom.parser import DicomObject, inflated, open_stored
from apps.imaging.dicom.pixel_layout import LIMITS
from apps.imaging.dicom.volumes import Arrangement, arrange
from apps.imaging.models import Instance, Series, Study
from apps.patients.queries import found_by
from apps.protection import containers


@dataclass(frozen=True)
class GreyFrame:
    """A decoded greyscale frame, ready for a model."""

    instance: Instance
    number: int
    pixels: pixels.Pixels
    header: Dataset


@dataclass(frozen=True)
class Volume:
    """The slices of a series in spatial order, from head to feet; pixels are read one slice at a time.

    Attributes:
        instances: in slice order.
    """

    instances: list[Instance]
    arrangement: Arrangement
    _headers: list[Dataset]

    def slices(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield slices, (rows, columns) in measured units, front to back and from the patient's right to the left.

        Raises:
            Unreadable: if a slice cannot be decoded or is in colour.
        """
        for instance, header in zip(self.instances, self._headers, strict=True):
            values = pixels.measured_frame(
                header,
                frame_bytes(instance, 1),
                transfer_syntax=UID(instance.transfer_syntax_uid),
                pixel_tag=Tag(instance.pixel_tag),
            )
            yield np.asarray(self.arrangement.upright(values), dtype=np.float32)


def volume_of(series: Series, *, min_slices: int) -> Volume:
    """Arrange a series as a volume of at least ``min_slices`` slices.

    Raises:
        NotAVolume: with the reason, if its slices do not form one.
    """
    instances = list(drawable(series.instances).select_related("series__study"))
    headers = [header_of(instance) for instance in instances]
    arrangement = arrange(headers, min_slices=min_slices)
    return Volume(
        [instances[index] for index in arrangement.order],
        arrangement,
        [headers[index] for index in arrangement.order],
    )


def drawable(instances: QuerySet[Instance] | Manager[Instance]) -> QuerySet[Instance]:
    """Return the instances that are images with frames to show."""
    return instances.filter(frames__gt=0)


def open_file(instance: Instance) -> containers.SealedContainer:
    """Open the file as received; the caller closes it.

    Raises:
        FileNotFoundError: if it is lost.
        CannotOpen: if the key is missing or the file was damaged.
    """
    return containers.SealedContainer(instance.blob, holder=instance.key_holder)


def layout_of(file: containers.SealedContainer) -> Layout:
    """Return where the parts of a stored file lie."""
    return Layout.from_bytes(file.index)


@contextmanager
def open_instance(instance: Instance) -> Iterator[DicomObject]:
    """Open an instance: header, layout and frames."""
    with open_file(instance) as file:
        yield open_stored(file.as_file(), layout_of(file))


def header_of(instance: Instance) -> Dataset:
    """Read the instance's data set without pixel data and other large values."""
    with open_instance(instance) as dicom:
        return dicom.header


def frame_bytes(instance: Instance, number: int) -> bytes:
    """Read one frame as stored; frames are numbered from 1.

    Raises:
        IndexError: if there is no such frame.
    """
    return next(frames_of(instance, [number]))


def frames_of(instance: Instance, numbers: Sequence[int]) -> Iterator[bytes]:
    """Yield frames as stored, in the order of ``numbers``, from 1.

    Raises:
        IndexError: if there is no such frame.
    """
    with open_file(instance) as file:
        layout = layout_of(file)
        stream = inflated(file.as_file(), layout, LIMITS)
        for number in numbers:
            yield layout.frame(stream, number)


def grey_frame(instance: Instance, number: int = 1) -> GreyFrame:
    """Decode one greyscale frame for display, larger = brighter.

    Raises:
        Unreadable: if it cannot be decoded or is in colour.
    """
    with open_instance(instance) as dicom:
        dicom.require_frames()
        frame = dicom.layout.frame(dicom.stream, number)
        values = pixels.grey_frame(
            dicom.header, frame, transfer_syntax=dicom.transfer_syntax, pixel_tag=dicom.pixel_tag
        )
        return GreyFrame(instance, number, values, dicom.header)


def studies(actor: Actor | None, *, search: str = "") -> QuerySet[Study]:
    """Return the actor's worklist, most urgent and newest first; ``search`` is an MRN or words of a name."""
    rows = visible_to(actor).select_related("patient").order_by("-urgency", "-received_at", "-id")
    return rows.filter(patient__in=found_by(search)) if search.strip() else rows
