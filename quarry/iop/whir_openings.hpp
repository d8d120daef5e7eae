#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/hash/merkle.hpp"
#include "quarry/iop/channel.hpp"
#include "quarry/iop/commitment.hpp"
#include "quarry/iop/whir_parameters.hpp"

namespace quarry {

/// The rows that the queries ask for, with their full paths: rounds[i][j] answers query j of round i.
struct WhirOpenings {
    std::vector<std::vector<Opening>> rounds;
    /// Where those rows are. For pruning only: a verifier draws its own positions.
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

/// The wire form of one round: the rows at the distinct positions, rising, and the siblings that they do not imply.
/// Which rows and how many siblings follows from the positions, so there is one encoding.
struct PrunedWhirRound {
    std::vector<KoalaBear> rows;
    MultiOpening<PoseidonHasher> paths;
};
using PrunedWhirOpenings = std::vector<PrunedWhirRound>;

/// Precondition: openings of prove_whir.
PrunedWhirOpenings prune_openings(const WhirOpenings& openings);

/// An oracle and where it is queried, as the transcript fixes them.
struct WhirQueries {
    Digest root;
    std::vector<std::size_t> positions;  ///< in query order, repetitions and all
};

/// Reads the messages of verify_whir without checking anything but the work: by value, so that the caller's channel
/// stays at their beginning. Error: bad_grinding. Precondition: validate(parameters) is ok.
Result<std::vector<WhirQueries>> replay_queries(NativeVerifierChannel channel, const Digest& root,
                                                const WhirParameters& parameters);

/// The openings that verify_whir wants from their wire form. `channel`: a copy of the one that verify_whir will be
/// given. Errors: bad_length (any count is not the one that the positions fix), merkle_mismatch, bad_grinding, bad
/// parameters.
Result<WhirOpenings> expand_openings(NativeVerifierChannel channel, const Digest& root, std::size_t used_lanes,
                                     const PrunedWhirOpenings& pruned, const WhirParameters& parameters);

}  // namespace quarry
