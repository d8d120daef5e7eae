#pragma once

namespace quarry {

/// Every cause for which Quarry refuses something, one enumerator per cause: X(name, sentence a user can act on).
#define QUARRY_ERROR_CODES(X)                                                            \
    /* encoding */                                                                       \
    X(truncated, "the input ends too early")                                             \
    X(trailing_bytes, "the input has bytes after its end")                               \
    X(non_canonical, "a field element is not below the modulus")                         \
    X(bad_length, "a length is not the one that the parameters fix")                     \
    X(bad_magic, "the file is not of this kind")                                         \
    X(unsupported_version, "the file was written by another version of the format")      \
    X(limit_exceeded, "a size is above the documented limit")                            \
    /* proof */                                                                          \
    X(wrong_key, "the proof was made under another verifying key or parameter set")      \
    X(bad_shape, "the table heights are outside of what this verifier accepts")          \
    X(sumcheck_mismatch, "a sumcheck round does not add up")                             \
    X(skip_sum_mismatch, "the univariate-skip message does not add up to the bus claim") \
    X(gkr_mismatch, "a LogUp-GKR layer does not add up")                                 \
    X(bus_imbalance, "the buses do not balance")                                         \
    X(zero_denominator, "the product of the bus denominators is zero")                   \
    X(constraint_mismatch, "the column openings do not satisfy the constraints")         \
    X(bad_grinding, "a proof-of-work nonce does not have enough zero bits")              \
    X(merkle_mismatch, "a Merkle path does not lead to the committed root")              \
    X(final_mismatch, "the final polynomial does not match the claims")                  \
    X(query_mismatch, "a folded query answer does not match the final polynomial")       \
    X(statement_mismatch, "the proof is for another statement")                          \
    /* signature */                                                                      \
    X(off_curve, "the public key is not a point of the curve")                           \
    X(scalar_out_of_range, "a scalar is not below the group order, or is zero")          \
    X(degenerate_schedule, "the verification schedule meets an exceptional addition")    \
    X(bad_signature, "the signature does not match key and message")

enum class Errc {
#define QUARRY_X(name, text) name,
    QUARRY_ERROR_CODES(QUARRY_X)
#undef QUARRY_X
};

/// The enumerator's name, stable: scripts may match on it.
constexpr const char* errc_name(Errc code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case Errc::name:         \
        return #name;
        QUARRY_ERROR_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

/// One sentence for people.
constexpr const char* errc_text(Errc code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case Errc::name:         \
        return text;
        QUARRY_ERROR_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown error";
}

}  // namespace quarry
