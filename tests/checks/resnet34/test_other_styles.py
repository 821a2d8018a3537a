"""Typical mistakes as a student would write them, in another style than the catalogue's: they are named all the same.

Each is a correct variant with a few lines made wrong.
"""
# ruff: noqa: E501  (a change reads best on one line)

import pytest
from answers import namespace_of
from resnet34_variants import VARIANTS

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Exercise, evaluate
from assignments_lib.checks.resnet34 import ASSIGNMENT

# (exercise, the mistake's name, variant, (right, wrong), ...)
CASES: list[tuple[str, str, str, tuple[tuple[str, str], ...]]] = []


def case(id: str, mistake: str, variant: str, *changes: tuple[str, str]) -> None:
    CASES.append((id, mistake, variant, changes))


case("1.1", "the size is not a whole number", "textbook", (") // stride + 1", ") / stride + 1"))
case("1.1", "the size is rounded up", "sequential", ("math.floor(", "math.ceil("))
case("1.1", "one short", "wrapped", ("return quotient + 1", "return quotient"))
case("1.1", "padding on one side only", "einsum", ("size + 2 * padding", "size + padding"))
case("1.1", "dilation ignored", "handmade", ("dilation * (kernel_size - 1) <", "(kernel_size - 1) <"))
case(
    "1.1",
    "dilation stretches the whole kernel",
    "sequential",
    ("dilation * (kernel_size - 1) + 1", "dilation * kernel_size"),
)
case(
    "1.1",
    "the receptive field adds whole kernels",
    "handmade",
    ("(kernel - 1) * math", "kernel * math"),
)
case(
    "1.1",
    "the receptive field ignores strides",
    "einsum",
    ("[1, *accumulate((s for _, s in layers), mul)]", "[1] * len(layers)"),
)
case(
    "1.1",
    "the receptive field counts a layer's own stride too early",
    "functional",
    ("np.concatenate([[1], np.cumprod(strides)[:-1]])", "np.cumprod(strides)"),
)
case("1.1", "the receptive field forgets earlier strides", "textbook", ("jump *= stride", "jump = stride"))

case(
    "1.2",
    "ReLU before the addition",
    "handmade",
    ("y = self.norms[1](self.convs[1](y))", "y = self.norms[1](self.convs[1](y)).clamp(min=0)"),
    ("if self.projects else x)\n        return y.clamp(min=0)", "if self.projects else x)\n        return y"),
)
case("1.2", "no ReLU after the addition", "sequential", ("return self.relu(out)", "return out"))
case(
    "1.2",
    "ReLU before and after the addition",
    "functional",
    ("F.relu(x.add(y))", "F.relu(x.add(F.relu(y)))"),
)
case("1.2", "no ReLU between the convolutions", "wrapped", ("        out = out * (out > 0)\n", ""))
case("1.2", "no shortcut", "convolutional_head", ("y + self.shortcut(x)", "y"))
case("1.2", "zeroed residual", "subclassed", ("self.through(x))", "0 * self.through(x))"))
case("1.2", "ReLU writes into the input", "einsum", ("residual = ", "x.relu_()\n        residual = "))
case(
    "1.2",
    "ReLU on the projection",
    "wrapped",
    (
        'self.layers["bn_c"](self.layers["conv_c"](identity))',
        'self.layers["bn_c"](self.layers["conv_c"](identity)).clamp_min(0)',
    ),
)
case("1.2", "no projection", "subclassed", ("if needs_projection\n", "if False\n"))
case(
    "1.2",
    "3x3 projection",
    "sequential",
    ("conv_bn(in_channels, out_channels, 1, stride)", "conv_bn(in_channels, out_channels, 3, stride)"),
)
case(
    "1.2",
    "projection without BatchNorm",
    "handmade",
    ("self.shortcut_norm(self.shortcut(x))", "self.shortcut(x)"),
)
case(
    "1.2",
    "projection on every shortcut",
    "einsum",
    ("        if stride != 1 or in_channels != out_channels:", "        if True:"),
)
case("1.2", "projection only where channels change", "handmade", ("stride > 1 or in_channels", "in_channels"))
case(
    "1.2",
    "projection only where the stride is not 1",
    "functional",
    ("if (in_channels, 1) != (out_channels, stride):", "if stride != 1:"),
)
case(
    "1.2",
    "stride in one of the two paths only",
    "functional",
    ("F.conv2d(x, self.w3, stride=self.stride)", "F.conv2d(x, self.w3)"),
)
case(
    "1.2",
    "stride in the second convolution",
    "functional",
    ("self.w1, stride=self.stride, padding=1", "self.w1, padding=1"),
    ("self.w2, padding=1", "self.w2, stride=self.stride, padding=1"),
)
case(
    "1.2",
    "stride in both convolutions",
    "functional",
    ("self.w2, padding=1", "self.w2, stride=self.stride, padding=1"),
)
case(
    "1.2",
    "stride in one of the two paths only",
    "handmade",
    ("Conv(in_channels, out_channels, 3, stride)", "Conv(in_channels, out_channels, 3)"),
)
case(
    "1.2",
    "one BatchNorm for both convolutions",
    "handmade",
    ("self.norms[1](self.convs[1](y))", "self.norms[0](self.convs[1](y))"),
)
case(
    "1.2",
    "no BatchNorm after the second convolution",
    "handmade",
    ("self.norms[1](self.convs[1](y))", "self.convs[1](y)"),
)
case("1.2", "convolutions with bias", "subclassed", ("else 1, bias=False\n", "else 1\n"))
case(
    "1.2",
    "3x3 convolutions without padding",
    "functional",
    ("stride=self.stride, padding=1", "stride=self.stride"),
    ("self.w2, padding=1", "self.w2"),
)

case(
    "1.3",
    "blocks in a plain list",
    "handmade",
    (
        "self.entry = BasicBlock(in_channels, out_channels, stride)\n        self.others = nn.ModuleList(BasicBlock(out_channels, out_channels) for _ in range(num_blocks - 1))",
        "self.blocks = [BasicBlock(in_channels, out_channels, stride)]\n        self.blocks += [BasicBlock(out_channels, out_channels) for _ in range(num_blocks - 1)]",
    ),
    ("x = self.entry(x)\n        for block in self.others:", "for block in self.blocks:"),
)
case(
    "1.3",
    "one block object used again and again",
    "wrapped",
    (
        "*(BasicBlock(out_channels, out_channels, 1) for _ in range(1, num_blocks))",
        "*[BasicBlock(out_channels, out_channels, 1)] * (num_blocks - 1)",
    ),
)
case("1.3", "stride in every block", "sequential", ("1 if n else stride", "stride"))
case(
    "1.3",
    "no stride at all",
    "convolutional_head",
    ("strides = [stride] + [1] * (num_blocks - 1)", "strides = [1] * num_blocks"),
)
case(
    "1.3",
    "stride in the last block",
    "convolutional_head",
    ("strides = [stride] + [1] * (num_blocks - 1)", "strides = [1] * (num_blocks - 1) + [stride]"),
)
case(
    "1.3",
    "one block too many",
    "textbook",
    ("for _ in range(num_blocks - 1):", "for _ in range(num_blocks):"),
)
case(
    "1.3",
    "one block too few",
    "functional",
    ("[(out_channels, 1)] * (num_blocks - 1)", "[(out_channels, 1)] * (num_blocks - 2)"),
)
case(
    "1.3",
    "every block takes in_channels",
    "textbook",
    (
        "blocks.append(BasicBlock(out_channels, out_channels))",
        "blocks.append(BasicBlock(in_channels, out_channels))",
    ),
)

case(
    "1.4",
    "one block too few in the third stage",
    "handmade",
    ("enumerate([3, 4, 6, 3])", "enumerate([3, 4, 5, 3])"),
)
case(
    "1.4",
    "fc hard-coded to 10 classes",
    "wrapped",
    ("self.head = nn.Linear(512, num_classes)", "self.head = nn.Linear(512, 10)"),
)
case(
    "1.4",
    "squeeze drops a batch of one",
    "textbook",
    ("torch.flatten(self.average(x), 1)", "self.average(x).squeeze()"),
)
case(
    "1.4",
    "softmax at the end",
    "functional",
    (
        "F.linear(x, self.head_weight, self.head_bias)",
        "F.softmax(F.linear(x, self.head_weight, self.head_bias), dim=1)",
    ),
)
case("1.4", "average pooling fixed at 7x7", "sequential", ("nn.AdaptiveAvgPool2d((1, 1))", "nn.AvgPool2d(7)"))
case(
    "1.4",
    "maximum instead of average before fc",
    "handmade",
    ("x.mean(dim=(-2, -1))", "x.amax(dim=(-2, -1))"),
)
case("1.4", "no max pooling", "handmade", ("        x = torch.max_pool2d(x, 3, 2, 1)\n", ""))
case("1.4", "stages in a plain list", "handmade", ("self.stages = nn.ModuleList()", "self.stages = []"))
case("1.4", "stride in the first stage", "convolutional_head", ("1 if n == 0 else 2", "2"))

case("1.5", "fan-in instead of fan-out", "functional", ('mode="fan_out"', 'mode="fan_in"'))
case(
    "1.5",
    "Xavier instead of Kaiming",
    "wrapped",
    (
        'nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="relu")',
        "nn.init.xavier_uniform_(module.weight)",
    ),
)
case("1.5", "gain for a linear layer", "handmade", ("math.sqrt(2 / (outputs", "math.sqrt(1 / (outputs"))
case("1.5", "one spread for all layers", "subclassed", ("(2.0 / fan_out) ** 0.5", "0.01"))
case(
    "1.5",
    "only the outermost layers",
    "textbook",
    (
        "for module in model.modules():\n        if isinstance(module, nn.Conv2d):",
        "for module in model.children():\n        if isinstance(module, nn.Conv2d):",
    ),
)
case(
    "1.5",
    "zero initialisation forgotten",
    "handmade",
    ("                module.norms[1].gamma.zero_()", "                pass"),
)
case("1.5", "the first BatchNorm of a block zeroed", "functional", ("module.n2_scale", "module.n1_scale"))
case(
    "1.5",
    "projections zeroed too",
    "sequential",
    (
        "module.body[-1][1].weight.data.zero_()",
        "module.body[-1][1].weight.data.zero_()\n            if len(module.skip):\n                module.skip[1].weight.data.zero_()",
    ),
)

case("1.6", "running statistics left out", "subclassed", ("        buffer.copy_(tensor)", "        pass"))
case(
    "1.6",
    "nothing loaded",
    "sequential",
    ("model.load_state_dict(renamed, strict=True)", "model.load_state_dict(state_dict, strict=False)"),
)
case(
    "1.6",
    "the last layer left out",
    "functional",
    (
        "model.load_state_dict({table[name]: value for name, value in kept.items()})",
        "model.load_state_dict({table[n]: v for n, v in kept.items() if n[:2] != 'fc'}, strict=False)",
    ),
)
case(
    "1.6",
    "tensors that don't fit passed over",
    "textbook",
    (
        'raise ValueError(f"{name} has shape {tuple(old.shape)}, but the weights have {tuple(new.shape)}")',
        "continue",
    ),
    ("model.load_state_dict(translated)", "model.load_state_dict(translated, strict=False)"),
)

case("1.7", "zero_grad missing", "textbook", ("        optimizer.zero_grad()\n", ""))
case(
    "1.7",
    "no step",
    "handmade",
    ("        loss.backward()\n", "        loss.backward()\n        model.zero_grad()\n"),
)
case(
    "1.7",
    "two steps a batch",
    "functional",
    ("        optimizer.step()\n", "        optimizer.step()\n        optimizer.step()\n"),
)
case("1.7", "not put into training mode", "einsum", ("    train_mode(model)\n", ""))
case("1.7", "train_mode not used", "textbook", ("    train_mode(model)\n", "    model.train()\n"))
case(
    "1.7",
    "softmax before cross-entropy",
    "subclassed",
    (
        "functional.cross_entropy(model(images.to(device)),",
        "functional.cross_entropy(model(images.to(device)).softmax(-1),",
    ),
)
case(
    "1.7",
    "sum instead of mean in the loss",
    "wrapped",
    ("losses.mean().backward()", "losses.sum().backward()"),
)
case("1.7", "mean of batch means", "functional", ("np.average(losses, weights=sizes)", "np.mean(losses)"))
case(
    "1.7",
    "loss of the last batch",
    "einsum",
    (
        "return sum(size * loss for size, loss in zip(sizes, losses, strict=False)) / sum(sizes)",
        "return loss.item()",
    ),
)
case("1.7", "loss not divided", "handmade", ("return (total / seen).item()", "return total.item()"))
case(
    "1.7",
    "summed batch losses divided by pictures",
    "subclassed",
    ("loss.item() * images.size(0)", "loss.item()"),
)
case(
    "1.7",
    "loss kept with its graph",
    "textbook",
    (
        "loss.item() * len(labels)\n        count += len(labels)\n    return total / count\n\n\n@",
        "loss * len(labels)\n        count += len(labels)\n    return total / count\n\n\n@",
    ),
)
case("1.7", "a tensor returned", "handmade", ("return (total / seen).item()", "return total / seen"))
case("1.7", "BatchNorm left in training mode when evaluating", "handmade", ("    model.eval()\n", ""))
case("1.7", "gradients recorded when evaluating", "textbook", ("@torch.no_grad()\n", ""))
case(
    "1.7",
    "mean of batch accuracies",
    "subclassed",
    (
        "correct += (predicted == labels).float().sum().item()",
        "correct += (predicted == labels).double().mean().item()",
    ),
    ("correct / len(loader.dataset)", "correct / len(loader)"),
)
case("1.7", "accuracy in percent", "handmade", ("right / seen\n", "100 * right / seen\n"))
case("1.7", "number of right answers", "textbook", ("right / count", "right"))
case("1.7", "accuracy before loss", "convolutional_head", ("return loss, accuracy", "return accuracy, loss"))
case("1.7", "arg max over the batch", "textbook", ("logits.argmax(1)", "logits.argmax(0)"))

case(
    "1.8",
    "only the head's weight learns",
    "functional",
    (
        "model.head_bias = nn.Parameter(torch.zeros(num_classes))\n\n\ndef train_head",
        "model.head_bias = nn.Parameter(torch.zeros(num_classes), requires_grad=False)\n\n\ndef train_head",
    ),
)
case(
    "1.8",
    "frozen after the head was replaced",
    "handmade",
    (
        "    model.classify = Linear(512, num_classes)\n    return model",
        "    model.classify = Linear(512, num_classes)\n    return model.requires_grad_(False)",
    ),
)
case(
    "1.8",
    "requires_grad set on a module or not at all",
    "wrapped",
    (
        "    for parameter in features.parameters():\n        parameter.requires_grad_(False)\n",
        "    features.requires_grad = False\n",
    ),
)
case(
    "1.8",
    "head hard-coded to 10 classes",
    "convolutional_head",
    ("model.head.in_channels, num_classes, 1", "model.head.in_channels, 10, 1"),
)
case(
    "1.8",
    "the last stage learns too",
    "textbook",
    (
        "    model.fc = nn.Linear(model.fc.in_features, num_classes)",
        "    model.fc = nn.Linear(model.fc.in_features, num_classes)\n    model.stage4.requires_grad_(True)",
    ),
)
case(
    "1.8",
    "BatchNorm left in training mode",
    "subclassed",
    (
        "            module.eval()\n    return model",
        "            module.requires_grad_(False)\n    return model",
    ),
)
case(
    "1.8",
    "BatchNorm's momentum set to zero",
    "textbook",
    (
        "        if isinstance(module, nn.BatchNorm2d):\n            module.eval()",
        "        if isinstance(module, nn.BatchNorm2d):\n            module.momentum = 0",
    ),
)
case(
    "1.8",
    "only the first BatchNorm",
    "textbook",
    (
        "    for module in model.modules():\n        if isinstance(module, nn.BatchNorm2d):\n            module.eval()",
        "    for module in model.children():\n        if isinstance(module, nn.BatchNorm2d):\n            module.eval()",
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id", "mistake", "variant", "changes"), CASES, ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in CASES]
)
def test_a_mistake_in_another_style_is_named(
    id: str, mistake: str, variant: str, changes: tuple[tuple[str, str], ...]
) -> None:
    source = VARIANTS[variant]
    for right, wrong in changes:
        assert right in source, f"the variant has no {right!r}"
        source = source.replace(right, wrong)
    exercise = ASSIGNMENT.task(id)
    assert isinstance(exercise, Exercise)
    result = evaluate(exercise, InProcess(namespace_of(source)), seed=7)
    assert result.earned < exercise.points
    assert mistake in [named.name for named in result.mistakes]
