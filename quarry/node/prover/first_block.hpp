#pragma once
#include <cstdint>
#include <functional>

#include "quarry/ethereum/chain.hpp"
#include "quarry/node/expected.hpp"

namespace quarry::node::prover {

/// The first of the blocks 0..head in which `exists` holds; it holds in every later one, and in `head`. An error is
/// `exists`'s. Cost: log2(head) calls.
ethereum::Answer<std::uint64_t> first_block_where(std::uint64_t head,
                                                  const std::function<ethereum::Answer<bool>(std::uint64_t)>& exists);

/// The block in which a contract was made, remembered in the file `path`. 0, from which following is slow and as good:
/// the node does not have the states of old blocks. bad_input (no_hub): there is no contract; environment: no endpoint
/// answers at one of the questions, the file.
Outcome<std::uint64_t> find_creation(ethereum::Chain& chain, const ethereum::Address& contract,
                                     const std::string& path);

}  // namespace quarry::node::prover
