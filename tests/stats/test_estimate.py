import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgdyson.errors import InvalidInputError
from sgdyson.stats import Estimate


@pytest.mark.parametrize(
    ("value", "error", "printed"),
    [
        (0.1478, 0.0009, "0.1478(9)"),
        (0.1478, 0.00012, "0.14780(12)"),
        (0.1478, 0.0195, "0.148(20)"),  # begins with 1: two digits, though they round to 20
        (0.1478, 0.0096, "0.148(10)"),  # rounds up to 10: two digits
        (-0.02, 0.003, "-0.020(3)"),
        (-0.3, 4.0, "0(4)"),
        (-0.004, 0.5, "0.0(5)"),
        (12.3, 1.14, "12.3(1.1)"),
        (12.3, 3.4, "12(3)"),
        (0.5, 0.99, "0.5(1.0)"),
        (12345.0, 678.0, "12300(700)"),
        (99.9999, 0.03, "100.00(3)"),
        (1.5e-7, 1e-9, "1.500(10)e-07"),
        (1.5e-310, 1e-312, "1.500(10)e-310"),  # what rounding lets them have
        (1.5e300, 2e298, "1.50(2)e+300"),
        (1.23456e9, 4e4, "1.23456(4)e+09"),
        (0.0, 0.01, "0.000(10)"),
        (0.0, 0.0, "0.0(0)"),
    ],
)
def test_prints_the_error_in_units_of_the_last_place(value, error, printed):
    assert str(Estimate(value, error, 10.0)) == printed


def test_formats():
    estimate = Estimate(0.1478, 0.0009, 10.0)
    assert f"{estimate:.3f}" == "0.148 ± 0.001"
    assert f"{estimate:>12}" == "   0.1478(9)"
    assert f"{estimate}" == "0.1478(9)"


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e3))
def test_what_is_printed_is_the_number_to_the_error(value, error):
    printed, bracket = str(Estimate(value, error, 1.0)).rstrip(")").split("(")
    decimals = len(printed.partition(".")[2])
    shown = float(bracket) * (1.0 if "." in bracket else 10.0**-decimals)
    assert shown == pytest.approx(error, rel=0.26)  # 1.95 -> 2, 2.5 -> 2
    assert abs(float(printed) - value) <= 0.51 * max(10.0**-decimals, shown)


def test_arithmetic():
    estimate = Estimate(3.0, 0.5, 7.0)
    assert -2 * estimate == Estimate(-6.0, 1.0, 7.0) == estimate * -2
    assert np.float64(2.0) * estimate == Estimate(6.0, 1.0, 7.0)
    assert estimate / 2 == estimate.ratio(2.0) == Estimate(1.5, 0.25, 7.0)
    assert estimate.pull(2.0) == 2.0
    assert Estimate(1.0, 0.0, 1.0).pull(2.0) == -math.inf
    assert Estimate(1.0, 0.0, 1.0).pull(1.0) == 0.0


X, Y = Estimate(3.0, 0.3, 40.0), Estimate(-2.0, 0.4, 10.0)
FUNCTIONS = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y,
    lambda x, y: 5 - x / (y * 2), lambda x, y: 1 / (x * y) + 2, lambda x, y: -(x * 3 - 1) / y,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_propagate_to_first_order(function):
    """Against finite differences; and power: a correlated pair would have another error."""
    step = 1e-6
    here = (function(3.0 + step, -2.0) - function(3.0 - step, -2.0)) / (2 * step)
    there = (function(3.0, -2.0 + step) - function(3.0, -2.0 - step)) / (2 * step)
    estimate = function(X, Y)
    assert estimate.value == pytest.approx(function(3.0, -2.0))
    parts = np.array([here * 0.3, there * 0.4])
    assert estimate.error == pytest.approx(np.hypot(*parts), rel=1e-6)
    assert abs(estimate.error - abs(parts.sum())) > 0.01 * estimate.error
    size = (parts**2).sum() ** 2 / (parts**4 / [40, 10]).sum()
    assert estimate.effective_size == pytest.approx(size, rel=1e-6)
    assert 10 < estimate.effective_size < 50


def test_roots_numbers_and_order():
    assert Estimate(4.0, 0.2, 7.0).sqrt() == Estimate(2.0, 0.05, 7.0)
    assert float(X) == 3.0
    assert math.isclose(math.sqrt(X), 3**0.5)
    assert sorted([X, Y]) == [Y, X]
    assert (Y < X, X <= 3.0, X > 3, np.float64(3.0) <= X) == (True, True, False, True)
    assert sum([X, Y]).value == 1.0
    for call in (lambda: X - X, lambda: Y.sqrt(), lambda: X / Estimate(0.0, 0.1, 3.0)):
        with pytest.raises(InvalidInputError, match=r"not independent|square root|value 0"):
            call()


def test_the_package_uncertainties(monkeypatch):
    class Module:
        ufloat = staticmethod(lambda value, error: (value, error))

    monkeypatch.setitem(sys.modules, "uncertainties", Module)
    assert X.to_uncertainties() == (3.0, 0.3)
    monkeypatch.setitem(sys.modules, "uncertainties", None)
    with pytest.raises(InvalidInputError, match="pip install uncertainties"):
        X.to_uncertainties()


def test_to_dict_and_back():
    estimate = Estimate(3.0, 0.5, 7.0)
    assert Estimate(**json.loads(json.dumps(estimate.to_dict()))) == estimate


@pytest.mark.parametrize(
    ("value", "error"), [(1.0, -0.1), (1.0, math.nan), (math.nan, 0.1), (math.inf, 0.1)]
)
def test_refuses(value, error):
    with pytest.raises(
        InvalidInputError, match=r"(value|error) = .* must (be a finite number|not be negative)"
    ):
        Estimate(value, error, 1.0)


def test_refuses_division_by_zero():
    with pytest.raises(InvalidInputError, match="divided by 0"):
        Estimate(1.0, 0.1, 1.0).ratio(0.0)


@pytest.mark.parametrize("exponent", [2, -1, 0.5, np.float64(3.0), 1, 0])
def test_powers_are_what_products_and_roots_are(exponent):
    """Of independent draws the spread of x**p is the error, to first order."""
    x = Estimate(3.0, 1e-3, 7.0)
    draws = (3.0 + 1e-3 * np.random.default_rng(0).standard_normal(40_000)) ** float(exponent)
    power = x**exponent
    assert power.value == pytest.approx(3.0 ** float(exponent), rel=1e-12)
    assert power.error == pytest.approx(np.std(draws), rel=0.02, abs=1e-12)
    assert power.effective_size == 7.0
    assert x**-1 == 1 / x


def test_functions_of_numpy():
    x = Estimate(4.0, 0.2, 7.0)
    assert np.sqrt(x) == x.sqrt() == x**0.5
    assert np.multiply(2.0, x) == 2.0 * x
    assert np.power(x, 2) == x**2
    assert Estimate(-3.0, 0.5, 7.0) ** 2 == Estimate(9.0, 3.0, 7.0)
    assert list(np.sqrt(np.array([x, x**2], dtype=object))) == [x.sqrt(), (x**2).sqrt()]
    assert np.ones(2) * float(x) == pytest.approx([4.0, 4.0])
    assert (np.ones(2) == x, np.ones(2) != x, x in [np.ones(2), x]) == (False, True, True)
    for wrong in (lambda: np.exp(x), lambda: np.add.reduce(x)):
        with pytest.raises(TypeError):
            wrong()
    for wrong in (lambda: np.ones(2) * x, lambda: np.ones(2) < x, lambda: np.divide(x, [1, 2])):
        with pytest.raises(InvalidInputError, match="of an array and an Estimate would"):
            wrong()
    for wrong in (lambda: x * x, lambda: (-x) ** 0.5, lambda: (0 * x) ** 2, lambda: x**x):
        with pytest.raises(InvalidInputError):
            wrong()
