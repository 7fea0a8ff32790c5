"""Golden values of the attacks that look for the nearest crossing, in NumPy and double precision.

Written from the papers: DeepFool (Moosavi-Dezfooli et al. 2016), FAB (Croce and Hein 2020),
C&W (Carlini and Wagner 2017), JSMA (Papernot et al. 2016). One image at a time, plainly.
`python3 golden_nearest.py` writes golden_nearest.json.
"""

import numpy as np

from tiny_net import TinyNet, save

NET = TinyNet()
COUNT = len(NET.images)


class Classifier:
    """f_k = Z_k - Z_y for all k, with gradients."""

    def __init__(self, sample):
        self.y = NET.labels[sample]

    def differences(self, x):
        z = NET.logits(x[None])[0]
        jacobian = NET.logit_jacobian(x[None])[0]
        others = [k for k in range(len(z)) if k != self.y]
        return (np.array([z[k] - z[self.y] for k in others]),
                np.array([jacobian[k] - jacobian[self.y] for k in others]))

    def crossed(self, x):
        return self.differences(x)[0].max() > 0


class Target(Classifier):
    """Only Z_t - Z_y; any misclassification succeeds."""

    def __init__(self, sample, target):
        super().__init__(sample)
        self.target = target

    def differences(self, x):
        z = NET.logits(x[None])[0]
        jacobian = NET.logit_jacobian(x[None])[0]
        return (np.array([z[self.target] - z[self.y]]),
                np.array([jacobian[self.target] - jacobian[self.y]]))

    def crossed(self, x):
        return NET.logits(x[None])[0].argmax() != self.y


class Score:
    """m = direction (s - tau)."""

    def __init__(self, direction, tau):
        self.direction, self.tau = direction, tau

    def differences(self, x):
        return (np.array([self.direction * (NET.score(x[None])[0] - self.tau)]),
                self.direction * NET.score_gradient(x[None]))

    def crossed(self, x):
        return self.differences(x)[0][0] > 0


def distance(delta, norm):
    return np.abs(delta).max() if norm == "linf" else np.sqrt((delta**2).sum())


# --- DeepFool ---------------------------------------------------------------------------------


def deepfool(problem, x0, norm, steps=50):
    total = np.zeros_like(x0)
    x = x0.copy()
    points = [x]
    for _ in range(steps):
        if problem.crossed(x):
            break
        f, w = problem.differences(x)
        if norm == "l2":
            lengths = np.sqrt((w**2).sum(1))
        else:
            lengths = np.abs(w).sum(1)
        ratios = np.abs(f) / lengths
        order = np.sort(ratios)
        assert len(order) < 2 or order[1] - order[0] > 1e-4, "a tie between classes"
        k = ratios.argmin()
        if norm == "l2":
            r = np.abs(f[k]) / lengths[k] ** 2 * w[k]
        else:
            assert np.abs(w[k]).min() > 1e-5, "a gradient entry near 0"
            r = np.abs(f[k]) / lengths[k] * np.sign(w[k])
        total = total + r
        x = np.clip(x0 + 1.02 * total, 0, 1)
        points.append(x)
    return points


def tau_for(direction):
    """A threshold that half of the images are beyond; the others can be driven there."""
    scores = NET.score(NET.images)
    return np.sort(scores)[2] + 0.02 if direction > 0 else np.sort(scores)[3] - 0.005


def deepfool_cases():
    cases = []
    for norm in ("l2", "linf"):
        for direction in (0, 1, -1):
            tau = 0.0 if direction == 0 else tau_for(direction)
            runs = []
            for i in range(COUNT):
                problem = Classifier(i) if direction == 0 else Score(direction, tau)
                points = deepfool(problem, NET.images[i], norm)
                # Rounding grows along long paths: those are compared step by step only.
                crossed = problem.crossed(points[-1]) and len(points) <= 9
                far = distance(points[-1] - NET.images[i], norm) if crossed else None
                runs.append({"points": np.round(points[:6], 8), "steps": len(points) - 1, "distance": far})
            cases.append({"norm": norm, "direction": direction, "tau": tau, "runs": runs})
    return cases


# --- FAB --------------------------------------------------------------------------------------


def project(t, w, f, norm):
    """Shortest d with f + <w, d> = 0 and t + d in [0, 1], by bisection on its length parameter."""
    g = -np.sign(f) * w if f != 0 else w
    room = np.where(g > 0, 1 - t, np.where(g < 0, t, 0.0))
    size = np.abs(g) if norm == "l2" else np.ones_like(g)

    def at(length):
        return np.sign(g) * np.minimum(length * size, room)

    low, high = 0.0, 1.0
    while (g * at(high)).sum() < abs(f) and high < 1e12:
        high *= 2
    if high >= 1e12:
        return np.sign(g) * room
    for _ in range(200):
        middle = (low + high) / 2
        if (g * at(middle)).sum() < abs(f):
            low = middle
        else:
            high = middle
    return at(high)


def fab(problem, x0, norm, steps, start=None):
    x = x0.copy() if start is None else start
    nearest, points = np.inf, []
    for _ in range(steps):
        f, w = problem.differences(x)
        dual = np.abs(w).sum(1) if norm == "linf" else np.sqrt((w**2).sum(1))
        k = (np.abs(f) / dual).argmin()
        dk = project(x, w[k], f[k], norm)
        d0 = project(x0, w[k], f[k] + w[k] @ (x0 - x), norm)
        nk, n0 = max(distance(dk, norm), 1e-8), max(distance(d0, norm), 1e-8)
        alpha = min(nk / (nk + n0), 0.1)
        x = np.clip((1 - alpha) * (x + 1.05 * dk) + alpha * (x0 + 1.05 * d0), 0, 1)
        points.append(x)
        if problem.crossed(x):
            nearest = min(nearest, distance(x - x0, norm))
            x = x0 + 0.9 * (x - x0)
    return nearest, points


def projection_cases():
    rng = np.random.default_rng(5)
    cases = []
    for norm in ("linf", "l2"):
        for scale in (0.1, 1.0, 3.0, 30.0):
            t, w = rng.uniform(0, 1, 12), rng.normal(0, 1, 12)
            t[0], t[1], w[2] = 0.0, 1.0, 0.0
            for sign in (1, -1):
                f = sign * scale
                cases.append({"norm": norm, "t": t, "w": w, "f": f, "d": project(t, w, f, norm)})
    return cases


def fab_cases(steps=40):
    cases = []
    for norm in ("linf", "l2"):
        for direction in (0, 1, -1):
            tau = 0.0 if direction == 0 else tau_for(direction)
            runs = []
            for i in range(COUNT):
                x0 = NET.images[i]
                problem = Classifier(i) if direction == 0 else Score(direction, tau)
                if problem.crossed(x0):
                    runs.append({"distance": 0.0, "targeted": 0.0, "points": []})
                    continue
                far, points = fab(problem, x0, norm, steps)
                targeted = far
                if direction == 0:
                    order = np.argsort(-NET.logits(x0[None])[0])[1:]
                    targeted = min(fab(Target(i, t), x0, norm, steps)[0] for t in order)
                runs.append({"distance": far, "targeted": targeted,
                             "points": np.round(points[:3], 8)})
            cases.append({"norm": norm, "direction": direction, "tau": tau, "steps": steps,
                          "runs": runs})
    return cases


# --- C&W --------------------------------------------------------------------------------------


def margin_of(sample, target, direction, tau):
    """F and its gradient: by how much x succeeds."""
    y = NET.labels[sample]

    def classifier(x):
        z, jacobian = NET.logits(x[None])[0], NET.logit_jacobian(x[None])[0]
        own = y if target is None else target
        rest = z.copy()
        rest[own] = -np.inf
        other = rest.argmax()
        sign = 1 if target is None else -1
        return sign * (z[other] - z[own]), sign * (jacobian[other] - jacobian[own])

    def score(x):
        return (direction * (NET.score(x[None])[0] - tau),
                direction * NET.score_gradient(x[None])[0])

    return classifier if direction == 0 else score


def carlini_wagner(margin, x0, searches, steps, rate=0.01, c=1.0):
    nearest, lower, upper, first = np.inf, 0.0, 1e10, []
    for search in range(searches):
        w = np.arctanh((2 * x0 - 1) * 0.999999)
        m, v = np.zeros_like(w), np.zeros_like(w)
        previous, success = np.inf, False
        for step in range(steps):
            x = (np.tanh(w) + 1) / 2
            if search == 0 and step < 4:
                first.append(x)
            value, slope = margin(x)
            if value > 0:
                success = True
                nearest = min(nearest, np.sqrt(((x - x0) ** 2).sum()))
            lack = max(-value, 0.0)
            loss = ((x - x0) ** 2).sum() + c * lack
            gradient = 2 * (x - x0) - (c * slope if lack > 0 else 0.0)
            gradient = gradient * (1 - np.tanh(w) ** 2) / 2
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            t = step + 1
            w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            if step % max(1, steps // 10) == 0:
                if loss > 0.9999 * previous:
                    break
                previous = loss
        if success:
            upper = min(upper, c)
        else:
            lower = max(lower, c)
        c = (lower + upper) / 2 if upper < 1e9 else 10 * c
    return nearest, first


def cw_cases(searches=7, steps=200):
    cases = []
    for kind, direction in (("untargeted", 0), ("next", 0), ("untargeted", 1), ("untargeted", -1)):
        tau = 0.0 if direction == 0 else tau_for(direction)
        runs = []
        for i in range(COUNT):
            x0 = NET.images[i]
            target = None if kind == "untargeted" else (NET.labels[i] + 1) % 5
            margin = margin_of(i, target, direction, tau)
            if margin(x0)[0] > 0:
                runs.append({"distance": 0.0, "points": []})
                continue
            far, points = carlini_wagner(margin, x0, searches, steps)
            runs.append({"distance": far if np.isfinite(far) else None,
                         "points": np.round(points, 8)})
        cases.append({"target": kind, "direction": direction, "tau": tau, "searches": searches,
                      "steps": steps, "runs": runs})
    return cases


# --- JSMA -------------------------------------------------------------------------------------


def saliency_pairs(x0, theta, increase, most, step):
    """`step(x)` -> (alpha, beta or None, stop). All pairs are tried; the chosen ones returned."""
    x, chosen = x0.copy(), []
    sign = 1 if increase else -1
    for _ in range(most):
        alpha, beta, stop = step(x)
        if stop:
            break
        alpha = sign * alpha
        domain = [i for i in range(len(x)) if (x[i] < 1 if increase else x[i] > 0)]
        found = []
        if beta is None:
            best = sorted((i for i in domain if alpha[i] > 0), key=lambda i: -alpha[i])[:2]
        else:
            beta = sign * beta
            for a, p in enumerate(domain):
                for q in domain[a + 1:]:
                    up, down = alpha[p] + alpha[q], beta[p] + beta[q]
                    if up > 0 and down < 0:
                        found.append((-up * down, p, q))
            found.sort(reverse=True)
            assert len(found) < 2 or found[0][0] > found[1][0] * (1 + 1e-5), "a tie of pairs"
            best = list(found[0][1:]) if found else []
        if not best:
            break
        for i in best:
            x[i] = min(max(x[i] + sign * theta, 0), 1)
        chosen.append(sorted(best))
    return chosen, x


def jsma_cases():
    cases = []
    for theta, increase, direction in ((1.0, True, 0), (0.3, True, 0), (1.0, False, 0),
                                       (1.0, True, 1), (1.0, True, -1), (0.4, False, 1)):
        runs = []
        for i in range(COUNT):
            target = (NET.labels[i] + 1) % 5

            def step(x):
                if direction != 0:
                    return direction * NET.score_gradient(x[None])[0], None, False
                jacobian = NET.logit_jacobian(x[None])[0]
                alpha = jacobian[target]
                return (alpha, jacobian.sum(0) - alpha,
                        NET.logits(x[None])[0].argmax() == target)

            most = int(np.floor(36 * 0.5 / 2))
            pairs, x = saliency_pairs(NET.images[i], theta, increase, most, step)
            reached = direction == 0 and bool(NET.logits(x[None])[0].argmax() == target)
            runs.append({"pairs": pairs, "reached": reached})
        cases.append({"theta": theta, "increase": increase, "direction": direction, "tau": 0.0,
                      "gamma": 0.5, "runs": runs})
    return cases


if __name__ == "__main__":
    save("golden_nearest.json", {"deepfool": deepfool_cases(), "projections": projection_cases(),
                                 "fab": fab_cases(), "cw": cw_cases(), "jsma": jsma_cases()})
