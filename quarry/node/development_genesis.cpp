#include "quarry/base/parallel.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/node/workload.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node {
namespace {

constexpr std::uint64_t kChainId = 31337;  // what local Ethereum nodes use

}  // namespace

DevelopmentGenesis make_development_genesis(const DevelopmentKeys& keys, std::size_t num_accounts,
                                            rollup::TokenId token, rollup::Amount balance,
                                            rollup::Amount min_new_pair_fee) {
    constexpr std::size_t kPiece = 4096;
    DevelopmentGenesis genesis;
    genesis.parameters.l1_chain_id = kChainId;
    genesis.parameters.hub = keys.hub_address();
    genesis.parameters.rollup_id = 1;
    genesis.parameters.min_new_pair_fee = min_new_pair_fee;
    genesis.keys.resize(num_accounts);
    genesis.leaves.resize(num_accounts);
    parallel_for(num_accounts, kPiece, [&](std::size_t begin, std::size_t end) {
        const auto points = keys.public_keys(begin, end - begin);
        for (std::size_t i = begin; i < end; ++i) genesis.keys[i] = to_account_key(points[i - begin]);
        const std::span piece = std::span(genesis.keys).subspan(begin, end - begin);
        const auto hashes = rollup::key_hashes(piece);
        const std::span leaves = std::span(genesis.leaves).subspan(begin, end - begin);
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            leaves[i].owner = {hashes[i], keys.address(begin + i)};
            leaves[i].token = token;
            leaves[i].key_published = true;
            leaves[i].balance = balance;
        }
        rollup::set_pairs(leaves);
    });
    return genesis;
}

}  // namespace quarry::node
