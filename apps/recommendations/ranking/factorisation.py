"""Matrix factorisation by alternating least squares.

Minimises, over U (users × factors) and V (items × factors),

    ½ Σ w_ui (r_ui - u_u · v_i)² + λ (‖U‖² + ‖V‖²)

Entries that are stored have their own weight w and value r; all others have value 0 and the weight ``unobserved``.
With w = 1 and ``unobserved`` = 1 that is min ½‖R - UVᵀ‖² + λ(‖U‖² + ‖V‖²); with w = confidence and r in {0, 1} it is
Hu, Koren and Volinsky's factorisation of implicit feedback (ICDM 2008); with ``unobserved`` = 0 only stored entries
count.

A half-sweep solves one small system a row. Rows of about equal length are solved together: their partners' factors are
gathered into one block, and torch multiplies and solves the block at once, on a GPU where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

Array = npt.NDArray[np.floating]
BLOCK = 2**23
"""Numbers of a gathered block: 32 MiB of float32."""


@dataclass(frozen=True)
class Problem:
    """What is factorised.

    Attributes:
        values, weights: (users, items) with the same stored entries.
        unobserved: weight of all other entries, whose value is 0.
        regularisation: λ.
    """

    values: sp.csr_matrix
    weights: sp.csr_matrix
    unobserved: float
    regularisation: float

    @classmethod
    def implicit(cls, confidence: sp.csr_matrix, *, regularisation: float, unobserved: float = 1.0) -> Problem:
        """Signed confidence: above 0 the item was wanted, below 0 it was not; nothing stored: not known."""
        wanted, weights = confidence.copy(), confidence.copy()
        wanted.data, weights.data = (confidence.data > 0).astype(confidence.dtype), np.abs(confidence.data)
        return cls(wanted, weights, unobserved, regularisation)


@dataclass(frozen=True)
class Factors:
    """(users, factors) and (items, factors)."""

    users: Array
    items: Array


def start(users: int, items: int, factors: int, *, seed: int, dtype: type = np.float32) -> Factors:
    """Small random factors."""
    rng = np.random.default_rng(seed)
    scale = 0.1 / np.sqrt(factors)
    return Factors(
        (rng.standard_normal((users, factors)) * scale).astype(dtype),
        (rng.standard_normal((items, factors)) * scale).astype(dtype),
    )


def factorise(
    problem: Problem,
    first: Factors,
    *,
    sweeps: int = 15,
    device: str = "cpu",
    told: Callable[[int, Factors], None] = lambda *_: None,
) -> Factors:
    """Alternate ``sweeps`` times from the ``first`` factors.

    Args:
        told: is given each sweep's number and factors.

    Raises:
        ValueError: if the matrix is empty, or shapes do not fit.
    """
    users, items = problem.values.shape
    if first.users.shape[0] != users or first.items.shape[0] != items or not users or not items:
        raise ValueError(
            f"factors of {first.users.shape[0]} × {first.items.shape[0]} for a matrix of {users} × {items}"
        )
    down = _Side(problem.values, problem.weights)
    across = _Side(problem.values.T.tocsr(), problem.weights.T.tocsr())
    factors = first
    for sweep in range(sweeps):
        rows = _half(down, factors.items, problem, device)
        factors = Factors(rows, _half(across, rows, problem, device))
        told(sweep + 1, factors)
    return factors


def objective(problem: Problem, factors: Factors) -> float:
    """What is minimised; all entries count, none is made."""
    users, items = factors.users.astype(np.float64), factors.items.astype(np.float64)
    values, weights = problem.values.tocoo(), problem.weights.tocoo()
    said = np.einsum("nf,nf->n", users[values.row], items[values.col])
    everything = problem.unobserved * float(((users.T @ users) * (items.T @ items)).sum())
    stored = float((weights.data * (values.data - said) ** 2).sum()) - problem.unobserved * float((said**2).sum())
    return 0.5 * (everything + stored) + problem.regularisation * float((users**2).sum() + (items**2).sum())


@dataclass(frozen=True)
class _Side:
    """One way through the matrix, by rows."""

    values: sp.csr_matrix
    weights: sp.csr_matrix


def _half(side: _Side, fixed: Array, problem: Problem, device: str) -> Array:
    """The rows' factors if the others' are ``fixed``."""
    count, width = side.values.shape[0], fixed.shape[1]
    partners = torch.as_tensor(fixed, device=device)
    base = problem.unobserved * (partners.T @ partners)
    base += 2 * problem.regularisation * torch.eye(width, dtype=partners.dtype, device=device)
    lengths = np.diff(side.values.indptr)
    order = np.argsort(lengths, kind="stable")
    solved = np.zeros((count, width), dtype=fixed.dtype)
    at = int(np.searchsorted(lengths[order], 1))  # rows without entries: nothing pulls them away from 0
    while at < count:
        end = _end(lengths, order, at, width)
        rows = order[at:end]
        solved[rows] = _solved(side, rows, lengths[rows], partners, base, problem.unobserved).cpu().numpy()
        at = end
    return solved


def _end(lengths: npt.NDArray[np.integer], order: npt.NDArray[np.intp], at: int, width: int) -> int:
    """Where a block that begins at ``at`` ends: rows are sorted by length, and padding fills at most a fifth."""
    longest = max(1, int(lengths[order[at]]))
    most = at + max(1, BLOCK // (width * longest * 6 // 5 + width * width))
    until = int(np.searchsorted(lengths[order], longest * 6 // 5, side="right"))
    return min(most, until, len(order))


def _solved(
    side: _Side,
    rows: npt.NDArray[np.intp],
    lengths: npt.NDArray[np.integer],
    partners: torch.Tensor,
    base: torch.Tensor,
    unobserved: float,
) -> torch.Tensor:
    longest = int(lengths.max())
    places = np.arange(longest)[None]
    there = places < lengths[:, None]
    at = np.where(there, side.values.indptr[rows][:, None] + places, 0)

    def placed(stored: Array) -> torch.Tensor:
        return torch.as_tensor(np.where(there, stored[at], 0), dtype=partners.dtype, device=partners.device)

    gathered = partners[torch.as_tensor(side.values.indices[at].astype(np.int64), device=partners.device)]
    weights = placed(side.weights.data)
    beyond = weights - torch.as_tensor(there, device=partners.device) * unobserved
    systems = base + torch.bmm(gathered.transpose(1, 2), gathered * beyond.unsqueeze(2))
    wanted = torch.bmm((weights * placed(side.values.data)).unsqueeze(1), gathered).transpose(1, 2)
    return torch.cholesky_solve(wanted, torch.linalg.cholesky(systems)).squeeze(2)
