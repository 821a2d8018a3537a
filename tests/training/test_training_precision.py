"""bfloat16 behind the loop's back: the same results within its rounding, and no trace afterwards."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, ResNet

from assignments_lib.training import faster_in_bfloat16, precision, seed_everything
from assignments_lib.training.precision import bfloat16_forward, works_in_bfloat16


def small_resnet() -> ResNet:
    seed_everything(0)
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10)


def batch(count: int = 16, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, 32, 32, generator=generator), torch.arange(count) % 10


def test_outputs_are_float32_and_agree_within_bfloat16_rounding() -> None:
    """bfloat16 keeps 8 bits, so one rounding errs by at most 2**-9 of a value.

    About 20 roundings (a convolution's inputs, weights and output, layer after layer) add up at random to
    sqrt(20) * 2**-9, that is 0.9 % of the outputs' scale; 4 % leaves room for the largest of 160 outputs.
    """
    model, (images, labels) = small_resnet(), batch()
    exact = model(images)
    exact_loss = F.cross_entropy(exact, labels)
    with bfloat16_forward(model):
        rounded = model(images)
        loss = F.cross_entropy(rounded, labels)
    assert rounded.dtype == loss.dtype == torch.float32
    error = (rounded - exact).abs().max() / exact.abs().max()
    assert 0 < error < 0.04
    assert loss.item() == pytest.approx(exact_loss.item(), rel=0.02)
    rounded.detach().numpy()  # bfloat16 has no numpy type: this raises where it leaks


def test_rounding_disturbs_gradients_less_than_drawing_another_batch() -> None:
    model = small_resnet()

    def gradient(images: Tensor, labels: Tensor) -> Tensor:
        model.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        gradients = [each.grad for each in model.parameters() if each.grad is not None]
        assert all(each.dtype == torch.float32 for each in gradients)
        return torch.cat([each.flatten() for each in gradients])

    exact, other = gradient(*batch()), gradient(*batch(seed=2))
    with bfloat16_forward(model):
        rounded = gradient(*batch())
    assert 0 < (rounded - exact).norm() < 0.5 * (other - exact).norm()


@pytest.mark.slow
def test_training_reaches_the_same_loss() -> None:
    def losses(fast: bool) -> list[float]:
        model, (images, labels) = small_resnet(), batch(64)
        optimizer = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9)
        record = []
        for _ in range(12):
            if fast:
                with bfloat16_forward(model):
                    logits = model(images)
            else:
                logits = model(images)
            loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            record.append(loss.item())
        return record

    exact, rounded = losses(False), losses(True)
    assert exact[-1] < 0.5 * exact[0]
    # the runs drift apart as rounding is magnified, but by far less than training moved the loss
    assert rounded == pytest.approx(exact, abs=0.1 * (exact[0] - exact[-1]))


def test_no_trace_is_left_behind() -> None:
    model, (images, _) = small_resnet(), batch(2)
    model.eval()
    before = model(images)
    strides = [each.stride() for each in model.parameters()]
    with pytest.raises(KeyboardInterrupt), bfloat16_forward(model):  # noqa: PT012
        assert model(images).ne(before).any()
        raise KeyboardInterrupt
    assert torch.equal(model(images), before)
    assert "forward" not in vars(model)
    assert [each.stride() for each in model.parameters()] == strides
    assert not torch.is_autocast_enabled("cpu")


def test_a_copy_made_inside_runs_its_own_parameters() -> None:
    model, (images, _) = small_resnet(), batch(2)
    model.eval()
    with bfloat16_forward(model):
        twin = copy.deepcopy(model)
        nn.init.zeros_(model.fc.weight)
        nn.init.zeros_(model.fc.bias)
        assert model(images).abs().max() == 0
        assert twin(images).abs().max() > 0


def test_outputs_in_containers_are_float32_too() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, images: Tensor, scale: float = 1) -> Any:
            features = self.conv(images) * scale
            return {"out": features, "both": (features, features.argmax(1))}

    model = Two()
    with bfloat16_forward(model):
        outputs = model(batch(1)[0], scale=2)
    assert outputs["out"].dtype == outputs["both"][0].dtype == torch.float32
    assert outputs["both"][1].dtype == torch.int64


def test_networks_that_cannot_are_left_in_float32() -> None:
    class Views(nn.Module):
        """`view` needs the contiguous layout, which channels last is not."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, images: Tensor) -> Tensor:
            return self.conv(images).view(len(images), -1)

    images, _ = batch(2)
    replaced = small_resnet()
    vars(replaced)["forward"] = replaced.forward
    assert not works_in_bfloat16(replaced, images)
    assert "forward" in vars(replaced)
    assert not works_in_bfloat16(Views(), images)
    assert not works_in_bfloat16(small_resnet().double(), images)
    assert works_in_bfloat16(small_resnet(), images)


def test_trying_out_changes_nothing() -> None:
    model, (images, _) = small_resnet(), batch(4)
    model.layer1.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert works_in_bfloat16(model, images)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model.training
    assert not model.layer1.training


def test_measurement_is_made_once_and_draws_no_random_numbers() -> None:
    precision.speedup.cache_clear()
    torch.manual_seed(5)
    answers = {faster_in_bfloat16("cpu"), faster_in_bfloat16(torch.device("cpu"))}
    drawn = torch.rand(2)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(2))
    assert len(answers) == 1
    assert precision.speedup.cache_info().misses == 1
    assert precision.speedup("cpu") > 0


def test_other_devices_stay_in_float32() -> None:
    assert not faster_in_bfloat16("mps")
    if not torch.cuda.is_available():
        assert not faster_in_bfloat16("cuda")
