"""Small pictures and masks as they are, pixel for pixel, for tables in HTML."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from assignments_lib.look import IGNORED, LINE, PALETTE

IGNORE = 255


def png(picture: Tensor, colours: int | None = None) -> bytes:
    """A picture or a mask as a PNG file, with at most so many colours where that is said.

    Pictures are (H, W), (1, H, W) or (3, H, W), floats in [0, 1] or uint8; masks (H, W) integers, in which 255 is what
    is ignored: grey stripes.
    """
    picture = picture.detach().cpu()
    if picture.is_floating_point():
        picture = picture.double().nan_to_num(nan=0.0).clamp(0, 1).mul(255).round().to(torch.uint8)
    elif picture.dtype != torch.uint8 or picture.ndim == 2:
        return _file(coloured(picture.reshape(picture.shape[-2:])))
    pixels = (picture.permute(1, 2, 0) if picture.ndim == 3 else picture).numpy()
    return _file(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] != 3 else pixels, colours)


def coloured(mask: Tensor) -> np.ndarray:
    """Labels (H, W) as colours, (H, W, 3) uint8."""
    colours = np.array([_rgb(colour) for colour in PALETTE], dtype=np.uint8)
    labels = mask.cpu().numpy().astype(np.int64)
    pixels: np.ndarray = colours[labels % len(colours)]
    rows, columns = np.indices(labels.shape)
    pixels[labels == IGNORE] = _rgb(IGNORED)
    pixels[(labels == IGNORE) & ((rows + columns) % 4 == 0)] = 255
    return pixels


def tag(file: bytes, alt: str, size: tuple[int, int]) -> str:
    """The HTML of a PNG, its pixels enlarged without blur to ``size``, (width, height) in CSS pixels."""
    width, height = size
    encoded = base64.b64encode(file).decode()
    return (
        f'<img alt="{escape(alt, quote=True)}" width="{width}" height="{height}" style="image-rendering:pixelated;'
        f'border:1px solid {LINE}" src="data:image/png;base64,{encoded}">'
    )


def fitted(picture: Tensor, side: int) -> tuple[int, int]:
    """Width and height, in CSS pixels, with which the picture's longer side is ``side``."""
    height, width = picture.shape[-2:]
    return round(width * side / max(height, width)), round(height * side / max(height, width))


def _file(pixels: np.ndarray, colours: int | None = None) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if colours is not None and image.mode == "RGB":
        image = image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(file, format="png", optimize=True)
    return file.getvalue()


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
