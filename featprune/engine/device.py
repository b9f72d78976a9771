"""Where networks train: on the CPU, or on a GPU that as many jobs share as the resource `gpu` allows."""

from __future__ import annotations

from pathlib import Path

from featprune.errors import FeatpruneError

# What the drivers of NVIDIA, AMD, and NVIDIA under Windows make known: looked at without importing torch.
GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def gpus_wanted(device: str) -> int:
    """How many GPUs a training job asks for: 1 for `cuda`, 0 for `cpu`; for `auto`, 1 where this machine has one."""
    found = any(Path(file).exists() for file in GPU_FILES)
    return int(device == "cuda" or (device == "auto" and found))


def choose_device(gpus: int) -> str:
    """The device of a job that was given so many GPUs; raises FeatpruneError where torch can't use one."""
    if not gpus:
        return "cpu"
    import torch

    if not torch.cuda.is_available():
        raise FeatpruneError("device: this job was given a GPU, but torch finds none that it can use; set device: cpu")
    return "cuda"
