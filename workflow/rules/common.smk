import sys
from pathlib import Path

from featprune.config import load_schema, resolve
from featprune.data import DATASETS
from featprune.criteria import CRITERIA
from featprune.errors import FeatpruneError
from featprune.figures import FIGURES
from featprune.jobs.fingerprint import code, import_from_here, module
from featprune.pruning.masks import SCOPES
from featprune.network import ACTIVATIONS, INITIALIZATIONS, PARAMETRIZATIONS
from featprune.rewind import REWINDS
from featprune.runs.paths import DENSE, DENSE_RUNS
from featprune.study import Cell, Study, seeds_of

import_from_here()

WORKFLOW = Path(workflow.basedir) / "workflow"
CHOICES = {
    "activation": ACTIVATIONS,
    "criterion": [name for name, criterion in CRITERIA.items() if criterion.prunes],
    "dataset": DATASETS,
    "classification_dataset": [name for name, source in DATASETS.items() if source.kind == "classification"],
    "init": INITIALIZATIONS,
    "loss": ["cross_entropy", "squared_error"],
    "optimizer": ["sgd", "adam"],
    "parametrization": PARAMETRIZATIONS,
    "rewind": REWINDS,
}

try:
    STUDY = Study(resolve(config, load_schema(WORKFLOW / "schemas" / "config.schema.yaml"), CHOICES))
except FeatpruneError as error:
    sys.exit(str(error))


wildcard_constraints:
    experiment=r"[^/=]+",
    alpha=r"[^/=]+",
    lr=r"[^/=]+",
    criterion="|".join(CRITERIA),
    rewind="|".join([*REWINDS, *DENSE_RUNS]),
    round=r"\d+",
    block=r"\d+-\d+",
    dataset=r"[^/=]+",


def script_code(name, *modules, **entries):
    """The fingerprint of a rule's script and of all code that it reaches; of a registry only the entry it uses."""
    return code(WORKFLOW / "scripts" / f"{name}.py", *map(module, modules), **entries)


def dataset_file(experiment):
    """The prepared dataset of an experiment."""
    return f"{STUDY.root}/data/{STUDY.experiment(experiment)['dataset']}.safetensors"


def maybe_temp(path):
    """Snapshots go when nothing needs them any more, unless the config keeps them."""
    return path if STUDY.config["keep_snapshots"] else temp(path)


def network_entries(experiment):
    """The entries of the network's registries that an experiment uses."""
    model = STUDY.experiment(experiment)["model"]
    return {"INITIALIZATIONS": model["init"], "PARAMETRIZATIONS": model["parametrization"]}


def table_inputs(file, runs="runs"):
    """A function from wildcards to the files of this name of an experiment's runs."""
    return lambda w: STUDY.files(getattr(STUDY, runs)(w.experiment), file)


def figures():
    """The files of every figure that an experiment can show."""
    return [
        f"{STUDY.root}/figures/{experiment}/{name}.{kind}"
        for experiment in STUDY.experiments
        for name, figure in FIGURES.items()
        if STUDY.shows(experiment, figure)
        for kind in figure.formats
    ]
