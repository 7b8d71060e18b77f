"""Computes the path of a ball until it has bounced four times."""

import numpy as np
from scipy.integrate import solve_ivp

GRAVITY, KEPT = 9.81, 0.8  # metres a second squared; the share of the speed after a bounce


def fall(_time: float, state: np.ndarray) -> list[float]:
    """Return how height and speed change."""
    return [state[1], -GRAVITY]


def ground(_time: float, state: np.ndarray) -> float:
    """Return the height, which is 0 when the ball touches the ground."""
    return state[0]


ground.terminal, ground.direction = True, -1


def bounces(height: float, count: int) -> list[tuple[float, float]]:
    """Return the time of each bounce, and the height after it."""
    time, state, found = 0.0, np.array([height, 0.0]), []
    for _ in range(count):
        flight = solve_ivp(fall, (time, time + 10), state, events=ground, rtol=1e-9, atol=1e-12)
        time, speed = flight.t[-1], -flight.y[1, -1] * KEPT
        state = np.array([1e-9, speed])
        found.append((time, speed**2 / (2 * GRAVITY)))
    return found


if __name__ == "__main__":
    for number, (time, height) in enumerate(bounces(height=2, count=4), 1):
        print(f"bounce {number} after {time:.2f} s, then {height:.2f} m high")
