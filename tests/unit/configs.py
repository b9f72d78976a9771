"""What the tests of the configuration share: the schema, the choices, and configurations written as overlays."""

from pathlib import Path

import yaml

from featprune.config import load_schema

SCHEMA = load_schema(Path(__file__).parents[2] / "workflow/schemas/config.schema.yaml")
CHOICES = {
    "activation": ["relu", "tanh", "erf", "linear"],
    "criterion": ["magnitude", "random", "snip"],
    "dataset": ["mnist", "teacher"],
    "figure": ["claims", "levels"],
    "init": ["glorot_normal_truncated", "he_normal"],
    "loss": ["cross_entropy", "squared_error"],
    "optimizer": ["sgd", "adam"],
    "parametrization": ["standard", "ntk"],
    "rewind": ["init", "late", "random", "none"],
}
KINDS = {**CHOICES, "classification_dataset": ["mnist"]}
MINIMAL = """
experiments:
  mnist:
    dataset: mnist
    model: {hidden: [300, 100]}
    training: {steps: 1000, lr: 1.2e-3, snapshot_steps: 5}
    alphas: [0.1, 1]
"""


def written(text: str = "") -> dict:
    """The minimal configuration with an overlay in YAML: mappings merge, as Snakemake merges them."""

    def merge(base, over):
        for key, value in over.items():
            if isinstance(value, dict) and isinstance(base.get(key), dict):
                merge(base[key], value)
            else:
                base[key] = value

    config = yaml.safe_load(MINIMAL)
    merge(config, yaml.safe_load(text) or {})
    return config


def mnist(text: str) -> str:
    """An overlay of the experiment `mnist`."""
    return f"experiments: {{mnist: {{{text}}}}}"
