#include "quarry/circuits/segment.hpp"

#include <oneapi/tbb/parallel_invoke.h>

#include <algorithm>
#include <utility>

#include "quarry/circuits/chain_table.hpp"
#include "quarry/circuits/effect_table.hpp"
#include "quarry/circuits/hash_table.hpp"
#include "quarry/circuits/operations/change_key_table.hpp"
#include "quarry/circuits/operations/collect_table.hpp"
#include "quarry/circuits/operations/deposit_table.hpp"
#include "quarry/circuits/operations/forced_table.hpp"
#include "quarry/circuits/operations/new_pair_table.hpp"
#include "quarry/circuits/operations/publish_table.hpp"
#include "quarry/circuits/operations/signed_table.hpp"
#include "quarry/circuits/operations/withdraw_table.hpp"
#include "quarry/circuits/range_table.hpp"
#include "quarry/circuits/segment_key.hpp"
#include "quarry/circuits/segment_statement.hpp"
#include "quarry/circuits/signature/signature_witness.hpp"
#include "quarry/circuits/state/fee_table.hpp"
#include "quarry/circuits/state/merkle_table.hpp"
#include "quarry/circuits/state/register_table.hpp"
#include "quarry/circuits/state/slot_table.hpp"
#include "quarry/circuits/word_table.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::circuits {

namespace {

constexpr std::size_t place(SegmentTable t) { return static_cast<std::size_t>(t); }

// In the order of SegmentTable.
std::vector<Table> make_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<HashTable>());
    tables.push_back(tables.back());
    tables.back().name = "more_hash";
    tables.push_back(make_table<FixedRangeTable>());
    tables.push_back(make_table<WordTable>());
    tables.push_back(make_table<EffectTable>());
    tables.push_back(make_table<SlotTable>());
    tables.push_back(make_table<MerkleTable>());
    tables.push_back(tables.back());
    tables.back().name = "more_merkle";
    tables.push_back(make_table<RegisterTable>());
    tables.push_back(make_table<FeeTable>());
    tables.push_back(make_table<ChainTable>());
    tables.push_back(make_table<SignedTable>());
    tables.push_back(make_table<NewPairTable>());
    tables.push_back(make_table<WithdrawTable>());
    tables.push_back(make_table<ChangeKeyTable>());
    tables.push_back(make_table<PublishTable>());
    tables.push_back(make_table<CollectTable>());
    tables.push_back(make_table<DepositTable>());
    tables.push_back(make_table<ForcedTable>());
    tables.push_back(make_table<CombTable>());
    tables.push_back(make_table<ScheduleTable>());
    tables.push_back(make_table<SignatureTable>());
    QUARRY_CHECK(tables.size() == kSegmentTables);
    return tables;
}

/// The typed rows, made side by side.
struct TypedRows {
    std::vector<WordRow<KoalaBear>> word;
    std::vector<EffectRow<KoalaBear>> effect;
    std::vector<SlotRow<KoalaBear>> slot;
    std::vector<MerkleRow<KoalaBear>> merkle;
    std::vector<RegisterRow<KoalaBear>> register_file;
    std::vector<FeeRow<KoalaBear>> fee;
    std::vector<ChainRow<KoalaBear>> chain;
    std::vector<SignedRow<KoalaBear>> signed_operation;
    std::vector<NewPairRow<KoalaBear>> new_pair;
    std::vector<WithdrawRow<KoalaBear>> withdraw;
    std::vector<ChangeKeyRow<KoalaBear>> change_key;
    std::vector<PublishRow<KoalaBear>> publish;
    std::vector<CollectRow<KoalaBear>> collect;
    std::vector<DepositRow<KoalaBear>> deposit;
    std::vector<ForcedRow<KoalaBear>> forced;
    SignatureWitness signature;
};

std::vector<SignatureInput> signature_inputs(const Timeline& timeline, std::span<const OperationSignature> signatures) {
    std::vector<SignatureInput> r;
    for (const OperationSignature& s : signatures) {
        if (s.step < timeline.first_step || s.step - timeline.first_step >= timeline.steps.size()) continue;
        r.push_back({timeline.steps[s.step - timeline.first_step].time(), s.key.point(), s.signature, s.message});
    }
    return r;
}

TypedRows make_typed_rows(const Timeline& timeline, std::span<const OperationSignature> signatures,
                          unsigned least_log_signatures) {
    TypedRows r;
    tbb::parallel_invoke(
        // The longest chain of dependent hashes starts first.
        [&] { r.word = word_rows(timeline); },
        [&] {
            const auto inputs = signature_inputs(timeline, signatures);
            r.signature = make_signature_witness(inputs, std::max(log_height_for(inputs.size()), least_log_signatures));
        },
        [&] { r.signed_operation = signed_rows(timeline); }, [&] { r.merkle = merkle_rows(timeline); },
        [&] { r.slot = slot_rows(timeline); },
        [&] {
            r.effect = effect_rows(timeline);
            r.register_file = register_rows(timeline);
            r.fee = fee_rows(timeline);
            r.chain = chain_rows(timeline);
            r.new_pair = new_pair_rows(timeline);
            r.withdraw = withdraw_rows(timeline);
            r.change_key = change_key_rows(timeline);
            r.publish = publish_rows(timeline);
            r.collect = collect_rows(timeline);
            r.deposit = deposit_rows(timeline);
            r.forced = forced_rows(timeline);
        });
    return r;
}

/// Moves the rows from the first-th on, if there are any.
template <class Row>
std::vector<Row> rows_from(std::vector<Row>& rows, std::size_t first) {
    if (rows.size() <= first) return {};
    std::vector<Row> rest(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end());
    rows.resize(first);
    return rest;
}

// Whose rows are made last, from what the others ask.
constexpr bool is_hash_table(SegmentTable t) { return t == SegmentTable::hash || t == SegmentTable::more_hash; }

/// Reads the requests of all tables on one bus.
class Requests {
  public:
    explicit Requests(const SegmentRows& rows) : rows_(rows) {}

    template <class F>
    void for_each(std::uint32_t bus, std::size_t arity, F&& f) const {
        for (std::size_t t = 0; t < rows_.tables.size(); ++t) {
            if (rows_.heights[t] != 0) read(t, bus, arity, f);
        }
    }
    [[nodiscard]] std::size_t count(std::uint32_t bus) const {
        std::size_t n = 0;
        for_each(bus, 0, [&](std::span<const KoalaBear>) { ++n; });
        return n;
    }
    /// [v]: requests whose first value is v.
    [[nodiscard]] std::vector<std::uint32_t> histogram(std::uint32_t bus, std::size_t size) const {
        std::vector<std::uint32_t> counts(size);
        for_each(bus, 1, [&](std::span<const KoalaBear> tuple) {
            const std::uint32_t v = tuple[0].canonical();
            QUARRY_CHECK(v < size);  // else a row maker is wrong: what it asks for is not so
            ++counts[v];
        });
        return counts;
    }
    /// The inputs of all requested compressions, tables in order. Parallel.
    [[nodiscard]] std::vector<std::array<KoalaBear, 16>> hash_inputs() const {
        std::vector<std::vector<std::array<KoalaBear, 16>>> of_table(rows_.tables.size());
        parallel_for(of_table.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t t = begin; t < end; ++t) {
                if (rows_.heights[t] == 0) continue;
                read(t, kHashBus, 16, [&](std::span<const KoalaBear> tuple) {
                    std::copy_n(tuple.begin(), 16, of_table[t].emplace_back().begin());
                });
            }
        });
        std::vector<std::array<KoalaBear, 16>> r;
        for (const auto& inputs : of_table) r.insert(r.end(), inputs.begin(), inputs.end());
        return r;
    }

  private:
    template <class F>
    void read(std::size_t t, std::uint32_t bus, std::size_t arity, F&& f) const {
        RequestReader(segment_circuit().tables()[t], rows_.tables[t], rows_.heights[t], bus).for_each(arity, f);
    }
    const SegmentRows& rows_;
};

std::vector<RangeUses<KoalaBear>> count_range_uses(const Requests& requests) {
    std::array<std::vector<std::uint32_t>, 3> counts;
    tbb::parallel_invoke([&] { counts[0] = requests.histogram(kRange16Bus, 1u << 16); },
                         [&] { counts[1] = requests.histogram(kSplitBus, 1u << 16); },
                         [&] { counts[2] = requests.histogram(kHigh15Bus, 0x7f00); });
    return range_uses_rows(counts[0], counts[1], counts[2]);
}

void count_chain_uses(const Requests& requests, std::vector<ChainRow<KoalaBear>>& rows) {
    for (ChainRow<KoalaBear>& row : rows) {
        if (row.is_time == KoalaBear(1)) {
            row.timestamp_uses = KoalaBear(requests.count(kTimestampBus));
            row.receiver_uses = KoalaBear(requests.count(kFeeReceiverBus));
        }
        if (row.domain == KoalaBear(1)) {
            row.domain_uses = KoalaBear(requests.count(kDomainBus));
            row.fee_uses = KoalaBear(requests.count(kMinimumFeeBus));
        }
    }
}

}  // namespace

const Circuit& segment_circuit() {
    static const Circuit circuit("segment", make_tables());
    return circuit;
}

Statement segment_public_input(const rollup::SegmentStatement& statement) { return {segment_tuples(statement)}; }

SegmentRows make_segment_rows(const Timeline& timeline, std::span<const OperationSignature> signatures,
                              const Heights* least) {
    const auto least_of = [&](SegmentTable t) { return least != nullptr ? (*least)[place(t)] : 0; };
    TypedRows typed = make_typed_rows(timeline, signatures, least_of(SegmentTable::signature));
    SegmentRows r;
    const unsigned log_signatures = typed.signature.log_height;
    const auto add = [&](SegmentTable t, auto&& rows) {
        QUARRY_CHECK(r.tables.size() == place(t));
        const auto fixed = segment_circuit().tables()[place(t)].fixed_log_height;
        const bool absent = rows.size() == 0 && least_of(t) == 0 && !is_hash_table(t);
        const unsigned log_height = std::max(absent ? 0 : log_height_for(rows.size()), least_of(t));
        r.heights.push_back(fixed ? *fixed : log_height);
        r.tables.emplace_back(std::forward<decltype(rows)>(rows));
    };
    add(SegmentTable::hash, std::vector<HashRow<KoalaBear>>{});
    add(SegmentTable::more_hash, std::vector<HashRow<KoalaBear>>{});
    add(SegmentTable::range, std::vector<RangeUses<KoalaBear>>{});
    add(SegmentTable::word, std::move(typed.word));
    add(SegmentTable::effect, std::move(typed.effect));
    add(SegmentTable::slot, std::move(typed.slot));
    const auto merkle = split_heights(typed.merkle.size(), {std::max(least_of(SegmentTable::merkle), kMinLogHeight),
                                                            least_of(SegmentTable::more_merkle)});
    const auto more_merkle = rows_from(typed.merkle, std::size_t{1} << merkle[0]);
    add(SegmentTable::merkle, std::move(typed.merkle));
    add(SegmentTable::more_merkle, more_merkle);
    QUARRY_CHECK(r.heights[place(SegmentTable::more_merkle)] == merkle[1]);
    add(SegmentTable::register_file, std::move(typed.register_file));
    add(SegmentTable::fee, std::move(typed.fee));
    add(SegmentTable::chain, typed.chain);
    add(SegmentTable::signed_operation, std::move(typed.signed_operation));
    add(SegmentTable::new_pair, std::move(typed.new_pair));
    add(SegmentTable::withdraw, std::move(typed.withdraw));
    add(SegmentTable::change_key, std::move(typed.change_key));
    add(SegmentTable::publish, std::move(typed.publish));
    add(SegmentTable::collect, std::move(typed.collect));
    add(SegmentTable::deposit, std::move(typed.deposit));
    add(SegmentTable::forced, std::move(typed.forced));
    add(SegmentTable::comb, std::move(typed.signature.comb));
    add(SegmentTable::schedule, std::move(typed.signature.schedule));
    add(SegmentTable::signature, std::move(typed.signature.signature));
    QUARRY_CHECK(r.heights[place(SegmentTable::signature)] == log_signatures);

    const Requests requests(r);
    std::vector<RangeUses<KoalaBear>> range;
    tbb::parallel_invoke([&] { r.hashes = requests.hash_inputs(); }, [&] { range = count_range_uses(requests); },
                         [&] { count_chain_uses(requests, typed.chain); });
    r.tables[place(SegmentTable::range)] = TableRows(std::move(range));
    r.tables[place(SegmentTable::chain)] = TableRows(std::move(typed.chain));
    const auto heights = split_heights(r.hashes.size(), {std::max(least_of(SegmentTable::hash), kMinLogHeight),
                                                         std::max(least_of(SegmentTable::more_hash), kMinLogHeight)});
    r.heights[place(SegmentTable::hash)] = heights[0];
    r.heights[place(SegmentTable::more_hash)] = heights[1];
    return r;
}

bool heights_hold(const Heights& heights, const Heights& needed) {
    const auto num_rows = [](const Heights& h, SegmentTable t) {
        return h[place(t)] == 0 ? 0 : std::size_t{1} << h[place(t)];
    };
    // Two tables of one kind of rows hold what they hold together: what is needed are the fewest that do.
    constexpr std::array kPairs{std::pair{SegmentTable::hash, SegmentTable::more_hash},
                                std::pair{SegmentTable::merkle, SegmentTable::more_merkle}};
    for (std::size_t t = 0; t < kSegmentTables; ++t) {
        const auto pair =
            std::ranges::find_if(kPairs, [&](const auto& p) { return t == place(p.first) || t == place(p.second); });
        const bool holds = pair == kPairs.end() ? needed[t] <= heights[t]
                                                : num_rows(needed, pair->first) + num_rows(needed, pair->second) <=
                                                      num_rows(heights, pair->first) + num_rows(heights, pair->second);
        if (!holds) return false;
    }
    return true;
}

Result<Trace> make_segment_trace(const SegmentRows& rows) {
    const auto layout = make_stack_layout(segment_circuit(), rows.heights);
    if (!layout) return layout.error();
    Trace trace(segment_circuit(), rows.heights);
    write_hash_tables(trace, {place(SegmentTable::hash), place(SegmentTable::more_hash)}, rows.hashes);
    for (std::size_t t = place(SegmentTable::range); t < kSegmentTables; ++t) {
        if (rows.heights[t] != 0) rows.tables[t].write(trace, t);
    }
    return trace;
}

Status check_statement_bounds(const rollup::SegmentStatement& statement) {
    for (const rollup::BatchPoint* point : {&statement.before, &statement.after}) {
        if (point->state.slot_count > rollup::kMaxSlots) return Error{Errc::statement_mismatch, "slot count"};
        if (point->data.count > rollup::kMaxBatchWords) return Error{Errc::statement_mismatch, "words"};
        if (point->effects.count > rollup::kMaxEffects) return Error{Errc::statement_mismatch, "effects"};
    }
    if (statement.payee.is_zero()) return Error{Errc::statement_mismatch, "payee"};
    if (statement.before.data.count > statement.after.data.count ||
        statement.after.data.count - statement.before.data.count != statement.work.units) {
        return Error{Errc::statement_mismatch, "units"};
    }
    return Ok{};
}

Proof prove_segment_trace(const Trace& trace, const Statement& statement, ProveOptions options) {
    options.key = &segment_keys().proving_key(trace.heights(), options.security_bits);
    return prove(segment_circuit(), trace, statement, options);
}

std::vector<std::uint8_t> encode_segment_proof(const Proof& proof, const Statement& statement) {
    return encode_proof(segment_circuit(), proof, statement, &segment_verifying_key(proof.heights, proof.security_bits),
                        segment_keys().cap(proof.heights));
}

Result<Proof> decode_segment_proof(std::span<const std::uint8_t> bytes, const Statement& statement) {
    QUARRY_TRY_ASSIGN(const ProofHeader header, decode_header(bytes));
    return decode_proof(segment_circuit(), bytes, statement,
                        &segment_verifying_key(header.heights, header.security_bits),
                        segment_keys().cap(header.heights));
}

Status verify_segment(const rollup::SegmentStatement& statement, const Proof& proof, unsigned required_bits) {
    QUARRY_TRY(check_statement_bounds(statement));
    return verify(segment_circuit(), proof, segment_public_input(statement), required_bits,
                  &segment_verifying_key(proof.heights, proof.security_bits));
}

Status verify_segment(const rollup::SegmentStatement& statement, std::span<const std::uint8_t> proof,
                      unsigned required_bits) {
    QUARRY_TRY(check_statement_bounds(statement));
    QUARRY_TRY_ASSIGN(const ProofHeader header, decode_header(proof));
    return verify_encoded(segment_circuit(), proof, segment_public_input(statement), required_bits,
                          &segment_verifying_key(header.heights, header.security_bits),
                          segment_keys().cap(header.heights));
}

}  // namespace quarry::circuits
