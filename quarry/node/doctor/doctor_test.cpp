#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "quarry/ethereum/silent_chain.hpp"
#include "quarry/ethereum/transaction.hpp"
#include "quarry/node/doctor/l1.hpp"
#include "quarry/node/doctor/machine.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_types.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::doctor::doctor_test {
namespace {

using ethereum::Answer;
using ethereum::Bytes;
using ethereum::EthereumCode;
using ethereum::EthereumError;

constexpr std::uint64_t kNow = 1'700'000'000;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

Address address(std::uint8_t last) {
    Address r;
    r.bytes[19] = last;
    return r;
}

TEST(Doctor, TheWorstCounts) {
    const std::vector<Check> checks{{"a", [] { return ok("1"); }}, {"b", [] { return warn("2", "do"); }}};
    const auto diagnoses = run_checks(checks);
    ASSERT_EQ(diagnoses.size(), 2U);
    EXPECT_EQ(diagnoses[1].name, "b");
    EXPECT_EQ(worst(diagnoses), Verdict::warn);
    EXPECT_EQ(worst({}), Verdict::ok);
    EXPECT_STREQ(verdict_name(Verdict::fail), "fail");
}

TEST(DoctorMachine, WhatIsMeasured) {
    EXPECT_EQ(check_kernels("cpu", Isa::avx512, Isa::avx512).verdict, Verdict::ok);
    EXPECT_EQ(check_kernels("cpu", Isa::scalar, Isa::avx2).verdict, Verdict::warn);
    EXPECT_EQ(check_kernels("cpu", Isa::scalar, Isa::scalar).verdict, Verdict::warn);
    EXPECT_EQ(check_cores(4, 4).verdict, Verdict::ok);
    EXPECT_EQ(check_cores(3, 4).verdict, Verdict::warn);
    EXPECT_EQ(check_memory(10 * kGiB, 10 * kGiB).verdict, Verdict::ok);
    EXPECT_EQ(check_memory(10 * kGiB - 1, 10 * kGiB).verdict, Verdict::fail);
    EXPECT_EQ(check_memory(std::nullopt, kGiB).verdict, Verdict::warn);
    EXPECT_EQ(check_open_files(1024, 1024).verdict, Verdict::ok);
    EXPECT_EQ(check_open_files(1023, 1024).verdict, Verdict::warn);
}

TEST(DoctorMachine, FolderThatIsNotThereYet) {
    const testing::TemporaryPath path("quarry-doctor");
    const std::string folder = path.get() + "/a/b";
    EXPECT_EQ(check_disk(folder, 1).verdict, Verdict::ok);
    EXPECT_EQ(check_disk(folder, std::uint64_t{1} << 62).verdict, Verdict::fail);
    double time = 0;
    double step = 0.001;
    const auto clock = [&] { return time += step; };
    EXPECT_EQ(check_sync(folder, clock).verdict, Verdict::ok);
    step = 0.2;
    EXPECT_EQ(check_sync(folder, clock).verdict, Verdict::warn);
    EXPECT_EQ(check_sync("/proc/none", clock).verdict, Verdict::fail);
    EXPECT_FALSE(std::filesystem::exists(path.get()));  // nothing was made
}

TEST(DoctorMachine, KeyFileIsForItsOwner) {
    const testing::TemporaryPath path("quarry-doctor-key");
    EXPECT_EQ(check_key_file(path.get()).verdict, Verdict::fail);
    std::ofstream(path.get()) << std::string(63, '0') << "1\n";
    ASSERT_EQ(::chmod(path.get().c_str(), 0640), 0);
    EXPECT_NE(check_key_file(path.get()).text.find("may be read by other users"), std::string::npos);
    ASSERT_EQ(::chmod(path.get().c_str(), 0600), 0);
    EXPECT_EQ(check_key_file(path.get()).verdict, Verdict::ok);
    std::ofstream(path.get()) << "no key";
    EXPECT_EQ(check_key_file(path.get()).verdict, Verdict::fail);
}

TEST(DoctorMachine, PortInUse) {
    EXPECT_EQ(check_port("127.0.0.1", 0).verdict, Verdict::ok);
    EXPECT_EQ(check_port("192.0.2.1", 0).verdict, Verdict::fail);  // of no machine
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&place), size), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size), 0);
    EXPECT_EQ(check_port("127.0.0.1", ntohs(place.sin_port)).verdict, Verdict::fail);
    ::close(fd);
}

const Address kHub = address(1);
const Address kAccount = address(2);
const KeyDigests kDigests{{{1}, {2}, {3}}};

/// A node and a hub on it that answer from a few values.
class FakeChain final : public ethereum::SilentChain {
  public:
    Answer<std::uint64_t> id = std::uint64_t{1};
    ethereum::BlockHeader head;
    Answer<std::vector<ethereum::Log>> served = std::vector<ethereum::Log>();
    Bytes hub_code{1};
    U256 wei;
    bool is_pinned = true;
    bool may_submit = true;
    std::optional<std::uint32_t> num_rollups = 0;  ///< none: no answer
    KeyDigests digests = kDigests;

    FakeChain() {
        head.number = 100;
        head.timestamp = kNow - 5;
    }
    Answer<std::uint64_t> chain_id() override { return id; }
    Answer<ethereum::BlockHeader> block(const ethereum::BlockId&) override { return head; }
    Answer<std::vector<ethereum::Log>> logs(const ethereum::LogFilter& filter, std::uint64_t first,
                                            std::uint64_t last) override {
        EXPECT_EQ(filter.addresses, std::vector{kHub});
        EXPECT_LE(first, last);
        EXPECT_LE(last, head.number);
        return served;
    }
    Answer<Bytes> code(const Address& account, const ethereum::BlockId&) override {
        return account == kHub ? hub_code : Bytes{};
    }
    Answer<U256> balance(const Address&, const ethereum::BlockId&) override { return wei; }
    Answer<Bytes> call(const ethereum::CallRequest& request, const ethereum::BlockId&) override {
        const auto is = [&](l1::HubFunction f) { return *request.to == kHub && l1::abi(f).matches(request.data); };
        const auto encode = [](std::string_view types, const ethereum::AbiValue::List& values) {
            return ethereum::abi_encode(ethereum::abi_types(types), values).value();
        };
        if (is(l1::HubFunction::bridge)) return encode("(address)", {ethereum::contract_address(kHub, 1)});
        if (is(l1::HubFunction::is_sequencer)) return encode("(bool)", {may_submit});
        if (is(l1::HubFunction::rollup_info) && num_rollups) {
            const U256 rollup(request.data.back());
            const Address owner = rollup > U256(*num_rollups) ? Address{} : kAccount;
            return encode(
                "(" QUARRY_ABI_ROLLUP_VIEW ")",
                {ethereum::AbiValue({owner, Address{}, ethereum::Hash{}, U256(), true, U256(), U256(), ethereum::Hash{},
                                     ethereum::Hash{}, U256(), l1::to_abi(l1::Parameters())})});
        }
        if (is(l1::HubFunction::verifiers)) {
            const l1::VerifierSet set{1, address(10), address(11), address(12)};
            return encode("(" QUARRY_ABI_VERIFIERS ",bool)", {l1::to_abi(set), is_pinned});
        }
        const std::size_t profile = request.to->bytes[19] - std::size_t{10};
        if (profile < digests.size()) return Bytes(digests[profile].begin(), digests[profile].end());
        return EthereumError{EthereumCode::execution_reverted, "", {}};
    }
};

TEST(DoctorL1, Endpoint) {
    const HubPlace place{kHub, 50, 1};
    FakeChain chain;
    EXPECT_EQ(check_endpoint(chain, place, kNow).verdict, Verdict::ok);
    chain.head.timestamp = kNow - 600;
    EXPECT_EQ(check_endpoint(chain, place, kNow).verdict, Verdict::warn);
    chain.head.timestamp = kNow - 86'400;
    EXPECT_EQ(check_endpoint(chain, place, kNow).verdict, Verdict::fail);
    chain.head.timestamp = kNow + 5;  // a block of the future is the clock's business
    EXPECT_EQ(check_endpoint(chain, place, kNow).verdict, Verdict::ok);
    EXPECT_EQ(check_endpoint(chain, {kHub, 101, 1}, kNow).verdict, Verdict::fail);
    EXPECT_EQ(check_endpoint(chain, {kHub, 50, 2}, kNow).verdict, Verdict::fail);
    chain.served = EthereumError{EthereumCode::rpc_error, "pruned", {}};
    const Finding pruned = check_endpoint(chain, place, kNow);
    EXPECT_EQ(pruned.verdict, Verdict::fail);
    EXPECT_NE(pruned.text.find("pruned"), std::string::npos);
    chain.id = EthereumError{EthereumCode::connect_failed, "", {}};
    EXPECT_EQ(check_endpoint(chain, place, kNow).verdict, Verdict::fail);
}

TEST(DoctorL1, Clock) {
    FakeChain chain;
    EXPECT_EQ(check_clock(chain, kNow).verdict, Verdict::ok);
    EXPECT_EQ(check_clock(chain, kNow - 15).verdict, Verdict::ok);
    EXPECT_EQ(check_clock(chain, kNow - 60).verdict, Verdict::fail);
}

TEST(DoctorL1, HubAndItsVerifiers) {
    FakeChain chain;
    EXPECT_EQ(check_hub(chain, kHub).verdict, Verdict::ok);
    EXPECT_EQ(check_hub(chain, kAccount).verdict, Verdict::fail);
    EXPECT_EQ(check_verifiers(chain, kHub, 0, kDigests).verdict, Verdict::ok);
    chain.is_pinned = false;
    EXPECT_EQ(check_verifiers(chain, kHub, 0, kDigests).verdict, Verdict::warn);
    chain.digests[2][31] ^= 1;
    EXPECT_EQ(check_verifiers(chain, kHub, 0, kDigests).verdict, Verdict::fail);
    EXPECT_EQ(check_sequencer(chain, kHub, 1, kAccount).verdict, Verdict::ok);
    chain.may_submit = false;
    EXPECT_EQ(check_sequencer(chain, kHub, 1, kAccount).verdict, Verdict::fail);
    chain.hub_code.clear();
    EXPECT_EQ(check_hub(chain, kHub).verdict, Verdict::fail);
}

TEST(DoctorL1, Balance) {
    FakeChain chain;
    const auto verdict = [&](std::uint64_t wei) {
        chain.wei = U256(wei);
        return check_balance(chain, kAccount, U256(10), 2).verdict;
    };
    EXPECT_EQ(verdict(9), Verdict::fail);
    EXPECT_EQ(verdict(10), Verdict::warn);
    EXPECT_EQ(verdict(20), Verdict::ok);
    // An account that has nothing has not enough for what nobody can say.
    EXPECT_EQ(check_balance(chain, kAccount, ethereum::SilentChain::unused(), 2).verdict, Verdict::fail);
}

TEST(DoctorL1, VerifiersOfRollups) {
    FakeChain chain;
    const auto verdicts = [&](const std::vector<std::uint32_t>& rollups) {
        std::vector<Verdict> r;
        for (const Finding& finding : check_verifiers(chain, kHub, rollups, kDigests)) r.push_back(finding.verdict);
        return r;
    };
    EXPECT_EQ(verdicts({}), std::vector{Verdict::warn});
    EXPECT_EQ(verdicts({9}), std::vector{Verdict::fail});
    chain.num_rollups = 2;
    EXPECT_EQ(verdicts({}), std::vector{Verdict::ok}) << "one key of both";
    EXPECT_EQ(verdicts({1}), std::vector{Verdict::ok});
    EXPECT_EQ(verdicts({9, 1}), (std::vector{Verdict::fail, Verdict::ok}));
    chain.num_rollups.reset();
    EXPECT_EQ(verdicts({}), std::vector{Verdict::fail});
    EXPECT_EQ(verdicts({1}), std::vector{Verdict::fail});
}

/// Paths and the status that each answers with; others are 404.
class FakeTransport final : public ethereum::HttpTransport {
  public:
    std::map<std::string, unsigned> paths;
    Answer<ethereum::HttpReply> exchange(const ethereum::Url&, const ethereum::HttpRequest& request, std::uint64_t,
                                         std::size_t) override {
        EXPECT_EQ(request.method, "GET");
        const auto at = paths.find(request.target);
        return ethereum::HttpReply{.status = at == paths.end() ? 404 : at->second, .body = "", .retry_after_ms = 0};
    }
};

TEST(DoctorL1, Blobs) {
    FakeTransport transport;
    const std::string url = "http://127.0.0.1:5052";
    for (const bool is_beacon : {false, true}) {
        EXPECT_EQ(check_blobs(transport, "x", is_beacon).verdict, Verdict::fail);
        const Finding none = check_blobs(transport, url, is_beacon);
        EXPECT_EQ(none.verdict, Verdict::fail);
        EXPECT_FALSE(none.advice.empty());
    }
    transport.paths["/eth/v1/beacon/blobs/latest"] = 200;
    EXPECT_EQ(check_blobs(transport, url, false).verdict, Verdict::ok);
    EXPECT_EQ(check_blobs(transport, url, true).verdict, Verdict::fail);
    transport.paths["/eth/v1/beacon/genesis"] = 200;
    transport.paths["/eth/v1/beacon/blobs/head"] = 500;
    EXPECT_EQ(check_blobs(transport, url, true).verdict, Verdict::fail);
    transport.paths["/eth/v1/beacon/blobs/head"] = 200;
    EXPECT_EQ(check_blobs(transport, url, true).verdict, Verdict::ok);
}

}  // namespace
}  // namespace quarry::node::doctor::doctor_test
