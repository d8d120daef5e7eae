#!/usr/bin/env python3
"""Measures what the parts of the Solidity verifier cost: gas, in units that tools/evm_gas_model.py multiplies.

  evm_units.py            run the kernels with forge (contracts/test/Units.t.sol), print units as JSON
  evm_units.py --check F  the same, and compare with the kept figures in F: exit 1 where one is off by over 3% and 3 gas

Needs `npm ci --ignore-scripts` once, in the root of the repository.
"""
import json
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
RAW = os.path.join(ROOT, "out", "evm-units.json")


def measure():
    os.makedirs(os.path.dirname(RAW), exist_ok=True)
    subprocess.run([os.path.join(ROOT, "tools", "forge"), "--match-contract", "UnitsTest"], check=True, stdout=sys.stderr)


def units(raw):
    """Differences of two sizes, or loops without their loop."""
    gas = {name: value for name, value, _ in raw}
    loop = gas["loop"] / 64

    def each(name):
        return gas[name] / 64 - loop

    def line(name, small, large):
        """(constant, per step) of a cost measured at two sizes."""
        slope = (gas[f"{name}.{large}"] - gas[f"{name}.{small}"]) / (large - small)
        return gas[f"{name}.{small}"] - small * slope, slope

    r = {
        "multiply": each("ext.mul"), "multiply_add": each("ext.mul_add"), "multiply_base_add": each("ext.mul_base_add"),
        "reduce": each("ext.reduce"), "load": each("ext.load"), "load_multiply_add": each("ext.load_mul_add"),
        "small_form_of_16": gas["form.small.16"], "large_form_term": gas["form.large.14"] / 14,
        "sumcheck_round": each("sumcheck.plain"), "sumcheck_round_with_eq": each("sumcheck.with_eq"),
        "eq_table_pair": (gas["eq_table.5"] - gas["eq_table.3"]) / 24,
        "row_weight": gas["row_weights.32"] / 32, "row_weight_in_e": gas["row_weights_in_e.16"] / 16,
        "pow_table_pair": gas["pow_table.16"] / 8, "point_table": gas["point_table.24"],
        "query_point": gas["query_point.24"], "fold_element": gas["fold_all.6"] / 63,
        "cap_node": (gas["cap.5"] - gas["cap.3"]) / 24,
        "pruned_26_of_2_23": gas["pruned.26.23"] + gas["pruned.26.23.sorting"],
        "pruned_26_of_2_23_bytes": gas["pruned.26.23.bytes"],
    }
    for name, key, small, large, step in [
            ("transcript", "transcript", 40, 4040, 1), ("leaf", "leaf", 128, 640, 1), ("climb", "climb", 8, 24, 1),
            ("positions", "positions", 10, 30, 1), ("degree_round", "sumcheck.degree", 3, 9, 1),
            ("gkr_layer", "gkr.layer", 4, 16, 1), ("row_dot", "row_dot", 2, 10, 1),
            ("row_dot_in_e", "row_dot_in_e", 8, 32, 1), ("pow_at", "pow_at", 4, 16, 2), ("horner", "horner", 16, 64, 1)]:
        constant, slope = line(key, small, large)
        r[name + "_base"], r[name + "_step"] = constant, slope * step
    # A round of 17 queries, 16 lanes, height 22, cap at level 4, 12 variables, over the sum of its parts: see GLUE there.
    parts = (16 * r["row_weight_in_e"] + 6 * r["pow_table_pair"] + r["positions_base"] + 17 * (
        r["positions_step"] + r["query_point"] + r["leaf_base"] + 320 * r["leaf_step"] + r["row_dot_in_e_base"]
        + 16 * r["row_dot_in_e_step"] + r["climb_base"] + 18 * r["climb_step"] + r["pow_at_base"] + 6 * r["pow_at_step"]
        + 2 * r["multiply_add"]))
    r["query_round_over_its_parts"] = gas["query_round"] / parts
    return {name: round(value, 2) for name, value in r.items()}


def main(arguments):
    if arguments and (len(arguments) != 2 or arguments[0] != "--check"):
        print(__doc__, file=sys.stderr)
        return 2
    measure()
    with open(RAW, encoding="utf-8") as file:
        now = units(json.load(file))
    if not arguments:
        print(json.dumps({"command": "tools/evm_units.py", "forge": "1.7.1", "solc": "0.8.37, via IR, 10^6 runs",
                          "evm_version": "osaka", "unit": "gas", "units": now}, indent=1))
        return 0
    with open(arguments[1], encoding="utf-8") as file:
        kept = json.load(file)["units"]
    off = [f"{name}: {now.get(name)} now, {kept.get(name)} kept" for name in sorted(set(now) | set(kept))
           if name not in now or name not in kept or abs(now[name] - kept[name]) > max(3, 0.03 * abs(kept[name]))]
    print("\n".join(off) or "the kept units are still right")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
