"""One experiment of a resolved config, typed: what it varies, how it trains, prunes and measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from featprune.config import log_grid
from featprune.criteria import CRITERIA, crossed
from featprune.pruning.criterion import Criterion
from featprune.rates import Rates, read_rates
from featprune.rewind import REWINDS, Rewind
from featprune.runs.paths import DENSE, DENSE_RUNS, LINEARIZED, LONGER, REDRAWN, TICKET, Cell, Kind
from featprune.sections import Compression, Features, Loan, Model, Pruning, Seeds, Training

# The alpha at which linearized networks train. Their f doesn't depend on it. It divides how far weights move: so little
# that magnitudes rank as before training, and enough for single precision not to lose the changes.
LAZY = 1e5
# The kinds of chains that are run with linearized networks: tickets, and their nulls. The masks of re-draws are random
# there, with a ticket's density in each layer: they are those of other weights, before these have moved.
LINEAR_KINDS = (TICKET, REDRAWN, Kind("random", "init"))


def scale(alpha: str) -> float:
    """The alpha that networks train at, from what is written."""
    return LAZY if alpha == LINEARIZED else float(alpha)


@dataclass(frozen=True)
class Experiment:
    """An experiment; alphas and lrs as they are written in the config, and LINEARIZED after them where asked for."""

    name: str
    dataset: str
    source: str  # the kind of its dataset, a name in DATASETS
    seeds: Seeds
    model: Model
    training: Training
    alphas: tuple[str, ...]
    linearize: bool
    lrs: tuple[str, ...]
    lrs_by_alpha: Mapping[str, Sequence[str]]
    rates: Rates | None
    center: bool
    pruning: Pruning
    features: Features
    compression: Compression | None
    tickets_from: Loan | None
    baseline: str | None
    headline: Kind
    rivals: tuple[str, ...]
    decide_at: tuple[int, ...]  # the rounds whose rows decide on the claims
    figures: tuple[str, ...] | None

    @staticmethod
    def of(name: str, config: Mapping[str, Any], source: str, seeds: Mapping[str, int], loss: str) -> Experiment:
        """From its entry in a resolved config; `seeds` are the study's, `loss` the usual one for its dataset."""
        entry = {key: value for key, value in config.items() if key != "inherit"}
        training, pruning, features = entry["training"], entry["pruning"], entry["features"]
        also = tuple(Kind(**pair) for pair in pruning["also"])
        sections = {
            "alphas": (*entry["alphas"], *[LINEARIZED] * entry["linearize"]),
            "rates": entry["rates"] and read_rates(entry["rates"]),
            "seeds": Seeds(**(entry["seeds"] or seeds)),
            "model": Model(**_frozen(entry["model"])),
            "training": Training(**_frozen(training | {"loss": training["loss"] or loss})),
            "pruning": Pruning(**_frozen({key: v for key, v in pruning.items() if key != "also"}), also=also),
            "features": Features(**_frozen(features)),
            "compression": entry["compression"] and Compression(**_frozen(entry["compression"])),
            "headline": Kind(**entry["headline"]),
            "tickets_from": entry["tickets_from"] and Loan(**entry["tickets_from"]),
            "decide_at": tuple(sorted(entry["decide_at"] or range(1, pruning["rounds"] + 1))),
        }
        return Experiment(**{"name": name, "source": source, **_frozen(entry), **sections})

    @property
    def dense_cells(self) -> list[Cell]:
        """The cells of the dense run, one an alpha and lr."""
        return [Cell(self.name, alpha, lr, *DENSE) for alpha in self.alphas for lr in self.lrs_at(alpha)]

    def lrs_at(self, alpha: str) -> list[str]:
        """The multipliers that are run at an alpha: those of the sweep, or all that are frozen there for any kind.

        Raises FeatpruneError where the frozen rates lack one.
        """
        if self.rates is None:
            return list(self.lrs_by_alpha.get(alpha, self.lrs))
        return sorted({self.rates.of(alpha, kind).lr for kind in self.tuned_kinds(alpha)}, key=float)

    def selection(self) -> dict[str, Any]:
        """How rates are chosen, as plain data: the keywords of `featprune.tables.tuning.tune`."""
        places = [(alpha, kind) for alpha in self.alphas for kind in self.tuned_kinds(alpha)]
        return {"seeds": list(self.seeds.choosing), "rates": self.rates and self.rates.rows(places)}

    @property
    def trains_dense(self) -> bool:
        """Whether anything comes from dense runs: not where another experiment's tickets are trained, and no more."""
        from_dense = (CRITERIA[self.masks_by(kind)].source in ("chain", "dense") for kind in self.kinds)
        goes_on = (REWINDS[kind.rewind].continues or REWINDS[kind.rewind].teacher for kind in self.kinds)
        return self.tickets_from is None or bool(self.features.rounds) or any(from_dense) or any(goes_on)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of chains: those that prune, and the dense network trained on, where it is asked for."""
        pruning = self.pruning
        if not pruning.rounds:
            return []
        kinds = [Kind(*pair) for pair in crossed(pruning.criteria, pruning.rewinds)]
        kinds += pruning.also
        kinds += [LONGER] * pruning.matched_dense
        return list(dict.fromkeys(kinds))

    @property
    def trained_criteria(self) -> set[str]:
        """The criteria that score trained weights, round by round."""
        return {kind.criterion for kind in self.kinds if CRITERIA[kind.criterion].source == "chain"} - {DENSE.criterion}

    def kinds_at(self, alpha: str) -> list[Kind]:
        """Those that are run at an alpha."""
        return [kind for kind in self.kinds if alpha != LINEARIZED or kind in LINEAR_KINDS]

    def studied_kinds(self, alpha: str) -> tuple[Kind, ...]:
        """Those at an alpha whose features may be studied."""
        return tuple(kind for kind in self.kinds_at(alpha) if kind.criterion == TICKET.criterion)

    def tuned_kinds(self, alpha: str) -> list[Kind]:
        """The kinds of runs at an alpha that each have a rate of their own: those of the chains, and the dense run."""
        return [DENSE] * self.trains_dense + self.kinds_at(alpha)

    @property
    def chains(self) -> list[Cell]:
        """The cells of all chains."""
        cells = [cell.of(kind) for cell in self.dense_cells for kind in self.kinds_at(cell.alpha)]
        return [cell for cell in cells if self.rates is None or self.needs(cell, self.rates)]

    def needs(self, cell: Cell, rates: Rates) -> bool:
        """Whether a chain is run at a cell's lr where rates are frozen.

        At its own; tickets at those of the kinds that train under their masks; and what is measured of networks pruned
        by magnitude, at the tickets'.
        """
        takers = [kind for kind in self.kinds_at(cell.alpha) if CRITERIA[self.masks_by(kind)].source == "ticket"]
        owners = [cell.kind, *takers] if cell.kind == TICKET else [cell.kind]
        compressed = self.compression is not None and cell.rewind in self.compression.rewinds
        measured = cell.criterion == TICKET.criterion and (bool(self.features.rounds) or compressed)
        return cell.lr in {rates.of(cell.alpha, kind).lr for kind in owners} or (measured and self.compares(cell))

    @property
    def is_lenet(self) -> bool:
        """Whether it is the network that published errors are of: LeNet-300-100 on MNIST, and f not centered, which
        would need the initial weights besides."""
        return self.source == "mnist" and self.model.hidden == (300, 100) and not self.center

    @property
    def spans(self) -> list[range]:
        """Consecutive rounds that one job trains."""
        last, size = self.pruning.rounds, self.pruning.rounds_per_job
        return [range(first, min(first + size, last + 1)) for first in range(1, last + 1, size)]

    def masks_by(self, kind: Kind) -> str:
        """The criterion that makes a chain's masks: its own, unless it is a control that takes the ticket's."""
        control = kind == Kind(TICKET.criterion, "random") and self.pruning.mask_source == "ticket"
        return "ticket" if control else kind.criterion

    def schedule(self) -> dict[str, Any]:
        """What `Schedule` needs, with only the rates that the scope uses: others may change without a rerun."""
        used = {"global": ["global"], "per_layer": ["hidden", "output"]}[self.pruning.scope]
        return {"scope": self.pruning.scope, "rates": {key: self.pruning.rates[key] for key in used}}

    def late_step(self, rewind: str) -> int | None:
        """The step that late rewinding goes back to; None for other rewinds."""
        return self.pruning.late_step if rewind == "late" else None

    def criterion_params(self, kind: Kind) -> dict[str, Any]:
        """What prunes a chain, as plain data: a criterion, and how many training samples its scores and its repair see.

        One that sees no data doesn't depend on the config's number.
        """
        criterion = self.masks_by(kind)
        return {"criterion": criterion, "samples": self.pruning.score_samples if CRITERIA[criterion].sees_data else 1}

    def behind(self, kind: Kind, round: int) -> int:
        """Steps that the values at a run's start have behind them."""
        if kind in DENSE_RUNS.values():
            return 0
        return steps_behind(
            CRITERIA[kind.criterion], REWINDS[kind.rewind], round, self.training.steps, self.pruning.late_step
        )

    def settings(self, cell: Cell, round: int) -> dict[str, Any]:
        """What `featprune.engine.settings.Settings` needs for one run."""
        return run_settings(
            self.training,
            None if cell.kind in DENSE_RUNS.values() else REWINDS[cell.rewind],
            lr=float(self.training.lr) * float(cell.lr),
            alpha=scale(cell.alpha),
            linearize=cell.alpha == LINEARIZED,
            center=self.center,
            behind=self.behind(cell.kind, round),
            late_step=self.late_step(cell.rewind) or 0,
            # Of other runs nothing would read the snapshots.
            snapshots=round in self.studied_rounds(cell),
        )

    def studied_rounds(self, cell: Cell) -> tuple[int, ...]:
        """The rounds of a cell whose features are studied, and whose snapshots are therefore saved."""
        studied = cell.kind in DENSE_RUNS.values() or cell.criterion == TICKET.criterion
        return self.features.rounds if studied and self.features.rounds and self.compares(cell) else ()

    def compares(self, cell: Cell) -> bool:
        """Whether features are compared at a cell's lr: one of those asked for, or the tickets' frozen one."""
        if self.rates:
            return cell.lr == self.rates.of(cell.alpha, TICKET).lr
        return cell.lr in (self.features.lrs or self.lrs)

    def compresses(self, cell: Cell, round: int) -> bool:
        """Whether a run is compressed: pruned by magnitude or as the headline says, in a round and rewind asked for.

        At the rates at which features are compared; what the headline is about has its own where they are frozen.
        """
        c = self.compression
        if c is None or cell.alpha == LINEARIZED or cell.rewind not in c.rewinds or round not in c.rounds:
            return False
        if cell.criterion == TICKET.criterion:
            return self.compares(cell)
        return cell.kind == self.headline and (self.rates is not None or self.compares(cell))

    def compressing(self, kind: Kind, round: int) -> dict[str, Any]:
        """What the compression of a run depends on besides its training; `behind` is what its weights have behind."""
        assert self.compression is not None
        steps = self.training.steps - (self.late_step(kind.rewind) or 0)
        c, behind = self.compression, self.behind(kind, round) + steps
        return {"bits": c.bits, "margin": c.margin, "steps": c.steps, "behind": behind}

    def model_params(self) -> dict[str, Any]:
        """The network as plain data."""
        return asdict(self.model)


def steps_behind(criterion: Criterion, rewind: Rewind, round: int, steps: int, late_step: int | None) -> int:
    """Steps that the values at the start of a chain's round have behind them."""
    # What is pruned at once goes on from the dense network in every round.
    rounds = 1 if criterion.source == "dense" else round
    return rewind.trained(rounds, steps, late_step)


def run_settings(
    training: Training,
    rewind: Rewind | None,
    *,
    lr: float,
    alpha: float,
    center: bool,
    behind: int = 0,
    late_step: int = 0,
    snapshots: bool = False,
    linearize: bool = False,
) -> dict[str, Any]:
    """What `featprune.engine.settings.Settings` needs for one run, as plain data; rewind: None for a dense run.

    lr: the rate itself. late_step: the step that a late rewind goes back to, 0 for any other.
    """
    t, kept = training, rewind is None or rewind.rewinds_rate
    copied = ("loss", "optimizer", "momentum", "weight_decay", "batch_size", "evaluation_samples")
    teacher = rewind.teacher if rewind else ""
    # Left out elsewhere: another strength runs no other run again.
    pull = {"teacher": teacher, "distillation": float(t.distillation)} if teacher else {}
    return {key: getattr(t, key) for key in copied} | {
        "lr": lr,
        "alpha": alpha,
        "center": center,
        "behind": behind,
        # Late rewinding goes on from its step: what is left of the steps and of the schedule (Frankle et al. 2020).
        "steps": t.steps - late_step,
        "evaluate_at": from_step(late_step, t.evaluated),
        "milestones": tuple(m - late_step for m in t.milestones) if kept else (0,) * len(t.milestones),
        "snapshot_at": from_step(late_step, log_grid(t.steps, t.snapshot_steps)) if snapshots else (),
        "order": rewind.order if rewind else (),
        **({"density_rates": True} if rewind and rewind.density_rates else {}),
        **pull,
        **({"linearize": True} if linearize else {}),
    }


def from_step(first: int, steps: Sequence[int]) -> tuple[int, ...]:
    """What a run that goes on from a step of the dense run has of these steps: itself and those after it, from 0."""
    return (0, *(step - first for step in steps if step > first))


def _frozen(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
