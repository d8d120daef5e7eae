#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "quarry/node/expected.hpp"
#include "quarry/node/l1/hub_types.hpp"

/// Contracts as the compiler leaves them: out/settlement/Hub.sol/Hub.json.
namespace quarry::node::l1 {

/// Creation code of a contract without constructor arguments. bad_input: no such file, no artifact, code that is still
/// to be linked.
Outcome<Bytes> read_artifact(const std::string& path);
Outcome<Bytes> parse_artifact(std::string_view json);

/// The member "code" of a JSON file: creation codes of contracts, in order. bad_input.
Outcome<std::vector<Bytes>> read_code_list(const std::string& path);

/// Signatures as hub_abi.hpp writes them, of the interface in an artifact: functions, events (with `indexed`), errors.
struct Interface {
    std::vector<std::string> functions;
    std::vector<std::string> results;  ///< of each function
    std::vector<std::string> events;
    std::vector<std::string> errors;
};
Outcome<Interface> read_interface(const std::string& path);

}  // namespace quarry::node::l1
