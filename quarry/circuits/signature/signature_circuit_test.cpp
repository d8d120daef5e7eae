#include <gtest/gtest.h>

#include "quarry/circuits/signature/testing.hpp"

namespace quarry::circuits {
namespace {}
}  // namespace quarry::circuits
