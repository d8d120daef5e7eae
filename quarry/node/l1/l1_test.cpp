// What needs no chain: words in blobs and calldata, amounts, prices, the bounty's ramp, stored blocks, withdrawals'
// tree.

#include <gtest/gtest.h>

#include <filesystem>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/l1/batch_data.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/event_store.hpp"
#include "quarry/node/l1/hub_abi.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/hub_state.hpp"
#include "quarry/node/l1/settlement_options.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/words.hpp"

namespace quarry::node::l1::l1_test {
namespace {

Bytes some_words(std::size_t num_words) {
    Bytes words;
    for (std::size_t i = 0; i < num_words * rollup::kWordBytes; ++i) {
        words.push_back(static_cast<std::uint8_t>(1 + i * 7 + i / 251));
    }
    return words;
}

TEST(BatchData, WordsOfBlobsAreTheWordsThatWentIn) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{24'576}}) {
        const Bytes words = some_words(n);
        const auto blobs = blobs_of_words(words);
        EXPECT_EQ(blobs.size(), (n + 4095) / 4096);
        EXPECT_EQ(words_of_blobs(blobs, words.size()).value(), words);
    }
}

TEST(BatchData, BlobsThatAreNoBatchAreRefused) {
    const Bytes words = some_words(5);
    const auto blobs = blobs_of_words(words);
    const auto cause = [](const std::vector<ethereum::Blob>& x, std::size_t length) {
        const auto result = words_of_blobs(x, length);
        return result ? std::string("none") : result.error().name;
    };
    auto changed = blobs;
    changed[0][64] = 1;  // the byte above a word
    EXPECT_EQ(cause(changed, words.size()), "bad_word");
    changed = blobs;
    changed[0].back() = 1;
    EXPECT_EQ(cause(changed, words.size()), "nonzero_padding");
    changed = blobs;
    changed[0].pop_back();
    EXPECT_EQ(cause(changed, words.size()), "bad_length");
    EXPECT_EQ(cause({blobs[0], blobs[0]}, words.size()), "bad_length");
    EXPECT_EQ(cause(blobs, words.size() - 1), "bad_length");
    EXPECT_EQ(cause(blobs, words.size() - 31), "nonzero_padding");
    EXPECT_EQ(cause({}, 0), "bad_length");
}

TEST(BatchData, CalldataIsFoundBehindAnyCaller) {
    const Bytes words = some_words(9);
    const Bytes call = hub_call::submit_batch_calldata({}, {1, 2}, words, {}, {});
    EXPECT_EQ(find_calldata(call, words.size(), keccak256(words)), words);
    const Bytes relayed = ethereum::AbiFunction("relay(address,bytes)").call({Address{}, call});
    EXPECT_EQ(find_calldata(relayed, words.size(), keccak256(words)), words);
    Bytes32 other = keccak256(words);
    other[0] ^= 1;
    EXPECT_EQ(find_calldata(call, words.size(), other), std::nullopt);
    EXPECT_EQ(find_calldata(call, words.size() + 31, keccak256(words)), std::nullopt);
    EXPECT_EQ(find_calldata({}, words.size(), keccak256(words)), std::nullopt);
}

/// The hub takes any point; one of other data than the batch's makes it a batch that nobody can prove.
TEST(BatchData, CalldataWithThePointOfOtherDataIsRefused) {
    const Bytes words = some_words(9);
    rollup::Header header;
    header.byte_length = static_cast<std::uint32_t>(words.size());
    const Bytes32 hash = keccak256(words);
    const auto point = [&](const Bytes& of) {
        return digest_bytes(rollup::make_data_statement(rollup::DataForm::horner, rollup::header_hash(header), of,
                                                        keccak256(of), rollup::L1Address{}, 0)
                                .point);
    };
    const auto cause = [&](const Bytes& input) {
        const auto found = words_of_calldata(input, header, hash);
        return found ? std::string() : found.error().name;
    };
    const Bytes encoded = rollup::encode(header);
    EXPECT_EQ(cause(hub_call::submit_batch_calldata({}, encoded, words, point(words), {})), "");
    EXPECT_EQ(cause(hub_call::submit_batch_calldata({}, encoded, words, {}, {})), "bad_point");
    EXPECT_EQ(cause(hub_call::submit_batch_calldata({}, encoded, words, point(some_words(8)), {})), "bad_point");
    EXPECT_EQ(cause(hub_call::submit_batch_calldata({}, encoded, some_words(8), point(words), {})), "data_unavailable");
    // A replacement is in the hub only with its proof.
    EXPECT_EQ(cause(abi(HubFunction::replace_and_prove).call({to_abi(Item{}), Bytes{}, words})), "");
}

TEST(Amounts, OfEtherAreExact) {
    EXPECT_EQ(parse_ether("0.05"), U256(50'000'000'000'000'000));
    EXPECT_EQ(parse_ether("1"), U256(1'000'000'000'000'000'000));
    EXPECT_EQ(parse_ether("0.000000000000000001"), U256(1));
    for (const char* bad : {"", ".", "1.", ".5", "-1", "1e3", "0x1", "1 ", "0.0000000000000000001", "1.2.3",
                            "99999999999999999999999999999999999"}) {
        EXPECT_EQ(parse_ether(bad), std::nullopt) << bad;
    }
    EXPECT_EQ(ether_text(U256(50'000'000'000'000'000)), "0.05");
    EXPECT_EQ(ether_text(U256(0)), "0");
    EXPECT_EQ(ether_text(U256(2'000'000'000'000'000'000)), "2");
    EXPECT_EQ(ether_text(U256(1)), "0.000000000000000001");
}

TEST(Placement, TheCheaperOneDependsOnPrices) {
    const Bytes few = some_words(3);
    const Bytes many = some_words(4'000);
    const U256 gas(10'000'000'000);
    EXPECT_LT(placement_cost(few, gas, gas).calldata, placement_cost(few, gas, gas).blobs);
    EXPECT_LT(placement_cost(many, gas, U256(1)).blobs, placement_cost(many, gas, U256(1)).calldata);
    EXPECT_EQ(calldata_gas(Bytes(310, 1)), 40U * 310) << "the floor of EIP-7623 is above the ordinary price";
}

TEST(Bounty, GrowsBetweenExpectedTimeAndDeadline) {
    Submission s;
    s.terms = {U256(1'000), U256(3'000), U256(500)};
    s.expected_at = 100;
    s.deadline = 300;
    s.bond = U256(10'000);
    s.slash_bps = 5'000;
    s.raises = {{{}, U256(7), 12, false}};
    EXPECT_EQ(bounty_at(s, 11, 50), U256(1'000));
    EXPECT_EQ(bounty_at(s, 12, 100), U256(1'007)) << "a raise counts from its block on";
    EXPECT_EQ(bounty_at(s, 12, 150), U256(1'507));
    EXPECT_EQ(bounty_at(s, 12, 299), U256(2'997));
    EXPECT_EQ(bounty_at(s, 12, 300), U256(5'507)) << "late: with half of what is slashed";
    s.state = BatchState::proven;
    EXPECT_EQ(bounty_at(s, 12, 300), U256(0));
    s.rebate_gas = 10;
    EXPECT_EQ(rebate_at(s, U256(20)), U256(200));
    s.rebate_gas = 100;
    EXPECT_EQ(rebate_at(s, U256(20)), U256(500));
}

StoredBlock some_block(std::uint64_t number) {
    ethereum::Log log;
    log.topics = {Bytes32{1}, Bytes32{2}};
    log.data = {1, 2, 3};
    log.block_number = number;
    log.log_index = 4;
    return {number, 1'000 + number, {log, log}};
}

TEST(EventStore, KeepsBlocksAndPositionTogether) {
    const std::string path = (std::filesystem::temp_directory_path() / "quarry-event-store-test").string();
    std::filesystem::remove_all(path);
    ethereum::FollowCursor cursor;
    cursor.next_number = 8;
    {
        auto store = open_event_store(path, "a hub");
        ASSERT_TRUE(store.ok()) << store.error().message;
        EXPECT_FALSE(store.value()->load().value().cursor.has_value());
        ASSERT_TRUE(store.value()->write(std::nullopt, {some_block(5), some_block(7)}, cursor).ok());
        EXPECT_EQ(open_event_store(path, "a hub").error().code, StorageCode::locked_by_another_process);
    }
    {
        auto store = open_event_store(path, "a hub");
        ASSERT_TRUE(store.ok());
        const auto content = store.value()->load();
        EXPECT_EQ(content.value().blocks, (std::vector<StoredBlock>{some_block(5), some_block(7)}));
        EXPECT_EQ(content.value().cursor, cursor);
        ASSERT_TRUE(store.value()->write(6, {some_block(9)}, cursor).ok());
        EXPECT_EQ(store.value()->load().value().blocks, (std::vector<StoredBlock>{some_block(5), some_block(9)}));
    }
    EXPECT_EQ(open_event_store(path, "another hub").error().code, StorageCode::not_a_state_directory);
    std::filesystem::remove_all(path);
}

TEST(EventStore, DamagedBlocksAreRefused) {
    const Bytes good = encode(some_block(5));
    EXPECT_EQ(decode_block(good).value(), some_block(5));
    for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(decode_block(ByteView(good).first(n)).ok()) << n;
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(decode_block(longer).ok());
}

TEST(WithdrawalPath, LeadsFromEveryLeafToTheRoot) {
    std::vector<Withdrawal> list;
    for (std::uint8_t i = 0; i < 5; ++i) list.push_back({i, rollup::Amount(100U + i), Address{{i}}});
    const Bytes32 root = withdrawal_path(list, 0).root;
    for (std::uint8_t i = 0; i < 5; ++i) {
        const WithdrawalPath path = withdrawal_path(list, i);
        EXPECT_EQ(path.root, root);
        Bytes leaf{0, i};
        rollup::WordWriter writer(leaf);
        writer.integer(list[i].token);
        writer.amount(list[i].amount);
        writer.bytes(list[i].recipient.bytes);
        Bytes32 node = keccak256(leaf);
        for (std::size_t level = 0; level < 8; ++level) {
            const bool is_right = (i >> level & 1) != 0;
            Bytes both{1};
            const Bytes32& left = is_right ? path.siblings[level] : node;
            const Bytes32& right = is_right ? node : path.siblings[level];
            both.insert(both.end(), left.begin(), left.end());
            both.insert(both.end(), right.begin(), right.end());
            node = keccak256(both);
        }
        EXPECT_EQ(node, root);
    }
}

TEST(HubState, RefusesEventsThatTheSpecificationForbids) {
    HubState state;
    ethereum::Log log;
    log.topics = {ethereum::event_topic("UpgradeCancelled(uint32)"), U256(3).to_bytes()};
    const auto fault = state.apply(log, 1);
    ASSERT_TRUE(fault.has_value());
    EXPECT_EQ(fault->code, "unknown_rollup");
    log.topics = {ethereum::event_topic("SomethingElse(uint32)"), U256(3).to_bytes()};
    EXPECT_FALSE(state.apply(log, 1).has_value()) << "not one of ours";
    log.topics = {ethereum::event_topic("UpgradeCancelled(uint32)")};
    EXPECT_EQ(state.apply(log, 1)->code, "bad_event");
}

}  // namespace
}  // namespace quarry::node::l1::l1_test
