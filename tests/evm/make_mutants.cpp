#include "tests/evm/terminal_mutants.hpp"

#include <algorithm>
#include <stdexcept>

#include "quarry/codegen/verifier_programs.hpp"
#include "quarry/iop/keccak_transcript.hpp"
#include "quarry/proof/keccak_wire.hpp"

namespace quarry::evm {
namespace {

constexpr std::size_t kElement = 4, kExt = 20, kDigest = 32, kNonce = 8;
constexpr std::size_t kLayerEnd = 4 * kExt;

class Numbers {
  public:
    std::uint64_t next() {
        x_ ^= x_ >> 12;
        x_ ^= x_ << 25;
        x_ ^= x_ >> 27;
        return x_ * 0x2545f4914f6cdd1dULL;
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 16) % n); }

  private:
    std::uint64_t x_ = 0x6d7574616e7473ULL;
};

/// Where the parts of a proof lie.
struct Places {
    struct Round {
        std::size_t sumcheck, sumcheck_size;  ///< bytes
        std::size_t root, value;              ///< not of the last one
        std::size_t last_vector, last_vector_size;
        std::size_t nonce;
        unsigned work_bits;
    };
    struct Oracle {
        std::size_t cap, cap_size, rows, row_size, path_size, queries;
    };
    std::size_t gkr_root;
    std::vector<std::size_t> layers;  ///< layer j at index j - 1: j rounds, then four elements
    std::size_t zerocheck, zerocheck_size, values, values_size;
    std::size_t zerocheck_rounds, num_deltas;
    std::vector<Round> rounds;
    std::size_t last_sumcheck, last_sumcheck_size;
    std::vector<Oracle> oracles;
};

Places find_places(const recursion::Terminal& terminal) {
    const Heights heights = recursion::heights_of(terminal.shape_heights());
    const auto v = codegen::trace_verifier(terminal.circuit(), heights);
    const WhirParameters parameters = generate_parameters(kTerminalProtocol, v.log_size, terminal.security_bits());
    const StackLayout layout =
        make_stack_layout(terminal.circuit(), heights, kTerminalProtocol.log_stack_lanes).value();
    Places p{};
    std::size_t at = kDigest;
    const auto take = [&](std::size_t size) {
        at += size;
        return at - size;
    };
    p.gkr_root = take(kLayerEnd);
    for (unsigned j = 1; j < v.log_fractions; ++j) p.layers.push_back(take(2 * kExt * j + kLayerEnd));
    p.zerocheck_size = kExt * v.degree * v.log_rows;
    p.zerocheck = take(p.zerocheck_size);
    p.zerocheck_rounds = v.log_rows;
    p.num_deltas = v.num_deltas;
    p.values_size = kExt * v.num_values;
    p.values = take(p.values_size);
    for (std::size_t i = 0; i < parameters.rounds.size(); ++i) {
        const WhirRound& r = parameters.rounds[i];
        const bool last = i + 1 == parameters.rounds.size();
        Places::Round round{};
        round.sumcheck_size = 2 * kExt * r.log_lanes;
        round.sumcheck = take(round.sumcheck_size);
        if (last) {
            round.last_vector_size = kExt << parameters.log_final;
            round.last_vector = take(round.last_vector_size);
        } else {
            round.root = take(kDigest);
            round.value = take(kExt);
        }
        round.nonce = take(kNonce);
        round.work_bits = r.grinding_bits;
        p.rounds.push_back(round);
    }
    p.last_sumcheck_size = 2 * kExt * parameters.log_final;
    p.last_sumcheck = take(p.last_sumcheck_size);
    for (const OracleShape& shape : whir_oracles(parameters, layout.lanes_of_parts())) {
        const std::size_t queries = parameters.rounds[shape.round].num_queries;
        const bool known = p.oracles.empty();
        const unsigned log_cap = known ? KeccakPolicy::kLogKeyCap : KeccakPolicy::log_cap(queries);
        Places::Oracle oracle{};
        oracle.cap_size = known ? 0 : kDigest << log_cap;
        oracle.cap = take(oracle.cap_size);
        oracle.row_size = kElement * shape.width;
        oracle.path_size = kDigest * (shape.log_rows - log_cap);
        oracle.queries = queries;
        oracle.rows = take(queries * (oracle.row_size + oracle.path_size));
        p.oracles.push_back(oracle);
    }
    return p;
}

std::uint32_t word_at(const ByteString& bytes, std::size_t place) {
    std::uint32_t x = 0;
    for (std::size_t k = 0; k < kElement; ++k) x = x << 8 | bytes[place + k];
    return x;
}
void set_word(ByteString& bytes, std::size_t place, std::uint32_t x) {
    for (std::size_t k = 0; k < kElement; ++k) bytes[place + k] = static_cast<std::uint8_t>(x >> (24 - 8 * k));
}
ExtField ext_at(const ByteString& bytes, std::size_t place) {
    ExtField x;
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) x[k] = KoalaBear(word_at(bytes, place + kElement * k));
    return x;
}
void set_ext(ByteString& bytes, std::size_t place, const ExtField& x) {
    for (std::size_t k = 0; k < ExtField::kDegree; ++k) set_word(bytes, place + kElement * k, x[k].canonical());
}

class Maker {
  public:
    Maker(const Verifier& verifier, const Fixture& base)
        : profile_(1U << verifier.terminal().log_profile()),
          base_(base),
          places_(find_places(verifier.terminal())),
          key_digest_(digest_of(verifier)) {}

    std::vector<Mutant> make() {
        lengths();
        limbs();
        messages();
        believed();
        openings();
        work();
        return std::move(mutants_);
    }

  private:
    static Bytes32 digest_of(const Verifier& verifier) {
        const recursion::Terminal& terminal = verifier.terminal();
        const Heights heights = recursion::heights_of(terminal.shape_heights());
        const StackLayout layout =
            make_stack_layout(terminal.circuit(), heights, kTerminalProtocol.log_stack_lanes).value();
        const WhirParameters parameters =
            generate_parameters(kTerminalProtocol, layout.log_size, terminal.security_bits());
        const std::vector<KoalaBear> limbs(rollup::kTerminalHeadLimbs +
                                           (rollup::kTerminalItemLimbs << terminal.log_profile()));
        return keccak_key_digest(terminal.circuit(), heights, parameters, terminal.security_bits(),
                                 recursion::terminal_statement(limbs), &verifier.key(), kTerminalProtocol);
    }

    void add(const std::string& error, const Fixture& changed) {
        Mutant mutant = difference(profile_, error, base_, changed);
        if (mutant.edits.empty() && mutant.limbs_size == base_.limbs.size() && mutant.proof_size == base_.proof.size())
            throw std::runtime_error("a mutant that is the base");
        mutants_.push_back(std::move(mutant));
    }
    template <class Change>
    void with_proof(const std::string& error, Change change) {
        Fixture changed = base_;
        change(changed.proof);
        add(error, changed);
    }

    /// Another element at a multiple of four from `begin`, canonical.
    void other_element(ByteString& proof, std::size_t begin, std::size_t size) {
        const std::size_t place = begin + kElement * numbers_.below(size / kElement);
        const KoalaBear x = KoalaBear(word_at(proof, place)) + KoalaBear(1 + numbers_.below(1U << 30));
        set_word(proof, place, x.canonical());
    }
    void elements(const std::string& error, std::size_t begin, std::size_t size, std::size_t count) {
        for (; count > 0; --count) {
            with_proof(error, [&](ByteString& proof) { other_element(proof, begin, size); });
        }
        // Two forms that no element has.
        with_proof("NonCanonicalElement", [&](ByteString& proof) {
            set_word(proof, begin + kElement * numbers_.below(size / kElement), KoalaBear::kModulus);
        });
        with_proof("NonCanonicalElement", [&](ByteString& proof) {
            set_word(proof, begin + size - kElement, word_at(proof, begin + size - kElement) + KoalaBear::kModulus);
        });
    }
    void bits(const std::string& error, std::size_t begin, std::size_t size, std::size_t count) {
        for (; count > 0; --count) {
            with_proof(error, [&](ByteString& proof) {
                proof[begin + numbers_.below(size)] ^= static_cast<std::uint8_t>(1U << numbers_.below(8));
            });
        }
    }

    void lengths() {
        for (const std::size_t size : {std::size_t{0}, base_.proof.size() - 1, base_.proof.size() - kExt,
                                       base_.proof.size() + 1, base_.proof.size() + kDigest}) {
            with_proof("WrongProofLength", [&](ByteString& proof) { proof.resize(size); });
        }
        for (const std::size_t size :
             {std::size_t{0}, base_.limbs.size() - 2, base_.limbs.size() + 2, base_.limbs.size() + kDigest}) {
            Fixture changed = base_;
            changed.limbs.resize(size);
            add("WrongLimbsLength", changed);
        }
    }

    void limbs() {
        for (std::size_t i = 0; i < 120; ++i) {
            Fixture changed = base_;
            changed.limbs[numbers_.below(changed.limbs.size())] ^= static_cast<std::uint8_t>(1U << numbers_.below(8));
            const bool canonical = recursion::check_limbs(unpack_limbs(changed.limbs)).ok();
            add(canonical ? "BusImbalance" : "NonCanonicalDigest", changed);
        }
        // Each element of a digest plus p, which is the same element: domain to the effects' point, first and last
        // item.
        constexpr std::size_t kHead = 8, kItem = 1058;
        for (const std::size_t item : {std::size_t{0}, static_cast<std::size_t>(profile_ - 1)}) {
            for (const std::size_t digest : {0U, 86U, 200U, 256U, 312U, 382U, 484U, 586U, 688U, 790U, 892U, 994U}) {
                const std::size_t place = kHead + item * kItem + digest + kElement * numbers_.below(8);
                Fixture changed = base_;
                const std::uint32_t swapped = word_at(changed.limbs, place);
                const std::uint32_t x = (swapped << 16 | swapped >> 16) + KoalaBear::kModulus;
                set_word(changed.limbs, place, x << 16 | x >> 16);
                add("NonCanonicalDigest", changed);
            }
        }
    }

    void messages() {
        bits("BusImbalance", 0, kDigest, 8);
        elements("BusImbalance", places_.gkr_root, kLayerEnd, 12);
        for (std::size_t j = 1; j <= places_.layers.size(); ++j) {
            elements("LayerMismatch", places_.layers[j - 1], 2 * kExt * j, 4);
            elements("LayerMismatch", places_.layers[j - 1] + 2 * kExt * j, kLayerEnd, 3);
        }
        elements("ConstraintMismatch", places_.zerocheck, places_.zerocheck_size, 30);
        elements("ConstraintMismatch", places_.values, places_.values_size, 60);
        for (const Places::Round& round : places_.rounds) {
            elements("WorkMissing", round.sumcheck, round.sumcheck_size, 8);
            if (round.last_vector_size > 0) {
                elements("WorkMissing", round.last_vector, round.last_vector_size, 12);
            } else {
                bits("WorkMissing", round.root, kDigest, 6);
                elements("WorkMissing", round.value, kExt, 4);
            }
            bits("WorkMissing", round.nonce, kNonce, 5);
        }
        elements("ClaimMismatch", places_.last_sumcheck, places_.last_sumcheck_size, 24);
    }

    /// What the check that is next lets pass: a later one refuses.
    void believed() {
        const auto zero = [&](std::size_t place) {
            with_proof("ZeroDenominator", [&](ByteString& proof) { set_ext(proof, place, ExtField()); });
        };
        zero(places_.gkr_root + 2 * kExt);
        zero(places_.gkr_root + 3 * kExt);
        // Other numerators with the same sum: p0 + d q0, p1 - d q1.
        const auto shift = [&](const std::string& error, std::size_t place) {
            with_proof(error, [&](ByteString& proof) {
                const ExtField d(KoalaBear(1 + numbers_.below(1000)));
                set_ext(proof, place, ext_at(proof, place) + d * ext_at(proof, place + 2 * kExt));
                set_ext(proof, place + kExt, ext_at(proof, place + kExt) - d * ext_at(proof, place + 3 * kExt));
            });
        };
        for (std::size_t i = 0; i < 3; ++i) {
            shift("LayerMismatch", places_.gkr_root);
            for (std::size_t j = 1; j <= places_.layers.size(); ++j) {
                const bool last = j == places_.layers.size();
                shift(last ? "ConstraintMismatch" : "LayerMismatch", places_.layers[j - 1] + 2 * kExt * j);
            }
        }
    }

    void openings() {
        for (std::size_t o = 0; o < places_.oracles.size(); ++o) {
            const Places::Oracle& oracle = places_.oracles[o];
            const std::size_t size = oracle.row_size + oracle.path_size;
            if (oracle.cap_size > 0) bits("CapMismatch", oracle.cap, oracle.cap_size, 12);
            for (std::size_t q = 0; q < oracle.queries; ++q) {
                const std::size_t row = oracle.rows + q * size;
                elements("PathMismatch", row, oracle.row_size, 1);
                bits("PathMismatch", row + oracle.row_size, oracle.path_size, 1);
            }
            // A row for another query's, with its path.
            with_proof("PathMismatch", [&](ByteString& proof) {
                const auto first = proof.begin() + static_cast<std::ptrdiff_t>(oracle.rows);
                std::swap_ranges(first, first + static_cast<std::ptrdiff_t>(size),
                                 first + static_cast<std::ptrdiff_t>(size));
            });
        }
    }

    /// Work done again: the positions are others, and what was opened does not belong there.
    void work() {
        for (std::size_t i = 0; i < places_.rounds.size(); ++i) {
            const Places::Round& round = places_.rounds[i];
            const auto ground = [&](auto change) {
                with_proof("PathMismatch", [&](ByteString& proof) {
                    change(proof);
                    grind(proof, i);
                });
            };
            for (std::size_t k = 0; k < 2; ++k) {
                ground([&](ByteString& proof) { other_element(proof, round.sumcheck, round.sumcheck_size); });
                if (round.last_vector_size > 0) {
                    ground([&](ByteString& proof) { other_element(proof, round.last_vector, round.last_vector_size); });
                } else {
                    ground([&](ByteString& proof) { proof[round.root + 7 + k] ^= 1; });
                    ground([&](ByteString& proof) { other_element(proof, round.value, kExt); });
                }
            }
        }
    }

    /// The nonce of round `i` for what stands before it. Everything up to there as in the proof.
    void grind(ByteString& proof, std::size_t i) const {
        KeccakTranscript t;
        t.absorb(key_digest_);
        for (const PublicTuple& tuple : recursion::terminal_statement(unpack_limbs(base_.limbs)).tuples) {
            for (const KoalaBear x : tuple.tuple) t.absorb(x);
        }
        std::size_t at = 0;
        const auto absorb = [&](std::size_t size) {
            t.absorb(std::span(proof).subspan(at, size));
            at += size;
        };
        const auto rounds = [&](std::size_t count, std::size_t size) {
            for (; count > 0; --count) absorb(size), (void)t.squeeze_ext();
        };
        absorb(kDigest);
        (void)t.squeeze_ext();
        (void)t.squeeze_ext();
        rounds(1, kLayerEnd);
        for (std::size_t j = 1; j <= places_.layers.size(); ++j) {
            (void)t.squeeze_ext();
            rounds(j, 2 * kExt);
            rounds(1, kLayerEnd);
        }
        (void)t.squeeze_ext();
        rounds(places_.zerocheck_rounds, places_.zerocheck_size / places_.zerocheck_rounds);
        absorb(places_.values_size);
        for (std::size_t k = 0; k < places_.num_deltas; ++k) (void)t.squeeze_ext();
        for (std::size_t r = 0; r <= i; ++r) {
            const Places::Round& round = places_.rounds[r];
            rounds(round.sumcheck_size / (2 * kExt), 2 * kExt);
            if (round.last_vector_size > 0) {
                absorb(round.last_vector_size);
            } else {
                rounds(1, kDigest);
                absorb(kExt);
            }
            if (r == i) {
                const std::uint64_t nonce = t.grind(round.work_bits);
                for (std::size_t k = 0; k < kNonce; ++k) {
                    proof[at + k] = static_cast<std::uint8_t>(nonce >> (8 * (kNonce - 1 - k)));
                }
                return;
            }
            std::uint64_t nonce = 0;
            for (std::size_t k = 0; k < kNonce; ++k) nonce = nonce << 8 | proof[at + k];
            if (!t.check_grinding(round.work_bits, nonce)) throw std::runtime_error("the base's own work is missing");
            at += kNonce;
            (void)t.squeeze_indices(places_.oracles[r == 0 ? 0 : r + 1].queries, 1);
            (void)t.squeeze_ext();
        }
    }

    unsigned profile_;
    const Fixture& base_;
    Places places_;
    Bytes32 key_digest_;
    Numbers numbers_;
    std::vector<Mutant> mutants_;
};

}  // namespace

std::vector<Mutant> make_mutants(const Verifier& verifier, const Fixture& base) { return Maker(verifier, base).make(); }

}  // namespace quarry::evm
