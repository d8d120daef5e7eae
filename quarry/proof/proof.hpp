#pragma once
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "quarry/base/result.hpp"
#include "quarry/iop/channel.hpp"
#include "quarry/iop/whir.hpp"
#include "quarry/proof/circuit.hpp"
#include "quarry/proof/key.hpp"
#include "quarry/proof/protocol.hpp"
#include "quarry/proof/security.hpp"

namespace quarry {

/// The security levels that exist, in bits: 100 is what ships.
inline constexpr std::array<unsigned, 2> kSecurityLevels{100, 120};
SecurityTarget security_target(unsigned bits);

/// What is proven, beside the circuit: tuples that the world puts on its buses. The tables must balance them.
/// Precondition of a circuit without buses: none. F: elements, or wires.
template <class F>
struct BasicStatement {
    std::vector<BasicPublicTuple<F>> tuples;
};
using Statement = BasicStatement<KoalaBear>;

/// statement_mismatch: a tuple on a bus that the circuit does not have, or of another length than the bus's.
template <class F>
Status check_statement(const Circuit& circuit, const BasicStatement<F>& statement);

/// The tuples of the statement, then the circuit's constants.
template <class B>
std::vector<BasicPublicTuple<typename B::F>> public_tuples(B& backend, const Circuit& circuit,
                                                           const BasicStatement<typename B::F>& statement);
std::vector<PublicTuple> public_tuples(const Circuit& circuit, const Statement& statement);

template <class P>
struct BasicProof {
    unsigned security_bits = 100;
    Heights heights;
    typename P::Stream stream;
    BasicOpenings<P> openings;
};
using Proof = BasicProof<PoseidonPolicy>;
using KeccakProof = BasicProof<KeccakPolicy>;

/// Seconds spent in each phase of prove(), for benchmarks.
struct ProvePhases {
    double commit = 0, logup = 0, zerocheck = 0, open = 0;
};

template <class P>
struct BasicProveOptions {
    unsigned security_bits = 100;
    const BasicProvingKey<P>* key = nullptr;  ///< needed iff the circuit has preprocessed columns
    Protocol protocol{};
    ProverChannel::Tamper tamper;                       ///< tests: a lying prover
    const BasicVerifyingKey<P>* claimed_key = nullptr;  ///< tests: a prover whose transcript absorbs another key
    std::optional<typename P::Transcript> start;        ///< tests: a prover whose transcript starts otherwise
    ProvePhases* phases = nullptr;                      ///< filled when given
    std::function<double()> now;                        ///< a clock in seconds; needed with `phases`
    std::function<void(const char*)> on_phase;          ///< told the name of each phase as it starts
};
using ProveOptions = BasicProveOptions<PoseidonPolicy>;
using KeccakProveOptions = BasicProveOptions<KeccakPolicy>;

/// Proves that the trace satisfies the circuit's constraints and balances its buses. Does not check the trace: a bad
/// one makes a proof that verify() refuses. Deterministic: no randomness, independent of threads and instruction set.
/// Preconditions (checked): the key is of this circuit, of the size of the trace's stack and the level; the trace has
/// the protocol's number of lanes.
template <class P = PoseidonPolicy>
BasicProof<P> prove(const Circuit& circuit, const Trace& trace, const Statement& statement,
                    const BasicProveOptions<P>& options = {});

/// Absorbs everything that stands before the first message: protocol version, key digests, parameters, heights, the
/// number of public tuples and each with its length. `sponge` absorbs an F at a time; `constant` makes one of an
/// element.
template <class F, class Sponge, class Constant>
void absorb_start(Sponge& sponge, const KeyDigests<F>& key, const Heights& heights, const WhirParameters& parameters,
                  unsigned security_bits, const BasicStatement<F>& statement, Constant constant,
                  const Protocol& protocol = {});

/// The transcript before the first message. Over Poseidon: absorb_start; over Keccak: docs/spec/terminal-proof.md,
/// section 2. Precondition: a key iff the circuit has preprocessed columns.
template <class P = PoseidonPolicy>
typename P::Transcript start_transcript(const Circuit& circuit, const Heights& heights,
                                        const WhirParameters& parameters, unsigned security_bits,
                                        const Statement& statement, const BasicVerifyingKey<P>* key = nullptr,
                                        const Protocol& protocol = {});

/// The exact number of symbols of a proof's stream.
std::size_t proof_stream_length(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                                const Protocol& protocol = {}, const StreamUnits& units = PoseidonPolicy::kUnits);

/// The verifier's text after the transcript is started: a template over the arithmetic, see NativeBackend
/// (quarry/iop/channel.hpp). `preprocessed_root`: what the transcript has absorbed of the key (checked to be there iff
/// the circuit has preprocessed columns).
template <class B, class Channel, class Openings>
Status verify_proof(B& backend, Channel& channel, const Circuit& circuit, const Heights& heights,
                    const StackLayout& layout, const BasicStatement<typename B::F>& statement, const Openings& openings,
                    const WhirParameters& parameters,
                    const std::optional<ChannelDigest<Channel>>& preprocessed_root = {}, const Protocol& protocol = {});

/// Ok iff the proof shows `statement` for `circuit` at `required_bits` of provable security or more, in this protocol.
/// `key`: of a circuit with preprocessed columns.
/// Errors, in this order: wrong_key (the level), bad_shape, limit_exceeded, wrong_key (the key's size or level),
/// bad_length, then non_canonical (a stream of bytes, an element not below p) or what the protocol refuses.
template <class P>
Status verify(const Circuit& circuit, const BasicProof<P>& proof, const Statement& statement,
              unsigned required_bits = 100, const std::type_identity_t<BasicVerifyingKey<P>>* key = nullptr,
              const Protocol& protocol = {});

}  // namespace quarry

#include "quarry/proof/proof-inl.hpp"
