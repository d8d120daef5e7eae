#include "quarry/proof/keccak_wire.hpp"

#include <algorithm>
#include <string_view>

#include "quarry/base/bytes.hpp"
#include "quarry/base/check.hpp"

namespace quarry {
namespace {

constexpr std::string_view kTag = "quarry/keccak-proof/v1";

/// One oracle's place in the bytes.
struct OracleBytes {
    OracleShape shape;
    std::size_t num_queries;
    unsigned log_cap;
    bool cap_is_known;  ///< not in the bytes
    [[nodiscard]] std::size_t size() const {
        constexpr StreamUnits u = KeccakPolicy::kUnits;
        const std::size_t cap = cap_is_known ? 0 : u.digest << log_cap;
        return cap + num_queries * (u.element * shape.width + u.digest * (shape.log_rows - log_cap));
    }
};

std::vector<OracleBytes> oracle_bytes(const StackLayout& layout, const WhirParameters& parameters) {
    std::vector<OracleBytes> r;
    for (const OracleShape& shape : whir_oracles(parameters, layout.lanes_of_parts())) {
        const bool known = r.empty() && layout.preprocessed_lanes > 0;
        const std::size_t num_queries = parameters.rounds[shape.round].num_queries;
        const unsigned log_cap = known ? KeccakPolicy::kLogKeyCap : KeccakPolicy::log_cap(num_queries);
        r.push_back({shape, num_queries, std::min(log_cap, shape.log_rows), known});
    }
    return r;
}

void put(std::vector<std::uint8_t>& out, std::span<const Bytes32> digests) {
    for (const Bytes32& d : digests) KeccakPolicy::put(out, d);
}

/// Precondition: the bytes are there.
std::vector<Bytes32> get_digests(ByteReader& in, std::size_t count) {
    std::vector<Bytes32> r;
    r.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        r.push_back(KeccakPolicy::get_digest(in.raw(KeccakPolicy::kUnits.digest, "digest").value()));
    }
    return r;
}

/// Precondition: the bytes are there.
Result<std::vector<KoalaBear>> get_row(ByteReader& in, std::size_t width) {
    std::vector<KoalaBear> row;
    row.reserve(width);
    for (std::size_t a = 0; a < width; ++a) {
        const auto x = KeccakPolicy::get_element(in.raw(KeccakPolicy::kUnits.element, "row").value());
        if (!x) return Error{Errc::non_canonical, "row"};
        row.push_back(*x);
    }
    return row;
}

}  // namespace

Bytes32 keccak_key_digest(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                          unsigned security_bits, const Statement& statement, const KeccakVerifyingKey* key,
                          const Protocol& protocol) {
    QUARRY_CHECK((key != nullptr) == circuit.has_preprocessed());
    std::vector<std::uint8_t> bytes(kTag.begin(), kTag.end());
    for (const KoalaBear x : circuit.digest()) KeccakPolicy::put(bytes, x);
    if (key != nullptr) KeccakPolicy::put(bytes, key->preprocessed_root);
    const auto number = [&](std::size_t x) { KeccakPolicy::put(bytes, KoalaBear(x)); };
    number(protocol.version());
    absorb_sizes(number, heights, parameters, security_bits);
    number(statement.tuples.size());
    for (const PublicTuple& tuple : statement.tuples) {
        number(tuple.bus);
        KeccakPolicy::put(bytes, tuple.multiplicity);
        number(tuple.tuple.size());
    }
    return keccak256(bytes);
}

template <>
KeccakTranscript start_transcript<KeccakPolicy>(const Circuit& circuit, const Heights& heights,
                                                const WhirParameters& parameters, unsigned security_bits,
                                                const Statement& statement, const KeccakVerifyingKey* key,
                                                const Protocol& protocol) {
    KeccakTranscript t;
    t.absorb(keccak_key_digest(circuit, heights, parameters, security_bits, statement, key, protocol));
    for (const PublicTuple& tuple : statement.tuples) {
        for (const KoalaBear x : tuple.tuple) t.absorb(x);
    }
    return t;
}

std::size_t keccak_proof_size(const Circuit& circuit, const Heights& heights, const WhirParameters& parameters,
                              const Protocol& protocol) {
    std::size_t size = proof_stream_length(circuit, heights, parameters, protocol, KeccakPolicy::kUnits);
    const StackLayout layout = make_stack_layout(circuit, heights, protocol.log_stack_lanes).value();
    for (const OracleBytes& oracle : oracle_bytes(layout, parameters)) size += oracle.size();
    return size;
}

std::vector<std::uint8_t> encode_keccak_proof(const Circuit& circuit, const KeccakProof& proof) {
    std::vector<std::uint8_t> out = proof.stream;
    const KeccakOpenings& openings = proof.openings;
    for (std::size_t o = 0; o < openings.num_oracles(); ++o) {
        const bool cap_is_known = o == 0 && circuit.has_preprocessed();
        if (!cap_is_known) put(out, openings.cap(o));
        for (const auto& opening : openings.oracles[o]) {
            for (const KoalaBear x : opening.row) KeccakPolicy::put(out, x);
            put(out, opening.path);
        }
    }
    return out;
}

Result<KeccakProof> decode_keccak_proof(const Circuit& circuit, const Heights& heights,
                                        std::span<const std::uint8_t> bytes, unsigned security_bits,
                                        const KeccakVerifyingKey* key, const Protocol& protocol) {
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), security_bits) == kSecurityLevels.end()) {
        return Error{Errc::wrong_key, "security level"};
    }
    QUARRY_TRY_ASSIGN(const StackLayout layout, make_stack_layout(circuit, heights, protocol.log_stack_lanes));
    QUARRY_TRY(check_key(circuit, key, layout.log_size, security_bits));
    const auto parameters = find_parameters(protocol, layout.log_size, security_bits);
    if (!parameters) return Error{Errc::bad_shape, "no parameters for this size"};
    if (bytes.size() != keccak_proof_size(circuit, heights, *parameters, protocol))
        return Error{Errc::bad_length, "proof"};

    // Now every read succeeds.
    ByteReader in(bytes);
    KeccakProof proof{security_bits, heights, {}, {}};
    const auto stream =
        in.raw(proof_stream_length(circuit, heights, *parameters, protocol, KeccakPolicy::kUnits), "stream").value();
    proof.stream.assign(stream.begin(), stream.end());
    for (const OracleBytes& oracle : oracle_bytes(layout, *parameters)) {
        proof.openings.caps.push_back(oracle.cap_is_known ? key->preprocessed_cap
                                                          : get_digests(in, std::size_t{1} << oracle.log_cap));
        auto& rows = proof.openings.oracles.emplace_back();
        for (std::size_t j = 0; j < oracle.num_queries; ++j) {
            QUARRY_TRY_ASSIGN(std::vector<KoalaBear> row, get_row(in, oracle.shape.width));
            rows.push_back({std::move(row), get_digests(in, oracle.shape.log_rows - oracle.log_cap)});
        }
    }
    QUARRY_CHECK(in.remaining() == 0);
    return proof;
}

}  // namespace quarry
