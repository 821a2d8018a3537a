"""The classifier of assignment 1 is found again, whatever its author called its layers."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from assignments_lib.classifier import from_assignment_1
from assignments_lib.training.checkpoint import Checkpoint
from assignments_lib.training.history import Epoch, History

CHECKOUT = Path(__file__).resolve().parents[1]
STYLES = sorted((CHECKOUT / "tests/checks/resnet34/variants").glob("*.py"))
IMAGES = torch.rand(4, 3, 32, 32)


@pytest.fixture(autouse=True)
def _data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path / "data"))


def kept(model: nn.Module) -> nn.Module:
    """The model with weights that tell its layers apart, stored as assignment 1 does."""
    generator = torch.Generator().manual_seed(0)
    for tensor in model.state_dict().values():
        if tensor.is_floating_point() and tensor.ndim < 2:
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    history = History([Epoch(1, 1.0, 1.0, 0.9, 1.0)], name="from scratch")
    Checkpoint("1_resnet34/scratch_doodles").save(model.eval(), history, {}, IMAGES)
    return model


@pytest.mark.parametrize("style", ["textbook", "subclassed", "sequential"])
def test_other_names_are_understood(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict = {}
    (path,) = [path for path in STYLES if path.stem == style]
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    mine = kept(namespace["ResNet34"](10))
    found = from_assignment_1()
    assert "Loaded your classifier" in capsys.readouterr().out
    assert found is not None
    with torch.no_grad():
        assert torch.allclose(found(IMAGES), mine(IMAGES), rtol=1e-3, atol=1e-4)


class Backwards(BasicBlock):
    """Registers its layers in another order, under names that sort against the forward pass."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for old, new in (("conv1", "z_conv"), ("bn1", "norm_z"), ("conv2", "a_conv"), ("bn2", "norm_a")):
            self.add_module(new, self._modules.pop(old))
        self.add_module("norm_b", self._modules.pop("downsample", None))

    def forward(self, x):
        y = torch.relu(self.norm_z(self.z_conv(x)))
        return torch.relu(self.norm_a(self.a_conv(y)) + (x if self.norm_b is None else self.norm_b(x)))


def test_names_that_sort_against_the_forward_pass_are_understood() -> None:
    mine = kept(torchvision.models.ResNet(Backwards, [3, 4, 6, 3], num_classes=10))
    found = from_assignment_1()
    assert found is not None
    with torch.no_grad():
        assert torch.allclose(found(IMAGES), mine(IMAGES), rtol=1e-3, atol=1e-4)


def test_another_network_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    kept(torchvision.models.resnet18(num_classes=10))
    assert from_assignment_1() is None
    assert "isn't a ResNet34" in capsys.readouterr().out


def test_without_a_file_a_sentence_says_who_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_assignment_1() is None
    assert "assignment 1 makes it" in capsys.readouterr().out


def test_a_damaged_file_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data/checkpoints/1_resnet34/scratch_doodles.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no tensors in here")
    assert from_assignment_1() is None
    assert "damaged" in capsys.readouterr().out
