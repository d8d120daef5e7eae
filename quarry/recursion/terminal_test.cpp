#include "quarry/recursion/terminal.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "quarry/recursion/terminal_item.hpp"
#include "quarry/recursion/testing.hpp"
#include "quarry/rollup/statement_testing.hpp"

namespace quarry::recursion::terminal_test {
namespace {

using rollup::kTerminalHeadLimbs;
using rollup::kTerminalItemLimbs;
using rollup::TerminalItem;
using Limbs = std::vector<KoalaBear>;

/// Batches with one binding and with several, with effects and without, of blobs and of calldata.
std::vector<TerminalItem> make_items(std::size_t count) {
    std::vector<TerminalItem> items;
    for (std::size_t i = 0; i < count; ++i) {
        const bool calldata = i % 3 == 1;
        const auto num_words = static_cast<std::uint32_t>(calldata ? 1999 : (i + 1) * 4999 % rollup::kMaxBatchWords);
        items.push_back(rollup::testing::MadeUpBatch(70 + i, num_words, static_cast<std::uint16_t>(i % 2), 1 + i % 2,
                                                     calldata ? rollup::BindingForm::horner : rollup::BindingForm::blob)
                            .item());
    }
    return items;
}

struct Opened {
    rollup::BundleStatement bundle;
    Limbs limbs;
};
Opened make_opened(std::size_t count, unsigned depth, unsigned log_profile) {
    const auto items = make_items(count);
    std::vector<Digest> digests;
    for (const TerminalItem& item : items) digests.push_back(digest(item.batch));
    const auto bundle = rollup::bundle_of(digests, depth);
    return {bundle, elements(rollup::open(bundle, log_profile, items).value())};
}

CircuitRows rows_of(const Limbs& limbs, const rollup::BundleStatement& bundle) {
    CircuitBuilder b(RowKinds::few);
    b.require_equal(open_bundle(b, limbs, bundle.depth), b.witness(digest(bundle)));
    return std::move(b).finish();
}
std::string complaint(const Limbs& limbs, const rollup::BundleStatement& bundle) {
    return testing::LaidOut(rows_of(limbs, bundle)).complaint(terminal_statement(limbs));
}
/// Whether the limbs are refused. That they make another bundle is seen without laying out any row.
bool is_refused(const Limbs& limbs, const rollup::BundleStatement& bundle) {
    CircuitBuilder b;
    return open_bundle(b, limbs, bundle.depth).value != digest(bundle) || !complaint(limbs, bundle).empty();
}

KoalaBear& limb(Limbs& limbs, std::size_t item, std::size_t at) {
    return limbs[kTerminalHeadLimbs + item * kTerminalItemLimbs + at];
}

// Where the fields are, by the table in docs/spec/operations.md, section 6.
constexpr std::size_t kDomain = 0, kTimestamp = 41, kPostRoot = 100, kPostSlotCount = 116, kPayee = 118, kSlots = 144;
constexpr std::size_t binding(std::size_t i) { return kItemRestLimbs + i * kBindingLimbs; }
constexpr std::size_t kWords = 1, kL1Hash = 3, kPoint = 19, kValue = 35;

TEST(TerminalCircuit, TakesWhatIsOpenedNatively) {
    for (const auto& [count, depth, log_profile] : std::vector<std::array<unsigned, 3>>{
             {1, 0, 0}, {1, 0, 2}, {1, 1, 2}, {2, 1, 2}, {3, 2, 2}, {4, 2, 2}, {2, 1, 4}}) {
        const Opened o = make_opened(count, depth, log_profile);
        ASSERT_TRUE(check_limbs(o.limbs).ok());
        EXPECT_EQ(complaint(o.limbs, o.bundle), "") << count << ' ' << depth << ' ' << log_profile;
    }
}

TEST(TerminalCircuit, SixteenBatchesSlow) {
    for (const std::size_t count : {9U, 16U}) {
        const Opened o = make_opened(count, 4, 4);
        EXPECT_EQ(complaint(o.limbs, o.bundle), "");
    }
}

TEST(TerminalCircuit, DoesNotDependOnTheLimbs) {
    const Opened o = make_opened(3, 2, 2);
    const testing::LaidOut one(rows_of(o.limbs, o.bundle));
    const testing::LaidOut other(rows_of(Limbs(o.limbs.size()), {}));
    ASSERT_EQ(one.shape, other.shape);
    EXPECT_TRUE(std::ranges::equal(one.preprocessed.stack(), other.preprocessed.stack()));
}

// Every limb of the head, of the items, and of the place that is empty. What makes another bundle is refused; what does
// not (a binding that is not there) breaks a row of its own: some of these are tried.
TEST(TerminalCircuit, EveryLimbCountsSlow) {
    const Opened o = make_opened(3, 2, 2);
    std::size_t same = 0;
    for (std::size_t i = 0; i < o.limbs.size(); i += i < kTerminalHeadLimbs + kTerminalItemLimbs ? 1 : 5) {
        Limbs changed = o.limbs;
        changed[i] += KoalaBear(1);
        CircuitBuilder b;
        if (open_bundle(b, changed, o.bundle.depth).value != digest(o.bundle)) continue;
        const std::size_t of_item = i < kTerminalHeadLimbs ? 0 : (i - kTerminalHeadLimbs) % kTerminalItemLimbs;
        EXPECT_TRUE(i < kTerminalHeadLimbs || of_item > binding(0)) << i;
        if (i < kTerminalHeadLimbs || same++ % 61 == 0) {
            EXPECT_NE(complaint(changed, o.bundle), "") << i;
        }
    }
    EXPECT_GT(same, 5 * kBindingLimbs);
}

TEST(TerminalCircuit, RefusesOtherLists) {
    const Opened o = make_opened(3, 2, 2);
    const auto refused = [&](const std::function<void(Limbs&)>& change) {
        Limbs changed = o.limbs;
        change(changed);
        EXPECT_NE(changed, o.limbs);
        return is_refused(changed, o.bundle);
    };
    const auto move_item = [](Limbs& x, std::size_t from, std::size_t to) {
        for (std::size_t i = 0; i < kTerminalItemLimbs; ++i) limb(x, to, i) = limb(x, from, i);
    };
    const auto clear_item = [](Limbs& x, std::size_t item) {
        for (std::size_t i = 0; i < kTerminalItemLimbs; ++i) limb(x, item, i) = KoalaBear();
    };
    EXPECT_TRUE(refused([](Limbs& x) { std::swap_ranges(&limb(x, 0, 0), &limb(x, 1, 0), &limb(x, 1, 0)); }));
    EXPECT_TRUE(refused([&](Limbs& x) { move_item(x, 1, 2); }));
    // A count that is too low, with and without the item; too high, with and without one more.
    EXPECT_TRUE(refused([](Limbs& x) { x[3] = KoalaBear(2); }));
    EXPECT_TRUE(refused([&](Limbs& x) { x[3] = KoalaBear(2), clear_item(x, 2); }));
    EXPECT_TRUE(refused([](Limbs& x) { x[3] = KoalaBear(4); }));
    EXPECT_TRUE(refused([&](Limbs& x) { x[3] = KoalaBear(4), move_item(x, 2, 3); }));
    EXPECT_TRUE(refused([&](Limbs& x) { move_item(x, 2, 3); }));
    EXPECT_TRUE(refused([](Limbs& x) { x[3] = KoalaBear(0); }));
    // The list at another height is another bundle.
    rollup::BundleStatement higher = o.bundle;
    higher.depth = 1;
    EXPECT_TRUE(is_refused(o.limbs, higher));
}

TEST(TerminalCircuit, RefusesOtherBindings) {
    const Opened o = make_opened(3, 2, 2);
    ASSERT_EQ(o.limbs[kTerminalHeadLimbs + binding(1)], KoalaBear(2));  // item 0 has two blobs, and no effects
    ASSERT_EQ(o.limbs[kTerminalHeadLimbs + binding(2)], KoalaBear(0));
    const auto refused = [&](const std::function<void(Limbs&)>& change) {
        Limbs changed = o.limbs;
        change(changed);
        EXPECT_NE(changed, o.limbs);
        return is_refused(changed, o.bundle);
    };
    const auto swap = [](Limbs& x, std::size_t a, std::size_t b) {
        std::swap_ranges(&limb(x, 0, binding(a)), &limb(x, 0, binding(a + 1)), &limb(x, 0, binding(b)));
    };
    EXPECT_TRUE(refused([&](Limbs& x) { swap(x, 0, 1); }));
    EXPECT_TRUE(refused([&](Limbs& x) { swap(x, 1, 2); }));                        // a gap in the list
    EXPECT_TRUE(refused([&](Limbs& x) { swap(x, 1, 6); }));                        // data as effects
    EXPECT_TRUE(refused([](Limbs& x) { limb(x, 0, binding(1)) = KoalaBear(); }));  // said not to be there
    EXPECT_TRUE(refused([](Limbs& x) { limb(x, 0, binding(0)) = KoalaBear(1); }));
    // Another batch's binding.
    EXPECT_TRUE(refused([](Limbs& x) {
        for (std::size_t i = 0; i < kBindingLimbs; ++i) limb(x, 0, binding(0) + i) = limb(x, 2, binding(0) + i);
    }));
}

// What the native opening refuses of a batch that a bundle may have: calldata beside other data.
TEST(TerminalCircuit, CalldataIsAlone) {
    for (const std::size_t calldata : {0U, 1U}) {
        rollup::testing::MadeUpBatch mixed(99, 2 * rollup::kBlobWords, 0, 1);
        TerminalItem item = mixed.item();
        item.data[calldata].form = rollup::BindingForm::horner;
        item.batch.data = rollup::binding_list(item.data);
        const auto bundle = rollup::bundle_of(item.batch);
        EXPECT_EQ(rollup::open(bundle, 0, {item}).code(), rollup::RejectCode::binding_order);
        const Limbs limbs = elements(rollup::TerminalStatement{0, {item}});
        CircuitBuilder b;
        EXPECT_EQ(open_bundle(b, limbs, 0).value, digest(bundle));
        EXPECT_NE(complaint(limbs, bundle), "");
    }
}

// x and x + p are one element: only one pair of limbs may stand for it.
TEST(TerminalLimbs, OnePairForAnElement) {
    const Opened o = make_opened(1, 0, 0);
    const auto add_p = [](Limbs limbs, std::size_t at) {
        const std::uint64_t x = limb(limbs, 0, at).canonical() | std::uint64_t{limb(limbs, 0, at + 1).canonical()}
                                                                     << 16;
        limb(limbs, 0, at) = KoalaBear((x + KoalaBear::kModulus) & 0xffff);
        limb(limbs, 0, at + 1) = KoalaBear((x + KoalaBear::kModulus) >> 16);
        return limbs;
    };
    // Digests: whoever makes the limbs checks them; the circuit takes either.
    const std::vector<std::size_t> digests = {kDomain,
                                              43,
                                              kPostRoot,
                                              128,
                                              kItemRestLimbs - 16,
                                              binding(0) + kPoint,
                                              binding(5) + kPoint,
                                              binding(6) + kPoint};
    for (const std::size_t at : digests) {
        for (const std::size_t i : {0U, 14U}) {
            const Limbs changed = add_p(o.limbs, at + i);
            EXPECT_EQ(check_limbs(changed).error().code, Errc::non_canonical) << at + i;
        }
    }
    const Limbs twice = add_p(o.limbs, kDomain);
    EXPECT_EQ(complaint(twice, o.bundle), "");
    // Numbers: the circuit does.
    for (const std::size_t at : {kPostSlotCount, kSlots, binding(0) + kWords}) {
        const Limbs changed = add_p(o.limbs, at);
        EXPECT_TRUE(check_limbs(changed).ok());
        EXPECT_NE(complaint(changed, o.bundle), "") << at;
    }
}

TEST(TerminalLimbs, AreLimbs) {
    const Opened o = make_opened(1, 0, 0);
    for (const std::size_t at : {kDomain, kTimestamp, kPayee, binding(0) + kL1Hash, binding(0) + kValue}) {
        Limbs changed = o.limbs;
        limb(changed, 0, at) += KoalaBear(1U << 16);
        EXPECT_EQ(check_limbs(changed).error().code, Errc::limit_exceeded);
    }
    for (const std::size_t size : {std::size_t{0}, o.limbs.size() - 1, kTerminalHeadLimbs + 2 * kTerminalItemLimbs}) {
        EXPECT_EQ(check_limbs(Limbs(size)).error().code, Errc::bad_length);
    }
}

// Zeros alone are an item that is not there, and no other limbs are.
TEST(TerminalItem, Absent) {
    Limbs limbs(kTerminalItemLimbs);
    CircuitBuilder b;
    EXPECT_EQ(open_item(b, limbs).value, absent_item());
}

}  // namespace
}  // namespace quarry::recursion::terminal_test
