"""The choice of the product: by value, once, and never a wrong one."""

import pytest
import torch

from featprune.engine import products
from featprune.engine.products import BLAS, ONEDNN, product_name, product_t


@pytest.fixture
def fresh():
    """The choice is made anew in the test, and once more after it."""
    products._chosen.cache_clear()
    yield
    products._chosen.cache_clear()


def matrices(dtype=torch.float32, m=50, k=123, n=31):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(m, k, dtype=dtype, generator=generator), torch.randn(n, k, dtype=dtype, generator=generator)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-14)])
def test_the_chosen_product_is_right_for_all_strides(dtype, tolerance):
    a, b = matrices(dtype)
    expected = torch.einsum("mk,nk->mn", a.double(), b.double())
    for left in (a, a.t().contiguous().t()):
        for right in (b, b.t().contiguous().t()):
            found = product_t(dtype)(left, right).double()
            assert (found - expected).abs().max() < tolerance * expected.abs().max()


def broken(kind):
    """A candidate that fails as named."""

    def missing():
        raise AttributeError("no such operator")

    def raising(a, b):
        raise RuntimeError("not on this machine")

    def rounded(a, b):
        return torch.mm(a.bfloat16(), b.t().bfloat16()).float()

    def one_entry(a, b):
        result = torch.mm(a, b.t())
        result[-1, -1] *= 1.001
        return result

    def ignores_strides(a, b):
        return torch.mm(a, b.t()) if b.is_contiguous() else torch.mm(a, b.flip(0).t())

    def not_a_number(a, b):
        return torch.mm(a, b.t()) * torch.nan

    if kind == "missing":
        return missing
    ways = (raising, rounded, one_entry, ignores_strides, not_a_number)
    return lambda: {way.__name__: way for way in ways}[kind]


@pytest.mark.parametrize("kind", ["missing", "raising", "rounded", "one_entry", "ignores_strides", "not_a_number"])
def test_an_operator_that_fails_or_is_wrong_is_not_used(fresh, monkeypatch, kind):
    monkeypatch.setattr(products, "onednn_linear", broken(kind))
    a, b = matrices()
    assert product_name() == BLAS == "torch.mm"
    assert torch.equal(product_t(torch.float32)(a, b), torch.mm(a, b.t()))


def test_an_operator_that_is_right_is_used_and_named(fresh, monkeypatch):
    def backwards(a, b):
        """Right but for the order of its sums."""
        return torch.mm(a.flip(1), b.flip(1).t())

    monkeypatch.setattr(products, "onednn_linear", lambda: backwards)
    assert product_name() == ONEDNN == "oneDNN linear"
    assert product_t(torch.float32) is backwards


def test_each_precision_is_tried_once(fresh, monkeypatch):
    tried = []
    agrees = products.agrees

    def counting(candidate, dtype):
        tried.append(dtype)
        return agrees(candidate, dtype)

    monkeypatch.setattr(products, "agrees", counting)
    for _ in range(3):
        for dtype in (torch.float32, torch.float64):
            product_t(dtype)
            product_name(dtype)
    assert tried == [torch.float32, torch.float64]


def test_the_trial_draws_nothing_from_the_process(fresh):
    torch.manual_seed(3)
    product_t(torch.float32)
    drawn = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(2))
