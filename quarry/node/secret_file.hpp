#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quarry/node/expected.hpp"

namespace quarry::node {

/// The whole of a file that only its owner may read, or of what is no regular file (a pipe). open_to_others,
/// cannot_read, also above `limit_bytes`. The caller wipes it.
Outcome<std::vector<std::uint8_t>> read_secret_file(const std::string& path, std::size_t limit_bytes);

}  // namespace quarry::node
