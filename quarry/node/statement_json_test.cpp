#include "quarry/node/statement_json.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/rollup/hashing.hpp"

namespace quarry::node::statement_json_test {
namespace {

rollup::BatchPoint point(std::uint32_t i) {
    return {.state = {rollup::chain_start("root " + std::to_string(i)), 100 + i, (1ULL << 63) + i, 300 + i},
            .fees = rollup::chain_start("fees " + std::to_string(i)),
            .data = {rollup::chain_start("data " + std::to_string(i)), 400 + i},
            .effects = {rollup::chain_start("effects " + std::to_string(i)), 500 + i}};
}

rollup::SegmentStatement statement() {
    rollup::SegmentStatement s;
    s.domain = rollup::chain_start("domain");
    s.header = rollup::chain_start("header");
    s.payee.bytes[0] = 0xfe;
    s.before = point(1);
    s.after = point(2);
    s.work = rollup::leaf_work(77, 3);
    return s;
}

TEST(StatementJson, SurvivesTheWayThroughText) {
    EXPECT_EQ(parse_segment_statement(to_json(statement())).value(), statement());
    EXPECT_EQ(parse_segment_statement(to_json(rollup::SegmentStatement{})).value(), rollup::SegmentStatement{});
}

TEST(StatementJson, EveryElementIsInTheText) {
    // A field that were not written would leave the text as it was.
    std::set<std::string> texts{to_json(statement())};
    const auto add = [&](auto change) {
        auto s = statement();
        change(s);
        texts.insert(to_json(s));
        EXPECT_EQ(parse_segment_statement(to_json(s)).value(), s);
    };
    add([](auto& s) { s.domain[7] += KoalaBear(1); });
    add([](auto& s) { s.header[0] += KoalaBear(1); });
    add([](auto& s) { s.payee.bytes[19] = 1; });
    for (const auto side : {&rollup::SegmentStatement::before, &rollup::SegmentStatement::after}) {
        add([&](auto& s) { (s.*side).state.root[3] += KoalaBear(1); });
        add([&](auto& s) { (s.*side).state.slot_count += 1; });
        add([&](auto& s) { (s.*side).state.deposit_cursor += 1; });
        add([&](auto& s) { (s.*side).state.forced_cursor += 1; });
        add([&](auto& s) { (s.*side).fees[1] += KoalaBear(1); });
        add([&](auto& s) { (s.*side).data.digest[1] += KoalaBear(1); });
        add([&](auto& s) { (s.*side).data.count += 1; });
        add([&](auto& s) { (s.*side).effects.digest[1] += KoalaBear(1); });
        add([&](auto& s) { (s.*side).effects.count += 1; });
    }
    add([](auto& s) { s.work.units += 1; });
    add([](auto& s) { s.work.root[0] += KoalaBear(1); });
    EXPECT_EQ(texts.size(), 24U);
}

TEST(StatementJson, RefusesWhatIsMissingSurplusOrDamaged) {
    const std::string text = to_json(statement());
    for (std::size_t n = 0; n + 2 < text.size(); ++n) EXPECT_FALSE(parse_segment_statement(text.substr(0, n))) << n;
    std::string renamed = text;
    renamed.replace(renamed.find("before_fees"), 11, "before_feez");
    EXPECT_EQ(parse_segment_statement(renamed).error(), (JsonError{JsonCode::missing_field, "before_fees"}));
    std::string surplus = text;
    surplus.insert(1, "\"note\":1,");
    EXPECT_EQ(parse_segment_statement(surplus).error(), (JsonError{JsonCode::unknown_field, "note"}));
    EXPECT_EQ(parse_segment_statement(std::string(kMaxStatementBytes + 1, ' ')).error().code, JsonCode::too_long);
}

}  // namespace
}  // namespace quarry::node::statement_json_test
