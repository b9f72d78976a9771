"""Whether a job asks for a GPU, and what it trains on."""

import pytest
import torch

from featprune.engine import device
from featprune.engine.device import choose_device, gpus_wanted
from featprune.errors import FeatpruneError


@pytest.mark.parametrize("present", [True, False])
def test_a_gpu_is_wanted_where_it_is_asked_for_or_there(monkeypatch, tmp_path, present):
    monkeypatch.setattr(device, "GPU_FILES", (str(tmp_path / "none"), str(tmp_path if present else tmp_path / "gpu")))
    assert [gpus_wanted(name) for name in ("cuda", "cpu", "auto")] == [1, 0, int(present)]


def test_a_job_trains_on_what_it_was_given(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (choose_device(0), choose_device(1)) == ("cpu", "cuda")


def test_a_gpu_that_torch_cannot_use_is_an_error_with_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(0) == "cpu"
    with pytest.raises(FeatpruneError, match="given a GPU, but torch finds none that it can use; set device: cpu"):
        choose_device(1)
