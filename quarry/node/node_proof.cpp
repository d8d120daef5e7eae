#include "quarry/node/node_proof.hpp"

#include <memory>

#include "quarry/node/file_io.hpp"
#include "quarry/proof/wire.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node {
namespace {

constexpr std::uint32_t kNodeProofMagic = 0x514e5031;  // "QNP1"

/// What the proof's transcript starts from; wrong_key: not a node of this catalog that says such statements.
Result<Statement> public_input(const recursion::Catalog& catalog, const NodeProofFile& file) {
    const auto kind = kind_of(file.statement);
    if (file.keys != catalog.keys().digest()) return Error{Errc::wrong_key, "key table"};
    if (file.node_kind >= recursion::node_kinds().size() || recursion::node_kinds()[file.node_kind].says != kind) {
        return Error{Errc::wrong_key, "kind of the node"};
    }
    return recursion::digest_statement(recursion::exposed_digest(kind, file.keys, digest_of(file.statement)));
}

}  // namespace

std::vector<std::uint8_t> encode(const NodeProofFile& file) {
    const std::string statement = to_text(file.statement);
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kNodeProofMagic);
    w.integer(static_cast<std::uint32_t>(file.node_kind));
    w.elements(file.keys);
    w.integer(static_cast<std::uint32_t>(statement.size()));
    w.bytes(as_bytes(statement));
    w.bytes(file.proof);
    return bytes;
}

bool is_node_proof(std::span<const std::uint8_t> bytes) noexcept {
    rollup::WordReader r(bytes);
    return r.integer<std::uint32_t>() == kNodeProofMagic;
}

Outcome<NodeProofFile> parse_node_proof(std::span<const std::uint8_t> bytes) {
    if (!is_node_proof(bytes)) return bad_file("bad_magic", "this is no proof of a node");
    if (bytes.size() > kMaxNodeProofBytes) return bad_file("limit_exceeded", "this is too large for a proof");
    rollup::WordReader r(bytes.subspan(sizeof kNodeProofMagic));
    NodeProofFile file;
    file.node_kind = r.integer<std::uint32_t>();
    file.keys = r.digest();
    const auto size = r.integer<std::uint32_t>();
    if (!r.verdict()) {
        return bad_file(rollup::reject_name(r.verdict().code()), rollup::reject_text(r.verdict().code()));
    }
    if (size > r.left()) return bad_file("truncated", "the file ends inside its statement");
    const auto rest = bytes.last(r.left());
    auto statement = parse_node_statement(as_text(rest.first(size)));
    if (!statement) return statement.error();
    file.statement = std::move(statement).value();
    file.proof.assign(rest.begin() + size, rest.end());
    return file;
}

Status verify(const recursion::Catalog& catalog, const NodeProofFile& file) {
    QUARRY_TRY_ASSIGN(const Statement input, public_input(catalog, file));
    const VerifyingKey key = catalog.verifying_key(file.node_kind);
    return verify_encoded(*catalog.shape_of(file.node_kind).circuit, file.proof, input, catalog.security_bits(), &key);
}

Result<Proof> decode(const recursion::Catalog& catalog, const NodeProofFile& file) {
    QUARRY_TRY_ASSIGN(const Statement input, public_input(catalog, file));
    const VerifyingKey key = catalog.verifying_key(file.node_kind);
    return decode_proof(*catalog.shape_of(file.node_kind).circuit, file.proof, input, &key);
}

const recursion::Catalog* find_catalog() {
    static const std::unique_ptr<const recursion::Catalog> catalog = [] {
        const recursion::CircuitKeys& keys = recursion::pinned_keys();
        return recursion::are_current(keys) ? std::make_unique<const recursion::Catalog>(keys) : nullptr;
    }();
    return catalog.get();
}

Problem stale_keys() {
    return {Problem::Kind::environment, "stale_keys", "the pinned keys are not those of this program's circuits",
            "write them again with `quarry keys --json > quarry/recursion/pinned_keys.json`, then build"};
}

}  // namespace quarry::node
