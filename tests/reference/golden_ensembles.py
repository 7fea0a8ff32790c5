"""References for the attacks that are made of others, on the small network: A3, AutoAttack, CAA,
DDN, the joint attack on classifier and detector, and transfer.

`python3 golden_ensembles.py` writes golden_ensembles.json: per case the value of every pass and
the points of some. From the papers and the authors' code, in double precision. Decisions are kept
away from ties, so that float32 must take them alike; what is drawn comes from the attack's seeds.
"""

import numpy as np

import golden_apgd
import golden_walks
from bulwark_random import Random, Seed
from golden_walks import Classes, Score, clear_signs, project
from tiny_net import TinyNet, save

NET = TinyNet()
CASES = {}
COUNT = 3  # samples per case
SEEDS = range(40)  # those tried where a close decision spoils one


class Close(Exception):
    """A decision that float32 might take differently."""


class Path:
    """The passes of one sample: all values, and the points of those that are kept."""

    def __init__(self, objective, sample):
        self.objective, self.sample = objective, sample
        self.points, self.values, self.kept = [], [], []

    def skip(self, passes):
        self.values += passes * [None]

    def add(self, x, keep):
        if keep:
            self.kept.append(len(self.values))
            self.points.append(np.round(x, 6))
        self.values.append(self.objective.value(x, self.sample))
        return self.values[-1]


def add(name, attack, options, objective, samples, paths, **more):
    assert all(p.kept == paths[0].kept for p in paths), name
    judged = [i for i, value in enumerate(paths[0].values) if value is not None]
    if len(judged) < len(paths[0].values):
        more["judged"] = judged
    CASES[name] = {"attack": attack, "options": options, "objective": objective.name,
                   "direction": objective.direction, "samples": samples,
                   "at": paths[0].kept, "points": [p.points for p in paths],
                   "values": [np.round([p.values[i] for i in judged], 6) for p in paths],
                   "passes": len(paths[0].values), **more}
    print(name, len(paths[0].values), "passes")


def tried(name, attack, options, objective, walk, count=COUNT, **more):
    """The first seed with which the walks of so many images, walk(seed, position, sample, path),
    are clear of close decisions."""
    for number in SEEDS:
        samples, paths, best = [], [], []
        for sample in range(len(NET.images)):
            path = Path(objective, sample)
            try:
                found = walk(Seed(number), len(samples), sample, path)
            except (Close, golden_apgd.Close, AssertionError):
                continue
            samples.append(sample)
            paths.append(path)
            best.append(np.round(found, 7))
            if len(samples) == count:
                add(name, attack, options, objective, samples, paths, seed=number, best=best,
                    **more)
                return
    raise SystemExit(f"no clear seed for {name}")


# --- A3: Liu et al. 2022 and their code


def margin_gradient(x, sample):
    """Of the largest other logit minus that of the true class."""
    z, truth = NET.logits(x[None])[0], NET.labels[sample]
    others = np.delete(np.arange(len(z)), truth)
    order = others[np.argsort(-z[others])]
    if z[order[0]] - z[order[1]] < 1e-5:
        raise Close
    jacobian = NET.logit_jacobian(x[None])[0]
    return jacobian[order[0]] - jacobian[truth]


def features_gradient(x, v):
    """Of <v, features(x)>."""
    h = np.tanh(NET.w1 @ x + NET.b1)
    return (v * (1 - h * h)) @ NET.w1


def a3_sizes(steps, eps):
    least = 0.1 if steps <= 10 else 0.001
    return [eps * (least + (1 - least) * (1 + np.cos(np.pi * j / (steps + 1))) / 2)
            for j in range(steps)]


def a3_start(seed, x, norm, eps):
    assert norm == "linf"
    random = Random(seed)
    return np.clip(x + [(2 * random.uniform() - 1) * eps for _ in x], 0, 1)


def a3_round(path, x, start, lead, leading, climb, steps, norm, eps, keep=5):
    """One start: `leading` steps of size eps along `lead`, then falling ones along `climb`."""
    point, best = start, (-np.inf, None)
    gradients = [lead] * leading + [climb] * steps
    for number, size in enumerate([eps] * leading + a3_sizes(steps, eps) + [None]):
        near = keep if number < leading else keep + leading
        value = path.add(point, number < keep or leading <= number < near or size is None)
        if value > best[0]:
            best = (value, point)
        if size is None:
            return best
        g = gradients[number](point)
        if np.abs(g).min() < 3e-6 * np.abs(g).max():
            raise Close
        point = project(point + size * np.sign(g), x, norm, eps)


def worst(found):
    """Of (value, point), the first of the largest."""
    return max(found, key=lambda pair: pair[0])


def a3_maximise(objective, eps):
    """13 rounds of 7 + 25 steps on all images, directions of features behind a score."""

    def walk(seed, position, k, path):
        x = NET.images[k]
        found = [(objective.value(x, k), x)]
        for number in range(1, 14):
            own = seed.child(f"round {number} of 13").child(position).child(0)
            random = Random(own.child("direction"))
            if objective.name == "score":
                v = np.array([random.normal() for _ in range(16)])
                climb = lambda p: objective.gradient(p, k)
                lead = lambda p, v=v: features_gradient(p, v)
            else:
                v = np.array([2 * random.uniform() - 1 for _ in range(5)])
                climb = lambda p: margin_gradient(p, k)
                lead = lambda p, v=v: v @ NET.logit_jacobian(p[None])[0]
            found.append(a3_round(path, x, a3_start(own, x, "linf", eps), lead, 7, climb, 25,
                                  "linf", eps, keep=2 if number > 2 else 5))
        return worst(found)[1]

    tried(f"a3 {objective.name}", "a3", {"eps": eps}, objective, walk)


def a3_cross(eps):
    """The published schedule where no image ever crosses. First the clean logits, by which the
    classes are ranked; round 0 without directions, 8 steps; 1 and 2 with 7, then 15; 3 with 7 and
    the budget of 100 left, at most 25 + 7; 4 with at least 15. From round 2 on the directions are
    biased: U(-0.5, 0.1) for the true class, 0.8 for a wrong one, in tenths of the classes."""

    def walk(seed, position, k, path):
        x, label = NET.images[k], NET.labels[k]
        ranking = [c for c in np.argsort(-NET.logits(x[None])[0]) if c != label]
        path.add(x, True)
        spent, found = 0, [(path.values[0], x)]
        for number, (leading, most) in enumerate([(0, 8), (7, 8), (7, 8), (7, 25), (7, 30)]):
            own = seed.child(f"round {number + 1} of 13").child(position).child(0)
            steps = 8 if number == 0 else min(max(100 - spent, 15), most + leading)
            spent += leading + steps
            random = Random(own.child("direction"))
            v = np.array([2 * random.uniform() - 1 for _ in range(5)])
            if number > 1:
                v[label] = 0.5 * (-0.5 + 0.6 * Random(own.child("direction").child("bias"))
                                  .uniform())
                v[ranking[number % 4]] = 0.5 * 0.8
            found.append(a3_round(path, x, a3_start(own, x, "linf", eps),
                                  lambda p: v @ NET.logit_jacobian(p[None])[0], leading,
                                  lambda p: margin_gradient(p, k), steps, "linf", eps, keep=3))
        assert spent == 8 + 22 + 22 + 39 + 22
        return worst(found)[1]

    # Later rounds may find worse points: only the passes up to here are compared.
    tried("a3 schedule", "a3", {"eps": eps}, Classes(), walk, cross=1e6)


def a3_first_flip(eps):
    """Images that cross in round 0 stop there, at their first point beyond."""
    objective = Classes()

    def walk(seed, position, k, path):
        x = NET.images[k]
        own = seed.child("round 1 of 13").child(position).child(0)
        trace = Path(objective, k)
        a3_round(trace, x, a3_start(own, x, "linf", eps), None, 0,
                 lambda p: margin_gradient(p, k), 8, "linf", eps, keep=9)
        beyond = [i for i, value in enumerate(trace.values[:9]) if value > 0]
        if not beyond or min(abs(v) for v in trace.values) < 1e-4:
            raise Close
        if position == COUNT - 1 and len({*crossings[-position:], beyond[0]}) == 1:
            raise Close  # they should not all cross at once
        crossings.append(beyond[0])
        path.add(x, True)
        return trace.points[beyond[0]]

    crossings = []
    tried("a3 first flip", "a3", {"eps": eps}, objective, walk, cross=0.0, stops=True)


# --- CAA: Mao et al. 2021, table 1; every stage is Auto-PGD but DDN


def apgd_start(seed, x, norm, eps):
    random = Random(seed)
    u = np.array([random.normal() if norm == "l2" else 2 * random.uniform() - 1 for _ in x])
    size = np.sqrt((u**2).sum()) if norm == "l2" else np.abs(u).max()
    return project(x + eps * u / size, x, norm, eps)


def caa(objective, eps, targets=2, **more):
    """Each stage from the worst point so far and once more from the clean image."""
    scalar = objective.name == "score"
    stages = [("score", 50), ("score", 25), ("score", 125)] if scalar else [
        ("targeted", 50), ("targeted", 25), ("margin", 125)]

    def walk(seed, position, k, path):
        x, label = NET.images[k], int(NET.labels[k])
        ranking = [int(c) for c in np.argsort(-NET.logits(x[None])[0]) if c != label]
        best = (objective.value(x, k), x)
        for number, (loss, steps) in enumerate(stages):
            own = seed.child(f"stage {number + 1} of 3")
            rounds = targets if loss == "targeted" else 1
            if loss == "targeted":
                path.add(x, True)
            before, found = best, [best]
            for target in range(rounds):
                if number > 0:
                    starts = [before[1], x]
                else:
                    mine = own.child(f"target {target + 1} of {targets}") if rounds > 1 else own
                    starts = [apgd_start(mine.child(position).child(0), x, "linf", eps)]
                for start in starts:
                    points, _ = golden_apgd.apgd(
                        loss, "linf", x, start, label, ranking[target], steps=steps, eps=eps,
                        direction=objective.direction)
                    if len(points) <= steps:
                        raise Close
                    for i, point in enumerate(points):
                        value = path.add(point, i < 4 or i == steps)
                        found.append((value, point))
            ranked = sorted({round(value, 9) for value, _ in found})
            if len(ranked) > 1 and ranked[-1] - ranked[-2] < 1e-6:
                raise Close
            best = worst(found)
        return best[1]

    options = {"eps": eps} if scalar else {"eps": eps, "targets": targets}
    tried(f"caa linf {objective.name} {eps}", "caa", options, objective, walk, **more)


def caa_l2(objective, eps, targets=2, clear=6):
    """Under l2 decisions soon become close: the first moves of what starts anew or from the clean
    image, and where it does."""
    policy = {"score": [("score", 50), ("score", 25), ("score", 125)],
              "classes": [("targeted", 100), ("ce", 25), ("ddn", 1000)]}[objective.name]

    def walk(seed, position, k, path):
        x, label = NET.images[k], int(NET.labels[k])
        ranking = [int(c) for c in np.argsort(-NET.logits(x[None])[0]) if c != label]
        for number, (loss, steps) in enumerate(policy):
            own = seed.child(f"stage {number + 1} of 3")
            rounds = targets if loss == "targeted" else 1
            if loss == "targeted":
                path.add(x, True)
            for target in range(rounds):
                mine = own.child(f"target {target + 1} of {targets}") if rounds > 1 else own
                start = x
                if number == 0:
                    start = apgd_start(mine.child(position).child(0), x, "l2", eps)
                else:
                    path.skip(steps + 1)  # from the worst point so far
                if loss == "ddn":
                    path.add(x, True)
                    path.skip(steps)
                    continue
                points, _ = golden_apgd.apgd(
                    loss, "l2", x, start, label, ranking[target], steps=steps, eps=eps,
                    direction=objective.direction)
                if len(points) < clear:
                    raise Close
                for point in points[:clear]:
                    path.add(point, True)
                path.skip(steps + 1 - clear)
        return x

    options = {"eps": eps, "norm": "l2", "targets": targets}
    tried(f"caa l2 {objective.name}", "caa", options, objective, walk)
    del CASES[f"caa l2 {objective.name}"]["best"]


# --- AutoAttack: Croce and Hein 2020; FAB's passes are those of golden_nearest.py


def autoattack(objective, eps, steps=20, targets=2, queries=60):
    """APGD on the cross-entropy, APGD on the targeted DLR, Square; on a score APGD, then PGD and
    APGD from other starts in place of the targeted one, Square."""
    scalar = objective.name == "score"

    def walk(seed, position, k, path):
        x, label = NET.images[k], int(NET.labels[k])
        ranking = [int(c) for c in np.argsort(-NET.logits(x[None])[0]) if c != label]
        found = [(objective.value(x, k), x)]

        def enter(points, count):
            if points is None or len(points) < count:
                raise Close
            for i, point in enumerate(points):
                found.append((path.add(point, i < 4 or i == count - 1), point))

        def apgd(loss, own, target=None):
            start = apgd_start(own.child(position).child(0), x, "linf", eps)
            enter(golden_apgd.apgd(loss, "linf", x, start, label, target, steps=steps, eps=eps,
                                   direction=objective.direction)[0], steps + 1)

        apgd("score" if scalar else "ce", seed.child("apgd-ce"))
        if scalar:
            own = seed.child("pgd").child(position).child(0)
            enter(golden_walks.ascent(lambda p: objective.gradient(p, k),
                                      a3_start(own, x, "linf", eps), x, "linf", eps,
                                      2.5 * eps / steps, steps), steps + 1)
            apgd("score", seed.child("apgd-again"))
        else:
            path.add(x, True)
            for target in range(targets):
                apgd("targeted", seed.child("apgd-t").child(f"target {target + 1} of {targets}"),
                     ranking[target])
        own = seed.child("square").child(position).child(0)
        enter(golden_walks.square_walk("linf", eps, queries, objective, own, k, x), queries + 1)
        ranked = sorted({round(value, 9) for value, _ in found})
        if ranked[-1] - ranked[-2] < 1e-5:
            raise Close
        return worst(found)[1]

    options = {"eps": eps, "steps": steps, "targets": targets, "square_queries": queries,
               "members": ["apgd_ce", "apgd_t", "square"]}
    tried(f"autoattack {objective.name}", "autoattack", options, objective, walk)


# --- DDN: Rony et al. 2019, algorithm 1 and their code


def ddn(steps=40, budget=3.0, gamma=0.05):
    """Images in whole levels of 1/255, as the paper has them; a budget that never binds."""
    rng, objective = np.random.default_rng(8), Classes()
    samples, paths, images, labels, nearest = [], [], [], [], []
    while len(images) < COUNT:
        x = np.round(rng.uniform(0.1, 0.9, 36) * 255) / 255
        label = NET.logits(x[None])[0].argmax()
        kept = NET.labels
        NET.labels = golden_labels(label)
        path, delta, radius, found = Path(objective, 0), np.zeros(36), 1.0, []
        try:
            for k in range(steps + 1):
                value = path.add(x + delta, k <= 20 or k == steps)
                if abs(value) < 1e-5:
                    raise Close
                if value > 0:
                    found.append(np.sqrt((delta**2).sum()))
                if k == steps:
                    break
                g = objective.gradient(x + delta, 0)
                rate = 0.01 + 0.99 * (1 + np.cos(np.pi * k / steps)) / 2
                delta = delta + rate * g / np.sqrt((g**2).sum())
                radius *= 1 - gamma if value > 0 else 1 + gamma
                assert radius < 0.9 * budget
                delta = radius * delta / np.sqrt((delta**2).sum())
                levels = (x + delta) * 255
                if np.abs(levels % 1 - 0.5).min() < 2e-4:
                    raise Close
                delta = np.clip(np.round(levels) / 255, 0, 1) - x
        except Close:
            continue
        finally:
            NET.labels = kept
        if len(found) in (0, steps, steps + 1):
            continue
        samples.append(len(images))
        paths.append(path)
        images.append(x)
        labels.append(label)
        nearest.append(min(found))
    add("ddn", "ddn", {"eps": budget, "steps": steps}, objective, samples, paths,
        images=images, labels=labels, nearest=np.round(nearest, 6))


def golden_labels(label):
    return np.full(len(NET.images), label)


# --- joint: Bryniarski et al. 2022, selective and orthogonal


def orthogonal(a, b):
    return a - b * (a @ b) / (b @ b)


def joint(norm, eps, threshold, steps):
    """The classifier's loss until the image is misclassified, then the detector's, each without
    its part along the other's gradient; ends before an image passes both, where the paper has no
    more to gain."""
    classes, accepted = Classes(), Score(-1.0)
    rng = np.random.default_rng(4)
    samples, paths, starts, best, turns = [], [], [], [], set()
    for k, x in enumerate(NET.images):
        for _ in range(50):
            offset = rng.uniform(-eps, eps, 36)
            if norm == "l2":
                offset = rng.normal(0, 1, 36)
                offset *= 0.3 * eps / np.sqrt((offset**2).sum())
            start = np.round(np.clip(x + offset, 0, 1), 6)
            path, point, found, seen = Path(classes, k), start, [], set()
            found.append(min(classes.value(x, k), accepted.value(x, k) - threshold))
            for step in range(steps + 1):
                margin = path.add(point, True)
                excess = accepted.value(point, k) - threshold
                found.append(min(margin, excess))
                both = margin > 0 and excess > 0
                if step == steps or both or min(abs(margin), abs(excess)) < 1e-4:
                    break
                f, d = classes.gradient(point, k), accepted.gradient(point, k)
                seen.add(margin > 0)
                g = orthogonal(d, f) if margin > 0 else orthogonal(f, d)
                if norm == "linf" and np.abs(g).min() < 1e-5 * np.abs(g).max():
                    break
                move = np.sign(g) if norm == "linf" else g / np.sqrt((g**2).sum())
                point = project(point + 2.5 * eps / steps * move, x, norm, eps)
            if len(path.values) == steps + 1 and len(seen) == 2:
                break
        else:
            continue
        turns |= seen
        samples.append(k)
        paths.append(path)
        starts.append(start)
        best.append(max(found))
        if len(samples) == COUNT:
            break
    assert len(samples) == COUNT and turns == {False, True}, (norm, samples)
    add(f"joint {norm}", "joint", {"eps": eps, "norm": norm, "steps": steps}, classes, samples,
        paths, starts=starts, threshold=threshold, worst=np.round(best, 6))


# --- transfer


class MaxLogit:
    """direction x minus the largest logit."""

    def __init__(self, direction):
        self.direction = direction

    def value(self, x, _):
        return -self.direction * NET.logits(x[None])[0].max()

    def gradient(self, x, _):
        z = NET.logits(x[None])[0]
        if np.diff(np.sort(z))[-1] < 1e-4:
            raise Close
        return -self.direction * NET.logit_jacobian(x[None])[0][z.argmax()]


def transfer(inner, norm, eps, source, direction, steps=8):
    """Found on one model, keeping what is worst there; judged by another."""
    target, rng = Score(direction), np.random.default_rng(6)
    follows = MaxLogit(direction) if source == "detector" else Classes()
    samples, paths, starts, crafted = [], [], [], []
    for k, x in enumerate(NET.images):
        if inner == "fgsm":
            start, count, size = x, 1, eps
        else:
            offset = rng.uniform(-eps, eps, 36) / (1 if norm == "linf" else 6)
            start, count, size = np.round(np.clip(x + offset, 0, 1), 6), steps, 2.5 * eps / steps
        judge = follows.value if source == "detector" else Classes().value
        points = [start]
        try:
            for _ in range(count):
                g = follows.gradient(points[-1], k)
                if norm == "linf" and not clear_signs(g):
                    raise Close
                move = np.sign(g) if norm == "linf" else g / np.sqrt((g**2).sum())
                points.append(project(points[-1] + size * move, x, norm, eps))
            values = [judge(p, k) for p in [x, *points]]
            if np.diff(np.sort(values))[-1] < 1e-4:
                raise Close
        except Close:
            continue
        path = Path(target, k)
        path.add([x, *points][int(np.argmax(values))], True)
        samples.append(k)
        paths.append(path)
        starts.append(start)
        crafted.append(np.round(points, 6))
        if len(samples) == COUNT:
            break
    assert len(samples) == COUNT
    options = {"eps": eps, "norm": norm, "attack": inner, "steps": steps}
    if source == "detector":
        options["source_detector"] = "max_logit"
    more = {} if inner == "fgsm" else {"starts": starts}
    add(f"transfer {inner} {norm} {source}", "transfer", options, target, samples, paths,
        crafted=crafted, **more)


if __name__ == "__main__":
    transfer("fgsm", "linf", 0.06, "classifier", 1.0)
    transfer("pgd", "linf", 0.06, "classifier", 1.0)
    transfer("fgsm", "l2", 0.5, "detector", 1.0)
    transfer("pgd", "l2", 0.6, "detector", -1.0)
    transfer("pgd", "linf", 0.1, "detector", 1.0)
    joint("linf", 0.2, 3.0, 12)
    joint("l2", 1.2, 3.0, 12)
    ddn()
    a3_first_flip(0.2)
    a3_cross(0.05)
    a3_maximise(Score(-1.0), 0.05)
    a3_maximise(Classes(), 0.05)
    autoattack(Score(), 0.08)
    autoattack(Classes(), 0.08)
    caa(Score(), 0.05)
    caa(Score(-1.0), 0.15, count=2)
    caa(Classes(), 0.08)
    caa_l2(Score(), 0.5)
    caa_l2(Classes(), 0.5)
    save("golden_ensembles.json", CASES)
