#pragma once
#include "quarry/air/table.hpp"
#include "quarry/iop/zerocheck.hpp"
#include "quarry/recursion/builder.hpp"

namespace quarry::recursion {

/// A table's constraints and interactions at values on wires: every form that several products share becomes one wire.
TableValues<ExtensionExpr> evaluate_on_wires(CircuitBuilder& builder, const Table& table,
                                             const std::vector<ExtensionExpr>& row,
                                             const std::vector<ExtensionExpr>& next);

}  // namespace quarry::recursion
