"""The file of a compressed network, `.fpz`, and its size: Deep Compression's last stage (Han, Mao & Dally 2016).

A layer's weights are a sparse matrix. Its positions are *relative indices*: the number of zeros before each survivor
in row-major order, as symbols of b bits: 0 to 2^b - 2 are gaps, 2^b - 1 is an escape that skips so many zeros. (The
paper pads with a weight of value zero instead, which costs its code and its value too; an escape costs an index only.)
Nothing is written for the zeros after the last survivor. Of b = 1 to 8 each layer takes what makes its coded positions
shortest: where gaps are long a narrow symbol is mostly escapes, which a Huffman code can't give less than a bit each;
where they are short a wide one needs a larger tree. The paper's width is INDEX_BITS = 5 in fully connected layers.

Gaps and codes are Huffman coded, each layer's by trees of their own. The coder is zlib's deflate, restricted to
Huffman coding (no matching of repeats). It is part of Python, the streams are RFC 1951, which fixes their meaning for
every decoder, and they hold their trees compactly, as run-length coded code lengths. A byte of a stream before coding
is one symbol.

Layout, little-endian:

    magic            4 bytes, 93 46 50 5A
    version, layers  uint8 each
    per layer        out, in uint32; bits of a code, bits of a gap uint8; centroids uint16
    per layer        codebook and biases, float32
    per layer        gaps, then codes: a raw deflate stream each; an end is marked by the stream itself
    checksum         CRC-32 of everything before, uint32

The file holds the network's numbers. Its activation, parametrization and alpha are the run's config.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from featprune.compression.quantization import Quantized
from featprune.errors import FeatpruneError, unreadable
from featprune.storage import atomic

MAGIC = b"\x93FPZ"
VERSION = 2  # in version 1 gaps had INDEX_BITS bits in all layers
INDEX_BITS = 5
GAP_BITS = range(1, 9)  # a symbol is a byte

FILE = struct.Struct("<4sBB")
LAYER = struct.Struct("<IIBBH")
CHECKSUM = struct.Struct("<I")
FLOAT = np.dtype("<f4")


def encode(quantized: Quantized) -> bytes:
    """The bytes of a `.fpz` file; the same for the same network (and build of zlib)."""
    entries = list(
        zip(quantized.masks, quantized.codes, quantized.codebooks, quantized.biases, quantized.bits, strict=True)
    )
    positions = [code_positions(mask) for mask in quantized.masks]
    parts = [FILE.pack(MAGIC, VERSION, len(entries))]
    for (mask, _, codebook, _, bits), (width, _) in zip(entries, positions, strict=True):
        parts.append(LAYER.pack(*mask[0].shape, bits, width, len(codebook)))
    for _, _, codebook, bias, _ in entries:
        parts += [codebook.astype(FLOAT).tobytes(), bias.astype(FLOAT).tobytes()]
    for codes, (_, gaps) in zip(quantized.codes, positions, strict=True):
        parts += [gaps, _huffman(codes)]
    body = b"".join(parts)
    return body + CHECKSUM.pack(zlib.crc32(body))


def decode(data: bytes) -> Quantized:
    """The network that `encode` was given, bit for bit; raises FeatpruneError where the bytes aren't whole."""
    if len(data) < FILE.size + CHECKSUM.size or not data.startswith(MAGIC):
        raise FeatpruneError("not an .fpz file, or truncated")
    body, checksum = data[: -CHECKSUM.size], data[-CHECKSUM.size :]
    if CHECKSUM.pack(zlib.crc32(body)) != checksum:
        raise FeatpruneError("truncated or corrupted: the checksum differs")
    _, version, count = FILE.unpack_from(body)
    if version != VERSION:
        raise FeatpruneError(f"format version {version}, only {VERSION} is known here; use the featprune that wrote it")
    try:
        return _decode(body[FILE.size :], count)
    except (struct.error, zlib.error, ValueError, MemoryError) as error:
        raise FeatpruneError(f"not a network: {error}") from error


def _decode(rest: bytes, count: int) -> Quantized:
    """What follows the file's header, of which `count` layers; raises ValueError where it contradicts itself."""
    split = count * LAYER.size
    headers = [LAYER.unpack_from(rest, i * LAYER.size) for i in range(count)]
    floats, start = [], split
    for out, *_, centroids in headers:
        for length in (centroids, out):
            floats.append(np.frombuffer(rest, FLOAT, length, start).astype(np.float32))
            start += length * FLOAT.itemsize
    rest = rest[start:]
    masks, codes = [], []
    for out, fan_in, _, width, centroids in headers:
        gaps, rest = _unhuffman(rest)
        code, rest = _unhuffman(rest)
        masks.append(gaps_to_mask(gaps, (1, out, fan_in), width))
        if len(code) != np.count_nonzero(masks[-1]) or (code >= centroids).any():
            raise ValueError("positions, codes and codebook don't fit together")
        codes.append(code)
    if rest:
        raise ValueError("bytes left over")
    bits = tuple(header[2] for header in headers)
    biases = tuple(b[None] for b in floats[1::2])
    return Quantized(tuple(masks), tuple(codes), tuple(floats[::2]), biases, bits)


def save_fpz(path: str | Path, quantized: Quantized) -> None:
    """Write one network as a `.fpz` file, whole or not at all."""
    with atomic(path) as partial:
        partial.write_bytes(encode(quantized))


def load_fpz(path: str | Path) -> Quantized:
    """Read what `save_fpz` wrote; raises FeatpruneError naming the file if it is missing, truncated or corrupted."""
    try:
        return decode(Path(path).read_bytes())
    except (OSError, FeatpruneError) as error:
        raise FeatpruneError(unreadable(path, error)) from error


def code_positions(mask: np.ndarray, widths: Iterable[int] = GAP_BITS) -> tuple[int, bytes]:
    """Of these widths of gaps, in bits, the first that codes a layer's positions shortest, and the coded gaps."""
    coded = {width: _huffman(mask_to_gaps(mask, width)) for width in widths}
    return min(coded.items(), key=lambda item: len(item[1]))


def mask_to_gaps(mask: np.ndarray, width: int) -> np.ndarray:
    """Relative indices, uint8: a symbol a survivor, the zeros before it, an escape for each 2^width - 1 of them."""
    escape = 2**width - 1
    gaps = np.diff(np.flatnonzero(mask), prepend=-1) - 1
    escapes, rest = np.divmod(gaps, escape)
    symbols = np.full(len(gaps) + escapes.sum(), escape, np.uint8)
    symbols[np.cumsum(escapes + 1) - 1] = rest
    return symbols


def gaps_to_mask(symbols: np.ndarray, shape: tuple[int, ...], width: int) -> np.ndarray:
    """The inverse of `mask_to_gaps`, bool; raises ValueError where a position lies outside the shape."""
    if width not in GAP_BITS:
        raise ValueError(f"gaps of {width} bits")
    escape = 2**width - 1
    places_weight = symbols != escape
    positions = np.cumsum(symbols.astype(np.int64) + places_weight)[places_weight] - 1
    if (symbols > escape).any() or (positions >= np.prod(shape, dtype=np.int64)).any():
        raise ValueError("a position outside its layer")
    mask = np.zeros(shape, bool)
    mask.reshape(-1)[positions] = True
    return mask


def _huffman(symbols: np.ndarray) -> bytes:
    """A raw deflate stream (RFC 1951) of Huffman codes only; memory level 9 gives the longest blocks a tree."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(symbols.tobytes()) + coder.flush()


def _unhuffman(data: bytes) -> tuple[np.ndarray, bytes]:
    """The symbols (n,) uint8 of the stream that `data` starts with, and what follows it."""
    coder = zlib.decompressobj(-zlib.MAX_WBITS)
    symbols = np.frombuffer(bytearray(coder.decompress(data)), np.uint8)
    if not coder.eof:
        raise ValueError("a stream without an end")
    return symbols, coder.unused_data


def sizes(quantized: Quantized) -> dict[str, float]:
    """Bytes after each of the paper's stages, cumulatively, and the compression rate original / stage of each.

    original: dense weights and biases, float32. pruned: surviving weights float32, relative indices of the paper's
    fixed width (INDEX_BITS bits each, escapes included), biases. quantized: codes of `bits` bits instead of weights,
    and the codebooks. huffman: the whole `.fpz` file. Rates are under pruned_rate, quantized_rate and huffman_rate.
    """
    original = pruned = quantized_ = 0
    for mask, codes, codebook, bias, bits in zip(
        quantized.masks, quantized.codes, quantized.codebooks, quantized.biases, quantized.bits, strict=True
    ):
        indices = _packed(len(mask_to_gaps(mask, INDEX_BITS)) * INDEX_BITS)
        original += 4 * (mask.size + bias.size)
        pruned += 4 * (codes.size + bias.size) + indices
        quantized_ += _packed(codes.size * bits) + indices + 4 * (codebook.size + bias.size)
    stages = {"pruned": pruned, "quantized": quantized_, "huffman": len(encode(quantized))}
    return {"original": original, **stages, **{f"{name}_rate": original / size for name, size in stages.items()}}


def _packed(bits: int) -> int:
    """Bytes that hold so many bits."""
    return -(-bits // 8)
