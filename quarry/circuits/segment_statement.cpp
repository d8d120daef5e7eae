#include "quarry/circuits/segment_statement.hpp"

#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

namespace {

using Values = std::vector<KoalaBear>;

class Tuples {
  public:
    void put(Bus bus, Values tuple) { list_.push_back({bus, KoalaBear(1), std::move(tuple)}); }
    void take(Bus bus, Values tuple) { list_.push_back({bus, -KoalaBear(1), std::move(tuple)}); }
    [[nodiscard]] std::vector<PublicTuple> list() && { return std::move(list_); }

  private:
    std::vector<PublicTuple> list_;
};

void put_registers(Tuples& tuples, std::uint32_t side, const rollup::State& state) {
    const auto put = [&](Register id, std::uint64_t value) {
        tuples.put(kPointBus, point_tuple(KoalaBear(id), KoalaBear(side), register_values(id, value)));
    };
    put(kSlotCount, state.slot_count);
    put(kDepositCursor, state.deposit_cursor);
    put(kForcedCursor, state.forced_cursor);
}

}  // namespace

std::vector<PublicTuple> segment_tuples(const rollup::SegmentStatement& s) {
    Tuples tuples;
    const auto put_chain = [&](Chain chain, const Digest& end) {
        tuples.put(kChainBus, chain_tuple(KoalaBear(static_cast<std::uint32_t>(chain)), end));
    };
    put_chain(Chain::domain, s.domain);
    put_chain(Chain::header, s.header);
    put_chain(Chain::fees_before, s.before.fees);
    put_chain(Chain::fees_after, s.after.fees);
    put_registers(tuples, 0, s.before.state);
    put_registers(tuples, 1, s.after.state);

    tuples.put(kDataBus, accumulator_tuple(KoalaBear(s.before.data.count), s.before.data.digest));
    tuples.take(kDataBus, accumulator_tuple(KoalaBear(s.after.data.count), s.after.data.digest));
    tuples.put(kEffectsBus, effects_tuple(KoalaBear(0), KoalaBear(s.before.effects.count), s.before.effects.digest));
    tuples.take(kEffectsBus, effects_tuple(KoalaBear(1), KoalaBear(s.after.effects.count), s.after.effects.digest));
    tuples.take(kNodeBus, node_tuple(KoalaBear(2), KoalaBear(rollup::kTreeDepth), KoalaBear(0), s.before.state.root,
                                     s.after.state.root));
    tuples.put(kWorkBus, work_tuple({KoalaBear(s.work.units & 0xffff), KoalaBear(s.work.units >> 16)},
                                    KoalaBear(s.before.data.count), KoalaBear(s.after.data.count), s.work.root,
                                    address_limbs(s.payee)));
    return std::move(tuples).list();
}

}  // namespace quarry::circuits
