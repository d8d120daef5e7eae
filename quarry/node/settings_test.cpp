#include "quarry/node/settings.hpp"

#include <gtest/gtest.h>

namespace quarry::node::settings_test {
namespace {

struct Config {
    std::uint16_t port = 80;
    int margin = 0;
    std::string name;
    bool is_on = false;
    std::vector<std::string> urls;
    std::string level = "info";
};

Settings settings_of(Config& c) {
    return {
        {number_setting("http.port", c.port, 1, 65535, "of the server"),
         number_setting("cost.margin_percent", c.margin, -100, 100, "over costs"),
         text_setting("http.name", c.name, "of the host"), flag_setting("http.is_on", c.is_on, "serve"),
         list_setting("l1.urls", c.urls, "of nodes"), log_level_setting("log.level", c.level, "least that is logged")},
        "docs/page.md"};
}

TEST(Settings, FileThenEnvironmentThenCommandLine) {
    Config c;
    const Settings settings = settings_of(c);
    const char* file =
        "[http]\nport = 1\nname = \"a\"\nis_on = true\n[cost]\nmargin_percent = -5\n"
        "[l1]\nurls = [\"http://a:1\", \"http://b:2\"]\n[log]\nlevel = \"debug\"\n";
    ASSERT_TRUE(settings.apply_toml(file, "file").ok());
    EXPECT_EQ(c.port, 1);
    EXPECT_EQ(c.name, "a");
    EXPECT_TRUE(c.is_on);
    EXPECT_EQ(c.margin, -5);
    EXPECT_EQ(c.urls, (std::vector<std::string>{"http://a:1", "http://b:2"}));
    EXPECT_EQ(c.level, "debug");
    const std::vector<std::string> environment{"PATH=/bin", "QUARRY_HTTP_PORT=2", "QUARRY_HTTP_PORTS=x", "HTTP_PORT=9",
                                               "QUARRY_L1_URLS=,c,,d,"};
    ASSERT_TRUE(settings.apply_environment(environment).ok());
    EXPECT_EQ(c.port, 2);
    EXPECT_EQ(c.urls, (std::vector<std::string>{"c", "d"}));
    ASSERT_TRUE(settings.set("http.port", "3").ok());
    EXPECT_EQ(c.port, 3);
}

TEST(Settings, RefusesWithTheCauseAndChangesNothing) {
    Config c;
    const Settings settings = settings_of(c);
    const auto cause = [&](const char* text) {
        const auto outcome = settings.apply_toml(text, "file");
        return outcome.ok() ? "accepted" : outcome.error().name;
    };
    EXPECT_EQ(cause("[http"), "bad_toml");
    EXPECT_EQ(cause("port = 1"), "unknown_setting");
    EXPECT_EQ(cause("[http]\nprot = 1"), "unknown_setting");
    for (const char* value : {"0", "65536", "-1", "1.5", "\"\"", "\"1 \"", "[[1]]", "true", "{a = 1}", "1979-05-27"})
        EXPECT_EQ(cause(("[http]\nport = " + std::string(value)).c_str()), "bad_setting") << value;
    EXPECT_EQ(cause("[http]\nis_on = \"yes\""), "bad_setting");
    EXPECT_EQ(cause("[log]\nlevel = \"loud\""), "bad_setting");
    EXPECT_EQ(cause("[cost]\nmargin_percent = -101"), "bad_setting");
    const std::vector<std::string> environment{"QUARRY_HTTP_PORT=none"};
    EXPECT_EQ(settings.apply_environment(environment).error().name, "bad_setting");
    EXPECT_EQ(settings.set("http.port", "none").error().cause,
              "'none' is not a value of http.port: an integer from 1 to 65535");
    EXPECT_EQ(settings.set("http.port", "none").error().remedy, "see docs/page.md for the settings");
    EXPECT_EQ(c.port, 80);
    EXPECT_EQ(c.level, "info");
}

TEST(Settings, ShownValuesAreAccepted) {
    Config c;
    c.urls = {"a", "b"};
    const Settings settings = settings_of(c);
    for (const Setting& setting : settings.all()) {
        EXPECT_TRUE(setting.read(setting.show())) << setting.name;
    }
    EXPECT_EQ(c.urls, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace quarry::node::settings_test
