#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "quarry/recursion/terminal.hpp"

/// Kept terminal proofs: contracts/test/vectors/terminal-N.limbs and .proof, N the profile. Limbs as a contract takes
/// them, two bytes each.
namespace quarry::evm {

using ByteString = std::vector<std::uint8_t>;

/// Throws std::runtime_error.
ByteString read_bytes(const std::string& path);
void write_bytes(const std::string& path, const ByteString& bytes);

ByteString pack_limbs(const std::vector<KoalaBear>& limbs);
/// Two bytes a limb; an odd byte at the end is a limb of its own.
std::vector<KoalaBear> unpack_limbs(const ByteString& bytes);

/// What verifies proofs of one profile: its circuit under the pinned key, without making that.
class Verifier {
  public:
    /// `source_folder`: of the repository, whose generated contracts have the key's cap. Throws std::runtime_error if
    /// they have another one.
    Verifier(std::shared_ptr<const recursion::Wrap> wrap, unsigned log_profile, const std::string& source_folder);

    [[nodiscard]] const recursion::Terminal& terminal() const { return terminal_; }
    [[nodiscard]] const KeccakVerifyingKey& key() const { return key_; }
    [[nodiscard]] Status verify(const ByteString& limbs, const ByteString& proof) const;

  private:
    recursion::Terminal terminal_;
    KeccakVerifyingKey key_;
};

struct Fixture {
    ByteString limbs, proof;
};
std::string fixture_path(const std::string& source_folder, unsigned profile, const char* ending);
Fixture read_fixture(const std::string& source_folder, unsigned profile);

}  // namespace quarry::evm
