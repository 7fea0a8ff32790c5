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


def add(name, attack, options, objective, walks, digits=5, **more):
    """walks: {sample: points [passes, 36]}; the first few that are clear are kept."""
    walks = {i: p for i, p in walks.items() if p is not None}
    samples = list(walks)[:COUNT]
    assert len(samples) == COUNT, name
    points = [np.round(walks[i], digits) for i in samples]
    values = [[objective.value(p, i) for p in walks[i]] for i in samples]
    case = {"name": name, "attack": attack, "options": options, "objective": objective.name,
            "direction": objective.direction, "samples": samples, "points": points,
            "values": [np.round(v, 5) for v in values]}
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


def fgsm():
    """x' = clip(x + eps sign(g)), l2: eps g / ||g||; from the clean image."""
    for norm, eps, objective, keep in (("linf", 0.1, Score(), "best"),
                                       ("linf", 0.05, Classes(), "last"),
                                       ("l2", 0.5, Score(-1.0), "best"),
                                       ("l2", 0.3, Classes(), "last")):
        walks = {i: ascent(lambda p: objective.gradient(p, i), x, x, norm, eps, eps, 1)
                 for i, x in enumerate(NET.images)}
        last = {"result": [-1] * COUNT} if keep == "last" else {}
        add(f"fgsm {norm} {objective.name}", "fgsm", {"eps": eps, "norm": norm, "keep": keep},
            objective, walks, digits=7, **last)


def pgd():
    """Madry et al. 2018: from a random start, steps of 2.5 eps / steps."""
    rng, steps = np.random.default_rng(2), 10
    for norm, eps, objective in (("linf", 0.15, Score()), ("linf", 0.06, Classes()),
                                 ("l2", 0.8, Score(-1.0)), ("l2", 0.5, Classes())):
        walks, starts = {}, {}
        for i, x in enumerate(NET.images):
            if norm == "linf":
                offset = rng.uniform(-eps, eps, 36)
            else:
                offset = rng.normal(0, 1, 36)
                offset *= eps * rng.uniform() / np.sqrt((offset**2).sum())
            starts[i] = np.round(np.clip(x + offset, 0, 1), 6)
            walks[i] = ascent(lambda p: objective.gradient(p, i), starts[i], x, norm, eps,
                              2.5 * eps / steps, steps)
        add(f"pgd {norm} {objective.name}", "pgd", {"eps": eps, "norm": norm, "steps": steps},
            objective, walks, starts=lambda samples: [starts[i] for i in samples], digits=7)

    # Starts that the attack draws itself, anew for each restart; the worst of all is kept.
    eps, restarts, objective = 0.15, 3, Score(-1.0)

    def walk(k, i, x):
        parts = []
        for restart in range(restarts):
            random = Random(Seed(SEED).child(k).child(restart))
            start = np.clip(x + [(2 * random.uniform() - 1) * eps for _ in x], 0, 1)
            parts.append(ascent(lambda p: objective.gradient(p, i), start, x, "linf", eps,
                                2.5 * eps / steps, steps))
        return np.concatenate(parts)

    add_drawn("pgd linf drawn", "pgd", {"eps": eps, "steps": steps, "restarts": restarts},
              objective, walk, points=restarts * (steps + 1))


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


SEED = 77  # of the attack; sample i draws from its child i, restart 0 from child 0 of that


def sample_seed(position):
    return Seed(SEED).child(position).child(0)


def add_drawn(name, attack, options, objective, walk, points=6):
    """walk(position, sample, x) -> all points; the first few are kept, of the others the values."""
    walks = {i: walk(k, i, NET.images[i]) for k, i in enumerate(range(COUNT))}
    add(name, attack, options, objective, walks, seed=SEED)
    for i in range(COUNT):
        CASES[-1]["points"][i] = CASES[-1]["points"][i][:points]


def noises():
    draws = 6

    def walk(draw):
        return lambda k, _, x: np.array([draw(x, sample_seed(k).child(d)) for d in range(draws)])

    def uniform(norm, eps):
        def draw(x, seed):
            random = Random(seed)
            if norm == "linf":
                u = np.array([(2 * random.uniform() - 1) * eps for _ in x])
            else:
                u = np.array([random.normal() for _ in x])
                u *= eps * random.uniform() ** (1 / len(x)) / np.sqrt((u**2).sum())
            return np.clip(x + u, 0, 1)

        return draw

    def corner(norm, eps):
        def draw(x, seed):
            random = Random(seed)
            if norm == "linf":
                u = np.array([eps if random.below(2) else -eps for _ in x])
            else:
                u = np.array([random.normal() for _ in x])
                u *= eps / np.sqrt((u**2).sum())
            return np.clip(x + u, 0, 1)

        return draw

    def search(norm, eps):
        def draw(x, seed):
            if Random(seed).uniform() < 0.4:
                return corner(norm, eps)(x, seed.child("corner"))
            return uniform(norm, eps)(x, seed.child("ball"))

        return draw

    def gaussian(x, seed):
        random = Random(seed)
        return np.clip(x + np.array([0.3 * random.normal() for _ in x]), 0, 1)

    def gaussian_in_ball(x, seed):
        random = Random(seed)
        return np.clip(x + np.clip([0.2 * random.normal() for _ in x], -0.2, 0.2), 0, 1)

    def salt_pepper(x, seed):
        random, y = Random(seed), x.copy()
        for i in range(len(x)):
            if random.uniform() < 0.3:
                y[i] = 1.0 if random.below(2) else 0.0
        return y

    for norm, eps in (("linf", 0.2), ("l2", 0.9)):
        ball = {"eps": eps, "norm": norm, "draws": draws}
        add_drawn(f"noise_uniform {norm}", "noise_uniform", ball, Score(), walk(uniform(norm, eps)))
        add_drawn(f"random_search {norm}", "random_search", {**ball, "corners": 0.4}, Classes(),
                  walk(search(norm, eps)))
    add_drawn("noise_gaussian none", "noise_gaussian",
              {"norm": "none", "sigma": 0.3, "draws": draws}, Score(-1.0), walk(gaussian))
    add_drawn("noise_gaussian linf", "noise_gaussian", {"eps": 0.2, "draws": draws}, Score(),
              walk(gaussian_in_ball))
    add_drawn("salt_pepper", "salt_pepper", {"share": 0.3, "draws": draws}, Score(),
              walk(salt_pepper))
    add_drawn("semantic", "semantic", {}, Score(), lambda k, i, x: 1 - x[None])


def better(value, best, candidate, current):
    """A decision that float32 cannot take differently."""
    assert abs(value - best) > 4e-6 or np.array_equal(candidate, current), (value, best)
    return value > best


def square_share(p, query):
    """AutoAttack's p_selection, not rescaled."""
    for after, divisor in ((8000, 512), (6000, 256), (4000, 128), (2000, 64), (1000, 32),
                           (500, 16), (200, 8), (50, 4), (10, 2)):
        if query > after:
            return p / divisor
    return p


def square_bump(side, transposed):
    def rectangles(rows, columns):
        delta = np.zeros((rows, columns))
        top, left = rows // 2, columns // 2
        for k in range(max(rows // 2, columns // 2) + 1):
            delta[max(top, 0):top + 2 * k + 1, max(left, 0):left + 2 * k + 1] += 1 / (k + 1) ** 2
            top, left = top - 1, left - 1
        return delta / np.sqrt((delta**2).sum())

    bump = np.zeros((side, side))
    if side > 1:
        bump[: side // 2] = rectangles(side // 2, side)
    bump[side // 2:] = -rectangles(side - side // 2, side)
    bump /= np.sqrt((bump**2).sum())
    return bump.T if transposed else bump


def square_walk(norm, eps, queries, objective, seed, sample, image):
    """All points that one image is tried at, [queries + 1, 36]."""
    size = 6

    def sign(random):
        return 1.0 if random.below(2) else -1.0

    def window(random, side):
        top = random.below(size - side + 1)
        left = random.below(size - side + 1)
        return (slice(top, top + side), slice(left, left + side))

    def start(x, random):
        if norm == "linf":
            return np.clip(x + eps * np.array([sign(random) for _ in range(size)])[None, :], 0, 1)
        delta = np.zeros((size, size))
        for i in range(5):
            for j in range(5):
                bump = square_bump(1, random.below(2))
                delta[i, j] = bump[0, 0] * sign(random)
        return np.clip(x + eps * delta / np.sqrt((delta**2).sum()), 0, 1)

    def propose(x, best, query, random):
        side = round(np.sqrt(square_share(0.8, query) * size * size))
        if norm == "linf":
            first = window(random, min(max(side, 1), size))
            new = best.copy()
            new[first] = best[first] + 2 * eps * sign(random)
            # x + eps is reached from anywhere in the ball, but only up to rounding.
            return np.clip(np.round(np.clip(new, x - eps, x + eps), 12), 0, 1)
        side = max(side, 3)
        side = min(side + 1 - side % 2, size)
        first, second = window(random, side), window(random, side)
        bump = square_bump(side, random.below(2)) * sign(random)
        delta = best - x
        mask = np.zeros((size, size), bool)
        mask[first] = mask[second] = True
        old = delta[first] / (1e-12 + np.sqrt((delta[first] ** 2).sum()))
        moved = bump + old
        spare = max(eps**2 - (delta**2).sum(), 0)
        moved *= np.sqrt(spare + (delta[mask] ** 2).sum()) / np.sqrt((moved**2).sum())
        delta[second] = 0
        delta[first] = moved
        return np.clip(x + eps * delta / np.sqrt((delta**2).sum()), 0, 1)

    x = image.reshape(size, size)
    best = np.round(start(x, Random(seed)), 12)
    points, value = [best], objective.value(best.ravel(), sample)
    for query in range(queries):
        new = propose(x, best, query, Random(seed.child(query)))
        points.append(new)
        found = objective.value(new.ravel(), sample)
        if better(found, value, new, best):
            best, value = new, found
    return np.array(points).reshape(-1, 36)


def square(norm, eps, queries, objective):
    add_drawn(f"square {norm} {objective.name}", "square",
              {"eps": eps, "norm": norm, "queries": queries}, objective,
              lambda k, sample, x: square_walk(norm, eps, queries, objective, sample_seed(k),
                                               sample, x))


def simba(norm, basis, eps, step, queries, objective, frequencies=6):
    size = 6
    if basis == "dct":
        j = np.arange(size)
        vectors = np.sqrt(2 / size) * np.cos(np.pi * (j[None] + 0.5) * j[:, None] / size)
        vectors[0] /= np.sqrt(2)
    else:
        vectors, frequencies = np.eye(size), size

    def walk(k, sample, x):
        current, value = x, objective.value(x, sample)
        points, turn = [x], 0
        while True:
            order = list(range(frequencies**2))
            Random(sample_seed(k).child(turn)).shuffle(order)
            turn += 1
            for direction in order:
                q = np.outer(vectors[direction // frequencies], vectors[direction % frequencies])
                for sign in (-1, 1):
                    new = project(current + sign * step * q.ravel(), x, norm, eps)
                    if np.abs(new - current).max() < 1e-12:  # at the face or the box already
                        new = current
                    points.append(new)
                    found = objective.value(new, sample)
                    improves = better(found, value, new, current)
                    if improves:
                        current, value = new, found
                    if len(points) > queries:
                        return np.array(points)
                    if improves:
                        break

    options = {"eps": eps, "norm": norm, "basis": basis, "queries": queries, "step_size": step,
               "frequencies": frequencies}
    add_drawn(f"simba {norm} {basis} {objective.name}", "simba", options, objective, walk)


if __name__ == "__main__":
    fgsm()
    pgd()
    momentum()
    bim()
    least_likely()
    noises()
    square("linf", 0.1, 260, Score())
    square("linf", 0.06, 120, Classes())
    square("l2", 0.7, 260, Score(-1.0))
    square("l2", 0.5, 120, Classes())
    simba("linf", "pixel", 0.1, 0.1, 120, Score())
    simba("linf", "dct", 0.08, 0.2, 120, Classes())
    simba("l2", "dct", 0.6, 0.2, 80, Score(-1.0), frequencies=4)
    simba("l2", "pixel", 0.6, 0.2, 80, Score())
    save("golden_walks.json", {case["name"]: case for case in CASES})
