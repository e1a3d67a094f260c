"""A GRU over hours with missingness masks: the risk after each hour of a stay.

Missing values decay from the last observation towards the mean at a learned rate per variable (the input decay of
GRU-D; Che et al., Scientific Reports 8, 2018); the masks are further inputs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from apps.inference.engines.icu_timeseries.features import Grid


class Course(nn.Module):
    """Standardised values (stays, hours, variables) to log-odds (stays, hours)."""

    def __init__(self, variables: int, statics: int, hidden: int = 64, dropout: float = 0.3) -> None:
        super().__init__()
        self.decay = nn.Parameter(torch.full((variables,), -2.0))
        self.ground = nn.Parameter(torch.zeros(variables))
        self.cell = nn.GRU(3 * variables + 2 * statics, hidden, batch_first=True)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1))

    def forward(
        self, last: torch.Tensor, seen: torch.Tensor, since: torch.Tensor, static: torch.Tensor
    ) -> torch.Tensor:
        """Compute log-odds.

        Args:
            last: (stays, hours, variables) newest value, 0 if none.
            seen: same shape, 1 if measured in the hour.
            since: same shape, time since the last measurement in units of 8 hours.
            static: (stays, 2 × statics) values and their mask.
        """
        decayed = torch.exp(-torch.relu(self.ground + nn.functional.softplus(self.decay) * since))
        now = seen * last + (1 - seen) * decayed * last
        beside = static.unsqueeze(1).expand(-1, last.shape[1], -1)
        states, _ = self.cell(self.drop(torch.cat([now, seen, decayed, beside], dim=2)))
        return torch.as_tensor(self.head(self.drop(states)).squeeze(2))


def standardised(
    grid: Grid, centre: npt.NDArray[np.floating], scale: npt.NDArray[np.floating]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Standardise a grid into the inputs of :class:`Course`.

    Args:
        centre, scale: (variables + statics,) mean and standard deviation in the training data.
    """
    width = grid.mean.shape[2]
    values = np.clip((grid.mean - centre[:width]) / scale[:width], -6, 6)
    seen = np.isfinite(values)
    hours = np.arange(values.shape[1])[None, :, None]
    newest = np.maximum.accumulate(np.where(seen, hours, -1), axis=1)
    last = np.take_along_axis(np.nan_to_num(values), np.maximum(newest, 0), axis=1)
    since = np.where(newest < 0, 48, hours - newest)
    static = np.clip((grid.static - centre[width:]) / scale[width:], -6, 6)
    known = np.isfinite(static)
    beside = np.concatenate([np.nan_to_num(static), known], axis=1)
    arrays = (np.where(newest < 0, 0, last), seen, since / 8, beside)
    first, second, third, fourth = (torch.from_numpy(array.astype(np.float32)) for array in arrays)
    return first, second, third, fourth
