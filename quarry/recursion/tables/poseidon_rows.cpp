#include "quarry/recursion/tables/poseidon_rows.hpp"

#include <string>

namespace quarry::recursion {
namespace {}  // namespace

void SpongeTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    const auto out = constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26);
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) b.equal(indexed("out", i), row.out[i], out[i]);
    std::array<Expr, kBlock> capacity, next_capacity;
    for (std::size_t i = kBlock; i < kPoseidonWidth; ++i) {
        b.zero(indexed("start", i), fixed.start * row.in[i]);
        capacity[i - kBlock] = row.in[i];
        next_capacity[i - kBlock] = row.out[i];
    }
    next_capacity[0] += fixed.count;
    const Expr address = fixed.block + static_cast<int>(kCapacities);
    b.receive("capacity", kDigestBus, fixed.absorbs - fixed.start, digest_tuple(address, capacity));
    b.send("next capacity", kDigestBus, fixed.gives, digest_tuple(address + static_cast<int>(kBlock), next_capacity));
    for (std::size_t i = 0; i < kPoseidonWidth; ++i) {
        b.zero(indexed("carried", i), fixed.carries * (next.in[i] - row.out[i]));
    }
    const auto group = [](std::size_t i, const Expr& first, const Expr& middle, const Expr& last) {
        return i < 2 ? first : i < 5 ? middle : last;
    };
    for (std::size_t i = 0; i < kBlock; ++i) {
        const Expr written = group(i, fixed.write_0, fixed.write_2, fixed.write_5);
        b.zero(indexed("padding", i), fixed.absorbs * (Expr(1) - written) * row.in[i]);
        b.send(indexed("absorbed", i), kBaseBus, written, {fixed.block + static_cast<int>(i), row.in[i]});
        b.send(indexed("handed out", i), kBaseBus, i < 5 ? fixed.hand_0 : fixed.hand_5,
               {fixed.block + static_cast<int>(kSpongeOutput + i), row.out[i]});
    }
}

void TreeTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& next) {
    const auto out = constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26);
    b.boolean("bit", row.bit);
    std::array<Expr, kBlock> left, right;
    for (std::size_t i = 0; i < kBlock; ++i) {
        left[i] = row.in[i];
        right[i] = row.in[kBlock + i];
        b.equal(indexed("result", i), row.result[i], out[i] + left[i]);
        b.zero(indexed("leaf", i), fixed.leaf * (next.in[i] - row.result[i]));
        const Expr node = next.in[i] + next.bit * (next.in[kBlock + i] - next.in[i]);
        b.zero(indexed("path", i), fixed.path * (node - row.result[i]));
        b.send(indexed("block", i), kBaseBus, fixed.writes_block, {fixed.operand + static_cast<int>(i), right[i]});
    }
    b.receive("bit", kBaseBus, fixed.reads_bit, {fixed.operand, row.bit});
    b.receive("left", kDigestBus, fixed.reads_left, digest_tuple(fixed.left, left));
    b.receive("right", kDigestBus, fixed.reads_right, digest_tuple(fixed.operand, right));
    b.send("result", kDigestBus, fixed.results, digest_tuple(fixed.result, row.result));
}

namespace {
std::vector<Expr> upper_tuple(const Expr& level, const Expr& number, const std::array<Expr, kBlock>& node) {
    std::vector<Expr> tuple = digest_tuple(level, node);
    tuple.insert(tuple.begin() + 1, number);
    return tuple;
}
}  // namespace

void UpperTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const auto out = constrain_permutation(b, row.in, row.after_2, row.after_4, row.cube, row.after_26);
    std::array<Expr, kBlock> left, right;
    for (std::size_t i = 0; i < kBlock; ++i) {
        left[i] = row.in[i];
        right[i] = row.in[kBlock + i];
        b.equal(indexed("result", i), row.result[i], out[i] + left[i]);
    }
    // A row that takes nothing has nothing to give.
    b.zero("lefts", (Expr(1) - fixed.used) * row.lefts);
    b.zero("rights", (Expr(1) - fixed.used) * row.rights);
    b.receive("node", kUpperBus, fixed.used, upper_tuple(fixed.level, row.number, row.result));
    b.send("left", kUpperBus, row.lefts, upper_tuple(fixed.level + 1, row.number + row.number, left));
    b.send("right", kUpperBus, row.rights, upper_tuple(fixed.level + 1, row.number + row.number + 1, right));
}

void CapTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    Expr number(0);
    for (std::size_t i = 0; i < kCapBits; ++i) {
        b.zero(indexed("unread", i), (Expr(1) - fixed.used[i]) * row.bits[i]);
        b.receive(indexed("bit", i), kBaseBus, fixed.used[i], {fixed.bits + static_cast<int>(i), row.bits[i]});
        number = number + row.bits[i] * Expr(1 << i);
    }
    b.receive("digest", kDigestBus, fixed.reads, digest_tuple(fixed.digest, row.x));
    b.send("node", kUpperBus, fixed.sends, upper_tuple(fixed.level, number, row.x));
}

}  // namespace quarry::recursion
