#include "quarry/proof/wire.hpp"

#include <algorithm>

#include "quarry/base/bytes.hpp"
#include "quarry/base/check.hpp"
#include "quarry/hash/merkle.hpp"

namespace quarry {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic{'Q', 'R', 'Y', 'P'};

// The positions that each oracle is opened at, and its root: the verifier's own text, run on arithmetic that accepts
// everything and on openings that are all zero. Its transcript does not depend on them.
struct OracleQueries {
    Digest root;
    unsigned log_rows;
    std::size_t width;
    std::vector<std::size_t> positions;  ///< in query order
    const KeyCap* cap = nullptr;         ///< nullptr: paths end at the root
    [[nodiscard]] unsigned log_cap() const { return cap != nullptr ? cap->height() : 0; }
};

std::vector<std::size_t> distinct(std::vector<std::size_t> positions) {
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    return positions;
}

struct ReplayBackend : NativeBackend {
    std::vector<OracleQueries> oracles;
    static Status require_equal(const E& /*a*/, const E& /*b*/, Errc /*code*/, const char* /*where*/) { return Ok{}; }
    static Status require_nonzero(const E& /*a*/, Errc /*code*/, const char* /*where*/) { return Ok{}; }
};

template <class Rows, class Paths>
Status require_merkle(ReplayBackend& backend, const Digest& root,
                      const std::vector<QueryIndex<NativeBackend>>& positions, const Rows& rows, const Paths& paths) {
    OracleQueries oracle{root, static_cast<unsigned>(paths[0].size()), rows[0].size(), {}, nullptr};
    for (const auto& p : positions) oracle.positions.push_back(p.value);
    backend.oracles.push_back(std::move(oracle));
    return Ok{};
}

// Openings of the right shape without content.
class ZeroOpenings {
  public:
    ZeroOpenings(const WhirParameters& parameters, const StackLayout& layout)
        : parameters_(parameters), oracles_(whir_oracles(parameters, layout.lanes_of_parts())) {
        std::size_t width = 0;
        std::size_t height = 0;
        for (const OracleShape& oracle : oracles_) {
            width = std::max(width, oracle.width);
            height = std::max<std::size_t>(height, oracle.log_rows);
        }
        row_.resize(width);
        path_.resize(height);
    }
    [[nodiscard]] std::size_t num_oracles() const { return oracles_.size(); }
    [[nodiscard]] std::size_t num_queries(std::size_t o) const {
        return parameters_.rounds[oracles_[o].round].num_queries;
    }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t o, std::size_t /*query*/) const {
        return std::span(row_).first(oracles_[o].width);
    }
    [[nodiscard]] std::span<const Digest> path(std::size_t o, std::size_t /*query*/) const {
        return std::span(path_).first(oracles_[o].log_rows);
    }

  private:
    const WhirParameters& parameters_;
    std::vector<OracleShape> oracles_;
    std::vector<KoalaBear> row_;
    std::vector<Digest> path_;
};

// What circuit, key, cap, level and heights fix.
struct Shape {
    StackLayout layout;
    WhirParameters parameters;
    std::size_t stream_length;
    std::optional<Digest> preprocessed_root;
    const KeyCap* cap;  ///< of the first oracle, which is the preprocessed part of the stack
};
// A cap proves itself: it has a root, which must be the key's.
Status check_cap(const KeyCap* cap, const std::optional<Digest>& preprocessed_root, const WhirRound& first_round) {
    if (cap == nullptr) return Ok{};
    if (!preprocessed_root || cap->root() != *preprocessed_root) return Error{Errc::wrong_key, "cap of another key"};
    if (cap->height() > first_round.log_message + first_round.log_inv_rate) return Error{Errc::wrong_key, "cap"};
    return Ok{};
}
Result<Shape> make_shape(const Circuit& circuit, const VerifyingKey* key, const KeyCap* cap, unsigned security_bits,
                         const Heights& heights) {
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), security_bits) == kSecurityLevels.end()) {
        return Error{Errc::wrong_key, "security level"};
    }
    QUARRY_TRY_ASSIGN(StackLayout layout, make_stack_layout(circuit, heights));
    QUARRY_TRY(check_key(circuit, key, layout.log_size, security_bits));
    auto parameters = find_whir_parameters(layout.log_size, security_target(security_bits));
    if (!parameters) return Error{Errc::bad_shape, "no parameters for this size"};
    const std::size_t length = proof_stream_length(circuit, heights, *parameters);
    const std::optional<Digest> root = key_digests(circuit, key).preprocessed_root;
    QUARRY_TRY(check_cap(cap, root, parameters->rounds.front()));
    return Shape{std::move(layout), std::move(*parameters), length, root, cap};
}

std::vector<OracleQueries> replay(const Circuit& circuit, const Shape& shape, const Transcript& start,
                                  const Heights& heights, const Statement& statement, const ProofStream& stream) {
    ReplayBackend backend;
    NativeVerifierChannel channel(start, stream);
    const ZeroOpenings openings(shape.parameters, shape.layout);
    // A nonce that does not grind ends the replay early: such a proof has no openings to speak of.
    (void)verify_proof(backend, channel, circuit, heights, shape.layout, statement, openings, shape.parameters,
                       shape.preprocessed_root);
    if (!backend.oracles.empty()) backend.oracles.front().cap = shape.cap;
    return std::move(backend.oracles);
}

void put(ByteWriter& out, KoalaBear x) { out.u32(x.canonical()); }

Result<KoalaBear> get(ByteReader& in, const char* where) {
    QUARRY_TRY_ASSIGN(const std::uint32_t word, in.u32(where));
    const auto x = KoalaBear::from_canonical(word);
    if (!x) return Error{Errc::non_canonical, where};
    return *x;
}

/// Of a transcript that has absorbed everything public.
Digest start_digest(Transcript t) {
    Digest d;
    for (KoalaBear& x : d) x = t.squeeze();
    return d;
}

std::array<std::uint8_t, 32> digest_bytes(const Digest& d) {
    ByteWriter out;
    for (const KoalaBear x : d) put(out, x);
    const auto bytes = std::move(out).take();
    std::array<std::uint8_t, 32> r{};
    std::copy(bytes.begin(), bytes.end(), r.begin());
    return r;
}

Result<ProofHeader> read_header(ByteReader& in) {
    QUARRY_TRY_ASSIGN(const auto magic, in.raw(kMagic.size(), "magic"));
    if (!std::equal(magic.begin(), magic.end(), kMagic.begin())) return Error{Errc::bad_magic, "proof"};
    ProofHeader header;
    QUARRY_TRY_ASSIGN(header.version, in.u16("version"));
    QUARRY_TRY_ASSIGN(header.log_cap, in.u16("cap"));
    if (header.version != kProofFormatVersion) return Error{Errc::unsupported_version, "proof"};
    for (auto* target : {&header.key_digest, &header.start_digest}) {
        QUARRY_TRY_ASSIGN(const auto bytes, in.raw(target->size(), "digest"));
        std::copy(bytes.begin(), bytes.end(), target->begin());
    }
    QUARRY_TRY_ASSIGN(header.security_bits, in.u8("security bits"));
    QUARRY_TRY_ASSIGN(const std::uint8_t num_tables, in.u8("heights"));
    for (unsigned t = 0; t < num_tables; ++t) {
        QUARRY_TRY_ASSIGN(const std::uint8_t height, in.u8("heights"));
        header.heights.push_back(height);
    }
    return header;
}

/// Distinct rows by rising position, and the Merkle siblings that they need.
struct OracleRows {
    std::vector<std::size_t> indices;
    std::vector<KoalaBear> rows;
    MultiOpening<PoseidonHasher> opening;
};
Result<OracleRows> read_rows(ByteReader& in, const OracleQueries& oracle) {
    OracleRows r{distinct(oracle.positions), {}, {}};
    const std::vector<std::size_t>& indices = r.indices;
    std::vector<KoalaBear>& rows = r.rows;
    rows.reserve(indices.size() * oracle.width);
    for (std::size_t i = 0; i < indices.size() * oracle.width; ++i) {
        QUARRY_TRY_ASSIGN(const KoalaBear x, get(in, "row"));
        rows.push_back(x);
    }
    r.opening.siblings.resize(multi_opening_size(indices, oracle.log_rows, oracle.log_cap()));
    for (Digest& d : r.opening.siblings) {
        for (KoalaBear& x : d) {
            QUARRY_TRY_ASSIGN(x, get(in, "sibling"));
        }
    }
    return r;
}

Result<std::vector<Opening>> read_oracle(ByteReader& in, const OracleQueries& oracle) {
    QUARRY_TRY_ASSIGN(const OracleRows read, read_rows(in, oracle));
    const auto& [indices, rows, opening] = read;
    const auto expand_under = [&](const auto& known) {
        return expand<PoseidonHasher>(known, oracle.log_rows, oracle.width, indices, rows, opening);
    };
    QUARRY_TRY_ASSIGN(const auto paths, oracle.cap != nullptr ? expand_under(*oracle.cap) : expand_under(oracle.root));
    std::vector<Opening> openings;
    for (const std::size_t position : oracle.positions) {
        const auto k =
            static_cast<std::size_t>(std::lower_bound(indices.begin(), indices.end(), position) - indices.begin());
        const auto row = std::span(rows).subspan(k * oracle.width, oracle.width);
        openings.push_back({{row.begin(), row.end()}, paths[k]});
    }
    return openings;
}

// The verifier's arithmetic with openings that check themselves: all rows of an oracle together.
struct WireBackend : NativeBackend {};
template <class Rows, class Paths>
Status require_merkle(WireBackend& /*backend*/, const Digest& /*root*/,
                      const std::vector<QueryIndex<NativeBackend>>& /*positions*/, const Rows& /*rows*/,
                      const Paths& /*paths*/) {
    return Ok{};  // WireOpenings::open has checked them
}

// Openings as bytes: oracle i is read, and checked against its root, when its positions are drawn.
class WireOpenings {
  public:
    WireOpenings(ByteReader& in, const Shape& shape)
        : in_(in), shape_(shape.parameters, shape.layout), cap_(shape.cap), read_(shape_.num_oracles()) {}

    [[nodiscard]] std::size_t num_oracles() const { return shape_.num_oracles(); }
    [[nodiscard]] std::size_t num_queries(std::size_t i) const { return shape_.num_queries(i); }
    [[nodiscard]] std::span<const KoalaBear> row(std::size_t i, std::size_t query) const {
        const Oracle& oracle = read_[i];
        if (oracle.rows.empty()) return shape_.row(i, query);
        const std::size_t width = shape_.row(i, query).size();
        return std::span(oracle.rows).subspan(oracle.place[query] * width, width);
    }
    [[nodiscard]] std::span<const Digest> path(std::size_t i, std::size_t query) const { return shape_.path(i, query); }

    Status open(std::size_t i, const Digest& root, const std::vector<QueryIndex<NativeBackend>>& positions) const {
        OracleQueries queries{
            root, static_cast<unsigned>(path(i, 0).size()), shape_.row(i, 0).size(), {}, i == 0 ? cap_ : nullptr};
        for (const auto& position : positions) queries.positions.push_back(position.value);
        QUARRY_TRY_ASSIGN(OracleRows read, read_rows(in_, queries));
        const auto check_under = [&](const auto& known) {
            return verify_multi_opening<PoseidonHasher>(known, queries.log_rows, queries.width, read.indices, read.rows,
                                                        read.opening);
        };
        QUARRY_TRY(queries.cap != nullptr ? check_under(*queries.cap) : check_under(root));
        Oracle& oracle = read_[i];
        oracle.rows = std::move(read.rows);
        for (const std::size_t position : queries.positions) {
            const auto at = std::lower_bound(read.indices.begin(), read.indices.end(), position);
            oracle.place.push_back(static_cast<std::size_t>(at - read.indices.begin()));
        }
        return Ok{};
    }

    /// Whether every oracle was read and checked: what require_merkle above relies on.
    [[nodiscard]] bool all_checked() const {
        return std::all_of(read_.begin(), read_.end(), [](const Oracle& oracle) { return !oracle.rows.empty(); });
    }

  private:
    struct Oracle {
        std::vector<KoalaBear> rows;
        std::vector<std::size_t> place;  ///< of each query's row
    };
    ByteReader& in_;
    ZeroOpenings shape_;
    const KeyCap* cap_;                 ///< of the first oracle
    mutable std::vector<Oracle> read_;  ///< filled while the verifier's text, which only reads, goes on
};

// Header, shape and stream: what stands before the openings.
struct Opened {
    ProofHeader header;
    Shape shape;
    Transcript start;
    ProofStream stream;
};
Result<Opened> open_proof(ByteReader& in, const Circuit& circuit, const Statement& statement, const VerifyingKey* key,
                          const KeyCap* cap) {
    QUARRY_TRY_ASSIGN(ProofHeader header, read_header(in));
    if (header.key_digest != digest_bytes(circuit.digest())) return Error{Errc::wrong_key, "circuit digest"};
    QUARRY_TRY_ASSIGN(Shape shape, make_shape(circuit, key, cap, header.security_bits, header.heights));
    if (header.log_cap != (cap != nullptr ? cap->height() : 0)) return Error{Errc::wrong_key, "another cap"};
    const Transcript start =
        start_transcript(circuit, header.heights, shape.parameters, header.security_bits, statement, key);
    if (header.start_digest != digest_bytes(start_digest(start))) {
        return Error{Errc::statement_mismatch, "start digest"};
    }
    QUARRY_TRY(check_statement(circuit, statement));
    if (in.remaining() < shape.stream_length * sizeof(std::uint32_t)) return Error{Errc::truncated, "stream"};
    Opened r{std::move(header), std::move(shape), start, {}};
    r.stream.reserve(r.shape.stream_length);
    for (std::size_t i = 0; i < r.shape.stream_length; ++i) {
        QUARRY_TRY_ASSIGN(const KoalaBear x, get(in, "stream"));
        r.stream.push_back(x);
    }
    return r;
}

}  // namespace

std::vector<std::uint8_t> encode_proof(const Circuit& circuit, const Proof& proof, const Statement& statement,
                                       const VerifyingKey* key, const KeyCap* cap) {
    const Shape shape = make_shape(circuit, key, cap, proof.security_bits, proof.heights).value();
    ByteWriter out;
    out.raw(kMagic);
    out.u16(kProofFormatVersion);
    out.u16(static_cast<std::uint16_t>(cap != nullptr ? cap->height() : 0));
    for (const KoalaBear x : circuit.digest()) put(out, x);
    const Transcript start =
        start_transcript(circuit, proof.heights, shape.parameters, proof.security_bits, statement, key);
    for (const KoalaBear x : start_digest(start)) put(out, x);
    out.u8(static_cast<std::uint8_t>(proof.security_bits));
    out.u8(static_cast<std::uint8_t>(proof.heights.size()));
    for (const unsigned h : proof.heights) out.u8(static_cast<std::uint8_t>(h));
    for (const KoalaBear x : proof.stream) put(out, x);

    QUARRY_CHECK(proof.openings.positions.size() == proof.openings.oracles.size());
    for (std::size_t i = 0; i < proof.openings.oracles.size(); ++i) {
        const std::vector<std::size_t>& positions = proof.openings.positions[i];
        const std::vector<std::size_t> indices = distinct(positions);
        std::vector<MerklePath<PoseidonHasher>> paths;
        for (const std::size_t index : indices) {
            const auto query =
                static_cast<std::size_t>(std::find(positions.begin(), positions.end(), index) - positions.begin());
            const Opening& opening = proof.openings.oracles[i][query];
            for (const KoalaBear x : opening.row) put(out, x);
            paths.push_back(opening.path);
        }
        const auto height = static_cast<unsigned>(paths.front().size());
        const unsigned log_cap = i == 0 && cap != nullptr ? cap->height() : 0;
        for (const Digest& d :
             prune<PoseidonHasher>(indices, height, std::span(std::as_const(paths)), log_cap).siblings) {
            for (const KoalaBear x : d) put(out, x);
        }
    }
    return std::move(out).take();
}

Result<ProofHeader> decode_header(std::span<const std::uint8_t> bytes) {
    ByteReader in(bytes);
    return read_header(in);
}

Result<Proof> decode_proof(const Circuit& circuit, std::span<const std::uint8_t> bytes, const Statement& statement,
                           const VerifyingKey* key, const KeyCap* cap) {
    ByteReader in(bytes);
    QUARRY_TRY_ASSIGN(Opened opened, open_proof(in, circuit, statement, key, cap));
    const Heights& heights = opened.header.heights;
    const auto oracles = replay(circuit, opened.shape, opened.start, heights, statement, opened.stream);
    const ZeroOpenings expected(opened.shape.parameters, opened.shape.layout);
    if (oracles.size() != expected.num_oracles()) return Error{Errc::bad_grinding, "stream"};
    Proof proof{opened.header.security_bits, heights, std::move(opened.stream), {}};
    for (const OracleQueries& oracle : oracles) {
        QUARRY_TRY_ASSIGN(auto openings, read_oracle(in, oracle));
        proof.openings.oracles.push_back(std::move(openings));
        proof.openings.positions.push_back(oracle.positions);
    }
    QUARRY_TRY(in.finish("proof"));
    return proof;
}

Status verify_encoded(const Circuit& circuit, std::span<const std::uint8_t> bytes, const Statement& statement,
                      unsigned required_bits, const VerifyingKey* key, const KeyCap* cap) {
    ByteReader in(bytes);
    QUARRY_TRY_ASSIGN(const Opened opened, open_proof(in, circuit, statement, key, cap));
    if (opened.header.security_bits < required_bits) return Error{Errc::wrong_key, "security level"};
    WireBackend backend;
    NativeVerifierChannel channel(opened.start, opened.stream);
    const WireOpenings openings(in, opened.shape);
    QUARRY_TRY(verify_proof(backend, channel, circuit, opened.header.heights, opened.shape.layout, statement, openings,
                            opened.shape.parameters, opened.shape.preprocessed_root));
    QUARRY_CHECK(openings.all_checked());
    return in.finish("proof");
}

}  // namespace quarry
