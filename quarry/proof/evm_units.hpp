#pragma once
// Made from bench/results/2026-11-evm-units.json: QUARRY_PIN_UNITS=1 proof_test --gtest_filter=EvmUnits.*

namespace quarry {

/// Gas of the parts of the Solidity verifier, measured by tools/evm_units.py, which says what each is. `_base` and
/// `_step`: a constant and what each further step adds.
struct EvmUnits {
    double multiply = 205.95;
    double multiply_add = 211.95;
    double multiply_base_add = 123.86;
    double reduce = 66.95;
    double load = 137.88;
    double load_multiply_add = 359.00;
    double small_form_of_16 = 430.00;
    double large_form_term = 63.50;
    double sumcheck_round = 930.80;
    double sumcheck_round_with_eq = 1195.80;
    double eq_table_pair = 396.29;
    double row_weight = 339.88;
    double row_weight_in_e = 148.56;
    double pow_table_pair = 625.75;
    double point_table = 11355.00;
    double query_point = 674.00;
    double fold_element = 348.00;
    double cap_node = 154.67;
    double pruned_26_of_2_23 = 185612.00;
    double pruned_26_of_2_23_bytes = 14560.00;
    double transcript_base = 186.75;
    double transcript_step = 0.28;
    double leaf_base = 118.00;
    double leaf_step = 0.28;
    double climb_base = 100.00;
    double climb_step = 176.00;
    double positions_base = 80.50;
    double positions_step = 89.25;
    double degree_round_base = 783.50;
    double degree_round_step = 424.17;
    double gkr_layer_base = 2553.33;
    double gkr_layer_step = 1274.92;
    double row_dot_base = 115.00;
    double row_dot_step = 478.00;
    double row_dot_in_e_base = 356.00;
    double row_dot_in_e_step = 320.00;
    double pow_at_base = 67.00;
    double pow_at_step = 631.00;
    double horner_base = 75.00;
    double horner_step = 186.00;
    double query_round_over_its_parts = 1.07;
};

}  // namespace quarry
