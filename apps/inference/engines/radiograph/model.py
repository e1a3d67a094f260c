"""Radiograph classifier, runtime ``torch-film``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import nn

from apps.inference.engines.radiograph import networks
from apps.inference.engines.radiograph.ood import OODDetector
from apps.inference.engines.radiograph.preprocessing import normalise, to_plane
from apps.inference.packages.card import Package, PackageRefused

WEIGHTS = "weights.safetensors"
GUARD = "guard.safetensors"


@dataclass(frozen=True)
class RadiographOutput:
    """Model output for a batch.

    Attributes:
        probabilities: (n, labels), calibrated, in the order of the card's labels.
        novelty: (n,) out-of-distribution score in the package's own unit; zeros without a detector.
    """

    probabilities: npt.NDArray[np.float64]
    novelty: npt.NDArray[np.float64]


class RadiographModel:
    """A loaded radiograph package.

    Raises:
        PackageRefused: if the weights do not match the architecture.
    """

    layout = torch.channels_last
    """Memory format in which the convolutions are fastest."""

    def __init__(self, package: Package, device: str | None = None) -> None:
        self.package = package
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        card = package.card
        self.network = _load_network(package).to(self.device).eval()
        self.network.to(memory_format=self.layout)  # type: ignore[call-overload]
        self._temperature = float(card["calibration"]["temperature"])
        self._bias = torch.tensor(card["calibration"]["bias"], dtype=torch.float64, device=self.device)
        self._guard = _load_guard(package) if "novelty" in card else None
        self._labels = [list(label.outputs) for label in package.labels]

    def prepare(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Preprocess an image (rows, columns; larger = brighter) to the model's plane (size, size)."""
        return to_plane(pixels, size=self.package.size)

    def run(self, planes: npt.NDArray[np.generic]) -> RadiographOutput:
        """Assess planes, (n, size, size) grey levels 0..255."""
        novelty = self._guard.novelty(planes) if self._guard else np.zeros(len(planes))
        return RadiographOutput(self.probabilities(planes), novelty)

    def probabilities(self, planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities (n, labels), without the novelty score."""
        with torch.inference_mode():
            return self.answer(torch.from_numpy(np.ascontiguousarray(planes)).to(self.device)).cpu().numpy()

    def answer(self, planes: torch.Tensor) -> torch.Tensor:
        """The explained function: grey levels (n, size, size) to probabilities (n, labels).

        Stays on the device and is differentiable.
        """
        outputs = self.class_log_probabilities(planes).exp()
        return torch.stack([outputs[:, columns].sum(dim=1) for columns in self._labels], dim=1)

    def embed(self, planes: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Embeddings (n, features) from the last layer before the classifier; similar images are close."""
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(planes)).to(self.device)
            network: Any = self.network
            features = network.features(self.inputs(batch))
            return np.asarray(features.mean(dim=(2, 3)).float().cpu().numpy())

    def inputs(self, planes: torch.Tensor) -> torch.Tensor:
        """Network inputs (n, 1, size, size) from grey levels (n, size, size)."""
        return normalise(planes).contiguous(memory_format=self.layout)

    def class_log_probabilities(self, planes: torch.Tensor) -> torch.Tensor:
        """Log of the calibrated probabilities of the network's own classes, (n, classes), float64."""
        return torch.log_softmax(self.network(self.inputs(planes)).double() / self._temperature + self._bias, dim=1)


def _load_guard(package: Package) -> OODDetector:
    try:
        stored = load_file(package.folder / GUARD)
        return OODDetector(stored["mean"].double().numpy(), stored["components"].double().numpy())
    except (KeyError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: {GUARD} is not a guard") from error


def _load_network(package: Package) -> nn.Module:
    classes = len(package.card["calibration"]["bias"])
    try:
        network = networks.build(package.card["architecture"], outputs=classes)
        network.load_state_dict(load_file(package.folder / WEIGHTS))
    except (KeyError, RuntimeError, OSError) as error:
        raise PackageRefused(f"{package.name} {package.version}: weights and architecture do not fit") from error
    folded = networks.fold_batch_norms(network.eval()).requires_grad_(False)
    return folded
