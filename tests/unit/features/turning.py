"""Made features that turn evenly in log time, so that the correlation of any two of their states is known."""

import numpy as np

P, N = 30, 6
STEPS = (0, *(2**k for k in range(9)))
SPEED = 0.4  # radians in a doubling of time


def turning(faster=1.0, seed=0, steps=STEPS, layers=2):
    """Each layer's step -> H, whose units turn evenly in log time: correlation of two times cos(SPEED log2 ratio)."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(layers):
        h = rng.standard_normal((P, 2 * N))
        # Centered and orthogonal, so that correlations are cosines of angles.
        first, second = np.split(np.linalg.qr(h - h.mean(0))[0], 2, axis=1)
        angles = {step: SPEED * np.log2(max(step, 0.5) * faster) for step in steps}
        made.append({step: np.cos(angle) * first + np.sin(angle) * second for step, angle in angles.items()})
    return made


def noise(like, seed=9):
    return np.random.default_rng(seed).standard_normal(like.shape)
