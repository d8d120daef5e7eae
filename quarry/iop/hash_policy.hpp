#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quarry/hash/merkle.hpp"
#include "quarry/iop/keccak_transcript.hpp"
#include "quarry/iop/transcript.hpp"

/// The hash of a proof is a policy P of its transcript, its Merkle trees and the bytes of its messages; the protocol is
/// the same. P has
///
///   Transcript, Hasher, Digest    of one hash function
///   Symbol, Stream                what the prover says, in order: its length follows from the parameters
///   kUnits                        symbols of one element, one digest, one nonce
///   put, get_*                    their form in the stream
///   kHasCaps, log_cap             Merkle paths end at a cap: all nodes of one level, counted from the root, which
///                                 depends on the number of queries
///   kLogKeyCap                    that level in trees whose cap the verifier knows beforehand
namespace quarry {

/// The symbols that one message takes.
struct StreamUnits {
    std::size_t element, digest, nonce;
};

/// What recursion verifies: a stream of elements.
struct PoseidonPolicy {
    using Transcript = quarry::Transcript;
    using Hasher = PoseidonHasher;
    using Digest = quarry::Digest;
    using Symbol = KoalaBear;
    using Stream = std::vector<KoalaBear>;
    using Nonce = KoalaBear;
    static constexpr StreamUnits kUnits{1, kDigestSize, 1};
    static constexpr bool kHasCaps = false;
    static constexpr unsigned kLogKeyCap = 0;
    static constexpr unsigned log_cap(std::size_t /*num_queries*/) { return 0; }

    static void put(Stream& stream, KoalaBear x) { stream.push_back(x); }
    static void put(Stream& stream, const Digest& x) { stream.insert(stream.end(), x.begin(), x.end()); }
    // Precondition of all get_*: as many symbols as kUnits says. get_element: nullopt if not canonical.
    static std::optional<KoalaBear> get_element(std::span<const Symbol> in) { return in[0]; }
    static Digest get_digest(std::span<const Symbol> in);
    static Nonce get_nonce(std::span<const Symbol> in) { return in[0]; }
    static bool is_zero(Nonce nonce) { return nonce.is_zero(); }
    /// A message that is no element, as the elements that a test may change, and back.
    static std::vector<KoalaBear> shown(const Digest& x) { return {x.begin(), x.end()}; }
    static std::vector<KoalaBear> shown(KoalaBear nonce) { return {nonce}; }
    static void put_shown(Stream& stream, std::span<const KoalaBear> xs) {
        stream.insert(stream.end(), xs.begin(), xs.end());
    }
};

/// What a contract verifies: a stream of bytes, as they lie in calldata. An element is four bytes, canonical,
/// big-endian; a digest 32; a nonce eight, big-endian. docs/spec/terminal-proof.md.
struct KeccakPolicy {
    using Transcript = KeccakTranscript;
    using Hasher = KeccakHasher;
    using Digest = Bytes32;
    using Symbol = std::uint8_t;
    using Stream = std::vector<std::uint8_t>;
    using Nonce = std::uint64_t;
    static constexpr StreamUnits kUnits{4, 32, 8};
    static constexpr bool kHasCaps = true;
    static constexpr unsigned kLogKeyCap = 9;
    /// About as many nodes as queries: a level more costs a contract half as many digests again and saves it one for
    /// each query. Precondition: num_queries >= 1.
    static constexpr unsigned log_cap(std::size_t num_queries) {
        return static_cast<unsigned>(std::bit_width(num_queries - 1));
    }

    static void put(Stream& stream, KoalaBear x);
    static void put(Stream& stream, const Digest& x) { stream.insert(stream.end(), x.begin(), x.end()); }
    static std::optional<KoalaBear> get_element(std::span<const Symbol> in);
    static Digest get_digest(std::span<const Symbol> in);
    static Nonce get_nonce(std::span<const Symbol> in);
    static bool is_zero(Nonce nonce) { return nonce == 0; }
    /// An element a byte.
    static std::vector<KoalaBear> shown(const Digest& x);
    static std::vector<KoalaBear> shown(Nonce nonce);
    static void put_shown(Stream& stream, std::span<const KoalaBear> xs);
};

}  // namespace quarry
