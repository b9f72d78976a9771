"""What a configured study consists of: its runs, tables and figures, and the files that each is made from.

Light, and without Snakemake: typed objects in, paths and plain data out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import log
from pathlib import PurePath
from typing import Any

from featprune.criteria import CRITERIA
from featprune.data import DATASETS
from featprune.engine.objective import LOSSES
from featprune.errors import FeatpruneError
from featprune.experiment import Experiment, scale
from featprune.figures import FIGURES, Figure
from featprune.rewind import REWINDS
from featprune.runs.paths import (
    DENSE,
    DENSE_RUNS,
    LINEARIZED,
    MASK,
    REFERENCES,
    REORDERED_TICKET,
    TARGETS,
    TICKET,
    WEIGHTS,
    Cell,
    Kind,
    RunPath,
)
from featprune.tables.published import published
from featprune.tables.registry import TABLES, DatasetFile, RunFiles, TableFile


@dataclass(frozen=True)
class Study:
    """A resolved config, seen as experiments, runs and files."""

    config: dict[str, Any]

    @cached_property
    def root(self) -> str:
        """The folder of results, by its one plain name: "results" for "./results/" too."""
        return str(PurePath(self.config["results"]))

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        """The experiments that are run, by name."""
        usual = {loss.kind: name for name, loss in LOSSES.items()}
        made = {}
        for name in self.config["run"]:
            entry = self.config["experiments"][name]
            source = self.config["datasets"][entry["dataset"]]["source"]
            made[name] = Experiment.of(name, entry, source, self.config["seeds"], usual[DATASETS[source].kind])
        return made

    # Runs

    def runs(self, name: str) -> Iterator[RunPath]:
        """Every run of an experiment; blocks of seeds innermost, so that no table's order depends on them."""
        e = self.experiments[name]
        places = [(cell, 0) for cell in e.dense_cells if e.trains_dense]
        places += [(cell, r) for cell in e.chains for r in range(1, e.pruning.rounds + 1)]
        return (RunPath(*place, block) for place in places for block in e.seeds.blocks)

    def reported_runs(self, name: str) -> Iterator[RunPath]:
        """Those of the seeds that do more than choose rates."""
        blocks = self.experiments[name].seeds.reported_blocks
        return (run for run in self.runs(name) if run.block in blocks)

    def studied_runs(self, name: str) -> Iterator[RunPath]:
        """The runs whose preactivations are dumped: dense ones, and those pruned by the tickets' criterion."""
        e = self.experiments[name]
        return (run for run in self.reported_runs(name) if run.round in e.studied_rounds(run.cell))

    def reference_runs(self, name: str) -> Iterator[RunPath]:
        """The dense runs besides the one that all chains share: what its features, and theirs, are compared with."""
        dense = [run for run in self.studied_runs(name) if run.round == 0]
        return (RunPath(run.cell.of(kind), 0, run.block) for kind in REFERENCES for run in dense)

    def compared_runs(self, name: str) -> Iterator[RunPath]:
        """The runs whose features are compared with those of dense runs: pruned ones, and the dense ones themselves."""
        yield from self.studied_runs(name)
        yield from self.reference_runs(name)

    def connected_runs(self, name: str) -> Iterator[RunPath]:
        """The dense runs from which, and from whose tickets, straight lines to other networks are followed."""
        dense = (run for run in self.studied_runs(name) if run.cell.kind == DENSE and run.cell.alpha != LINEARIZED)
        return (run for run in dense if self.connects(name))

    def measured_runs(self, name: str) -> Iterator[RunPath]:
        """The runs whose amount of feature learning is measured: dense ones and tickets."""
        return (run for run in self.studied_runs(name) if run.cell.kind in (DENSE, TICKET))

    def drawn_runs(self, name: str) -> Iterator[RunPath]:
        """Those whose matrices are drawn: first block, alpha nearest 1, its lr nearest 1, dense and middle round."""
        first = self.experiments[name].seeds.reported_blocks[0]
        runs = [run for run in self.studied_runs(name) if run.block == first]

        def nearest_one(values: Sequence[str]) -> str | None:
            return min(values, key=lambda value: abs(log(float(value))), default=None)

        alpha = nearest_one([run.cell.alpha for run in runs])
        place = alpha, nearest_one([run.cell.lr for run in runs if run.cell.alpha == alpha])
        rounds = sorted({int(run.round) for run in runs} - {0})
        drawn = {0, *rounds[len(rounds) // 2 :][:1]}
        return (run for run in runs if (run.cell.alpha, run.cell.lr) == place and run.round in drawn)

    def compressed_runs(self, name: str) -> Iterator[RunPath]:
        """The runs that are compressed, see `Experiment.compresses`."""
        return (run for run in self.reported_runs(name) if self.experiments[name].compresses(run.cell, int(run.round)))

    def select(self, name: str, selection: str) -> list[RunPath]:
        """The runs that a table is made from: `selection` as in `featprune.tables.registry.RunFiles`."""
        selections = {
            "all": self.runs,
            "reported": self.reported_runs,
            "compared": self.compared_runs,
            "measured": self.measured_runs,
            "connected": self.connected_runs,
            "drawn": self.drawn_runs,
            "compressed": self.compressed_runs,
        }
        return list(selections[selection](name))

    # How jobs are cut: what one job of a rule is about -> the experiments with such jobs

    @cached_property
    def dense_dumps(self) -> dict[tuple[Kind, ...], list[str]]:
        """The kinds of dense runs whose features one job dumps: null and ceiling too where runs are compared."""
        cut = (
            (tuple(DENSE_RUNS.values()) if self.has_comparisons(name) else (DENSE,), name)
            for name, e in self.experiments.items()
            if e.features.rounds
        )
        return _grouped(cut)

    @cached_property
    def chain_dumps(self) -> dict[tuple[tuple[int, ...], tuple[str, ...]], list[str]]:
        """The rounds whose features one job dumps, and the rewinds of such chains: tickets, whose amount of feature
        learning is measured besides, are apart."""
        others = tuple(rewind for rewind in REWINDS if rewind != TICKET.rewind)
        cut = (
            ((e.features.rounds[1:], rewinds), name)
            for name, e in self.experiments.items()
            if self.has_comparisons(name)
            for rewinds in ((TICKET.rewind,), others)
        )
        return _grouped(cut)

    @cached_property
    def comparisons(self) -> dict[tuple[bool, tuple[Kind, ...], tuple[int, ...]], list[str]]:
        """Whether networks are linearized, their kinds of chains and the rounds that a job compares with dense runs."""
        cut = (
            ((a == LINEARIZED, e.studied_kinds(a), e.features.rounds[1:]), name)
            for name, e in self.experiments.items()
            if self.has_comparisons(name)
            for a in (e.alphas[0], *[LINEARIZED] * e.linearize)
        )
        return _grouped(cut)

    @cached_property
    def compressions(self) -> dict[tuple[int, ...], list[str]]:
        """The rounds of a chain that one job compresses."""
        cut = ((e.compression.rounds, name) for name, e in self.experiments.items() if e.compression)
        return _grouped((rounds, name) for rounds, name in cut if rounds)

    # What jobs read

    def dataset_file(self, name: str) -> str:
        """The prepared dataset of an experiment."""
        return f"{self.root}/data/{self.experiments[name].dataset}.safetensors"

    def run_file(self, cell: Cell, round: int, block: str, name: str) -> str:
        return RunPath(cell, round, block).file(self.root, name)

    def extraction_inputs(self, cell: Cell, rounds: Sequence[int], block: str) -> dict[str, Any]:
        """The files that the masks of these rounds are made from, besides the dataset."""
        source = CRITERIA[self.experiments[cell.experiment].masks_by(cell.kind)].source
        if source == "ticket":
            ticket = self.ticket_cell(cell)
            return {"tickets": [self.run_file(ticket, round, block, MASK) for round in rounds]}
        return {} if source == "start" else self.trained_inputs(cell, rounds[0], block)

    def retraining_inputs(self, cell: Cell, rounds: Sequence[int], block: str) -> dict[str, Any]:
        """The files that retraining in these rounds starts from or learns from, besides the dataset and the masks."""
        rewind, dense = REWINDS[cell.rewind], self.trained_inputs(cell, 1, block)
        teacher = {f"teacher_{name}": file for name, file in dense.items()} if rewind.teacher else {}
        return teacher | (self.trained_inputs(cell, rounds[0], block) if rewind.continues else {})

    def trained_inputs(self, cell: Cell, round: int, block: str) -> dict[str, str]:
        """The run that a round goes on from: the round before, or the dense run if it always starts there."""
        from_dense = round == 1 or self.always_from_dense(cell)
        before = (cell.of(DENSE), 0) if from_dense else (cell, round - 1)
        return {"mask": self.run_file(*before, block, MASK), "weights": self.run_file(*before, block, WEIGHTS)}

    def connection_inputs(self, cell: Cell, block: str) -> dict[str, list[str]]:
        """The files of the runs of an alpha and lr between which straight lines are followed."""
        e = self.experiments[cell.experiment]
        tickets = [kind for kind in (TICKET, REORDERED_TICKET) if kind in e.kinds]
        runs = [*((kind, 0) for kind in TARGETS.values()), *product(tickets, e.features.rounds[1:])]
        return {
            what: [self.run_file(cell.of(kind), round, block, name) for kind, round in runs]
            for what, name in (("masks", MASK), ("weights", WEIGHTS))
        }

    def extraction_params(self, cell: Cell, rounds: Sequence[int], block: str) -> dict[str, Any]:
        """What the extraction of these rounds' masks depends on besides its files."""
        e = self.experiments[cell.experiment]
        return e.criterion_params(cell.kind) | {
            "rewind": cell.rewind,
            "rounds": list(rounds),
            "seeds": RunPath(cell, 0, block).seeds,
            "schedule": e.schedule(),
            "objective": {"alpha": scale(cell.alpha), "center": e.center, "loss": e.training.loss},
        }

    def training_params(self, cell: Cell, rounds: Sequence[int], block: str) -> dict[str, Any]:
        """What retraining in these rounds depends on besides its files."""
        e = self.experiments[cell.experiment]
        return e.criterion_params(cell.kind) | {
            "rounds": list(rounds),
            "seeds": RunPath(cell, 0, block).seeds,
            "settings": [e.settings(cell, round) for round in rounds],
            "late_step": e.late_step(cell.rewind),
            "always_from_dense": self.always_from_dense(cell),
        }

    def dense_params(self, cell: Cell, kinds: Sequence[Kind], block: str) -> dict[str, Any]:
        """What the training of these kinds of dense runs depends on besides the dataset."""
        return {
            "seeds": RunPath(cell, 0, block).seeds,
            "rewinds": [kind.rewind for kind in kinds],
            "settings": self.experiments[cell.experiment].settings(cell, 0),
        }

    def feature_params(self, cell: Cell) -> dict[str, int]:
        """What is read from snapshots of a cell's runs."""
        features = self.experiments[cell.experiment].features
        of_cell = {"linearize": True} if cell.alpha == LINEARIZED else {}
        return {"probe": features.probe, "kernel_samples": features.kernel_samples} | of_cell

    def connection_params(self, cell: Cell) -> dict[str, Any]:
        """What the following of straight lines between runs depends on besides their files."""
        e = self.experiments[cell.experiment]
        return {"alpha": float(cell.alpha), "loss": e.training.loss, "center": e.center}

    def compression_params(self, cell: Cell, round: int) -> dict[str, Any]:
        """What the compression of a run depends on besides its files."""
        e = self.experiments[cell.experiment]
        return {
            "round": round,
            "settings": e.settings(cell, round),
            "compression": e.compressing(cell.kind, round),
        }

    def always_from_dense(self, cell: Cell) -> bool:
        """Whether every round of a chain is made from the dense run."""
        return CRITERIA[cell.criterion].source == "dense"

    def ticket_cell(self, cell: Cell) -> Cell:
        """The tickets that chains made of tickets train under: of the same alpha and lr, unless told otherwise.

        Another experiment's with frozen rates are those at their own rate.
        """
        loan = self.experiments[cell.experiment].tickets_from
        own = cell.of(TICKET)
        if loan is None:
            return own
        rates = self.experiments[loan.experiment].rates
        lr = rates.of(loan.alpha, TICKET).lr if rates else cell.lr
        return own._replace(experiment=loan.experiment, alpha=loan.alpha, lr=lr)

    def borrowers(self, name: str) -> dict[str, float]:
        """The experiments that train this one's tickets at other alphas -> the alpha of their masks."""
        loans = {other: e.tickets_from for other, e in self.experiments.items()}
        return {other: float(loan.alpha) for other, loan in loans.items() if loan and loan.experiment == name}

    # Tables and figures

    def table_file(self, name: str, file: str) -> str:
        return f"{self.root}/tables/{name}/{file}"

    def table_inputs(self, name: str, table: str) -> dict[str, str | list[str]]:
        """The files that a table is made from, by the names of its builder's parameters; without those that an
        experiment lacks."""
        found = {parameter: self._input(name, wanted) for parameter, wanted in TABLES[table].inputs.items()}
        return {parameter: files for parameter, files in found.items() if files}

    def _input(self, name: str, wanted: RunFiles | TableFile | DatasetFile) -> str | list[str] | None:
        if isinstance(wanted, RunFiles):
            return [run.file(self.root, wanted.file) for run in self.select(name, wanted.of)]
        if isinstance(wanted, DatasetFile):
            return self.dataset_file(name)
        file, e = f"{wanted.name}.parquet", self.experiments[name]
        if wanted.of in ("borrowers", "rivals"):
            return [self.table_file(o, file) for o in (self.borrowers(name) if wanted.of == "borrowers" else e.rivals)]
        owner = e.baseline if wanted.of == "baseline" else name
        return self.table_file(owner, file) if owner and self._has_table(owner, wanted.name) else None

    def _has_table(self, name: str, table: str) -> bool:
        """Whether an experiment has what this table, which others take where it is, is made from."""
        needs = {"features": self.has_comparisons(name), "headline": self.experiments[name].baseline is not None}
        needs["compression"] = any(True for _ in self.compressed_runs(name))
        return (needs | {"time_shift": needs["features"]}).get(table, True)

    def table_options(self, name: str, table: str) -> dict[str, Any]:
        """What a table depends on besides its files, as plain data, by the names of its builder's parameters."""
        e = self.experiments[name]
        options = {
            "behind": lambda: {
                "/".join(kind): [e.behind(kind, round) for round in range(e.pruning.rounds + 1)]
                for kind in (DENSE, *e.kinds)
            },
            "mask_alphas": lambda: self.borrowers(name),
            "selection": e.selection,
            "selections": lambda: {one: self.experiments[one].selection() for one in (name, *self.borrowers(name))},
            "sides": lambda: {
                side: {"kind": list(other.headline), "center": other.center, "selection": other.selection()}
                for side, other in (("ours", e), ("baseline", self.experiments[e.baseline or name]))
            },
            "claims": lambda: self.config["claims"],
            "decide_at": lambda: list(e.decide_at),
            "headline": lambda: list(e.headline),
            "model": e.model_params,
            "published": published,
        }
        return {option: options[option]() for option in TABLES[table].options}

    def has_comparisons(self, name: str) -> bool:
        """Whether any pruned run's features are compared, and with what."""
        e = self.experiments[name]
        return len(e.features.rounds) > 1 and bool(e.studied_kinds(e.alphas[0]))

    def connects(self, name: str) -> bool:
        """Whether there are tickets whose weights are studied, and so straight lines from them."""
        e = self.experiments[name]
        return len(e.features.rounds) > 1 and TICKET in e.kinds

    def lacks(self, name: str, figure: Figure) -> list[str]:
        """Those of a figure's needs that an experiment doesn't meet."""
        e = self.experiments[name]
        has = {
            # Tickets taken from another experiment are shown there.
            "pruning": bool(e.chains) and e.tickets_from is None,
            "alphas": len(e.alphas) > 1,
            "baseline": e.baseline is not None,
            "rivals": bool(e.rivals),
            "grid": e.rates is None and any(len(e.lrs_at(alpha)) > 1 for alpha in e.alphas),
            "classification": LOSSES[e.training.loss].kind == "classification",
            "features": bool(e.features.rounds),
            "comparisons": self.has_comparisons(name),
            "connections": self.connects(name),
            "teacher": e.source == "teacher" and len(e.model.hidden) == 1,
            "lenet": e.is_lenet,
            "tickets": TICKET in e.kinds,
            "criteria": TICKET in e.kinds and len(e.trained_criteria) > 1,
            "levels": len({kind.criterion for kind in e.kinds} - {DENSE.criterion}) > 1,
            "compression": self._has_table(name, "compression"),
            "transfer": bool(self.borrowers(name)),
            "theory": False,  # is measured apart
        }
        return [need for need in figure.needs if not has[need]]

    def drawn_figures(self, name: str) -> list[str]:
        """The figures of an experiment that the main job draws: those chosen, or all that it can show.

        Raises FeatpruneError where one was chosen that it can't show.
        """
        chosen = self.experiments[name].figures
        lacking = {figure: self.lacks(name, entry) for figure, entry in FIGURES.items()}
        for figure in chosen or ():
            if lacking[figure]:
                needs = " and ".join(lacking[figure])
                raise FeatpruneError(f"config: experiments.{name}.figures: {figure!r} can't be drawn without {needs}")
        return [figure for figure in FIGURES if not lacking[figure] and (chosen is None or figure in chosen)]

    @cached_property
    def figure_files(self) -> list[str]:
        """The files of the figures that the main job draws."""
        return [
            f"{self.root}/figures/{name}/{figure}.{kind}"
            for name in self.experiments
            for figure in self.drawn_figures(name)
            for kind in FIGURES[figure].formats
        ]


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, list[str]]:
    """What comes with each name -> the names that it comes with."""
    found: dict[Any, list[str]] = {}
    for cut, name in pairs:
        found.setdefault(cut, []).append(name)
    return found
