"""Results show themselves as tables, and become data frames with full numbers."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import sgdyson
from sgdyson.analysis import Check, CheckTable, History, analyze, measure, summarise
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.laws import WignerSurmise
from sgdyson.spectra import spectrum
from sgdyson.stats import Estimate
from sgdyson.tracking import Burst, Tracker, dyson_test, open_run

STUDENT = sgdyson.TeacherStudent([2.0, 2.0, 1.0], label_noise=0.1)
HOW = {"learning_rate": 0.02, "batch_size": 16}
CHECKS = CheckTable(
    [
        Check("good", "none", "<S>", {}, Estimate(1.02, 0.01, 100.0), predicted=1.0),
        Check("bad", "none", "<S>", {}, Estimate(1.5, 0.01, 100.0), predicted=1.0),
    ]
)


def cells(html: str) -> list[list[str]]:
    """Rows of the table in it."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_prediction_is_a_table_of_its_modes() -> None:
    theory = STUDENT.predict(**HOW)
    title, heads, *rows = words(str(theory))
    assert heads[:6] == ["mode", "kappa", "level", "shift", "width", "<S>"]
    assert len(rows) == 3
    assert float(rows[0][4]) == pytest.approx(theory.width[0], rel=1e-3)
    assert float(rows[1][5]) == pytest.approx(theory.mean_spacing[1], rel=1e-3)
    assert rows[2][5] == "–"  # a single level has no spacing
    assert "0.02," in title
    assert repr([theory]).count("<S>") == 1


def test_the_frame_of_a_prediction_has_all_digits_and_its_errors() -> None:
    theory = STUDENT.predict(**HOW)
    frame = theory.to_frame()
    np.testing.assert_array_equal(frame.width, theory.width)
    np.testing.assert_array_equal(frame.width_error, theory.errors.width)
    assert theory.to_dict()["learnt"] == [True, True, True]


def test_a_prediction_beyond_its_reach_shows_itself_with_a_note() -> None:
    """Where numbers would warn, or are refused, a look at them does neither."""
    far = sgdyson.GaussianRBM.scalar_field(6, mass=1.5, rbm_mass=3.0).predict(0.5, 4)
    assert str(far).count("neglects") == 1
    none = sgdyson.TeacherStudent([2.0, 1.0]).predict(1.9, 1)
    assert "no stationary state" in str(none)
    assert "leading order" in none._repr_html_()


def test_a_measured_run_stands_beside_its_prediction() -> None:
    run = sgdyson.simulate(
        STUDENT, **HOW, replicas=64, updates=400, record_every=100, record_from=400, seed=1,
        progress=False,
    )  # fmt: skip
    measured = measure("mine", run, STUDENT, burn_in=0)
    heads, pair, single = cells(measured._repr_html_())
    assert pair[0] == "0-1"
    assert single[0] == "2"
    spacing, predicted = (pair[i] for i in (heads.index("&lt;S&gt;"), -2))
    assert spacing == str(measured.pairs[0].pair.mean)
    assert float(predicted) == pytest.approx(measured.pairs[0].predicted_spacing, rel=1e-3)
    frame = measured.to_frame()
    assert frame.mean_spacing_error[0] == measured.pairs[0].mean_spacing.error
    assert repr(measured.multiplets[1]).startswith("<ComparedMultiplet levels 2: mean")


def test_checks_that_fail_come_first() -> None:
    assert not CHECKS.passed
    assert [row[0] for row in cells(CHECKS._repr_html_())[1:]] == ["bad", "good"]
    assert str(CHECKS).startswith("1 of 2 checks hold")
    assert list(CHECKS.to_frame().measured_error) == [0.01, 0.01]
    assert CHECKS[1].name == "bad"  # it is the list as it was


def test_histories_are_short_in_a_list_and_a_table_alone(tmp_path: Path) -> None:
    levels = GaussianEnsemble(2).eigenvalues(200, random_state=0)[:, None, ::-1]
    summary = summarise(History("pair", levels))
    assert "\n" not in repr([summary])
    assert words(str(summary))[1] == ["levels", "mean", "<S>", "width", "KS", "p"]
    assert summary.to_frame().width[0] == summary.main.width.value
    np.save(tmp_path / "levels.npy", levels)
    analysis = analyze(tmp_path / "levels.npy", axes=("replica", "time", "level"))
    assert cells(analysis._repr_html_())[1][4] == "0-1"
    assert len(analysis.to_frame()) == 1


def test_an_estimate_is_short_in_a_list() -> None:
    assert repr([Estimate(0.14783, 0.00094, 1000.0)]) == "[0.1478(9)]"


def test_a_law_and_a_model_say_what_they_are() -> None:
    facts = dict(row for row in cells(WignerSurmise(2)._repr_html_()) if len(row) == 2)
    assert facts["mean"] == "1"
    assert "Mehta" in facts["source"]
    rbm = sgdyson.GaussianRBM.scalar_field(40)
    assert len(repr(rbm)) < 250
    assert ["n_visible", "40"] in cells(rbm._repr_html_())


def test_a_spectrum_is_one_line_or_one_row() -> None:
    measured = spectrum("w", np.random.default_rng(0).normal(size=(100, 80)))
    assert "\n" not in repr(measured)
    assert "100 x 80" in repr(measured)
    assert measured.to_frame().spectral[0] == measured.spectral
    assert ["outliers", "0"] in cells(measured._repr_html_())


def test_the_dyson_tests_of_a_run_are_a_table(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = 0.07 * random.standard_normal((20, 12))
    with Tracker(tmp_path / "run.zarr", every=Burst(8, 25), dynamics=True) as tracker:
        for step in range(300):
            tracker.update(step, {"w": weights})
            weights = 0.99 * weights + 0.01 * random.standard_normal((20, 12))
    tests = dyson_test(open_run(tmp_path / "run.zarr"))
    row = cells(tests._repr_html_())[1]
    assert row[:2] == ["w", str(tests.matrices["w"].index)]
    assert tests.to_frame().power[0] == tests.matrices["w"].power


def test_foreign_names_are_no_markup() -> None:
    check = Check("<b>bold</b>", "none", "<S>", {}, Estimate(1.0, 0.1, 9.0), predicted=1.0)
    assert "<b>" not in CheckTable([check])._repr_html_()


def test_without_pandas_a_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidInputError, match="pip install pandas"):
        CHECKS.to_frame()
