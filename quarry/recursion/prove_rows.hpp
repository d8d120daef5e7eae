#pragma once
#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/recursion/layout.hpp"

namespace quarry::recursion {

/// The proof of a circuit's rows under options.key, in options.protocol. Precondition (checked): rows with the
/// preprocessed cells of that key.
template <class P>
BasicProof<P> prove_rows(const Circuit& circuit, const ShapeHeights& shape, const CircuitRows& rows,
                         const Statement& statement, const BasicProveOptions<P>& options) {
    const unsigned log_lanes = options.protocol.log_stack_lanes;
    const auto preprocessed = lay_out_preprocessed(circuit, shape, rows, log_lanes);
    QUARRY_CHECK(preprocessed && std::ranges::equal(preprocessed->stack(), options.key->trace().stack()));
    return prove<P>(circuit, lay_out_witness(circuit, shape, rows, log_lanes), statement, options);
}

}  // namespace quarry::recursion
