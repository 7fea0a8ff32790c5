"""The engine's seeds and random numbers (core/base/random.cpp) in Python, number for number, so
that a reference can draw what the attack under test draws."""

import math

MASK = (1 << 64) - 1


def _splitmix64(x):
    """-> (new state, output)"""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    z = x
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return x, z ^ (z >> 31)


def _rotate_left(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


class Seed:
    def __init__(self, value):
        self.value = value & MASK

    def child(self, name):
        """By position or by name."""
        if isinstance(name, str):
            h = 0xCBF29CE484222325  # FNV-1a
            for c in name.encode():
                h = ((h ^ c) * 0x100000001B3) & MASK
            x, _ = _splitmix64(self.value ^ _rotate_left(h, 29))
            return Seed(_splitmix64(x ^ h)[1])
        _, mixed = _splitmix64(self.value)
        return Seed(_splitmix64(mixed ^ ((name * 0xD1342543DE82EF95 + 1) & MASK))[1])


class Random:
    """xoshiro256**"""

    def __init__(self, seed):
        x, self.s = seed.value, []
        for _ in range(4):
            x, word = _splitmix64(x)
            self.s.append(word)
        self.spare = None

    def bits(self):
        s = self.s
        result = (_rotate_left((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = _rotate_left(s[3], 45)
        return result

    def uniform(self):
        return (self.bits() >> 11) * 2.0**-53

    def below(self, n):
        limit = MASK - MASK % n
        x = self.bits()
        while x >= limit:
            x = self.bits()
        return x % n

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        u = self.uniform()
        while u == 0.0:
            u = self.uniform()
        radius, angle = math.sqrt(-2.0 * math.log(u)), 2.0 * math.pi * self.uniform()
        self.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def shuffle(self, items):
        for i in range(len(items), 1, -1):
            j = self.below(i)
            items[i - 1], items[j] = items[j], items[i - 1]
