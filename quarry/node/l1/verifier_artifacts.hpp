#pragma once
#include <array>
#include <string>

#include "quarry/node/expected.hpp"
#include "quarry/node/l1/deploy.hpp"

namespace quarry::node::l1 {

/// The compiled verifying contracts for 1, 4 and 16 batches: TerminalVerifierN.sol/TerminalVerifierN.json in `folder`,
/// and the creation codes of the contracts with their data, in the order in which constructors take them, in
/// TerminalDataN.json of `data_folder`, as `quarry codegen` writes it (empty: contracts without any). bad_input: one is
/// missing.
Outcome<std::array<VerifierCode, 3>> read_verifier_artifacts(const std::string& folder, const std::string& data_folder);

}  // namespace quarry::node::l1
