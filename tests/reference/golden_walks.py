"""References for the attacks that walk, on the small network: every point they evaluate.

`python3 golden_walks.py` writes golden_walks.json. Written from the papers in double precision;
signs and decisions are kept away from ties (asserted), so that float32 must agree on them.
"""

import numpy as np

from bulwark_random import Random, Seed
from tiny_net import TinyNet, save

NET = TinyNet()
CASES = []


class Score:
    """direction x energy"""

    name = "score"

    def __init__(self, direction=1.0):
        self.direction = direction

    def value(self, x, _):
        return self.direction * NET.score(x[None])[0]

    def gradient(self, x, _):
        return self.direction * NET.score_gradient(x[None])[0]


class Classes:
    """Margin of the classifier; followed is the cross-entropy of the true class."""

    name = "classes"
    direction = 1.0

    def value(self, x, sample):
        z = NET.logits(x[None])[0]
        truth = NET.labels[sample]
        return np.delete(z, truth).max() - z[truth]

    def gradient(self, x, sample):
        return self.cross_entropy_gradient(x, NET.labels[sample])

    @staticmethod
    def cross_entropy_gradient(x, label):
        z = NET.logits(x[None])[0]
        p = np.exp(z - z.max())
        p /= p.sum()
        p[label] -= 1
        return p @ NET.logit_jacobian(x[None])[0]


def project(x, centre, norm, eps):
    if norm == "l2":
        delta = x - centre
        length = np.sqrt((delta**2).sum())
        x = centre + delta * min(1.0, eps / max(length, 1e-12))
    else:
        x = np.clip(x, centre - eps, centre + eps)
    return np.clip(x, 0, 1)


def clear_signs(gradient):
    return np.abs(gradient).min() > 1e-5 * np.abs(gradient).max()


def ascent(gradient, start, centre, norm, eps, step, steps, momentum=0.0):
    """All iterates [steps + 1, 36], or None where a sign is a close call."""
    points, velocity = [start], np.zeros(36)
    for _ in range(steps):
        g = gradient(points[-1])
        velocity = momentum * velocity + g / np.abs(g).sum()
        if not clear_signs(velocity):
            return None
        move = np.sign(velocity) if norm == "linf" else velocity / np.sqrt((velocity**2).sum())
        points.append(project(points[-1] + step * move, centre, norm, eps))
    return np.array(points)


COUNT = 3  # samples per case


def add(name, attack, options, objective, walks, **more):
    """walks: {sample: points [passes, 36]}; the first few that are clear are kept."""
    walks = {i: p for i, p in walks.items() if p is not None}
    samples = list(walks)[:COUNT]
    assert len(samples) == COUNT, name
    points = [np.round(walks[i], 6) for i in samples]
    values = [[objective.value(p, i) for p in walks[i]] for i in samples]
    case = {"name": name, "attack": attack, "options": options, "objective": objective.name,
            "direction": objective.direction, "samples": samples, "points": points,
            "values": [np.round(v, 6) for v in values]}
    CASES.append({**case, **{k: v(samples) if callable(v) else v for k, v in more.items()}})


def momentum():
    rng = np.random.default_rng(1)
    for norm, eps, mu, objective in (
        ("linf", 0.1, 1.0, Score(-1.0)),
        ("linf", 0.08, 0.5, Classes()),
        ("l2", 0.6, 1.0, Score()),
    ):
        step, steps, walks, starts = 0.3 * eps, 8, {}, {}
        for i, x in enumerate(NET.images):
            starts[i] = np.round(project(x + rng.uniform(-eps, eps, 36) / 3, x, norm, eps), 6)
            walks[i] = ascent(lambda p: objective.gradient(p, i), starts[i], x, norm, eps, step,
                              steps, mu)
        options = {"eps": eps, "norm": norm, "momentum": mu, "steps": steps, "step_size": step}
        add(f"momentum {norm} {mu} {objective.name}", "pgd", options, objective, walks,
            starts=lambda samples: [starts[i] for i in samples])


def bim():
    for norm, eps, objective in (("linf", 0.1, Score()), ("linf", 0.1, Classes()),
                                 ("l2", 0.5, Score(-1.0))):
        step, steps = 0.15 * eps, 9
        walks = {i: ascent(lambda p: objective.gradient(p, i), x, x, norm, eps, step, steps)
                 for i, x in enumerate(NET.images)}
        options = {"eps": eps, "norm": norm, "steps": steps, "step_size": step}
        add(f"bim_b {norm} {objective.name}", "bim_b", {**options, "keep": "last"}, objective,
            walks, result=[-1] * COUNT)
        # Thresholds that samples cross at different steps, and some never.
        clear = {i: [objective.value(p, i) for p in w] for i, w in walks.items() if w is not None}
        ends = sorted(v[-1] for v in clear.values())
        threshold = 0.5 * (ends[0] + ends[1])
        result = []
        for i in list(clear)[:COUNT]:
            crossed = [k for k, v in enumerate(clear[i]) if v > threshold]
            assert min(abs(v - threshold) for v in clear[i]) > 1e-4
            result.append(crossed[0] if crossed else -1)
        path = CASES[-1]
        CASES.append({"name": f"bim_a {norm} {objective.name}", "attack": "bim_a",
                      **{k: path[k] for k in ("options", "objective", "direction", "samples")},
                      "path": path["name"], "thresholds": [threshold], "result": result})


def least_likely():
    eps, step = 6 / 255, 1 / 255
    steps = 7  # floor(min(6 + 4, 1.25 * 6))
    objective, walks = Classes(), {}
    for i, x in enumerate(NET.images):
        target = NET.logits(x[None])[0].argmin()
        walk = ascent(lambda p: -objective.cross_entropy_gradient(p, target), x, x, "linf", eps,
                      step, steps)
        # The first pass over the clean images finds their least likely classes.
        walks[i] = None if walk is None else np.concatenate([x[None], walk])
    add("least_likely classes", "least_likely", {"eps": eps, "keep": "last"}, objective, walks,
        result=[-1] * COUNT)
    objective = Score(-1.0)
    walks = {i: ascent(lambda p: objective.gradient(p, i), x, x, "linf", eps, step, steps)
             for i, x in enumerate(NET.images)}
    add("least_likely score", "least_likely", {"eps": eps, "keep": "last"}, objective, walks,
        result=[-1] * COUNT)


if __name__ == "__main__":
    momentum()
    bim()
    least_likely()
    save("golden_walks.json", {case["name"]: case for case in CASES})
