#include "quarry/node/devnet/layout.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "quarry/node/devnet/folder.hpp"

namespace quarry::node::devnet::layout_test {
namespace {

namespace fs = std::filesystem;

DevnetOptions options_in(const std::string& name) {
    DevnetOptions o;
    o.folder = (fs::path(::testing::TempDir()) / (name + "-" + std::to_string(::getpid()))).string();
    o.program = "/usr/bin/quarry";
    o.anvil = "/usr/bin/anvil";
    // Not those of a network that somebody runs on this machine.
    o.l1_port = 38'545;
    o.rpc_port = 39'545;
    o.metrics_port = 39'600;
    return o;
}

bool has(const ServiceSpec& spec, const std::string& flag, const std::string& value) {
    const auto at = std::ranges::find(spec.argv, flag);
    return at != spec.argv.end() && at + 1 != spec.argv.end() && at[1] == value;
}

TEST(DevnetLayoutTest, NoTwoProgramsShareAnAccountAFolderOrAPort) {
    DevnetOptions o = options_in("layout");
    o.provers = 3;
    const Layout layout(o);
    std::set<ethereum::Address> accounts;
    for (const std::string& name : layout.account_names()) accounts.insert(devnet_key(name).address());
    for (unsigned i = 0; i < o.provers; ++i) accounts.insert(Layout::payee(i));
    EXPECT_EQ(accounts.size(), layout.account_names().size() + o.provers);
    std::set<std::string> ports;
    for (unsigned i = 0; i < o.provers; ++i) {
        const ServiceSpec spec = layout.prover(i, {});
        const auto at = std::ranges::find_if(spec.argv, [](const auto& x) { return x.starts_with("http.port="); });
        ASSERT_NE(at, spec.argv.end());
        ports.insert(*at);
        EXPECT_TRUE(has(spec, "--payee", ethereum::to_hex(Layout::payee(i))));
        // One proves, the others stand by.
        const std::string patience = "prover.patience_seconds=" + std::to_string(90 * i);
        EXPECT_NE(std::ranges::find(spec.argv, patience), spec.argv.end());
    }
    EXPECT_EQ(ports, (std::set<std::string>{"http.port=39601", "http.port=39602", "http.port=39603"}));
    // Provers see the chain alone.
    for (const std::string& argument : layout.prover(0, {}).argv) EXPECT_EQ(argument.find("39545"), std::string::npos);
}

TEST(DevnetLayoutTest, TheChainIsStoppedLastAndAskedToWriteItsState) {
    const Layout layout(options_in("layout"));
    EXPECT_LT(layout.chain().tier, layout.sequencer().tier);
    EXPECT_LT(layout.sequencer().tier, layout.load().tier);
    EXPECT_EQ(layout.chain().orphan_signal, SIGINT);
    EXPECT_EQ(layout.sequencer().orphan_signal, SIGKILL);
}

TEST(DevnetLayoutTest, AGroupOfTheLoadHoldsNoAccountTwice) {
    for (const std::uint64_t rate : {1u, 20u, 5'000u}) {
        for (const std::uint64_t accounts : {2u, 7u, 64u}) {
            DevnetOptions o = options_in("layout");
            o.rate = rate;
            o.accounts = accounts;
            const ServiceSpec spec = Layout(o).load();
            const auto at = std::ranges::find(spec.argv, "--group");
            ASSERT_NE(at, spec.argv.end());
            EXPECT_GE(std::stoull(at[1]), 1u);
            EXPECT_LE(2 * std::stoull(at[1]), accounts);
        }
    }
}

TEST(DevnetFolderTest, OneProcessHoldsItAndResetForgetsWhatIsInIt) {
    const Layout layout(options_in("folder"));
    const fs::path folder = layout.options().folder;
    fs::remove_all(folder);
    {
        const auto held = DevnetFolder::open(layout, false);
        ASSERT_TRUE(held) << held.error().cause;
        EXPECT_TRUE(fs::is_directory(folder / "prover-2"));
        const auto again = DevnetFolder::open(layout, false);
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().name, "devnet_runs");
    }
    std::ofstream(folder / "l1" / "state.json") << "old";
    ASSERT_TRUE(DevnetFolder::open(layout, false));
    EXPECT_TRUE(fs::exists(folder / "l1" / "state.json"));
    ASSERT_TRUE(DevnetFolder::open(layout, true));
    EXPECT_FALSE(fs::exists(folder / "l1" / "state.json"));
    EXPECT_TRUE(fs::is_directory(folder / "l1"));
    fs::remove_all(folder);
}

TEST(DevnetFolderTest, NothingElseIsTouched) {
    const Layout layout(options_in("other"));
    const fs::path folder = layout.options().folder;
    fs::create_directories(folder);
    std::ofstream(folder / "thesis.tex") << "years of work";
    for (const bool reset : {false, true}) {
        const auto held = DevnetFolder::open(layout, reset);
        ASSERT_FALSE(held);
        EXPECT_EQ(held.error().name, "not_a_devnet");
        EXPECT_TRUE(fs::exists(folder / "thesis.tex"));
    }
    fs::remove_all(folder);
}

TEST(DevnetFolderTest, APortThatIsTakenIsSaidBeforeAnythingStarts) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    DevnetOptions o = options_in("port");
    o.rpc_port = ntohs(address.sin_port);
    const auto held = DevnetFolder::open(Layout(o), false);
    ::close(fd);
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().name, "port_taken");
    EXPECT_TRUE(fs::exists(Layout(o).marker())) << "however far it came: the folder is known again";
    fs::remove_all(o.folder);
}

TEST(DevnetFolderTest, AnInterruptedStartIsNothingElse) {
    const Layout layout(options_in("interrupted"));
    fs::create_directories(layout.options().folder);
    std::ofstream(layout.path("lock"));
    std::ofstream(layout.marker() + ".part") << "{";
    for (const bool reset : {true, false}) {
        const auto held = DevnetFolder::open(layout, reset);
        EXPECT_TRUE(held) << held.error().name;
    }
    fs::remove_all(layout.options().folder);
}

}  // namespace
}  // namespace quarry::node::devnet::layout_test
