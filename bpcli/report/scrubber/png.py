"""Many small pictures of few colours as one PNG image.

All browsers read PNG without a script, and images that are data are not requests. A picture is an
array of colour numbers, and the palette has an opacity for each, so that it fits a light page and
a dark one.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bpcli.nn.arrays import Array

Colour = tuple[int, int, int, float]
"""Red, green and blue from 0 to 255, and the opacity from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Pictures of one size: `tiles` (n, height, width) are colour numbers of the palette."""

    tiles: Array
    palette: Sequence[Colour]

    @property
    def columns(self) -> int:
        return columns_for(*self.tiles.shape)

    @cached_property
    def address(self) -> str:
        """All tiles as one image."""
        return data_address(sheet(self.tiles, self.columns), self.palette)

    def address_of(self, number: int) -> str:
        """One tile as an image."""
        return data_address(self.tiles[number], self.palette)


def data_address(pixels: Array, palette: Sequence[Colour]) -> str:
    """An image (height, width) of colour numbers as a `data:` address."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels, palette)).decode()}"


def columns_for(count: int, height: int, width: int) -> int:
    """The columns of a sheet of tiles that is about square, as browsers draw no long images."""
    return max(1, math.ceil(math.sqrt(count * height / width)))


def sheet(tiles: Array, columns: int) -> Array:
    """Tiles (n, height, width) side by side, row by row; the last row is filled up with 0."""
    count, height, width = tiles.shape
    rows = -(-count // columns)
    padded = np.zeros((rows * columns, height, width), tiles.dtype)
    padded[:count] = tiles
    grid = padded.reshape(rows, columns, height, width).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width)


def png(pixels: Array, palette: Sequence[Colour]) -> bytes:
    """A PNG file with a palette, of 4 or 8 bits per pixel."""
    height, width = pixels.shape
    depth = 4 if len(palette) <= 16 else 8
    head = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)
    rgb = b"".join(bytes(colour[:3]) for colour in palette)
    alpha = bytes(round(255 * colour[3]) for colour in palette)
    lines = _packed(pixels.astype(np.uint8), depth)
    unfiltered = np.zeros((height, lines.shape[1] + 1), np.uint8)  # each line begins with filter 0
    unfiltered[:, 1:] = lines
    pieces = [
        (b"IHDR", head),
        (b"PLTE", rgb),
        (b"tRNS", alpha),
        (b"IDAT", zlib.compress(unfiltered.tobytes(), 7)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*piece) for piece in pieces)


def _packed(pixels: Array, depth: int) -> Array:
    if depth == 8:
        return pixels
    even = np.zeros((len(pixels), pixels.shape[1] + pixels.shape[1] % 2), np.uint8)
    even[:, : pixels.shape[1]] = pixels
    packed: Array = even[:, ::2] << 4 | even[:, 1::2]
    return packed


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
