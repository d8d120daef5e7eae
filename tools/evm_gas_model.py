#!/usr/bin/env python3
"""Gas, bytes and proving time of the terminal proof on Ethereum, as a function of its shape.

  evm_gas_model.py                 search all shapes; print the best of each kind, the parts of the chosen one, sensitivities
  evm_gas_model.py --check         exit 1 unless the chosen shape is the generator's, still meets the bars and has the kept
                                   figures, an independent, exact calculation gives each of its messages 100 bits, and
                                   queries are counted as the generator does
  evm_gas_model.py --json          the chosen shape, for the figures that are kept

Counted operations of the verifier of docs/spec/proof-system.md (with Keccak-256 for Poseidon) times the gas of each, measured by
tools/evm_units.py and kept in bench/results. quarry/proof/evm_cost.cpp counts the same from a circuit's tables, and its test
compares. Parameters follow docs/soundness.md; --check asks tests/security/soundness_reference.py, which shares no code with this. Calldata is charged by EIP-7623: 16 gas for a non-zero byte
beside execution, and never less than 40 gas for it in all.
"""
import functools
import json
import math
import os
import sys
from dataclasses import dataclass, replace

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
UNITS = os.path.join(ROOT, "bench", "results", "2026-11-evm-units.json")
KEPT = os.path.join(ROOT, "bench", "results", "2026-11-evm-terminal.json")
P = 2**31 - 2**24 + 1
FIELD_BITS = 5 * math.log2(P)
TARGET_BITS = 100
TRANSACTION, BYTE, FLOOR_BYTE = 21000, 16, 40
GLUE = 1.10  # loops and moves between the parts: a whole round of queries was measured at 1.07 of its parts

# Prover, two threads of the machine that docs/performance.md names: seconds for one Keccak permutation, one cell of a
# codeword, one trial of the proof of work, one thread each.
KECCAK, CODE_CELL, TRIAL = 0.16e-6, 6e-9, 0.16e-6


# ---- The circuit: what a table asks of the verifier ----

@dataclass(frozen=True)
class Table:
    name: str
    log_rows: int
    columns: int
    next_columns: int = 0
    fixed: int = 0  # preprocessed columns, in a tree of their own
    interactions: int = 0
    tuple_values: int = 0  # of all interactions
    products: int = 0  # of two elements of E, in constraints
    small_forms: int = 0  # whose constants are all small
    small_terms: int = 0
    large_terms: int = 0  # constant of F_p times element of E
    constraints: int = 0
    degree: int = 3


# One Poseidon permutation, 8 full and 20 partial rounds, in one row or cut into several. A full round is 16 cubes (two
# products each) and 16 forms; j partial rounds in a row commit j cubes, their inputs are forms of 16 + i terms, and the
# state after them 16 forms of 16 + j.
def poseidon(name, log_rows, full, partial, rows_a_permutation, degree, columns, next_columns):
    terms = sum(16 + i for i in range(partial)) + 16 * (16 + partial)
    return Table(name, log_rows, columns, next_columns, fixed=10, interactions=12, tuple_values=45,
                 products=2 * (16 * full + partial) + 25, small_forms=16 * full, small_terms=256 * full, large_terms=terms,
                 constraints=16 * (full if rows_a_permutation == 1 else 2) + partial, degree=degree)


# What there is, then other ways to cut its permutations.
def poseidon_tables(log_permutations):
    n = log_permutations
    return [
        Table("1 row, degree 9", n, 93, 17, 10, 12, 45, 321, 466, 2368, 2064, 93, 9),
        poseidon("1 row, degree 3", n, 8, 20, 1, 3, 165, 17),
        poseidon("8 rows of 2 full or 20 partial", n + 3, 2, 20, 8, 10, 36, 16),
        poseidon("8 rows of 2 full or 10 partial", n + 3, 2, 10, 8, 10, 26, 16),
        poseidon("16 rows of 1 full or 5 partial", n + 4, 1, 5, 16, 4, 21, 16),
    ]


# The other tables of the terminal circuit for 16 batches, as quarry/proof/evm_cost.cpp counts them: rows, columns,
# next-row columns, preprocessed columns, interactions, values in them, products, forms, small terms, large terms,
# constraints, degree. `scale`: of the circuit.
def other_tables(scale=0):
    tables = [
        Table("sponge", 11, 100, 16, 11, 16, 32, 331, 476, 2493, 2064, 116, 9),
        Table("sum", 14, 20, 0, 11, 4, 24, 75, 15, 103, 0, 5, 3),
        Table("form", 12, 45, 0, 23, 9, 54, 160, 25, 210, 0, 5, 3),
        Table("pack", 14, 5, 0, 6, 6, 16, 4, 4, 8, 0, 4, 2),
        Table("digest", 10, 8, 0, 8, 18, 82, 0, 14, 28, 0, 0, 1),
        Table("constant", 9, 8, 0, 12, 2, 15, 0, 8, 16, 0, 8, 1),
        Table("index", 9, 45, 0, 31, 27, 62, 116, 93, 247, 63, 53, 7),
        Table("public input", 9, 58, 0, 6, 60, 413, 0, 58, 172, 0, 0, 1),
    ]
    return [replace(table, log_rows=table.log_rows + scale) for table in tables]


# ---- Soundness: docs/soundness.md, in floating point ----

class Code:
    def __init__(self, m, k, mu):
        self.length = 2.0 ** (m + k)
        self.r = (2.0**m - 1) / self.length
        self.mu = mu
        self.agreement = math.sqrt(self.r) * (1 + 1 / mu)
        self.list = max(mu / (2 * self.r), (mu + 0.5) / math.sqrt(self.r))

    def fold_bits(self):
        t, r = self.mu + 0.5, self.r
        a = (2 * t**5 + 3 * t * (1 - self.agreement) * r) / (3 * r**1.5) * self.length + t / math.sqrt(r)
        return FIELD_BITS - math.log2(2 * self.list + a)


@functools.lru_cache(None)
def plan(m, k, size, max_grinding, target=TARGET_BITS, keccak=True):
    """(queries, grinding) of an oracle of 2^size elements in lanes of 2^m at rate 2^-k; size 0 for the first one."""
    field_loss = 5 * math.log2(1 + 2.0**-20) if keccak else 0
    def falling(mu):
        code = Code(m, k, mu)
        if size == 0:
            return min(code.fold_bits(), FIELD_BITS - math.log2(code.list * 2**26 * 65))  # fingerprints
        return min(code.fold_bits(), FIELD_BITS - math.log2(code.list**2 / 2) - size, FIELD_BITS - math.log2(code.list * 2049))

    margin = target + 1e-6
    if falling(3) - field_loss < margin:
        return None
    low, high = 3, 4097
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if falling(middle) - field_loss >= margin else (low, middle)
    per_query = -math.log2(Code(m, k, low).agreement + (0 if keccak else 1 / P))
    ground = [g if keccak or g == 0 else math.log2(P) - math.log2(127 * 2.0 ** (24 - g) + 1) for g in range(25)]
    if per_query <= 0:
        return None
    queries = max(1, math.ceil((margin - ground[max_grinding]) / per_query))
    grinding = next(g for g in range(max_grinding + 1) if queries * per_query + ground[g] >= margin)
    return queries, grinding


# ---- The protocol's choices ----

@dataclass(frozen=True)
class Shape:
    poseidon: Table
    others: tuple
    rounds: tuple  # (log_lanes, log_message, log_inv_rate, queries, grinding) each
    log_final: int
    log_size: int
    skip: int = 0  # variables of a univariate skip
    batching: str = "eq"  # of the column claims: by eq of the chunk's number, or by powers of one challenge
    buses: str = "gkr"  # or "inverses": committed ones, in a second tree
    fixed_cap: int = 0  # levels of the preprocessed tree kept in the contract
    items: int = 16  # batches of a bundle, 10 public tuples each: a number and 58 limbs

    @property
    def tables(self):
        return (self.poseidon, *self.others)


@dataclass
class Cost:
    gas: float = 0
    size: int = 0

    def __add__(self, other):
        return Cost(self.gas + other.gas, self.size + other.size)

    def total(self):
        return TRANSACTION + max(BYTE * self.size + GLUE * self.gas, FLOOR_BYTE * self.size)


class Model:
    def __init__(self, units):
        self.u = units
        self.kept = {}

    def absorb(self, size):
        return self.u["transcript_base"] + self.u["transcript_step"] * size

    def tree(self, queries, depth, kept_levels=0):
        """Paths of one tree: to a cap that the proof brings, or to levels that the contract keeps."""
        u = self.u
        if kept_levels:
            path = u["climb_base"] + (depth - kept_levels) * u["climb_step"]
            return Cost(queries * (path + 250), queries * (depth - kept_levels) * 32)  # 250: the node, from code
        best = None
        for cap in range(min(depth, 8)):
            gas = queries * (u["climb_base"] + (depth - cap) * u["climb_step"]) + (2**cap - 1) * u["cap_node"]
            size = 32 * (queries * (depth - cap) + (2**cap if cap else 0))
            if best is None or GLUE * gas + BYTE * size < GLUE * best.gas + BYTE * best.size:
                best = Cost(gas, size)
        return best

    def rows(self, queries, lanes, in_e):
        """Leaves, and their sums with the weights of the lanes."""
        u = self.u
        size = lanes * (20 if in_e else 4)
        each = u["leaf_base"] + u["leaf_step"] * size
        if in_e:
            each += u["row_dot_in_e_base"] + lanes * u["row_dot_in_e_step"]
            once = lanes * (u["eq_table_pair"] + u["row_weight_in_e"])
        else:
            words = math.ceil(lanes / 8)
            each += u["row_dot_base"] + words * u["row_dot_step"]
            once = lanes * (u["eq_table_pair"] + u["row_weight"])
        return Cost(once + queries * each, queries * size)

    def opening(self, shape):
        """WHIR, and what its queries add to the last weight."""
        u = self.u
        parts = {"paths": Cost(), "rows": Cost(), "claims of queries": Cost(), "sumcheck": Cost(), "last vector": Cost()}
        for i, (l, m, k, t, _) in enumerate(shape.rounds):
            last = i + 1 == len(shape.rounds)
            parts["sumcheck"] += Cost(l * u["sumcheck_round"], 40 * l)
            parts["paths"] += Cost(self.absorb(52), 32) + self.tree(t, m + k)
            cells = witness_cells(shape.tables)
            parts["rows"] += self.rows(t, 2**l if i else math.ceil(cells / 2**m), i > 0)
            parts["claims of queries"] += Cost(self.absorb(8) + u["positions_base"] + t * (u["positions_step"] + u["query_point"]), 8)
            if not last:
                pairs = math.ceil(m / 2)
                weight = u["pow_at_base"] + pairs * u["pow_at_step"] + 2 * u["multiply_add"]
                sample = 3 * m * u["multiply_add"] + u["load"]
                parts["claims of queries"] += Cost(pairs * u["pow_table_pair"] + t * weight + sample, 20)
            else:
                size = 2**shape.log_final
                parts["last vector"] += Cost(size * u["load"] + self.absorb(20 * size) + size * u["fold_element"]
                                             + shape.log_final * u["sumcheck_round"]
                                             + t * (u["horner_base"] + size * u["horner_step"] + 2 * u["reduce"]),
                                             20 * size + 40 * shape.log_final)
            if i == 0:
                fixed = sum(table.fixed << table.log_rows for table in shape.tables)
                if fixed:
                    lanes = math.ceil(fixed / 2**m)
                    parts["preprocessed columns"] = self.tree(t, m + k, shape.fixed_cap) + self.rows(t, lanes, False)
                if shape.buses == "inverses":
                    cells = sum(5 * math.ceil(x.interactions / 2) << x.log_rows for x in shape.tables)
                    lanes = math.ceil(cells / 2**m)
                    parts["tree of inverses"] = Cost(self.absorb(32), 32) + self.tree(t, m + k) + self.rows(t, lanes, False)
        parts["claims of queries"] += Cost(u["point_table"])
        return parts

    def buses(self, shape):
        u = self.u
        fractions = sum(table.interactions << table.log_rows for table in shape.tables)
        m = math.ceil(math.log2(fractions))
        leaves = sum(x.tuple_values + 3 * x.interactions for x in shape.tables) * u["multiply_add"]
        if shape.buses == "inverses":
            return {"buses": Cost(leaves + self.absorb(20) + 3 * u["multiply"] * sum(x.interactions for x in shape.tables), 20)}
        layers = Cost(sum(u["gkr_layer_base"] + j * u["gkr_layer_step"] for j in range(m)), sum(40 * j + 80 for j in range(m)))
        return {"LogUp-GKR": layers, "bus leaves": Cost(leaves)}

    def constraints(self, shape):
        u = self.u
        height = max(table.log_rows for table in shape.tables)
        degree = max(table.degree for table in shape.tables)
        small_term = (u["small_form_of_16"] - u["reduce"]) / 16
        gas = sum(x.products * u["multiply"] + x.small_forms * u["reduce"] + x.small_terms * small_term
                  + x.large_terms * u["large_form_term"] + x.constraints * u["multiply_add"] for x in shape.tables)
        rounds = height - shape.skip
        zerocheck = Cost(rounds * (u["degree_round_base"] + degree * u["degree_round_step"]), 20 * degree * rounds)
        if shape.skip:
            size = (2**shape.skip - 1) * degree + 1
            zerocheck += Cost(size * (u["load_multiply_add"] + 30) + self.absorb(20 * size) + 2**shape.skip * 3 * u["multiply"],
                              20 * size)
        claims = sum(x.columns + x.next_columns + x.fixed for x in shape.tables)
        if shape.buses == "inverses":
            claims += sum(5 * math.ceil(x.interactions / 2) for x in shape.tables)
        # loaded and kept; then folded once (eq), or a power, a product, and two for its chunk's weight at the end
        each = u["load"] + (1 if shape.batching == "eq" else 4) * u["multiply_add"]
        heights = len({table.log_rows for table in shape.tables}) * 2
        kernels = heights * height * 3 * u["multiply_add"]  # eq of a row, and of the row before
        if shape.batching == "eq":
            # The weights of the chunks: two products a variable of the stack above the smallest table, and two more at each
            # end of a run of neighbouring chunks: for each height its witness and its preprocessed columns.
            runs = heights + sum(1 for table in shape.tables if table.next_columns)
            cells = sum((x.columns + x.fixed) << x.log_rows for x in shape.tables)
            variables = math.ceil(math.log2(cells)) - min(x.log_rows for x in shape.tables)
            kernels += variables * (2 + 2 * (runs + 2)) * u["multiply"]
        return {"zerocheck": zerocheck, "constraints": Cost(gas),
                "column claims": Cost(claims * each + self.absorb(20 * claims) + kernels, 20 * claims)}

    def public(self, shape):
        """Tuples on a bus, in no calldata: their values, packed eight to a word, times powers of beta; two products to add
        the fractions."""
        u = self.u
        tuples, values = 1 + 10 * shape.items, 59
        each = u["row_dot_base"] + math.ceil(values / 8) * u["row_dot_step"] + 2 * u["multiply_add"]
        return {"public input": Cost(tuples * each + values * (u["multiply"] + u["row_weight"])
                                     + self.absorb(4 * tuples * (values + 3)))}

    def around(self, shape):
        """All but the opening: the same for every opening of one circuit."""
        return {**self.buses(shape), **self.constraints(shape), **self.public(shape)}

    def parts(self, shape):
        return {**self.opening(shape), **self.around(shape)}

    def cost(self, shape):
        key = (shape.tables, shape.skip, shape.batching, shape.buses, shape.items)
        if key not in self.kept:
            self.kept[key] = sum(self.around(shape).values(), Cost())
        return sum(self.opening(shape).values(), self.kept[key])


def witness_cells(tables, buses="gkr"):
    cells = sum(x.columns << x.log_rows for x in tables)
    if buses == "inverses":
        cells += sum(5 * math.ceil(x.interactions / 2) << x.log_rows for x in tables)
    return cells


def proving_seconds(shape):
    """Encoding, hashing and grinding, which are all that a rate of 1/64 makes heavy; two threads."""
    cells = witness_cells(shape.tables, shape.buses) + sum(x.fixed << x.log_rows for x in shape.tables)
    hashes = code = trials = 0
    for i, (l, m, k, _, g) in enumerate(shape.rounds):
        lanes = math.ceil(cells / 2**m) if i == 0 else 2**l
        code += lanes * 2 ** (m + k) * (1 if i == 0 else 5)
        hashes += 2 ** (m + k) * (math.ceil((1 + lanes * (4 if i == 0 else 20)) / 135) + 1)
        trials += 2.0**g if g else 0
    return (hashes * KECCAK + code * CODE_CELL + trials * TRIAL) / 2


def shapes(table, others, max_grinding, buses="gkr"):
    """Every opening of the circuit's stack that reaches the target."""
    tables = (table, *others)
    cells = witness_cells(tables, buses) + sum(x.fixed << x.log_rows for x in tables)
    height = max(x.log_rows for x in tables)
    n = max(math.ceil(math.log2(cells)), height)

    def extend(rounds, size, length):
        if size <= 8 and rounds:
            yield rounds, size
        if len(rounds) == 5 or size < 4:
            return
        if not rounds:
            lanes = range(max(3, n - 20), 8)
        elif len(rounds) == 1:
            lanes = (3, 4, 5)
        else:
            lanes = (rounds[1][0],)  # all later oracles alike, but the last may have fewer
        for l in lanes:
            m = size - l
            if m < 2 or (not rounds and m < height):  # a column is within a lane
                continue
            for k in range(2, 25 - m) if not rounds else range(max(rounds[-1][2], length - m - 4), length - m):
                planned = plan(m, k, size if rounds else 0, max_grinding)
                if planned:
                    yield from extend((*rounds, (l, m, k, *planned)), m, m + k)

    for rounds, log_final in extend((), n, 99):
        yield Shape(table, tuple(others), rounds, log_final, n, buses=buses)


def best(candidates, max_seconds, rank):
    return min((shape for shape in candidates if proving_seconds(shape) <= max_seconds), key=rank, default=None)


def describe(shape):
    rounds = "; ".join(f"{l}/{m} 1/{2**k} {t} g{g}" for l, m, k, t, g in shape.rounds)
    return f"{rounds}; last 2^{shape.log_final}"


def line(model, label, shape):
    if shape is None:
        print(f"{label:46} none within the bars")
        return
    cost = model.cost(shape)
    print(f"{label:46} {cost.total() / 1e6:5.2f} M gas {cost.size / 1024:6.1f} KiB {proving_seconds(shape):5.1f} s  2^{shape.log_size}"
          f"  {describe(shape)}")


def part_table(model, shape):
    print(f"{'part':24} {'gas':>9} {'bytes':>8}")
    for name, cost in model.parts(shape).items():
        print(f"{name:24} {cost.gas:9,.0f} {cost.size:8,}")
    cost = model.cost(shape)
    print(f"{'all':24} {cost.gas:9,.0f} {cost.size:8,}   with glue {GLUE * cost.gas:,.0f}, calldata {BYTE * cost.size:,}, "
          f"floor {FLOOR_BYTE * cost.size:,}")


# The shape of docs/decisions/0010. Rounds: log lanes, log message, log inverse rate, queries, grinding bits; found by
# find_terminal_parameters (quarry/proof), fixed here so that new units cannot move it silently.
MAX_SECONDS, MAX_GRINDING, MAX_GAS, MAX_BYTES = 12, 22, 5_000_000, 80 * 1024
CHOSEN_TABLE = 0
CHOSEN_ROUNDS = ((7, 14, 9, 18, 21), (4, 10, 12, 14, 19), (4, 6, 15, 11, 21))
CHOSEN_LOG_FINAL = 6


def chosen():
    size = CHOSEN_ROUNDS[0][0] + CHOSEN_ROUNDS[0][1]
    return Shape(poseidon_tables(12)[CHOSEN_TABLE], tuple(other_tables()), CHOSEN_ROUNDS, CHOSEN_LOG_FINAL, size, fixed_cap=9)


def search(model, table, others, max_grinding=MAX_GRINDING, max_seconds=MAX_SECONDS, **choices):
    candidates = (replace(shape, **{"fixed_cap": 9, **choices})
                  for shape in shapes(table, others, max_grinding, choices.get("buses", "gkr")))
    def rank(shape):
        cost = model.cost(shape)
        return cost.size > MAX_BYTES, cost.total(), cost.size

    return best(candidates, max_seconds, rank)


def report(model):
    others = other_tables()
    print(f"Best opening for each way to cut 4,096 of the permutations; at most {MAX_SECONDS} s, {MAX_GRINDING} bits of work")
    for table in poseidon_tables(12):
        line(model, table.name, search(model, table, others))
    shape = chosen()
    print("\nChosen")
    line(model, shape.poseidon.name, shape)
    part_table(model, shape)
    print("\nWhat else it would be (same tables, best opening again)")
    table = shape.poseidon
    for bits in (16, 22, 24):
        line(model, f"work up to {bits} bits, 60 s", search(model, table, others, bits, 60))
    for seconds in (12, 60):
        line(model, f"at most {seconds} s", search(model, table, others, max_seconds=seconds))
    line(model, "no nodes of the preprocessed tree in code", search(model, table, others, fixed_cap=0))
    line(model, "claims batched by powers", search(model, table, others, batching="powers"))
    line(model, "univariate skip of 5 variables", search(model, table, others, skip=5))
    line(model, "committed inverses for LogUp-GKR", search(model, table, others, buses="inverses", max_seconds=60))
    line(model, "half of the circuit", search(model, poseidon_tables(11)[CHOSEN_TABLE], other_tables(-1)))
    line(model, "twice the circuit, 60 s", search(model, poseidon_tables(13)[CHOSEN_TABLE], other_tables(1), max_seconds=60))
    line(model, "4 batches", search(model, table, others, items=4))
    line(model, "folding 5, 4, 4, 4 from rate 1/64", design_shape(shape))


def design_shape(shape):
    """Folding 5, 4, 4, 4 at rate 1/64 from the start, domains halved."""
    size, length, rounds = shape.log_size, shape.log_size - 5 + 6, []
    for l in (5, 4, 4, 4):
        k = length - (size - l)
        rounds.append((l, size - l, k, *plan(size - l, k, size if rounds else 0, MAX_GRINDING)))
        size, length = size - l, length - 1
    return replace(shape, rounds=tuple(rounds), log_final=size)


def check(model):
    sys.path.insert(0, os.path.join(ROOT, "tests", "security"))
    import soundness_reference

    shape, errors = chosen(), []
    entry = {"log_size": shape.log_size, "log_final": shape.log_final, "rounds": [list(r) for r in shape.rounds]}
    with open(os.path.join(ROOT, "tests", "security", "expected.json"), encoding="utf-8") as file:
        inner, terminal = json.load(file)["tables"]
    if not any(all(pinned[key] == entry[key] for key in entry) for pinned in terminal["entries"]):
        errors.append("the chosen shape is not the generator's")
    for name, (value, _) in soundness_reference.analyse(entry, terminal["circuit"]).items():
        if value < TARGET_BITS:
            errors.append(f"{name}: {float(value):.2f} bits")
    # plan() against the generator's own choices, as pinned.
    for table in (inner, terminal):
        for pinned in table["entries"]:
            for i, (l, m, k, t, g) in enumerate(pinned["rounds"]):
                here = plan(m, k, l + m if i else 0, pinned["max_grinding_bits"], pinned["target_bits"], table is terminal)
                if here != (t, g):
                    errors.append(f"size {pinned['log_size']}, round {i}: {here} here, {(t, g)} pinned")
    with open(KEPT, encoding="utf-8") as file:
        if json.load(file) != json.loads(json.dumps(figures(model))):
            errors.append("other figures than the kept ones: evm_gas_model.py --json")
    cost = model.cost(shape)
    for what, value, bar in (("gas", cost.total(), MAX_GAS), ("bytes", cost.size, MAX_BYTES),
                             ("seconds", proving_seconds(shape), MAX_SECONDS),
                             ("grinding", max(r[4] for r in shape.rounds), MAX_GRINDING)):
        if value > bar:
            errors.append(f"{what}: {value:,.0f} above {bar:,}")
    print("\n".join(errors) or f"terminal shape: {cost.total():,.0f} gas, {cost.size:,} bytes, every message {TARGET_BITS} bits")
    return 1 if errors else 0


def figures(model):
    shape = chosen()
    cost = model.cost(shape)
    return {"command": "tools/evm_gas_model.py --json", "gas": round(cost.total()), "bytes": cost.size,
            "execution_gas": round(GLUE * cost.gas), "proving_seconds": round(proving_seconds(shape), 1),
            "log_size": shape.log_size, "rounds": shape.rounds, "log_final": shape.log_final,
            "parts": {n: [round(c.gas), c.size] for n, c in model.parts(shape).items()}}


def main(arguments):
    with open(UNITS, encoding="utf-8") as file:
        model = Model(json.load(file)["units"])
    if arguments == ["--check"]:
        return check(model)
    if arguments == ["--json"]:
        print(json.dumps(figures(model), indent=1))
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    report(model)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
