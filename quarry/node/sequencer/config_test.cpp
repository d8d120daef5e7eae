#include "quarry/node/sequencer/config.hpp"

#include <gtest/gtest.h>

namespace quarry::node::sequencer::config_test {
namespace {

TEST(SequencerConfig, SettingsOfItsOwnKinds) {
    SequencerConfig c;
    const Settings settings = settings_of(c);
    const char* file =
        "[rpc]\nmax_batch = 7\n[fees]\nminimum = [\"0=5\", \"3=9\"]\n[batch]\nmax_age_ms = 250\n"
        "[l1]\nplacement = \"blobs\"\n[bounty]\nbase_per_batch = \"0.5\"\n[late]\ndiscards = true\n";
    ASSERT_TRUE(settings.apply_toml(file, "test").ok());
    EXPECT_EQ(c.service.dispatcher.max_batch, 7);
    EXPECT_EQ(c.engine.min_fees.at(3), rollup::Amount(9));
    EXPECT_EQ(c.engine.max_age_ms, 250);
    EXPECT_EQ(c.l1.settlement.placement, l1::SettlementOptions::Placement::blobs);
    EXPECT_EQ(l1::ether_text(c.l1.settlement.base_per_batch), "0.5");
    EXPECT_TRUE(c.l1.settlement.discards_late);
}

TEST(SequencerConfig, RefusesWhatNoSettingTakes) {
    SequencerConfig c;
    const Settings settings = settings_of(c);
    const std::vector<std::pair<const char*, const char*>> bad{
        {"fees.minimum", "0:5"},     {"fees.minimum", "0=-5"}, {"fees.receiver", "0x12"},
        {"fees.slot", "4294967295"}, {"l1.placement", "disk"}, {"bounty.base_per_batch", "1e3"},
        {"bounty.max_percent", "99"}};
    for (const auto& [name, value] : bad) {
        const auto outcome = settings.set(name, value);
        ASSERT_FALSE(outcome.ok()) << name;
        EXPECT_EQ(outcome.error().name, "bad_setting");
        EXPECT_NE(outcome.error().remedy.find("docs/sequencer.md"), std::string::npos);
    }
    EXPECT_TRUE(c.engine.min_fees.empty());
}

TEST(SequencerConfig, WhoAsksForFeesSaysWhoReceivesThem) {
    SequencerConfig c;
    const Settings settings = settings_of(c);
    EXPECT_TRUE(check_fees(c.engine).ok());
    ASSERT_TRUE(settings.set("fees.minimum", "0=5").ok());
    ASSERT_FALSE(check_fees(c.engine).ok());
    EXPECT_EQ(check_fees(c.engine).error().name, "fee_receiver_missing");
    ASSERT_TRUE(settings.set("fees.slot", "0").ok());
    EXPECT_TRUE(check_fees(c.engine).ok());
}

// Every setting shows a value that it accepts.
TEST(SequencerConfig, ShownValuesAreAccepted) {
    SequencerConfig c;
    const Settings settings = settings_of(c);
    for (const Setting& setting : settings.all()) {
        if (setting.name == "fees.receiver" || setting.name == "fees.slot") continue;  // unset by default
        EXPECT_TRUE(setting.read(setting.show())) << setting.name << " = " << setting.show();
        EXPECT_FALSE(setting.help.empty());
    }
}

}  // namespace
}  // namespace quarry::node::sequencer::config_test
