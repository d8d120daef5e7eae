#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quarry/base/buffer.hpp"
#include "quarry/circuits/signature/comb_table.hpp"
#include "quarry/circuits/signature/schedule_table.hpp"
#include "quarry/circuits/signature/signature_table.hpp"
#include "quarry/curve/schnorr.hpp"

namespace quarry::circuits {

/// A signature that verifies, with what it authorises.
struct SignatureInput {
    std::uint32_t id = 0;  ///< time of the operation: not 0, and no other input's
    AffinePoint<SignatureCurve> key;
    Signature<SignatureCurve> signature;
    Digest message{};
};

/// Every row of the three tables, spare ones included, with their lookups of each other counted.
struct SignatureWitness {
    unsigned log_height = 0;  ///< of the signature table; the schedule table's is 4 more
    std::vector<SignatureRow<KoalaBear>> signature;
    Buffer<ScheduleRow<KoalaBear>> schedule;
    std::vector<CombRow<KoalaBear>> comb;
};

/// Rows for all inputs, the signature table 2^log_height high (log_height_for(inputs.size()) is enough). Parallel.
/// Precondition: keys on the curve, and the schedule does not refuse (checked). A signature that does not verify makes
/// rows whose buses do not balance.
SignatureWitness make_signature_witness(std::span<const SignatureInput> inputs, unsigned log_height);

}  // namespace quarry::circuits
