#include "quarry/recursion/terminal.hpp"

#include <algorithm>

#include "quarry/base/check.hpp"
#include "quarry/hash/keccak.hpp"
#include "quarry/proof/keccak_wire.hpp"
#include "quarry/recursion/prove_rows.hpp"
#include "quarry/recursion/terminal_item.hpp"
#include "quarry/recursion/verifier_backend.hpp"

namespace quarry::recursion {
namespace {

using rollup::kTerminalHeadLimbs;
using rollup::kTerminalItemLimbs;
using rollup::StatementKind;

std::optional<unsigned> log_profile_of(std::size_t num_limbs) {
    for (const unsigned k : {0U, 2U, 4U}) {
        if (num_limbs == kTerminalHeadLimbs + (kTerminalItemLimbs << k)) return k;
    }
    return {};
}

std::span<const KoalaBear> item_limbs(std::span<const KoalaBear> limbs, std::size_t item) {
    return limbs.subspan(kTerminalHeadLimbs + item * kTerminalItemLimbs, kTerminalItemLimbs);
}

/// Where the digests of an item start, each of 16 limbs.
std::vector<std::size_t> digests_of_item() {
    // Domain; of the header the fee receiver and the post root; root before, work root; z of every binding.
    constexpr std::size_t kHeader = 16;
    constexpr std::size_t kFeeReceiver = kHeader + 1 + 2 + 4 + 16 + 2 + 2;
    constexpr std::size_t kPostRoot = kFeeReceiver + 16 + 1 + 2 * (4 + 16);
    constexpr std::size_t kBefore = kPostRoot + 16 + 2 + 10;
    constexpr std::size_t kWorkRoot = kBefore + 16 + 2 + 4 + 4 + 2;
    static_assert(kWorkRoot + 16 == kItemRestLimbs);
    std::vector<std::size_t> at{0, kFeeReceiver, kPostRoot, kBefore, kWorkRoot};
    for (std::size_t i = 0; i < kNumBindings; ++i) at.push_back(kItemRestLimbs + i * kBindingLimbs + 1 + 2 + 16);
    return at;
}

/// The digests of the bundle's list at every height up to the profile's, of as many leaves as a tree of that height
/// has.
class OpenedList {
  public:
    OpenedList(CircuitBuilder& builder, std::span<const KoalaBear> limbs, unsigned log_profile, const BaseExpr& count)
        : b_(&builder) {
        const std::size_t size = std::size_t{1} << log_profile;
        make_presence(limbs[3].canonical(), size, count);
        for (std::size_t i = 0; i < size; ++i) {
            const DigestWire batch = open_item(*b_, item_limbs(limbs, i));
            level_.push_back(i == 0 ? batch : leaf(batch, there_[i]));
        }
        roots_.push_back(level_[0]);
        for (std::size_t width = 2; width <= size; width *= 2) {
            for (std::size_t i = 0; i < level_.size() / 2; ++i) {
                const DigestWire parent = b_->compress(level_[2 * i], level_[2 * i + 1]);
                level_[i] = i == 0 ? parent : subtree(parent, there_[i * width]);
            }
            level_.resize(level_.size() / 2);
            roots_.push_back(level_[0]);
        }
    }
    [[nodiscard]] const std::vector<DigestWire>& roots() const { return roots_; }

  private:
    /// Which items are there: the first `count`, one or more.
    void make_presence(std::uint32_t num_items, std::size_t size, const BaseExpr& count) {
        there_ = {number(1)};
        BaseExpr sum = number(1);
        for (std::size_t i = 1; i < size; ++i) {
            const BaseExpr there = b_->base_witness(KoalaBear(i < num_items ? 1 : 0));
            const ExtensionExpr& t = there.lifted();
            b_->require_equal(t * (kOneExpr - t), kZeroExpr);
            if (i > 1) b_->require_equal(t * (kOneExpr - there_.back().lifted()), kZeroExpr);
            there_.push_back(there);
            sum = sum + there;
        }
        b_->require_equal(sum.lifted(), count.lifted());
    }
    /// The batch, or eight zeros: then it is what zeros make.
    DigestWire leaf(const DigestWire& batch, const BaseExpr& there) {
        const ExtensionExpr& t = there.lifted();
        const Digest absent = absent_item();
        const auto e = b_->elements_once(batch);
        Elements masked;
        for (std::size_t i = 0; i < kBlock; ++i) {
            masked.emplace_back(e[i].lifted() - (kOneExpr - t) * absent[i]);
            (void)b_->wire(masked.back().lifted());
        }
        for (const BaseExpr& x : masked) b_->require_equal((kOneExpr - t) * x.lifted(), kZeroExpr);
        return b_->gather(masked);
    }
    /// Eight zeros where no item is.
    DigestWire subtree(const DigestWire& node, const BaseExpr& there) {
        const auto e = b_->elements_once(node);
        Elements masked;
        for (std::size_t i = 0; i < kBlock; ++i) {
            masked.emplace_back(e[i].lifted() * there.lifted());
            (void)b_->wire(masked.back().lifted());
        }
        return b_->gather(masked);
    }

    CircuitBuilder* b_;
    std::vector<BaseExpr> there_;
    std::vector<DigestWire> level_, roots_;
};

/// The bundle's digest: of a list of these roots' height that the prover chooses.
DigestWire bundle_digest(CircuitBuilder& b, const std::vector<DigestWire>& roots, unsigned depth,
                         const BaseExpr& count) {
    BaseExpr chosen_depth = number(0);
    ExtensionExpr one_chosen = roots.size() == 1 ? kOneExpr : kZeroExpr;
    std::array<ExtensionExpr, kBlock> root;
    for (std::size_t d = 0; d < roots.size(); ++d) {
        BaseExpr chosen = number(1);
        if (roots.size() > 1) {
            chosen = b.base_witness(KoalaBear(d == depth ? 1 : 0));
            b.require_equal(chosen.lifted() * (kOneExpr - chosen.lifted()), kZeroExpr);
            one_chosen = one_chosen + chosen.lifted();
        }
        chosen_depth = chosen_depth + chosen * number(d);
        const auto e = b.elements_once(roots[d]);
        for (std::size_t i = 0; i < kBlock; ++i) root[i] = root[i] + chosen.lifted() * e[i].lifted();
    }
    b.require_equal(one_chosen, kOneExpr);
    Elements e{number(static_cast<std::uint32_t>(StatementKind::bundle)), number(rollup::kProtocolVersion),
               chosen_depth, count};
    for (const ExtensionExpr& x : root) e.emplace_back(x);
    return tagged_chain(b, "quarry/bundle/v1", e);
}

}  // namespace

Status check_limbs(std::span<const KoalaBear> limbs) {
    const auto log_profile = log_profile_of(limbs.size());
    if (!log_profile) return Error{Errc::bad_length, "public input"};
    for (const KoalaBear x : limbs) {
        if (x.canonical() >= 1U << 16) return Error{Errc::limit_exceeded, "limb of the public input"};
    }
    const std::vector<std::size_t> digests = digests_of_item();
    for (std::size_t item = 0; item < std::size_t{1} << *log_profile; ++item) {
        for (const std::size_t at : digests) {
            const auto of_digest = item_limbs(limbs, item).subspan(at, 2 * kBlock);
            for (std::size_t i = 0; i < 2 * kBlock; i += 2) {
                const std::uint64_t x = of_digest[i].canonical() | std::uint64_t{of_digest[i + 1].canonical()} << 16;
                if (x >= KoalaBear::kModulus) return Error{Errc::non_canonical, "digest in the public input"};
            }
        }
    }
    return Ok{};
}

Statement terminal_statement(std::span<const KoalaBear> limbs) {
    const auto log_profile = log_profile_of(limbs.size());
    QUARRY_CHECK(log_profile.has_value());
    const auto part = [](std::span<const KoalaBear> of, std::size_t begin, std::size_t size) {
        const auto s = of.subspan(begin, size);
        return std::vector<KoalaBear>(s.begin(), s.end());
    };
    std::vector<std::vector<KoalaBear>> rows{part(limbs, 0, kTerminalHeadLimbs)};
    for (std::size_t item = 0; item < std::size_t{1} << *log_profile; ++item) {
        const auto of_item = item_limbs(limbs, item);
        for (std::size_t at = 0; at < kItemRestLimbs; at += kPublicValues) {
            rows.push_back(part(of_item, at, std::min(kPublicValues, kItemRestLimbs - at)));
        }
        for (std::size_t i = 0; i < kNumBindings; ++i) {
            rows.push_back(part(of_item, kItemRestLimbs + i * kBindingLimbs, kBindingLimbs));
        }
    }
    return public_statement(rows);
}

DigestWire open_bundle(CircuitBuilder& b, std::span<const KoalaBear> limbs, unsigned depth) {
    const auto log_profile = log_profile_of(limbs.size());
    QUARRY_CHECK(log_profile.has_value());
    const PublicRow head = b.public_row(limbs.first(kTerminalHeadLimbs));
    const std::array<std::uint32_t, 3> known{static_cast<std::uint32_t>(StatementKind::terminal),
                                             rollup::kProtocolVersion, 1U << *log_profile};
    for (std::size_t i = 0; i < known.size(); ++i) {
        b.require_equal(head.values[i].lifted(), number(known[i]).lifted());
    }
    const BaseExpr count = b.copy(head.values[3]);
    const OpenedList list(b, limbs, *log_profile, count);
    return bundle_digest(b, list.roots(), depth, count);
}

CircuitRows terminal_rows(const Wrap& wrap, const Digest& wrap_root, const Digest& keys,
                          std::span<const KoalaBear> limbs, const rollup::BundleStatement& bundle, const Proof& proof) {
    QUARRY_CHECK(proof.heights == heights_of(wrap.shape_heights()) && proof.security_bits == wrap.security_bits());
    CircuitBuilder b(RowKinds::few);
    const DigestWire statement = open_bundle(b, limbs, bundle.depth);
    const DigestWire exposed = exposed_wire(b, StatementKind::bundle, b.constant(keys), statement);
    const BasicStatement<BaseExpr> wires = statement_wires(b, exposed);
    verify_in_circuit(b, wrap.circuit(), proof, wires, b.constant(wrap_root), kWrapProtocol);
    return std::move(b).finish();
}

Terminal::Terminal(const Catalog& catalog, unsigned log_profile)
    : Terminal(std::make_shared<const Wrap>(catalog), log_profile) {}

Terminal::Terminal(std::shared_ptr<const Wrap> wrap, unsigned log_profile)
    : wrap_(std::move(wrap)), log_profile_(log_profile) {
    heights_ = fit(blank({}));
    circuit_ = make_circuit(heights_);
}

CircuitRows Terminal::blank(const Digest& wrap_root) const {
    const std::vector<KoalaBear> limbs(kTerminalHeadLimbs + (kTerminalItemLimbs << log_profile_));
    return terminal_rows(*wrap_, wrap_root, catalog().keys().digest(), limbs, {}, wrap_->blank_proof());
}

const KeccakProvingKey& Terminal::proving_key() const {
    std::call_once(made_, [&] {
        const CircuitRows rows = blank(wrap_->proving_key().verifying_key().preprocessed_root);
        auto preprocessed = lay_out_preprocessed(*circuit_, heights_, rows, kTerminalProtocol.log_stack_lanes);
        QUARRY_CHECK(preprocessed.has_value());
        key_ = std::make_unique<KeccakProvingKey>(std::move(*preprocessed), security_bits(), kTerminalProtocol);
    });
    return *key_;
}

CircuitRows Terminal::rows(std::span<const KoalaBear> limbs, const rollup::BundleStatement& bundle,
                           const Proof& wrapped) const {
    QUARRY_CHECK(log_profile_of(limbs.size()) == log_profile_);
    return terminal_rows(*wrap_, wrap_->proving_key().verifying_key().preprocessed_root, catalog().keys().digest(),
                         limbs, bundle, wrapped);
}

std::vector<LastKey> last_keys(const Catalog& catalog) {
    const auto wrap = std::make_shared<const Wrap>(catalog);
    std::vector<LastKey> keys{{"wrap", wrap->circuit().digest(), {}}};
    auto at = keys.front().root.begin();
    for (const KoalaBear x : wrap->proving_key().verifying_key().preprocessed_root) {
        for (unsigned shift = 32; shift > 0; shift -= 8)
            *at++ = static_cast<std::uint8_t>(x.canonical() >> (shift - 8));
    }
    for (const unsigned log_profile : {0U, 2U, 4U}) {
        const Terminal terminal(wrap, log_profile);
        const Bytes32 root = terminal.proving_key().verifying_key().preprocessed_root;
        keys.push_back({"terminal of " + std::to_string(1U << log_profile), terminal.circuit().digest(), {}});
        std::ranges::copy(root, keys.back().root.begin());
    }
    return keys;
}

Proof wrap_bundle(const Terminal& terminal, const rollup::BundleStatement& bundle, const NodeProof& proof) {
    const Digest digest = rollup::digest(bundle);
    return prove_wrap(terminal.wrap(), terminal.wrap().rows(digest, proof), digest);
}

std::vector<std::uint8_t> prove_terminal(const Terminal& terminal, const CircuitRows& rows,
                                         std::span<const KoalaBear> limbs, ProvePhases* phases,
                                         std::function<double()> now) {
    KeccakProveOptions options;
    options.key = &terminal.proving_key();
    options.protocol = kTerminalProtocol;
    options.security_bits = terminal.security_bits();
    options.phases = phases;
    options.now = std::move(now);
    return encode_keccak_proof(terminal.circuit(), prove_rows(terminal.circuit(), terminal.shape_heights(), rows,
                                                              terminal_statement(limbs), options));
}

Status verify_terminal(const Terminal& terminal, const KeccakVerifyingKey& key, std::span<const KoalaBear> limbs,
                       std::span<const std::uint8_t> proof) {
    QUARRY_TRY(check_limbs(limbs));
    if (log_profile_of(limbs.size()) != terminal.log_profile()) return Error{Errc::bad_length, "profile"};
    QUARRY_TRY_ASSIGN(const KeccakProof decoded,
                      decode_keccak_proof(terminal.circuit(), heights_of(terminal.shape_heights()), proof,
                                          terminal.security_bits(), &key, kTerminalProtocol));
    return verify(terminal.circuit(), decoded, terminal_statement(limbs), terminal.security_bits(), &key,
                  kTerminalProtocol);
}

}  // namespace quarry::recursion
