import json
import os
import resource
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from featprune.activations import ACTIVATIONS
from featprune.bounds import bounded
from featprune.bundles import measures_are_short, tree_is_short
from featprune.config import load_schema, resolve
from featprune.criteria import CRITERIA
from featprune.data import DATASETS
from featprune.own_files import declare_files, declared_sums
from featprune.engine.device import gpus_wanted
from featprune.engine.objective import LOSSES
from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.findings.contents import sources
from featprune.jobs.fingerprint import code, import_from_here, module
from featprune.network import INITIALIZATIONS, PARAMETRIZATIONS
from featprune.resources import demand, shape_of
from featprune.rewind import REWINDS
from featprune.runs.paths import (
    COMPRESSION,
    CONNECTIVITY,
    DENSE,
    DENSE_RUNS,
    DENSITY,
    FEATURES,
    HISTORY,
    LINEARIZED,
    MASK,
    PREACTIVATIONS,
    REFERENCES,
    RICHNESS,
    SNAPSHOTS,
    TARGETS,
    TICKET,
    TIME_SHIFT,
    WEIGHTS,
    Cell,
    RunPath,
)
from featprune.storage import sweep
from featprune.study import Study
from featprune.tables.registry import TABLES
from featprune.theory.registry import FOLDER as THEORY
from featprune.theory.registry import RESULTS
from featprune.workload import cases
from snakemake.exceptions import WorkflowError
from snakemake.io import apply_wildcards

import_from_here()

CHOICES = {
    "activation": ACTIVATIONS,
    "criterion": [name for name in CRITERIA if name != DENSE.criterion],
    "dataset": DATASETS,
    "classification_dataset": [name for name, source in DATASETS.items() if source.kind == "classification"],
    "init": INITIALIZATIONS,
    "loss": LOSSES,
    "figure": FIGURES,
    "optimizer": ["sgd", "adam"],
    "parametrization": PARAMETRIZATIONS,
    "rewind": REWINDS,
}

try:
    SCHEMA = load_schema(workflow.source_path("../schemas/config.schema.yaml"))
    STUDY = Study(declare_files(bounded(resolve(config, SCHEMA, CHOICES))))
    OWN = declared_sums(STUDY.config)
    # Where training runs changes only its rounding, so the device is a resource, and not among the params.
    GPUS = gpus_wanted(STUDY.config["device"])
    FIGURE_FILES = STUDY.figure_files
    # What was found in each figure, for its caption in the report.
    FOUND_FILES = sorted({f"{STUDY.root}/report/{Path(f).parent.name}/{Path(f).stem}.rst" for f in FIGURE_FILES})
except FeatpruneError as error:
    sys.exit(str(error))
# For scripts, and no param: when a job keeps what it has trained changes no result.
config["checkpoint_minutes"] = STUDY.config["checkpoint_minutes"]

# A job has one thread. Where --cores says more than the machine has, each job takes several of them: more jobs side by side
# than cores would make each slower.
MACHINE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
try:
    SLOTS = max(1, workflow.cores // MACHINE)
except WorkflowError:  # there are none, as for a report or on a cluster
    SLOTS = 1

RUN = RunPath(Cell("{experiment}", "{alpha}", "{lr}", "{criterion}", "{rewind}"), "{round}", "{block}")


wildcard_constraints:
    experiment=r"[^/=]+",
    alpha=r"[^/=]+",
    lr=r"[^/=]+",
    criterion="|".join(CRITERIA),
    rewind="|".join([*REWINDS, *DENSE_RUNS]),
    round=r"\d+",
    block=r"\d+-\d+",
    dataset=r"[^/=]+",


def cell_of(w):
    """The cell that a job's wildcards name."""
    return Cell(w.experiment, w.alpha, w.lr, w.criterion, w.rewind)


def run_file(name, path=RUN):
    """The pattern of a file of the runs that a rule is about."""
    return path.file(STUDY.root, name)


def of_runs(name, runs):
    """The patterns of a file of each of these runs."""
    return [run_file(name, run) for run in runs]


def dense_run(kind):
    """The place of a dense run."""
    return RunPath(RUN.cell.of(kind), 0, RUN.block)


def dense_cell_of(w):
    """The cell of the dense run of a job that is about all runs of an alpha and lr."""
    return Cell(w.experiment, w.alpha, w.lr, *DENSE)


def log_file(rule, path=RUN):
    """The pattern of the log of a rule that is about runs."""
    return f"{path.folder(STUDY.root, f'logs/{rule}')}.log"


def benchmark_file(rule, path=RUN):
    """The pattern of the benchmark of a rule that is about runs."""
    return f"{path.folder(STUDY.root, f'benchmarks/{rule}')}.tsv"


@cache
def script_code(name, *modules, **entries):
    """The fingerprint of a rule's script and of all code that it reaches; of a registry only the entry it uses."""
    return code(workflow.source_path(f"../scripts/{name}.py"), *map(module, modules), **entries)


def network_entries(experiment):
    """The entries of the network's registries that an experiment uses."""
    model = STUDY.experiments[experiment].model
    return {
        "ACTIVATIONS": model.activation,
        "INITIALIZATIONS": model.init,
        "PARAMETRIZATIONS": model.parametrization,
    }


def dataset_of(w):
    """The prepared dataset of a job's experiment."""
    return STUDY.dataset_file(w.experiment)


def model_of(w):
    """The network of a job's experiment, as plain data."""
    return STUDY.experiments[w.experiment].model_params()


def maybe_temp(path):
    """Snapshots go when nothing needs them any more, unless the config keeps them."""
    return path if STUDY.config["keep_snapshots"] else temp(path)


def dataset_code(w):
    """The fingerprint of a dataset's making: of the registries, only its source and its activation count.

    Where the files come from changes nothing in them: their checksums are fixed.
    """
    entry = STUDY.config["datasets"][w.dataset]
    activation = {**DATASETS[entry["source"]].options, **entry["options"]}.get("activation", "")
    return script_code("fetch_dataset", DATASETS=entry["source"], ACTIVATIONS=activation)


def own_files(w):
    """The files of one's own that a dataset is made from; their content counts, which its options hold, not their time."""
    return [ancient(str(Path(file).expanduser())) for file in OWN.get(w.dataset, {})]


@cache
def known_cases():
    """What the cost of each experiment's runs depends on."""
    return cases(STUDY, shape_of)


DEMANDS = {}


def demand_of(w, input, rulename):
    """What a job asks for: as much for every alpha and lr whose features are studied alike, and block of as many seeds;
    more where networks are linearized."""
    studied = "lr" in w.keys() and STUDY.experiments[w.experiment].compares(dense_cell_of(w))
    alike = {name: value for name, value in w.items() if name not in ("alpha", "lr", "block")}
    seeds = len(RunPath(RUN.cell, 0, w.block).seeds) if "block" in w.keys() else 0
    key = rulename, len(input), studied, seeds, w.get("alpha") == LINEARIZED, *alike.items()
    if key not in DEMANDS:
        outputs = [apply_wildcards(str(pattern), w) for pattern in workflow.get_rule(rulename).output]
        DEMANDS[key] = demand(STUDY, known_cases(), list(map(str, input)), outputs)
    return DEMANDS[key]


def mem_mb(w, input, attempt, rulename):
    """The memory of any job, in MB."""
    return demand_of(w, input, rulename).memory(attempt)


def runtime(w, input, attempt, rulename):
    """The time of any job, in minutes."""
    return demand_of(w, input, rulename).minutes(attempt)


@cache
def short(experiment, whole):
    """Whether all jobs of a tree of an experiment run as one, or else those that measure its features."""
    return (tree_is_short if whole else measures_are_short)(STUDY, known_cases(), experiment)


# A group is what a cluster runs as one job; of a label, what depends on each other. A dry run shows none.
def tree_group(w):
    """The group of a job that prunes or trains: its tree, if that is short, or an extraction with its retraining."""
    if not workflow.non_local_exec:
        return None
    return "tree" if short(w.experiment, True) else f"round_{w.round}" if "round" in w.keys() else None


def measure_group(w):
    """The group of a job that measures what was trained: its tree, if that is short, or what is measured of it."""
    if not workflow.non_local_exec:
        return None
    return "tree" if short(w.experiment, True) else "measures" if short(w.experiment, False) else None


def table_group(w):
    """The group of a job that makes a table or a figure."""
    return "tables" if workflow.non_local_exec else None


def note_usage():
    """Append a line of CPU seconds, this process's and all its jobs', for `python -m benchmarks.account`."""
    usage = {"snakemake": resource.RUSAGE_SELF, "jobs": resource.RUSAGE_CHILDREN}
    seconds = {who: sum(resource.getrusage(which)[:2]) for who, which in usage.items()}
    path = Path(STUDY.root, "benchmarks", "snakemake.json")
    with suppress(OSError):  # of a full disk, or of results that may only be read
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            print(json.dumps(seconds), file=file)
