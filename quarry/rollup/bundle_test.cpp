#include "quarry/rollup/bundle.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <set>

#include "quarry/rollup/statement_testing.hpp"

namespace quarry::rollup::bundle_test {
namespace {

using testing::MadeUpBatch;

std::vector<TerminalItem> make_items(std::size_t count, std::uint64_t seed) {
    std::vector<TerminalItem> items;
    for (std::size_t i = 0; i < count; ++i) {
        const bool calldata = (seed + i) % 3 == 0;
        items.push_back(
            MadeUpBatch(
                seed + i, static_cast<std::uint32_t>((seed + i) * 1999 % (calldata ? kBlobWords : kMaxBatchWords)),
                static_cast<std::uint16_t>(i % 3), 1 + i % 2, calldata ? BindingForm::horner : BindingForm::blob)
                .item());
    }
    return items;
}

/// The bundle of a run of items, proven half by half.
BundleStatement fold(std::span<const TerminalItem> items) {
    if (items.size() == 1) return bundle_of(items[0].batch);
    std::size_t half = 1;
    while (2 * half < items.size()) half *= 2;
    return merge(fold(items.first(half)), fold(items.subspan(half))).value();
}

std::vector<Digest> digests_of(std::span<const TerminalItem> items) {
    std::vector<Digest> r;
    for (const TerminalItem& item : items) r.push_back(digest(item.batch));
    return r;
}

// The root is a function of the list: however it was put together, and never of another list.
RC_GTEST_PROP(BundleProperties, IsAFunctionOfTheList, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(1, 17);
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
    std::vector<Digest> list;
    MadeUpBatch source(seed, 1, 0, 1);
    for (std::size_t i = 0; i < count; ++i) list.push_back(source.digest());
    unsigned depth = 0;
    while ((std::size_t{1} << depth) < count) ++depth;
    const BundleStatement whole = bundle_of(list, depth);
    std::size_t half = 1;
    while (2 * half < count) half *= 2;
    if (count > 1) {
        const BundleStatement left = bundle_of(std::span(list).first(half), depth - 1);
        const BundleStatement right = bundle_of(std::span(list).subspan(half), depth - 1);
        RC_ASSERT(merge(left, right).value() == whole);
        std::swap(list[0], list[count - 1]);
        RC_ASSERT(bundle_of(list, depth) != whole);
        std::swap(list[0], list[count - 1]);
        const auto i = *rc::gen::inRange<std::size_t>(0, count);
        list[i][0] += KoalaBear(1);
        RC_ASSERT(bundle_of(list, depth).root != whole.root);
    }
    for (unsigned d = depth; d <= kMaxBundleDepth; ++d) {
        RC_ASSERT(widen(whole, d).value().count == count);
        RC_ASSERT(widen(whole, d).value().depth == d);
    }
}

TEST(Bundle, OpensToItsBatchesInOrder) {
    for (const std::size_t count : {1u, 3u, 4u, 5u}) {
        const auto items = make_items(count, 10 * count);
        const BundleStatement bundle = fold(items);
        EXPECT_EQ(bundle.count, count);
        EXPECT_EQ(widen(bundle, 4).value(), bundle_of(digests_of(items), 4));
        for (const unsigned profile : {0u, 2u, 4u}) {
            const auto opened = open(bundle, profile, items);
            if (count > (std::size_t{1} << profile)) {
                EXPECT_EQ(opened.code(), RejectCode::bundle_shape);
                continue;
            }
            ASSERT_TRUE(opened.ok()) << reject_name(opened.code());
            EXPECT_EQ(opened.value().items, items);
            EXPECT_EQ(elements(opened.value()).size(),
                      kTerminalHeadLimbs + (std::size_t{1} << profile) * kTerminalItemLimbs);
        }
    }
}

TEST(Bundle, RefusesShapesThatAreNoList) {
    const auto items = make_items(5, 3);
    const BundleStatement one = bundle_of(items[0].batch);
    const BundleStatement two = merge(one, bundle_of(items[1].batch)).value();
    const BundleStatement three = merge(two, bundle_of(items[2].batch)).value();
    EXPECT_EQ(merge(one, two).code(), RejectCode::bundle_shape);    // higher on the right
    EXPECT_EQ(merge(three, one).code(), RejectCode::bundle_shape);  // not full on the left
    EXPECT_EQ(widen(two, 0).code(), RejectCode::bundle_shape);
    EXPECT_EQ(widen(two, kMaxBundleDepth + 1).code(), RejectCode::limit_exceeded);
    for (const BundleStatement& none :
         {BundleStatement{1, 0, {}}, BundleStatement{1, 3, {}}, BundleStatement{kMaxBundleDepth + 1, 1, {}}}) {
        EXPECT_EQ(merge(none, one).code(), RejectCode::bundle_shape);
        EXPECT_EQ(merge(two, none).code(), RejectCode::bundle_shape);
    }
    const BundleStatement full = bundle_of(std::vector<Digest>(16, one.root), kMaxBundleDepth);
    EXPECT_EQ(merge(full, one).code(), RejectCode::limit_exceeded);
}

TEST(Bundle, ElementsHoldEveryField) {
    const BundleStatement b = bundle_of(make_items(1, 1)[0].batch);
    EXPECT_EQ(elements(b).size(), 12u);
    std::vector<BundleStatement> all(4, b);
    all[1].depth = 1;
    all[2].count = 2;
    all[3].root[7] += KoalaBear(1);
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) EXPECT_NE(digest(all[i]), digest(all[k]));
    }
}

TEST(Terminal, RefusesOtherBatches) {
    const auto items = make_items(4, 20);
    const BundleStatement bundle = fold(items);
    const auto code = [&](const std::function<void(std::vector<TerminalItem>&)>& change) {
        auto changed = items;
        change(changed);
        const auto r = open(bundle, 2, changed);
        return r.ok() ? RejectCode::storage_failed : r.code();
    };
    EXPECT_EQ(open(bundle, 1, items).code(), RejectCode::limit_exceeded);
    EXPECT_EQ(code([](auto& x) { x.pop_back(); }), RejectCode::bundle_mismatch);
    EXPECT_EQ(code([](auto& x) { std::swap(x[0], x[1]); }), RejectCode::bundle_mismatch);
    EXPECT_EQ(code([](auto& x) { x[2] = x[1]; }), RejectCode::bundle_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].batch.payee.bytes[0] ^= 1; }), RejectCode::bundle_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].batch.before.root[0] += KoalaBear(1); }), RejectCode::bundle_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].header.timestamp += 1; }), RejectCode::header_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].batch.after.root[0] += KoalaBear(1); }), RejectCode::root_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].data[0].value[0] ^= 1; }), RejectCode::binding_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].data.clear(); }), RejectCode::binding_mismatch);
    EXPECT_EQ(code([](auto& x) { x[1].effects.reset(); }), RejectCode::binding_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].effects = x[1].effects; }), RejectCode::binding_mismatch);
    EXPECT_EQ(code([](auto& x) { x[0].data.resize(kMaxDataBindings + 1); }), RejectCode::limit_exceeded);
    // Calldata that happens to fill a blob, followed by blobs: each is bound, but L1 knows no such batch.
    MadeUpBatch mixed(99, 2 * kBlobWords, 0, 1);
    mixed.data[0].binding.form = BindingForm::horner;
    const TerminalItem item = mixed.item();
    EXPECT_EQ(open(bundle_of(item.batch), 0, {item}).code(), RejectCode::binding_order);
}

// Public input: limbs of 16 bits, every field of every item in them.
TEST(Terminal, PublicInputHoldsEveryField) {
    const auto items = make_items(3, 40);
    const TerminalStatement honest = open(fold(items), 2, items).value();
    const auto limbs = elements(honest);
    for (const KoalaBear x : limbs) EXPECT_LT(x.canonical(), 65536u);
    EXPECT_EQ(limbs[2], KoalaBear(4));
    EXPECT_EQ(limbs[3], KoalaBear(3));
    for (std::size_t i = kTerminalHeadLimbs + 3 * kTerminalItemLimbs; i < limbs.size(); ++i)
        EXPECT_TRUE(limbs[i].is_zero());
    const std::vector<std::function<void(TerminalItem&)>> changes = {
        [](auto& x) { x.batch.domain[7] += KoalaBear(1); },
        [](auto& x) { x.header.version += 1; },
        [](auto& x) { x.header.rollup_id ^= 1u << 31; },
        [](auto& x) { x.header.number ^= 1ull << 63; },
        [](auto& x) { x.header.parent_hash[0] ^= 1; },
        [](auto& x) { x.header.byte_length += 65536; },
        [](auto& x) { x.header.timestamp ^= 1u << 31; },
        [](auto& x) { x.header.fee_receiver[7] += KoalaBear(1); },
        [](auto& x) { x.header.num_effects += 1; },
        [](auto& x) { x.header.deposit_cursor ^= 1ull << 63; },
        [](auto& x) { x.header.deposit_hash[31] ^= 1; },
        [](auto& x) { x.header.forced_cursor ^= 1ull << 63; },
        [](auto& x) { x.header.forced_hash[31] ^= 1; },
        [](auto& x) { x.header.post_root[7] += KoalaBear(1); },
        [](auto& x) { x.header.post_slot_count += 65536; },
        [](auto& x) { x.batch.payee.bytes[0] ^= 1; },
        [](auto& x) { x.batch.before.root[7] += KoalaBear(1); },
        [](auto& x) { x.batch.before.slot_count += 65536; },
        [](auto& x) { x.batch.before.deposit_cursor ^= 1ull << 63; },
        [](auto& x) { x.batch.before.forced_cursor ^= 1ull << 63; },
        [](auto& x) { x.batch.work.units ^= 1u << 31; },
        [](auto& x) { x.batch.work.root[7] += KoalaBear(1); },
        [](auto& x) { x.data[0].words ^= 1; },
        [](auto& x) { x.data[0].l1_hash[0] ^= 1; },
        [](auto& x) { x.data[0].point[7] += KoalaBear(1); },
        [](auto& x) { x.data[0].value[0] ^= 1; },
        [](auto& x) { x.data.emplace_back(); },
        [](auto& x) { x.effects->value[31] ^= 1; },
        [](auto& x) { x.effects.reset(); },
    };
    std::vector<std::vector<KoalaBear>> seen = {limbs};
    for (const auto& change : changes) {
        TerminalStatement s = honest;
        change(s.items[1]);
        seen.push_back(elements(s));
        for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_NE(seen[i], seen.back());
    }
}

}  // namespace
}  // namespace quarry::rollup::bundle_test
