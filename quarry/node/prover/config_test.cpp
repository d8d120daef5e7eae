#include "quarry/node/prover/config.hpp"

#include <gtest/gtest.h>

#include "quarry/node/prover/prover_testing.hpp"
#include "quarry/node/prover/service.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover::config_test {
namespace {

const char* const kPayee = "0x00000000000000000000000000000000000000aa";

TEST(ProverConfig, SettingsBecomeOptions) {
    ProverConfig config;
    const Settings settings = settings_of(config);
    constexpr std::string_view kToml =
        "[prover]\nuntrusted = true\nrollups = [1, 3]\n"
        "[cost]\nmargin_percent = -5\nwei_per_cpu_hour = \"1000000000000000000000\"\n";
    ASSERT_TRUE(settings.apply_toml(kToml, "file").ok());
    ASSERT_TRUE(settings.set("prover.payee", kPayee).ok());
    const auto options = options_of(config);
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options.value().payee.bytes[19], 0xaa);
    EXPECT_EQ(options.value().rollups, (std::set<std::uint32_t>{1, 3}));
    EXPECT_TRUE(options.value().untrusted);
    EXPECT_EQ(options.value().margin_percent, -5);
    EXPECT_EQ(to_decimal(options.value().wei_per_cpu_hour), "1000000000000000000000");
}

TEST(ProverConfig, RefusesWhatNoSettingTakes) {
    ProverConfig config;
    const Settings settings = settings_of(config);
    EXPECT_EQ(settings.set("prover.workers", "0").error().name, "bad_setting");
    EXPECT_EQ(settings.set("cost.wei_per_cpu_hour", "1e9").error().name, "bad_setting");
    EXPECT_EQ(options_of(config).error().name, "missing_setting");
    config.payee = "0x12";
    EXPECT_EQ(options_of(config).error().name, "bad_setting");
    config.payee = kPayee;
    config.rollups = {"one"};
    EXPECT_EQ(options_of(config).error().name, "bad_setting");
}

// Every setting takes the value that it shows.
TEST(ProverConfig, ShownValuesAreAccepted) {
    ProverConfig config;
    const Settings settings = settings_of(config);
    for (const Setting& setting : settings.all()) {
        EXPECT_TRUE(setting.read(setting.show())) << setting.name << " = " << setting.show();
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
    const auto data = page_of(*prover, "/batches/1/1/data");
    EXPECT_EQ(data.body, std::string(as_text(l1.at(1).data)));
    EXPECT_EQ(page_of(*prover, "/batches/1/1/header").body.size(), rollup::kHeaderBytes);
    EXPECT_EQ(page_of(*prover, "/batches/1/1/effects").body.size(), 8 * rollup::kWordBytes);
    const auto snapshot = page_of(*prover, "/snapshots/1");
    EXPECT_EQ(snapshot.status, 200U);
    ASSERT_NE(snapshot.shared_body, nullptr);
    EXPECT_EQ(rollup::parse_snapshot(*snapshot.shared_body).value().state, l1.at(1).batch.header.post_state());
    for (const char* other : {"", "/", "/x", "/snapshots/", "/snapshots/2", "/snapshots/1/", "/snapshots/-1",
                              "/snapshots/1x", "/batches/1", "/batches/1/1", "/batches/1/2/data", "/batches/1/1/x",
                              "/batches/99999999999999999999/1/data", "/batches/1/1/../data"}) {
        const auto page = page_of(*prover, other);
        const bool is_there = std::string_view(other) == "/snapshots/1/";
        EXPECT_EQ(page.status, is_there ? 200U : 404U) << other;
    }
}

}  // namespace
}  // namespace quarry::node::prover::config_test
