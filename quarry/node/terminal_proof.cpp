#include "quarry/node/terminal_proof.hpp"

#include "quarry/node/file_io.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node {
namespace {

constexpr std::uint32_t kTerminalProofMagic = 0x51545031;  // "QTP1"

}  // namespace

std::vector<std::uint8_t> encode(const TerminalProofFile& file) {
    const std::string statement = to_text(file.bundle);
    std::vector<std::uint8_t> bytes;
    rollup::WordWriter w(bytes);
    w.integer(kTerminalProofMagic);
    w.integer(file.log_profile);
    w.elements(file.keys);
    w.integer(static_cast<std::uint32_t>(statement.size()));
    w.bytes(as_bytes(statement));
    w.bytes(file.proof);
    return bytes;
}

bool is_terminal_proof(std::span<const std::uint8_t> bytes) noexcept {
    rollup::WordReader r(bytes);
    return r.integer<std::uint32_t>() == kTerminalProofMagic;
}

Outcome<TerminalProofFile> parse_terminal_proof(std::span<const std::uint8_t> bytes) {
    if (!is_terminal_proof(bytes)) return bad_file("bad_magic", "this is no terminal proof");
    if (bytes.size() > kMaxTerminalProofBytes) return bad_file("limit_exceeded", "this is too large for a proof");
    rollup::WordReader r(bytes.subspan(sizeof kTerminalProofMagic));
    TerminalProofFile file;
    file.log_profile = r.integer<std::uint32_t>();
    file.keys = r.digest();
    const auto size = r.integer<std::uint32_t>();
    if (!r.verdict()) {
        return bad_file(rollup::reject_name(r.verdict().code()), rollup::reject_text(r.verdict().code()));
    }
    if (file.log_profile != 0 && file.log_profile != 2 && file.log_profile != 4) {
        return bad_file("bad_shape", "there is no such profile");
    }
    if (size > r.left()) return bad_file("truncated", "the file ends inside its statement");
    const auto rest = bytes.last(r.left());
    auto statement = parse_node_statement(as_text(rest.first(size)));
    if (!statement) return statement.error();
    auto* bundle = std::get_if<BundleContent>(&statement.value());
    if (bundle == nullptr) return bad_file("bad_statement", "a terminal proof is of whole batches");
    file.bundle = std::move(*bundle);
    file.proof.assign(rest.begin() + size, rest.end());
    return file;
}

std::optional<unsigned> terminal_profile(std::size_t batches) noexcept {
    for (const unsigned log_profile : {0U, 2U, 4U}) {
        if (batches <= std::size_t{1} << log_profile) return log_profile;
    }
    return std::nullopt;
}

Outcome<std::vector<KoalaBear>> terminal_limbs(const BundleContent& bundle, unsigned log_profile) {
    const auto opened = rollup::open(bundle.statement(), log_profile, bundle.items);
    if (opened) return elements(opened.value());
    return Problem{Problem::Kind::refused, rollup::reject_name(opened.code()), rollup::reject_text(opened.code()),
                   "choose a profile with room for all batches"};
}

Outcome<TerminalProofFile> prove_terminal(const recursion::Terminal& terminal, const NodeProofFile& bundle) {
    const auto* content = std::get_if<BundleContent>(&bundle.statement);
    if (content == nullptr) return bad_file("not_a_bundle", "a terminal proof is of whole batches");
    if (terminal.catalog().shape_of(bundle.node_kind).size != recursion::NodeSize::narrow) {
        return Problem{Problem::Kind::refused, "wide_node", "a terminal proof is of what a narrow node bundles",
                       "give the file that `quarry aggregate` wrote, not one from within its work"};
    }
    const auto limbs = terminal_limbs(*content, terminal.log_profile());
    if (!limbs) return limbs.error();
    const auto child = decode(terminal.catalog(), bundle);
    if (!child) return bad_file(errc_name(child.error().code), "the bundle's proof cannot be read");
    const auto wrapped = recursion::wrap_bundle(terminal, content->statement(), {bundle.node_kind, child.value()});
    const auto rows = terminal.rows(limbs.value(), content->statement(), wrapped);
    return TerminalProofFile{terminal.log_profile(), terminal.catalog().keys().digest(), *content,
                             recursion::prove_terminal(terminal, rows, limbs.value())};
}

Status verify(const recursion::Terminal& terminal, const KeccakVerifyingKey& key, const TerminalProofFile& file) {
    if (file.keys != terminal.catalog().keys().digest()) return Error{Errc::wrong_key, "key table"};
    if (file.log_profile != terminal.log_profile()) return Error{Errc::wrong_key, "profile"};
    const auto limbs = terminal_limbs(file.bundle, file.log_profile);
    if (!limbs) return Error{Errc::statement_mismatch, "batches of the bundle"};
    return recursion::verify_terminal(terminal, key, limbs.value(), file.proof);
}

}  // namespace quarry::node
