#pragma once
#include <string>
#include <string_view>

#include "quarry/node/flat_json.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/statement.hpp"

/// What proofs of segments and of data say, as files: one flat object. Specification: docs/spec/json-lines.md.
namespace quarry::node {

inline constexpr std::size_t kMaxStatementBytes = 16384;

/// One field a line.
std::string to_json(const rollup::SegmentStatement& statement);
/// Total. White space does not matter, nor does the order of the fields.
Parsed<rollup::SegmentStatement> parse_segment_statement(std::string_view text);

/// The same of a proof of data.
std::string to_json(const rollup::DataStatement& statement);
Parsed<rollup::DataStatement> parse_data_statement(std::string_view text);

/// Fields that statements of several kinds have, named from `prefix` on: written and read side by side.
void write_accumulator(ObjectWriter& w, const std::string& prefix, const rollup::Accumulator& a);
rollup::Accumulator read_accumulator(ObjectReader& r, const std::string& prefix);
void write_state(ObjectWriter& w, const std::string& prefix, const rollup::State& s);
rollup::State read_state(ObjectReader& r, const std::string& prefix);
void write_point(ObjectWriter& w, const std::string& prefix, const rollup::BatchPoint& p);
rollup::BatchPoint read_point(ObjectReader& r, const std::string& prefix);

}  // namespace quarry::node
