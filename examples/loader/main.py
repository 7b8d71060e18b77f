"""Finds the tones of a noisy recording in its spectrum."""

import numpy as np

RATE = 1000  # samples a second
TONES = {50: 1.0, 120: 0.5, 310: 0.25}  # frequency in hertz: amplitude


def record(seconds: int) -> np.ndarray:
    """Return a recording of the tones, with noise that is the same in each run."""
    time = np.arange(seconds * RATE) / RATE
    noise = np.random.default_rng(seed=1).normal(0, 0.2, time.size)
    return noise + sum(loud * np.sin(2 * np.pi * hertz * time) for hertz, loud in TONES.items())


def strongest(recording: np.ndarray, count: int) -> list[tuple[float, float]]:
    """Return the loudest frequencies with their amplitudes."""
    loud = 2 * np.abs(np.fft.rfft(recording)) / recording.size
    hertz = np.fft.rfftfreq(recording.size, 1 / RATE)
    return [(hertz[at], loud[at]) for at in np.argsort(loud)[::-1][:count]]


if __name__ == "__main__":
    for hertz, loud in strongest(record(seconds=10), len(TONES)):
        print(f"{hertz:3.0f} Hz {loud:.1f} {'#' * round(20 * loud)}")
