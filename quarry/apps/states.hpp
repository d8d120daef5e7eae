#pragma once
#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "quarry/apps/failure.hpp"
#include "quarry/node/durable_store.hpp"
#include "quarry/node/expected.hpp"
#include "quarry/rollup/memory_store.hpp"

/// What the commands on state directories have in common.
namespace quarry::apps {

Failure to_failure(const node::StorageError& error);
Failure to_failure(const node::Problem& problem);

/// The value, or throws the Failure.
template <class T, class E>
T value_of(Expected<T, E> expected) {
    if (!expected) throw to_failure(expected.error());
    return std::move(expected).value();
}

std::unique_ptr<node::DurableStore> open_state(const std::string& directory, bool read_only);

/// "BATCHES/batch-000012" names batch 12 in the folder BATCHES.
struct BatchName {
    std::string folder;
    std::uint64_t number = 0;
};
/// Throws Failure(exit_bad_input).
BatchName parse_batch_name(const std::string& path);

/// The state before the batch, from the state directory. Throws Failure(exit_bad_input): of another rollup, or it
/// cannot go back there.
rollup::MemoryStore state_before(const std::string& directory, const BatchName& name,
                                 const rollup::RollupParameters& parameters);

/// Whom a proof pays when nobody is named: nobody can collect for it, which is enough for a demonstration.
inline constexpr const char* kDevelopmentPayee = "0x000000000000000000000000000000000000dead";
/// --payee ADDRESS and --miner-tag N.
void add_prover_options(CLI::App& command, std::string& payee, std::uint64_t& miner_tag);

/// What genesis leaves in the state directory, so that other commands can sign for its accounts.
void write_development_seed(const std::string& directory, std::uint64_t seed);
/// Throws Failure(exit_bad_input): the state has no such file.
std::uint64_t read_development_seed(const std::string& directory);

/// --name AMOUNT: a decimal integer below 2^96.
CLI::Option* add_amount(CLI::App& command, const std::string& name, std::string& value, const std::string& description);
/// Precondition: add_amount has accepted it.
rollup::Amount amount_of(const std::string& text);

}  // namespace quarry::apps
