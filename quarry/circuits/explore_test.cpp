#include <gtest/gtest.h>
#include <cstdio>
#include "quarry/circuits/chain_table.hpp"
#include "quarry/circuits/effect_table.hpp"
#include "quarry/circuits/state/fee_table.hpp"
#include "quarry/circuits/state/merkle_table.hpp"
#include "quarry/circuits/state/register_table.hpp"
#include "quarry/circuits/state/slot_table.hpp"
#include "quarry/circuits/segment_testing.hpp"
#include "quarry/circuits/word_table.hpp"
#include "quarry/circuits/range_table.hpp"
namespace quarry::circuits {
template <class D, class R> void explore(const R& rows, std::vector<std::size_t> at) {
    const Table table = make_table<D>();
    const Columns columns = testing::columns_of_rows(rows);
    std::printf("== %s rows %zu columns %zu constraints %zu interactions %zu degree %u\n", D::kName, rows.size(), table.num_columns(), table.constraints.size(), table.interactions.size(), table.max_degree());
    const auto t0 = std::chrono::steady_clock::now();
    for (auto& s : testing::free_cells(table, columns, at)) std::printf("  free %s\n", s.c_str());
    const auto t1 = std::chrono::steady_clock::now();
    for (auto& s : testing::never_alone(table, columns, at, {at.back()})) std::printf("  never alone %s\n", s.c_str());
    const auto t2 = std::chrono::steady_clock::now();
    std::printf("  %.2f %.2f s\n", std::chrono::duration<double>(t1-t0).count(), std::chrono::duration<double>(t2-t1).count());
}
TEST(Explore, All) {
    testing::TestSegment seg(2, 60, 9, 40);
    const Timeline& t = seg.timeline;
    auto w = word_rows(t); explore<WordTable>(w, {0, 5, w.size()-2, w.size()-1, w.size()});
    auto e = effect_rows(t); explore<EffectTable>(e, {0, 1, 2, 3, e.size()-2, e.size()-1, e.size()});
    auto s = slot_rows(t); std::size_t absent = 0; for (std::size_t i=0;i<s.size();++i) if (s[i].before.exists.is_zero()) absent = i;
    std::printf("absent %zu\n", absent); explore<SlotTable>(s, {0, absent, s.size()});
    auto m = merkle_rows(t); explore<MerkleTable>(m, {0, m.size()-1, m.size()-2, m.size()});
    auto r = register_rows(t); explore<RegisterTable>(r, {0, 3, 4});
    auto f = fee_rows(t); for (auto& x : f) std::printf("fee %u %u %u\n", x.token.canonical(), x.before.exists.canonical(), x.after.exists.canonical());
    explore<FeeTable>(f, {0, 1, f.size()-1, f.size()});
    auto c = chain_rows(t); explore<ChainTable>(c, {0, 3, 10, 11, 12, 26, 27, 42, 43, 44, 45});
    explore<RangeTable>(range_rows(), {0, 255, 256, 0x7eff, 0x7f00, 65534, 65535});
}
}
