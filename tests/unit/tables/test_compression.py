"""Compressed runs beside dense networks."""

import pandas as pd

from featprune.storage import save_table
from featprune.tables.compression import build_compression
from featprune.tables.performance import build_summary
from tests.unit.tables.made import BEHIND, histories_and_densities, write_run


def test_compression_is_told_beside_the_dense_network_of_the_same_seed(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "magnitude", "init", 1, losses=(3.0, 1.0, 5.0), kept=5)]
    save_table(folders[1] / "compression.parquet", pd.DataFrame({"seed": [0, 1], "huffman_bytes": [10, 20]}))
    summary = build_summary(*histories_and_densities(folders), BEHIND, {})["summary.parquet"]
    save_table(tmp_path / "summary.parquet", summary)
    paths = [str(folders[1] / "compression.parquet")], str(tmp_path / "summary.parquet")
    table = build_compression(*paths)["compression.parquet"].set_index("seed")
    dense = summary[summary["round"] == 0].set_index("seed")["test_accuracy"]
    assert table["dense_accuracy"].to_dict() == dense.to_dict()
    assert set(table["density"]) == {5 / 6} and table["huffman_bytes"].tolist() == [10, 20]
