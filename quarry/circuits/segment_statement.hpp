#pragma once
#include <vector>

#include "quarry/iop/logup.hpp"
#include "quarry/rollup/statement.hpp"

namespace quarry::circuits {

/// What a segment's statement puts on the buses (+) and takes off them (-): its two points, the chains that end in its
/// digests, its work and payee. With these the buses of the segment circuit balance, and only with these: every element
/// of the statement but its kind and version is in one of the tuples.
std::vector<PublicTuple> segment_tuples(const rollup::SegmentStatement& statement);

}  // namespace quarry::circuits
