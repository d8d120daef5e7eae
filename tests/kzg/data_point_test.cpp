// The value that a data proof claims is the one that Ethereum's point evaluation accepts: c-kzg opens the same blob at
// the same point.

#include <ckzg.h>
#include <cryptopp/sha.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "quarry/rollup/data_statement.hpp"

namespace quarry::rollup::data_point_test {
namespace {

class TrustedSetup {
  public:
    TrustedSetup() {
        const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(QUARRY_TRUSTED_SETUP, "r"), std::fclose);
        loaded_ = file && load_trusted_setup_file(&settings_, file.get(), 0) == C_KZG_OK;
    }
    ~TrustedSetup() {
        if (loaded_) free_trusted_setup(&settings_);
    }
    TrustedSetup(const TrustedSetup&) = delete;
    TrustedSetup& operator=(const TrustedSetup&) = delete;
    [[nodiscard]] const KZGSettings* get() const { return loaded_ ? &settings_ : nullptr; }

  private:
    KZGSettings settings_{};
    bool loaded_ = false;
};
/// Loaded once: it takes seconds.
const KZGSettings* trusted_setup() {
    static const TrustedSetup setup;
    return setup.get();
}

/// Each word behind a zero byte: a canonical element of the blob.
std::unique_ptr<Blob> make_blob(const std::vector<std::uint8_t>& words) {
    auto blob = std::make_unique<Blob>();
    std::fill(std::begin(blob->bytes), std::end(blob->bytes), std::uint8_t{0});
    for (std::size_t i = 0; i < words.size() / kWordBytes; ++i) {
        std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(i * kWordBytes), kWordBytes, blob->bytes + 32 * i + 1);
    }
    return blob;
}

Bytes32 versioned_hash(const KZGCommitment& commitment) {
    Bytes32 hash;
    CryptoPP::SHA256().CalculateDigest(hash.data(), commitment.bytes, sizeof commitment.bytes);
    hash[0] = 0x01;
    return hash;
}

::Bytes32 kzg_bytes(const Bytes32& x) {
    ::Bytes32 r;
    std::copy(x.begin(), x.end(), r.bytes);
    return r;
}

void check_blob(const KZGSettings* settings, const std::vector<std::uint8_t>& words) {
    const auto blob = make_blob(words);
    KZGCommitment commitment;
    ASSERT_EQ(blob_to_kzg_commitment(&commitment, blob.get(), settings), C_KZG_OK);
    L1Address payee;
    payee.bytes[0] = 1;
    const DataStatement s = make_data_statement(DataForm::blob, Digest{}, words, versioned_hash(commitment), payee, 1);

    const ::Bytes32 z = kzg_bytes(scalar_bytes(point_scalar(s.point)));
    KZGProof opening;
    ::Bytes32 y;
    ASSERT_EQ(compute_kzg_proof(&opening, &y, blob.get(), &z, settings), C_KZG_OK);
    EXPECT_TRUE(std::equal(s.value.begin(), s.value.end(), y.bytes));
    bool ok = false;
    const ::Bytes48 commitment_bytes = commitment;
    const ::Bytes48 opening_bytes = opening;
    const ::Bytes32 value = kzg_bytes(s.value);
    ASSERT_EQ(verify_kzg_proof(&ok, &commitment_bytes, &z, &value, &opening_bytes, settings), C_KZG_OK);
    EXPECT_TRUE(ok);
    ::Bytes32 wrong = value;
    wrong.bytes[31] ^= 1;
    ASSERT_EQ(verify_kzg_proof(&ok, &commitment_bytes, &z, &wrong, &opening_bytes, settings), C_KZG_OK);
    EXPECT_FALSE(ok);
}

TEST(DataPoint, IsOpenedByKzgSlow) {
    const KZGSettings* setup = trusted_setup();
    ASSERT_NE(setup, nullptr);
    std::mt19937_64 rng(4844);
    const auto random = [&](std::size_t n) {
        std::vector<std::uint8_t> words(n * kWordBytes);
        for (std::uint8_t& byte : words) byte = static_cast<std::uint8_t>(rng());
        return words;
    };
    for (const std::size_t n : {0, 1, 2, 4095, 4096}) check_blob(setup, random(n));
    check_blob(setup, std::vector<std::uint8_t>(kBlobWords * kWordBytes, 0x00));
    check_blob(setup, std::vector<std::uint8_t>(kBlobWords * kWordBytes, 0xff));
    auto one_at_the_end = std::vector<std::uint8_t>(kBlobWords * kWordBytes, 0x00);
    one_at_the_end.back() = 1;
    check_blob(setup, one_at_the_end);
}

// Total where the barycentric formula has no value: at every kind of root, opened like any other point.
TEST(DataPoint, AtARootOfUnitySlow) {
    const KZGSettings* setup = trusted_setup();
    ASSERT_NE(setup, nullptr);
    std::vector<std::uint8_t> words(7 * kWordBytes);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint8_t>(i + 1);
    const auto blob = make_blob(words);
    for (const std::size_t i : {std::size_t{0}, std::size_t{6}, std::size_t{7}, std::size_t{4095}}) {
        const BlsScalar root = blob_roots()[i];
        const ::Bytes32 z = kzg_bytes(scalar_bytes(root));
        KZGProof opening;
        ::Bytes32 y;
        ASSERT_EQ(compute_kzg_proof(&opening, &y, blob.get(), &z, setup), C_KZG_OK);
        const Bytes32 value = scalar_bytes(evaluate_blob(words, root));
        EXPECT_TRUE(std::equal(value.begin(), value.end(), y.bytes)) << i;
    }
}

}  // namespace
}  // namespace quarry::rollup::data_point_test
