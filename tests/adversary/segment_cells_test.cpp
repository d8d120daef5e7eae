#include <iostream>

#include "tests/adversary/segment_claim.hpp"

namespace quarry::adversary {
namespace {
TEST(SegmentCells, Explore) {
    RealRollup rollup;
    Claim claim(rollup, every_operation(rollup));
    Witness w = claim.witness();
    std::mt19937_64 rng(1);
    std::map<std::string, std::set<std::size_t>> found;
    for (const SegmentTable t : w.tables()) {
        const Table& table = table_of(t);
        std::size_t n = w.num_real(t);
        std::cout << table.name << " " << n << " rows " << table.num_columns() << std::endl;
        const std::size_t stride = t == SegmentTable::merkle ? 7 : t == SegmentTable::schedule ? 15 : 1;
        if (t == SegmentTable::schedule) n = 17;
        if (t == SegmentTable::signature) n = 1;
        for (std::size_t row = 0; row < n; row += stride) {
            for (std::size_t c = 0; c < table.num_columns(); ++c) {
                for (const KoalaBear delta : {KoalaBear(1), -KoalaBear(1), KoalaBear(rng())}) {
                    if (w.unnoticed(t, row, {{c, delta}})) found[table.name + "." + table.columns[c]].insert(row);
                }
            }
        }
    }
    for (const auto& [name, rows] : found) {
        std::cout << name << ":";
        for (auto r : rows) std::cout << " " << r;
        std::cout << "\n";
    }
}
}  // namespace
}  // namespace quarry::adversary
