"""Where the time of a step goes: its kernels, and the convolutions of few channels one by one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from day import Day
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from variants import VARIANTS, built, prepared

BATCH = 8
TB_S = 3.0  # an H100's memory


@dataclass(frozen=True)
class Shape:
    """A convolution of DeepMTS at 128^3 voxels.

    Attributes:
        inputs: Channels.
        outputs: Channels.
        kernel: Voxels along each axis.
        side: Of the output, in voxels.
        count: How many of them the network has; 0 is what might replace some of them.
    """

    inputs: int
    outputs: int
    kernel: int
    side: int
    count: int


CONVOLUTIONS = (
    *(Shape(2, 8, 3, 128, 1), Shape(8, 8, 3, 128, 2), Shape(24, 8, 3, 128, 1)),
    *(Shape(24, 8, 1, 128, 1), Shape(8, 4, 1, 128, 1), Shape(8, 2, 1, 128, 1)),
    *(Shape(8, 16, 3, 64, 1), Shape(16, 16, 3, 64, 2), Shape(48, 16, 3, 64, 1)),
    *(Shape(32, 32, 3, 32, 4), Shape(96, 32, 3, 32, 1), Shape(64, 64, 3, 16, 4)),
    *(Shape(64, 16, 3, 31, 4), Shape(72, 64, 1, 31, 1)),
    # Padded channels; the first convolution of a block and its shortcut in one kernel.
    *(Shape(8, 8, 3, 128, 0), Shape(24, 16, 3, 128, 0)),
    *(Shape(16, 16, 3, 128, 0), Shape(32, 8, 3, 128, 0)),
)
LAYOUTS = {"last": torch.channels_last_3d, "first": torch.contiguous_format}


def convs(day: Day) -> None:
    """Forward, gradient of input and of weights of the convolutions that count, in bf16."""
    torch.backends.cudnn.benchmark = True
    total = [0.0, 0.0, 0.0]
    for shape in CONVOLUTIONS:
        side = max(8, shape.side * day.size // 128)
        wanted = LAYOUTS if shape.count else {"last": LAYOUTS["last"]}
        times = {name: _times(day, shape, side, layout) for name, layout in wanted.items()}
        total = [a + shape.count * b for a, b in zip(total, times["last"], strict=True)]
        voxels = BATCH * side**3
        day.keep(
            "conv",
            {
                "shape": [shape.inputs, shape.outputs, shape.kernel, side],
                "count": shape.count,
                "floor_ms": round(voxels * (shape.inputs + shape.outputs) * 2 / TB_S / 1e9, 3),
                "gflop": round(
                    2 * voxels * shape.inputs * shape.outputs * shape.kernel**3 / 1e9, 1
                ),
                "forward_dgrad_wgrad": {
                    name: [round(one, 3) for one in found] for name, found in times.items()
                },
            },
        )
    day.keep("convs", {"total_forward_dgrad_wgrad_ms": total})


def _times(day: Day, shape: Shape, side: int, layout: torch.memory_format) -> tuple[float, ...]:
    """Milliseconds of forward, gradient of the input and gradient of the weights."""
    kernel, padding = (shape.kernel,) * 3, shape.kernel // 2
    image = _random(day, (BATCH, shape.inputs, side, side, side), layout)
    weight = _random(day, (shape.outputs, shape.inputs, *kernel), layout)

    def forward() -> Tensor:
        return torch.nn.functional.conv3d(image, weight, padding=padding)

    gradient = torch.randn_like(forward())

    def backward(*, of_image: bool) -> object:
        return torch.ops.aten.convolution_backward(
            *(gradient, image, weight, [0], [1] * 3, [padding] * 3, [1] * 3, False, [0] * 3, 1),
            [of_image, not of_image, False],
        )

    return (
        day.median_ms(forward, day.steps),
        day.median_ms(lambda: backward(of_image=True), day.steps),
        day.median_ms(lambda: backward(of_image=False), day.steps),
    )


def _random(day: Day, shape: tuple[int, ...], layout: torch.memory_format) -> Tensor:
    made = torch.randn(shape, device=day.device, dtype=torch.bfloat16)
    return made.to(memory_format=layout)


def kernels(day: Day) -> None:
    """The device time of a step by kernel, of each named variant."""
    with prepared(day, day.size) as part:
        for name in day.names:
            step = built(part, day, VARIANTS[name])
            for _ in range(5):
                step(0)
            day.wait()
            activities = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * day.cuda]
            with profile(activities=activities) as found:
                for _ in range(2):
                    step(0)
                day.wait()
            by = "self_device_time_total" if day.cuda else "self_cpu_time_total"
            rows = sorted(found.key_averages(), key=lambda one: -getattr(one, by))[:40]
            print(f"== {name}: ms a step, calls a step, kernel")
            for row in rows:
                print(f"{getattr(row, by) / 2e3:9.3f} {row.count / 2:7.1f}  {row.key[:110]}")
