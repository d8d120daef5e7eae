#pragma once
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/circuits/buses.hpp"
#include "quarry/circuits/timeline.hpp"

namespace quarry::circuits {

/// One step of a chain a row: out = H(state, block).
template <class T>
struct ChainRow {
    T header, fees_before, fees_after, domain, work;  ///< which chain: at most one is 1
    T header_last, fees_last;                         ///< ends of the three chains that have all their rows here
    T position;                                       ///< of the block in its chain
    DigestOf<T> state, block, out;
    T taken;    ///< the block of a fee ledger comes from FeeTable; else it is zero
    T count;    ///< blocks taken in this ledger, with this one
    T is_time;  ///< the header's row with the timestamp
    T timestamp_uses, receiver_uses, domain_uses, fee_uses;
    T data_before;            ///< work: words of the batch before the segment
    std::array<T, 10> payee;  ///< work
    template <class V>
    void visit(V&& v) {
        v("header", header), v("fees_before", fees_before), v("fees_after", fees_after), v("domain", domain),
            v("work", work), v("header_last", header_last), v("fees_last", fees_last), v("position", position),
            v("state", state), v("block", block), v("out", out), v("taken", taken), v("count", count),
            v("is_time", is_time), v("timestamp_uses", timestamp_uses), v("receiver_uses", receiver_uses),
            v("domain_uses", domain_uses), v("fee_uses", fee_uses), v("data_before", data_before), v("payee", payee);
    }
};

/// The digests of the statement that are hashes of something that operations see.
///
/// - header: 11 blocks from the chain's start; provides timestamp and fee receiver.
/// - fees before and after: 16 blocks from the chain's start. A block is either taken from FeeTable, with its position,
///   or zero. FeeTable puts positions 0 .. k - 1, each once, so exactly the first k blocks are taken, in order; their
///   number is what the register of fee tokens starts or ends with.
/// - domain: the last step only; what comes before it is constant per rollup, and its hash cannot be met by another
///   state and block. Provides the domain and the minimum fee.
/// - work: H((tag, units, 0, 0, 0), (0, .., 0, tag of work)); units are the words between the statement's two points.
///   The upper limb of units is 0: a batch has at most 24,576 words. (Without that, units + p would pass.)
///
/// Each is there once: the statement puts the end of each once. A row of the first three that is not last is followed
/// by a row of the same chain at the next position; one that does not follow such a row has position 0 and the chain's
/// start; a last row has the position of the last block. So each run has exactly its blocks. A circle without a last
/// row would count positions up for ever.
struct ChainTable {
    static constexpr const char* kName = "chain";
    static constexpr unsigned kLogHeight = 9;
    template <class T>
    using Row = ChainRow<T>;
    static void constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& next);
};

/// 45 rows, without uses.
std::vector<ChainRow<KoalaBear>> chain_rows(const Timeline& timeline);

}  // namespace quarry::circuits
