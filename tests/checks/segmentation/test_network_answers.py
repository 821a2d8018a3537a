"""Exercise 3.5: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import ChildProcess
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import BLANK, Result, evaluate
from assignments_lib.checks.host import run_source
from assignments_lib.checks.segmentation.network import EXERCISE

FULL = EXERCISE.points


def loss(logits: Tensor, masks: Tensor) -> Tensor:
    counted = (masks != 255).sum()
    return F.cross_entropy(logits, masks, ignore_index=255, reduction="sum") / counted.clamp(min=1)


def segment(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return model(images).argmax(1)


def bilinear(size: int) -> Tensor:
    """The kernel (size, size) of Long et al.'s code, for an even size."""
    ramp = 1 - (torch.arange(size) + 0.5 - size / 2).abs() / (size / 2)
    return ramp[:, None] * ramp


class Stepwise(nn.Module):
    """By interpolation, coarse to fine."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__()
        self.trunk = trunk
        self.scores = nn.ModuleList(
            nn.Conv2d(channels, num_classes, kernel_size=1) for channels in trunk.channels[3 - skips :]
        )
        for layer in self.scores[:-1]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.trunk(images)[-len(self.scores) :]
        scored = [layer(features) for layer, features in zip(self.scores, maps, strict=True)]
        x = scored.pop()
        while scored:
            finer = scored.pop()
            x = finer + F.interpolate(x, size=finer.shape[2:], mode="bilinear", align_corners=False)
        return F.interpolate(x, size=images.shape[2:], mode="bilinear", align_corners=False)


class AllAtOnce(nn.Module):
    """Each map's scores are enlarged to the picture in one go."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__()
        self.backbone, self.first = trunk, 3 - skips
        for k in range(self.first, 4):
            setattr(self, f"classifier_{k}", nn.Conv2d(trunk.channels[k], num_classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        up = nn.Upsample(images.shape[-2:], mode="bilinear")
        maps = self.backbone(images)
        return torch.stack([up(getattr(self, f"classifier_{k}")(maps[k])) for k in range(self.first, 4)]).sum(
            0
        )


class Transposed(nn.Module):
    """Depthwise transposed convolutions, cropped at the lower right."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__()
        self.trunk = trunk
        self.heads, self.ups = nn.ModuleList(), nn.ModuleList()
        for k in range(3, 2 - skips, -1):
            self.heads.append(nn.Conv2d(trunk.channels[k], num_classes, 1))
            finer = trunk.strides[k - 1] if k > 3 - skips else 1
            self.ups.append(self.up(num_classes, trunk.strides[k] // finer))

    def up(self, classes: int, s: int) -> nn.Module:
        if s == 1:
            layer = nn.ConvTranspose2d(classes, classes, 1, groups=classes)
            nn.init.ones_(layer.weight)
        else:
            layer = nn.ConvTranspose2d(classes, classes, 2 * s, s, s // 2, groups=classes)
            layer.weight.data[:] = bilinear(2 * s)
        nn.init.zeros_(layer.bias)
        return layer

    def forward(self, images: Tensor) -> Tensor:
        maps = self.trunk(images)
        scores = [head(maps[3 - i]) for i, head in enumerate(self.heads)]
        x = scores[0]
        for i, up in enumerate(self.ups):
            x = up(x)
            if i + 1 < len(scores):
                _, _, height, width = scores[i + 1].shape
                x = x[:, :, :height, :width] + scores[i + 1]
        return x[:, :, : images.size(2), : images.size(3)]


class Centred(Transposed):
    """A full kernel that doesn't learn, without padding; cropped in the middle."""

    def up(self, classes: int, s: int) -> nn.Module:
        layer = nn.ConvTranspose2d(classes, classes, 2 * s if s > 1 else 1, s, bias=False)
        kernel = bilinear(2 * s) if s > 1 else torch.ones(1, 1)
        layer.weight = nn.Parameter(torch.eye(classes)[:, :, None, None] * kernel, requires_grad=False)
        return layer

    def middle(self, x: Tensor, like: Tensor) -> Tensor:
        top, left = ((x.size(d) - like.size(d)) // 2 for d in (2, 3))
        return x[:, :, top : top + like.size(2), left : left + like.size(3)]

    def forward(self, images: Tensor) -> Tensor:
        maps = self.trunk(images)[::-1]
        x = self.heads[0](maps[0])
        for number, up in enumerate(self.ups):
            last = number == len(self.ups) - 1
            x = self.middle(up(x), images if last else maps[number + 1])
            x = x if last else x + self.heads[number + 1](maps[number + 1])
        return x


class Bare(nn.Module):
    """Parameters and einsum; the kernel is a buffer, applied to one channel at a time."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__()
        self.stem, self.stages, self.strides = trunk.stem, trunk.stages, trunk.strides
        used = trunk.channels[::-1][: skips + 1]
        self.w = nn.ParameterList(torch.randn(num_classes, c) / c for c in used)
        self.b = nn.ParameterList(torch.zeros(num_classes) for _ in used)
        finest = trunk.strides[3 - skips]
        self.register_buffer("kernel", bilinear(2 * finest)[None, None])

    def forward(self, images: Tensor) -> Tensor:
        x, maps = self.stem(images), []
        for stage in self.stages:
            x = stage(x)
            maps.insert(0, x)
        total = None
        for w, b, features in zip(self.w, self.b, maps, strict=False):
            y = torch.einsum("kc,nchw->nkhw", w, features) + b[:, None, None]
            total = y if total is None else y + F.interpolate(total, y.shape[2:], mode="bilinear")
        n, k, h, v = total.shape
        s = self.kernel.shape[-1] // 2
        up = F.conv_transpose2d(total.reshape(n * k, 1, h, v), self.kernel, stride=s, padding=s // 2)
        return up.view(n, k, *up.shape[2:])[..., : images.shape[2], : images.shape[3]]


class Padded(Stepwise):
    """Linear layers; the picture is continued to whole units first, and cropped at the end."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, skips)
        self.scores = nn.ModuleList(nn.Linear(c, num_classes) for c in trunk.channels[3 - skips :])

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        s = self.trunk.strides
        x = F.pad(images, (0, -width % s[3], 0, -height % s[3]), mode="replicate")
        maps = self.trunk(x)[4 - len(self.scores) :]
        scored = [
            f(m.permute(0, 2, 3, 1)).permute(0, 3, 1, 2) for f, m in zip(self.scores, maps, strict=True)
        ]
        x, at = scored[-1], s[3]
        for y, stride in list(zip(scored, s[4 - len(self.scores) :], strict=True))[-2::-1]:
            x, at = y + nn.Upsample(scale_factor=at // stride, mode="bilinear")(x), stride
        return nn.Upsample(scale_factor=at, mode="bilinear")(x)[:, :, :height, :width]


def chosen(logits: Tensor, masks: Tensor) -> Tensor:
    keep = masks != 255
    if not keep.any():
        return 0 * logits.sum()
    return F.cross_entropy(logits.permute(0, 2, 3, 1)[keep], masks[keep])


def by_hand(logits: Tensor, masks: Tensor) -> Tensor:
    total, count = logits.new_zeros(()) * logits.sum(), 0
    for n, y, x in (masks < 255).nonzero().tolist():
        scores = logits[n, :, y, x]
        total = total + scores.logsumexp(0) - scores[masks[n, y, x]]
        count += 1
    return total / max(count, 1)


def gathered(logits: Tensor, masks: Tensor) -> Tensor:
    valid = masks.ne(255)
    log_p = logits.log_softmax(1).gather(1, masks.where(valid, 0)[:, None])[:, 0]
    return -(log_p * valid).sum() / max(1, int(valid.sum()))


def one_hot(logits: Tensor, masks: Tensor) -> Tensor:
    targets = F.one_hot(masks.masked_fill(masks == 255, logits.shape[1]), logits.shape[1] + 1)[..., :-1]
    losses = F.cross_entropy(logits, targets.movedim(-1, 1).to(logits.dtype), reduction="none")
    return losses.sum() / targets.sum().clamp(min=1)


class Repaired(nn.Module):
    def forward(self, logits: Tensor, masks: Tensor) -> Tensor:
        return nn.CrossEntropyLoss(ignore_index=255)(logits.log_softmax(1), masks).nan_to_num(0.0)


@torch.inference_mode()
def largest(model: nn.Module, images: Tensor) -> Tensor:
    return model.eval()(images).softmax(1).max(1)[1]


def one_by_one(model: nn.Module, images: Tensor) -> Tensor:
    mode = model.training
    model.train(False)
    try:
        with torch.set_grad_enabled(False):
            return torch.stack([model(image[None])[0].topk(1, dim=0).indices[0] for image in images])
    finally:
        model.train(mode)


def with_numpy(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return torch.from_numpy(np.argmax(model(images).numpy(), axis=1))


RIGHT: dict[str, dict[str, Callable[..., Any]]] = {
    "stepwise": {"segmentation_loss": loss, "FCN": Stepwise, "segment": segment},
    "all at once": {"segmentation_loss": chosen, "FCN": AllAtOnce, "segment": largest},
    "transposed": {"segmentation_loss": by_hand, "FCN": Transposed, "segment": one_by_one},
    "centred": {"segmentation_loss": gathered, "FCN": Centred, "segment": with_numpy},
    "bare": {"segmentation_loss": one_hot, "FCN": Bare, "segment": segment},
    "padded": {"segmentation_loss": Repaired(), "FCN": Padded, "segment": largest},
}


def graded(seed: int, **changed: Callable[..., Any]) -> Result:
    return evaluate(EXERCISE, InProcess({**RIGHT["stepwise"], **changed}), seed)


@pytest.mark.slow
@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in range(20):
        result = graded(seed, **RIGHT[style])
        assert result.earned == FULL, [part for part in result.parts if part.earned < part.points]


# -- wrong answers ------------------------------------------------------------------------------------------


def weighted(logits: Tensor, masks: Tensor) -> Tensor:
    found = masks[masks != 255]
    weights = torch.stack([1 / max(1.0, float((found == k).sum()) / found.numel() * 100) for k in range(3)])
    return F.cross_entropy(logits, masks, weights, ignore_index=255)


def zeroed(logits: Tensor, masks: Tensor) -> Tensor:
    masks[masks == 255] = 0
    return F.cross_entropy(logits, masks)


def repaired_in_place(logits: Tensor, masks: Tensor) -> Tensor:
    ignored = masks == 255
    masks.masked_fill_(ignored, 0)
    losses = F.cross_entropy(logits, masks, reduction="none")
    return losses.masked_fill(ignored, 0).sum() / (~ignored).sum().clamp(min=1)


def by_picture(logits: Tensor, masks: Tensor) -> Tensor:
    losses = F.cross_entropy(logits, masks, ignore_index=255, reduction="none").flatten(1).sum(1)
    return (losses / (masks != 255).flatten(1).sum(1).clamp(min=1)).mean()


def naive(logits: Tensor, masks: Tensor) -> Tensor:
    p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    valid = masks != 255
    picked = p.gather(1, masks.where(valid, 0)[:, None]).squeeze(1)
    return -torch.log(picked[valid]).sum() / valid.sum().clamp(min=1)


def given_back(logits: Tensor, masks: Tensor) -> Tensor:
    value = F.cross_entropy(logits, masks, ignore_index=255)
    return torch.tensor(0.0, dtype=logits.dtype) if value.isnan() else value


WRONG_LOSSES: list[tuple[str, Callable[..., Any]]] = [
    ("softmax before the cross-entropy", lambda x, m: loss(F.softmax(x, dim=1), m)),
    (
        "divided by all pixels",
        lambda x, m: F.cross_entropy(x, m, ignore_index=255, reduction="sum") / m.numel(),
    ),
    ("255 turned into class 0", lambda x, m: F.cross_entropy(x, m * (m != 255))),
    ("255 turned into class 0", zeroed),
    (
        "255 turned into class 0",
        lambda x, m: F.cross_entropy(x, torch.where(m == 255, 0, m), ignore_index=255),
    ),
    ("255 taken for a class", lambda x, m: nn.CrossEntropyLoss()(x, m)),
    ("255 taken for a class", lambda x, m: F.nll_loss(x.log_softmax(1), m)),
    ("mean of the pictures' means", by_picture),
    ("logarithm of a softmax", naive),
    ("nan where nothing counts", nn.CrossEntropyLoss(ignore_index=255)),
    ("nan where nothing counts", lambda x, m: F.cross_entropy(x.movedim(1, -1)[m < 255], m[m < 255])),
    ("a bare 0 where nothing counts", given_back),
    ("masks written into", repaired_in_place),
    ("a Python number", lambda x, m: float(loss(x, m).detach())),
    ("the loss cut off from its graph", lambda x, m: torch.tensor(loss(x, m).item(), dtype=x.dtype)),
    ("reshaped instead of permuted", lambda x, m: loss(x.view(m.numel(), -1), m.view(-1))),
    (
        "class 0 ignored as well",
        lambda x, m: loss(x.movedim(1, -1)[(m > 0) & (m < 255)], m[(m > 0) & (m < 255)]),
    ),
]


class Layers(Stepwise):
    """All three layers by name, the network's parts as students name them."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        nn.Module.__init__(self)
        self.trunk, self.skips = trunk, skips
        self.score4 = nn.Conv2d(trunk.channels[3], num_classes, 1)
        self.score3 = nn.Conv2d(trunk.channels[2], num_classes, 1) if skips > 0 else None
        self.score2 = nn.Conv2d(trunk.channels[1], num_classes, 1) if skips > 1 else None

    def forward(self, images: Tensor) -> Tensor:
        _, c2, c3, c4 = self.trunk(images)
        x = self.score4(c4)
        if self.skips >= 1:
            x = self.up(x, c3.shape[2:], 2) + self.score3(c3)
        if self.skips >= 2:
            x = self.up(x, c2.shape[2:], 2) + self.score2(c2)
        return self.up(x, images.shape[2:], (32, 16, 8)[self.skips])

    def up(self, x: Tensor, size: torch.Size, factor: int) -> Tensor:
        return F.interpolate(x, size, mode="bilinear")


class Unused(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, 2)
        self.skips = skips


class Always(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, 2)


class Never(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes)


class Dropped(Layers):
    def forward(self, images: Tensor) -> Tensor:
        return F.interpolate(self.score4(self.trunk(images)[-1]), images.shape[2:], mode="bilinear")


class Turned(Layers):
    """The stride of 8 first, then the stride of 16."""

    def forward(self, images: Tensor) -> Tensor:
        _, c2, c3, c4 = self.trunk(images)
        x = self.score4(c4)
        if self.skips == 2:
            x = F.interpolate(x, c2.shape[2:], mode="bilinear") + self.score2(c2)
        if self.skips >= 1:
            x = F.interpolate(x, c3.shape[2:], mode="bilinear") + self.score3(c3)
        return F.interpolate(x, images.shape[2:], mode="bilinear")


class Finer(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes)
        self.skips = skips
        if skips > 0:
            self.score3 = nn.Conv2d(trunk.channels[1], num_classes, 1)
        if skips > 1:
            self.score2 = nn.Conv2d(trunk.channels[0], num_classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        c1, c2, _, c4 = self.trunk(images)
        x = self.score4(c4)
        if self.skips >= 1:
            x = F.interpolate(x, c2.shape[2:], mode="bilinear") + self.score3(c2)
        if self.skips >= 2:
            x = F.interpolate(x, c1.shape[2:], mode="bilinear") + self.score2(c1)
        return F.interpolate(x, images.shape[2:], mode="bilinear")


class Probable(Layers):
    def forward(self, images: Tensor) -> Tensor:
        return nn.Softmax(dim=1)(super().forward(images))


class Rectified(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, skips)
        self.score4 = nn.Sequential(self.score4, nn.ReLU())
        self.score3 = nn.Sequential(self.score3, nn.ReLU()) if skips > 0 else None
        self.score2 = nn.Sequential(self.score2, nn.ReLU()) if skips > 1 else None


class Steps(Layers):
    def up(self, x: Tensor, size: torch.Size, factor: int) -> Tensor:
        return nn.Upsample(size)(x)


class Corners(Layers):
    def up(self, x: Tensor, size: torch.Size, factor: int) -> Tensor:
        return nn.UpsamplingBilinear2d(size)(x)  # align_corners=True, says its documentation


class Cubic(Layers):
    def up(self, x: Tensor, size: torch.Size, factor: int) -> Tensor:
        return nn.Upsample(size, mode="bicubic")(x)


class ByFactor(Layers):
    """Adding fails where a doubled map is larger than the finer one."""

    def up(self, x: Tensor, size: torch.Size, factor: int) -> Tensor:
        return nn.Upsample(scale_factor=factor, mode="bilinear")(x)


class Fixed(Transposed):
    """Every factor is ResNet34's, whatever the trunk says."""

    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, skips)
        factors = [2] * skips + [(32, 16, 8)[skips]]
        self.ups = nn.ModuleList(self.up(num_classes, factor) for factor in factors)


class Uncropped(Transposed):
    """Cropped between the maps, but not at the end."""

    def forward(self, images: Tensor) -> Tensor:
        finest = self.trunk.strides[4 - len(self.heads)]
        whole = [-(-size // finest) * finest for size in images.shape[2:]]
        maps = self.trunk(images)
        x = self.heads[0](maps[3])
        for i, up in enumerate(self.ups):
            x = up(x)
            if i + 1 < len(self.heads):
                y = self.heads[i + 1](maps[2 - i])
                x = x[:, :, : y.size(2), : y.size(3)] + y
        return x[:, :, : whole[0], : whole[1]]


class Random(Transposed):
    def up(self, classes: int, s: int) -> nn.Module:
        return nn.ConvTranspose2d(classes, classes, kernel_size=2 * s, stride=s, padding=s // 2)


class Shrunk(Transposed):
    def up(self, classes: int, s: int) -> nn.Module:
        layer = super().up(classes, s)
        layer.weight.data /= layer.weight.data[0].sum()
        return layer


class Mixed(Transposed):
    def up(self, classes: int, s: int) -> nn.Module:
        layer = nn.ConvTranspose2d(classes, classes, 2 * s if s > 1 else 1, s, s // 2, bias=False)
        layer.weight.data[:] = bilinear(2 * s) if s > 1 else 1.0
        return layer


class Corner(Centred):
    def middle(self, x: Tensor, like: Tensor) -> Tensor:
        return x[:, :, : like.size(2), : like.size(3)]


class Biasless(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, skips)
        for layer in (self.score4, self.score3, self.score2):
            if layer is not None:
                layer.register_parameter("bias", None)


class Frozen(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        for parameter in trunk.parameters():
            parameter.requires_grad = False
        super().__init__(trunk, num_classes, skips)


class Hidden(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, num_classes, skips)
        del self.trunk
        self.parts = [trunk]

    def forward(self, images: Tensor) -> Tensor:
        self.__dict__["trunk"] = self.parts[0]
        return super().forward(images)


class Cut(Layers):
    def forward(self, images: Tensor) -> Tensor:
        maps = [features.detach() for features in self.trunk(images)]
        stand_in = nn.Module()
        stand_in.forward = lambda _: maps
        trunk, self.trunk = self.trunk, stand_in
        try:
            return super().forward(images)
        finally:
            self.trunk = trunk


class Eleven(Layers):
    def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
        super().__init__(trunk, 11, skips)


class Coarse(Layers):
    def forward(self, images: Tensor) -> Tensor:
        finest = self.trunk(images)[3 - self.skips]
        return F.interpolate(super().forward(images), finest.shape[2:])


class WholeOnly(Layers):
    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        return super().forward(images[:, :, : height - height % 32, : width - width % 32])


WRONG_NETWORKS: list[tuple[str, Callable[..., Any]]] = [
    ("score layers that nothing uses", Unused),
    ("skips always on", Always),
    ("skips ignored", Never),
    ("skip scores never added", Dropped),
    ("skips in the wrong order", Turned),
    ("skips one stage too fine", Finer),
    ("softmax at the end", Probable),
    ("ReLU on the scores", Rectified),
    ("nearest neighbour", Steps),
    ("align_corners=True", Corners),
    ("bicubic", Cubic),
    ("maps that don't fit together", ByFactor),
    ("factors fixed at 2, 32, 16 and 8", Fixed),
    ("enlarged to whole units", Uncropped),
    ("transposed convolution not bilinear", Random),
    ("kernel normalised to a sum of 1", Shrunk),
    ("classes mixed while enlarging", Mixed),
    ("cropped at the corner", Corner),
    ("scored without bias", Biasless),
    ("the trunk frozen", Frozen),
    ("the trunk not registered", Hidden),
    ("the features cut off from their graph", Cut),
    ("number of classes fixed", Eleven),
    ("left at the coarse size", Coarse),
    ("odd sizes rounded down", WholeOnly),
]


def plain(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.max(model(images), dim=1).indices


def recorded(model: nn.Module, images: Tensor) -> Tensor:
    return model.eval()(images).detach().argmax(dim=1)


def quietly(of: Callable[[Tensor], Any]) -> Callable[..., Any]:
    return lambda model, images: of(torch.no_grad()(model.eval())(images))


WRONG_SEGMENTS: list[tuple[str, Callable[..., Any]]] = [
    ("left in training mode", plain),
    ("gradients recorded", recorded),
    ("arg max over the columns", quietly(lambda x: x.max(-1).indices)),
    ("arg max over the batch", quietly(lambda x: torch.argmax(x, dim=0))),
    ("one dimension too many", quietly(lambda x: x.topk(1, dim=1).indices)),
    ("only the first picture", quietly(lambda x: x.argmax(1)[0])),
    ("class numbers as floats", quietly(lambda x: x.argmax(1).to(x))),
    ("values and positions both", quietly(lambda x: torch.max(x, 1))),
    ("largest score, not its class", quietly(lambda x: x.max(1)[0])),
    ("background can't win", quietly(lambda x: 1 + x[:, 1:].argmax(1))),
]

WRONG = [
    (name, mistake, function)
    for name, mistakes in (
        ("segmentation_loss", WRONG_LOSSES),
        ("FCN", WRONG_NETWORKS),
        ("segment", WRONG_SEGMENTS),
    )
    for mistake, function in mistakes
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mistake", "wrong"), WRONG, ids=[f"{i}-{mistake}" for i, (_, mistake, _) in enumerate(WRONG)]
)
def test_wrong_answers_lose_points_and_are_named(name: str, mistake: str, wrong: Callable[..., Any]) -> None:
    for seed in (31, 32):
        result = graded(seed, **{name: wrong})
        assert result.earned < FULL
        assert mistake in [found.name for found in result.mistakes]


# -- what else must lose, or keep, points -------------------------------------------------------------------


@pytest.mark.slow
def test_each_function_has_its_own_points() -> None:
    def nothing(*_: Any) -> None:
        return None

    assert graded(41, segmentation_loss=nothing).earned == FULL - 5
    assert graded(41, FCN=nothing).earned == FULL - 10
    assert graded(41, segment=nothing).earned == FULL - 3


@pytest.mark.slow
def test_what_is_no_module_is_said_so() -> None:
    result = graded(42, FCN=lambda trunk, num_classes, skips=0: 5)
    assert "where a module (nn.Module) was expected" in str(result.parts[3].error)


def test_a_recorded_answer_is_no_answer() -> None:
    tape: dict[tuple[int, ...], Any] = {}

    def from_tape(logits: Tensor, masks: Tensor) -> Any:
        return tape.setdefault((*logits.shape, int(logits.requires_grad)), loss(logits, masks))

    graded(51, segmentation_loss=from_tape)
    assert graded(52, segmentation_loss=from_tape).earned <= FULL - 4


def test_ramps_are_not_all_that_is_looked_at() -> None:
    """Logits that the network makes up from the picture alone keep no point for sums and score layers."""

    class Forged(nn.Module):
        def __init__(self, trunk: Any, num_classes: int, skips: int = 0):
            super().__init__()
            self.trunk, self.extra, self.times = trunk, num_classes - 3, skips + 1

        def forward(self, images: Tensor) -> Tensor:
            return F.pad(self.times * images, (0, 0, 0, 0, 0, self.extra))

    result = graded(53, FCN=Forged)
    assert [part.title.split(": ")[1] for part in result.parts[3:9] if part.earned] == [
        "every size of picture",
        "a trunk with other strides",
    ]


BLANK_CELLS = """
from torch import nn
from assignments_lib import NotFilledIn

def segmentation_loss(logits, masks):
    raise NotFilledIn("Exercise 3.5: segmentation_loss")

class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        raise NotFilledIn("Exercise 3.5: FCN")

def segment(model, images):
    raise NotFilledIn("Exercise 3.5: segment")
"""


def test_blank_cells_are_blank() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_source(BLANK_CELLS, "<cell 1>", namespace)
    assert {part.status for part in evaluate(EXERCISE, InProcess(namespace), 61).parts} == {BLANK}


def test_gradients_of_a_function_come_from_a_child_process_too() -> None:
    source = "def segmentation_loss(logits, masks):\n    return (logits ** 2).sum() * 0.5 + 0 * masks.sum()\n"
    logits, masks = torch.randn(1, 2, 3, 4), torch.zeros(1, 3, 4, dtype=torch.int64)
    with ChildProcess() as child:
        child.define([source])
        function = child.make("applied", "segmentation_loss", [masks])
        grad = child.run(function, logits, grad_output=torch.ones(())).grad_input
    assert grad is not None
    assert torch.equal(grad, logits)


@pytest.mark.parametrize("style", ["stepwise", "all at once", "transposed", "centred"])
def test_pictures_of_right_answers_are_the_target(style: str) -> None:
    shown = demonstrate(EXERCISE.demonstrations, InProcess(RIGHT[style]))
    assert [each.verdict for each in shown] == ["the same"] * 3
