#pragma once
#include <cstddef>

#include "quarry/ethereum/abi.hpp"

namespace quarry::ethereum {

/// Words that a value takes where it is listed: 1 (an offset) if it is dynamic.
std::size_t abi_head_words(const AbiType& type);

}  // namespace quarry::ethereum
