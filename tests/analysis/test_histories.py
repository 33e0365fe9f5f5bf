"""Histories from files: what is planted is found, what is bad is refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter
from scipy.stats import chi2, kstest
from typer.testing import CliRunner

from sgdyson import Campaign
from sgdyson.analysis import History, read, scaling_lines, summarise
from sgdyson.analysis._multiplet import independent_spacings
from sgdyson.analysis._names import short_names
from sgdyson.cli import app
from sgdyson.ensembles import GaussianEnsemble
from sgdyson.errors import InvalidInputError
from sgdyson.stats import wigner_ks_test

WIDTH = 0.02
KEYS = {"source", "learning_rate", "batch_size", "label_noise", "n_replicas", "mean_spacing",
        "width",
        "ks_wigner", "duplicates"}  # fmt: skip


def weights(replicas=600, times=4, width=WIDTH, beta=1, seed=0):
    """W of 3 x 3 with a pair of singular values around 2, one around 1, in random directions."""
    random = np.random.default_rng(seed)
    pair = 2 + GaussianEnsemble(2, beta, width).eigenvalues(replicas * times, random)
    single = 1 + width * random.standard_normal((replicas * times, 1))
    values = np.concatenate([pair, single], axis=1)
    left, right = (np.linalg.qr(random.standard_normal((len(values), 3, 3)))[0] for _ in range(2))
    return ((left * values[:, None, :]) @ right).reshape(replicas, times, 3, 3)


def release(path, **changes):
    arrays = {"W": weights(), "lr": 0.1, "batch_size": 16, "noise": 0.1, "epochs": 10,
              "save_int": 2, "loss": np.zeros((600, 4)), **changes}  # fmt: skip
    np.savez(path, **arrays)
    return path


def near(estimate, expected, sigmas=4):
    return abs(estimate.value - expected) < sigmas * estimate.error


class TestRelease:
    def test_the_planted_pair_is_measured(self, tmp_path):
        (history,) = read(release(tmp_path / "TS.npz"))
        summary = summarise(history)
        assert (summary.learning_rate, summary.batch_size, summary.label_noise) == (0.1, 16, 0.1)
        assert [part.indices for part in summary.multiplets] == [(0, 1), (2,)]
        pair, single = summary.multiplets
        assert near(pair.mean_spacing, np.sqrt(np.pi) * WIDTH)
        assert near(pair.width, WIDTH)
        assert near(pair.pair.second_moment, 4 / np.pi)
        assert near(single.width, WIDTH)
        assert pair.pair.wigner.pvalue > 1e-3
        assert pair.mean_spacing.error < 0.02 * pair.mean_spacing.value
        assert summary.records == 2
        assert "recognised" in summary.notes[0]

    def test_another_repulsion_is_rejected(self, tmp_path):
        """Power: beta = 2 has another shape of spacings."""
        (history,) = read(release(tmp_path / "TS.npz", W=weights(beta=2)))
        pair = summarise(history).main
        assert pair.pair.wigner.pvalue < 1e-3
        assert not near(pair.pair.second_moment, 4 / np.pi)

    def test_the_boltzmann_machine_has_levels_of_the_gram_matrix(self, tmp_path):
        np.savez(tmp_path / "rbm.npz", w=weights(), s=np.zeros(3), lr=0.1, batch_size=16,
                 n_seed=600, epochs=10, save_int=1)  # fmt: skip
        (history,) = read(tmp_path / "rbm.npz")
        assert near(summarise(history).main.mean, 4, 6)  # 4 + WIDTH^2 and so on
        assert history.label_noise is None

    def test_copies_are_named_and_counted_once(self, tmp_path):
        w = weights()
        w[[7, 500]] = w[3]
        w[20] = w[10]
        once = summarise(read(release(tmp_path / "a.npz", W=np.delete(w, [7, 500, 20], 0)))[0])
        summary = summarise(read(release(tmp_path / "b.npz", W=w))[0])
        assert summary.duplicates == 3
        assert summary.copies == [[3, 7, 500], [10, 20]]
        assert summary.n_replicas == 597
        assert summary.main.mean_spacing == once.main.mean_spacing

    def test_a_diverged_replica_is_left_out(self, tmp_path):
        w = weights()
        w[5, 2] = np.nan
        summary = summarise(read(release(tmp_path / "a.npz", W=w))[0])
        assert (summary.diverged, summary.n_replicas) == (1, 599)


class TestAnyArray:
    def test_axes_in_any_order_and_singular_values(self, tmp_path):
        w = weights()
        values = np.linalg.svd(w, compute_uv=False)
        np.savez(tmp_path / "w.npz", W=w.transpose(2, 1, 0, 3))
        np.save(tmp_path / "s.npy", values.transpose(2, 0, 1))
        np.save(tmp_path / "x.npy", values**2)
        (a,) = read(tmp_path / "w.npz", axes=("row", "time", "replica", "column"))
        (b,) = read(tmp_path / "s.npy", axes=("singular", "replica", "time"), learning_rate=0.3)
        (c,) = read(tmp_path / "x.npy")
        np.testing.assert_allclose(a.levels, values**2, rtol=1e-12)
        np.testing.assert_allclose(b.levels, values**2, rtol=1e-12)
        np.testing.assert_array_equal(c.levels, values**2)
        assert b.learning_rate == 0.3
        assert "(replica, time, level)" in c.notes[0]

    def test_one_long_history_has_errors_too(self):
        levels = 1 + GaussianEnsemble(2, 1, WIDTH).eigenvalues(4000, 1)[None, :, ::-1]
        summary = summarise(History("one", levels), burn_in=0)
        assert summary.n_replicas == 1
        assert near(summary.main.mean_spacing, np.sqrt(np.pi) * WIDTH)
        assert summary.main.pair.wigner.pvalue > 1e-3

    def test_a_larger_multiplet_has_the_width_of_its_gas(self):
        levels = 1 + GaussianEnsemble(5, 1, WIDTH).eigenvalues(2000, 1)[:, None, ::-1]
        summary = summarise(History("five", levels))
        assert summary.main.indices == (0, 1, 2, 3, 4)
        assert near(summary.main.width, WIDTH)

    def test_drift_is_told(self):
        levels = (
            1 + GaussianEnsemble(2, 1, WIDTH).eigenvalues(8000, 1).reshape(1000, 8, 2)[..., ::-1]
        )
        assert not any("drift" in note for note in summarise(History("a", levels), 0).notes)
        moving = levels + 0.001 * np.arange(8)[:, None]
        assert any("drift" in note for note in summarise(History("b", moving), 0).notes)

    def test_a_pickle_is_refused_and_never_run(self, tmp_path):
        class Malicious:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "was_run",))

        np.save(tmp_path / "evil.npy", np.array([Malicious()], object), allow_pickle=True)
        np.savez(tmp_path / "evil.npz", W=np.array([Malicious()], object))
        for name in ("evil.npy", "evil.npz"):
            with pytest.raises(InvalidInputError, match="pickled"):
                read(tmp_path / name)
        assert not (tmp_path / "was_run").exists()

    @pytest.mark.parametrize("name", ["W", "levels"])
    def test_complex_numbers_are_refused_and_never_cast(self, tmp_path, name):
        """With settings beside them, as in the paper's release, without, and named by --array."""
        values = {"W": weights(20), "levels": np.ones((20, 4, 2))}[name] * (1 + 1j)
        release(tmp_path / "a.npz", **{"W": values})
        np.savez(tmp_path / "b.npz", **{name: values})
        np.save(tmp_path / "c.npy", values)
        for file in ("a.npz", "b.npz", "c.npy"):
            for array in (None, "W" if file[0] == "a" else name):
                with pytest.raises(InvalidInputError, match="complex128, not real numbers"):
                    read(tmp_path / file, array=array)

    def test_weights_whose_squares_overflow_are_of_a_replica_that_diverged(self, tmp_path):
        w = weights(20)
        w[3] *= 1e200
        w[4, 2] *= 1e300
        np.savez(tmp_path / "a.npz", W=w)
        (history,) = read(tmp_path / "a.npz")
        good = np.isfinite(history.levels).all(axis=(1, 2))
        assert np.flatnonzero(~good).tolist() == [3, 4]

    @pytest.mark.parametrize(
        ("make", "options", "message"),
        [
            (lambda p: p.write_bytes(b"PK\x03\x04 cut"), {}, "NumPy file"),
            (lambda p: p.write_bytes(b""), {}, "NumPy file"),
            (lambda p: np.savez(p, a=np.ones((3, 3)), b=np.ones((3, 3))), {}, "--array"),
            (lambda p: np.savez(p, a=np.ones((3, 3))), {"array": "c"}, "no array 'c'"),
            (lambda p: np.savez(p, a=np.ones((3, 3))), {"axes": ("replica", "colour")}, "axes"),
            (lambda p: np.savez(p, a=np.ones((3, 3))), {"axes": ("time", "replica")}, "axes"),
            (lambda p: np.savez(p, a=np.array([["x"]])), {"array": "a"}, "real numbers"),
            (lambda p: np.savez(p, W=np.ones((2, 2, 2, 2, 2))), {}, "cannot be guessed|guessed"),
        ],
    )
    def test_bad_files_are_refused(self, tmp_path, make, options, message):
        path = tmp_path / "bad.npz"
        make(path)
        with pytest.raises(InvalidInputError, match=message):
            read(path, **options)

    @pytest.mark.parametrize("name", ["learning_rate", "batch_size", "label_noise"])
    def test_text_for_a_number_is_refused(self, tmp_path, name):
        np.save(tmp_path / "x.npy", weights()[..., 0])
        with pytest.raises(InvalidInputError, match=name):
            read(tmp_path / "x.npy", **{name: "a"})

    def test_a_truncated_file_is_refused(self, tmp_path):
        path = release(tmp_path / "cut.npz")
        path.write_bytes(path.read_bytes()[:-3000])
        with pytest.raises(InvalidInputError, match="NumPy file"):
            read(path)


SPEC = """
name = "small"
replicas = 1024
updates = 300
record_every = 100
burn_in = 400
[model]
kind = "teacher_student"
teacher = [2.0, 2.0]
[learning]
learning_rate = 0.05
batch_size = [16, 64, 256]
"""


class TestCampaign:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("campaign")
        (folder / "small.toml").write_text(SPEC)
        Campaign.from_file(folder / "small.toml", folder / "small").run(progress=False)
        return folder

    def test_the_scaling_line_has_the_predicted_slope(self, folder):
        summaries = [summarise(history) for history in read(folder / "small")]
        assert [summary.batch_size for summary in summaries] == [16, 64, 256]
        assert all(summary.records == 4 for summary in summaries)
        (found,) = scaling_lines(summaries)
        # physics.md section 4: sqrt(pi A), and the finite step at alpha = 0.05
        predicted = np.sqrt(np.pi) * 0.1 * np.sqrt(2 / (2 - 0.05))
        assert abs(found.line.slope.value / predicted - 1) < 0.01
        assert found.line.pvalue > 1e-3
        assert abs(found.line.slope.value / (predicted * 1.1) - 1) > 5 * found.line.slope.error

    def test_a_folder_of_both_kinds_from_the_command_line(self, folder, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        release(folder / "TS.npz")
        (folder / "bad.npy").write_bytes(b"no")
        result = CliRunner().invoke(app, ["analyze", str(folder), "--json=a.json", "--html=a.html"])
        assert result.exit_code == 1
        assert "bad.npy" in result.output
        found = json.loads(Path("a.json").read_text())
        assert len(found) == 4
        assert all(set(entry) >= KEYS for entry in found)
        assert [len(entry["scaling"]) for entry in found] == [1, 1, 1, 1]
        assert "Wigner" in Path("a.html").read_text()
        (folder / "bad.npy").unlink()

    def test_the_same_file_under_two_names_counts_once(self, tmp_path):
        """A copy, a link, and the same arrays packed anew; another seed is another measurement."""
        first = release(tmp_path / "a.npz")
        (tmp_path / "b.npz").write_bytes(first.read_bytes())
        (tmp_path / "c.npz").symlink_to(first)
        np.savez_compressed(tmp_path / "d.npz", **np.load(first))
        release(tmp_path / "e.npz", W=weights(seed=1))
        release(tmp_path / "f.npz", lr=0.2)
        histories = read(tmp_path)
        assert [Path(h.source).name for h in histories] == ["a.npz", "e.npz", "f.npz"]
        told = " ".join(histories[0].notes)
        assert all(f"{name}.npz holds the same" in told for name in "bcd")
        assert not any("holds the same" in note for h in histories[1:] for note in h.notes)

    def test_several_paths_and_folders_of_any_depth(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for place in ("far/in/a", "far/b", ".hidden/c", "far/.git/d", "e"):
            path = tmp_path / f"{place}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            release(path, lr=0.1 + 0.1 * (ord(place[-1]) - ord("a")))
        release(tmp_path / "twin.npz")  # as far/in/a
        everything = ["far", "far/b.npz", "e.npz", str(tmp_path / "far"), "twin.npz"]
        histories = read(everything)
        assert [h.source for h in histories] == ["far/b.npz", "far/in/a.npz", "e.npz"]
        assert histories[1].notes[-1] == (
            "twin.npz holds the same to the last bit, and is not counted again"
        )
        assert not any("holds" in note for h in histories[::2] for note in h.notes)
        with pytest.raises(InvalidInputError, match="gone"):
            read(["gone", "far"])
        told = CliRunner().invoke(app, ["analyze", "gone", "far", "e.npz", "--json=a.json"])
        assert told.exit_code == 1
        assert "gone does not exist" in told.output
        assert len(json.loads(Path("a.json").read_text())) == 3
        assert told.output.count("recognised as") == 1  # one note for all
        assert "all 3 histories: recognised" in told.output
        same = CliRunner().invoke(app, ["analyze", "far", "e.npz", "--html=e.npz", "--force"])
        assert "what is read" in str(same.exception)

    def test_names_are_as_long_as_it_takes(self):
        paths = [
            "a/run.zarr",
            "b/run.zarr",
            "b/c.npz",
            "b/c.npz: alpha=1",
            "x/b/d.npy",
            "y/b/d.npy",
        ]
        assert short_names(paths) == {
            "a/run.zarr": "a/run.zarr", "b/run.zarr": "b/run.zarr", "b/c.npz": "c.npz",
            "b/c.npz: alpha=1": "c.npz: alpha=1", "x/b/d.npy": "x/b/d.npy",
            "y/b/d.npy": "y/b/d.npy",
        }  # fmt: skip
        assert short_names(["a.npz", "./a.npz"]) == {"a.npz": "a.npz", "./a.npz": "a.npz"}

    @pytest.mark.parametrize("shared", [True, False])
    def test_quenched_data_off_one_line_are_explained(self, tmp_path, shared):
        """Widths of two settings off by 20 %: shared inputs do that, fresh ones do not."""
        for rate, width in ((0.1, 0.02), (0.2, 0.035)):
            kind = "W" if shared else "w"
            arrays = {kind: weights(width=width), "lr": rate, "batch_size": 16, "epochs": 1}
            np.savez(tmp_path / f"{rate}.npz", **arrays)
        page = tmp_path / "page.html"
        shown = CliRunner().invoke(app, ["analyze", str(tmp_path), f"--html={page}"])
        assert ("share the inputs of one data set" in shown.output) == shared
        assert ("share the inputs of one data set" in page.read_text()) == shared

    def test_runs_of_which_nothing_is_finite_are_not_copies(self, tmp_path):
        for name in "ab":
            release(tmp_path / f"{name}.npz", W=np.full((5, 4, 3, 3), np.nan))
        assert len(read(tmp_path)) == 2

    @pytest.mark.parametrize("path", ["none.npz", "x" * 5000 + ".npz", "a\0b.npz"])
    def test_a_path_that_leads_nowhere(self, path):
        with pytest.raises(InvalidInputError, match="does not exist"):
            read(path)

    def test_a_link_to_nothing(self, tmp_path):
        (tmp_path / "a.npz").symlink_to(tmp_path / "gone")
        with pytest.raises(InvalidInputError, match=r"a link to .*gone"):
            read(tmp_path / "a.npz")

    def test_nothing_there_is_one_sentence(self, tmp_path):
        for path in (tmp_path / "none", tmp_path):
            result = CliRunner().invoke(app, ["analyze", str(path)])
            assert isinstance(result.exception, InvalidInputError)


class TestIndependentSpacings:
    """tau = 19 for an AR(1) chain of 0.9: samples 38 records apart have a correlation of 0.018."""

    @staticmethod
    def chains(replicas, length):
        noise = np.random.default_rng(7).normal(size=(replicas, length + 200))
        return lfilter([1], [1, -0.9], noise, axis=1)[:, 200:]  # 0.9^200 of the start is left

    def test_of_few_replicas_they_are_two_correlation_times_apart(self):
        thinned = independent_spacings(self.chains(20, 4000))
        assert thinned.size == pytest.approx(20 * 4000 / 38, rel=0.15)

    def test_of_many_replicas_all_are_taken(self):
        chains = self.chains(50, 40)
        assert independent_spacings(chains) is chains


class TestKolmogorov:
    """The p-value is uniform under the null, correlated or not, and small elsewhere."""

    @staticmethod
    def spacings(random, beta, shape):
        pairs = GaussianEnsemble(2, beta).eigenvalues(int(np.prod(shape)), random)
        return np.diff(pairs, axis=1).reshape(shape)

    def test_size(self):
        random = np.random.default_rng(1)
        independent = [wigner_ks_test(self.spacings(random, 1, 300)).pvalue for _ in range(150)]
        assert kstest(independent, "uniform").pvalue > 1e-3
        repeated = [
            wigner_ks_test(np.repeat(self.spacings(random, 1, (300, 1)), 4, axis=1)).pvalue
            for _ in range(60)
        ]
        assert kstest(repeated, "uniform").pvalue > 1e-3

    def test_power(self):
        random = np.random.default_rng(2)
        assert wigner_ks_test(self.spacings(random, 2, 1000)).pvalue < 1e-3
        assert wigner_ks_test(random.exponential(size=200)).pvalue < 1e-3
        assert wigner_ks_test(self.spacings(random, 2, (500, 4))).pvalue < 1e-3

    def test_a_mean_that_is_estimated_draws_samples_to_the_null(self):
        """The classical table, for a law without parameters, would hardly ever reject."""
        random = np.random.default_rng(3)
        distances = [wigner_ks_test(self.spacings(random, 1, 300)).statistic for _ in range(200)]
        classical = 1.36 / np.sqrt(300)  # 5 % (Massey, J. Am. Stat. Assoc. 46, 68 (1951))
        assert chi2.sf(2 * 200 * 0.05, 2 * (1 + np.sum(np.array(distances) > classical))) < 0.05


def test_each_matrix_of_a_run_is_a_history_and_has_its_own_scaling_line(tmp_path):
    """Layers of which only the first is a pair: a line for it, none through both."""
    random = np.random.default_rng(0)
    for number, ratio in enumerate((0.01, 0.04)):
        pair = gaussian_pair(random, 64, 20, ratio**0.5)
        levels = np.concatenate([pair, pair + np.array([6.0, -6.0])], axis=-1)
        xr.Dataset(
            {"levels": (("replica", "time", "level"), levels)},
            coords={"matrix": ("level", ["first", "first", "second", "second"])},
            attrs={"learning_rate": ratio, "batch_size": 1, "record_from": 1},
        ).to_zarr(tmp_path / f"{number}.zarr", consolidated=False, zarr_format=2)
    summaries = [summarise(history) for history in read(tmp_path)]
    assert [s.matrix for s in summaries] == ["first", "second"] * 2
    assert [len(s.multiplets) for s in summaries] == [1, 2] * 2
    (line,) = scaling_lines(summaries)
    assert (line.matrix, line.indices) == ("first", (0, 1))
    assert line.to_dict()["matrix"] == "first"


@pytest.mark.parametrize(
    "damage", ["complex", "no JSON", "a list", "no shape", "odd codec", "pipe"]
)
def test_a_zarr_run_that_cannot_be_read_is_one_sentence(tmp_path, damage):
    store = tmp_path / "a.zarr"
    levels = np.ones((4, 3, 2)) * (1j if damage == "complex" else 1)
    xr.Dataset({"levels": (("replica", "time", "level"), levels)}).to_zarr(
        store, consolidated=False, zarr_format=2
    )
    header = store / "levels" / ".zarray"
    text = json.loads(header.read_text())
    changed = {
        "no JSON": "{", "a list": "[]", "no shape": json.dumps(text | {"shape": None}),
        "odd codec": json.dumps(text | {"compressor": {"id": "none such"}}),
    }  # fmt: skip
    if damage in changed:
        header.write_text(changed[damage])
    if damage == "pipe":
        (store / ".zgroup").unlink()
        os.mkfifo(store / ".zgroup")
    message = "not real numbers" if damage == "complex" else r"a\.zarr.*\.$"
    with pytest.raises(InvalidInputError, match=message):
        read(store)


def gaussian_pair(random, replicas, times, scale):
    """Levels of 2 x 2 matrices of the Gaussian orthogonal ensemble, about 5."""
    a = random.normal(size=(replicas, times, 2, 2))
    return 5 + scale * np.linalg.eigvalsh(a + a.mT)[..., ::-1]
