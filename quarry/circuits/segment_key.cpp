#include "quarry/circuits/segment_key.hpp"

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <utility>

#include "quarry/base/check.hpp"
#include "quarry/circuits/range_table.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/signature/comb_table.hpp"

namespace quarry::circuits {
namespace {

// The roots by log_size, from 23 on. SegmentKey.RootsArePinned* recomputes them and prints those that differ.
constexpr std::array<std::array<std::uint32_t, kDigestSize>, 6> kRoots{{
    {857891601, 1017332667, 724608329, 1823274380, 1935566774, 280463169, 1868414327, 749760279},
    {1746319456, 2063228176, 206237355, 193786435, 2010120573, 1485037013, 256370676, 1849032026},
    {1469943150, 1126506658, 1491905696, 2087780560, 82170937, 375685533, 1076469931, 1297446934},
    {840943870, 1279810614, 1207126740, 839738882, 282436966, 628783725, 1431610157, 1096187552},
    {821884026, 1726124011, 720554909, 1888151869, 1782941616, 731222943, 1015871138, 150550595},
    {402667587, 999411768, 778997151, 1699564491, 217384620, 1648741261, 1273531868, 1560046698},
}};
static_assert(kMinSegmentLogSize + kRoots.size() - 1 == kMaxLogStack);

// By level, then by size.
std::vector<VerifyingKey> make_verifying_keys() {
    std::vector<VerifyingKey> keys;
    for (const unsigned bits : kSecurityLevels) {
        for (std::size_t i = 0; i < kRoots.size(); ++i) {
            VerifyingKey key{segment_circuit().digest(), bits, static_cast<unsigned>(kMinSegmentLogSize + i), {}};
            for (std::size_t k = 0; k < kDigestSize; ++k) key.preprocessed_root[k] = KoalaBear(kRoots[i][k]);
            keys.push_back(key);
        }
    }
    return keys;
}

constexpr std::size_t kDigestBytes = 4 * kDigestSize;

std::vector<std::uint8_t> to_bytes(std::span<const Digest> digests) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(digests.size() * kDigestBytes);
    for (const Digest& digest : digests) {
        for (const KoalaBear x : digest) {
            for (unsigned shift = 0; shift < 32; shift += 8) {
                bytes.push_back(static_cast<std::uint8_t>(x.canonical() >> shift));
            }
        }
    }
    return bytes;
}

// Nothing where an element is not canonical.
std::vector<Digest> to_digests(std::span<const std::uint8_t> bytes) {
    std::vector<Digest> digests(bytes.size() / kDigestBytes);
    for (std::size_t i = 0; i < digests.size() * kDigestSize; ++i) {
        std::uint32_t word = 0;
        for (unsigned k = 0; k < 4; ++k) word |= std::uint32_t{bytes[4 * i + k]} << (8 * k);
        const auto x = KoalaBear::from_canonical(word);
        if (!x) return {};
        digests[i / kDigestSize][i % kDigestSize] = *x;
    }
    return digests;
}

// Another name for other roots, so that two releases do not write over each other's files for ever.
std::string name_in_store(const VerifyingKey& key, const char* ending) {
    return "segment-" + std::to_string(key.log_size) + "-" + std::to_string(key.preprocessed_root[0].canonical()) +
           ending;
}

std::unique_ptr<const ProvingKey> make_key(const Heights& heights, const VerifyingKey& expected, KeyStore* store) {
    const std::string name = name_in_store(expected, ".key");
    if (store != nullptr) {
        if (const auto bytes = store->read(name)) {
            auto key = ProvingKey::restore(segment_preprocessed(heights), to_digests(*bytes), expected);
            if (key) return std::make_unique<const ProvingKey>(std::move(*key));
        }
    }
    auto key = std::make_unique<const ProvingKey>(segment_preprocessed(heights), expected.security_bits);
    QUARRY_CHECK(key->verifying_key() == expected);
    if (store == nullptr) return key;
    const auto level = key->level();
    store->write(name, to_bytes(level));
    // without the lower levels of the tree, as the next process will have it
    return std::make_unique<const ProvingKey>(
        ProvingKey::restore(segment_preprocessed(heights), level, expected).value());
}

// While a thread that holds the lock waits for others, it must not begin a task that wants the lock.
template <class F>
auto alone(F&& make) {
    return tbb::this_task_arena::isolate(std::forward<F>(make));
}

unsigned log_cap_of(const VerifyingKey& key) {
    const WhirRound round = generate_whir_parameters(key.log_size, security_target(key.security_bits)).rounds.front();
    return std::min(kLogSegmentCap, round.log_message + round.log_inv_rate - ProvingKey::kLogRowsOfNode);
}

// nullptr: the store has none, or other bytes.
std::unique_ptr<const KeyCap> read_cap(const VerifyingKey& expected, KeyStore& store) {
    const auto bytes = store.read(name_in_store(expected, ".cap"));
    if (!bytes || bytes->size() != kDigestBytes << log_cap_of(expected)) return nullptr;
    const std::vector<Digest> nodes = to_digests(*bytes);
    if (nodes.empty()) return nullptr;
    auto cap = std::make_unique<const KeyCap>(KeyCap::above(nodes));
    return cap->root() == expected.preprocessed_root ? std::move(cap) : nullptr;
}

}  // namespace

const VerifyingKey& segment_verifying_key(const Heights& heights, unsigned security_bits) {
    static const std::vector<VerifyingKey> keys = make_verifying_keys();
    const auto layout = make_stack_layout(segment_circuit(), heights);
    if (!layout) return keys.front();
    for (const VerifyingKey& key : keys) {
        if (key.log_size == layout.value().log_size && key.security_bits == security_bits) return key;
    }
    return keys.front();
}

Heights heights_of_segment_size(unsigned log_size) {
    Heights heights;
    for (const Table& table : segment_circuit().tables()) {
        heights.push_back(table.fixed_log_height.value_or(kMinLogHeight));
    }
    // The smallest size is what the least signature tables need; other sizes follow from the tallest table.
    if (log_size == kMinSegmentLogSize) {
        heights[static_cast<std::size_t>(SegmentTable::schedule)] = kMinLogHeight + 4;
    } else {
        heights[static_cast<std::size_t>(SegmentTable::hash)] = log_size - kLogStackLanes;
    }
    QUARRY_CHECK(make_stack_layout(segment_circuit(), heights).value().log_size == log_size);
    return heights;
}

PreprocessedTrace segment_preprocessed(const Heights& heights) {
    PreprocessedTrace trace(segment_circuit(), heights);
    const std::vector<RangeFixed<KoalaBear>> range = fixed_range_rows();
    write_fixed_rows(trace, static_cast<std::size_t>(SegmentTable::range), std::span(range));
    write_fixed_rows(trace, static_cast<std::size_t>(SegmentTable::comb), std::span(comb_rows()));
    return trace;
}

void SegmentKeys::use_store(std::shared_ptr<KeyStore> store) {
    const std::lock_guard lock(mutex_);
    store_ = std::move(store);
}

const ProvingKey& SegmentKeys::proving_key(const Heights& heights, unsigned security_bits) {
    const VerifyingKey& expected = segment_verifying_key(heights, security_bits);
    const std::lock_guard lock(mutex_);
    auto& key = keys_[{expected.log_size, expected.security_bits}];
    if (!key) key = alone([&] { return make_key(heights, expected, store_.get()); });
    return *key;
}

const KeyCap* SegmentKeys::cap(const Heights& heights) {
    const auto layout = make_stack_layout(segment_circuit(), heights);
    const VerifyingKey& expected = segment_verifying_key(heights, kSecurityLevels.front());
    if (!layout || layout.value().log_size != expected.log_size) return nullptr;
    const std::lock_guard lock(mutex_);
    auto& cap = caps_[expected.log_size];
    if (cap) return cap.get();
    cap = alone([&] { return make_cap(heights, expected); });
    return cap.get();
}

std::unique_ptr<const KeyCap> SegmentKeys::make_cap(const Heights& heights, const VerifyingKey& expected) const {
    std::unique_ptr<const KeyCap> cap;
    if (store_) cap = read_cap(expected, *store_);
    if (cap) return cap;
    const auto cap_of = [&](const ProvingKey& key) {
        return std::make_unique<const KeyCap>(KeyCap::above(key.commitment().level(log_cap_of(expected))));
    };
    for (const auto& [size_and_level, key] : keys_) {
        if (size_and_level.first == expected.log_size && key) cap = cap_of(*key);
    }
    if (!cap) cap = cap_of(*make_key(heights, expected, store_.get()));
    if (store_) store_->write(name_in_store(expected, ".cap"), to_bytes(cap->level(cap->height())));
    return cap;
}

SegmentKeys& segment_keys() {
    static SegmentKeys keys;
    return keys;
}

}  // namespace quarry::circuits
