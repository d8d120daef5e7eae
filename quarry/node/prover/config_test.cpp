#include "quarry/node/prover/config.hpp"

#include <gtest/gtest.h>

#include "quarry/node/prover/prover_testing.hpp"
#include "quarry/node/prover/service.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover {
namespace {

const char* const kPayee = "0x00000000000000000000000000000000000000aa";

TEST(ProverConfig, FileThenEnvironmentThenFlags) {
    ProverConfig config;
    constexpr std::string_view kToml =
        "[l1]\nendpoints = [\"http://a:1\", \"http://b:2\"]\n[prover]\nworkers = 2\nuntrusted = true\nrollups = [1, "
        "3]\n"
        "[cost]\nmargin_percent = -5\nwei_per_cpu_hour = \"1000000000000000000000\"\n";
    ASSERT_TRUE(apply_toml(config, kToml, "file").ok());
    EXPECT_EQ(config.endpoints, (std::vector<std::string>{"http://a:1", "http://b:2"}));
    EXPECT_EQ(config.margin_percent, -5);
    const std::vector<std::string> environment{"QUARRY_PROVER_WORKERS=3", "QUARRY_OTHER=1", "HOME=x"};
    ASSERT_TRUE(apply_environment(config, environment).ok());
    EXPECT_EQ(config.workers, 3U);
    ASSERT_TRUE(set_setting(config, "prover.workers", "4").ok());
    ASSERT_TRUE(set_setting(config, "prover.payee", kPayee).ok());
    EXPECT_EQ(config.workers, 4U);
    const auto options = options_of(config);
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options.value().payee.bytes[19], 0xaa);
    EXPECT_EQ(options.value().rollups, (std::set<std::uint32_t>{1, 3}));
    EXPECT_TRUE(options.value().untrusted);
    EXPECT_EQ(to_decimal(options.value().wei_per_cpu_hour), "1000000000000000000000");
}

TEST(ProverConfig, RefusesWhatNoSettingTakes) {
    ProverConfig config;
    EXPECT_EQ(apply_toml(config, "[l1\n", "file").error().name, "bad_toml");
    EXPECT_EQ(apply_toml(config, "workers = 1\n", "file").error().name, "unknown_setting");
    EXPECT_EQ(apply_toml(config, "[prover]\nworker = 1\n", "file").error().name, "unknown_setting");
    EXPECT_EQ(apply_toml(config, "[prover]\nworkers = 1.5\n", "file").error().name, "bad_setting");
    EXPECT_EQ(set_setting(config, "prover.workers", "0").error().name, "bad_setting");
    EXPECT_EQ(set_setting(config, "cost.wei_per_cpu_hour", "1e9").error().name, "bad_setting");
    EXPECT_EQ(set_setting(config, "log.level", "loud").error().name, "bad_setting");
    EXPECT_EQ(options_of(config).error().name, "missing_setting");
    config.payee = "0x12";
    EXPECT_EQ(options_of(config).error().name, "bad_setting");
    config.payee = kPayee;
    config.rollups = {"one"};
    EXPECT_EQ(options_of(config).error().name, "bad_setting");
}

// Every setting takes the value that it shows.
TEST(ProverConfig, SettingsShowWhatTheyTake) {
    ProverConfig config;
    EXPECT_GT(settings_of(config).size(), 25U);
    for (const ProverSetting& setting : settings_of(config)) {
        EXPECT_TRUE(set_setting(config, setting.name, setting.value).ok()) << setting.name;
        EXPECT_FALSE(setting.help.empty());
    }
}

TEST(ProverPages, WhatEachPathAnswers) {
    const node::testing::TemporaryPath path("quarry-prover-pages");
    testing::SimL1 l1;
    l1.post_next();
    l1.prove(1, 1, testing::kOther);
    l1.mine(l1.finality);
    ProverOptions options;
    options.folder = path.get();
    options.payee = testing::kMe;
    options.rollups = {1};  // nothing is left to earn
    testing::ManualRunner::Log log;
    auto prover = Prover::open(options, l1, std::make_unique<testing::ManualRunner>(log)).value();
    EXPECT_EQ(page_of(*prover, "/readyz").status, 503U);
    ASSERT_TRUE(prover->step(1'700'000'000).ok());
    EXPECT_EQ(page_of(*prover, "/readyz").status, 200U);
    EXPECT_EQ(page_of(*prover, "/healthz").status, 200U);
    EXPECT_NE(page_of(*prover, "/metrics").body.find("quarry_prover_ready 1"), std::string::npos);
    const Page data = page_of(*prover, "/batches/1/1/data");
    EXPECT_EQ(data.body, std::string(as_text(l1.at(1).data)));
    EXPECT_EQ(page_of(*prover, "/batches/1/1/header").body.size(), rollup::kHeaderBytes);
    EXPECT_EQ(page_of(*prover, "/batches/1/1/effects").body.size(), 8 * rollup::kWordBytes);
    const Page snapshot = page_of(*prover, "/snapshots/1");
    EXPECT_EQ(snapshot.status, 200U);
    EXPECT_EQ(rollup::parse_snapshot(as_bytes(snapshot.body)).value().state, l1.at(1).batch.header.post_state());
    for (const char* other : {"", "/", "/x", "/snapshots/", "/snapshots/2", "/snapshots/1/", "/snapshots/-1",
                              "/snapshots/1x", "/batches/1", "/batches/1/1", "/batches/1/2/data", "/batches/1/1/x",
                              "/batches/99999999999999999999/1/data", "/batches/1/1/../data"}) {
        const Page page = page_of(*prover, other);
        const bool is_there = std::string_view(other) == "/snapshots/1/";
        EXPECT_EQ(page.status, is_there ? 200U : 404U) << other;
    }
}

}  // namespace
}  // namespace quarry::node::prover
