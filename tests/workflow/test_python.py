"""A study as Python sees it, and cells trained from Python, to the bits of the workflow's."""

import subprocess
import sys

import numpy as np
import pytest

import featprune
from featprune.datasets.dataset import load_dataset
from featprune.errors import FeatpruneError
from featprune.features.preactivations import read_preactivations


@pytest.fixture(scope="module")
def study(finished):
    return featprune.open_study(finished.results)


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'torch', 'pandas', 'numpy', 'matplotlib', 'snakemake'}"
    light = f"import sys, featprune; assert not {heavy} & set(sys.modules)"
    code = f"{light}; featprune.open_study; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "experiment, rewind, alpha", [("digits", "init", 1), ("digits", "none", 1), ("tiny", "init", 0.3)]
)
def test_a_cell_from_python_is_the_workflows_to_the_bit(study, finished, experiment, rewind, alpha):
    entry = study[experiment].config
    training, model = dict(entry["training"]), entry["model"]
    source = {"digits": "digits", "tiny": "small_teacher"}[experiment]
    data, seeds = load_dataset(finished.results / f"data/{source}.safetensors"), [0, 1]
    for seed in seeds if data.drawn else [None]:
        # A teacher of each seed's own gives each its labels.
        own = data if seed is None else data.of(seed)
        result = featprune.prune_and_train(
            own.train_x,
            own.train_y,
            validation=(own.validation_x, own.validation_y),
            test=(own.test_x, own.test_y),
            criterion="magnitude",
            rewind=rewind,
            round=2,
            alpha=alpha,
            seeds=seeds if seed is None else [seed],
            center=entry["center"],
            rates=entry["pruning"]["rates"],
            **training,
            **model,
        )
        for round, kind in ((0, ("dense", "dense")), (1, ("magnitude", rewind)), (2, ("magnitude", rewind))):
            saved = study[experiment].run(alpha=alpha, criterion=kind[0], rewind=kind[1], round=round)
            rows = slice(None) if seed is None else slice(seed, seed + 1)
            mine = result.runs[round]
            for name in ("masks", "weights", "biases"):
                for a, b in zip(getattr(mine, name), getattr(saved, name), strict=True):
                    assert a.tobytes() == b[rows].tobytes(), (name, round)
            history = saved.history[saved.history["seed"].isin(mine.seeds)].reset_index(drop=True)
            columns = ["seed", "step", "split", "loss", "accuracy"]
            assert mine.history[columns].equals(history[columns])


def test_tables_have_typed_axes(study):
    assert list(study) == ["tiny", "digits", "digits_baseline"]
    tuned = study.table("tuned")
    kinds = {
        "alpha": "float64",
        "lr": "float64",
        "round": "Int32",
        "seed": "Int32",
        "criterion": "str",
        "rewind": "str",
    }
    assert {axis: str(tuned[axis].dtype) for axis in kinds} == kinds
    assert set(tuned["experiment"]) == set(study)
    with pytest.raises(FeatpruneError, match=r"^tiny: no table 'tunes'.*did you mean 'tuned'"):
        study["tiny"].table("tunes")


def test_runs_are_found_by_their_axes(study):
    tiny = study["tiny"]
    assert [run.axes["round"] for run in tiny.runs(alpha="0.30", criterion="magnitude")] == [1, 2]
    assert len(tiny.runs(alpha=[0.3, 1], round=0)) == 6 and tiny.axes["alpha"] == [0.3, 1.0]
    with pytest.raises(FeatpruneError, match=r"2 runs at alpha=1, criterion='magnitude'; name one of round: 1, 2$"):
        tiny.run(alpha=1, criterion="magnitude")
    with pytest.raises(FeatpruneError, match=r"no run at alpha=2; there are alpha: 0\.3, 1\.0"):
        tiny.run(alpha=2)
    with pytest.raises(FeatpruneError, match="unknown axis 'alhpa'; did you mean 'alpha'"):
        tiny.runs(alhpa=1)


def test_arrays_load_when_they_are_used(study, monkeypatch):
    run = study["tiny"].run(alpha=1, criterion="magnitude", rewind="init", round=2)
    monkeypatch.setattr("featprune.api.run.load_run", None)
    assert [m.shape for m in run.masks] == [(2, 8, 6), (2, 1, 8)]
    monkeypatch.undo()
    assert all((w[~m] == 0).all() for w, m in zip(run.weights, run.masks, strict=True))
    last = run.snapshots[30]
    assert all(np.array_equal(a, b) for a, b in zip(last.weights, run.weights, strict=True))
    assert run.layer_density["weights_remaining"].sum() == sum(m.sum() for m in run.masks)
    np.testing.assert_allclose(run.density, [sum(m[r].sum() for m in run.masks) / 56 for r in range(2)])
    table = study["tiny"].table("summary").query("alpha == 1 and rewind == 'init' and round == 2").sort_values("seed")
    np.testing.assert_array_equal(run.loss, table["test_loss"])


def test_preactivations_are_given_by_layer_and_step(study):
    run = study["tiny"].run(alpha=1, criterion="magnitude", rewind="init", round=2)
    assert set(run.preactivations) == {(layer, step) for layer in (1, 2) for step in (0, 1, 30)}
    (file,) = run.files("preactivations.parquet")
    for seed, layer, step, probe, h in read_preactivations(file):
        assert np.array_equal(run.preactivations[layer, step][run.seeds.index(seed)], h)
        assert np.array_equal(run.preactivations.probe, probe)
    with pytest.raises(FeatpruneError, match=r"\(3, 0\); there are layers \[1, 2\] and steps \[0, 1, 30\]"):
        run.preactivations[3, 0]
    with pytest.raises(FeatpruneError, match=r"no preactivations were saved; put its round into features.rounds"):
        study["tiny"].run(alpha=1, criterion="magnitude", rewind="init", round=1).preactivations  # noqa: B018
