"""Laws far out in their tails: closed forms, and determinants of 40 to 90 digits by mpmath."""

import numpy as np
import pytest
from scipy import integrate, special

from sgdyson.laws import (
    Brody,
    ExactSpacing,
    GaussianEnsembleDensity,
    HardEdge,
    MarchenkoPastur,
    MarchenkoPasturSingular,
    PairDensity,
    Semicircle,
    SpacingRatio,
    TracyWidom,
    WignerSurmise,
)

RELATIVE = 1e-8  # of the logarithm of a density


def log_cosh(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, -x) - np.log(2)


# from a spacing that is denormal to one where the density has underflowed
S = np.concatenate([np.geomspace(1e-300, 1, 40), np.linspace(1.1, 6000, 120)])
ROOT = np.sqrt(S)
WIDE = np.maximum(ROOT, 0.01)
LOG_I0 = np.log(special.ive(0, ROOT)) + ROOT


@pytest.mark.parametrize(
    ("law", "density", "above"),
    [
        (  # Edelman (1988): square matrices and those of one row more
            HardEdge(1, -0.5),
            np.log(1 / 8 + 1 / (4 * ROOT)) - S / 8 - ROOT / 2,
            -S / 8 - ROOT / 2,
        ),
        (HardEdge(1, 0.0), -np.log(8) - S / 8, -S / 8),
        (HardEdge(2, 0.0), -np.log(4) - S / 4, -S / 4),
        (  # Forrester and Hughes (1994): e^{-s/4} I_0(sqrt s); I_0 - 2 I_1/sqrt s = I_2
            HardEdge(2, 1.0),
            np.log(special.ive(2, ROOT)) + ROOT - S / 4 - np.log(4),
            LOG_I0 - S / 4,
        ),
        (  # e^{-s/2} cosh sqrt(s); where the difference cancels, its series s/6
            HardEdge(4, 1.0),
            np.where(
                S < 1e-4,
                np.log(S / 6) - 0.4 * S,
                np.log(1 - np.tanh(WIDE) / WIDE) + log_cosh(WIDE) - S / 2 - np.log(2),
            ),
            log_cosh(ROOT) - S / 2,
        ),
    ],
    ids=["real-square", "real", "complex-square", "complex", "quaternion"],
)
def test_the_hard_edge_has_its_closed_forms_in_both_tails(law, density, above):
    found = law.logpdf(S)
    np.testing.assert_allclose(found, density, rtol=RELATIVE, atol=1e-8)
    visible = above > -700
    np.testing.assert_allclose(np.log(law.sf(S[visible])), above[visible], rtol=1e-8, atol=1e-8)
    assert np.abs(HardEdge(law.beta, law.a + 0.01).logpdf(S) / density - 1).max() > 1e-3


# ln of the density at s = t^2 (beta = 4: t^2/4): Gauss-Legendre determinants of 60 digits, by
# central differences of 1e-15
@pytest.mark.parametrize(
    ("beta", "a", "t", "expected"),
    [
        (1, 1.5, 0.01, -21.152452471674),
        (1, 1.5, 12, -9.9019029104734),
        (1, 1.5, 40, -153.07741938182),
        (1, 10.0, 25, -5.9532600350766),
        (1, 10.0, 55, -85.945822970717),
        (2, 3.0, 5, -3.5601775965562),
        (2, 3.0, 25, -99.424514402348),
        (2, 10.0, 40, -146.59765973266),
        (2, 10.0, 55, -368.60727131101),
        (4, 2.0, 0.01, -25.064478810434),
        (4, 2.0, 12, -9.9210940356583),
        (4, 2.0, 40, -164.25047119602),
    ],
)
def test_the_hard_edge_against_determinants_of_many_digits(beta, a, t, expected):
    law, s = HardEdge(beta, a), t**2 / (4 if beta == 4 else 1)
    assert float(law.logpdf(s)) == pytest.approx(expected, rel=RELATIVE)
    assert float(law.logpdf(1.001 * s)) != pytest.approx(expected, rel=RELATIVE)


# ln of the density by second differences of 1e-20 of det(1 - K), 90 digits
@pytest.mark.parametrize(
    ("s", "beta", "expected"),
    [
        (0.001, 1, -6.41005596325265),
        (0.001, 2, -12.6246643908808),
        (0.49, 1, -0.432879779959447),
        (0.49, 2, -0.549705215919208),
        (2, 1, -1.97176096256601),
        (2, 2, -2.50963196687666),
        (6, 1, -23.060224082363),
        (6, 2, -40.0279379961472),
        (12, 1, -93.1780599801072),
        (12, 2, -172.050675085212),
        (20, 1, -256.454175341887),
        (20, 2, -486.983229178183),
    ],
)
def test_exact_spacings_against_determinants_of_many_digits(s, beta, expected):
    law = ExactSpacing(beta)
    assert float(law.logpdf(s)) == pytest.approx(expected, rel=RELATIVE)
    assert float(law.logpdf(1.001 * s)) != pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize(("beta", "rate"), [(1, np.pi**2 / 6), (2, np.pi**2 / 3)])
def test_exact_spacings_near_zero_follow_the_repulsion(beta, rate):
    s = np.geomspace(1e-140, 1e-5, 20)  # Mehta, appendix A.13: corrections of order s^2
    expected = np.log(rate) + beta * np.log(s)
    np.testing.assert_allclose(ExactSpacing(beta).logpdf(s), expected, rtol=RELATIVE)


# left: determinants of 50 nodes in 40 digits; right, where 1 - F is its first traces: integrals of
# Airy's function in 80 digits; by r (r = s, for beta = 4 sqrt(2) s, whose density is by s)
@pytest.mark.parametrize(
    ("r", "expected"),
    [
        (-9.0, (-34.7036676292305, -58.15228680383905, -22.183658582302037)),
        (-7.3, (-19.193753301132922, -30.212242802926607, -10.181240050111315)),
        (-7.1, (-17.756407929442634, -27.672039764339633, -9.135601952791534)),
        (17.9, (-53.1692355716425, -107.09421549668, -113.201867826769)),
        (18.1, (-54.0205181231792, -108.802230675001, -114.925792774634)),
        (40.0, (-171.536098251426, -344.225455312063, -351.506283989529)),
        (110.0, (-772.260358285003, -1546.17824247237, -1554.9650715)),
    ],
)
def test_tracy_widom_where_its_series_take_over_and_beyond(r, expected):
    for beta, value in zip((1, 2, 4), expected, strict=True):
        s = r / np.sqrt(2) if beta == 4 else r
        assert float(TracyWidom(beta).logpdf(s)) == pytest.approx(value, rel=RELATIVE)
        assert float(TracyWidom(beta).logpdf(1.001 * s)) != pytest.approx(value, rel=RELATIVE)


def test_the_density_of_gaussian_levels_in_its_tails():
    x = np.concatenate([-np.geomspace(1e6, 1, 30), np.linspace(0, 100, 30)])
    normal = -(x**2) / 2 - np.log(2 * np.pi) / 2
    # two quaternion levels: the joint density integrated over one of them
    quaternion = np.log((x**4 + 6 * x**2 + 3) / 12) + normal
    pairs = [
        (GaussianEnsembleDensity(1), normal),
        (GaussianEnsembleDensity(1, 4), normal),
        (GaussianEnsembleDensity(2, 2), np.log((x**2 + 1) / 2) + normal),
        (GaussianEnsembleDensity(2, 4), quaternion),
        (GaussianEnsembleDensity(2), PairDensity().logpdf(x)),
    ]
    for law, expected in pairs:
        np.testing.assert_allclose(law.logpdf(x), expected, rtol=RELATIVE)
    assert np.abs(GaussianEnsembleDensity(3).logpdf(x) / pairs[0][1] - 1).max() > 1e-3


def test_the_pair_density_in_its_tails():
    u = np.linspace(15, 300, 50)  # erf is one, the Gaussian in the brackets is gone
    expected = np.log(np.sqrt(2 * np.pi) * u / (4 * np.sqrt(np.pi))) - u**2 / 2
    law = PairDensity(1.0, 2.0)
    for x in (1 + 2 * u, 1 - 2 * u):
        np.testing.assert_allclose(law.logpdf(x), expected - np.log(2), rtol=RELATIVE)
    far = np.array([10.0, 20.0, 35.0])
    area = [integrate.quad(PairDensity().pdf, v, v + 8, epsrel=1e-12, epsabs=0)[0] for v in far]
    np.testing.assert_allclose(PairDensity().sf(far), area, rtol=1e-8)
    np.testing.assert_allclose(PairDensity().cdf(-far), area, rtol=1e-8)


FAR = [
    *(ExactSpacing(beta) for beta in (1, 2)),
    *(TracyWidom(beta) for beta in (1, 2, 4)),
    *(HardEdge(1, a) for a in (-0.5, -0.3, 0.0, 2.5, 10.0)),
    *(HardEdge(2, a) for a in (-0.5, 0.3, 10.0)),
    *(HardEdge(4, a) for a in (0.5, 0.8, 10.0)),
    *(GaussianEnsembleDensity(n, beta) for n in (1, 2, 7, 40) for beta in (1, 2, 4)),
    GaussianEnsembleDensity(500),
    PairDensity(0.3, 2.0),
    *(WignerSurmise(beta) for beta in (1, 2, 4)),
    *(SpacingRatio(beta) for beta in (0, 1, 2, 4)),
    Brody(0.3),
    Semicircle(2.5),
    *(MarchenkoPastur(c) for c in (1e-6, 0.3, 1.0, 1 + 1e-9, 40.0)),
    *(MarchenkoPasturSingular(c) for c in (0.3, 1.0, 2.0)),
]


@pytest.mark.parametrize("law", FAR, ids=repr)
def test_tails_are_finite_inside_fall_outward_and_add_up(law):
    low, high = law.support
    fine = np.linspace(low, high, 4001)[1:-1]
    reach = np.linspace(low - 3 * (high - low), high + 3 * (high - low), 4001)
    tiny = low + (high - low) * np.geomspace(1e-300, 1e-3, 50)
    for x in (fine, reach, tiny, np.array([-1e30, -1e5, 1e5, 1e30])):
        inside = (x > law.ends[0]) & (x < law.ends[1])
        if hasattr(law, "edges"):
            inside = (x > law.edges[0]) & (x < law.edges[1])
        log, density = law.logpdf(x), law.pdf(x)
        assert np.isfinite(log[inside]).all()
        seen = density > 1e-290
        np.testing.assert_allclose(log[seen], np.log(density[seen]), rtol=1e-10, atol=1e-12)
        rising = np.sort(x)
        assert np.diff(law.cdf(rising)).min(initial=0) >= 0
        assert np.diff(law.sf(rising)).max(initial=0) <= 0
        np.testing.assert_allclose(law.cdf(x) + law.sf(x), 1, atol=1e-13)


def mass_between(c: float, angles: np.ndarray) -> np.ndarray:
    r"""Of $\frac2\pi \sin^2\varphi/(1 + r^2 - 2 r\cos\varphi)$ below angles, by quadrature."""
    r = np.sqrt(min(c, 1 / c))
    gap = (1 - min(c, 1 / c)) / (1 + r)
    # in v = asinh(angle/gap), in which the dip of width gap at zero is smooth
    unit, (nodes, weights) = max(gap, 1e-16), np.polynomial.legendre.leggauss(400)
    last = np.arcsinh(np.asarray(angles)[:, None] / unit)
    v = last * (1 + nodes) / 2
    angle = unit * np.sinh(v)
    density = np.sin(angle) ** 2 / (gap**2 + 4 * r * np.sin(angle / 2) ** 2)
    return 2 / np.pi * (density * unit * np.cosh(v)) @ weights * last[:, 0] / 2


@pytest.mark.parametrize(
    "c", [1e-13, 1e-6, 0.0099, 0.0101, 0.3, 1 - 1e-9, 1 - 1e-14, 1 + 1e-14, 1 + 1e-9, 2.0, 1e6]
)
def test_marchenko_pastur_at_every_ratio(c):
    law = MarchenkoPastur(c)
    angles = np.concatenate([np.geomspace(1e-10, 0.3, 10), np.linspace(0.4, np.pi, 12)])
    r = np.sqrt(min(c, 1 / c))
    gap = (1 - min(c, 1 / c)) / (1 + r)
    x = max(c, 1.0) * (gap**2 + 4 * r * np.sin(angles / 2) ** 2)
    # of the angle an x can be read to eps/4r, that of its rounding
    angles = (
        angles if r > 1e-3 else np.arccos(np.clip((r * r - (x / max(c, 1.0) - 1)) / 2 / r, -1, 1))
    )
    expected = law.atom + min(1.0, 1 / c) * mass_between(c, angles)
    np.testing.assert_allclose(law.cdf(x), expected, atol=1e-12)
    assert law.atom == pytest.approx(max(0.0, (c - 1) / c), rel=1e-15)
    assert np.abs(MarchenkoPastur(1.01 * c).cdf(x) - expected).max() > 1e-6 * min(1, 1 / c)
    inside = law.atom + (1 - law.atom) * np.linspace(0.01, 0.99, 21)
    np.testing.assert_allclose(law.cdf(law.ppf(inside)), inside, atol=1e-12 + 2e-16 / r)
