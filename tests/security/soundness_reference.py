#!/usr/bin/env python3
"""Soundness of a Quarry proof, recomputed from the published statements. Independent of quarry/proof/security.cpp.

  soundness_reference.py --check expected.json   recompute every entry; exit 1 where a message differs by over 0.05 bits,
                                                 a target is missed, or a query or grinding bit is superfluous
  soundness_reference.py < table.json            print the bits of every message of the same kind of table
  soundness_reference.py --compare expected.json what other readings of the theorem would cost or save

All quantities are exact integers or fractions, or decimals of 60 digits; only printed bits are rounded.
Statements used (docs/soundness.md, docs/bibliography.md):
  [BCHKS25] Theorem 4.6 (as printed), curve of degree M = 1
  [DKT26]   the exception count proved in ArkLib, mcaError_affineLine_johnson_le: must be below the former
  Johnson   a word has at most (a - r) / (a^2 - r) codewords with agreement a, for relative degree r < a^2
"""
import json
import sys
from decimal import ROUND_CEILING, Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
P = 2**31 - 2**24 + 1
FIELD = P**5
LN2 = Decimal(2).ln()


def dec(x):
    return Decimal(x.numerator) / Decimal(x.denominator) if isinstance(x, Fraction) else Decimal(x)


def bits(error):
    """-log2 of a probability."""
    return -dec(error).ln() / LN2


class Radius:
    """Lanes of 2^m coefficients, 2^(m+k) positions, at 1 - delta = sqrt(r) (1 + 1/mu), r = max degree / positions."""

    def __init__(self, m, k, mu):
        self.n, self.d, self.mu = 2 ** (m + k), 2**m - 1, mu
        self.r = Fraction(self.d, self.n)
        self.root = dec(self.r).sqrt()
        self.eta = self.root / mu
        self.agreement = self.root + self.eta
        self.delta = 1 - self.agreement

    def list_size(self):
        """The larger of the coarse Johnson bound 1/(2 eta sqrt r) and of the Guruswami-Sudan degree (mu + 1/2)/sqrt r."""
        return max(1 / (2 * self.eta * self.root), (self.mu + Decimal("0.5")) / self.root)

    def list_size_exact(self):
        return (self.agreement - dec(self.r)) / (self.agreement**2 - dec(self.r))

    def exceptions_bchks(self, halved=False):
        """Theorem 4.6 prints max(ceil(sqrt r / eta), 3); halved: the reading sqrt r / (2 eta) of Theorem 1.5."""
        ratio = self.root / self.eta / (2 if halved else 1)
        m = max(int((ratio - Decimal("1e-40")).to_integral_value(ROUND_CEILING)), 3)
        h = Decimal(m) + Decimal("0.5")
        r = dec(self.r)
        return (2 * h**5 + 3 * h * self.delta * r) / (3 * r * self.root) * self.n + h / self.root

    def exceptions_dkt(self):
        ratio = self.root / (2 * self.eta)
        m = max(int((ratio - Decimal("1e-40")).to_integral_value(ROUND_CEILING)), 3)
        t = Decimal(m) + Decimal("0.5")
        mu = int((t / self.root).to_integral_value(ROUND_CEILING)) - 1
        h = int((t * t / (3 * dec(self.r))).to_integral_value(ROUND_CEILING)) - 1
        a = int((self.agreement * self.n).to_integral_value(ROUND_CEILING))
        theta = Fraction(self.n - self.d, a - self.d)
        return dec((2 * mu - 1) * h + theta * (h + mu + 4 * self.d * mu * h) + (self.n - self.d - 1) * mu)


def field(c):
    """One over the probability of the likeliest challenge. Keccak: each of five coefficients is 51 uniform bits mod p, and
    of 2^51 numbers at most 2^51/p + 1 < 2^51/p (1 + 2^-20) have one remainder."""
    if c["hash"] == "poseidon":
        return Fraction(FIELD)
    assert -(-(2**51) // P) <= Fraction(2**51, P) * (1 + Fraction(1, 2**20)), "bias"
    return Fraction(FIELD) / (1 + Fraction(1, 2**20)) ** 5


def query_bits(radius, t, g, c):
    """t positions, and a ground word. Poseidon: the low bits of an element below p, position 0 has one preimage more.
    Keccak: slices of a state."""
    poseidon = c["hash"] == "poseidon"
    hit = radius.agreement + (Decimal(1) / P if poseidon else 0)
    ground = Fraction(-(-P // 2**g), P) if poseidon else Fraction(1, 2**g)
    return t * bits(hit) + (bits(ground) if g else 0)


def early(c):
    """(name, degree, number of messages) before WHIR, each for one codeword of the list."""
    fractions = 2 ** c["log_fractions"]
    d = c["constraint_degree"] + 1
    m = c["log_fractions"]
    skip = [("constraints.skip", d * (2 ** c["log_skip"] - 1), 1)] if c["log_skip"] else []
    # the weights of the claims are multilinear in the challenges, and linearly independent
    by_eq = c["batching_variables"]
    return [
        # beta: the bad tuple meets another, degree <= length; alpha: root of the numerator
        ("logup.fingerprint", fractions * c["tuple_length"] + fractions, 1),
        ("gkr.lambda", 1, m - 1),
        ("gkr.round", 3, sum(range(1, m))),
        ("gkr.merge", 1, m),
        ("zerocheck.point", 1, c["log_max_height"]),
        ("constraints.batch", c["num_constraints"] + 1, 1),
        *skip,
        ("constraints.round", d, c["log_max_height"] - c["log_skip"]),
        ("openings.batch", 1, by_eq) if by_eq else ("openings.batch", c["num_openings"], 1),
    ]


def oracle(entry, i, mu, circuit, exceptions=Radius.exceptions_bchks, lists=Radius.list_size):
    """Messages that depend on the radius of oracle i: name -> (bits, number)."""
    l, m, k, t, g = entry["rounds"][i]
    radius = Radius(m, k, mu)
    size = lists(radius)
    everything = dec(field(circuit))
    out = {}
    if i == 0:
        for name, degree, count in early(circuit):
            out[name] = (bits(size * degree / everything), count)
    else:
        n_i = entry["rounds"][i - 1][1]
        out[f"whir.{i}.ood"] = (bits(size * size / 2 * 2**n_i / everything), 1)
        out[f"whir.{i}.combine"] = (bits(size * (entry["rounds"][i - 1][3] + 1) / everything), 1)
    out[f"whir.{i}.fold"] = (bits((2 * size + exceptions(radius)) / everything), l)
    out[f"whir.{i}.query"] = (query_bits(radius, t, g, circuit), 1)
    return out


def best_oracle(entry, i, circuit, **kw):
    """The radius that makes the least bits largest; query bits rise with mu, all others fall."""
    def least(mu):
        return min(b for b, _ in oracle(entry, i, mu, circuit, **kw).values())

    def rising(mu):
        o = oracle(entry, i, mu, circuit, **kw)
        return o[f"whir.{i}.query"][0] <= min(b for n, (b, _) in o.items() if n != f"whir.{i}.query")

    lo, hi = 3, 4096
    while hi - lo > 1:
        mid = (lo + hi) // 2
        lo, hi = (mid, hi) if rising(mid) else (lo, mid)
    mu = max((lo, hi), key=least)
    return mu, oracle(entry, i, mu, circuit, **kw)


def analyse(entry, circuit):
    n = entry["log_size"]
    messages = {}
    for i, (l, m, k, t, g) in enumerate(entry["rounds"]):
        assert l + m == n and m + k <= 24 and 0 <= g <= 24 and t > 0, "shape"
        mu, part = best_oracle(entry, i, circuit)
        radius = Radius(m, k, mu)
        # the printed bound is implied by the machine-checked one; the list bound by the exact one
        assert radius.exceptions_dkt() < radius.exceptions_bchks(), "DKT26 above BCHKS25"
        assert radius.list_size_exact() <= radius.list_size(), "Johnson"
        messages.update(part)
        n = m
    assert n == entry["log_final"], "last vector"
    if n:
        messages["whir.final"] = (bits(2 / field(circuit)), n)
    return messages


def worst_case_bytes(entry):
    total = 20 * (2 ** entry["log_final"] + 2 * entry["log_final"])
    for i, (l, m, k, t, g) in enumerate(entry["rounds"]):
        total += 32 + 40 * l + 4 + (20 if i else 0) + t * 2**l * (20 if i else 4)
        on_path = [min(t, 2**j) for j in range(m + k + 1)]
        total += 32 * sum(2 * up - down for up, down in zip(on_path, on_path[1:]))
    return total


def capped_bytes(entry):
    """Of an opening that ends paths at caps: t paths each, and the cap's nodes. Paths of preprocessed lanes end at level 9."""
    total = 20 * (2 ** entry["log_final"] + 2 * entry["log_final"])
    witness, fixed = entry["lanes"]
    for i, ((l, m, k, t, g), cap) in enumerate(zip(entry["rounds"], entry["caps"])):
        total += 32 + 40 * l + 8 + (20 if i + 1 < len(entry["rounds"]) else 0)
        total += t * (20 * 2**l if i else 4 * (witness + fixed))
        total += 32 * (t * (m + k - cap) + (2**cap if cap else 0)) + (0 if i else 32 * t * (m + k - min(9, m + k)))
    return total


def check(table):
    circuit, errors = table["circuit"], []
    size_of = capped_bytes if circuit["hash"] == "keccak" else worst_case_bytes
    assert 2 ** circuit["log_fractions"] < P, "multiplicities could wrap"
    for entry in table["entries"]:
        where = f"target {entry['target_bits']}, size {entry['log_size']}, rate {entry['rounds'][0][2]}"
        messages = analyse(entry, circuit)
        digest = 4 * bits(Fraction(1, P)) if circuit["hash"] == "poseidon" else 128
        statistical = {name: value for name, (value, _) in messages.items()}
        for name, value in [*statistical.items(), ("hash.collision", digest), ("hash.transcript", digest)]:
            pinned = entry["bits"].get(name)
            if pinned is None or abs(float(value) - pinned) > 0.05:
                errors.append(f"{where}: {name} is {float(value):.3f}, pinned {pinned}")
        if set(entry["bits"]) != set(statistical) | {"hash.collision", "hash.transcript"}:
            errors.append(f"{where}: other messages")
        least = min(statistical.values())
        if least < entry["target_bits"] or abs(float(least) - entry["minimum_bits"]) > 0.05:
            errors.append(f"{where}: least {float(least):.3f}, pinned {entry['minimum_bits']}")
        union = bits(sum(count * (-value * LN2).exp() for value, count in messages.values()))
        if abs(float(union) - entry["interactive_bits"]) > 0.05:
            errors.append(f"{where}: sum {float(union):.3f}, pinned {entry['interactive_bits']}")
        if size_of(entry) != entry["proof_bytes"]:
            errors.append(f"{where}: {size_of(entry)} bytes, pinned {entry['proof_bytes']}")
        for i in range(len(entry["rounds"])):  # no query and no grinding bit too many
            for field in (3, 4):
                less = json.loads(json.dumps(entry))
                less["rounds"][i][field] -= 1
                if less["rounds"][i][field] < 0:
                    continue
                _, part = best_oracle(less, i, circuit)
                if min(b for b, _ in part.values()) >= entry["target_bits"]:
                    errors.append(f"{where}: round {i} could do with less")
    return errors


def compare(table):
    """Queries per round that each reading needs, at the pinned rates and grinding."""
    readings = {
        "printed": {},
        "halved": {"exceptions": lambda r: r.exceptions_bchks(True)},
        "DKT26": {"exceptions": Radius.exceptions_dkt},
        "DKT26, exact lists": {"exceptions": Radius.exceptions_dkt, "lists": Radius.list_size_exact},
    }
    for entry in table["entries"]:
        if entry["log_size"] not in (20, 26):
            continue
        print(entry["target_bits"], "bits, size", entry["log_size"], "rates", [r[2] for r in entry["rounds"]])
        for name, kw in readings.items():
            queries = []
            for i in range(len(entry["rounds"])):
                lo, hi = 0, 4096
                while hi - lo > 1:
                    mid = (lo + hi) // 2
                    trial = json.loads(json.dumps(entry))
                    trial["rounds"][i][3] = mid
                    _, part = best_oracle(trial, i, table["circuit"], **kw)
                    lo, hi = (lo, mid) if min(b for b, _ in part.values()) >= entry["target_bits"] else (mid, hi)
                queries.append(hi)
            print("   ", name, queries)


def main(arguments):
    if arguments[:1] == ["--check"] and len(arguments) == 2:
        with open(arguments[1]) as file:
            errors = [error for table in json.load(file)["tables"] for error in check(table)]
        print("\n".join(errors) or "soundness table agrees")
        return 1 if errors else 0
    if arguments[:1] == ["--compare"] and len(arguments) == 2:
        with open(arguments[1]) as file:
            compare(json.load(file)["tables"][0])
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    for table in json.load(sys.stdin)["tables"]:
        for entry in table["entries"]:
            print(f"size {entry['log_size']}, rounds {entry['rounds']}, at most {entry['proof_bytes']} bytes")
            for name, (value, count) in analyse(entry, table["circuit"]).items():
                print(f"  {name:20} {float(value):8.3f}  x{count}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
