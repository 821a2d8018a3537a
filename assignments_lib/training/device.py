"""Which device to train on."""

from __future__ import annotations

import os

import torch


def choose_device() -> torch.device:
    """The device ``$ASSIGNMENTS_DEVICE`` names; else cuda where there is one, else mps, else cpu.

    Raises:
        ValueError: the variable names something that torch doesn't know or this machine doesn't have.
    """
    named = os.environ.get("ASSIGNMENTS_DEVICE", "").strip()
    if not named:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(named)
        torch.empty(0, device=device)
    except Exception as error:  # torch raises RuntimeError, AssertionError or NotImplementedError, by backend
        raise ValueError(
            f"ASSIGNMENTS_DEVICE is {named!r}, which can't be used here ({str(error).splitlines()[0]}). "
            "Set it to cpu, cuda or mps, or unset it."
        ) from None
    return device
