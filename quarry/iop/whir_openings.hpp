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

/// The rows that the queries ask for, with their paths: oracles[o][j] answers query j of the oracle's round. Parts of
/// the stack are opened at the same positions.
template <class P>
struct BasicOpenings {
    using Digest = typename P::Digest;
    std::vector<std::vector<BasicOpening<typename P::Hasher>>> oracles;
    /// Where those rows are, for the wire form's encoder only: a verifier draws its own positions.
    std::vector<std::vector<std::size_t>> positions;
    /// Of each oracle, the nodes that its paths end at, left to right; none if they end at the root.
    std::vector<std::vector<Digest>> caps;

    // What verify_whir reads; a circuit offers the same on wires.
    [[nodiscard]] std::size_t num_oracles() const { return oracles.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t oracle) const { return oracles[oracle].size(); }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t oracle, std::size_t query) const {
        return oracles[oracle][query].row;
    }
    [[nodiscard]] std::span<const Digest> path(std::size_t oracle, std::size_t query) const {
        return oracles[oracle][query].path;
    }
    [[nodiscard]] std::span<const Digest> cap(std::size_t oracle) const
        requires(P::kHasCaps)
    {
        return caps.at(oracle);
    }
};
using WhirOpenings = BasicOpenings<PoseidonPolicy>;
using KeccakOpenings = BasicOpenings<KeccakPolicy>;

}  // namespace quarry
