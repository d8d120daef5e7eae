#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/field/extension.hpp"
#include "quarry/hash/poseidon.hpp"
#include "quarry/iop/transcript.hpp"

namespace quarry {

/// What a prover says, in order: every element of it is absorbed into the transcript. Its length is a function of the
/// parameters and the table heights alone. Merkle openings travel beside it (they are bound by the roots in it).
using ProofStream = std::vector<KoalaBear>;

/// P -> V messages and V -> P challenges, seen from the prover.
class ProverChannel {
  public:
    /// Test hook: called with the label and the message just before it is absorbed; may change it (a lying prover).
    using Tamper = std::function<void(const char* label, std::span<KoalaBear> message)>;
    explicit ProverChannel(Transcript transcript, Tamper tamper = nullptr)
        : transcript_(transcript), tamper_(std::move(tamper)) {}

    void send(const char* label, std::span<const KoalaBear> xs);
    void send(const char* label, KoalaBear x) { send(label, std::span(&x, 1)); }
    void send(const char* label, const ExtField& x) { send(label, x.coefficients()); }
    void send(const char* label, std::span<const ExtField> xs) {
        for (const ExtField& x : xs) send(label, x);
    }
    ExtField challenge() { return transcript_.squeeze_ext(); }
    std::size_t challenge_index(unsigned bits) { return transcript_.squeeze_index(bits); }
    void grind(const char* label, unsigned bits);

    [[nodiscard]] ProofStream take() && { return std::move(stream_); }

  private:
    Transcript transcript_;
    Tamper tamper_;
    ProofStream stream_;
};

/// The arithmetic of the native verifier, and the model of what a backend provides. A circuit backend has wires for F
/// and E, emits a row for each operation, and its `require_*` emit constraints and always succeed.
struct NativeBackend {
    using F = KoalaBear;
    using E = ExtField;

    [[nodiscard]] static F constant(KoalaBear x) { return x; }
    [[nodiscard]] static E constant(const ExtField& x) { return x; }
    [[nodiscard]] static E lift(F x) { return {x}; }
    [[nodiscard]] static E inverse(const E& x) { return x.inverse(); }
    [[nodiscard]] static Status require_equal(const E& a, const E& b, Errc code, const char* where) {
        if (a == b) return Ok{};
        return Error{code, where};
    }
    [[nodiscard]] static Status require_nonzero(const E& a, Errc code, const char* where) {
        if (!a.is_zero()) return Ok{};
        return Error{code, where};
    }
};

/// An index below 2^bits.size() as its bits, least significant first, each 0 or 1: what both backends compute with.
template <class B>
struct QueryIndex {
    std::vector<typename B::F> bits;
    std::size_t value = 0;  ///< known natively; for a circuit, the witness
};

/// The same messages and challenges, seen from the verifier. The reader of an element stream that was checked to have
/// exactly the right length before.
class NativeVerifierChannel {
  public:
    using F = KoalaBear;
    using E = ExtField;
    NativeVerifierChannel(Transcript transcript, std::span<const KoalaBear> stream)
        : transcript_(transcript), stream_(stream) {}

    /// Reading past the end gives zeros and makes finish() fail.
    F receive();
    E receive_ext();
    Digest receive_digest();
    E challenge() { return transcript_.squeeze_ext(); }
    QueryIndex<NativeBackend> challenge_index(unsigned bits);
    [[nodiscard]] Status check_grinding(unsigned bits, const char* where);
    /// Ok iff every element was read, and no more.
    [[nodiscard]] Status finish() const;

  private:
    Transcript transcript_;
    std::span<const KoalaBear> stream_;
    std::size_t at_ = 0;
};

}  // namespace quarry
