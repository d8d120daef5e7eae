#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/node/batch_work.hpp"
#include "quarry/node/data_proof.hpp"

/// Tasks of the kinds data, join and bundle: docs/spec/work-tree.md, section 1.
namespace quarry::node {

Outcome<std::vector<std::uint8_t>> run_data(const TaskRun& run);
bool check_data(const Task& task, std::span<const std::uint8_t> output);
/// Joins and bundles.
Outcome<std::vector<std::uint8_t>> run_node(const TaskRun& run);
bool check_node(const Task& task, std::span<const std::uint8_t> output);

/// What a data task calls the statement that it is to prove: the Keccak-256 of its text.
std::string statement_name(const rollup::DataStatement& statement);

}  // namespace quarry::node
