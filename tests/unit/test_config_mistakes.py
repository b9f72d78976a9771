"""The configuration: every mistake is one line that names the key."""

import pickle

import pytest

from featprune.config import ConfigError, resolve
from featprune.errors import FeatpruneError
from tests.unit.configs import KINDS, SCHEMA, mnist, written

TYPE_HINT = " (to YAML, a number has no quotes, and an exponent as in 1.0e-3)"
TOP = (
    "checkpoint_minutes, claims, data_dir, datasets, device, experiments, findings, keep_snapshots, results, run, "
    "seeds, theory"
)
EXPERIMENT = (
    "alphas, baseline, center, compression, dataset, decide_at, features, figures, headline, inherit, linearize, "
    "lrs, lrs_by_alpha, model, pruning, rates, rivals, seeds, tickets_from, training"
)

MISTAKES = {
    # Keys and names
    "unknown top-level key": (
        "experiment: {}",
        f"experiment: unknown key; did you mean 'experiments'? (known: {TOP})",
    ),
    "unknown experiment key": (
        mnist("alhpas: [1]"),
        f"experiments.mnist.alhpas: unknown key; did you mean 'alphas'? (known: {EXPERIMENT})",
    ),
    "unknown nested key": (
        mnist("pruning: {rates: {hiden: 0.2}}"),
        "experiments.mnist.pruning.rates.hiden: unknown key; did you mean 'hidden'? (known: global, hidden, output)",
    ),
    "unknown key of a dataset": (
        "datasets: {small: {source: teacher, inputs: 3}}",
        "datasets.small.inputs: unknown key; known: options, source",
    ),
    "key that is a number": ("1: 2", f"[1]: unknown key; known: {TOP}"),
    "name unfit for a path": (
        "datasets: {a/b: {source: mnist}}",
        "datasets.a/b: a name may only have letters, digits, _ and -, 100 of them at most",
    ),
    "name that YAML reads as a boolean": (
        "datasets: {on: {source: mnist}}",
        "datasets[True]: a name may only have letters, digits, _ and -, 100 of them at most",
    ),
    "name of the additional experiments": (
        "experiments: {theory: {inherit: mnist}}",
        "experiments.theory: is the name of the additional experiments; take another",
    ),
    # Choices
    "unknown device": ("device: gpu", "device: unknown value 'gpu'; did you mean 'cpu'? (known: auto, cpu, cuda)"),
    "unknown scope": (
        mnist("pruning: {scope: layer}"),
        "experiments.mnist.pruning.scope: unknown value 'layer'; did you mean 'per_layer'? (known: global, per_layer)",
    ),
    "unknown mask source": (
        mnist("pruning: {mask_source: 3}"),
        "experiments.mnist.pruning.mask_source: unknown value 3; known: own, ticket",
    ),
    "unknown rewind": (
        mnist("pruning: {rewinds: [none, latte]}"),
        "experiments.mnist.pruning.rewinds[1]: unknown rewind 'latte'; "
        "did you mean 'late'? (known: init, late, none, random)",
    ),
    "null is no rewind": (
        mnist("pruning: {rewinds: [null]}"),
        "experiments.mnist.pruning.rewinds[0]: expected a string, got null",
    ),
    "unknown criterion": (
        mnist("pruning: {criteria: [magnitud]}"),
        "experiments.mnist.pruning.criteria[0]: unknown criterion 'magnitud'; "
        "did you mean 'magnitude'? (known: magnitude, random, snip)",
    ),
    "unknown criterion of a pair": (
        mnist("pruning: {also: [{criterion: snap, rewind: init}]}"),
        "experiments.mnist.pruning.also[0].criterion: unknown criterion 'snap'; "
        "did you mean 'snip'? (known: magnitude, random, snip)",
    ),
    "compressed round beyond the rounds": (
        mnist("compression: {rounds: [10]}"),
        "experiments.mnist.compression.rounds[0]: 10 is out of range (must be <= pruning.rounds, which is 9)",
    ),
    "codes of too many bits": (
        mnist("compression: {rounds: [1], hidden_bits: 9}"),
        "experiments.mnist.compression.hidden_bits: 9 is out of range (must be >= 1 and <= 8)",
    ),
    "codes of too many bits in a list": (
        mnist("compression: {rounds: [1], output_bits: [3, 9]}"),
        "experiments.mnist.compression.output_bits[1]: 9 is out of range (must be >= 1 and <= 8)",
    ),
    "no codes at all": (
        mnist("compression: {rounds: [1], hidden_bits: 3.5}"),
        "experiments.mnist.compression.hidden_bits: expected an integer or a list, got 3.5",
    ),
    "tickets of an alpha that isn't there": (
        "experiments: {other: {inherit: mnist, tickets_from: {experiment: mnist, alpha: 0.5}}}",
        "experiments.other.tickets_from.alpha: 0.5 is not one of its alphas (known: 0.1, 1)",
    ),
    "tickets for more rounds than there are": (
        "experiments: {other: {inherit: mnist, pruning: {rounds: 10}, tickets_from: {experiment: mnist, alpha: 1}}}",
        "experiments.other.pruning.rounds: more than 'mnist' has tickets for",
    ),
    "tickets of another network": (
        "experiments: {other: {inherit: mnist, model: {hidden: [5]}, tickets_from: {experiment: mnist, alpha: 1}}}",
        "experiments.other.model: differs from that of 'mnist', whose tickets it takes",
    ),
    "tickets of an lr that isn't there": (
        "experiments: {other: {inherit: mnist, lrs: [7], tickets_from: {experiment: mnist, alpha: 1}}}",
        "experiments.other.lrs: 'mnist' has no tickets at 7",
    ),
    "unknown activation": (
        mnist("model: {activation: rel}"),
        "experiments.mnist.model.activation: unknown activation 'rel'; "
        "did you mean 'relu'? (known: erf, linear, relu, tanh)",
    ),
    "unknown init": (
        mnist("model: {init: he}"),
        "experiments.mnist.model.init: unknown init 'he'; known: glorot_normal_truncated, he_normal",
    ),
    "unknown parametrization": (
        mnist("model: {parametrization: mup}"),
        "experiments.mnist.model.parametrization: unknown parametrization 'mup'; known: ntk, standard",
    ),
    "unknown optimizer": (
        mnist("training: {optimizer: adamw}"),
        "experiments.mnist.training.optimizer: unknown optimizer 'adamw'; did you mean 'adam'? (known: adam, sgd)",
    ),
    "unknown loss": (
        mnist("training: {loss: mse}"),
        "experiments.mnist.training.loss: unknown loss 'mse'; known: cross_entropy, squared_error",
    ),
    "unknown dataset": (
        "{datasets: {small: {source: teacher}}, experiments: {mnist: {dataset: smal}}}",
        "experiments.mnist.dataset: unknown dataset name 'smal'; did you mean 'small'? (known: mnist, small, teacher)",
    ),
    "unknown source": (
        "datasets: {small: {source: techer}}",
        "datasets.small.source: unknown dataset 'techer'; did you mean 'teacher'? (known: mnist, teacher)",
    ),
    "dataset without source": ("datasets: {experiments: {}}", "datasets.experiments.source: missing"),
    "run of an unknown experiment": (
        "run: [mnits]",
        "run[0]: unknown experiment 'mnits'; did you mean 'mnist'? (known: mnist)",
    ),
    "unknown baseline": (
        mnist("baseline: lth"),
        "experiments.mnist.baseline: unknown experiment 'lth'; known: mnist",
    ),
    "unknown parent": (
        "experiments: {small: {inherit: mnits}}",
        "experiments.small.inherit: unknown experiment 'mnits'; did you mean 'mnist'? (known: mnist, small)",
    ),
    # Types
    "string for an integer": (
        mnist("training: {steps: many}"),
        "experiments.mnist.training.steps: expected an integer, got 'many'",
    ),
    "number in quotes": (
        mnist("training: {steps: '1500'}"),
        f"experiments.mnist.training.steps: expected an integer, got '1500'{TYPE_HINT}",
    ),
    "exponent that YAML reads as text": (
        mnist("training: {lr: 1e-3}"),
        f"experiments.mnist.training.lr: expected a number, got '1e-3'{TYPE_HINT}",
    ),
    "boolean for an integer": (
        mnist("training: {steps: true}"),
        "experiments.mnist.training.steps: expected an integer, got true",
    ),
    "float for an integer": (
        mnist("training: {steps: 1500.0}"),
        "experiments.mnist.training.steps: expected an integer, got 1500.0",
    ),
    "boolean for a number": (
        mnist("training: {lr: true}"),
        "experiments.mnist.training.lr: expected a number, got true",
    ),
    "infinite number": (mnist("training: {lr: .inf}"), "experiments.mnist.training.lr: expected a number, got inf"),
    "number for a boolean": (mnist("center: 1"), "experiments.mnist.center: expected true or false, got 1"),
    "number for a list": (mnist("model: {hidden: 300}"), "experiments.mnist.model.hidden: expected a list, got 300"),
    "numeral for a list": (
        mnist("model: {hidden: '300'}"),
        "experiments.mnist.model.hidden: expected a list, got '300'",
    ),
    "null for a mapping": (mnist("model: null"), "experiments.mnist.model: expected a mapping, got null"),
    "list for a mapping": ("experiments: [mnist]", "experiments: expected a mapping, got a list"),
    "string for steps": (
        mnist("training: {evaluation_steps: all}"),
        "experiments.mnist.training.evaluation_steps: expected an integer or a list, got 'all'",
    ),
    "mapping for an alpha": (
        mnist("alphas: [1, {from: 2}]"),
        "experiments.mnist.alphas[1]: expected a number, got a mapping",
    ),
    "word for an alpha": (mnist("alphas: [rich]"), "experiments.mnist.alphas[0]: expected a number, got 'rich'"),
    "boolean for an alpha": (mnist("alphas: [true]"), "experiments.mnist.alphas[0]: expected a number, got true"),
    "infinite alpha": (mnist("alphas: ['1e999']"), "experiments.mnist.alphas[0]: expected a number, got '1e999'"),
    "nan for an alpha": (mnist("alphas: [.nan]"), "experiments.mnist.alphas[0]: expected a number, got nan"),
    "list in run": ("run: [[mnist]]", "run[0]: expected a string, got a list"),
    # Ranges
    "negative alpha": (
        mnist("alphas: [1, -1]"),
        "experiments.mnist.alphas[1]: -1 is out of range (must be > 0)",
    ),
    "zero as a string": (
        mnist("lrs: ['0.0']"),
        "experiments.mnist.lrs[0]: 0.0 is out of range (must be > 0)",
    ),
    "learning rate": (
        mnist("training: {lr: 0}"),
        "experiments.mnist.training.lr: 0 is out of range (must be > 0)",
    ),
    "momentum": (
        mnist("training: {momentum: 1}"),
        "experiments.mnist.training.momentum: 1 is out of range (must be >= 0 and < 1)",
    ),
    "steps": (
        mnist("training: {steps: 0}"),
        "experiments.mnist.training.steps: 0 is out of range (must be >= 1)",
    ),
    "points of a grid": (
        mnist("training: {snapshot_steps: 1}"),
        "experiments.mnist.training.snapshot_steps: 1 is out of range (must be >= 2 and <= 100000)",
    ),
    "negative step": (
        mnist("training: {snapshot_steps: [-1]}"),
        "experiments.mnist.training.snapshot_steps[0]: -1 is out of range (must be >= 0)",
    ),
    "evaluation samples": (
        mnist("training: {evaluation_samples: 0}"),
        "experiments.mnist.training.evaluation_samples: 0 is out of range (must be >= 1)",
    ),
    "width": (
        mnist("model: {hidden: [300, 0]}"),
        "experiments.mnist.model.hidden[1]: 0 is out of range (must be >= 1)",
    ),
    "density of a hidden layer": (
        mnist("pruning: {rates: {hidden: 1.0}}"),
        "experiments.mnist.pruning.rates.hidden: 1.0 is out of range (must be > 0 and < 1)",
    ),
    "density of the output layer": (
        mnist("pruning: {rates: {output: 0}}"),
        "experiments.mnist.pruning.rates.output: 0 is out of range (must be > 0 and < 1)",
    ),
    "density of the network": (
        mnist("pruning: {rates: {global: 20}}"),
        "experiments.mnist.pruning.rates.global: 20 is out of range (must be > 0 and < 1)",
    ),
    "rounds": (
        mnist("pruning: {rounds: -1}"),
        "experiments.mnist.pruning.rounds: -1 is out of range (must be >= 0)",
    ),
    "probe": (mnist("features: {probe: 0}"), "experiments.mnist.features.probe: 0 is out of range (must be >= 1)"),
    "count of seeds": ("seeds: {count: 0}", "seeds.count: 0 is out of range (must be >= 1)"),
    "margin of losses": (
        "claims: {margins: {loss: 1}}",
        "claims.margins.loss: 1 is out of range (must be > 1)",
    ),
    "seeds other than the tickets'": (
        "{experiments: {other: {inherit: mnist, seeds: {count: 2}, tickets_from: {experiment: mnist, alpha: 1}}}}",
        "experiments.other.seeds: differs from that of 'mnist', whose tickets it takes",
    ),
    "no seed to report": ("seeds: {tuning: 3}", "seeds.tuning: 3 is out of range (must be < count, which is 3)"),
    "no seed of an experiment to report": (
        mnist("seeds: {count: 2, tuning: 2}"),
        "experiments.mnist.seeds.tuning: 2 is out of range (must be < count, which is 2)",
    ),
    "block of seeds": ("seeds: {block: 0}", "seeds.block: 0 is out of range (must be >= 1)"),
    # Lists
    "no alphas": (mnist("alphas: []"), "experiments.mnist.alphas: must not be empty"),
    "no experiments in run": ("run: []", "run: must not be empty"),
    "no folder": ("results: ''", "results: must not be empty"),
    "equal alphas": (mnist("alphas: [0.1, 1, '0.10']"), "experiments.mnist.alphas[2]: 0.10 repeats 0.1"),
    "equal multipliers": (mnist("lrs: [1, 1.0]"), "experiments.mnist.lrs[1]: 1.0 repeats 1"),
    "equal rewinds": (
        mnist("pruning: {rewinds: [init, none, init]}"),
        "experiments.mnist.pruning.rewinds[2]: 'init' is listed twice",
    ),
    "equal names in run": ("run: [mnist, mnist]", "run[1]: 'mnist' is listed twice"),
    # Required, once merged
    "no alphas in the end": (
        "experiments: {other: {dataset: mnist, model: {hidden: [3]}, training: {steps: 1, lr: 1}}}",
        "experiments.other.alphas: missing",
    ),
    # Across keys
    "evaluation after the end": (
        mnist("training: {evaluation_steps: [0, 2000]}"),
        "experiments.mnist.training.evaluation_steps[1]: "
        "2000 is out of range (must be <= training.steps, which is 1000)",
    ),
    "snapshot after the end": (
        mnist("training: {snapshot_steps: [1001]}"),
        "experiments.mnist.training.snapshot_steps[0]: 1001 is out of range (must be <= training.steps, which is 1000)",
    ),
    "features of a round that isn't trained": (
        mnist("pruning: {rounds: 3}, features: {rounds: [0, 4]}"),
        "experiments.mnist.features.rounds[1]: 4 is out of range (must be <= pruning.rounds, which is 3)",
    ),
    "a deciding round that isn't trained": (
        mnist("pruning: {rounds: 3}, decide_at: [2, 4]"),
        "experiments.mnist.decide_at[1]: 4 is out of range (must be <= pruning.rounds, which is 3)",
    ),
    "the dense network as a deciding round": (
        mnist("decide_at: [0]"),
        "experiments.mnist.decide_at[0]: 0 is out of range (must be >= 1)",
    ),
    "an alpha's multiplier that isn't one": (
        mnist("lrs: [0.33, 1], lrs_by_alpha: {1: [1, 3.3]}"),
        "experiments.mnist.lrs_by_alpha.1[1]: 3.3 is not one of lrs (known: 0.33, 1)",
    ),
    "features of a multiplier that isn't trained": (
        mnist("lrs: [0.33, 1], features: {lrs: [1, 3.3]}"),
        "experiments.mnist.features.lrs[1]: 3.3 is not one of lrs (known: 0.33, 1)",
    ),
    "features of a multiplier beside frozen ones": (
        mnist("rates: rates.csv, features: {lrs: [1]}"),
        "experiments.mnist.features.lrs: must be null with frozen `rates`, where the tickets' are compared",
    ),
    "frozen rates without the lender's": (
        "{experiments: {other: {inherit: mnist, rates: a.csv, tickets_from: {experiment: mnist, alpha: 1}}}}",
        "experiments.other.rates: frozen here or in 'mnist' only, not in both",
    ),
    "a round that decides and isn't trained": (
        mnist("decide_at: [3, 12]"),
        "experiments.mnist.decide_at[1]: 12 is out of range (must be <= pruning.rounds, which is 9)",
    ),
    "a headline about runs that aren't there": (
        "experiments: {b: {inherit: mnist}, mnist: "
        "{baseline: b, headline: {criterion: snip}, pruning: {rewinds: [init]}}}",
        "experiments.mnist.headline: no such runs here: snip x init (known: magnitude x init)",
    ),
    "late without its step": (
        mnist("pruning: {rewinds: [late]}"),
        "experiments.mnist.pruning.late_step: missing; the rewind 'late' needs it",
    ),
    "late at a step without snapshot": (
        mnist("pruning: {rewinds: [late], late_step: 90}"),
        "experiments.mnist.pruning.late_step: 90 is not a snapshot step; "
        "the closest is 100 (known: 0, 1, 10, 100, 1000)",
    ),
    "classes of a regression": (
        "{datasets: {small: {source: teacher}}, "
        "experiments: {mnist: {dataset: small, training: {loss: cross_entropy}}}}",
        "experiments.mnist.training.loss: cross_entropy needs classes, which the dataset 'small' lacks",
    ),
    "baseline that isn't run": (
        "{run: [mnist], experiments: {base: {inherit: mnist}, mnist: {baseline: base}}}",
        "experiments.mnist.baseline: 'base' is not run; add it to `run`",
    ),
    "rival that isn't run": (
        "{run: [mnist], experiments: {base: {inherit: mnist}, mnist: {rivals: [mnist, base]}}}",
        "experiments.mnist.rivals[1]: 'base' is not run; add it to `run`",
    ),
    "a pull of no strength": (
        mnist("training: {distillation: 0}"),
        "experiments.mnist.training.distillation: 0 is out of range (must be > 0)",
    ),
    # Inheritance
    "cycle": (
        "{run: [mnist], experiments: {b: {inherit: c}, a: {inherit: b}, c: {inherit: a}, d: {inherit: a}}}",
        "experiments.a.inherit: a cycle, a -> b -> c -> a",
    ),
    "cycle of one": ("experiments: {a: {inherit: a}}", "experiments.a.inherit: a cycle, a -> a"),
    "mistake in a parent": (
        "experiments: {other: {inherit: mnist}, mnist: {center: maybe}}",
        "experiments.mnist.center: expected true or false, got 'maybe'",
    ),
    "mistake in an experiment that isn't run": (
        "{run: [mnist], experiments: {other: {centre: true}}}",
        f"experiments.other.centre: unknown key; did you mean 'center'? (known: {EXPERIMENT})",
    ),
}


def errors(raw: dict) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        resolve(raw, SCHEMA, KINDS)
    assert str(caught.value).splitlines() == caught.value.lines
    assert "Traceback" not in str(caught.value)
    return caught.value.lines


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(name):
    text, line = MISTAKES[name]
    assert errors(written(text)) == [f"config: {line}"]


@pytest.mark.parametrize("rewind", ["distilled", "distilled_logits"])
@pytest.mark.parametrize("pruning", ["{{rewinds: [init, {}]}}", "{{also: [{{criterion: snip, rewind: {}}}]}}"])
def test_a_centered_network_is_not_distilled(pruning, rewind):
    kinds = {**KINDS, "rewind": [*KINDS["rewind"], rewind]}
    raw = written(mnist(f"pruning: {pruning.format(rewind)}"))
    with pytest.raises(ConfigError) as caught:
        resolve(raw, SCHEMA, kinds)
    text = f"experiments.mnist.center: must be false with the rewind {rewind!r}, which pulls h itself, not f"
    assert caught.value.lines == [f"config: {text}"]
    raw["experiments"]["mnist"]["center"] = False
    resolve(raw, SCHEMA, kinds)


def test_sparse_mup_is_of_an_uncentered_f_and_of_adam():
    raw = written("experiments: {mnist: {pruning: {rewinds: [sparse_mup]}, training: {optimizer: sgd}}}")
    with pytest.raises(ConfigError) as caught:
        resolve(raw, SCHEMA, {**KINDS, "rewind": [*KINDS["rewind"], "sparse_mup"]})
    assert [line.split(": ", 2)[1:] for line in caught.value.lines] == [
        [
            "experiments.mnist.center",
            "must be false with the rewind 'sparse_mup', whose initial values depend on the mask",
        ],
        ["experiments.mnist.training.optimizer", "must be adam with the rewind 'sparse_mup', whose rates are Adam's"],
    ]


def test_no_experiments():
    assert errors({}) == ["config: experiments: missing"]
    assert errors({"experiments": {}}) == ["config: experiments: must not be empty"]


def test_what_an_experiment_must_say():
    missing = ("dataset", "alphas", "model.hidden", "training.steps", "training.lr")
    assert errors({"experiments": {"toy": {}}}) == [f"config: experiments.toy.{key}: missing" for key in missing]


def test_all_mistakes_at_once():
    raw = written(
        """
        results: 3
        seeds: {count: 0, blocks: 3}
        run: [mnist, toy, late, b]
        datasets: {small: {source: techer}}
        experiments:
          mnist: {alphas: [0, 1], training: {steps: many}}
          late: {dataset: mnist, alphas: [1], model: {hidden: [3]}, training: {steps: 9, lr: 1},
                 pruning: {rewinds: [late]}, features: {rounds: [99]}}
          a: {inherit: b}
          b: {inherit: a}
        """
    )
    starts = (
        "results: expected a string",
        "seeds.blocks: unknown key; did you mean 'block'?",
        "seeds.count: 0 is out of range",
        "run[1]: unknown experiment 'toy'",
        "datasets.small.source: unknown dataset 'techer'",
        "experiments.mnist.alphas[0]: 0 is out of range",
        "experiments.mnist.training.steps: expected an integer",
        "experiments.late.pruning.late_step: missing",
        "experiments.late.features.rounds[0]: 99 is out of range",
        "experiments.a.inherit: a cycle, a -> b -> a",
    )
    found = errors(raw)
    assert len(found) == len(starts)
    for start in starts:
        assert sum(line.startswith(f"config: {start}") for line in found) == 1, start


def test_the_error_is_one_that_a_user_can_act_on():
    error = ConfigError(["config: a: b", "config: c: d"])
    assert isinstance(error, FeatpruneError)
    assert str(error) == "config: a: b\nconfig: c: d"
    assert pickle.loads(pickle.dumps(error)).lines == error.lines
