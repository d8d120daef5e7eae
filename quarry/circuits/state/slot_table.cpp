#include "quarry/circuits/state/slot_table.hpp"

#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

namespace {

// digest = H(pair, block) if the leaf exists; else it is zero, and so is every cell of the leaf.
void require_digest(AirBuilder& b, const std::string& name, const LeafCells<Expr>& leaf, const DigestOf<Expr>& digest) {
    b.boolean(name + ".exists", leaf.exists);
    require_hash(b, name + ".hash", leaf.exists, leaf.pair, leaf_block(leaf), digest);
    const Expr absent = Expr(1) - leaf.exists;
    for (std::size_t i = 0; i < digest.size(); ++i) b.zero(indexed(name + ".no_digest", i), absent * digest[i]);
    for (std::size_t i = 0; i < leaf.pair.size(); ++i) b.zero(indexed(name + ".no_pair", i), absent * leaf.pair[i]);
    for (std::size_t i = 0; i < leaf.balance.size(); ++i) {
        b.zero(indexed(name + ".no_balance", i), absent * leaf.balance[i]);
    }
    b.zero(name + ".no_token", absent * leaf.token);
    b.zero(name + ".no_published", absent * leaf.published);
    b.zero(name + ".no_nonce", absent * leaf.nonce);
}

}  // namespace

void SlotTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    b.boolean("is_real", row.is_real);
    require_digest(b, "before", row.before, row.digest_before);
    require_digest(b, "after", row.after, row.digest_after);
    b.zero("never_freed", row.before.exists * (Expr(1) - row.after.exists));
    b.boolean("before.published", row.before.published);
    require_range16(b, "before.token", row.is_real, row.before.token);

    b.send("open", kMemoryBus, row.is_real, memory_tuple(row.slot, Expr(0), row.before));
    b.receive("close", kMemoryBus, row.is_real, memory_tuple(row.slot, row.last, row.after));
    b.send("node", kNodeBus, row.is_real, node_tuple(Expr(0), Expr(0), row.slot, row.digest_before, row.digest_after));
}

std::vector<SlotRow<KoalaBear>> slot_rows(const Timeline& timeline) {
    const auto& leaves = timeline.update.levels[0];
    QUARRY_CHECK(leaves.size() == timeline.slots.size());
    std::vector<SlotRow<KoalaBear>> rows(leaves.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const SlotHistory& slot = timeline.slots[i];
        QUARRY_CHECK(leaves[i].index == slot.slot);
        rows[i] = {.is_real = KoalaBear(1),
                   .slot = KoalaBear(slot.slot),
                   .before = leaf_cells(slot.before),
                   .after = leaf_cells(slot.after),
                   .last = KoalaBear(slot.last),
                   .digest_before = leaves[i].before,
                   .digest_after = leaves[i].after};
    }
    return rows;
}

}  // namespace quarry::circuits
