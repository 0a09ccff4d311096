from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest

from bpcli.report.scrubber.png import columns_for, data_address, png, sheet


def pixels_of(content: bytes) -> np.ndarray:
    """The colour numbers of a PNG with a palette and no filters."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + size]
        assert struct.unpack(">I", content[at + 8 + size :][:4])[0] == zlib.crc32(name + body)
        chunks[name], at = body, at + 12 + size
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert kind == 3
    assert len(chunks[b"PLTE"]) == 3 * len(chunks[b"tRNS"])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not lines[:, 0].any()
    packed = lines[:, 1:]
    if depth == 4:
        packed = np.stack([packed >> 4, packed & 15], axis=-1).reshape(height, -1)
    return packed[:, :width]


@pytest.mark.parametrize("colours", [3, 16, 17, 64])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (6, 8)])
def test_the_pixels_are_those_given(colours: int, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(colours, size=shape)
    palette = [(number, 0, 255 - number, number / colours) for number in range(colours)]
    assert (pixels_of(png(pixels, palette)) == pixels).all()


def test_a_sheet_has_the_tiles_row_by_row() -> None:
    tiles = np.arange(5 * 2 * 3).reshape(5, 2, 3)
    whole = sheet(tiles, 2)
    assert whole.shape == (6, 6)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 2)
        assert (whole[2 * row : 2 * row + 2, 3 * column : 3 * column + 3] == tile).all()
    assert not whole[4:, 3:].any()


@pytest.mark.parametrize(("count", "height", "width"), [(1, 4, 4), (501, 64, 64), (100, 10, 33)])
def test_a_sheet_is_about_square(count: int, height: int, width: int) -> None:
    columns = columns_for(count, height, width)
    rows = -(-count // columns)
    assert max(columns * width, rows * height) <= 2 * np.sqrt(count * height * width) + 64


def test_an_image_is_data() -> None:
    address = data_address(np.zeros((2, 2), int), [(1, 2, 3, 0.5)])
    prefix, _, text = address.partition(",")
    assert prefix == "data:image/png;base64"
    assert base64.b64decode(text, validate=True)[:4] == b"\x89PNG"
