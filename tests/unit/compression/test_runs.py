from dataclasses import replace

import numpy as np
import pytest

from featprune.compression.codec import load_fpz
from featprune.compression.runs import compress_run, smallest
from featprune.compression.tuning import fine_tuning
from featprune.rewind import REWINDS, reference
from featprune.storage import load_table
from tests.unit.engine.test_training import NETWORK, made_data, outputs
from tests.unit.runs.chains import SEEDS, SETTINGS, chain, run_of


def compressed(folder, files, settings, *bits, margin=0.0, theta_ref=None):
    mask, weights = folder / "mask.safetensors", folder / "weights.safetensors"
    return compress_run(mask, weights, files, NETWORK, made_data(), settings, bits or [(8, 8)], margin, theta_ref)


def test_files_hold_the_networks_that_the_table_tells_of(tmp_path):
    settings = replace(SETTINGS, center=False)
    run = chain(tmp_path, "none", settings=settings)[2]
    data, saved = made_data(), run_of(run)
    table = compressed(run, tmp_path / "fpz", fine_tuning(settings, 50, 60), (4, 3))
    assert table["seed"].tolist() == SEEDS
    for i, row in table.iterrows():
        path = tmp_path / "fpz" / f"seed={row['seed']:.0f}.fpz"
        network = load_fpz(path)
        assert row["huffman_bytes"] == path.stat().st_size
        assert all(np.array_equal(a, b[[i]]) for a, b in zip(network.masks, saved.masks, strict=True))
        assert [len(c) for c in network.codebooks] == [16, 16, 8]
        accuracy = (outputs(network.parameters(), data.test_x).argmax(1) == data.test_y).mean()
        assert row["quantized_accuracy"] == accuracy
        before = (outputs(saved.parameters.replicas([i]), data.test_x).argmax(1) == data.test_y).mean()
        assert row["pruned_accuracy"] == before
    assert (table["original_bytes"] > table["pruned_bytes"]).all()
    assert (table["pruned_bytes"] > table["quantized_bytes"]).all()


def test_validation_chooses_the_bits_of_each_seed(tmp_path):
    settings = replace(SETTINGS, center=False)
    run = chain(tmp_path, "none", settings=settings)[2]
    how = fine_tuning(settings, 20, 60)
    pairs = [(8, 8), (3, 4), (1, 1)]
    alone = [compressed(run, tmp_path / str(pair), how, pair) for pair in pairs]
    lost = [alone[0]["quantized_validation_accuracy"] - one["quantized_validation_accuracy"] for one in alone]
    margins = {0.0, 1.0, float(max(map(max, lost[1:]))) / 2}
    assert len(margins) == 3
    for margin in margins:
        chosen = compressed(run, tmp_path / f"{margin}", how, *pairs, margin=margin)
        for i in range(len(SEEDS)):
            rows = [one.loc[i] for one in alone]
            best = max(row["quantized_validation_accuracy"] for row in rows)
            good = [row for row in rows if row["quantized_validation_accuracy"] >= best - margin]
            expected = min(good, key=lambda row: row["huffman_bytes"])
            assert chosen.loc[i].to_dict() == expected.to_dict()
            path = tmp_path / f"{margin}" / f"seed={SEEDS[i]}.fpz"
            assert path.stat().st_size == expected["huffman_bytes"]
    assert set(chosen.columns) == set(alone[0].columns)


@pytest.mark.parametrize(
    ("sizes", "accuracies", "margin", "chosen"),
    [
        ([30, 20, 10], [0.98, 0.98, 0.90], 0.001, 1),
        ([30, 20, 10], [0.982, 0.981, 0.98], 0.001, 1),
        ([30, 20], [0.9, 0.6], 0.3, 1),  # as far as the margin is within it, though 0.9 - 0.3 > 0.6
        ([30, 20, 10], [0.982, 0.981, 0.98], 0.0, 0),
        ([30, 20, 10], [0.982, 0.981, 0.98], 0.5, 2),
        ([20, 20, 10], [0.981, 0.982, 0.5], 0.01, 1),  # of equal sizes the more accurate
        ([30, 20], [np.nan, 0.9], 0.0, 1),
        ([30, 20], [np.nan, np.nan], 0.0, 0),
    ],
)
def test_the_smallest_file_that_is_accurate_enough(sizes, accuracies, margin, chosen):
    assert smallest(sizes, accuracies, margin) == chosen


@pytest.mark.parametrize("rewind", [name for name, rewind in REWINDS.items() if not rewind.uncentered])
def test_a_centered_network_is_compressed_with_the_reference_it_was_trained_with(tmp_path, rewind):
    run = chain(tmp_path, rewind, late_step=5 if rewind == "late" else None)[2]
    theta_ref = reference(REWINDS[rewind], NETWORK, SEEDS, 2)
    table = compressed(run, tmp_path / "fpz", fine_tuning(SETTINGS, 0, 20), theta_ref=theta_ref)
    history = load_table(run / "history.parquet").to_pandas()
    last = history[(history["step"] == history["step"].max()) & (history["split"] == "test")]
    assert table["pruned_accuracy"].tolist() == last["accuracy"].tolist()
    assert (table["quantized_accuracy"] - table["pruned_accuracy"]).abs().max() < 0.1
    wrong = NETWORK.initial([7, 8])
    elsewhere = compressed(run, tmp_path / "wrong", fine_tuning(SETTINGS, 0, 20), theta_ref=wrong)
    assert elsewhere["pruned_accuracy"].tolist() != table["pruned_accuracy"].tolist()


@pytest.mark.parametrize("center", [True, False])
def test_a_reference_that_is_missing_or_not_wanted_is_an_error(tmp_path, center):
    settings = replace(SETTINGS, center=center)
    run = chain(tmp_path, "init", settings=settings)[1]
    theta_ref = None if center else NETWORK.initial(SEEDS)
    with pytest.raises(ValueError, match="reference"):
        compressed(run, tmp_path / "fpz", fine_tuning(settings, 0, 20), theta_ref=theta_ref)
