"""How alike two layers' features are: measures between preactivation matrices of the same probe inputs.

Every function takes matrices (P, N) with a row a probe input and a column a unit, and computes in float64. What can't
be said (no unit alive, no variance) is NaN. Light: numpy and scipy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
# Deviation over probe inputs, relative to the unit's largest value, below which float32 can't tell it from nothing.
STILL = 1e-6


def alive(h: np.ndarray) -> np.ndarray:
    """Bool (N,): units whose response depends on the probe input. A unit with a value that isn't finite is dead."""
    with np.errstate(invalid="ignore", over="ignore"):
        return h.std(0, dtype=np.float64) > STILL * np.abs(h).max(0)


def centered(h: np.ndarray) -> np.ndarray:
    """Columns of mean 0, in float64."""
    return h - h.mean(0, dtype=np.float64)


def standardized(h: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and norm 1."""
    h = centered(h)
    return h / np.linalg.norm(h, axis=0)


def unit_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column of `a` with the same column of `b`, (N,); all must be alive."""
    return (standardized(a) * standardized(b)).sum(0)


def assigned_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations after the assignment of columns of `a` to columns of `b` that maximizes their sum (Kuhn 1955).

    As many as the smaller of the two has columns; all must be alive.
    """
    table = standardized(a).T @ standardized(b)
    return table[linear_sum_assignment(table, maximize=True)]


def unbiased_hsic(k: np.ndarray, l: np.ndarray) -> float:  # noqa: E741
    """The unbiased estimator of the Hilbert-Schmidt independence criterion (Song et al. 2012, eq. 5).

    k, l: kernel matrices (P, P) of the same P >= 4 inputs.
    """
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))  # noqa: E741
    rows_k, rows_l = k.sum(0), l.sum(0)
    inner = (k * l).sum() + rows_k.sum() * rows_l.sum() / ((n - 1) * (n - 2)) - 2 * (rows_k @ rows_l) / (n - 2)
    return inner / (n * (n - 3))


def unbiased_cka(a: np.ndarray, b: np.ndarray) -> float:
    """Linear CKA (Kornblith et al. 2019) from unbiased HSIC (Nguyen et al. 2021): 1 if equal, about 0 if unrelated.

    Invariant to orthogonal maps of the units and to scale; it may be negative. NaN where an estimate of a network's
    own HSIC isn't positive.
    """
    # Removing the mean first changes nothing but the rounding.
    a, b = centered(a), centered(b)
    k, l = a @ a.T, b @ b.T  # noqa: E741
    own = unbiased_hsic(k, k), unbiased_hsic(l, l)
    return unbiased_hsic(k, l) / np.sqrt(own[0] * own[1]) if min(own) > 0 else np.nan


def frobenius(a: np.ndarray, b: np.ndarray) -> float:
    """|a - b| / |b|."""
    scale = np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / scale) if scale > 0 else np.nan


def kernel_alignment(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of a a^T and b b^T, not centered (Cristianini et al. 2001); at most 1, and at least 0."""
    # Through the smaller of the Gram matrices: |a^T b|^2 = <a a^T, b b^T>.
    scale = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.linalg.norm(a.T @ b) ** 2 / scale) if scale > 0 else np.nan


@dataclass(frozen=True)
class Similarity:
    """All measures between a run's features and the dense run's; correlations over the units alive in both."""

    units: int
    dead: int
    dead_dense: int
    shared: int
    correlation: float
    quantiles: dict[str, float]
    assigned_correlation: float
    cka: float
    frobenius: float
    kernel_alignment: float

    def row(self) -> dict:
        """As columns of a table."""
        values = vars(self).copy()
        return values | {f"correlation_{name}": q for name, q in values.pop("quantiles").items()}


def compare(run: np.ndarray, dense: np.ndarray) -> Similarity:
    """Every measure between two matrices (P, N) of the same probe inputs."""
    run, dense = run.astype(np.float64), dense.astype(np.float64)
    alive_run, alive_dense = alive(run), alive(dense)
    both = alive_run & alive_dense
    sound = np.isfinite(run).all() and np.isfinite(dense).all()
    by_index = unit_correlations(run[:, both], dense[:, both])
    assigned = assigned_correlations(run[:, alive_run], dense[:, alive_dense]) if both.any() else by_index
    quantiles = {name: float(np.quantile(by_index, q)) if both.any() else np.nan for name, q in QUANTILES.items()}
    return Similarity(
        units=run.shape[1],
        dead=int((~alive_run).sum()),
        dead_dense=int((~alive_dense).sum()),
        shared=int(both.sum()),
        correlation=float(by_index.mean()) if both.any() else np.nan,
        quantiles=quantiles,
        assigned_correlation=float(assigned.mean()) if both.any() else np.nan,
        cka=unbiased_cka(run, dense) if sound else np.nan,
        frobenius=frobenius(run, dense) if sound else np.nan,
        kernel_alignment=kernel_alignment(run, dense) if sound else np.nan,
    )


@dataclass(frozen=True)
class Changes:
    """Measures between what training has changed in a run's features and in those of the dense network, its target.

    change_correlation: the mean over the units whose change is alive in both, `change_shared` of them; change_alive:
    those whose change is alive in the target. movement: the Frobenius norm of the target's change.
    """

    change_correlation: float
    change_shared: int
    change_alive: int
    movement: float


def compare_changes(run: np.ndarray, target: np.ndarray) -> Changes:
    """Every measure between two changes H(t) - H(0), (P, N), of the same probe inputs; NaN where no unit is shared."""
    alive_target = alive(target)
    both = alive(run) & alive_target
    return Changes(
        change_correlation=float(unit_correlations(run[:, both], target[:, both]).mean()) if both.any() else np.nan,
        change_shared=int(both.sum()),
        change_alive=int(alive_target.sum()),
        movement=float(np.linalg.norm(target)),
    )
