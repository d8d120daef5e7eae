#pragma once
#include <optional>
#include <string>

#include "quarry/apps/commands.hpp"
#include "quarry/node/terminal_proof.hpp"

/// Terminal proofs as files: what commands that read them have in common.
namespace quarry::apps {

/// No value: the file is of another kind. Throws Failure(exit_bad_input): unreadable, damaged.
std::optional<node::TerminalProofFile> read_terminal_file(const std::string& path);
/// Verifies one and says what it shows; the other arguments as for verify_node_file. Throws Failure(exit_refused).
void verify_terminal_file(const std::string& path, const node::TerminalProofFile& file, const std::string& statement,
                          const std::string& batch, unsigned security_bits, const Session& session);
void inspect_terminal_file(const std::string& path, const node::TerminalProofFile& file, const Session& session);

}  // namespace quarry::apps
