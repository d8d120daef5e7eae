#include "quarry/circuits/chain_table.hpp"

#include <algorithm>
#include <span>

#include "quarry/circuits/gadgets.hpp"
#include "quarry/circuits/state/fee_table.hpp"
#include "quarry/rollup/header.hpp"

namespace quarry::circuits {

namespace {

constexpr std::uint32_t kHeaderBlocks = 11;
constexpr std::uint32_t kFeeBlocks = rollup::FeeLedger::kCells;
// Elements 25 and 26 of the header are the timestamp, 27 .. 34 the fee receiver: they begin in block 3.
constexpr std::uint32_t kTimePosition = 3;
constexpr std::size_t kTimeElement = 25 - 8 * kTimePosition;
constexpr std::size_t kReceiverElement = kTimeElement + 2;
constexpr const char* kHeaderTag = "quarry/header/v1";
constexpr const char* kFeesTag = "quarry/fees/v1";
constexpr auto kWorkTag = static_cast<std::uint32_t>(rollup::BlockTag::work);

Expr length_known(const ChainRow<Expr>& row) { return row.header + row.fees_before + row.fees_after; }
// Whether the next row is the next step of the same chain, and whether it is the first of one. Bits, though the flags
// of last rows are not checked to be: were both not 0, the next row would have position 0 and also the position behind
// this row's, which is p - 1 in no chain.
Expr goes_on(const ChainRow<Expr>& row) { return length_known(row) - row.header_last - row.fees_last; }
Expr first_behind(const ChainRow<Expr>& row, const ChainRow<Expr>& next) { return length_known(next) - goes_on(row); }

void constrain_runs(AirBuilder& b, const ChainRow<Expr>& row, const ChainRow<Expr>& next) {
    const Expr on = goes_on(row);
    b.zero("next.header", on * (next.header - row.header));
    b.zero("next.fees_before", on * (next.fees_before - row.fees_before));
    b.zero("next.position", on * (next.position - row.position - 1));

    const Expr first = first_behind(row, next);
    const Expr next_fees = next.fees_before + next.fees_after;
    b.zero("first.position", first * next.position);
    const Digest header_start = rollup::chain_start(kHeaderTag);
    const Digest fees_start = rollup::chain_start(kFeesTag);
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        b.zero(indexed("next.state", i), on * (next.state[i] - row.out[i]));
        b.zero(indexed("first.state", i),
               first * (next.state[i] - next.header * header_start[i] - next_fees * fees_start[i]));
    }

    b.zero("header_last.where", row.header_last * (Expr(1) - row.header));
    b.zero("header_last.position", row.header_last * (row.position - constant(kHeaderBlocks - 1)));
    b.zero("fees_last.where", row.fees_last * (Expr(1) - row.fees_before - row.fees_after));
    b.zero("fees_last.position", row.fees_last * (row.position - constant(kFeeBlocks - 1)));
}

void constrain_header(AirBuilder& b, const ChainRow<Expr>& row, const ChainRow<Expr>& next) {
    b.zero("is_time.where", row.is_time * (Expr(1) - row.header));
    b.zero("is_time.position", row.is_time * (row.position - constant(kTimePosition)));
    b.zero("timestamp_uses", row.timestamp_uses * (Expr(1) - row.is_time));
    b.zero("receiver_uses", row.receiver_uses * (Expr(1) - row.is_time));
    b.send("timestamp", kTimestampBus, row.timestamp_uses, {row.block[kTimeElement], row.block[kTimeElement + 1]});
    std::vector<Expr> receiver(row.block.begin() + kReceiverElement, row.block.end());
    receiver.insert(receiver.end(), next.block.begin(), next.block.begin() + kReceiverElement);
    b.send("fee_receiver", kFeeReceiverBus, row.receiver_uses, receiver);
    b.receive("header.end", kChainBus, row.header_last,
              chain_tuple(constant(static_cast<std::uint32_t>(Chain::header)), row.out));
}

void constrain_fees(AirBuilder& b, const ChainRow<Expr>& row, const ChainRow<Expr>& next) {
    const Expr fees = row.fees_before + row.fees_after;
    b.boolean("taken", row.taken);
    b.zero("taken.where", row.taken * (Expr(1) - fees));
    for (std::size_t i = 0; i < kDigestSize; ++i) b.zero(indexed("not_taken", i), (fees - row.taken) * row.block[i]);
    b.zero("first.count", first_behind(row, next) * (next.count - next.taken));
    b.zero("next.count", goes_on(row) * (next.count - row.count - next.taken));

    const Expr& side = row.fees_after;
    b.receive("fee_block", kFeeBlockBus, row.taken, fee_block_tuple(side, row.position, row.block));
    b.send("fee_tokens", kPointBus, row.fees_last,
           point_tuple(constant(kFeeTokens), side, {row.count, Expr(0), Expr(0), Expr(0)}));
    b.receive("fees.end", kChainBus, row.fees_last,
              chain_tuple(constant(static_cast<std::uint32_t>(Chain::fees_before)) + side, row.out));
}

void constrain_work(AirBuilder& b, const ChainRow<Expr>& row) {
    for (std::size_t i = 5; i < kDigestSize; ++i) b.zero(indexed("work.left", i), row.work * row.state[i]);
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        const Expr expected = i + 1 < kDigestSize ? Expr(0) : constant(kWorkTag);
        b.zero(indexed("work.right", i), row.work * (row.block[i] - expected));
    }
    for (std::size_t i = 0; i < 5; ++i) require_range16(b, indexed("work.limb", i), row.work, row.state[i]);
    const Expr& units = row.state[4];
    b.receive("work", kWorkBus, row.work,
              work_tuple({units, row.state[5]}, row.data_before, row.data_before + units, row.out, row.payee));
}

}  // namespace

void ChainTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next) {
    const Expr is_real = row.header + row.fees_before + row.fees_after + row.domain + row.work;
    b.boolean("header", row.header);
    b.boolean("fees_before", row.fees_before);
    b.boolean("fees_after", row.fees_after);
    b.boolean("domain", row.domain);
    b.boolean("work", row.work);
    b.boolean("one_chain", is_real);
    require_hash(b, "hash", is_real, row.state, row.block, row.out);

    constrain_runs(b, row, next);
    constrain_header(b, row, next);
    constrain_fees(b, row, next);
    constrain_work(b, row);

    b.receive("domain.end", kChainBus, row.domain,
              chain_tuple(constant(static_cast<std::uint32_t>(Chain::domain)), row.out));
    b.zero("domain_uses", row.domain_uses * (Expr(1) - row.domain));
    b.zero("fee_uses", row.fee_uses * (Expr(1) - row.domain));
    b.send("domain", kDomainBus, row.domain_uses, std::vector<Expr>(row.out.begin(), row.out.end()));
    b.send("minimum_fee", kMinimumFeeBus, row.fee_uses, std::vector<Expr>(row.block.begin(), row.block.begin() + 5));
    // There is one row of the domain: a place to start the one run of FeeTable.
    b.send("fee_start", kFeeBlockBus, row.domain, fee_block_tuple(Expr(2), Expr(0), DigestOf<Expr>{}));
}

namespace {

using Row = ChainRow<KoalaBear>;

Row step_row(const Digest& state, const rollup::Block& block) {
    Row row;
    row.state = state;
    row.block = block;
    row.out = poseidon_compress(state, block);
    return row;
}

// Rows of a chain with positions; returns the first of them.
std::span<Row> append_chain(std::vector<Row>& rows, const char* tag, std::span<const rollup::Block> blocks,
                            KoalaBear Row::* selector, KoalaBear Row::* last) {
    Digest state = rollup::chain_start(tag);
    const std::size_t first = rows.size();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        Row& row = rows.emplace_back(step_row(state, blocks[i]));
        row.*selector = KoalaBear(1);
        row.position = KoalaBear(i);
        state = row.out;
    }
    rows.back().*last = KoalaBear(1);
    return std::span(rows).subspan(first);
}

std::array<rollup::Block, kHeaderBlocks> header_blocks(const rollup::Header& header) {
    const std::vector<KoalaBear> elements = rollup::elements(header);
    std::array<rollup::Block, kHeaderBlocks> blocks{};
    for (std::size_t i = 0; i < elements.size(); ++i) blocks[i / kDigestSize][i % kDigestSize] = elements[i];
    return blocks;
}

void append_fees(std::vector<Row>& rows, const Timeline& timeline, rollup::Amount FeeHistory::* sum,
                 KoalaBear Row::* selector) {
    std::array<rollup::Block, kFeeBlocks> blocks{};
    std::uint32_t count = 0;
    for (const FeeHistory& history : timeline.fees) {
        if ((history.*sum).is_zero()) continue;
        QUARRY_CHECK(count < kFeeBlocks);
        blocks[count++] = fee_block(amount_limbs(history.*sum), KoalaBear(history.token));
    }
    const auto chain = append_chain(rows, kFeesTag, blocks, selector, &Row::fees_last);
    for (std::uint32_t i = 0; i < kFeeBlocks; ++i) {
        chain[i].taken = KoalaBear(i < count ? 1 : 0);
        chain[i].count = KoalaBear(std::min(i + 1, count));
    }
}

}  // namespace

std::vector<Row> chain_rows(const Timeline& timeline) {
    std::vector<Row> rows;
    const auto header = append_chain(rows, kHeaderTag, header_blocks(timeline.header), &Row::header, &Row::header_last);
    header[kTimePosition].is_time = KoalaBear(1);
    append_fees(rows, timeline, &FeeHistory::before, &Row::fees_before);
    append_fees(rows, timeline, &FeeHistory::after, &Row::fees_after);

    const auto blocks = rollup::domain_blocks(timeline.parameters);
    rollup::HashChain domain("L2TX/v1");
    for (std::size_t i = 0; i + 1 < blocks.size(); ++i) domain.absorb(blocks[i]);
    rows.push_back(step_row(domain.digest(), blocks.back()));
    rows.back().domain = KoalaBear(1);

    const rollup::SegmentStatement& s = timeline.statement;
    Digest left{};
    for (std::size_t i = 0; i < 4; ++i) left[i] = KoalaBear((timeline.miner_tag >> (16 * i)) & 0xffff);
    left[4] = KoalaBear(s.work.units);
    rollup::Block right{};
    right[kDigestSize - 1] = KoalaBear(kWorkTag);
    rows.push_back(step_row(left, right));
    rows.back().work = KoalaBear(1);
    rows.back().data_before = KoalaBear(s.before.data.count);
    rows.back().payee = address_limbs(s.payee);
    return rows;
}

}  // namespace quarry::circuits
