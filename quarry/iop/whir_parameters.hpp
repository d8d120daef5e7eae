#pragma once
#include <cstddef>
#include <vector>

namespace quarry {

/// One committed oracle of WHIR and how it is queried. See docs/spec/proof-system.md, section 6.
struct WhirRound {
    unsigned log_lanes;      ///< l_i: the variables folded by this round's sumcheck
    unsigned log_message;    ///< m_i: coefficients of one lane, 2^m_i
    unsigned log_inv_rate;   ///< k_i: the code has 2^(m_i + k_i) positions
    unsigned num_queries;    ///< t_i
    unsigned grinding_bits;  ///< g_i, before the positions are drawn
    friend bool operator==(const WhirRound&, const WhirRound&) = default;
};

/// Parameters for a vector of 2^log_size elements. Made by generate_whir_parameters (quarry/proof/security.hpp), never
/// typed, except in tests of the protocol itself.
struct WhirParameters {
    unsigned log_size;
    std::vector<WhirRound> rounds;  ///< at least one
    unsigned log_final;             ///< n_M: the last vector is sent whole
    friend bool operator==(const WhirParameters&, const WhirParameters&) = default;
};

}  // namespace quarry
