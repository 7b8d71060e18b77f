"""Fits a curve to measurements of a damped pendulum."""

import numpy as np
from scipy.optimize import curve_fit

TRUE = {"height": 2.0, "decay": 0.3, "hertz": 0.5}


def swing(time: np.ndarray, height: float, decay: float, hertz: float) -> np.ndarray:
    """Return the position of the pendulum."""
    return height * np.exp(-decay * time) * np.cos(2 * np.pi * hertz * time)


def measured() -> tuple[np.ndarray, np.ndarray]:
    """Return times and measurements, with errors that are the same in each run."""
    time = np.linspace(0, 10, 400)
    return time, swing(time, **TRUE) + np.random.default_rng(seed=1).normal(0, 0.05, time.size)


if __name__ == "__main__":
    found, covariance = curve_fit(swing, *measured(), p0=[1, 0.1, 0.4])
    for name, value, error in zip(TRUE, found, np.sqrt(np.diag(covariance)), strict=True):
        print(f"{name:6} {value:.2f} ± {error:.2f}")
