"""Auto-PGD (Croce and Hein 2020, algorithm 1) on the tiny network, in NumPy and double precision.

`python3 golden_apgd.py` writes golden_apgd.json: per case the starts, every point, the step of
every move, each image walked alone, up to the first close decision: from there on float32 may
decide otherwise. Starts are drawn anew until at least LEAST moves are clear and the checkpoints
among them have decided both ways.
"""

import math

import numpy as np

from tiny_net import TinyNet, save

STEPS = 25
IMAGES = 2  # per case
EPS = {"linf": 0.2, "l2": 1.0}
LEAST = 12  # moves that must be clear of close decisions: two checkpoints at least
NET = TinyNet()


class Close(Exception):
    """Two numbers that are compared lie too close to each other."""


def clear(gap):
    if 0 < abs(gap) < 2e-5:
        raise Close


def ranked(z, count):
    """The `count` largest logits' classes; ties refused."""
    order = np.argsort(-z)
    for a, b in zip(order[:count], order[1 : count + 1]):
        clear(z[a] - z[b])
    return order[:count]


def value_and_gradient(loss, x, label, target, direction=1.0):
    if loss == "score":
        return direction * NET.score(x[None])[0], direction * NET.score_gradient(x[None])[0]
    z = NET.logits(x[None])[0]
    jacobian = NET.logit_jacobian(x[None])[0]  # [K, 36]
    if loss == "ce":
        p = np.exp(z - z.max())
        p /= p.sum()
        return -math.log(p[label]), (p - np.eye(len(z))[label]) @ jacobian
    if loss == "margin":
        other = [c for c in ranked(z, 2) if c != label][0]
        return z[other] - z[label], jacobian[other] - jacobian[label]
    if loss == "dlr":
        order = ranked(z, 4)
        other = [c for c in order if c != label][0]
        top, bottom = z[other] - z[label], z[order[0]] - z[order[2]]
        d_top = jacobian[other] - jacobian[label]
        d_bottom = jacobian[order[0]] - jacobian[order[2]]
    else:
        order = ranked(z, 4)
        top = z[target] - z[label]
        bottom = z[order[0]] - 0.5 * (z[order[2]] + z[order[3]])
        d_top = jacobian[target] - jacobian[label]
        d_bottom = jacobian[order[0]] - 0.5 * (jacobian[order[2]] + jacobian[order[3]])
    return top / (bottom + 1e-12), (d_top * bottom - top * d_bottom) / bottom**2


def judged(loss, x, label):
    if loss == "score":
        return NET.score(x[None])[0]
    z = NET.logits(x[None])[0]
    return np.delete(z, label).max() - z[label]


def project(point, image, norm, eps):
    delta = point - image
    if norm == "linf":
        delta = np.clip(delta, -eps, eps)
    else:
        length = np.linalg.norm(delta)
        if length > eps:
            delta = delta * eps / length
    return np.clip(image + delta, 0, 1)


def ascent(gradient, norm):
    if norm == "l2":
        # Short gradients have uncertain directions; DLR's is 0 where the true class is third.
        if np.linalg.norm(gradient) < 0.05:
            raise Close
        return gradient / np.linalg.norm(gradient)
    if np.abs(gradient).min() < 1e-4:
        raise Close
    return np.sign(gradient)


def checkpoints(steps=STEPS):
    """p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j - p_{j-1} - 0.03, 0.06), as moves, rounded
    down each as the published code does."""
    period = max(int(0.22 * steps), 1)
    least, less = max(int(0.06 * steps), 1), max(int(0.03 * steps), 1)
    at, found = period, []
    while at <= steps:
        found.append(at)
        period = max(period - less, least)
        at += period
    return found


def apgd(loss, norm, image, start, label, target, steps=STEPS, eps=None, direction=1.0):
    """Points [moves + 1, 36] and the step of each move [moves]."""
    eps = EPS[norm] if eps is None else eps
    x = [start]
    values, gradients = [], []
    eta, step_sizes = 2 * eps, []
    best = 0
    before, last_check = 0, (None, eta)  # (best value, step) at the checkpoint before
    for k in range(steps + 1):
        try:
            f, g = value_and_gradient(loss, x[k], label, target, direction)
            if k > 0:
                clear(f - values[k - 1])
                clear(f - values[best])
            ascent(g, norm)
        except Close:
            break
        values.append(f)
        gradients.append(g)
        if values[k] > values[best]:
            best = k
        if k == steps:
            break
        here, gradient = x[k], gradients[k]
        if k in checkpoints(steps):
            rises = sum(values[i + 1] > values[i] for i in range(before, k))
            few = rises <= 0.75 * (k - before)
            best_then, eta_then = last_check
            kept = best_then is not None and eta_then == eta and best_then >= values[best]
            last_check = (values[best], eta)
            if few or kept:
                eta /= 2
                here, gradient = x[best], gradients[best]
            before = k
        step_sizes.append(eta)
        z = project(here + eta * ascent(gradient, norm), image, norm, eps)
        if k == 0:
            x.append(z)
        else:
            # After a return the point of departure is the best one, and the momentum still comes
            # from the iterate before the one given up.
            origin = x_before
            x.append(project(here + 0.75 * (z - here) + 0.25 * (here - origin), image, norm, eps))
        x_before = here
    return np.array(x), np.array(step_sizes)


def draw(rng, image, norm):
    while True:
        u = rng.uniform(-1, 1, 36) if norm == "linf" else rng.normal(0, 1, 36)
        size = np.abs(u).max() if norm == "linf" else np.linalg.norm(u)
        start = np.clip(image + EPS[norm] * u / size, 0, 1)
        start = np.round(start, 6)
        if np.array_equal(project(start, image, norm, EPS[norm]), start) or norm == "l2":
            return start


def case(loss, norm, rank=0):
    rng = np.random.default_rng([len(loss), len(norm), rank])
    out = {"loss": loss, "norm": norm, "rank": rank, "starts": [], "points": [], "steps": []}
    out["samples"], out["targets"], out["worst"] = [], [], []
    for i in range(len(NET.images)):
        if len(out["samples"]) == IMAGES:
            break
        image, label = NET.images[i], int(NET.labels[i])
        order = [int(c) for c in np.argsort(-NET.logits(image[None])[0]) if c != label]
        for attempt in range(300):
            start = draw(rng, image, norm)
            points, steps = apgd(loss, norm, image, start, label, order[rank])
            halvings = np.isin(np.arange(1, len(steps)), checkpoints()) & (steps[1:] < steps[:-1])
            seen = sum(at < len(steps) for at in checkpoints())
            if len(steps) >= LEAST and 0 < halvings.sum() < seen:
                break
        else:
            continue
        print(loss, norm, rank, "image", i, "attempts", attempt + 1, "moves", len(steps), "halved", halvings.sum(), "of", seen)
        out["samples"].append(i)
        out["starts"].append(start)
        out["steps"].append(steps)
        out["points"].append(np.round(points, 6))
        out["targets"].append(order[rank])
        out["worst"].append(max(judged(loss, x, label) for x in [image, *points]))
    if len(out["samples"]) < IMAGES:
        raise SystemExit(f"too few clear images for {loss} {norm} {rank}: {out['samples']}")
    return out


if __name__ == "__main__":
    cases = [case(loss, norm) for loss in ("ce", "dlr", "score") for norm in ("linf", "l2")]
    cases += [case("targeted", norm, rank) for norm in ("linf", "l2") for rank in (0, 1)]
    save("golden_apgd.json", {"eps": EPS, "steps": STEPS, "cases": cases})
