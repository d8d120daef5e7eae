#include "quarry/circuits/data/data.hpp"

#include <oneapi/tbb/parallel_invoke.h>

#include <algorithm>
#include <utility>

#include "quarry/circuits/data/evaluation_table.hpp"
#include "quarry/circuits/data/field_table.hpp"
#include "quarry/circuits/data/point_table.hpp"
#include "quarry/circuits/hash_table.hpp"
#include "quarry/circuits/range_table.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::circuits {

namespace {

constexpr std::size_t place(DataTable t) { return static_cast<std::size_t>(t); }

// In the order of DataTable.
std::vector<Table> make_tables() {
    std::vector<Table> tables;
    tables.push_back(make_table<HashTable>());
    tables.push_back(tables.back());
    tables.back().name = "more_hash";
    tables.push_back(make_table<RangeTable>());
    tables.push_back(make_table<EvaluationTable>());
    tables.push_back(make_table<PointTable>());
    tables.push_back(make_table<FieldTable>());
    QUARRY_CHECK(tables.size() == kDataTables);
    return tables;
}

/// f(tuple) for the requests of all tables on one bus, in order.
template <class F>
void for_each_request(const DataRows& rows, Bus bus, std::size_t arity, F&& f) {
    for (const DataTable t : {DataTable::evaluation, DataTable::point, DataTable::field}) {
        RequestReader(data_circuit().tables()[place(t)], rows.tables[place(t)], rows.heights[place(t)], bus)
            .for_each(arity, f);
    }
}

std::vector<std::uint32_t> histogram(const DataRows& rows, Bus bus, std::size_t size) {
    std::vector<std::uint32_t> counts(size);
    for_each_request(rows, bus, 1, [&](std::span<const KoalaBear> tuple) {
        const std::uint32_t v = tuple[0].canonical();
        QUARRY_CHECK(v < size);  // else a row maker is wrong: what it asks for is not so
        ++counts[v];
    });
    return counts;
}

std::vector<RangeRow<KoalaBear>> used_range_rows(const DataRows& rows) {
    std::vector<RangeRow<KoalaBear>> range = range_rows();
    std::array<std::vector<std::uint32_t>, 3> counts;
    tbb::parallel_invoke([&] { counts[0] = histogram(rows, kRange16Bus, range.size()); },
                         [&] { counts[1] = histogram(rows, kSplitBus, range.size()); },
                         [&] { counts[2] = histogram(rows, kHigh15Bus, 0x7f00); });
    for (std::size_t v = 0; v < range.size(); ++v) {
        range[v].range16_uses = KoalaBear(counts[0][v]);
        range[v].split_uses = KoalaBear(counts[1][v]);
        if (v < counts[2].size()) range[v].high15_uses = KoalaBear(counts[2][v]);
    }
    return range;
}

bool is_blob_root(const rollup::BlsScalar& z) {
    const auto& roots = rollup::blob_roots();
    return std::find(roots.begin(), roots.end(), z) != roots.end();
}

Status check_statement_bounds(const rollup::DataStatement& s) {
    if (s.payee.is_zero()) return Error{Errc::statement_mismatch, "payee"};
    if (s.form != rollup::DataForm::horner && s.form != rollup::DataForm::blob) {
        return Error{Errc::statement_mismatch, "form"};
    }
    if (s.words > rollup::kMaxDataWords) return Error{Errc::statement_mismatch, "words"};
    if (s.work.units != rollup::data_units(s.words)) return Error{Errc::statement_mismatch, "units"};
    static const rollup::Bytes32 largest = rollup::scalar_bytes(-rollup::BlsScalar(1));
    if (s.value > largest) return Error{Errc::statement_mismatch, "value"};
    return Ok{};
}

}  // namespace

const Circuit& data_circuit() {
    static const Circuit circuit("data", make_tables());
    return circuit;
}

Statement data_public_input(const rollup::DataStatement& statement) { return {data_tuples(statement)}; }

Result<DataRows> make_data_rows(const rollup::DataStatement& statement, std::uint64_t miner_tag,
                                std::span<const std::uint8_t> words, const Heights* least) {
    const auto least_of = [&](DataTable t) { return least != nullptr ? (*least)[place(t)] : kMinLogHeight; };
    if (statement.form == rollup::DataForm::blob && is_blob_root(rollup::point_scalar(statement.point)) &&
        statement.value != rollup::Bytes32{}) {
        return Error{Errc::scalar_out_of_range, "make_data_rows"};
    }
    auto evaluation = evaluation_rows(statement, words);
    LimbsOf<KoalaBear> sum{};
    if (!evaluation.empty()) {
        for (std::size_t k = 0; k < kFieldLimbs; ++k) sum[k] = evaluation.back().sum[k] + evaluation.back().acc.limb[k];
    }
    DataRows r;
    const auto add = [&](DataTable t, auto rows, unsigned log_height) {
        QUARRY_CHECK(r.tables.size() == place(t));
        r.tables.emplace_back(std::move(rows));
        r.heights.push_back(log_height);
    };
    add(DataTable::hash, std::vector<HashRow<KoalaBear>>{}, kMinLogHeight);
    add(DataTable::more_hash, std::vector<HashRow<KoalaBear>>{}, kMinLogHeight);
    add(DataTable::range, std::vector<RangeRow<KoalaBear>>{}, RangeTable::kLogHeight);
    const unsigned log_height = std::max(log_height_for(evaluation.size()), least_of(DataTable::evaluation));
    add(DataTable::evaluation, std::move(evaluation), log_height);
    add(DataTable::point, point_rows(statement, miner_tag, sum), PointTable::kLogHeight);
    add(DataTable::field, field_rows(statement, sum), FieldTable::kLogHeight);

    std::vector<RangeRow<KoalaBear>> range;
    tbb::parallel_invoke([&] { range = used_range_rows(r); },
                         [&] {
                             for_each_request(r, kHashBus, 16, [&](std::span<const KoalaBear> tuple) {
                                 std::copy_n(tuple.begin(), 16, r.hashes.emplace_back().begin());
                             });
                         });
    r.tables[place(DataTable::range)] = TableRows(std::move(range));
    const auto heights = split_heights(r.hashes.size(), {least_of(DataTable::hash), least_of(DataTable::more_hash)});
    r.heights[place(DataTable::hash)] = heights[0];
    r.heights[place(DataTable::more_hash)] = heights[1];
    return r;
}

Trace make_data_trace(const DataRows& rows) {
    Trace trace(data_circuit(), rows.heights);
    write_hash_tables(trace, std::array{place(DataTable::hash), place(DataTable::more_hash)}, rows.hashes);
    for (std::size_t t = place(DataTable::range); t < kDataTables; ++t) rows.tables[t].write(trace, t);
    return trace;
}

Result<Proof> prove_data(const rollup::DataStatement& statement, std::uint64_t miner_tag,
                         std::span<const std::uint8_t> words, const ProveOptions& options) {
    const auto rows = make_data_rows(statement, miner_tag, words);
    if (!rows) return rows.error();
    return prove(data_circuit(), make_data_trace(rows.value()), data_public_input(statement), options);
}

Status verify_data(const rollup::DataStatement& statement, const Proof& proof, unsigned required_bits) {
    QUARRY_TRY(check_statement_bounds(statement));
    return verify(data_circuit(), proof, data_public_input(statement), required_bits);
}

Status verify_data(const rollup::DataStatement& statement, std::span<const std::uint8_t> proof,
                   unsigned required_bits) {
    QUARRY_TRY(check_statement_bounds(statement));
    return verify_encoded(data_circuit(), proof, data_public_input(statement), required_bits);
}

}  // namespace quarry::circuits
