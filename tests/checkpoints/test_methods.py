"""Methods and devices of a survey: PyTorch gives the same numbers, Lanczos gives its errors."""

import sys

import jax
import ml_dtypes
import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors
from test_going_on import bits, lines, told_by

from sgdyson.checkpoints import _device, survey
from sgdyson.checkpoints._codec import decode, encode
from sgdyson.checkpoints._jax_device import JaxDevice
from sgdyson.errors import InvalidInputError
from sgdyson.spectra import singular_values, spectrum
from sgdyson.tracking.page import run_of_spectra


@pytest.fixture
def model(tmp_path):
    arrays = {
        "up": noise((90, 70)),
        "down": noise((70, 90), 1),
        "low": noise((80, 9)) @ noise((9, 80)),
    }
    path = tmp_path / "w.safetensors"
    write_safetensors(path, {name: w.astype(ml_dtypes.bfloat16) for name, w in arrays.items()})
    return path


class TestDevice:
    def test_pytorch_gives_the_same_numbers(self, model):
        pytest.importorskip("torch")
        (here,), (there,) = survey(model).spectra, survey(model, device="cpu").spectra
        assert [m.name for m in here] == [m.name for m in there]
        for one, other in zip(here, there, strict=True):
            scale = one.spectral
            assert other.singular_values == pytest.approx(one.singular_values, abs=1e-10 * scale)

    @pytest.mark.parametrize("shape", [(300, 100), (100, 300)])
    def test_small_values_go_by_the_matrix_itself(self, shape):
        pytest.importorskip("torch")
        from sgdyson.checkpoints._device import values_on

        u, v = (np.linalg.qr(noise((side, 100)))[0] for side in shape)
        w = (u * np.geomspace(1, 1e-9, 100)) @ v.T
        exact = np.linalg.svd(w, compute_uv=False)
        assert values_on("cpu")(w) == pytest.approx(exact, rel=1e-5)
        assert singular_values(w) == pytest.approx(exact, rel=1e-5)

    def test_jax_gives_the_same_numbers_where_there_is_no_pytorch(self, model, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        (here,), (there,) = survey(model).spectra, survey(model, device="cpu:0").spectra
        for one, other in zip(here, there, strict=True):
            assert other.singular_values == pytest.approx(
                one.singular_values, abs=1e-10 * one.spectral
            )

    @pytest.mark.parametrize("shape", [(300, 100), (100, 300)])
    def test_jax_finds_small_values_by_the_matrix(self, shape, monkeypatch):
        monkeypatch.setattr(_device, "_BLOCK", 7000)
        u, v = (np.linalg.qr(noise((side, 100)))[0] for side in shape)
        for least in (1e-4, 1e-9):
            w = (u * np.geomspace(1, least, 100)) @ v.T
            exact = np.linalg.svd(w, compute_uv=False)
            found = _device._values(JaxDevice("cpu"), w)
            assert found == pytest.approx(exact, rel=1e-5)

    def test_what_is_not_there_is_one_sentence(self, model, monkeypatch):
        with pytest.raises(InvalidInputError, match="must be one of cpu, cuda"):
            survey(model, device="abacus")
        if not any(device.platform == "gpu" for device in jax.devices()):
            with pytest.raises(
                InvalidInputError, match=r"neither by PyTorch nor by JAX \(PyTorch: "
            ):
                survey(model, device="cuda")
        monkeypatch.setitem(sys.modules, "torch", None)
        for name in ("cpu:7", "cpu:-1", "cpu:x"):
            with pytest.raises(InvalidInputError, match="it has 1 of cpu, counted from 0"):
                survey(model, device=name)
        assert len(survey(model).rows()) == 3

    def test_lanczos_takes_none(self, model):
        with pytest.raises(InvalidInputError, match="leave it out with method = 'lanczos'"):
            survey(model, device="cpu", method="lanczos")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "w.safetensors"
    arrays = {"large": noise((1100, 1040)), "small": noise((60, 50))}
    write_safetensors(path, {name: w.astype("f4") for name, w in arrays.items()})
    return path


class TestLanczos:
    def test_rows_have_errors_where_levels_are_not_single(self, large):
        found = survey(large, method="lanczos")
        first, second = found.rows()
        assert first["effective_rank_error"] > 0
        assert second["effective_rank_error"] is None
        (reason,) = [reason for reason, names in found.missing.items() if names == ["large"]]
        assert "Lanczos does not resolve neighbouring levels" in reason
        exact = {row["name"]: row for row in survey(large).rows()}
        assert first["sigma"] == pytest.approx(exact["large"]["sigma"], rel=1e-6)
        assert second.items() >= exact["small"].items()

    def test_it_goes_on_to_the_same_bits(self, large, tmp_path):
        one, two = (survey(large, method="lanczos", workers=n) for n in (1, 2))
        kept = [survey(large, method="lanczos", resume=tmp_path / "rows") for _ in range(2)]
        assert bits(one) == bits(two) == bits(kept[0]) == bits(kept[1])
        again = kept[1].spectra[0][0].measure.count(0, 10)
        assert repr(again) == repr(one.spectra[0][0].measure.count(0, 10))
        assert lines(tmp_path / "rows") == 3
        with pytest.raises(InvalidInputError, match=r"method = lanczos there, None here"):
            survey(large, resume=tmp_path / "rows")

    def test_what_shows_single_levels_is_refused(self, large):
        with pytest.raises(InvalidInputError, match="measure exactly"):
            run_of_spectra(survey(large, method="lanczos").series())
        with pytest.raises(InvalidInputError, match="has no tail"):
            survey(large, method="lanczos", tail=True)
        with pytest.raises(InvalidInputError, match="must be one of exact, lanczos"):
            survey(large, method="guess")

    @pytest.mark.parametrize("words", [("--html", "page.html"), ("--tail",)])
    def test_the_command_refuses_in_one_sentence(self, large, capsys, words):
        status, out, told = told_by(capsys, large, "--method", "lanczos", *words)
        assert (status, out) == (2, "")
        assert (
            told == "sgdyson: --method lanczos has no single levels; leave out --html and --tail.\n"
        )


def test_a_spectrum_comes_back_from_a_journal_as_it_was():
    w = noise((150, 90))
    for settings in ({"tail": True, "randomise": 0}, {}):
        measured = spectrum("w", w, **settings)
        again = decode(encode(measured))
        assert repr(again) == repr(measured)
        assert again.to_row() == measured.to_row()
        assert again.singular_values.tobytes() == measured.singular_values.tobytes()
        assert type(again.shape) is tuple
    with pytest.raises(InvalidInputError, match="is no part of a spectrum"):
        decode({"class": "Popen", "args": ["true"]})
    assert np.isnan(decode(encode(float("nan"))))
