"""Gaps and densities of larger multiplets: size and power, with correlated records."""

import csv
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson.analysis import measure_multiplet
from sgdyson.analysis._gaps import GapLaw
from sgdyson.cli import app
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.laws import WignerSurmise
from sgdyson.spectra import Multiplet
from sgdyson.stats import fitted_law_test

N = 4
GROUP = Multiplet(tuple(range(N)), 2.0)


def levels(beta, seed, replicas=120, repeats=3):
    """Records of which each stands three times: strongly correlated."""
    drawn = GaussianEnsemble(N, beta, 0.1).eigenvalues(replicas, seed)[:, None, ::-1] + 2
    return np.repeat(drawn, repeats, axis=1)


def pvalues(make, beta, trials):
    found = [measure_multiplet(make(seed), GROUP, beta) for seed in range(trials)]
    return np.array([[part.gaps.pvalue, part.density.pvalue] for part in found])


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_size_and_power_of_both_tests(beta):
    right = pvalues(lambda seed: levels(beta, seed), beta, 40)
    # of 40 numbers more than 12 are below a tenth with the chance 1e-4
    assert ((right < 0.1).sum(axis=0) <= 12).all()
    assert ((right > 0.9).sum(axis=0) <= 12).all()
    for other in {1, 2, 4} - {beta}:
        wrong = pvalues(lambda seed, of=other: levels(of, seed, 1000, 1), beta, 3)
        assert (wrong < 1e-3).all(), (other, wrong)


def test_levels_that_do_not_repel_are_told():
    random = np.random.default_rng(0)

    def independent(seed):
        return -np.sort(-random.normal(2, 0.1, (300, 1, N)), axis=2)

    assert (pvalues(independent, 1, 3) < 1e-3).all()


def test_repeated_records_taken_as_independent_would_be_rejected():
    gaps = -np.diff(levels(1, 5, 300, 10), axis=2).reshape(300, -1)
    assert fitted_law_test(gaps, GapLaw(N)).pvalue > 1e-2
    false = [fitted_law_test(-np.diff(levels(1, s, 100, 10), axis=2).ravel(), GapLaw(N)).pvalue
             for s in range(5)]  # fmt: skip
    assert min(false) < 1e-4


def test_two_levels_have_the_surmise():
    s = np.linspace(0.05, 3, 40)
    for beta in (1, 4):
        np.testing.assert_allclose(GapLaw(2, beta).cdf(s), WignerSurmise(beta).cdf(s), atol=8e-3)
    assert np.abs(GapLaw(8).cdf(s) - WignerSurmise(1).cdf(s)).max() > 0.01


def test_few_replicas_and_pairs_have_no_such_test():
    few = measure_multiplet(levels(1, 0, 20), GROUP)
    assert few.gaps is None
    assert few.density is None
    pair = measure_multiplet(levels(1, 0)[..., :2], Multiplet((0, 1), 2.0))
    assert pair.gaps is None
    assert pair.to_dict()["gaps"] is None
    many = measure_multiplet(levels(1, 0), GROUP).to_dict()
    assert set(many["gaps"]) == set(many["density"]) == {"statistic", "pvalue"}


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: fitted_law_test(np.ones(60), GapLaw(3), "width"), "width"),
        (lambda: fitted_law_test(np.ones(60), GapLaw(3), "centre and scale"), "differ"),
        (lambda: fitted_law_test(-np.ones(60), GapLaw(3)), "above 0"),
        (lambda: fitted_law_test(np.arange(10.0), GapLaw(3)), "10 samples"),
        (lambda: fitted_law_test(np.ones(60), "gaps"), "law"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, named):
    with pytest.raises(InvalidInputError, match=named):
        call()


class TestPages:
    """What `sgdyson analyze` shows of four levels and of a pair beside them."""

    @pytest.fixture(scope="class")
    @classmethod
    def found(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("gaps")
        for beta in (1, 4):
            pair = GaussianEnsemble(2, 1, 0.1).eigenvalues(300, beta)[:, None, ::-1]
            both = np.concatenate([levels(beta, beta, 300, 1), pair], axis=2)
            np.save(folder / f"beta{beta}.npy", both)
        files = {name: folder / f"out.{name}" for name in ("html", "json", "csv")}
        shown = CliRunner().invoke(app, ["analyze", str(folder), "--axes=replica,time,level", *(
            f"--{name}={path}" for name, path in files.items()
        )])  # fmt: skip
        assert shown.exit_code == 0, shown.output
        return shown.output, {name: path.read_text() for name, path in files.items()}

    def test_both_tests_stand_in_the_table_and_in_the_csv(self, found):
        output, files = found
        assert "p gaps" in output
        assert "p density" in output
        rows = list(csv.DictReader(files["csv"].splitlines()))
        right, wrong = (row for row in rows if row["last_level"] == "3")
        for name in ("gaps", "density"):
            assert float(right[f"{name}_pvalue"]) > 1e-3
            assert float(wrong[f"{name}_pvalue"]) < 1e-3
        pairs = [row for row in rows if row["last_level"] == "5"]
        assert all(row["gaps_pvalue"] == "" and row["wigner_pvalue"] for row in pairs)

    def test_the_page_draws_them_and_checks_their_gaps(self, found):
        page = found[1]["html"]
        assert {"gaps", "densities"} <= set(re.findall(r'<figure id="(\w+)"', page))
        assert "3 of 4 checks hold" in page  # the gaps of beta = 4 are no gaps of beta = 1

    def test_they_stand_in_the_json(self, found):
        tested = [
            entry["multiplets"][0]["gaps"]["pvalue"] for entry in json.loads(found[1]["json"])
        ]
        assert tested[0] > 1e-3 > tested[1]


def test_the_error_of_the_law_is_that_of_its_draws():
    """<s^2> of two levels is that of the surmise, within four errors and the steps of the table."""
    for beta in (1, 2, 4):
        law, exact = GapLaw(2, beta), WignerSurmise(beta).var()
        assert abs(law.var() - exact) < 4 * law.error
        assert 0.002 < law.error / exact < 0.01
