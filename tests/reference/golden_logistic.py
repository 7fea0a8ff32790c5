"""L2-regularised logistic regression with a cross-validated cost, in NumPy and double precision.

`python3 golden_logistic.py` writes golden_logistic.json. The minimum is found by gradient descent
with Nesterov's acceleration and restarts (the program uses Newton's method); min-max scaling, the
folds, the costs and the choice among them are written out again from their description.
"""

import json
import pathlib

import numpy as np

COSTS = [10.0 ** (-4 + 8 * i / 9) for i in range(10)]
FOLDS = 5


def minimise(x, y, cost):
    """argmin 1/2 |w|^2 + cost sum log(1 + exp(-y (w x + b))); y is +-1; returns (w, b)."""
    ones = np.hstack([x, np.ones((len(x), 1))])
    penalty = np.append(np.ones(x.shape[1]), 0.0)
    steep = 1.0 + cost * np.linalg.norm(ones, 2) ** 2 / 4  # Lipschitz constant of the gradient
    at = ahead = np.zeros(ones.shape[1])
    momentum = 1.0
    for _ in range(2_000_000):
        gradient = penalty * ahead - cost * ones.T @ (y / (1 + np.exp(y * (ones @ ahead))))
        if np.abs(gradient).max() < 1e-10 * max(1.0, cost):
            break
        after = ahead - gradient / steep
        if gradient @ (after - at) > 0:  # uphill: forget the momentum
            momentum = 1.0
        fresh = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = after + (momentum - 1) / fresh * (after - at)
        at, momentum = after, fresh
    else:
        raise RuntimeError("no minimum")
    return ahead


def main():
    draw = np.random.default_rng(7)
    rows, width = 60, 3
    y = np.where(np.arange(rows) % 3 == 2, 1.0, -1.0)
    x = draw.normal(size=(rows, width)) * [1, 5, 0.2] + [0, 40, -1]
    x[:, 0] += 1.1 * y
    x[:, 1] += 2.5 * y
    x = np.round(x, 4)
    fold = np.arange(rows) // 3 * FOLDS // (rows // 3)
    scaled = (x - x.min(0)) / (x.max(0) - x.min(0))
    accuracy = []
    for cost in COSTS:
        hits = []
        for held in range(FOLDS):
            test = fold == held
            theta = minimise(scaled[~test], y[~test], cost)
            told = scaled[test] @ theta[:-1] + theta[-1] > 0
            hits.append(np.mean(told == (y[test] > 0)))
        accuracy.append(float(np.mean(hits)))
    best = next(i for i, a in enumerate(accuracy) if a > max(accuracy) - 1e-12)
    file = {
        "x": x.tolist(),
        "positive": (y > 0).astype(int).tolist(),
        "fold": fold.tolist(),
        "accuracy": accuracy,
        "cost": COSTS[best],
        "theta": minimise(scaled, y, COSTS[best]).tolist(),
        "all": [minimise(scaled, y, cost).tolist() for cost in COSTS[:8]],
    }
    path = pathlib.Path(__file__).with_name("golden_logistic.json")
    path.write_text(json.dumps(file, indent=None) + "\n")


main()
