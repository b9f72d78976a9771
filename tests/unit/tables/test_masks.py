"""Densities of layers, and survivors at inputs."""

import numpy as np
import pandas as pd

from featprune.tables.masks import build_masks, layer_density, pixel_mask
from tests.unit.tables.made import files, write_mask, write_run


def test_layers_have_their_densities_and_say_where_one_collapsed(tmp_path):
    folders = [write_run(tmp_path), write_run(tmp_path, "snip", "init", 1, kept=2)]
    table = layer_density(files(folders, "density.parquet"))
    assert table.set_index(["round", "seed", "layer"])["layer_density"].to_dict() == {
        (r, s, n): 0.0 if (r, n) == (1, 1) else 1.0 for r in (0, 1) for s in (0, 1) for n in (1, 2)
    }
    lost = table.query("collapsed")
    assert set(zip(lost["round"], lost["layer"], strict=True)) == {(1, 1)} and set(lost["density"]) == {2 / 6}


def test_pixel_mask_counts_survivors_of_each_input(tmp_path):
    folder = write_run(tmp_path, kept=5)
    first = np.array([[[True, True], [True, False]], [[False, True], [False, True]]])
    write_mask(folder, [first, np.ones((2, 1, 2), bool)])
    paths = files([folder], "mask.safetensors"), files([folder], "density.parquet")
    table = pixel_mask(*paths)
    assert pd.concat(build_masks(*paths)["pixel_mask.parquet"]).equals(table)
    assert table.groupby("seed")["survivors"].agg(list).to_dict() == {0: [2, 1], 1: [0, 2]}
    assert table["pixel"].tolist() == [0, 1] * 2
    assert table.groupby("seed")["density"].unique().map(list).to_dict() == {0: [5 / 6], 1: [4 / 6]}
