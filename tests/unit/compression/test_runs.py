from dataclasses import replace

import numpy as np

from featprune.compression.codec import load_fpz
from featprune.compression.runs import compress_run, fine_tuning
from featprune.runs.files import load_run
from tests.unit.engine.test_training import NETWORK, made_data, outputs
from tests.unit.runs.test_chain import SEEDS, SETTINGS, chain


def test_files_hold_the_networks_that_the_table_tells_of(tmp_path):
    settings = replace(SETTINGS, center=False)
    run = chain(tmp_path, "none", settings=settings)[2]
    tuning = fine_tuning(settings, 50, 60)
    assert tuning.steps == 50 and tuning.behind == 60
    data = made_data()
    table = compress_run(run, tmp_path / "fpz", NETWORK, data, tuning, 4, 3)
    assert table["seed"].tolist() == SEEDS
    saved = load_run(run)
    for i, row in enumerate(table.itertuples()):
        path = tmp_path / "fpz" / f"seed={row.seed}.fpz"
        network = load_fpz(path)
        assert row.huffman_bytes == path.stat().st_size
        assert all(np.array_equal(a, b[i : i + 1]) for a, b in zip(network.masks, saved.masks, strict=True))
        assert [len(c) for c in network.codebooks] == [16, 16, 8]
        accuracy = (outputs(network.parameters(), data.test_x).argmax(1) == data.test_y).mean()
        assert row.quantized_accuracy == accuracy
        before = (outputs(saved.parameters.replicas([i]), data.test_x).argmax(1) == data.test_y).mean()
        assert row.pruned_accuracy == before
    assert (table["original_bytes"] > table["pruned_bytes"]).all()
    assert (table["pruned_bytes"] > table["quantized_bytes"]).all()


def test_a_centered_network_is_compressed_with_its_reference(tmp_path):
    run = chain(tmp_path, "init")[2]
    data = made_data()
    table = compress_run(run, tmp_path / "fpz", NETWORK, data, fine_tuning(SETTINGS, 0, 20), 8, 8)
    reference = NETWORK.initial(SEEDS)
    saved = load_run(run)
    for i, accuracy in enumerate(table["pruned_accuracy"]):
        masks = [m[i : i + 1] for m in saved.masks]
        f = outputs(saved.parameters.replicas([i]), data.test_x)
        f = f - outputs(reference.replicas([i]).masked(masks), data.test_x)
        assert accuracy == (f.argmax(1) == data.test_y).mean()
