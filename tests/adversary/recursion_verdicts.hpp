#pragma once
// What two verifiers say about one proof, check by check: the native one with checks that are written down and never
// stop it, and the circuit's rows, of which each check is a row that compares.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "quarry/circuits/rows.hpp"
#include "quarry/hash/merkle.hpp"
#include "quarry/recursion/layout.hpp"
#include "quarry/recursion/verifier_backend.hpp"

namespace quarry::adversary {

/// Whether each check holds, in the order of the verifier's text.
struct Verdicts {
    std::vector<bool> equal;    ///< require_equal
    std::vector<bool> nonzero;  ///< require_nonzero, and what is inverted
    std::vector<bool> paths;    ///< one for each opened row
    std::vector<bool> work;     ///< one for each nonce
    friend bool operator==(const Verdicts&, const Verdicts&) = default;
    [[nodiscard]] bool all() const {
        const auto holds = [](const std::vector<bool>& v) { return std::ranges::all_of(v, [](bool b) { return b; }); };
        return holds(equal) && holds(nonzero) && holds(paths) && holds(work);
    }
};

struct ListingBackend : NativeBackend {
    Verdicts verdicts;
    E inverse(const E& x) {
        verdicts.nonzero.push_back(!x.is_zero());
        return x.inverse();
    }
    Status require_equal(const E& a, const E& b, Errc /*code*/, const char* /*where*/) {
        verdicts.equal.push_back(a == b);
        return Ok{};
    }
    Status require_nonzero(const E& a, Errc /*code*/, const char* /*where*/) {
        verdicts.nonzero.push_back(!a.is_zero());
        return Ok{};
    }
};
/// All paths of an oracle at once.
template <class Rows, class Paths>
Status require_merkle(ListingBackend& backend, const Digest& root,
                      const std::vector<QueryIndex<NativeBackend>>& positions, const Rows& rows, const Paths& paths) {
    const std::size_t n = rows.size();
    const std::size_t width = rows[0].size();
    const std::size_t stride = (width + 7) / 8 * 8;
    std::vector<KoalaBear> cells(n * stride);
    for (std::size_t j = 0; j < n; ++j)
        std::ranges::copy(rows[j], cells.begin() + static_cast<std::ptrdiff_t>(j * stride));
    std::vector<Digest> nodes(n);
    PoseidonHasher::hash_rows(cells.data(), n, width, stride, nodes.data());
    std::vector<Digest> children(2 * n);
    for (std::size_t level = 0; level < paths[0].size(); ++level) {
        for (std::size_t j = 0; j < n; ++j) {
            const std::size_t right = positions[j].value >> level & 1;
            children[2 * j + right] = nodes[j];
            children[2 * j + 1 - right] = paths[j][level];
        }
        PoseidonHasher::compress_pairs(children.data(), nodes.data(), n);
    }
    for (const Digest& node : nodes) backend.verdicts.paths.push_back(node == root);
    return Ok{};
}

/// A channel that writes down whether each nonce is good, and every challenge.
class ListingChannel {
  public:
    ListingChannel(NativeVerifierChannel channel, ListingBackend& backend) : channel_(channel), backend_(&backend) {}
    KoalaBear receive() { return channel_.receive(); }
    ExtField receive_ext() { return channel_.receive_ext(); }
    Digest receive_digest() {
        challenges_before_digest.push_back(challenges.size());
        return channel_.receive_digest();
    }
    ExtField challenge() {
        challenges.push_back(channel_.challenge());
        return challenges.back();
    }
    std::vector<QueryIndex<NativeBackend>> challenge_indices(std::size_t count, unsigned bits) {
        return channel_.challenge_indices(count, bits);
    }
    Status check_grinding(unsigned bits, const char* where) {
        backend_->verdicts.work.push_back(channel_.check_grinding(bits, where).ok());
        return Ok{};
    }
    [[nodiscard]] Status finish() const { return channel_.finish(); }

    std::vector<ExtField> challenges;
    std::vector<std::size_t> challenges_before_digest;  ///< how many there were when each root came

  private:
    NativeVerifierChannel channel_;
    ListingBackend* backend_;
};

/// Every check of the native verifier on a proof of the right shape. `on_end` sees the channel.
template <class OnEnd>
Verdicts native_verdicts(const Circuit& circuit, const Proof& proof, const Statement& statement,
                         const VerifyingKey* key, OnEnd on_end) {
    const StackLayout layout = make_stack_layout(circuit, proof.heights).value();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(proof.security_bits));
    ListingBackend backend;
    ListingChannel channel(
        NativeVerifierChannel(start_transcript(circuit, proof.heights, parameters, proof.security_bits, statement, key),
                              proof.stream),
        backend);
    const Status status = verify_proof(backend, channel, circuit, proof.heights, layout, statement, proof.openings,
                                       parameters, key_digests(circuit, key).preprocessed_root);
    QUARRY_CHECK(status.ok());
    on_end(channel);
    return backend.verdicts;
}
inline Verdicts native_verdicts(const Circuit& circuit, const Proof& proof, const Statement& statement,
                                const VerifyingKey* key = nullptr) {
    return native_verdicts(circuit, proof, statement, key, [](const ListingChannel&) {});
}

/// Whether two witnesses are of one circuit: all that is preprocessed is the same.
inline bool is_same_circuit(const recursion::CircuitRows& a, const recursion::CircuitRows& b) {
    const auto same = [](const auto& x, const auto& y) {
        using Fixed = typename std::remove_cvref_t<decltype(x)>::Fixed;
        static const auto offsets = circuits::cell_offsets<Fixed>();
        static_assert(sizeof(Fixed) % sizeof(KoalaBear) == 0);
        QUARRY_CHECK(offsets.size() * sizeof(KoalaBear) == sizeof(Fixed));  // nothing but cells
        return x.fixed.size() == y.fixed.size() && x.first == y.first &&
               std::memcmp(x.fixed.data(), y.fixed.data(), x.fixed.size() * sizeof(Fixed)) == 0;
    };
    return same(a.sponge, b.sponge) && same(a.tree, b.tree) && same(a.upper, b.upper) && same(a.cap, b.cap) &&
           same(a.sum, b.sum) && same(a.form, b.form) && same(a.convolution, b.convolution) &&
           same(a.base_fold, b.base_fold) && same(a.extension_fold, b.extension_fold) &&
           same(a.polynomial, b.polynomial) && same(a.power, b.power) && same(a.pack, b.pack) &&
           same(a.digest, b.digest) && same(a.constant, b.constant) && same(a.index, b.index);
}

/// A circuit's wires, from its rows: what each table's interactions put on the buses and take off, every wire with its
/// one writer. Not the constraints within rows: the builder computes rows from each other, so that a proof that is
/// refused shows in what it compares (checked on samples with every constraint).
class WireCheck {
  public:
    WireCheck(const recursion::CircuitRows& rows, const Digest& exposed) : rows_(&rows) {
        read(Kind::sponge, rows.sponge);
        read(Kind::tree, with_results(rows.tree, [](const auto& fixed) { return !fixed.results.is_zero(); }));
        read(Kind::upper, with_results(rows.upper, [](const auto& /*fixed*/) { return true; }));
        read(Kind::cap, rows.cap);
        read(Kind::sum, rows.sum);
        read(Kind::form, rows.form);
        read(Kind::convolution, rows.convolution);
        read(Kind::base_fold, rows.base_fold);
        read(Kind::extension_fold, rows.extension_fold);
        read(Kind::polynomial, rows.polynomial);
        read(Kind::power, rows.power);
        read(Kind::pack, rows.pack);
        read(Kind::digest, rows.digest);
        read(Kind::constant, rows.constant);
        read(Kind::index, rows.index);
        Use world{recursion::kDigestBus, recursion::kPublicDigest, KoalaBear(1), Kind::count, 0, 8, {}};
        std::ranges::copy(exposed, world.values.begin());
        uses_.push_back(world);
        // Buses and addresses index an array below.
        for (const Use& use : uses_) QUARRY_CHECK(use.bus < 4);
        settle();
        settle_upper_nodes();
    }

    /// Every value that is read is the one that was written, and is read as often as the writer says.
    [[nodiscard]] bool accepts() const { return num_bad_ == 0 && are_counts_right_; }
    /// Every wire has one writer: true of every circuit, whatever its witness.
    [[nodiscard]] bool has_single_writers() const { return has_single_writers_; }
    [[nodiscard]] bool are_counts_right() const { return are_counts_right_; }
    /// What the rows that compare say of each of the verifier's checks, and whether anything else is wrong.
    [[nodiscard]] Verdicts verdicts(bool& other_is_wrong) const;

  private:
    using Kind = recursion::TableKind;
    struct Use {
        std::uint32_t bus;
        std::uint32_t address;
        KoalaBear multiplicity;
        Kind kind;
        std::size_t row;
        std::size_t size;
        std::array<KoalaBear, recursion::kBlock> values;
    };
    struct Wire {
        std::array<KoalaBear, recursion::kBlock> values;
        KoalaBear left;  ///< readers to come
        bool is_written = false;
    };
    /// A form of one row's cells. Interactions have no other: checked.
    struct CellForm {
        struct Part {
            std::size_t offset;
            bool is_fixed;
            KoalaBear coefficient;
        };
        KoalaBear constant;
        std::vector<Part> parts;
    };
    struct CellInteraction {
        std::uint32_t bus;
        CellForm multiplicity;
        std::vector<CellForm> tuple;
    };

    /// A node of the upper levels of a tree, and how often a row puts it on their bus.
    struct UpperUse {
        std::array<KoalaBear, 2 + recursion::kBlock> tuple;  ///< level, number, node
        KoalaBear multiplicity;
        Kind kind;
        std::size_t row;
        [[nodiscard]] auto key() const {
            std::array<std::uint32_t, 2 + recursion::kBlock> k;
            for (std::size_t i = 0; i < k.size(); ++i) k[i] = tuple[i].canonical();
            return k;
        }
    };

    /// What a compression gives is written when rows are laid out.
    template <class Definition, class IsRead>
    static recursion::Rows<Definition> with_results(recursion::Rows<Definition> of, IsRead is_read) {
        for (std::size_t r = 0; r < of.rows.size(); ++r) {
            if (!is_read(of.fixed[r])) continue;
            auto& row = of.rows[r];
            Digest left, right;
            std::copy_n(row.in.begin(), left.size(), left.begin());
            std::copy_n(row.in.begin() + recursion::kBlock, right.size(), right.begin());
            row.result = poseidon_compress(left, right);
        }
        return of;
    }
    template <class Definition>
    static std::vector<CellInteraction> compile();
    template <class Definition>
    void read(Kind kind, const recursion::Rows<Definition>& of);
    void settle();
    /// A path ends well if rows lead from its end up to the root.
    void settle_upper_nodes();
    [[nodiscard]] bool holds(Kind kind, std::size_t row) const {
        const auto& bad = bad_[static_cast<std::size_t>(kind)];
        return std::ranges::find(bad, row) == bad.end();
    }

    const recursion::CircuitRows* rows_;
    std::vector<Use> uses_;
    std::vector<UpperUse> upper_uses_;
    std::array<std::vector<std::size_t>, recursion::kTableKinds + 1> bad_;  ///< rows that read something else
    std::size_t num_bad_ = 0;
    bool has_single_writers_ = true, are_counts_right_ = true;
};

template <class Definition>
std::vector<WireCheck::CellInteraction> WireCheck::compile() {
    const Table table = make_table<Definition>(kMinLogHeight);
    const auto row_offsets = circuits::cell_offsets<typename Definition::template Row<KoalaBear>>();
    const auto fixed_offsets = circuits::cell_offsets<typename Definition::template Fixed<KoalaBear>>();
    const auto cell_form = [&](const LinearForm& form) {
        CellForm r{form.constant, {}};
        for (const Term& t : form.terms) {
            const Atom& atom = table.graph.atoms()[t.atom];
            QUARRY_CHECK(atom.kind == Atom::Kind::column);
            const bool is_fixed = atom.column >= row_offsets.size();
            r.parts.push_back({is_fixed ? fixed_offsets[atom.column - row_offsets.size()] : row_offsets[atom.column],
                               is_fixed, t.coefficient});
        }
        return r;
    };
    std::vector<CellInteraction> interactions;
    for (const Interaction& i : table.interactions) {
        CellInteraction compiled{i.bus, cell_form(i.multiplicity), {}};
        for (const LinearForm& f : i.tuple) compiled.tuple.push_back(cell_form(f));
        interactions.push_back(std::move(compiled));
    }
    return interactions;
}

template <class Definition>
void WireCheck::read(Kind kind, const recursion::Rows<Definition>& of) {
    static const std::vector<CellInteraction> interactions = compile<Definition>();
    for (std::size_t r = 0; r < of.rows.size(); ++r) {
        const auto* row = reinterpret_cast<const std::byte*>(&of.rows[r]);
        const auto* fixed = reinterpret_cast<const std::byte*>(&of.fixed[r]);
        const auto value = [&](const CellForm& form) {
            KoalaBear x = form.constant;
            for (const auto& part : form.parts) {
                x +=
                    *reinterpret_cast<const KoalaBear*>((part.is_fixed ? fixed : row) + part.offset) * part.coefficient;
            }
            return x;
        };
        for (const CellInteraction& i : interactions) {
            const KoalaBear multiplicity = value(i.multiplicity);
            if (multiplicity.is_zero()) continue;
            if (i.bus == recursion::kUpperBus) {
                UpperUse use{{}, multiplicity, kind, r};
                QUARRY_CHECK(i.tuple.size() == use.tuple.size());
                std::ranges::transform(i.tuple, use.tuple.begin(), value);
                upper_uses_.push_back(use);
                continue;
            }
            Use use{i.bus, value(i.tuple[0]).canonical(), multiplicity, kind, r, i.tuple.size() - 1, {}};
            for (std::size_t k = 0; k < use.size; ++k) use.values[k] = value(i.tuple[k + 1]);
            uses_.push_back(use);
        }
    }
}

inline void WireCheck::settle() {
    const auto writes = [](const Use& use) { return use.multiplicity.canonical() < KoalaBear::kModulus / 2; };
    // Addresses are dense within each sixteenth of the element's range.
    constexpr unsigned kRegionBits = 28;
    std::array<std::vector<Wire>, 64> regions;
    const auto region = [&](const Use& use) -> std::vector<Wire>& {
        return regions[16 * use.bus + (use.address >> kRegionBits)];
    };
    const auto index = [](const Use& use) { return std::size_t{use.address & ((1U << kRegionBits) - 1)}; };
    for (const Use& use : uses_) {
        if (!writes(use)) continue;
        std::vector<Wire>& wires = region(use);
        if (wires.size() <= index(use)) wires.resize(2 * index(use) + 1024);
        Wire& wire = wires[index(use)];
        has_single_writers_ = has_single_writers_ && !wire.is_written;
        if (!wire.is_written) wire = {use.values, use.multiplicity, true};
    }
    for (const Use& use : uses_) {
        if (writes(use)) continue;
        std::vector<Wire>& wires = region(use);
        const bool exists = index(use) < wires.size() && wires[index(use)].is_written;
        if (!exists || wires[index(use)].values != use.values) {
            bad_[static_cast<std::size_t>(use.kind)].push_back(use.row);
            ++num_bad_;
        }
        if (exists) wires[index(use)].left += use.multiplicity;
        are_counts_right_ = are_counts_right_ && exists;
    }
    for (const auto& wires : regions) {
        for (const Wire& wire : wires) are_counts_right_ = are_counts_right_ && wire.left.is_zero();
    }
}

inline void WireCheck::settle_upper_nodes() {
    // Levels rise from the root down: the row that takes a node is seen before those that take its children.
    std::ranges::sort(upper_uses_, {}, [](const UpperUse& u) { return u.tuple[0].canonical(); });
    std::set<decltype(upper_uses_[0].key())> reached;
    std::set<std::size_t> opened;  // rows of nodes that were reached
    std::map<std::pair<std::uint32_t, std::uint32_t>, KoalaBear> totals;
    for (std::size_t begin = 0; begin < upper_uses_.size();) {
        std::size_t end = begin;
        while (end < upper_uses_.size() && upper_uses_[end].tuple[0] == upper_uses_[begin].tuple[0]) ++end;
        const auto level = std::span(upper_uses_).subspan(begin, end - begin);
        const auto takes = [](const UpperUse& use) { return use.multiplicity == -KoalaBear(1); };
        for (const UpperUse& use : level) {
            const auto key = use.key();
            totals[{key[0], key[1]}] += use.multiplicity;
            const bool is_given = use.kind == Kind::cap || opened.contains(use.row);
            if (!takes(use) && is_given) reached.insert(key);
        }
        for (const UpperUse& use : level) {
            if (!takes(use)) continue;
            if (reached.contains(use.key())) {
                if (use.kind == Kind::upper) opened.insert(use.row);
            } else if (use.kind == Kind::cap) {
                bad_[static_cast<std::size_t>(Kind::cap)].push_back(use.row);
                ++num_bad_;
            }
        }
        begin = end;
    }
    for (const auto& [node, total] : totals) are_counts_right_ = are_counts_right_ && total.is_zero();
}

inline Verdicts WireCheck::verdicts(bool& other_is_wrong) const {
    const KoalaBear compared = -KoalaBear(1);
    Verdicts v;
    std::size_t seen = 0;
    const auto verdict = [&](Kind kind, std::size_t row) {
        const bool ok = holds(kind, row);
        if (!ok) ++seen;
        return ok;
    };
    for (std::size_t r = 0; r < rows_->sum.rows.size(); ++r) {
        const auto& fixed = rows_->sum.fixed[r];
        if (fixed.results != compared) continue;
        // The wire of 0 for equalities, of 1 for inverses.
        QUARRY_CHECK(fixed.result.canonical() < 2);
        (fixed.result.is_zero() ? v.equal : v.nonzero).push_back(verdict(Kind::sum, r));
    }
    for (std::size_t r = 0; r < rows_->tree.rows.size(); ++r) {
        if (rows_->tree.fixed[r].results == compared) v.paths.push_back(verdict(Kind::tree, r));
    }
    // The order of checks is known where all paths end alike.
    QUARRY_CHECK(v.paths.empty() || rows_->cap.rows.empty());
    for (std::size_t r = 0; r < rows_->cap.rows.size(); ++r) {
        if (rows_->cap.fixed[r].sends == compared) v.paths.push_back(verdict(Kind::cap, r));
    }
    std::optional<std::size_t> nonce;
    for (std::size_t r = 0; r < rows_->pack.rows.size(); ++r) {
        const auto& fixed = rows_->pack.fixed[r];
        if (fixed.results != compared || fixed.base.canonical() < recursion::kIndexBits) continue;
        const std::size_t of = (fixed.base.canonical() - recursion::kIndexBits) / recursion::kIndexBitLimit;
        if (nonce != of) v.work.push_back(true);
        nonce = of;
        if (!verdict(Kind::pack, r)) v.work.back() = false;
    }
    other_is_wrong = seen != num_bad_;
    return v;
}

}  // namespace quarry::adversary
