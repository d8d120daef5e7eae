#pragma once
#include <boost/json.hpp>
#include <optional>
#include <string>

#include "quarry/apps/commands.hpp"
#include "quarry/node/node_proof.hpp"

/// Proofs of nodes as files: what commands that read them have in common.
namespace quarry::apps {

/// No value: the file is of another kind. Throws Failure(exit_bad_input): unreadable, damaged.
std::optional<node::NodeProofFile> read_node_file(const std::string& path);
/// The catalog of the pinned keys. Throws Failure(exit_environment).
const recursion::Catalog& pinned_catalog();

/// Verifies a node's proof and says what it shows. `statement`: the file of what it must say; empty: whatever it says.
/// `batch`: one that must be among those that it says; empty: none. Throws Failure(exit_refused).
void verify_node_file(const std::string& path, const node::NodeProofFile& file, const std::string& statement,
                      const std::string& batch, unsigned security_bits, const Session& session);

/// Throws Failure(exit_refused) unless this is what the file `statement` says, and says something of `batch`; empty: no
/// matter.
void check_node_statement(const node::NodeStatement& said, const std::string& statement, const std::string& batch);
/// What it says, for people and for scripts.
std::string summary(const node::NodeStatement& statement);
boost::json::object summary_json(const node::NodeStatement& statement);

}  // namespace quarry::apps
