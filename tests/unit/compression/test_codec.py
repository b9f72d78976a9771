import zlib

import numpy as np
import pytest

from featprune.compression.codec import (
    CHECKSUM,
    FILE,
    GAP_BITS,
    INDEX_BITS,
    LAYER,
    code_positions,
    decode,
    encode,
    gaps_to_mask,
    load_fpz,
    mask_to_gaps,
    save_fpz,
    sizes,
)
from featprune.compression.quantization import Quantized, quantize
from featprune.compression.tuning import fine_tune, fine_tuning
from featprune.data import prepare_dataset
from featprune.engine.evaluation import no_reference, split_data
from featprune.engine.settings import Settings, Start
from featprune.engine.training import train
from featprune.errors import FeatpruneError
from featprune.network import MLP
from featprune.pruning.masks import Schedule, all_ones, keep_highest

SHAPES = [(1, 1), (1, 7), (3, 1), (5, 4), (17, 90), (40, 33)]


def made(rng, masks, bits) -> Quantized:
    """A network of random numbers; its codebooks hold special values and repeat themselves."""
    codes, codebooks = [], []
    for mask, b in zip(masks, bits, strict=True):
        survivors = int(mask.sum())
        size = int(rng.integers(1, 2**b + 1)) if survivors else 0
        codes.append(rng.integers(0, max(size, 1), survivors).astype(np.uint8))
        codebooks.append(rng.choice([0, -0.0, np.float32(1e-42), np.inf, 1.5, rng.normal()], size).astype(np.float32))
    biases = tuple(rng.normal(size=(1, m.shape[1])).astype(np.float32) for m in masks)
    return Quantized(tuple(masks), tuple(codes), tuple(codebooks), biases, tuple(bits))


def random_network(seed, density) -> Quantized:
    rng = np.random.default_rng(seed)
    shapes = [SHAPES[i] for i in rng.integers(0, len(SHAPES), rng.integers(1, 4))]
    return made(rng, [rng.random((1, *s)) < density for s in shapes], rng.integers(1, 9, len(shapes)).tolist())


def small() -> Quantized:
    rng = np.random.default_rng(0)
    return made(rng, [rng.random((1, *s)) < 0.3 for s in [(6, 20), (3, 6)]], [3, 2])


def assert_identical(one: Quantized, other: Quantized) -> None:
    assert one.bits == other.bits
    for name in ("masks", "codes", "codebooks", "biases"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert a.tobytes() == b.tobytes()  # bit for bit, signs of zeros included


@pytest.mark.parametrize("density", [0, 0.005, 0.03, 0.1, 0.5, 1])
def test_what_is_decoded_is_what_was_encoded(density):
    for seed in range(25):
        q = random_network(seed, density)
        assert_identical(decode(encode(q)), q)


@pytest.mark.parametrize("bits", range(1, 9))
def test_all_widths_of_codes_round_trip(bits):
    rng = np.random.default_rng(bits)
    mask = rng.random((1, 30, 40)) < 0.4
    q = made(rng, [mask], [bits])
    q.codes[0][:] = np.arange(mask.sum()) % len(q.codebooks[0])
    assert_identical(decode(encode(q)), q)


@pytest.mark.parametrize("position", [0, 29, 30, 31, 32, 61, 62, 63, 93, 399])
def test_a_single_weight_anywhere_round_trips(position):
    mask = np.zeros((1, 20, 20), bool)
    mask.reshape(-1)[position] = True
    q = made(np.random.default_rng(0), [mask], [6])
    assert_identical(decode(encode(q)), q)
    for width in GAP_BITS:
        assert len(mask_to_gaps(mask, width)) == 1 + position // (2**width - 1)


def test_long_streams_of_one_code_round_trip():
    mask = np.ones((1, 300, 200), bool)
    codes = np.zeros(mask.size, np.uint8)
    q = Quantized((mask,), (codes,), (np.array([0.5, 1], np.float32),), (np.zeros((1, 300), np.float32),), (1,))
    assert_identical(decode(encode(q)), q)


def test_gaps_count_zeros_and_escape_long_runs():
    mask = np.zeros((1, 2, 50), bool)
    mask.reshape(-1)[[0, 1, 4, 35, 67]] = True  # 0, 0, 2, 30 and 31 zeros before
    np.testing.assert_array_equal(mask_to_gaps(mask, 5), [0, 0, 2, 30, 31, 0])
    np.testing.assert_array_equal(mask_to_gaps(mask, 4), [0, 0, 2, 15, 15, 0, 15, 15, 1])
    np.testing.assert_array_equal(mask_to_gaps(mask, 6), [0, 0, 2, 30, 31])
    assert len(mask_to_gaps(np.zeros((1, 2, 50), bool), 5)) == 0


@pytest.mark.parametrize("width", GAP_BITS)
def test_gaps_of_every_width_give_the_mask_back(width):
    rng = np.random.default_rng(width)
    for density in (0, 0.003, 0.1, 0.7, 1):
        mask = rng.random((1, 23, 61)) < density
        np.testing.assert_array_equal(gaps_to_mask(mask_to_gaps(mask, width), mask.shape, width), mask)
    # One bit: a 0 a survivor, a 1 a zero before it; the zeros after the last one aren't written.
    row = np.array([[[0, 1, 1, 0, 0, 1, 0]]], bool)
    np.testing.assert_array_equal(mask_to_gaps(row, 1), [1, 0, 0, 1, 1, 0])


def test_a_position_outside_its_layer_is_an_error():
    gaps_to_mask(np.array([3], np.uint8), (1, 2, 2), 5)
    for symbols in ([4], [0, 3], [32]):
        with pytest.raises(ValueError, match="outside"):
            gaps_to_mask(np.array(symbols, np.uint8), (1, 2, 2), 5)
    for width in (0, 9):
        with pytest.raises(ValueError, match=f"gaps of {width} bits"):
            gaps_to_mask(np.array([3], np.uint8), (1, 2, 2), width)


def test_each_layer_takes_the_width_that_codes_it_shortest():
    rng = np.random.default_rng(0)
    masks = [rng.random((1, 100, 300)) < density for density in (0.5, 0.1, 0.01, 0.003)]
    lengths = [[len(deflated(mask_to_gaps(mask, width))) for width in GAP_BITS] for mask in masks]
    coded = [code_positions(mask) for mask in masks]
    assert [width for width, _ in coded] == [1 + int(np.argmin(row)) for row in lengths]
    assert [len(stream) for _, stream in coded] == [min(row) for row in lengths]
    widths = [width for width, _ in coded]
    assert widths == sorted(widths) and widths[0] < INDEX_BITS < widths[-1], "the sparser, the wider"
    # In the file: each layer's width, after its shape and the bits of its codes.
    data = encode(made(rng, masks, [4, 3, 2, 1]))
    headers = [LAYER.unpack_from(data, FILE.size + i * LAYER.size) for i in range(4)]
    assert [header[2:4] for header in headers] == list(zip([4, 3, 2, 1], widths, strict=True))
    assert_identical(decode(data), decode(encode(decode(data))))


def deflated(symbols) -> bytes:
    """By the most general call of zlib: a raw stream, Huffman codes only."""
    coder = zlib.compressobj(level=9, wbits=-15, memLevel=9, strategy=zlib.Z_HUFFMAN_ONLY)
    return coder.compress(symbols.tobytes()) + coder.flush()


def test_the_same_network_gives_the_same_bytes():
    assert encode(small()) == encode(small()) == encode(decode(encode(small())))


def test_every_truncation_is_an_error():
    data = encode(small())
    for length in range(len(data)):
        with pytest.raises(FeatpruneError):
            decode(data[:length])
    with pytest.raises(FeatpruneError):
        decode(data + b"\0")


def test_every_corrupted_byte_is_an_error():
    data = encode(small())
    for position in range(len(data)):
        for flip in (1, 128, 255):
            broken = bytearray(data)
            broken[position] ^= flip
            with pytest.raises(FeatpruneError):
                decode(bytes(broken))


def resealed(data: bytes, position: int, value: int) -> bytes:
    """A changed byte under a right checksum: a file that was written wrongly, not one that was damaged."""
    body = bytearray(data[: -CHECKSUM.size])
    body[position] = value
    return bytes(body) + CHECKSUM.pack(zlib.crc32(body))


def test_a_file_that_contradicts_itself_is_never_a_traceback():
    data = encode(small())
    whole = FILE.size + 2 * LAYER.size
    for position in [*range(5, whole), *range(len(data) - 40, len(data) - 4)]:
        try:
            decode(resealed(data, position, data[position] ^ 64))
        except FeatpruneError as error:
            assert "not a network" in str(error)
    for other in (1, 9):
        with pytest.raises(FeatpruneError, match=f"^format version {other}, only 2 is known here"):
            decode(resealed(data, 4, other))


def test_a_broken_file_is_named_with_the_way_out(tmp_path):
    path = tmp_path / "network.fpz"
    with pytest.raises(FeatpruneError, match=r"network\.fpz.*run again"):
        load_fpz(path)
    save_fpz(path, small())
    assert_identical(load_fpz(path), small())
    assert list(tmp_path.iterdir()) == [path]
    for damaged in (b"", b"text", path.read_bytes()[:-3]):
        path.write_bytes(damaged)
        with pytest.raises(FeatpruneError, match=r"network\.fpz.*run again"):
            load_fpz(path)


def test_sizes_of_a_made_case():
    # 4 x 100: survivors at 0, 10, 100 and 399, so gaps 0, 9, 89 = 2 escapes + 27, 298 = 9 escapes + 19.
    mask = np.zeros((1, 4, 100), bool)
    mask.reshape(-1)[[0, 10, 100, 399]] = True
    full = np.ones((1, 3, 4), bool)
    q = Quantized(
        (mask, full),
        (np.array([0, 1, 2, 1], np.uint8), np.zeros(12, np.uint8)),
        (np.array([1, 2, 3], np.float32), np.array([1], np.float32)),
        (np.zeros((1, 4), np.float32), np.zeros((1, 3), np.float32)),
        (6, 1),
    )
    indices = 10 + 8  # bytes of (4 + 11) x 5 = 75 and 12 x 5 = 60 bits
    result = sizes(q)
    assert result["original"] == 4 * (400 + 12 + 7)
    assert result["pruned"] == 4 * (4 + 12 + 7) + indices
    assert result["quantized"] == 3 + 2 + indices + 4 * (3 + 1 + 7)
    assert result["huffman"] == len(encode(q))
    for stage in ("pruned", "quantized", "huffman"):
        assert result[f"{stage}_rate"] == result["original"] / result[stage]


@pytest.mark.parametrize(("density", "above"), [(0.2, 0.015), (0.08, 0.015), (0.01, 0.03), (0.005, 0.05)])
def test_the_file_comes_near_the_entropy_of_its_symbols(density, above):
    rng = np.random.default_rng(0)
    mask = rng.random((1, 300, 784)) < density
    codes = rng.binomial(63, 0.5, mask.sum()).astype(np.uint8)
    codebook, bias = rng.normal(size=64).astype(np.float32), np.zeros((1, 300), np.float32)
    q = Quantized((mask,), (codes,), (codebook,), (bias,), (6,))

    def entropy(symbols):
        counts = np.unique(symbols, return_counts=True)[1]
        return -(counts * np.log2(counts / counts.sum())).sum() / 8

    # Of independent positions, whatever the symbols.
    positions = entropy(mask)
    assert positions < len(code_positions(mask)[1]) < (1 + above) * positions
    bound = entropy(codes) + positions + 4 * (64 + 300)
    assert bound < len(encode(q)) < (1.01 + above) * bound
    assert len(encode(q)) < sizes(q)["quantized"]


def test_a_trained_network_round_trips():
    data = prepare_dataset("digits")
    network = MLP((64, 100, 60, 10))
    settings = Settings("cross_entropy", "adam", 2e-3, 0.0, 0.0, 60, 150, 1.0, False, (150,))
    start = network.initial([0])
    dense = all_ones(network.shapes, 1)
    trained = train(network, Start(start, start), dense, data, [0], settings).parameters
    counts = Schedule("per_layer", {"hidden": 0.8, "output": 0.5}).counts([m.size for m in dense], 1)
    masks = keep_highest([np.abs(w) for w in trained.weights], dense, counts)
    shared = quantize(trained.masked(masks), masks, [5, 5, 5])
    q = fine_tune(shared, network, split_data(data, no_reference(1, 10)), fine_tuning(settings, 50, 150))
    decoded = decode(encode(q))
    assert_identical(decoded, q)
    for w, v, m in zip(decoded.parameters().weights, q.parameters().weights, masks, strict=True):
        np.testing.assert_array_equal(w, v)
        np.testing.assert_array_equal(w != 0, m)
    result = sizes(q)
    assert result["original"] > result["pruned"] > result["quantized"] > result["huffman"]
