"""Means over the matrices of a model, and which of them are measured."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sgdyson import cli
from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.standard_normal((3, 120, 80))
SPIKE = 3 * np.outer(RANDOM.standard_normal(120), RANDOM.standard_normal(80)) / 120**0.5


@pytest.fixture
def model(tmp_path):
    arrays = {f"layers.{n}.w": w for n, w in enumerate(NOISE)}
    path = tmp_path / "model.npz"
    np.savez(path, **arrays, head=NOISE[0] + SPIKE, small=np.eye(3), bias=np.ones(80))
    return path


def test_means_and_their_errors_are_those_over_matrices(model):
    (row,) = survey(model, names=["layers.*", "head"]).summary()
    matrices = [*NOISE, NOISE[0] + SPIKE]
    values = [np.linalg.svd(w, compute_uv=False) for w in matrices]
    for key, each in (
        ("stable_rank", [(s**2).sum() / s[0] ** 2 for s in values]),
        ("log_norm", [np.log10((s**2).sum()) for s in values]),
        ("log_spectral", [np.log10(s[0] ** 2) for s in values]),
    ):
        assert row[key].value == pytest.approx(np.mean(each))
        assert row[key].error == pytest.approx(np.std(each, ddof=1) / 2)
    assert (row["matrices"], row["weights"], row["noisy"], row["outliers"]) == (4, 4 * 9600, 4, 1)
    assert "tail_exponent" not in row


def test_the_soft_rank_is_one_of_noise_and_small_of_what_stands_out(model):
    (spectra,) = survey(model, names=("layers.*", "head")).spectra
    edge = (120**0.5 + 80**0.5) ** 2
    *noise, learnt = (matrix.soft_rank for matrix in spectra)
    assert noise == pytest.approx([1, 1, 1], abs=0.1)
    top = np.linalg.svd(NOISE[0] + SPIKE, compute_uv=False)[0] ** 2
    assert learnt == pytest.approx(edge / top, rel=0.05)
    assert learnt < 0.5


def test_an_exponent_counts_where_its_power_law_is_not_rejected(tmp_path):
    """Levels of density x^-3, drawn by their law; and even ones, which have no such tail."""
    path = tmp_path / "m.npz"
    levels = RANDOM.random((2, 400)) ** -0.5
    np.savez(path, a=np.diag(levels[0] ** 0.5), b=np.diag(levels[1] ** 0.5),
             c=np.diag(np.linspace(1, 1.5, 400)))  # fmt: skip
    found = survey(path, tail=True)
    (row,) = found.summary()
    tails = {m.name: m.tail for m in found.spectra[0]}
    assert tails["c"].pvalue < 0.1
    assert row["tails"] == 2
    exponents = [tails[name].exponent.value for name in "ab"]
    assert row["tail_exponent"].value == pytest.approx(np.mean(exponents))
    assert exponents == pytest.approx([3, 3], abs=0.6)
    tops = [2 * np.log10(m.spectral) for m in found.spectra[0] if m.name in "ab"]
    assert row["weighted_exponent"].value == pytest.approx(np.mean(np.multiply(exponents, tops)))


def test_matrices_are_chosen_by_name_and_size(model):
    found = survey(model, names="*", smallest=4)
    assert [m.name for m in found.spectra[0]] == ["layers.0.w", "layers.1.w", "layers.2.w", "head"]
    assert found.notes == ["left out 1 that were not chosen"]
    assert list(found.skipped) == ["a vector"]
    only = survey(model, names="layers.[12].*")
    assert [m.name for m in only.spectra[0]] == ["layers.1.w", "layers.2.w"]
    assert only.skipped == {}  # what is not chosen is not read
    with pytest.raises(InvalidInputError, match=r"names = 'layer' matches no array; .*layers\.0"):
        survey(model, names="layer")
    with pytest.raises(InvalidInputError, match="left out 5 that were not chosen"):
        survey(model, smallest=81)
    with pytest.raises(InvalidInputError, match="smallest = 0"):
        survey(model, smallest=0)


def test_the_command_prints_the_means(model):
    done = CliRunner().invoke(cli.app, ["spectrum", str(model), "--names", "layers.*"])
    assert done.exit_code == 0
    assert "lg |W|^2" in done.stdout
    (row,) = survey(model, names="layers.*").summary()
    assert str(row["stable_rank"]) in done.stdout
    assert "left out 3 that were not chosen" in done.stderr


def test_the_command_writes_the_means_with_their_errors(model):
    command = ["spectrum", str(model), "--names", "layers.*", "--summary"]
    (row,) = json.loads(CliRunner().invoke(cli.app, [*command, "--json"]).stdout)
    (means,) = survey(model, names="layers.*").summary()
    assert row["matrices"] == means["matrices"] == 3
    assert row["stable_rank"] == means["stable_rank"].value
    assert row["stable_rank_error"] == means["stable_rank"].error
    (line,) = csv.DictReader(CliRunner().invoke(cli.app, [*command, "--csv"]).stdout.splitlines())
    assert float(line["stable_rank_error"]) == row["stable_rank_error"]
    printed = CliRunner().invoke(cli.app, command).stdout
    assert str(means["stable_rank"]) in printed
    assert "layers.1.w" not in printed
