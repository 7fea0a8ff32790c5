"""The small network that the golden tests of the attacks run on, in NumPy and double precision.

36 pixels (1 x 6 x 6) -> 16 tanh -> 5 logits. The scalar score is the energy, -logsumexp(logits).
`python3 tiny_net.py` writes tiny_net.json: weights, images in [0, 1] and labels. The golden
generators beside this file import it; their outputs are kept, so NumPy is not needed to test.
"""

import json
import os

import numpy as np

FOLDER = os.path.dirname(os.path.abspath(__file__))


def make():
    rng = np.random.default_rng(20)
    return {
        "w1": rng.normal(0, 0.45, (16, 36)),
        "b1": rng.normal(0, 0.3, 16),
        "w2": rng.normal(0, 0.7, (5, 16)),
        "b2": rng.normal(0, 0.2, 5),
        "images": rng.uniform(0, 1, (6, 36)).astype(np.float32).astype(float),
    }


class TinyNet:
    def __init__(self, values=None):
        v = values or load()
        self.w1, self.b1, self.w2, self.b2 = (np.asarray(v[k]) for k in ("w1", "b1", "w2", "b2"))
        self.images = np.asarray(v["images"])  # [N, 36]
        self.labels = self.logits(self.images).argmax(1)

    def logits(self, x):
        """[N, 36] -> [N, 5]"""
        return np.tanh(x @ self.w1.T + self.b1) @ self.w2.T + self.b2

    def logit_jacobian(self, x):
        """[N, 36] -> [N, 5, 36]"""
        h = np.tanh(x @ self.w1.T + self.b1)
        return np.einsum("kj,nj,ji->nki", self.w2, 1 - h * h, self.w1)

    def score(self, x):
        """Energy, higher = more anomalous: [N]"""
        z = self.logits(x)
        top = z.max(1)
        return -(top + np.log(np.exp(z - top[:, None]).sum(1)))

    def score_gradient(self, x):
        """[N, 36]"""
        z = self.logits(x)
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        return -np.einsum("nk,nki->ni", p, self.logit_jacobian(x))


def load():
    with open(os.path.join(FOLDER, "tiny_net.json")) as file:
        return json.load(file)


def save(name, value):
    """Arrays become nested lists; one line per top-level key keeps the files readable."""

    def plain(v):
        if isinstance(v, np.ndarray):
            return plain(v.tolist())
        if isinstance(v, dict):
            return {k: plain(x) for k, x in v.items()}
        if isinstance(v, (list, tuple)):
            return [plain(x) for x in v]
        if isinstance(v, np.generic):
            return v.item()
        return v

    with open(os.path.join(FOLDER, name), "w") as file:
        lines = [json.dumps(k) + ": " + json.dumps(plain(v)) for k, v in value.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    values = make()
    values["labels"] = TinyNet(values).labels
    save("tiny_net.json", values)
