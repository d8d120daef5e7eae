#pragma once
#include <cstdint>
#include <vector>

#include "quarry/circuits/data/data_buses.hpp"
#include "quarry/iop/logup.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::circuits {

/// The statement's row: there is one.
template <class T>
struct PointRow {
    T is_real;
    T empty;  ///< no words
    T blob;   ///< the form
    T words;
    DigestOf<T> before, after;
    LimbsOf<T> l1_hash;
    std::array<DigestOf<T>, 4> state;  ///< of the chain to h, after each block but the last
    LimbsOf<T> z;
    /// z is put together from h, whose element i has the bits 31 i .. 31 i + 30: the first i bits finish the limb that
    /// element i - 1 began, then comes a whole limb, and 15 - i bits begin the next one.
    std::array<T, 7> finish;      ///< the first bits of h[1] .. h[7]
    std::array<T, 8> top;         ///< 1 iff h[i] = p - 1, the only element whose upper bits are 127 2^24
    LimbsOf<T> value, value_gap;  ///< y and r - 1 - y
    LimbsOf<T> sum;               ///< limbs of the evaluation's end
    T units, spare;               ///< words = 8 units - spare
    std::array<T, 4> tag;         ///< the miner's
    DigestOf<T> work;
    std::array<T, 10> payee;
    template <class V>
    void visit(V&& v) {
        v("is_real", is_real), v("empty", empty), v("blob", blob), v("words", words), v("before", before),
            v("after", after), v("l1_hash", l1_hash);
        for (std::size_t i = 0; i < state.size(); ++i) v("state" + std::to_string(i), state[i]);
        v("z", z), v("finish", finish), v("top", top), v("value", value), v("value_gap", value_gap), v("sum", sum),
            v("units", units), v("spare", spare), v("tag", tag), v("work", work), v("payee", payee);
    }
};

/// Takes the statement's two tuples. Derives z from what the accumulator and L1 are bound to, starts the evaluation
/// and takes its end, gives the field table its steps, and checks y < r, the units and the work's root.
struct PointTable {
    static constexpr const char* kName = "point";
    static constexpr unsigned kLogHeight = 9;
    template <class T>
    using Row = PointRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// One row. `sum`: from the evaluation's last row, zeros without words.
std::vector<PointRow<KoalaBear>> point_rows(const rollup::DataStatement& statement, std::uint64_t miner_tag,
                                            const LimbsOf<KoalaBear>& sum);

/// What the statement puts on the buses: every element of it but kind and version is in one of the two tuples.
std::vector<PublicTuple> data_tuples(const rollup::DataStatement& statement);

}  // namespace quarry::circuits
