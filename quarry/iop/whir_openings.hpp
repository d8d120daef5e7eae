#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/iop/commitment.hpp"
#include "quarry/iop/whir_parameters.hpp"

namespace quarry {

/// What queries open, in this order: each part of the stack (round 0), then one tree for each later round.
struct OracleShape {
    std::size_t round;
    std::size_t width;  ///< elements of a row: one a lane, five in later rounds
    unsigned log_rows;
};
/// `lanes_of_parts`: the lanes of each commitment to the stack. Precondition: validate(parameters).
std::vector<OracleShape> whir_oracles(const WhirParameters& parameters, std::span<const std::size_t> lanes_of_parts);

/// The rows that the queries ask for, with their full paths: oracles[o][j] answers query j of the oracle's round.
/// Parts of the stack are opened at the same positions.
struct WhirOpenings {
    std::vector<std::vector<Opening>> oracles;
    /// Where those rows are, for the wire form's encoder only: a verifier draws its own positions.
    std::vector<std::vector<std::size_t>> positions;

    // What verify_whir reads; a circuit offers the same on wires.
    [[nodiscard]] std::size_t num_oracles() const { return oracles.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t oracle) const { return oracles[oracle].size(); }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t oracle, std::size_t query) const {
        return oracles[oracle][query].row;
    }
    [[nodiscard]] std::span<const Digest> path(std::size_t oracle, std::size_t query) const {
        return oracles[oracle][query].path;
    }
};

}  // namespace quarry
