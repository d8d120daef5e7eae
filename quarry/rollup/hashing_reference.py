#!/usr/bin/env python3
"""The test vectors of docs/spec/hashing.md, from its text alone, with plain integers. Prints one line a vector."""

P = 2**31 - 2**24 + 1
COLUMN = [1, 3, 13, 22, 67, 2, 15, 63, 101, 1, 2, 17, 11, 1, 51, 1]


def grain_constants():
    bits = []
    for value, width in ((1, 2), (0, 4), (31, 12), (16, 12), (8, 10), (20, 10), ((1 << 30) - 1, 30)):
        bits += [value >> i & 1 for i in reversed(range(width))]

    def step():
        b = bits[62] ^ bits[51] ^ bits[38] ^ bits[23] ^ bits[13] ^ bits[0]
        del bits[0]
        bits.append(b)
        return b

    for _ in range(160):
        step()

    def next_bit():
        while True:
            keep, b = step(), step()
            if keep:
                return b

    def element():
        while True:
            x = 0
            for _ in range(31):
                x = 2 * x + next_bit()
            if x < P:
                return x

    return [[element() for _ in range(16)] for _ in range(28)]


CONSTANTS = grain_constants()


def permute(x):
    for r, row in enumerate(CONSTANTS):
        x = [a + c for a, c in zip(x, row)]
        x = [pow(a, 3, P) if i == 0 or r < 4 or r >= 24 else a for i, a in enumerate(x)]
        x = [sum(COLUMN[(k - i) % 16] * x[i] for i in range(16)) % P for k in range(16)]
    return x


def H(left, right):
    out = permute(list(left) + list(right))
    return [(out[i] + left[i]) % P for i in range(8)]


def block(*xs):
    return list(xs) + [0] * (8 - len(xs))


def start(tag):
    b = tag.encode().ljust(24, b"\0")
    return [int.from_bytes(b[3 * i : 3 * i + 3], "little") for i in range(8)]


def chain(h, elements):
    elements = list(elements) + [0] * (-len(elements) % 8)
    for i in range(0, len(elements), 8):
        h = H(h, elements[i : i + 8])
    return h


def limbs(x, n):
    return [x >> (16 * i) & 0xFFFF for i in range(n)]


def address_pieces(a):
    return [a >> (24 * i) & 0xFFFFFF for i in range(7)]


def absorb_word(h, word):
    e = [word[0]] + [word[i] << 8 | word[i + 1] for i in range(1, 31, 2)]
    return chain(h, e)


def main():
    assert permute(list(range(16)))[0] == 610090613
    empty = [0] * 8
    for _ in range(32):
        empty = H(empty, empty)
    x = list(range(1, 12))
    key = H(x[:8], x[8:] + [21, 22, 23, 24, 2**30 + 257])
    address = int.from_bytes(bytes(range(1, 21)), "big")
    pair = H(key, address_pieces(address) + [2**30 + 1])
    leaf = H(pair, limbs(1_000_000, 6) + [2 + 2**16 * (2 * 76 + 1), 3])
    domain = chain(start("L2TX/v1"), block(*limbs(1, 4), *limbs(7, 2)) + block(*address_pieces(address)) + empty + block(*limbs(10, 5)))
    expiry, fee, amount, slot, nonce, token = 1_700_000_000, 5, 1000, 4, 3, 2
    fields = [token + 2**16 * 1, slot, nonce] + limbs(expiry, 2) + limbs(fee, 5) + limbs(amount, 6)
    message = chain(domain, key + pair + fields)
    header = chain(start("quarry/header/v1"), [1] + [0] * 84)
    data = absorb_word(header, bytes(range(31)))
    fees = chain(start("quarry/fees/v1"), [0] * 128)
    work = H(block(*limbs(9, 4), *limbs(12, 2)), [0] * 7 + [2**30 + 2])
    for name, d in (
        ("empty tree", empty), ("key hash", key), ("pair hash", pair), ("leaf hash", leaf), ("domain", domain),
        ("message", message), ("header", header), ("data word", data), ("empty fees", fees), ("work", work),
    ):
        print(f"{name:12}", "".join(f"{e:08x}" for e in d))


if __name__ == "__main__":
    main()
