#include "quarry/circuits/segment_key.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/circuits/range_table.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/signature/comb_table.hpp"

namespace quarry::circuits::segment_key_test {
namespace {

constexpr auto kRange = static_cast<std::size_t>(SegmentTable::range);
constexpr auto kComb = static_cast<std::size_t>(SegmentTable::comb);

std::string root_text(const Digest& root) {
    std::string text;
    for (const KoalaBear x : root) text += (text.empty() ? "{" : ", ") + std::to_string(x.canonical());
    return text + "},";
}

/// A store in memory that counts.
class TestStore : public KeyStore {
  public:
    std::optional<std::vector<std::uint8_t>> read(const std::string& name) override {
        ++reads;
        const auto at = files.find(name);
        return at == files.end() ? std::nullopt : std::optional(at->second);
    }
    void write(const std::string& name, std::span<const std::uint8_t> bytes) override {
        ++writes;
        files[name] = {bytes.begin(), bytes.end()};
    }
    std::map<std::string, std::vector<std::uint8_t>> files;
    int reads = 0, writes = 0;
};

void expect_pinned(unsigned log_size) {
    const Heights heights = heights_of_segment_size(log_size);
    const Digest root = ProvingKey(segment_preprocessed(heights)).verifying_key().preprocessed_root;
    for (const unsigned bits : kSecurityLevels) {
        const VerifyingKey& key = segment_verifying_key(heights, bits);
        EXPECT_EQ(key.preprocessed_root, root) << log_size << ": " << root_text(root);
        EXPECT_EQ(key.security_bits, bits);
        EXPECT_EQ(key.log_size, log_size);
        EXPECT_EQ(key.circuit_digest, segment_circuit().digest());
        // one root for both levels, because their first codes are the same
        const WhirRound round = generate_whir_parameters(log_size, security_target(bits)).rounds.front();
        EXPECT_EQ(round.log_message, log_size - kLogStackLanes);
        EXPECT_EQ(round.log_inv_rate, 1U);
    }
}
TEST(SegmentKey, TheSmallestRootIsPinned) { expect_pinned(kMinSegmentLogSize); }
TEST(SegmentKey, RootsArePinnedSlow) {
    for (unsigned n = kMinSegmentLogSize + 1; n <= kMaxLogStack; ++n) expect_pinned(n);
}

TEST(SegmentKey, CellsAreTheCombsAndTheNumbers) {
    const PreprocessedTrace trace = segment_preprocessed(heights_of_segment_size(kMinSegmentLogSize));
    EXPECT_EQ(trace.layout().preprocessed_lanes, 25U);
    for (const std::size_t r : {std::size_t{0}, std::size_t{300}, std::size_t{8191}}) {
        EXPECT_EQ(trace.column(kComb, 0)[r], comb_rows()[r].window);
        EXPECT_EQ(trace.column(kComb, 1)[r], comb_rows()[r].base);
        EXPECT_EQ(trace.column(kComb, 2)[r], comb_rows()[r].less_before);
        EXPECT_EQ(trace.column(kComb, 3)[r], comb_rows()[r].entry[0].point.x[0]);
        EXPECT_EQ(trace.column(kComb, 194)[r], comb_rows()[r].entry[7].high);
    }
    for (const std::uint32_t v : {0U, 255U, 256U, 0x1effU, 0x1f00U, 0x1fffU}) {
        EXPECT_EQ(trace.column(kRange, 0)[v], KoalaBear(v));
        EXPECT_EQ(trace.column(kRange, 1)[v], KoalaBear(v >> 8));
        EXPECT_EQ(trace.column(kRange, 2)[v], KoalaBear(v < 0x1f00 ? 0x6000 + v : 0));
    }
}

// A key from the store opens as the one that was hashed; what does not lead to the root is made again.
TEST(SegmentKey, AStoreSavesHashingAndCannotLieSlow) {
    const Heights heights = heights_of_segment_size(kMinSegmentLogSize);
    const ProvingKey whole(segment_preprocessed(heights));
    const auto store = std::make_shared<TestStore>();
    const auto first_use = [&] {
        SegmentKeys keys;
        keys.use_store(store);
        const ProvingKey& key = keys.proving_key(heights, 100);
        EXPECT_EQ(&keys.proving_key(heights, 100), &key);
        EXPECT_EQ(key.verifying_key(), whole.verifying_key());
        for (const std::size_t row : {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{77777}}) {
            const Opening a = key.commitment().open(row);
            const Opening b = whole.commitment().open(row);
            EXPECT_EQ(a.row, b.row);
            EXPECT_EQ(a.path, b.path);
        }
    };
    first_use();
    EXPECT_EQ(store->writes, 1);
    ASSERT_EQ(store->files.size(), 1U);
    EXPECT_EQ(store->files.begin()->second.size(), 32U << 12);
    first_use();
    EXPECT_EQ(store->reads, 2);
    EXPECT_EQ(store->writes, 1);
    const auto honest = store->files.begin()->second;
    const auto damaged = [&](auto change) {
        store->files.begin()->second = honest;
        change(store->files.begin()->second);
        const int before = store->writes;
        first_use();
        EXPECT_EQ(store->writes, before + 1);
        EXPECT_EQ(store->files.begin()->second, honest);
    };
    damaged([](auto& bytes) { bytes[40000] ^= 1; });
    damaged([](auto& bytes) { bytes.resize(bytes.size() - 1); });
}

// A verifier needs no key: the cap from the store, which has it once some process has made it.
TEST(SegmentKey, AStoreHasTheCapAndCannotLieSlow) {
    const Heights heights = heights_of_segment_size(kMinSegmentLogSize);
    const Digest root = segment_verifying_key(heights, 100).preprocessed_root;
    const auto store = std::make_shared<TestStore>();
    const auto first_use = [&] {
        SegmentKeys keys;
        keys.use_store(store);
        const KeyCap* cap = keys.cap(heights);
        ASSERT_NE(cap, nullptr);
        EXPECT_EQ(keys.cap(heights), cap);
        EXPECT_EQ(cap->root(), root);
        EXPECT_EQ(cap->height(), 12U);  // a node for each 32 of 2^17 rows
    };
    first_use();
    EXPECT_EQ(store->writes, 2);
    const auto file = std::ranges::find_if(store->files, [](const auto& f) { return f.first.ends_with(".cap"); });
    ASSERT_NE(file, store->files.end());
    EXPECT_EQ(file->second.size(), 32U << 12);
    const auto honest = file->second;
    store->reads = 0;
    first_use();
    EXPECT_EQ(store->reads, 1);
    EXPECT_EQ(store->writes, 2);
    const auto damaged = [&](auto change) {
        change(file->second);
        const int before = store->writes;
        first_use();
        EXPECT_EQ(store->writes, before + 1);  // the cap alone, from the stored key
        EXPECT_EQ(file->second, honest);
    };
    damaged([](auto& bytes) { bytes[40000] ^= 1; });
    damaged([](auto& bytes) { bytes[3] = 0xff; });  // not canonical
    damaged([](auto& bytes) { bytes.resize(bytes.size() / 2); });
}

TEST(SegmentKey, ACapIsOfItsSizeAndOfAKeyThatIsThereSlow) {
    SegmentKeys keys;
    const Heights heights = heights_of_segment_size(kMinSegmentLogSize + 2);
    const ProvingKey& key = keys.proving_key(heights, 120);
    const KeyCap* cap = keys.cap(heights);
    ASSERT_NE(cap, nullptr);
    EXPECT_EQ(cap->height(), kLogSegmentCap);
    EXPECT_TRUE(std::ranges::equal(cap->level(kLogSegmentCap), key.commitment().level(kLogSegmentCap)));
    EXPECT_NE(keys.cap(heights_of_segment_size(kMinSegmentLogSize)), cap);
}

TEST(SegmentKey, ForeignHeightsGetAKeyThatIsRefused) {
    Heights heights = heights_of_segment_size(kMinSegmentLogSize);
    heights.pop_back();
    const VerifyingKey& key = segment_verifying_key(heights, 100);
    EXPECT_EQ(key.circuit_digest, segment_circuit().digest());
    EXPECT_EQ(segment_verifying_key({}, 77), key);
    Proof proof{100, heights, {}, {}};
    EXPECT_EQ(verify(segment_circuit(), proof, {}, 100, &key).error().code, Errc::bad_shape);
    // Nothing is computed for them.
    SegmentKeys keys;
    EXPECT_EQ(keys.cap(heights), nullptr);
    // Heights that the tables allow, but whose stack is smaller than any segment's.
    Heights low = heights_of_segment_size(kMinSegmentLogSize);
    low[static_cast<std::size_t>(SegmentTable::schedule)] = kMinLogHeight;
    ASSERT_LT(make_stack_layout(segment_circuit(), low).value().log_size, kMinSegmentLogSize);
    EXPECT_EQ(segment_verifying_key(low, 100), key);
    const Proof small{100, low, {}, {}};
    EXPECT_EQ(verify(segment_circuit(), small, {}, 100, &key).error().code, Errc::wrong_key);
    EXPECT_EQ(keys.cap(low), nullptr);
    EXPECT_EQ(keys.cap({}), nullptr);
    EXPECT_EQ(keys.cap(Heights(kSegmentTables, 40)), nullptr);
}

}  // namespace
}  // namespace quarry::circuits::segment_key_test
