#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/iop/commitment.hpp"
#include "quarry/iop/whir_parameters.hpp"

namespace quarry {

/// The rows that the queries ask for, with their full paths: rounds[i][j] answers query j of round i.
struct WhirOpenings {
    std::vector<std::vector<Opening>> rounds;
    /// Where those rows are, for the wire form's encoder only: a verifier draws its own positions.
    std::vector<std::vector<std::size_t>> positions;

    // What verify_whir reads; a circuit offers the same on wires.
    [[nodiscard]] std::size_t num_rounds() const { return rounds.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t round) const { return rounds[round].size(); }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t round, std::size_t query) const {
        return rounds[round][query].row;
    }
    [[nodiscard]] std::span<const Digest> path(std::size_t round, std::size_t query) const {
        return rounds[round][query].path;
    }
};

/// Elements of an opened row of round `round`: lanes, five elements each after the first round.
std::size_t whir_row_width(const WhirParameters& parameters, std::size_t round, std::size_t used_lanes);

}  // namespace quarry
