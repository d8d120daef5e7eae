#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/node/prover/l1_view.hpp"

/// What a proof of some batches earns and costs, and which batches are worth one. Pure functions of what L1 shows, of
/// the clock and of the configuration.
namespace quarry::node::prover {

/// What the hub and its verifying contracts use, beside calldata.
struct GasModel {
    std::array<std::uint64_t, 3> verification_gas{4'200'000, 4'400'000, 5'200'000};  ///< room for 1, 4, 16 batches
    std::uint64_t item_gas = 160'000;                                                ///< settling one batch
    std::uint64_t blob_gas = 60'000;                                                 ///< the opening of one blob
    std::uint64_t effect_gas = 3'000;                                                ///< of one effect
    std::uint64_t effect_word_gas = 250;                ///< of one word of effects, or of calldata that is opened
    std::size_t proof_bytes = 74'500;                   ///< of a terminal proof, at most
    std::uint64_t gas_cap = 16'777'216;                 ///< of a transaction [EIP7825]
    std::size_t max_transaction_bytes = 131'072 - 512;  ///< of calldata: the rest is the envelope's
};

/// A batch that could be proven, and what decides whether it will be.
struct Candidate {
    std::uint32_t rollup = 0;
    std::uint64_t number = 0;
    std::uint32_t key = 0;
    std::size_t words = 0;
    std::size_t effects = 0;
    std::size_t effect_words = 0;
    std::size_t openings = 1;  ///< of its data
    bool blobs = true;
    Wei earns = 0;  ///< bounty and rebate
    rollup::Timestamp deadline = 0;
};
/// `effect_words`: of the executed batch.
Candidate make_candidate(const BatchOnL1& batch, std::size_t effect_words, const L1Head& head);

/// The bounty of a proof that is in a block of time `at`, without rebate: settlement.md, section 3.2.
Wei bounty_at(const BatchOnL1& batch, rollup::Timestamp at) noexcept;
/// What is repaid for gas at this base fee.
Wei rebate_at(const BatchOnL1& batch, Wei base_fee) noexcept;

/// Bytes of calldata of submitAggregate with these batches; without one: what every such call has.
std::size_t calldata_bytes(std::span<const Candidate> batches, const GasModel& model) noexcept;
/// Gas of the whole transaction, its calldata and the floor on it included. [EIP7623]
std::uint64_t transaction_gas(std::span<const Candidate> batches, const GasModel& model) noexcept;
/// What proving costs, in units of task_weight: words of a segment. Nodes and the terminal proof included.
std::uint64_t proving_units(std::span<const Candidate> batches) noexcept;

struct PriceContext {
    GasModel gas;
    Wei gas_price = 0;        ///< base fee and tip
    Wei wei_per_unit = 0;     ///< own cost: machine and power
    int margin_percent = 10;  ///< by how much earnings must exceed costs; -100: whatever it costs
};

/// Earnings and costs of one proof.
struct Price {
    Wei earns = 0;
    Wei gas_cost = 0;
    Wei own_cost = 0;
    std::uint64_t gas = 0;
    std::size_t bytes = 0;
    [[nodiscard]] bool is_worth_it(int margin_percent) const noexcept;
};
Price price_of(std::span<const Candidate> batches, const PriceContext& context) noexcept;

/// Which of the candidates one proof should be of, at most `max_batches`: batches of one key, of each rollup the first
/// ones, as long as they earn more than they add to the costs, within a transaction's bytes and gas; those
/// that are late first. Empty: no choice is worth its costs.
struct Choice {
    std::vector<Candidate> batches;  ///< in the order of the bundle
    Price price;
};
/// `candidates`: of each rollup its open batches by rising number. Those that are missing between them have a proof, or
/// get one from another job.
Choice choose_batches(std::span<const Candidate> candidates, const PriceContext& context, std::size_t max_batches);

/// Decimal digits; of amounts in logs, metrics and files.
std::string to_decimal(Wei amount);
/// Digits only; no value: anything else, or 2^127 and more.
std::optional<Wei> parse_wei(std::string_view text);

}  // namespace quarry::node::prover
