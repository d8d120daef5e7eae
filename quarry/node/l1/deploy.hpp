#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quarry/ethereum/transaction_manager.hpp"
#include "quarry/node/l1/deployment.hpp"

/// Puts the contracts on a chain and registers a rollup. Every transaction is an intent of the transaction manager,
/// named by what it makes: what was done before an interruption is found in the journal and not done again.
namespace quarry::node::l1 {

/// A verifying contract, and the contracts with its data, whose addresses its constructor takes.
struct VerifierCode {
    Bytes creation;            ///< without constructor arguments
    std::vector<Bytes> parts;  ///< creation code of the data's contracts, in order; empty: there are no arguments
};

struct DeployPlan {
    std::array<VerifierCode, 3> verifiers;  ///< for 1, 4 and 16 batches; unused with `hub`
    std::uint16_t version = 1;              ///< of headers that they verify
    Bytes proofs;                           ///< creation code
    Bytes hub_creation;
    std::uint32_t upgrade_delay = 0;  ///< seconds
    std::optional<Address> hub;       ///< registers another rollup at a hub that is there
    std::uint64_t first_block = 0;    ///< with `hub`: not after that of its creation

    Address owner;  ///< of the rollup; tokens are added only if it is the sender
    std::vector<Address> sequencers;
    rollup::Amount min_new_pair_fee;
    Parameters parameters;
    std::vector<Address> tokens;
    std::string label;           ///< part of every intent's name: another label deploys anew
    unsigned confirmations = 1;  ///< blocks to wait for each transaction
};

/// One transaction of the plan, as a dry run shows it.
struct PlannedTransaction {
    std::string name;
    std::size_t bytes = 0;
    std::uint64_t gas = 0;  ///< the node's estimate; 0: it depends on what is not there yet
    U256 cost;              ///< at the fees of now
};

/// What would be sent, in order, without sending anything.
Outcome<std::vector<PlannedTransaction>> plan_deployment(const DeployPlan& plan, ethereum::Chain& chain,
                                                         const Address& sender);

struct DeployProgress {
    std::function<void(const std::string& name)> started;  ///< may be empty
    std::function<bool()> stops;                           ///< may be empty; true: end at the next pause (interrupted)
};
/// refused: a transaction reverts (its cause); environment: fees, funds, the endpoint, deployment_lost (the journal
/// knows contracts that are not on this chain), interrupted.
Outcome<Deployment> deploy(const DeployPlan& plan, ethereum::Chain& chain, ethereum::TransactionManager& sender,
                           ethereum::Clock& clock, const DeployProgress& progress = {});

/// A stable word for why an intent that is over did not go through: the revert's name, the error's code, or the stage.
std::string failure_cause(const ethereum::IntentStatus& status);

/// The receipt of a confirmed intent, which a manager that was started since asks the chain for. environment
/// (deployment_lost): this chain does not have it.
Outcome<ethereum::Receipt> receipt_of(ethereum::Chain& chain, const ethereum::IntentStatus& status,
                                      const std::string& id);

/// Steps the manager until the intent is over, with so many confirmations: its receipt. The manager may look after it
/// for longer. refused: it reverted, or would; environment: stops.
Outcome<ethereum::Receipt> wait_for(ethereum::Chain& chain, ethereum::TransactionManager& sender, const std::string& id,
                                    unsigned confirmations, ethereum::Clock& clock, const std::function<bool()>& stops);

}  // namespace quarry::node::l1
