"""torchvision's ImageNet weights of ResNet34, where they can be had."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import ResNet34_Weights

from assignments_lib.datasets.download import DownloadError, download, sentence
from assignments_lib.datasets.root import data_root


def imagenet_weights() -> dict[str, Tensor] | None:
    """The state dict that torchvision publishes, under torchvision's names; None, with a sentence, offline.

    It is looked for in torch's own cache, then under ``data/checkpoints``, where it is downloaded once (84 MB).
    With ``ASSIGNMENTS_OFFLINE`` set nothing is downloaded.
    """
    url = str(ResNet34_Weights.IMAGENET1K_V1.url)
    name = url.rsplit("/", 1)[-1]
    kept = data_root() / "checkpoints" / "imagenet" / name
    for path in (Path(torch.hub.get_dir()) / "checkpoints" / name, kept):
        if (state := _read(path)) is not None:
            return state
    if os.environ.get("ASSIGNMENTS_OFFLINE"):
        print(
            "ImageNet's weights are not on this machine, and ASSIGNMENTS_OFFLINE says not to download them."
        )
        return None
    try:
        download([url], kept, what="ImageNet's weights for ResNet34 (84 MB)")
    except DownloadError as error:
        print(
            f"ImageNet's weights can't be had{', being offline' if error.offline else ''}: we go on without them."
        )
        if error.reason:  # of this machine, such as a full disk: something can be done about it
            print(sentence(error.reason))
        return None
    return _read(kept)


def _read(path: Path) -> dict[str, Tensor] | None:
    """The file's state dict; None where there is none, and, with a sentence, where it isn't what its name promises.

    torchvision ends the name with the first digits of the content's SHA-256.
    """
    promised = path.stem.rsplit("-", 1)[-1]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        print(f"{path.name} is in {path.parent.name}/ and can't be read ({error.strerror or error}).")
        return None
    if not hashlib.sha256(content).hexdigest().startswith(promised):
        print(
            f"{path.name} in {path.parent.name}/ is damaged, so it doesn't count: it is fetched anew where it can be."
        )
        return None
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
