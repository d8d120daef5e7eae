#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/rollup/bundle.hpp"
#include "quarry/rollup/data_statement.hpp"

/// What proofs of data and proofs of proofs say, as text: docs/spec/json-lines.md, section 6.
namespace quarry::node {

inline constexpr std::size_t kMaxNodeStatementBytes = std::size_t{1} << 17;

/// A bundle with everything that its root commits to: what L1 will be shown of each batch.
struct BundleContent {
    unsigned depth = 0;
    std::vector<rollup::TerminalItem> items;
    /// Precondition: 1 to 2^depth items, depth at most kMaxBundleDepth.
    [[nodiscard]] rollup::BundleStatement statement() const;
    friend bool operator==(const BundleContent&, const BundleContent&) = default;
};

/// A part of a batch, or whole batches.
using NodeStatement = std::variant<rollup::JoinStatement, BundleContent>;

rollup::StatementKind kind_of(const NodeStatement& statement) noexcept;
/// "join", "batch" (a bundle of one that is no wider) or "bundle".
const char* kind_name(const NodeStatement& statement) noexcept;
Digest digest_of(const NodeStatement& statement);

/// A join: one object, a field a line. A bundle: a line that says so, then each batch on a line of its own.
std::string to_text(const NodeStatement& statement);
/// Total. bad_input: no such text, a bundle that would be written otherwise, or one whose batches have other headers or
/// bindings than they say.
Outcome<NodeStatement> parse_node_statement(std::string_view text);

/// What a batch of these parts says to L1, without its work. Precondition: all data is bound, and effects if there are
/// some.
rollup::TerminalItem make_item(const Digest& domain, const rollup::L1Address& payee, const rollup::State& before,
                               const rollup::Header& header, std::vector<rollup::L1Binding> data,
                               std::optional<rollup::L1Binding> effects);

}  // namespace quarry::node
