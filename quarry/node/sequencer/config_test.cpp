#include "quarry/node/sequencer/config.hpp"

#include <gtest/gtest.h>

namespace quarry::node::sequencer {
namespace {

TEST(SequencerConfig, FileThenEnvironmentThenFlags) {
    SequencerConfig c;
    const char* file =
        "[rpc]\nport = 1\nmax_batch = 7\nallowed_origins = [\"http://a\", \"http://b\"]\n"
        "[fees]\nminimum = [\"0=5\", \"3=9\"]\n[batch]\nmax_age_ms = 250\n[log]\nlevel = \"debug\"\n";
    ASSERT_TRUE(apply_toml(c, file, "test").ok());
    const std::vector<std::string> environment{"PATH=/bin", "QUARRY_RPC_PORT=2", "QUARRY_ISA=scalar"};
    ASSERT_TRUE(apply_environment(c, environment).ok());
    EXPECT_EQ(c.rpc.port, 2);
    ASSERT_TRUE(set_setting(c, "rpc.port", "3").ok());
    EXPECT_EQ(c.rpc.port, 3);
    EXPECT_EQ(c.service.dispatcher.max_batch, 7);
    EXPECT_EQ(c.rpc.allowed_origins, (std::vector<std::string>{"http://a", "http://b"}));
    EXPECT_EQ(c.engine.min_fees.at(3), rollup::Amount(9));
    EXPECT_EQ(c.engine.max_age_ms, 250);
    EXPECT_EQ(c.log_level, "debug");
}

TEST(SequencerConfig, RefusesWithTheCause) {
    SequencerConfig c;
    const auto name = [&](const char* text) { return apply_toml(c, text, "test").error().name; };
    EXPECT_EQ(name("[rpc"), "bad_toml");
    EXPECT_EQ(name("[rpc]\nprot = 1"), "unknown_setting");
    EXPECT_EQ(name("port = 1"), "unknown_setting");
    EXPECT_EQ(name("[rpc]\nport = 65536"), "bad_setting");
    EXPECT_EQ(name("[rpc]\nport = -1"), "bad_setting");
    EXPECT_EQ(name("[rpc]\nport = 1.5"), "bad_setting");
    EXPECT_EQ(name("[rpc]\nport = [[1]]"), "bad_setting");
    EXPECT_EQ(name("[fees]\nminimum = \"0:5\""), "bad_setting");
    EXPECT_EQ(name("[fees]\nreceiver = \"0x12\""), "bad_setting");
    EXPECT_EQ(name("[log]\nlevel = \"loud\""), "bad_setting");
    const std::vector<std::string> environment{"QUARRY_BATCH_MAX_OPERATIONS=none"};
    EXPECT_EQ(apply_environment(c, environment).error().name, "bad_setting");
}

// Every setting shows a value that it accepts.
TEST(SequencerConfig, ShownValuesAreAccepted) {
    SequencerConfig c;
    for (const Setting& setting : settings_of(c)) {
        if (setting.name == "fees.receiver") continue;  // unset by default
        EXPECT_TRUE(set_setting(c, setting.name, setting.value).ok()) << setting.name << " = " << setting.value;
    }
    EXPECT_EQ(settings_of(c).size(), settings_of(SequencerConfig()).size());
}

}  // namespace
}  // namespace quarry::node::sequencer
