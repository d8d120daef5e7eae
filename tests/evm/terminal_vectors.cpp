// Makes the kept terminal proofs of contracts/test/vectors; tests/evm/make_terminal_vectors.sh calls it.
//
//   terminal_vectors fixtures SOURCE_FOLDER TERMINAL_PROOF...     kept proofs, of files that `quarry terminal` wrote
//   terminal_vectors mutants SOURCE_FOLDER BUNDLE                 mutants of them; BUNDLE: of the one for one batch
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "quarry/node/terminal_proof.hpp"
#include "quarry/proof/keccak_wire.hpp"
#include "quarry/recursion/prove_rows.hpp"
#include "tests/evm/terminal_fixture.hpp"
#include "tests/evm/terminal_mutants.hpp"

namespace {

using namespace quarry;
using namespace quarry::evm;

/// Files as `quarry terminal` writes them.
void write_fixtures(const std::string& source_folder, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        const auto file = node::parse_terminal_proof(read_bytes(path));
        if (!file) throw std::runtime_error(path + " is no terminal proof");
        const auto limbs = node::terminal_limbs(file.value().bundle, file.value().log_profile);
        if (!limbs) throw std::runtime_error(path + " says nothing that can be");
        const unsigned profile = 1U << file.value().log_profile;
        write_bytes(fixture_path(source_folder, profile, "limbs"), pack_limbs(limbs.value()));
        write_bytes(fixture_path(source_folder, profile, "proof"), file.value().proof);
    }
}

/// A prover that changes one message and goes on as if it were true: openings and work fit what it said.
class LyingProver {
  public:
    LyingProver(const recursion::Terminal& terminal, const std::string& bundle_path) : terminal_(terminal) {
        const auto file = node::parse_node_proof(read_bytes(bundle_path));
        if (!file) throw std::runtime_error(bundle_path + " is no bundle");
        const auto& content = std::get<node::BundleContent>(file.value().statement);
        const auto child = node::decode(terminal.catalog(), file.value());
        if (!child) throw std::runtime_error(bundle_path + " cannot be read");
        limbs_ = node::terminal_limbs(content, terminal.log_profile()).value();
        const Proof wrapped =
            recursion::wrap_bundle(terminal, content.statement(), {file.value().node_kind, child.value()});
        rows_ = terminal.rows(limbs_, content.statement(), wrapped);
    }
    /// `occurrence`: of messages with this label, which one.
    [[nodiscard]] Fixture prove(const std::string& label, std::size_t occurrence) const {
        KeccakProveOptions options;
        options.key = &terminal_.proving_key();
        options.protocol = kTerminalProtocol;
        options.security_bits = terminal_.security_bits();
        std::size_t seen = 0;
        options.tamper = [&](const char* name, std::span<KoalaBear> message) {
            if (name == label && seen++ == occurrence) message[0] += KoalaBear(1);
        };
        const auto proof = recursion::prove_rows(terminal_.circuit(), terminal_.shape_heights(), rows_,
                                                 recursion::terminal_statement(limbs_), options);
        return {pack_limbs(limbs_), encode_keccak_proof(terminal_.circuit(), proof)};
    }

  private:
    const recursion::Terminal& terminal_;
    std::vector<KoalaBear> limbs_;
    recursion::CircuitRows rows_;
};

/// Throws if the native verifier takes one, or refuses it for another reason than the contract, or refuses the base.
void check(const Verifier& verifier, const Fixture& base, const std::vector<Mutant>& mutants) {
    if (!verifier.verify(base.limbs, base.proof)) throw std::runtime_error("the kept proof is refused");
    for (std::size_t i = 0; i < mutants.size(); ++i) {
        const Fixture changed = apply(base, mutants[i]);
        const Status status = verifier.verify(changed.limbs, changed.proof);
        const std::string mutant = "mutant " + std::to_string(i) + " is ";
        if (status.ok()) throw std::runtime_error(mutant + "accepted");
        if (status.error().code != native_code(mutants[i].selector))
            throw std::runtime_error(mutant + "refused for another reason: " + errc_name(status.error().code));
    }
}

void write_mutants(const std::string& source_folder, const std::string& bundle_path) {
    constexpr std::size_t kEveryOfLarge = 5;
    const auto* catalog = node::find_catalog();
    if (catalog == nullptr) throw std::runtime_error("the pinned keys are not this program's");
    const auto wrap = std::make_shared<const recursion::Wrap>(*catalog);
    std::vector<Mutant> all;
    for (const unsigned log_profile : {4U, 2U}) {
        const Verifier verifier(wrap, log_profile, source_folder);
        const Fixture base = read_fixture(source_folder, 1U << log_profile);
        std::vector<Mutant> some;
        const auto mutants = make_mutants(verifier, base);
        for (std::size_t i = 0; i < mutants.size(); i += kEveryOfLarge) some.push_back(mutants[i]);
        check(verifier, base, some);
        all.insert(all.end(), some.begin(), some.end());
    }
    const Verifier verifier(wrap, 0, source_folder);
    const Fixture base = read_fixture(source_folder, 1);
    auto mutants = make_mutants(verifier, base);
    const LyingProver liar(verifier.terminal(), bundle_path);
    mutants.push_back(difference(1, "QueryMismatch", base, liar.prove("whir/final", 0)));
    mutants.push_back(difference(1, "ClaimMismatch", base, liar.prove("whir/ood", 1)));
    check(verifier, base, mutants);
    all.insert(all.end(), mutants.begin(), mutants.end());
    write_bytes(mutants_path(source_folder), encode(all));
    std::printf("%zu mutants\n", all.size());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments(argv + 1, argv + argc);
        if (arguments.size() >= 3 && arguments[0] == "fixtures") {
            write_fixtures(arguments[1], {arguments.begin() + 2, arguments.end()});
            return 0;
        }
        if (arguments.size() == 3 && arguments[0] == "mutants") {
            write_mutants(arguments[1], arguments[2]);
            return 0;
        }
        std::fprintf(
            stderr,
            "usage: terminal_vectors fixtures SOURCE_FOLDER TERMINAL_PROOF... | mutants SOURCE_FOLDER BUNDLE\n");
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "terminal_vectors: %s\n", e.what());
        return 1;
    }
}
