#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_types.hpp"

/// What was deployed, as the file that every other command reads.
namespace quarry::node::l1 {

struct Deployment {
    std::uint64_t chain_id = 0;
    Address hub;
    Address bridge;
    std::uint64_t first_block = 0;  ///< not after that of the hub's creation: where following starts
    Address proofs;
    VerifierSet verifiers;
    std::uint32_t rollup = 0;
    Address owner;
    std::vector<Address> sequencers;
    std::vector<Address> tokens;  ///< ids 1, 2, ..
    rollup::Amount min_new_pair_fee;
    friend bool operator==(const Deployment&, const Deployment&) = default;

    /// What signers and provers need of it.
    [[nodiscard]] rollup::RollupParameters rollup_parameters() const;
};

/// One JSON object, a field a line.
std::string format_deployment(const Deployment& deployment);
/// bad_deployment. Total.
Outcome<Deployment> parse_deployment(std::string_view text);
Outcome<Deployment> read_deployment(const std::string& path);

/// Windows and money of docs/spec/settlement.md, section 6.
Parameters production_parameters();
/// The same divided, so that a demonstration shows expiry and replacement in a minute.
Parameters development_parameters();
/// Seconds before changed parameters apply. On a real network at least seven days more than the longest time in which
/// everybody can leave a rollup.
inline constexpr std::uint32_t kProductionUpgradeDelay = 14 * 24 * 3600;
inline constexpr std::uint32_t kDevelopmentUpgradeDelay = 60;

}  // namespace quarry::node::l1
