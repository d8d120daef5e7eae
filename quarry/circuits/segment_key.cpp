#include "quarry/circuits/segment_key.hpp"

#include <array>

#include "quarry/base/check.hpp"
#include "quarry/circuits/range_table.hpp"
#include "quarry/circuits/rows.hpp"
#include "quarry/circuits/segment.hpp"
#include "quarry/circuits/signature/comb_table.hpp"

namespace quarry::circuits {
namespace {

// The roots by log_size, from 23 on. SegmentKey.RootsArePinned* recomputes them and prints those that differ.
constexpr std::array<std::array<std::uint32_t, kDigestSize>, 6> kRoots{{
    {222089203, 630245922, 643335345, 1328987641, 493569335, 1950750987, 195497398, 407119238},
    {126239967, 717478010, 18626858, 134069013, 439964832, 94865464, 1513427466, 464803193},
    {1107523767, 220756453, 1455403506, 1562417196, 769691478, 447549678, 1748123562, 978856372},
    {310413116, 249122983, 965598477, 699488853, 400204736, 1390572889, 1277735160, 1928936672},
    {1591814247, 900720823, 1109097242, 2110195484, 892366127, 2038282162, 398923387, 238169336},
    {1253728408, 451739003, 57231924, 661509248, 1851260125, 1484824783, 1678141967, 137703997},
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

std::unique_ptr<const ProvingKey> make_key(const Heights& heights, const VerifyingKey& expected, KeyStore* store) {
    // Another name for other roots, so that two releases do not write over each other's files for ever.
    const std::string name = "segment-" + std::to_string(expected.log_size) + "-" +
                             std::to_string(expected.preprocessed_root[0].canonical()) + ".key";
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
    if (!key) key = make_key(heights, expected, store_.get());
    return *key;
}

SegmentKeys& segment_keys() {
    static SegmentKeys keys;
    return keys;
}

}  // namespace quarry::circuits
