#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "quarry/codegen/machine.hpp"

/// A program for contracts/src/Machine.sol that has every operation at the ends of what its operands may be. The native
/// machine computes with canonical elements, so it cannot see a lane that overflows: the contract must come to its
/// results.
namespace quarry::evm {

struct MachineVectors {
    using Lanes = std::array<std::uint64_t, ExtField::kDegree>;
    struct Result {
        codegen::MachineOp op;
        ExtField value;
    };

    std::vector<std::uint8_t> program;
    std::vector<Lanes> words;     ///< in the slots from kFirstSlot on, representatives
    std::vector<Result> results;  ///< in the slots behind those
};

/// `next`: random bits.
MachineVectors make_machine_vectors(const std::function<std::uint64_t()>& next);

}  // namespace quarry::evm
