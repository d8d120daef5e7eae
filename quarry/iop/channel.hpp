#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/field/extension.hpp"
#include "quarry/iop/hash_policy.hpp"

namespace quarry {

/// What a prover says, in order: every symbol of it is absorbed into the transcript. Its length is a function of the
/// parameters and the table heights alone. Merkle openings travel beside it (they are bound by the roots in it).
using ProofStream = PoseidonPolicy::Stream;

/// P -> V messages and V -> P challenges, seen from the prover: as much as does not depend on the hash.
class ProverChannel {
  public:
    /// Test hook: called with the label and the message just before it is absorbed; may change it (a lying prover). A
    /// digest or a nonce that is bytes is shown as one element a byte.
    using Tamper = std::function<void(const char* label, std::span<KoalaBear> message)>;

    ProverChannel(const ProverChannel&) = delete;
    ProverChannel& operator=(const ProverChannel&) = delete;
    virtual ~ProverChannel() = default;

    virtual void send(const char* label, std::span<const KoalaBear> xs) = 0;
    void send(const char* label, KoalaBear x) { send(label, std::span(&x, 1)); }
    void send(const char* label, const ExtField& x) { send(label, x.coefficients()); }
    void send(const char* label, std::span<const ExtField> xs) {
        for (const ExtField& x : xs) send(label, x);
    }
    virtual ExtField challenge() = 0;

  protected:
    ProverChannel() = default;
};

/// The whole channel over a hash policy.
template <class P>
class BasicProverChannel final : public ProverChannel {
  public:
    explicit BasicProverChannel(typename P::Transcript transcript, Tamper tamper = nullptr)
        : transcript_(std::move(transcript)), tamper_(std::move(tamper)) {}

    using ProverChannel::send;
    void send(const char* label, std::span<const KoalaBear> xs) override;
    void send_digest(const char* label, const typename P::Digest& digest);
    ExtField challenge() override { return transcript_.squeeze_ext(); }
    /// `count` positions below 2^bits.
    std::vector<std::size_t> challenge_indices(std::size_t count, unsigned bits) {
        return transcript_.squeeze_indices(count, bits);
    }
    void grind(const char* label, unsigned bits);

    [[nodiscard]] typename P::Stream take() && { return std::move(stream_); }

  private:
    typename P::Transcript transcript_;
    Tamper tamper_;
    typename P::Stream stream_;
};
using PoseidonProverChannel = BasicProverChannel<PoseidonPolicy>;
using KeccakProverChannel = BasicProverChannel<KeccakPolicy>;
extern template class BasicProverChannel<PoseidonPolicy>;
extern template class BasicProverChannel<KeccakPolicy>;

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

/// The same messages and challenges, seen from the verifier. The reader of a stream that was checked to have exactly
/// the right length before.
template <class P>
class BasicVerifierChannel {
  public:
    using F = KoalaBear;
    using E = ExtField;
    using Digest = typename P::Digest;
    BasicVerifierChannel(typename P::Transcript transcript, std::span<const typename P::Symbol> stream)
        : transcript_(std::move(transcript)), stream_(stream) {}

    /// Reading past the end gives zeros and makes finish() fail, a value that is not canonical gives zero and makes
    /// well_formed() fail.
    F receive();
    E receive_ext();
    Digest receive_digest();
    E challenge() { return transcript_.squeeze_ext(); }
    std::vector<QueryIndex<NativeBackend>> challenge_indices(std::size_t count, unsigned bits);
    [[nodiscard]] Status check_grinding(unsigned bits, const char* where);
    /// non_canonical: an element that was read is not below p. A verdict of a stream that is not well-formed is void.
    [[nodiscard]] Status well_formed() const;
    /// Ok iff every symbol was read, and no more, and the stream is well-formed.
    [[nodiscard]] Status finish() const;

  private:
    /// The next `count` symbols, zeros past the end. Good until the next call.
    std::span<const typename P::Symbol> next(std::size_t count);

    typename P::Transcript transcript_;
    std::span<const typename P::Symbol> stream_;
    std::size_t at_ = 0;
    bool canonical_ = true;
};
using NativeVerifierChannel = BasicVerifierChannel<PoseidonPolicy>;
using KeccakVerifierChannel = BasicVerifierChannel<KeccakPolicy>;
extern template class BasicVerifierChannel<PoseidonPolicy>;
extern template class BasicVerifierChannel<KeccakPolicy>;

/// What a channel receives as a Merkle root: a digest, or wires.
template <class Channel>
using ChannelDigest = decltype(std::declval<Channel&>().receive_digest());

}  // namespace quarry
