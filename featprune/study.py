"""What a configured study consists of: its cells, and where their files lie. The one owner of file names.

A cell is a point of the sweep (alpha, lr, criterion, rewind) of an experiment. Light: plain data in, plain data out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log

from featprune.config import log_grid
from featprune.criteria import CRITERIA, crossed
from featprune.data import DATASETS
from featprune.figures import Figure
from featprune.rewind import REWINDS
from featprune.runs.paths import DENSE, DENSE_RUNS, REINITIALIZED, REORDERED, TICKET


@dataclass(frozen=True)
class Cell:
    """One point of an experiment's sweep; alpha and lr as they are written in the config."""

    experiment: str
    alpha: str
    lr: str
    criterion: str
    rewind: str

    def folder(self, root: str, round: int | str, block: str, kind: str = "runs") -> str:
        """The folder of one run, Hive-partitioned; values may be wildcards. `kind` sets apart logs and benchmarks."""
        return (
            f"{root}/{kind}/experiment={self.experiment}/alpha={self.alpha}/lr={self.lr}/criterion={self.criterion}"
            f"/rewind={self.rewind}/round={round}/seeds={block}"
        )


@dataclass(frozen=True)
class Study:
    """A resolved config, seen as cells and runs."""

    config: dict

    @property
    def root(self) -> str:
        return self.config["results"]

    @property
    def experiments(self) -> list[str]:
        return self.config["run"]

    def experiment(self, name: str) -> dict:
        return self.config["experiments"][name]

    def source(self, name: str) -> str:
        """The kind of an experiment's dataset, a name in DATASETS."""
        return self.config["datasets"][self.experiment(name)["dataset"]]["source"]

    def blocks(self, name: str) -> list[str]:
        """Names of an experiment's blocks of seeds, "first-last"."""
        seeds = self.experiment(name)["seeds"] or self.config["seeds"]
        count, size = seeds["count"], seeds["block"]
        return [f"{first}-{min(first + size, count) - 1}" for first in range(0, count, size)]

    def dense_cells(self, name: str) -> list[Cell]:
        e = self.experiment(name)
        return [Cell(name, alpha, lr, *DENSE) for alpha in e["alphas"] for lr in e["lrs"]]

    def chains(self, name: str) -> list[Cell]:
        """The cells that prune, and the dense network trained on, where it is asked for."""
        pruning = self.experiment(name)["pruning"]
        if not pruning["rounds"]:
            return []
        kinds = crossed(pruning["criteria"], pruning["rewinds"])
        kinds += [(pair["criterion"], pair["rewind"]) for pair in pruning["also"]]
        if pruning["matched_dense"]:
            kinds.append(("dense", "none"))
        return [
            Cell(name, cell.alpha, cell.lr, *kind) for cell in self.dense_cells(name) for kind in dict.fromkeys(kinds)
        ]

    def segments(self, name: str) -> list[range]:
        """Consecutive rounds that one job trains."""
        pruning = self.experiment(name)["pruning"]
        last, size = pruning["rounds"], pruning["rounds_per_job"]
        return [range(first, min(first + size, last + 1)) for first in range(1, last + 1, size)]

    def chain_inputs(self, name: str, rounds: range) -> Callable[[object], dict]:
        """Snakemake's input function of the job that trains these rounds of a chain: from wildcards to named files."""

        def inputs(w) -> dict:
            chain = Cell(name, w.alpha, w.lr, w.criterion, w.rewind)
            from_dense = rounds[0] == 1 or CRITERIA[w.criterion].one_shot
            before = (Cell(name, w.alpha, w.lr, *DENSE), 0) if from_dense else (chain, rounds[0] - 1)
            folder = before[0].folder(self.root, before[1], w.block)
            files = {"mask": f"{folder}/mask.safetensors", "weights": f"{folder}/weights.safetensors"}
            if self.takes_tickets(name, w.criterion, w.rewind):
                ticket = Cell(*self.ticket_axes(name, w.alpha), w.lr, *TICKET)
                folders = [ticket.folder(self.root, r, w.block) for r in rounds]
                files["ticket_masks"] = [f"{folder}/mask.safetensors" for folder in folders]
                files["ticket_weights"] = [f"{folder}/weights.safetensors" for folder in folders]
            return files

        return inputs

    def ticket_axes(self, name: str, alpha: str) -> tuple[str, str]:
        """Experiment and alpha of the tickets that chains made of tickets train under: their own unless told."""
        source = self.experiment(name)["tickets_from"]
        return (source["experiment"], source["alpha"]) if source else (name, alpha)

    def transfers(self, name: str) -> dict[str, float]:
        """The experiments that train this one's tickets at other alphas -> the alpha of their masks."""
        sources = {other: self.experiment(other)["tickets_from"] for other in self.experiments}
        return {other: float(s["alpha"]) for other, s in sources.items() if s and s["experiment"] == name}

    def compressed_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """The runs that are compressed: tickets and fine-tuned networks of the rounds and rewinds asked for."""
        compression = self.experiment(name)["compression"]
        for cell, round, block in self.runs(name) if compression else ():
            chosen = cell.rewind in compression["rewinds"] and round in compression["rounds"]
            if chosen and cell.criterion == TICKET[0] and cell.lr in self.experiment(name)["features"]["lrs"]:
                yield cell, round, block

    def compressing(self, name: str, rewind: str, round: int) -> dict:
        """What the compression of a run depends on besides its training."""
        c = self.experiment(name)["compression"]
        pruning, steps = self.experiment(name)["pruning"], self.experiment(name)["training"]["steps"]
        trained = REWINDS[rewind].trained(round, steps, pruning["late_step"]) + steps
        return {
            "hidden_bits": c["hidden_bits"],
            "output_bits": c["output_bits"],
            "steps": c["steps"],
            "behind": trained,
        }

    def takes_tickets(self, name: str, criterion: str, rewind: str) -> bool:
        """Whether a chain trains under masks made of the lottery ticket's."""
        if CRITERIA[criterion].of_ticket:
            return True
        control = rewind == "random" and criterion == TICKET[0]
        return control and self.experiment(name)["pruning"]["mask_source"] == "ticket"

    def chain_options(self, name: str, criterion: str, rewind: str) -> dict:
        """What a chain depends on besides its training."""
        pruning = self.experiment(name)["pruning"]
        # Only the rates that the scope uses: the others may change without a rerun.
        used = {"global": ["global"], "per_layer": ["hidden", "output"]}[pruning["scope"]]
        return {
            "schedule": {"scope": pruning["scope"], "rates": {key: pruning["rates"][key] for key in used}},
            "late_step": pruning["late_step"] if rewind == "late" else None,
            "samples": pruning["score_samples"] if CRITERIA[criterion].at == "initial" else 1,
        }

    def runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """Every run of an experiment: (cell, round, block)."""
        rounds = self.experiment(name)["pruning"]["rounds"]
        for block in self.blocks(name):
            yield from ((cell, 0, block) for cell in self.dense_cells(name))
            yield from ((cell, r, block) for cell in self.chains(name) for r in range(1, rounds + 1))

    def feature_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """The runs whose preactivations are dumped: dense ones, and those pruned by the tickets' criterion."""
        for cell, round, block in self.runs(name):
            if round in self.snapshot_rounds(name, cell.lr, cell.criterion, cell.rewind):
                yield cell, round, block

    def snapshot_rounds(self, name: str, lr: str, criterion: str, rewind: str) -> list[int]:
        """The rounds of a cell whose features are studied, and whose snapshots are therefore saved."""
        studied = (criterion == DENSE[0] and rewind in DENSE_RUNS) or criterion == TICKET[0]
        return self.experiment(name)["features"]["rounds"] if studied and self.has_features(name, lr) else []

    def has_features(self, name: str, lr: str) -> bool:
        """Whether features are studied at this rate."""
        features = self.experiment(name)["features"]
        return bool(features["rounds"]) and lr in features["lrs"]

    def reference_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """The dense runs that are null and ceiling of the comparisons of features."""
        for cell, round, block in self.feature_runs(name):
            if round == 0:
                for kind in (REINITIALIZED, REORDERED):
                    yield Cell(name, cell.alpha, cell.lr, *kind), 0, block

    def compared_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """The runs whose features are compared with the dense run's: the pruned ones, and the references."""
        yield from (run for run in self.feature_runs(name) if run[1] > 0)
        yield from self.reference_runs(name)

    def rich_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """The runs whose amount of feature learning is measured: dense ones and tickets."""
        for cell, round, block in self.feature_runs(name):
            if (cell.criterion, cell.rewind) in (DENSE, TICKET):
                yield cell, round, block

    def has_comparisons(self, name: str) -> bool:
        """Whether any pruned run's features are compared, and with what."""
        rounds = {round for _, round, _ in self.feature_runs(name)}
        return 0 in rounds and len(rounds) > 1

    def claim_inputs(self, w) -> dict:
        """Snakemake's input function of an experiment's claims."""

        def table(experiment: str, topic: str) -> str:
            return f"{self.root}/tables/{experiment}/{topic}.parquet"

        files = {"summary": table(w.experiment, "summary")}
        if self.has_comparisons(w.experiment):
            files |= {topic: table(w.experiment, topic) for topic in ("features", "time_shift")}
        if baseline := self.experiment(w.experiment)["baseline"]:
            files["baseline"] = table(baseline, "summary")
        return files

    def drawn_feature_runs(self, name: str) -> Iterator[tuple[Cell, int, str]]:
        """Those whose matrices are drawn: first block, alpha and lr nearest 1, dense and middle pruned round."""
        first = self.blocks(name)[0]
        runs = [(cell, round, block) for cell, round, block in self.feature_runs(name) if block == first]

        def nearest_one(values: Iterator[str]) -> str | None:
            return min(values, key=lambda value: abs(log(float(value))), default=None)

        alpha, lr = (nearest_one(getattr(cell, axis) for cell, _, _ in runs) for axis in ("alpha", "lr"))
        rounds = sorted({round for _, round, _ in runs} - {0})
        drawn = {0, *rounds[len(rounds) // 2 :][:1]}
        for cell, round, block in runs:
            if (cell.alpha, cell.lr) == (alpha, lr) and round in drawn:
                yield cell, round, block

    def shows(self, name: str, figure: Figure) -> bool:
        """Whether an experiment has what a figure needs."""
        e = self.experiment(name)
        has = {
            # Tickets taken from another experiment are shown there.
            "pruning": bool(self.chains(name)) and e["tickets_from"] is None,
            "alphas": len(e["alphas"]) > 1,
            "baseline": e["baseline"] is not None,
            "features": bool(e["features"]["rounds"]),
            "comparisons": self.has_comparisons(name),
            "teacher": self.source(name) == "teacher" and len(e["model"]["hidden"]) == 1,
            "levels": len({cell.criterion for cell in self.chains(name)} - {DENSE[0]}) > 1,
            "compression": any(True for _ in self.compressed_runs(name)),
            "transfer": bool(self.transfers(name)),
        }
        return all(has[need] for need in figure.needs)

    def files(self, runs: Iterator[tuple[Cell, int, str]], file: str) -> list[str]:
        return [f"{cell.folder(self.root, round, block)}/{file}" for cell, round, block in runs]

    def training(self, name: str, alpha: str, lr: str) -> dict:
        """What `featprune.engine.training.Settings` needs, apart from what differs between rounds."""
        e = self.experiment(name)
        t = e["training"]
        usual = {"classification": "cross_entropy", "regression": "squared_error"}[DATASETS[self.source(name)].kind]
        copied = (
            "loss",
            "optimizer",
            "momentum",
            "weight_decay",
            "batch_size",
            "steps",
            "evaluation_samples",
        )
        return {key: t[key] for key in copied} | {
            "loss": t["loss"] or usual,
            "lr": float(t["lr"]) * float(lr),
            "alpha": float(alpha),
            "center": e["center"],
            "evaluate_at": tuple(log_grid(t["steps"], t["evaluation_steps"])),
            "milestones": tuple(t["milestones"]),
            # Of the other runs nothing would read them.
            "snapshot_at": tuple(log_grid(t["steps"], t["snapshot_steps"])) if self.has_features(name, lr) else (),
        }


def seeds_of(block: str) -> list[int]:
    """The seeds of a block named "first-last"."""
    first, last = map(int, block.split("-"))
    return list(range(first, last + 1))
