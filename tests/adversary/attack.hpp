#pragma once
// What the tests of ADVERSARIAL.md share: a proof to attack, and the pieces of dishonest provers and of a verifier that
// goes on after a failed check and tells what it saw.
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quarry/proof/testing_circuit.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::adversary {

using FileBytes = std::vector<std::uint8_t>;

inline std::string name_of(const Status& s) { return s.ok() ? "ok" : errc_name(s.error().code); }
template <class T>
std::string name_of(const Result<T>& r) {
    return r.ok() ? "ok" : errc_name(r.error().code);
}

/// The cube circuit of quarry/proof/testing_circuit.hpp with its honest proof.
struct Cubes {
    Circuit circuit{"cubes", quarry::testing::cube_tables()};
    quarry::testing::CubeSystem system = quarry::testing::make_cube_system(circuit);
    Proof proof = prove(circuit, system.trace, system.statement);
    FileBytes file = encode_proof(circuit, proof, system.statement);

    static const Cubes& get() {
        static const Cubes c;
        return c;
    }
    [[nodiscard]] std::string verdict(const Proof& p) const { return name_of(verify(circuit, p, system.statement)); }
    [[nodiscard]] std::string verdict(const FileBytes& bytes) const {
        const auto p = decode_proof(circuit, bytes, system.statement);
        return p.ok() ? verdict(p.value()) : name_of(p);
    }
};

inline Proof prove_lying(const Circuit& circuit, const Trace& trace, const Statement& statement,
                         ProverChannel::Tamper tamper) {
    ProveOptions options;
    options.tamper = std::move(tamper);
    return prove(circuit, trace, statement, options);
}

/// The verifier's arithmetic with checks that are written down and always pass.
struct NotingBackend : NativeBackend {
    struct Check {
        ExtField left, right;
        std::string where;
    };
    std::vector<Check> checks;
    Status require_equal(const E& a, const E& b, Errc /*code*/, const char* where) {
        checks.push_back({a, b, where});
        return Ok{};
    }
    Status require_nonzero(const E& /*a*/, Errc /*code*/, const char* /*where*/) { return Ok{}; }
    /// left - right of the last check at `where`; fails loudly if there is none.
    [[nodiscard]] ExtField gap(const std::string& where) const {
        for (std::size_t i = checks.size(); i-- > 0;) {
            if (checks[i].where == where) return checks[i].left - checks[i].right;
        }
        throw std::logic_error("no check at " + where);
    }
};
template <class Rows, class Paths>
Status require_merkle(NotingBackend& /*backend*/, const Digest& /*root*/,
                      const std::vector<QueryIndex<NativeBackend>>& /*positions*/, const Rows& /*rows*/,
                      const Paths& /*paths*/) {
    return Ok{};
}

/// A channel whose challenges can be changed and whose nonces need no work.
class LooseChannel {
  public:
    LooseChannel(NativeVerifierChannel channel, bool needs_work) : channel_(channel), needs_work_(needs_work) {}
    /// Adds 1 to challenge number `target`, or moves that position by one.
    void disturb(std::size_t target) { target_ = target; }

    KoalaBear receive() { return channel_.receive(); }
    ExtField receive_ext() { return channel_.receive_ext(); }
    Digest receive_digest() { return channel_.receive_digest(); }
    ExtField challenge() {
        last = channel_.challenge();
        return count++ == target_ ? last + ExtField(KoalaBear(1)) : last;
    }
    std::vector<QueryIndex<NativeBackend>> challenge_indices(std::size_t num_indices, unsigned bits) {
        std::vector<QueryIndex<NativeBackend>> indices = channel_.challenge_indices(num_indices, bits);
        for (QueryIndex<NativeBackend>& q : indices) {
            if (count++ != target_) continue;
            q.value ^= 1;
            q.bits[0] = KoalaBear(1) - q.bits[0];
        }
        return indices;
    }
    Status check_grinding(unsigned bits, const char* where) {
        const Status s = channel_.check_grinding(bits, where);
        return needs_work_ ? s : Status(Ok{});
    }
    [[nodiscard]] Status finish() const { return channel_.finish(); }

    std::size_t count = 0;  ///< challenges so far
    ExtField last;

  private:
    NativeVerifierChannel channel_;
    bool needs_work_;
    std::size_t target_ = ~std::size_t{0};
};

/// Runs the verifier's text on a proof of the right shape with the given backend; returns its verdict.
template <class Backend>
Status run_verifier(Backend& backend, const Circuit& circuit, const Proof& proof, const Statement& statement,
                    const std::function<void(LooseChannel&)>& before, const std::function<void(LooseChannel&)>& after,
                    bool needs_work) {
    const StackLayout layout = make_stack_layout(circuit, proof.heights).value();
    const WhirParameters parameters = generate_whir_parameters(layout.log_size, security_target(proof.security_bits));
    LooseChannel channel(
        NativeVerifierChannel(start_transcript(circuit, proof.heights, parameters, proof.security_bits, statement),
                              proof.stream),
        needs_work);
    if (before) before(channel);
    const Status status =
        verify_proof(backend, channel, circuit, proof.heights, layout, statement, proof.openings, parameters);
    if (after) after(channel);
    return status;
}

/// Every check of the verifier on this proof, whether it holds or not.
inline NotingBackend note(const Circuit& circuit, const Proof& proof, const Statement& statement) {
    NotingBackend backend;
    (void)run_verifier(backend, circuit, proof, statement, nullptr, nullptr, false);
    return backend;
}

/// Adds `lie` to one message: the k-th with this label (five elements each). Lies add up.
struct Lie {
    std::string label;
    std::size_t number;
    ExtField by;
};
inline ProverChannel::Tamper tell(std::vector<Lie> lies) {
    return [lies = std::move(lies), seen = std::vector<std::pair<std::string, std::size_t>>()](
               const char* label, std::span<KoalaBear> message) mutable {
        auto it = std::find_if(seen.begin(), seen.end(), [&](const auto& s) { return s.first == label; });
        if (it == seen.end()) it = seen.insert(seen.end(), {label, 0});
        const std::size_t number = it->second++;
        for (const Lie& lie : lies) {
            if (lie.label != label || lie.number != number) continue;
            for (std::size_t k = 0; k < message.size() && k < ExtField::kDegree; ++k) message[k] += lie.by[k];
        }
    };
}
inline std::size_t count_messages(const Circuit& circuit, const Trace& trace, const Statement& statement,
                                  const std::string& label) {
    std::size_t n = 0;
    (void)prove_lying(circuit, trace, statement,
                      [&](const char* l, std::span<KoalaBear>) { n += label == l ? 1U : 0U; });
    return n;
}

}  // namespace quarry::adversary
