"""Arguments of every public function of stats: numbers of any type, or one sentence of ours."""

import inspect

import numpy as np
import pytest

from sgdyson import stats
from sgdyson.errors import InvalidInputError
from sgdyson.laws import WignerSurmise

X = np.random.default_rng(0).standard_normal((60, 20))
S = np.abs(X) + 0.1
SERIES = X.reshape(1, -1)


def normal_cdf(x):
    return 1 / (1 + np.exp(-1.7 * x))


#: of every public function: how it is called, and what its arguments may be instead
CALLS = {
    "autocorrelation_time": (
        {"x": SERIES},
        {"x": "data", "window": "positive", "least_length": "positive"},
    ),
    "mean_along_time": (
        {"x": SERIES},
        {"x": "data", "window": "positive", "least_length": "positive"},
    ),
    "Estimate": (
        {"value": 1.0, "error": 0.1, "effective_size": 4.0},
        {"value": "number", "error": "not negative", "effective_size": "number"},
    ),
    "fit_gaussian": ({"x": X}, {"x": "data"}),
    "fit_pair_density": ({"x": X}, {"x": "data", "beta": "dyson"}),
    "fit_wigner": ({"spacings": S}, {"spacings": "data", "beta": "dyson"}),
    "anderson_darling": ({"samples": X, "cdf": normal_cdf}, {"samples": "data", "cdf": "function"}),
    "ks_test": (
        {"samples": X, "cdf": normal_cdf},
        {"samples": "data", "cdf": "function", "effective_size": "positive"},
    ),
    "wigner_test": (
        {"spacings": S},
        {"spacings": "data", "mean": "positive", "beta": "dyson"},
    ),
    "wigner_ks_test": ({"spacings": S}, {"spacings": "data", "beta": "dyson"}),
    "fitted_law_test": (
        {"samples": S, "law": WignerSurmise()},
        {"samples": "data", "law": "function", "fitted": "word"},
    ),
    "density_histogram": ({"samples": X}, {"samples": "data", "edges": "data"}),
    "fit_line": (
        {"x": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 4.2], "y_error": [0.1, 0.1, 0.1]},
        {"x": "data", "y": "data", "y_error": "data", "through_origin": "truth"},
    ),
    "bootstrap": (
        {"statistic": np.mean, "data": X, "resamples": 3},
        {"data": "data", "resamples": "whole", "seed": "seed"},
    ),
    "jackknife": (
        {"statistic": np.mean, "data": X, "groups": 4},
        {"data": "data", "groups": "whole"},
    ),
    "jackknife_of_means": ({"function": lambda m: m[..., 0], "means": X}, {"means": "data"}),
    "mean_over_replicas": ({"x": X}, {"x": "data"}),
    "means_over_replicas": ({"x": X}, {"x": "data"}),
    "covariance_over_replicas": ({"x": X}, {"x": "data"}),
}

NO_NUMBERS = ["2", True, np.nan, np.inf, 2j, [2, 3], object()]
BAD = {
    "data": ["text", [[1.0, np.nan]] * 60, [[1.0, np.inf]] * 60, 1j * X, [], object()],
    "number": NO_NUMBERS,
    "not negative": [*NO_NUMBERS, -1],
    "positive": [*NO_NUMBERS, -1, 0, 10**400],
    "whole": [*NO_NUMBERS, -1, 0, 1, 2.5, 10**30],
    "seed": [*NO_NUMBERS, -1, 2.5, 10**60],
    "truth": ["yes", 1, 0.0, np.nan],
    "word": ["width", 1, None, np.nan],
    "dyson": [*NO_NUMBERS, -1, 0, 3, 2.5, 10**30],
    "function": ["text", 3, lambda x: x * np.nan, lambda x: "text", lambda x: 0.5],
}
GOOD = {
    "positive": [np.float32(8), np.int16(8), np.array(8.0)],
    "whole": [np.int16(3), np.uint8(3), np.array(3)],
    "seed": [np.int64(5), np.uint8(5), 2**100],
    "truth": [np.True_, False],
    "dyson": [np.int64(2), np.uint8(4), np.array(1)],
    "number": [np.float32(0.5), np.int8(3), np.array(2.0)],
    "not negative": [np.float32(0.5), np.int8(3), np.array(0)],
}


def each(kinds):
    for name, (_, arguments) in CALLS.items():
        for argument, kind in arguments.items():
            for number, value in enumerate(kinds.get(kind, [])):
                yield pytest.param(name, argument, value, id=f"{name}-{argument}-{number}")


def test_every_public_function_is_tried():
    functions = {n for n, thing in vars(stats).items() if inspect.isfunction(thing)}
    assert functions <= set(CALLS)
    for name, (given, arguments) in CALLS.items():
        known = set(inspect.signature(getattr(stats, name)).parameters)
        untried = known - set(given) - set(arguments)
        assert not untried - {"statistic", "function", "covariance"}


@pytest.mark.parametrize(("name", "argument", "value"), list(each(BAD)))
def test_a_bad_argument_is_refused_in_one_sentence(name, argument, value):
    given = CALLS[name][0]
    with pytest.raises(InvalidInputError) as refused:
        getattr(stats, name)(**given | {argument: value})
    message = str(refused.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 300
    assert "diverged" not in message


@pytest.mark.parametrize(("name", "argument", "value"), list(each(GOOD)))
def test_numbers_of_any_type_are_taken(name, argument, value):
    given = CALLS[name][0]
    getattr(stats, name)(**given | {argument: value})


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"Estimate"}))
def test_samples_of_any_type_are_taken(name):
    given, arguments = CALLS[name]
    sampled = next(a for a, kind in arguments.items() if kind == "data")
    for convert in (np.ndarray.tolist, lambda x: x.astype(object), lambda x: x.astype(np.float32)):
        getattr(stats, name)(**given | {sampled: convert(np.asarray(given[sampled]))})


@pytest.mark.parametrize(
    "operate",
    [
        lambda e, v: e * v,
        lambda e, v: e / v,
        lambda e, v: e.ratio(v),
        lambda e, v: e.pull(v),
        lambda e, v: e + v,
        lambda e, v: v - e,
        lambda e, v: v / e,
    ],
)
@pytest.mark.parametrize("value", ["2", True, np.nan, np.inf, None])
def test_an_estimate_reckons_with_numbers_alone(operate, value):
    with pytest.raises(InvalidInputError, match="must be a finite number"):
        operate(stats.Estimate(1.0, 0.1, 10.0), value)


@pytest.mark.parametrize("function", ["jackknife", "bootstrap"])
@pytest.mark.parametrize("statistic", [lambda d: np.nan, lambda d: "text", lambda d: d])
def test_a_statistic_that_is_no_number_is_refused(function, statistic):
    with pytest.raises(InvalidInputError, match="statistic"):
        getattr(stats, function)(statistic, X)
