"""The toolbox beside plain alternatives and, where one can be imported, its peers, in one run.

python -m benchmarks.toolbox [--peers PYTHON]

PYTHON is an interpreter that can import scikit-rmt and DPPy, in an environment of its own: they
need older versions of NumPy and SciPy.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

PEERS = {
    "eigenvalues": """
from skrmt.ensemble import GaussianEnsemble
def work():
    for _ in range(5):
        GaussianEnsemble(beta=1, n=1000, tridiagonal_form=True).eigvals()
scale = 20
""",
    "eigenvalues DPPy": """
from dppy.beta_ensembles import HermiteEnsemble
def work():
    for _ in range(5):
        HermiteEnsemble(beta=1).sample_banded_model(size_N=1000)
scale = 20
""",
    "semicircle": """
from skrmt.ensemble.spectral_law import WignerSemicircleDistribution
def work():
    WignerSemicircleDistribution(beta=1).rvs(size=10**6)
scale = 1
""",
    "marchenko-pastur": """
from skrmt.ensemble.spectral_law import MarchenkoPasturDistribution
def work():
    MarchenkoPasturDistribution(beta=1, ratio=0.5).rvs(size=10**6)
scale = 1
""",
}

DPPY_GAS = """
import sys, time
import numpy as np
from dppy.beta_ensemble_polynomial_potential import BetaEnsemblePolynomialPotential
gas = BetaEnsemblePolynomialPotential(1, np.poly1d([0.25, 0, 0, 0, 0]))
began = time.perf_counter()
chain = gas.sample_mcmc(50, 600, sample_exact_cond=True, return_chain_of_eig_vals=True,
                        random_state=1)
print(time.perf_counter() - began)
np.save(sys.argv[1], chain.T)
"""


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The better of two runs, the first of which also imports and compiles."""
    times = []
    for _ in range(2):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


def peer(name: str, python: str | None) -> str:
    if python is None:
        return "-"
    script = PEERS[name] + (
        "import time\ntimes = []\nfor _ in range(2):\n    began = time.perf_counter()\n    work()\n"
        "    times.append(time.perf_counter() - began)\nprint(min(times) * scale)\n"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:40]
    return f"{float(done.stdout.splitlines()[-1]):.3g}"


def eigenvalues() -> tuple[float, float]:
    from sgdyson.ensembles import GaussianEnsemble

    def dense() -> None:
        generator = np.random.default_rng(0)
        for _ in range(5):
            matrix = generator.standard_normal((1000, 1000))
            np.linalg.eigvalsh((matrix + matrix.T) / 2)

    return seconds(lambda: GaussianEnsemble(1000).eigenvalues(100, 0)), 20 * seconds(dense)


def draws(law: str) -> tuple[float, float]:
    from sgdyson.laws import MarchenkoPastur, Semicircle

    chosen = Semicircle(1.0) if law == "semicircle" else MarchenkoPastur(0.5)

    def rejection() -> None:
        """From a box around the density, until there are enough."""
        generator = np.random.default_rng(0)
        low, high = chosen.support
        top = chosen.pdf(np.linspace(low, high, 1001)).max() * 1.01
        found = 0
        while found < 10**6:
            x = generator.uniform(low, high, 10**6)
            found += int((generator.uniform(0, top, 10**6) < chosen.pdf(x)).sum())

    return seconds(lambda: chosen.rvs(10**6, 0)), seconds(rejection)


def coulomb_gas() -> tuple[float, float]:
    """Milliseconds an effective sample of the lowest level, N = 50 in x^4/4, beta = 1."""
    from blackjax.diagnostics import effective_sample_size

    from sgdyson.ensembles import CoulombGas, Quartic

    gas = CoulombGas(Quartic(0.25), 1, 50)
    began = time.perf_counter()
    sample = gas.sample(4000, 1)
    ours = (time.perf_counter() - began) / sample.effective_size.min()

    def metropolis(steps: int) -> float:
        """One level at a time, for four chains."""
        generator = np.random.default_rng(0)
        chains = np.tile(np.sort(sample.levels[-1]), (4, 1)) + 0.0
        trace = np.empty((4, steps, 50))
        for step in range(steps):
            for level in range(50):
                old = chains[:, level]
                new = old + 0.3 * generator.standard_normal(4)
                others = np.delete(chains, level, axis=1)
                change = (old**4 - new**4) / 4 + np.log(
                    np.abs((new[:, None] - others) / (old[:, None] - others))
                ).sum(axis=1)
                accept = np.log(generator.random(4)) < change
                chains[:, level] = np.where(accept, new, old)
            trace[:, step] = np.sort(chains, axis=1)
        return float(np.asarray(effective_sample_size(trace)).min())

    began = time.perf_counter()
    effective = metropolis(1500)
    return 1e3 * ours, 1e3 * (time.perf_counter() - began) / effective


def dppy_gas(python: str | None) -> str:
    """The same of DPPy's Gibbs sampler of tridiagonal matrices, exact in each entry.

    Its levels are ours in other units. A sixth of its chain is left out as its way in.
    """
    from blackjax.diagnostics import effective_sample_size

    if python is None:
        return "-"
    with tempfile.TemporaryDirectory() as folder:
        chain = f"{folder}/chain.npy"
        done = subprocess.run(
            [python, "-c", DPPY_GAS, chain], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stderr.strip().splitlines()[-1][:40]
        halves = np.load(chain)[100:].reshape(2, 250, 50)
    spent = float(done.stdout.split()[-1])
    return f"{1e3 * spent / float(np.asarray(effective_sample_size(halves)).min()):.3g}"


def dyson() -> tuple[float, float]:
    """Seconds of one unit of time, N = 16, 1000 paths, sigma = 1."""
    from sgdyson.dyson import EigenvalueProcess
    from sgdyson.ensembles import Quadratic

    start = np.linspace(-4, 4, 16)
    process = EigenvalueProcess(Quadratic(), 1)

    def euler() -> None:
        """Explicit, sorted again after each step; a tenth of the time, at a step of 1e-4."""
        generator = np.random.default_rng(0)
        x, step = np.tile(start, (1000, 1)), 1e-4
        for _ in range(1000):
            gaps = x[:, :, None] - x[:, None, :] + np.diag(np.full(16, np.inf))
            x = x + step * ((1 / gaps).sum(2) - x)
            x = np.sort(x + np.sqrt(2 * step) * generator.standard_normal(x.shape), axis=1)

    ours = seconds(
        lambda: process.simulate(start, step=0.01, steps=100, record_every=100, replicas=1000,
                                 seed=0, progress=False)
    )  # fmt: skip
    return ours, 10 * seconds(euler)


def large_dyson() -> tuple[float, float]:
    """Processor's seconds of 100 steps of one path, N = 500; and of 100 exact of its matrix."""
    from sgdyson.dyson import EigenvalueProcess
    from sgdyson.ensembles import Quadratic

    process, start = EigenvalueProcess(Quadratic(), 1), 1e-6 * np.arange(500)

    def matrices() -> None:
        generator, m = np.random.default_rng(0), np.zeros((500, 500))
        for _ in range(100):
            noise = generator.standard_normal((500, 500))
            m = 0.99 * m + np.sqrt((1 - 0.99**2) / 4) * (noise + noise.T)
            np.linalg.eigvalsh(m)

    ours = seconds(
        lambda: process.simulate(start, step=0.01, steps=100, record_every=1, replicas=1,
                                 seed=0, progress=False),
        time.process_time,
    )  # fmt: skip
    return ours, seconds(matrices, time.process_time)


def circular_dyson() -> tuple[float, float]:
    """Processor's seconds of 100 steps of one path of angles, N = 200; of the unitary matrix."""
    from sgdyson.dyson import CircularProcess

    def matrices() -> None:
        generator, u = np.random.default_rng(0), np.eye(200, dtype=complex)
        for _ in range(100):
            g = generator.standard_normal((2, 200, 200)) * np.sqrt(1e-4 / 2)
            values, vectors = np.linalg.eigh(g[0] + g[0].T + 1j * (g[1] - g[1].T))
            u = u @ (vectors * np.exp(1j * values)) @ vectors.conj().T
            np.linalg.eigvals(u)

    ours = seconds(
        lambda: CircularProcess(2.0).simulate(1e-6 * np.arange(200), step=1e-4, steps=100,
                                              replicas=1, seed=0, progress=False),
        time.process_time,
    )  # fmt: skip
    return ours, seconds(matrices, time.process_time)


def uneven_dyson() -> tuple[float, float]:
    """Processor's seconds of 100 steps of one path, N = 200, a g a level; and of such a matrix."""
    from sgdyson.dyson import EigenvalueProcess
    from sgdyson.ensembles import Quadratic

    noise = np.linspace(2, 0.5, 200)
    width = np.sqrt((noise[:, None] ** 2 + noise**2) / 2)
    process = EigenvalueProcess(Quadratic(), 1, tuple(noise))

    def matrices() -> None:
        generator, m = np.random.default_rng(0), np.diag(1e-6 * np.arange(200))
        for _ in range(100):
            _, vectors = np.linalg.eigh(m)
            entries = generator.standard_normal((200, 200))
            kick = width * (entries + entries.T) * np.sqrt(0.01 / 2)
            m = 0.99 * m + vectors[:, ::-1] @ kick @ vectors[:, ::-1].T

    ours = seconds(
        lambda: process.simulate(1e-6 * np.arange(200), step=0.01, steps=100, replicas=1, seed=0,
                                 progress=False),
        time.process_time,
    )  # fmt: skip
    return ours, seconds(matrices, time.process_time)


def jacobi_dyson() -> tuple[float, float]:
    """Processor's seconds of 20 steps between walls, N = 500; and of unitary matrices."""
    from sgdyson.dyson import JacobiProcess

    step, size = 1e-5, 1100

    def matrices() -> None:
        generator, u = np.random.default_rng(0), np.eye(size, dtype=complex)
        for _ in range(5):
            g = generator.standard_normal((2, size, size)) * np.sqrt(step / 4)
            values, vectors = np.linalg.eigh(g[0] + g[0].T + 1j * (g[1] - g[1].T))
            u = u @ (vectors * np.exp(1j * values)) @ vectors.conj().T
            np.linalg.svd(u[:500, :500], compute_uv=False)

    ours = seconds(
        lambda: JacobiProcess(500, 600, 2.0).simulate(
            0.2 + 1e-3 * np.arange(500), step=step, steps=20, replicas=1, seed=0, progress=False
        ),
        time.process_time,
    )
    return ours, 4 * seconds(matrices, time.process_time)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="an interpreter with scikit-rmt and DPPy")
    python = parser.parse_args().peers
    table = Table("work", "sgdyson", "plain NumPy", "scikit-rmt", "DPPy")
    rows = [
        ("100 GOE matrices N = 1000, s", *eigenvalues(),
         peer("eigenvalues", python), peer("eigenvalues DPPy", python)),
        ("1e6 draws, semicircle, s", *draws("semicircle"), peer("semicircle", python), "-"),
        ("1e6 draws, Marchenko-Pastur, s", *draws("marchenko-pastur"),
         peer("marchenko-pastur", python), "-"),
        ("quartic gas N = 50, ms an effective sample", *coulomb_gas(), "-",
         dppy_gas(python)),
        ("Dyson SDE N = 16, 1000 paths, s a unit of time", *dyson(), "-", "-"),
        ("Dyson SDE N = 500, one path, CPU s 100 steps", *large_dyson(), "-", "-"),
        ("Dyson on a circle N = 200, one path, CPU s 100 steps", *circular_dyson(), "-", "-"),
        ("Dyson, a g a level, N = 200, one path, CPU s 100 steps", *uneven_dyson(), "-", "-"),
        ("Dyson between walls N = 500, one path, CPU s 20 steps", *jacobi_dyson(), "-", "-"),
    ]  # fmt: skip
    for name, ours, plain, *others in rows:
        table.add_row(name, f"{ours:.3g}", f"{plain:.3g}", *others)
    Console(file=sys.stdout, width=120).print(table)


if __name__ == "__main__":
    main()
