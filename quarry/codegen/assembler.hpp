#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/air/expression.hpp"
#include "quarry/codegen/machine.hpp"

namespace quarry::codegen {

/// Programs that run one after the other in one memory, each when more of the inputs are known.
struct Assembled {
    std::vector<std::uint8_t> code;
    std::vector<std::size_t> ends;           ///< of each stage's program in the code; the first one starts at 0
    std::vector<std::vector<Slot>> outputs;  ///< of each stage: where its results are, until the next one runs
    std::size_t end_of_slots = 0;            ///< no slot reaches this address
};

/// Input n of the graph (its column n) lies at inputs[n], and stays there. `stages`: the forms that each stage
/// computes, of atoms of the graph; nothing is computed before the first stage that needs it. Deterministic.
/// Precondition (checked): the slots suffice.
Assembled assemble(const ExpressionGraph& graph, std::span<const Slot> inputs,
                   std::span<const std::vector<LinearForm>> stages);

}  // namespace quarry::codegen
