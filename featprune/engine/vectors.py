"""Vectors of LANES numbers as values in numba's compiled code.

A loop over named vectors keeps them in registers; numba's own vectorizer, which knows no bounds, does not. LLVM
makes one AVX-512 instruction or two AVX2 ones (or what the machine has) of each operation here, with the same result.
An array is read and written at an offset into its memory, which has to be contiguous; bounds aren't checked.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 16  # float32 numbers in a cache line


class Vector(types.Type):
    """The type of LANES numbers of the scalar type `real`."""

    def __init__(self, real: types.Float) -> None:
        self.real = real
        super().__init__(f"Vector({real}, {LANES})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(dmm.lookup(fe_type.real).get_value_type(), LANES))


def _address(context, builder, signature, args):
    """Of LANES numbers in the array args[0] from the offset args[1]."""
    kind, offset = signature.args[:2]
    data = context.make_array(kind)(context, builder, args[0]).data
    vector = context.get_value_type(Vector(kind.dtype))
    return builder.bitcast(builder.gep(data, [context.cast(builder, args[1], offset, types.intp)]), vector.as_pointer())


def operation(define: Callable) -> Callable[..., Any]:
    """A function of compiled code, defined by the instructions it stands for."""
    return intrinsic(define)


@operation
def entry(typingctx, array, offset):
    """The integer at an offset, without numba's test for offsets below zero."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        value = builder.load(builder.gep(data, [context.cast(builder, args[1], offset, types.intp)]))
        return context.cast(builder, value, array.dtype, types.intp)

    return types.intp(array, offset), codegen


@operation
def load(typingctx, array, offset):
    """The LANES numbers of an array's memory from an offset."""

    def codegen(context, builder, signature, args):
        return builder.load(_address(context, builder, signature, args), align=array.dtype.bitwidth // 8)

    return Vector(array.dtype)(array, offset), codegen


@operation
def store(typingctx, array, offset, vector):
    """Write a vector to an array's memory from an offset."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], _address(context, builder, signature, args), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, offset, vector), codegen


@operation
def splat(typingctx, x):
    """A vector of one number."""

    def codegen(context, builder, signature, args):
        empty = ir.Constant(context.get_value_type(signature.return_type), ir.Undefined)
        first = builder.insert_element(empty, args[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, empty, _places([0] * LANES))

    return Vector(x)(x), codegen


@operation
def multiply(typingctx, a, b):
    """a b."""

    def codegen(context, builder, signature, args):
        return builder.fmul(*args)

    return a(a, a), codegen


@operation
def add(typingctx, a, b):
    """a + b."""

    def codegen(context, builder, signature, args):
        return builder.fadd(*args)

    return a(a, a), codegen


@operation
def multiply_add(typingctx, a, b, c):
    """a b + c, rounded once where the machine can."""

    def codegen(context, builder, signature, args):
        product = builder.fmul(*args[:2], flags=("contract",))
        return builder.fadd(product, args[2], flags=("contract",))

    return a(a, a, a), codegen


def _places(lanes):
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(lanes))


def _fold(size: int) -> Callable:
    """fold(a, b): of each pair of blocks of `size` lanes, the sum; a's sums in the even blocks, b's in the odd.

    Folded so by 8, 4, 2 and 1, sixteen vectors become the vector of their sixteen totals.
    """
    odd = [lane // size % 2 for lane in range(LANES)]
    kept = _places(lane + LANES * second for lane, second in enumerate(odd))
    swapped = _places((lane ^ size) + LANES * second for lane, second in enumerate(odd))

    @operation
    def fold(typingctx, a, b):
        def codegen(context, builder, signature, args):
            return builder.fadd(builder.shuffle_vector(*args, kept), builder.shuffle_vector(*args, swapped))

        return a(a, a), codegen

    return fold


fold8, fold4, fold2, fold1 = map(_fold, (8, 4, 2, 1))


@operation
def transpose_tile(typingctx, source, offset, stride, target, place, step):
    """Write the transpose of LANES vectors of source, `stride` apart, to as many of target, `step` apart."""

    def codegen(context, builder, signature, args):
        def address(array, first, apart, row):
            kinds, (start, distance) = (
                signature.args,
                (context.cast(builder, args[i], signature.args[i], types.intp) for i in (first, apart)),
            )
            at = builder.add(start, builder.mul(distance, ir.Constant(distance.type, row)))
            return _address(context, builder, types.void(kinds[array], types.intp), (args[array], at))

        align = source.dtype.bitwidth // 8
        tile = [builder.load(address(0, 1, 2, row), align=align) for row in range(LANES)]
        for size in (8, 4, 2, 1):
            # Of each two rows that far apart, the two blocks off the diagonal change places.
            odd = [lane // size % 2 for lane in range(LANES)]
            upper = _places(lane + (LANES - size) * second for lane, second in enumerate(odd))
            lower = _places(lane + (LANES if second else size) for lane, second in enumerate(odd))
            for row in (row for row in range(LANES) if not row & size):
                pair = tile[row], tile[row + size]
                tile[row], tile[row + size] = (builder.shuffle_vector(*pair, places) for places in (upper, lower))
        for row, vector in enumerate(tile):
            builder.store(vector, address(3, 4, 5, row), align=align)
        return context.get_dummy_value()

    return types.void(source, offset, stride, target, place, step), codegen
