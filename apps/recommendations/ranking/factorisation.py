"""Matrix factorisation by alternating least squares.

Minimises, over U (users × factors) and V (items × factors),

    ½ Σ w_ui (r_ui - u_u · v_i)² + λ (‖U‖² + ‖V‖²)

Stored entries have their own weight w and value r; all others have value 0 and weight ``unobserved``.
With w = 1 and ``unobserved`` = 1 that is min ½‖R - UVᵀ‖² + λ(‖U‖² + ‖V‖²); with w = confidence and r in {0, 1} it is
Hu, Koren and Volinsky's factorisation of implicit feedback (ICDM 2008); with ``unobserved`` = 0 only stored entries
count.

A half-sweep solves one small linear system per row. Rows of similar length are batched: the factors of their entries
are gathered into one padded block, which torch multiplies and solves at once, on a GPU if available.
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
"""Elements of a gathered block: 32 MiB in float32."""


@dataclass(frozen=True)
class Problem:
    """The factorisation problem.

    Attributes:
        values, weights: (users, items), with the same sparsity pattern.
        unobserved: weight of all other entries, whose value is 0.
        regularisation: λ.
    """

    values: sp.csr_matrix
    weights: sp.csr_matrix
    unobserved: float
    regularisation: float

    @classmethod
    def implicit(cls, confidence: sp.csr_matrix, *, regularisation: float, unobserved: float = 1.0) -> Problem:
        """Build from signed confidences (users, items): positive for preferred items, negative for rejected ones."""
        wanted, weights = confidence.copy(), confidence.copy()
        wanted.data, weights.data = (confidence.data > 0).astype(confidence.dtype), np.abs(confidence.data)
        return cls(wanted, weights, unobserved, regularisation)


@dataclass(frozen=True)
class Factors:
    """Factor matrices: (users, factors) and (items, factors)."""

    users: Array
    items: Array


def start(users: int, items: int, factors: int, *, seed: int, dtype: type = np.float32) -> Factors:
    """Random initial factors."""
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
    on_sweep: Callable[[int, Factors], None] = lambda *_: None,
) -> Factors:
    """Run ``sweeps`` of alternating least squares from the ``first`` factors.

    Args:
        on_sweep: called with the number and factors of each sweep.

    Raises:
        ValueError: if the matrix is empty or the shapes do not match.
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
        on_sweep(sweep + 1, factors)
    return factors


def objective(problem: Problem, factors: Factors) -> float:
    """The objective over all entries, computed without materialising the dense matrix."""
    users, items = factors.users.astype(np.float64), factors.items.astype(np.float64)
    values, weights = problem.values.tocoo(), problem.weights.tocoo()
    predicted = np.einsum("nf,nf->n", users[values.row], items[values.col])
    everything = problem.unobserved * float(((users.T @ users) * (items.T @ items)).sum())
    stored = float((weights.data * (values.data - predicted) ** 2).sum()) - problem.unobserved * float(
        (predicted**2).sum()
    )
    return 0.5 * (everything + stored) + problem.regularisation * float((users**2).sum() + (items**2).sum())


@dataclass(frozen=True)
class _Side:
    """The matrix, or its transpose, by rows."""

    values: sp.csr_matrix
    weights: sp.csr_matrix


def _half(side: _Side, fixed: Array, problem: Problem, device: str) -> Array:
    """Solve for the rows' factors with the other side's factors ``fixed``."""
    count, width = side.values.shape[0], fixed.shape[1]
    partners = torch.as_tensor(fixed, device=device)
    base = problem.unobserved * (partners.T @ partners)
    base += 2 * problem.regularisation * torch.eye(width, dtype=partners.dtype, device=device)
    lengths = np.diff(side.values.indptr)
    order = np.argsort(lengths, kind="stable")
    solved = np.zeros((count, width), dtype=fixed.dtype)
    at = int(np.searchsorted(lengths[order], 1))  # rows without entries have zero factors
    while at < count:
        end = _end(lengths, order, at, width)
        rows = order[at:end]
        solved[rows] = _solved(side, rows, lengths[rows], partners, base, problem.unobserved).cpu().numpy()
        at = end
    return solved


def _end(lengths: npt.NDArray[np.integer], order: npt.NDArray[np.intp], at: int, width: int) -> int:
    """End of the block that starts at ``at``: rows are sorted by length, and padding adds at most a fifth."""
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
    offsets = np.arange(longest)[None]
    present = offsets < lengths[:, None]
    at = np.where(present, side.values.indptr[rows][:, None] + offsets, 0)

    def placed(stored: Array) -> torch.Tensor:
        return torch.as_tensor(np.where(present, stored[at], 0), dtype=partners.dtype, device=partners.device)

    gathered = partners[torch.as_tensor(side.values.indices[at].astype(np.int64), device=partners.device)]
    weights = placed(side.weights.data)
    beyond = weights - torch.as_tensor(present, device=partners.device) * unobserved
    systems = base + torch.bmm(gathered.transpose(1, 2), gathered * beyond.unsqueeze(2))
    wanted = torch.bmm((weights * placed(side.values.data)).unsqueeze(1), gathered).transpose(1, 2)
    return torch.cholesky_solve(wanted, torch.linalg.cholesky(systems)).squeeze(2)
