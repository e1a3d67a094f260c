"""A series as the volume that a volume package reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.imaging.dicom.volumes import NotAVolume
from apps.imaging.models import Instance, Series
from apps.imaging.queries import volume_of
from apps.inference.engines.input_checks import InputRejected, check_extent
from apps.inference.engines.volume.resampling import shrunk
from apps.inference.packages.card import Package


@dataclass(frozen=True)
class ReadVolume:
    """A volume that was read.

    Attributes:
        pixels: (slices, rows, columns) in the measured unit, rows and columns already those of the package's box.
        geometry: how it lies in space, as JSON: ``slices`` (SOP Instance UIDs from head to feet), ``extent`` (slices,
            rows and columns in mm), ``flipped`` (rows, columns).
        instance: the slice in the middle; findings of the volume are filed under it.
    """

    pixels: npt.NDArray[np.float32]
    geometry: dict[str, Any]
    instance: Instance


def read_volume(series: Series, package: Package) -> ReadVolume:
    """Read a series slice by slice.

    Raises:
        InputRejected: if its slices make no volume, or one of another length than the package was made for.
        Unreadable: if a slice does not decode.
    """
    declared = package.card["input"]
    try:
        volume = volume_of(series, min_slices=declared.get("minimum_slices", 2))
    except NotAVolume as problem:
        raise InputRejected(problem.code, **problem.parameters) from problem
    arranged, middle = volume.arrangement, volume.instances[len(volume.instances) // 2]
    numbers = (len(volume.instances), middle.rows, middle.columns)
    extent = [round(step * number, 3) for step, number in zip(arranged.spacing, numbers, strict=True)]
    check_extent(declared, extent[0])
    geometry = {
        "slices": [instance.sop_instance_uid for instance in volume.instances],
        "extent": extent,
        "flipped": list(arranged.flipped),
    }
    return ReadVolume(shrunk(volume.slices(), shape=package.shape), geometry, middle)
