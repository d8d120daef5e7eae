#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/node/batch_work.hpp"
#include "quarry/node/data_proof.hpp"

/// Tasks of the kinds data, join, bundle and terminal: docs/spec/work-tree.md, section 1.
namespace quarry::node {

Outcome<std::vector<std::uint8_t>> run_data(const TaskRun& run);
bool check_data(const Task& task, std::span<const std::uint8_t> output);
/// Joins and bundles.
Outcome<std::vector<std::uint8_t>> run_node(const TaskRun& run);
bool check_node(const Task& task, std::span<const std::uint8_t> output);

/// The terminal proof of a bundle's. Makes the profile's keys first: seconds, and gigabytes until the process ends.
Outcome<std::vector<std::uint8_t>> run_terminal(const TaskRun& run);
/// That the output says the statement under the keys. Whether its proof shows it takes the terminal's keys to tell, so
/// who makes it verifies it before it hands it over, and whoever pays for it, the contract, does again.
bool check_terminal(const Task& task, std::span<const std::uint8_t> output);

/// What a data task calls the statement that it is to prove: the Keccak-256 of its text.
std::string statement_name(const rollup::DataStatement& statement);

}  // namespace quarry::node
