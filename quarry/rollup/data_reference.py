#!/usr/bin/env python3
"""The test vectors of docs/spec/data-proof.md, from its text alone, with plain integers. Prints one line a vector.

The blob's polynomial is interpolated and evaluated by its coefficients, not by the barycentric formula."""

from hashing_reference import absorb_word, chain, limbs, start

R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
OMEGA = pow(7, (R - 1) // 4096, R)


def interpolate(values, root):
    """Coefficients of the polynomial with these values at 1, root, root^2, .."""
    n = len(values)
    if n == 1:
        return values
    even, odd = interpolate(values[::2], root * root % R), interpolate(values[1::2], root * root % R)
    half, inverse, power, out = n // 2, pow(root, -1, R), 1, [0] * n
    for i in range(half):
        out[i], out[i + half] = even[i] + power * odd[i], even[i] - power * odd[i]
        power = power * inverse % R
    return [x * ((R + 1) // 2) % R for x in out]


def evaluate_blob(words, z):
    values = [0] * 4096
    for i, word in enumerate(words):
        values[int(f"{i:012b}"[::-1], 2)] = int.from_bytes(word, "big")
    return sum(c * pow(z, i, R) for i, c in enumerate(interpolate(values, OMEGA))) % R


def evaluate_horner(words, z):
    n = len(words)
    return sum(int.from_bytes(word, "big") * pow(z, n - 1 - i, R) for i, word in enumerate(words)) % R


def main():
    before = list(range(1, 9))
    l1_hash = int.from_bytes(bytes(range(32)), "big")
    for n in (0, 1, 2, 5, 4096):
        words = [bytes((37 * i + 11 * k + 5) % 256 for k in range(31)) for i in range(n)]
        after = before
        for word in words:
            after = absorb_word(after, word)
        for form, evaluate in ((0, evaluate_horner), (1, evaluate_blob)):
            h = chain(start("quarry/data/v1"), before + after + limbs(l1_hash, 16) + [form, n])
            z = sum(x << 31 * i for i, x in enumerate(h))
            print(n, form, "".join(f"{e:08x}" for e in h), f"{evaluate(words, z):064x}")


if __name__ == "__main__":
    main()
