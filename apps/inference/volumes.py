"""Reading a series as input of a volume package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from apps.imaging.dicom.volumes import NotAVolume
from apps.imaging.models import Instance, Series
from apps.imaging.queries import volume_of
from apps.inference.engines.input_checks import InputRejected, check_extent
from apps.inference.engines.volume.resampling import shrink_slices
from apps.inference.packages.card import Package


@dataclass(frozen=True)
class ReadVolume:
    """A volume read from a series.

    Attributes:
        pixels: (slices, rows, columns) in the measured unit; rows and columns are those of the package's box.
        geometry: spatial arrangement as JSON: ``slices`` (SOP Instance UIDs from head to feet), ``extent`` (slices,
            rows and columns in mm), ``flipped`` (rows, columns).
        instance: the middle slice, under which the volume's findings are filed.
    """

    pixels: npt.NDArray[np.float32]
    geometry: dict[str, Any]
    instance: Instance


def read_volume(series: Series, package: Package) -> ReadVolume:
    """Read a series slice by slice.

    Raises:
        InputRejected: if the slices do not form a volume, or its length is outside the package's range.
        Unreadable: if a slice cannot be decoded.
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
    return ReadVolume(shrink_slices(volume.slices(), shape=package.shape), geometry, middle)
