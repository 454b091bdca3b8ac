"""The coherence kernels in NumPy and SciPy, at the sizes of kernels-cases.ts; prints their times as JSON."""

import sys

# This file's folder comes first on the path, and its name is the library's.
sys.path.pop(0)

import json
import statistics
import time

import numpy as np
import scipy
from scipy.signal import lfilter

WARM_UP_S = 0.1
BATCHES = 5
ROUNDS = 7
BATCH_S = 0.004

OMEGA, STEP, TAU = 2.0, 0.01, 0.5
random = np.random.default_rng(1)


def seconds(run):
    """The best round's median, as kernels-timing.ts takes it."""
    size, begun = 1, time.perf_counter()
    while True:
        took = batch(run, size) * size
        if took < BATCH_S:
            size *= 2
        elif time.perf_counter() - begun > WARM_UP_S:
            break
    return min(statistics.median(batch(run, size) for _ in range(BATCHES)) for _ in range(ROUNDS))


def batch(run, size):
    begun = time.perf_counter()
    for _ in range(size):
        run()
    return (time.perf_counter() - begun) / size


def phases(kind, *shape):
    return random.uniform(-np.pi, np.pi, shape).astype(kind)


def phase_locking(kind):
    """|mean e^{i(a-b)}|, by cosine and sine, and by the complex exponential that is usual."""
    length = 65536
    a, b = phases(kind, length), phases(kind, length)

    def cos_and_sin():
        difference = a - b
        return np.hypot(np.cos(difference).mean(), np.sin(difference).mean())

    unit = np.complex64(1j) if kind == "f4" else 1j
    ways = {"cos and sin": cos_and_sin, "complex exp": lambda: abs(np.exp(unit * (a - b)).mean())}
    return length, ways


def leaky(kind):
    """T_k = a·T + (1-a)·e^{i(ωt - φ)}: row by row for all streams, and by a filter along time."""
    streams, steps = 1024, 256
    rows = phases(kind, steps, streams)
    decay = np.exp(-STEP / TAU)
    reference = (OMEGA * STEP * np.arange(steps) % (2 * np.pi)).astype(kind)
    state = {"t": np.zeros((2, streams), kind), "filter": np.zeros((1, streams), "c8" if kind == "f4" else "c16")}
    a, gain = np.asarray(decay, kind), np.asarray(1 - decay, kind)
    numerator, denominator = np.array([1 - decay], kind), np.array([1, -decay], kind)

    def by_rows():
        t = state["t"]
        angles = reference[:, None] - rows
        re, im = np.cos(angles), np.sin(angles)
        re *= gain
        im *= gain
        for k in range(steps):
            t *= a
            t[0] += re[k]
            t[1] += im[k]

    def by_filter():
        angles = reference[:, None] - rows
        units = np.empty(angles.shape, state["filter"].dtype)
        np.cos(angles, out=units.real)
        np.sin(angles, out=units.imag)
        _, state["filter"] = lfilter(numerator, denominator, units, axis=0, zi=state["filter"])

    return streams * steps, {"rows": by_rows, "scipy.signal.lfilter": by_filter}


def goertzel(kind):
    """By the recursion as a filter, by a matrix of all powers made once, and by that matrix in real parts."""
    frequencies, length = 64, 4096
    values = random.uniform(-1, 1, length).astype(kind)
    angles = np.pi * np.arange(1, frequencies + 1) / (frequencies + 1)
    powers = np.exp(-1j * np.outer(angles, np.arange(length)))
    basis = np.concatenate([powers.real, powers.imag]).astype(kind)
    scale = np.asarray(2 / length, kind)

    def recursion():
        centred = values - values.mean()
        for angle in angles:
            s = lfilter(np.array([1.0], kind), np.array([1.0, -2 * np.cos(angle), 1.0], kind), centred)
            _ = (s[-1] - np.exp(-1j * angle) * s[-2]) * np.exp(-1j * angle * (length - 1)) * scale

    def product():
        return basis @ (values - values.mean()) * scale

    return frequencies * length, {"scipy.signal.lfilter": recursion, "a product with a basis made before": product}


def matrix(kind):
    channels, length = 64, 4096
    rows = phases(kind, channels, length)

    def blas():
        units = np.empty(rows.shape, "c8" if kind == "f4" else "c16")
        np.cos(rows, out=units.real)
        np.sin(rows, out=units.imag)
        return abs(units @ units.conj().T) / length

    return channels * (channels + 1) * length // 2, {"BLAS": blas}


CASES = [
    ("phase-locking value", "65 536 samples", phase_locking, True),
    ("leaky update from phases", "1 024 streams × 256 steps", leaky, True),
    ("Goertzel bank", "64 frequencies × 4 096 samples", goertzel, True),
    ("phase-locking matrix", "64 channels × 4 096 samples", matrix, False),
]


def times():
    for name, size, make, is_asked in CASES:
        for width, kind in (("f32", "f4"), ("f64", "f8")):
            items, ways = make(kind)
            took = {how: 1e9 * seconds(run) / items for how, run in ways.items()}
            for how, ns in took.items():
                is_held = is_asked and ns == min(took.values())
                yield {"id": f"{name}, {width}", "size": size, "how": how, "ns": ns, "isHeld": is_held}


versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, Python {sys.version.split()[0]}, one thread."
print(json.dumps({"times": list(times()), "versions": versions}))
