#include "quarry/node/doctor/l1.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"

namespace quarry::node::doctor {
namespace {

using ethereum::Answer;
using ethereum::BlockTag;
using ethereum::EthereumError;

constexpr std::uint64_t kOldHeadSeconds = 120;      // ten missed slots
constexpr std::uint64_t kStaleHeadSeconds = 3'600;  // a node that syncs, or a dead chain
constexpr std::uint64_t kFutureSeconds = 15;        // a slot and some: what L1 itself tolerates
constexpr std::uint64_t kLogBlocks = 1'000;         // asked for at once
constexpr std::uint64_t kHttpTimeoutMs = 10'000;
constexpr std::size_t kMaxBeaconBytes = std::size_t{32} << 20;  // a block's blobs, as hexadecimal digits

std::string text_of(const EthereumError& error) {
    return std::string(ethereum_code_text(error.code)) + (error.detail.empty() ? "" : ": " + error.detail);
}

Finding no_answer(const EthereumError& error) {
    return fail(text_of(error), "check that the node runs and its URL, with user and password if it needs them");
}

std::string eth(const U256& wei) { return l1::ether_text(wei) + " ETH"; }

/// The first thing that a GET of the path says wrong.
Finding check_get(ethereum::HttpTransport& transport, const ethereum::Url& url, const std::string& path) {
    const ethereum::HttpRequest request{.method = "GET", .target = path, .body = "", .headers = {}};
    const auto reply = transport.exchange(url, request, kHttpTimeoutMs, kMaxBeaconBytes);
    if (!reply) return no_answer(reply.error());
    if (reply.value().status == 200) return ok(path);
    return fail(fmt::format("{}{} answers {}", url.origin(), path, reply.value().status), "");
}

}  // namespace

Finding check_endpoint(ethereum::Chain& chain, const HubPlace& place, std::uint64_t now_seconds) {
    const auto id = chain.chain_id();
    if (!id) return no_answer(id.error());
    if (place.chain_id != 0 && id.value() != place.chain_id) {
        return fail(fmt::format("chain {} instead of {}", id.value(), place.chain_id),
                    "name an endpoint of the chain that the deployment is on");
    }
    const auto head = chain.block(BlockTag::latest);
    if (!head) return no_answer(head.error());
    const std::uint64_t age = now_seconds - std::min(now_seconds, head.value().timestamp);
    const std::string text = fmt::format("chain {}, block {}, {} s old", id.value(), head.value().number, age);
    if (age > kStaleHeadSeconds) return fail(text, "wait until the node has caught up, or name another");
    if (head.value().number < place.first_block)
        return fail(text + fmt::format(", before the hub's block {}", place.first_block),
                    "wait until the node has caught up, or name another");
    const std::uint64_t last = std::min(head.value().number, place.first_block + kLogBlocks - 1);
    const auto logs = chain.logs({{place.hub}, {}}, place.first_block, last);
    if (!logs) {
        return fail(fmt::format("{}, no logs of block {}: {}", text, place.first_block, text_of(logs.error())),
                    "name a node that keeps the logs from the hub's creation on");
    }
    if (age > kOldHeadSeconds)
        return warn(text, "the node is behind, or this machine's clock ahead: compare with another endpoint");
    return ok(text + fmt::format(", logs from block {}", place.first_block));
}

Finding check_clock(ethereum::Chain& chain, std::uint64_t now_seconds) {
    const auto head = chain.block(BlockTag::latest);
    if (!head) return no_answer(head.error());
    const std::uint64_t time = head.value().timestamp;
    if (time > now_seconds + kFutureSeconds)
        return fail(fmt::format("{} s behind L1's head", time - now_seconds), "set the clock: run chrony or ntpd");
    return ok(fmt::format("not behind L1's head, which is {} s old", now_seconds - std::min(now_seconds, time)));
}

Finding check_blobs(ethereum::HttpTransport& transport, const std::string& text, bool is_beacon) {
    const auto url = ethereum::parse_url(text);
    if (!url) return fail(text + " is no URL", "write it like http://127.0.0.1:5052");
    if (is_beacon) {
        Finding genesis = check_get(transport, url.value(), "/eth/v1/beacon/genesis");
        if (genesis.verdict != Verdict::ok) {
            if (genesis.advice.empty()) genesis.advice = "name the HTTP API of a beacon node";
            return genesis;
        }
    }
    Finding blobs =
        check_get(transport, url.value(), is_beacon ? "/eth/v1/beacon/blobs/head" : "/eth/v1/beacon/blobs/latest");
    if (blobs.verdict == Verdict::ok) return ok(url.value().origin() + " serves blobs");
    if (blobs.advice.empty()) {
        blobs.advice = is_beacon ? "name a beacon node that serves blobs (some need a flag for it)"
                                 : "set l1.beacon to a beacon node: only development chains serve blobs themselves";
    }
    return blobs;
}

Finding check_hub(ethereum::Chain& chain, const Address& hub) {
    const auto code = chain.code(hub, BlockTag::latest);
    if (!code) return no_answer(code.error());
    const std::string advice = "check the hub's address and which chain the endpoints are on";
    if (code.value().empty()) return fail("there is no contract at " + ethereum::to_hex(hub), advice);
    const auto bridge = l1::HubReader(chain, hub).bridge();
    if (!bridge) return fail(ethereum::to_hex(hub) + " is no hub: " + text_of(bridge.error()), advice);
    return ok(fmt::format("{}, bridge {}", ethereum::to_hex(hub), ethereum::to_hex(bridge.value())));
}

Finding check_verifiers(ethereum::Chain& chain, const Address& hub, KeyNumber key, const KeyDigests& known) {
    static const ethereum::AbiFunction kKeyDigest("keyDigest()");
    const auto set = l1::HubReader(chain, hub).verifiers(key);
    if (!set) return fail(fmt::format("the hub has no key {}: {}", key, text_of(set.error())), "check the hub");
    const std::array<Address, 3> contracts{set.value().first.one, set.value().first.four, set.value().first.sixteen};
    for (std::size_t i = 0; i < contracts.size(); ++i) {
        ethereum::CallRequest request;
        request.to = contracts[i];
        request.data = kKeyDigest.call({});
        const auto digest = chain.call(request, BlockTag::latest);
        if (digest && std::ranges::equal(digest.value(), known[i])) continue;
        return fail(fmt::format("key {}: {} verifies other proofs than this program makes", key,
                                ethereum::to_hex(contracts[i])),
                    "run the version of quarry that the hub was deployed with, or follow another hub");
    }
    const std::string text = fmt::format("key {} is this program's", key);
    if (!set.value().second) return warn(text + ", but not of the hub's pinned list", "know who registered it");
    return ok(text);
}

std::vector<Finding> check_verifiers(ethereum::Chain& chain, const Address& hub,
                                     const std::vector<std::uint32_t>& rollups, const KeyDigests& known) {
    std::vector<Finding> findings;
    std::set<KeyNumber> keys;
    const bool is_all = rollups.empty();
    const std::size_t count = is_all ? kMaxRollups : rollups.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t rollup = is_all ? static_cast<std::uint32_t>(i + 1) : rollups[i];
        const auto view = l1::HubReader(chain, hub).rollup_info(rollup);
        const bool is_there = view && !view.value().owner.is_zero();
        if (is_there) {
            keys.insert(view.value().parameters.key);
            continue;
        }
        if (!view)
            findings.push_back(fail(fmt::format("rollup {}: {}", rollup, text_of(view.error())), "check the hub"));
        else if (!is_all)
            findings.push_back(fail(fmt::format("the hub has no rollup {}", rollup), "check the rollup's number"));
        if (is_all) break;
    }
    for (const KeyNumber key : keys) findings.push_back(check_verifiers(chain, hub, key, known));
    if (findings.empty()) findings.push_back(warn("the hub has no rollup yet", "register one: quarry l1 deploy --hub"));
    return findings;
}

Finding check_sequencer(ethereum::Chain& chain, const Address& hub, std::uint32_t rollup, const Address& account) {
    const auto is_sequencer = l1::HubReader(chain, hub).is_sequencer(rollup, account);
    if (!is_sequencer) {
        return fail(fmt::format("rollup {}: {}", rollup, text_of(is_sequencer.error())),
                    "check the deployment's hub and rollup");
    }
    const std::string who = ethereum::to_hex(account);
    if (is_sequencer.value()) return ok(fmt::format("{} submits batches of rollup {}", who, rollup));
    return fail(fmt::format("{} may not submit batches of rollup {}", who, rollup),
                "the rollup's owner adds it as a sequencer, or use the key of one that is");
}

Finding check_balance(ethereum::Chain& chain, const Address& account, const Answer<U256>& price,
                      std::uint64_t advised_times) {
    if (!price) return fail("what is needed is not known: " + text_of(price.error()), "check the endpoint and the hub");
    const U256& least = price.value();
    const U256 advised = l1::saturated_product(least, advised_times);
    const auto balance = chain.balance(account, BlockTag::latest);
    if (!balance) return no_answer(balance.error());
    const std::string text = fmt::format("{} has {}", ethereum::to_hex(account), eth(balance.value()));
    const std::string advice = fmt::format("send it ether: {} are needed, {} advised", eth(least), eth(advised));
    if (balance.value() < least) return fail(text, advice);
    return balance.value() < advised ? warn(text, advice) : ok(text);
}

}  // namespace quarry::node::doctor
