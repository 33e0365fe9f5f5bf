"""What held at each record: diffusion and advice by the optimiser's own law."""

import numpy as np
import pytest

from sgdyson.errors import InvalidInputError
from sgdyson.optimizers import (
    SGD,
    Adam,
    AdamW,
    HeavyBall,
    Nesterov,
    Scheduled,
    stationary_variance,
)
from sgdyson.stats import Estimate
from sgdyson.tracking import Run, SpectralTracker, Tracker, advise, matrix_noise, open_run
from sgdyson.tracking._optimizer import scaling_rule, widening
from sgdyson.tracking._pairs import holds

torch = pytest.importorskip("torch")
SHAPE, BATCH = (40, 30), 8


def walk(folder, kind, steps=2000, **settings):
    """Weights that see noise alone, gradients of variance 9 an entry at every step."""
    torch.manual_seed(0)
    model = torch.nn.Linear(SHAPE[1], SHAPE[0], bias=False)
    optimizer = getattr(torch.optim, kind)(model.parameters(), **settings)
    start = model.weight.detach().clone()
    with SpectralTracker(
        model, folder, every=100, optimizer=optimizer, batch_size=BATCH
    ) as tracker:
        for _ in range(steps):
            model.weight.grad = 3 * torch.randn(SHAPE)
            optimizer.step()
            tracker.step()
    moved = (model.weight.detach() - start).double().square().mean() / steps
    return float(moved), open_run(folder)


class TestDiffusion:
    @pytest.mark.parametrize(
        ("kind", "settings"),
        [
            ("SGD", {"lr": 0.01}),
            ("SGD", {"lr": 0.01, "momentum": 0.9}),
            ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True}),
            ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.5}),
            ("Adam", {"lr": 0.001}),
            ("AdamW", {"lr": 0.001, "weight_decay": 0.0, "betas": (0.8, 0.99)}),
        ],
    )
    def test_weights_move_as_far_as_the_law_says(self, tmp_path, kind, settings):
        moved, run = walk(tmp_path / "run.zarr", kind, **settings)
        found = matrix_noise(run, "weight")
        error = np.hypot(found.diffusion.error, moved * np.sqrt(2 / np.prod(SHAPE)))
        # the memory of momentum at both ends, 10 of 2000 updates, is left out by the law
        assert abs(moved - found.diffusion.value) < 4 * error + 0.015 * moved
        if settings.get("momentum") or kind != "SGD":  # the law of plain descent is another
            plain = settings["lr"] ** 2 * found.strength.value / (BATCH * np.prod(SHAPE))
            assert abs(moved - plain) > 10 * error
        assert found.without is None

    @pytest.mark.parametrize("kind", ["RMSprop", "Adagrad", "NAdam"])
    def test_an_optimiser_without_a_law_is_named(self, tmp_path, kind):
        _, run = walk(tmp_path / "run.zarr", kind, steps=300, lr=0.001)
        found = matrix_noise(run, "weight")
        assert found.diffusion is None
        assert kind in found.without

    def test_adam_where_the_mean_gradient_counts_has_none(self, tmp_path):
        gradients = 0.5 + np.random.default_rng(0).normal(size=(20, 4, 6, 5))
        with Tracker(
            tmp_path / "run.zarr", every=1, optimizer="adam", learning_rate=0.01, batch_size=4
        ) as tracker:
            for step, g in enumerate(gradients):
                tracker.update(step, {"w": g[0]}, micro_gradients={"w": g}, micro_batch=1)
        found = matrix_noise(open_run(tmp_path / "run.zarr"), "w")
        assert found.diffusion is None
        assert "whole gradient" in found.without

    def test_each_matrix_by_the_rate_of_its_group(self, tmp_path):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
        slow, fast = model[0].parameters(), model[1].parameters()
        optimizer = torch.optim.SGD(
            [{"params": slow, "lr": 1e-4}, {"params": fast, "lr": 1e-2, "momentum": 0.5}]
        )
        with SpectralTracker(
            model, tmp_path / "run.zarr", every=1, optimizer=optimizer, batch_size=BATCH
        ) as tracker:
            for _ in range(200):
                for parameter in model.parameters():
                    parameter.grad = torch.randn_like(parameter)
                tracker.step()  # no update: noise alone is measured
        run = open_run(tmp_path / "run.zarr")
        assert run.learning_rate.values[-1] == 1e-4
        found = [matrix_noise(run, f"{i}.weight").diffusion for i in (0, 1)]
        expected = [1e-8, 4 * 1e-4]  # alpha^2 of unit noise, over (1 - beta)^2
        assert all(abs(f.pull(e)) < 4 for f, e in zip(found, expected, strict=True))
        assert found[0].pull(expected[1]) < -10

    def test_a_schedule_that_ends_at_zero(self, tmp_path):
        """Cosine: the mean of alpha^2 is 3/8 of its square at the start."""
        torch.manual_seed(0)
        model = torch.nn.Linear(20, 20, bias=False)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
        with SpectralTracker(
            model, tmp_path / "run.zarr", every=1, optimizer=optimizer, batch_size=BATCH
        ) as tracker:
            for _ in range(400):
                model.weight.grad = torch.randn(20, 20)
                optimizer.step()
                schedule.step()
                tracker.step()
        run = open_run(tmp_path / "run.zarr")
        assert run.learning_rate.values[-1] == 0
        found = matrix_noise(run, "weight")
        assert abs(found.diffusion.pull(0.01 * 3 / 8)) < 4
        assert found.ratio == pytest.approx(0.05 / BATCH, rel=0.01)
        advice = advise(run)
        assert advice.learning_rate == pytest.approx(0.1)
        assert "varied from 0 to 0.1" in str(advice)
        by_batch = {pair.batch_size: pair.learning_rate for pair in advice.pairs}
        assert by_batch[4 * BATCH] == pytest.approx(0.4)

    def test_a_matrix_that_no_optimiser_moves_is_told(self, tmp_path):
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
        optimizer = torch.optim.SGD(model[1].parameters(), 0.1)
        with SpectralTracker(
            model, tmp_path / "run.zarr", every=1, optimizer=optimizer, batch_size=BATCH
        ) as tracker:
            for _ in range(5):
                for parameter in model.parameters():
                    parameter.grad = torch.randn_like(parameter)
                tracker.step()
        run = open_run(tmp_path / "run.zarr")
        assert matrix_noise(run, "1.weight").diffusion is not None
        found = matrix_noise(run, "0.weight")
        assert (found.ratio, found.diffusion) == (None, None)
        assert "learning rate of this matrix" in found.without


EVERY = sorted(
    name for name, kind in vars(torch.optim).items()
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
    and name not in ("Optimizer", "LBFGS", "SparseAdam")  # a closure, sparse gradients
)  # fmt: skip


class TestTold:
    @pytest.mark.parametrize("rate", [0.25, torch.tensor(0.25)], ids=["float", "tensor"])
    @pytest.mark.parametrize("kind", EVERY)
    def test_every_optimiser_of_pytorch(self, tmp_path, kind, rate):
        """Whose groups hold pairs too, such as the eps of Adafactor, with None in it."""
        model = torch.nn.Linear(5, 4)
        optimizer = getattr(torch.optim, kind)([model.weight], lr=rate)
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, optimizer=optimizer) as tracker:
            model.weight.grad = torch.ones(4, 5)
            optimizer.step()
            tracker.step()
        run = Run(open_run(tmp_path / "run.zarr"))
        assert run.optimizer == kind
        assert run.setting("learning_rate", "weight").tolist() == [0.25, 0.25]

    @pytest.mark.parametrize(
        ("optimizer", "name", "numbers"),
        [
            ("lion", "lion", {}),
            ({"name": "sgd", "momentum": 0.9}, "sgd", {"momentum": 0.9}),
            ({"name": "adam", "b1": 0.8, "b2": 0.99}, "adam", {"beta1": 0.8, "beta2": 0.99}),
            (HeavyBall(0.7), "HeavyBall", {"momentum": 0.7, "weight_decay": 0.0}),
            (AdamW(0.1), "AdamW", {"weight_decay": 0.1, "beta1": 0.9}),
            (Scheduled(Adam(), float), "Adam", {"beta1": 0.9}),
        ],
    )
    def test_by_hand(self, tmp_path, optimizer, name, numbers):
        with Tracker(tmp_path / "run.zarr", every=1, optimizer=optimizer) as tracker:
            tracker.update(0, {"w": np.eye(3)})
        run = Run(open_run(tmp_path / "run.zarr"))
        assert run.optimizer == name
        assert {q: run.setting(q, "w")[0] for q in numbers} == numbers

    def test_rates_by_matrix_and_a_batch_that_grows(self, tmp_path):
        rates = iter([{"a": 0.1, "b": 1.0}, {"a": 0.2, "b": np.array([2.0])}])
        sizes = iter([8, np.int64(16)])
        with Tracker(
            tmp_path / "run.zarr", every=1, learning_rate=lambda: next(rates),
            batch_size=lambda: next(sizes),
        ) as tracker:  # fmt: skip
            for step in range(2):
                tracker.update(step, {"a": np.eye(3), "b": np.eye(3)})
        run = Run(open_run(tmp_path / "run.zarr"))
        assert run.setting("learning_rate", "a").tolist() == [0.1, 0.2]
        assert run.setting("learning_rate", "b").tolist() == [1.0, 2.0]
        assert run.setting("batch_size", "b").tolist() == [8, 16]
        with pytest.raises(InvalidInputError, match="batch size varied from 8 to 16"):
            advise(run)

    @pytest.mark.parametrize("how", ["wrapped", "several", "flat"])
    def test_optimisers_behind_wrappers(self, tmp_path, how):
        class Wrapper:  # as of Accelerate
            def __init__(self, optimizer):
                self.optimizer, self.param_groups = optimizer, optimizer.param_groups

        model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
        first, second = (
            torch.optim.AdamW(model[i].parameters(), 10.0**-i, betas=(0.8, 0.9)) for i in (0, 1)
        )
        told = {
            "wrapped": Wrapper(Wrapper(first)), "several": [Wrapper(first), second],
            "flat": torch.optim.AdamW([torch.nn.Parameter(torch.ones(9))], 0.3, betas=(0.8, 0.9)),
        }[how]  # fmt: skip
        with SpectralTracker(model, tmp_path / "run.zarr", every=1, optimizer=told):
            pass
        run = Run(open_run(tmp_path / "run.zarr"))
        assert run.optimizer == "AdamW"
        assert run.setting("beta1", "1.weight")[0] == 0.8
        rates = [run.setting("learning_rate", name)[0] for name in run.names]
        expected = {"wrapped": [1.0, np.nan], "several": [1.0, 0.1], "flat": [0.3, 0.3]}[how]
        np.testing.assert_equal(rates, expected)


def advice_of(folder, optimizer, rate=0.002, batch=4.0):
    with Tracker(
        folder, every=1, optimizer=optimizer, learning_rate=rate, batch_size=batch
    ) as tracker:
        for step in range(2):
            tracker.update(step, {"w": np.eye(3)})
    return advise(open_run(folder))


def mean_square(pair, kind, decay=0.0, updates=7000, modes=2000):
    """Of weights under g = w + n, n of variance 1/|B|, from the middle of 8 to 28 relaxations."""
    random = np.random.default_rng(int(pair.batch_size))
    w, m, v = np.zeros((3, modes))
    squares = []
    for t in range(1, updates + 1):
        g = w + random.standard_normal(modes) / pair.batch_size**0.5
        if kind == "sgd":
            w = w - pair.learning_rate * g
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            step = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            w = w - pair.learning_rate * (step + decay * w)
        if t > 2000:
            squares.append(w**2)
    each = np.mean(squares, axis=0)
    return each.mean(), each.std() / modes**0.5


class TestAdvice:
    @pytest.mark.parametrize(("kind", "decay"), [("sgd", 0.0), ("adam", 0.0), ("adamw", 2.0)])
    def test_advised_pairs_keep_the_width(self, tmp_path, kind, decay):
        optimizer = {"name": kind, "weight_decay": decay} if decay else kind
        advice = advice_of(tmp_path / "run.zarr", optimizer)
        pairs = {pair.batch_size: pair for pair in advice.pairs}
        today, more = pairs[4], pairs[16]
        expected = {"sgd": 0.008, "adam": 0.004, "adamw": 0.004}[kind]
        assert more.learning_rate == pytest.approx(expected)
        before = mean_square(today, kind, decay)
        after = mean_square(more, kind, more.weight_decay or 0.0)
        error = np.hypot(before[1], after[1])
        # the rest is that of discrete steps, which advice tells where friction is known
        rule = scaling_rule(kind, {"weight_decay": decay})
        pull = today.learning_rate * (1 if kind == "sgd" else 2)
        steps = [widening(rule, f * pull + f * d, f * d) for f, d in
                 ((1, today.learning_rate * decay), (4, today.learning_rate * decay))]  # fmt: skip
        expected = before[0] * steps[1] / steps[0]
        # the squared gradient holds 1 % of the weight's own: half of it in the width
        assert abs(after[0] - expected) < 4 * error + 0.01 * before[0]
        assert error < 0.03 * before[0]
        if kind == "adam":  # four times the rate, as under SGD, does not
            wrong = type(more)(0.008, 16, None, None)
            assert mean_square(wrong, kind)[0] > 1.8 * before[0]
        if kind == "adamw":  # nor does decay that stays
            assert more.weight_decay == pytest.approx(2 * decay)
            stays = mean_square(more, kind, decay)
            assert stays[0] - before[0] > 10 * np.hypot(stays[1], before[1])

    @pytest.mark.parametrize(
        ("optimizer", "kept"),
        [("SGD", "alpha/|B|"), ({"name": "Nesterov", "momentum": 0.9}, "alpha/|B|"),
         (SGD(0.1), "alpha/|B|"), ("AdamW", "alpha/sqrt|B|"), ("RMSprop", "alpha/sqrt|B|")],
    )  # fmt: skip
    def test_the_optimiser_and_the_evidence_are_named(self, tmp_path, optimizer, kept):
        text = str(advice_of(tmp_path / "run.zarr", optimizer))
        name = optimizer if isinstance(optimizer, str) else "Nesterov" if kept[0] == "N" else ""
        assert f"{name}, {kept} = " in text
        assert "Evidence: " in text

    def test_one_that_was_not_told_is_said_to_be_assumed(self, tmp_path):
        assert "plain SGD, which is assumed" in str(advice_of(tmp_path / "run.zarr", None))

    @pytest.mark.parametrize(
        ("optimizer", "name"),
        [("Muon", "Muon"), ("lion", "lion"), ("SGD and AdamW", "SGD and AdamW"),
         ({"name": "Adam", "amsgrad": 1}, "Adam with amsgrad"),
         ({"name": "RMSprop", "centered": 1.0}, "RMSprop with centered")],
    )  # fmt: skip
    def test_others_are_refused_by_name(self, tmp_path, optimizer, name):
        with pytest.raises(InvalidInputError, match=f"the optimiser is {name}: no rule"):
            advice_of(tmp_path / "run.zarr", optimizer)

    def test_a_run_under_two_optimisers_has_no_rule(self, tmp_path):
        for start, name in enumerate(("sgd", "adam")):
            with Tracker(
                tmp_path / "run.zarr", every=1, optimizer=name, learning_rate=0.1, batch_size=4,
                start_step=start,
            ) as tracker:  # fmt: skip
                tracker.update(start, {"w": np.eye(3)})
        with pytest.raises(InvalidInputError, match="sgd, then adam"):
            advise(open_run(tmp_path / "run.zarr"))

    def test_pairs_end_where_adam_sees_the_mean_gradient(self, tmp_path):
        gradients = 0.5 + np.random.default_rng(0).normal(size=(20, 4, 6, 5))  # B_simple = 4
        with Tracker(
            tmp_path / "run.zarr", every=1, optimizer="adam", learning_rate=0.01, batch_size=4
        ) as tracker:
            for step, g in enumerate(gradients):
                tracker.update(step, {"w": g[0]}, micro_gradients={"w": g}, micro_batch=1)
        advice = advise(open_run(tmp_path / "run.zarr"))
        assert [pair.batch_size for pair in advice.pairs] == [4]
        assert "no rule" in str(advice)

    @pytest.mark.parametrize("optimizer", [SGD(), HeavyBall(0.5), HeavyBall(0.9), Nesterov(0.9)])
    @pytest.mark.parametrize("alpha", [0.001, 0.02, 0.3])
    def test_discrete_steps_under_momentum(self, optimizer, alpha):
        """w' = w - alpha v', v' = beta v + h w + n: the stationary variance is exact."""
        h, beta = 3.0, getattr(optimizer, "momentum", 0.0)
        exact = stationary_variance(optimizer, alpha, h, 1.0)
        rule = scaling_rule(type(optimizer).__name__, {"momentum": beta})
        found = widening(rule, alpha * h / (1 - beta))
        assert alpha / (2 * h * (1 - beta)) * found == pytest.approx(float(exact))


@pytest.mark.parametrize(("off", "whether"), [(0.09, True), (0.11, False)])
def test_the_mean_gradient_ends_the_rule_where_a_rate_is_a_tenth_off(off, whether):
    """alpha goes as the root: at |B| = B_simple a factor f makes it ((1 + f)/2)^(1/2) of it."""
    rule = type("Rule", (), {"exponent": 0.5})
    factor = 2 * (1 + off) ** 2 - 1
    assert holds(rule, Estimate(64.0, 1.0, 9.0), 64.0, factor) is whether
