#include "quarry/node/input_executor.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/batch_files.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/signing.hpp"
#include "quarry/node/workload.hpp"

namespace quarry::node::input_executor_test {
namespace {

namespace fs = std::filesystem;
using rollup::Amount;

constexpr rollup::Timestamp kNow = 1'700'000'000;

/// A development network of 40 accounts in a folder of its own, removed at the end.
class InputExecutorTest : public ::testing::Test {
  protected:
    void SetUp() override {
        root_ = (fs::temp_directory_path() / ("quarry-executor-" + std::to_string(::getpid()))).string();
        fs::remove_all(root_);
        fs::create_directory(root_);
    }
    void TearDown() override { fs::remove_all(root_); }

    std::unique_ptr<DurableStore> make_state(const std::string& name) {
        auto genesis = make_development_genesis(keys_, 40, 1, Amount(1'000'000), Amount(10));
        auto made = DurableStore::create(path(name), genesis.parameters, genesis.leaves, genesis.keys);
        return std::move(made).value();
    }
    WorkloadReport make_input(const DurableStore& store, std::size_t count, std::size_t num_invalid,
                              std::uint64_t seed = 3) {
        WorkloadOptions options;
        options.count = count;
        options.num_invalid = num_invalid;
        options.seed = seed;
        options.mix = {40, 10, 10, 15, 5, 5, 5};
        std::string text;
        const auto report = make_workload(store, store.parameters(), keys_, options, [&](std::string_view part) {
            text += part;
            return true;
        });
        write(text);
        return report.value();
    }
    void write(const std::string& text) { ASSERT_TRUE(write_synced(path("input"), as_bytes(text)).ok()); }
    std::string input_text() const {
        const auto bytes = read_whole_file(path("input"), 1 << 26).value();
        return std::string(as_text(bytes));
    }
    Outcome<ExecutionReport> execute(DurableStore& store, const std::string& folder, std::size_t batch_size = 64) {
        ExecutionOptions options;
        options.batch_size = batch_size;
        options.now = kNow;
        return execute_file(store, path("input"), path(folder), options);
    }
    std::string path(const std::string& name) const { return root_ + "/" + name; }

    const DevelopmentKeys keys_{11};
    std::string root_;
};

TEST_F(InputExecutorTest, AWorkloadExecutesAsItWasMeant) {
    auto store = make_state("state");
    const WorkloadReport made = make_input(*store, 400, 39);
    EXPECT_EQ(made.invalid.size(), 13U);
    const ExecutionReport report = execute(*store, "batches").value();
    EXPECT_EQ(report.totals.executed + report.totals.queued, made.valid);
    EXPECT_EQ(report.totals.rejected, 39U);
    const std::map<std::string, std::size_t> rejected(report.rejects_by_code.begin(), report.rejects_by_code.end());
    EXPECT_EQ(rejected, made.invalid);
    EXPECT_EQ(report.num_batches, store->batch_number());
    EXPECT_FALSE(report.resumed);
}

TEST_F(InputExecutorTest, TheStateDoesNotDependOnTheBatchSize) {
    auto one = make_state("one");
    make_input(*one, 200, 10);
    auto other = make_state("other");
    const auto small = execute(*one, "small", 13).value();
    const auto large = execute(*other, "large", 4096).value();
    EXPECT_GT(small.num_batches, 9U);
    EXPECT_LE(large.num_batches, 2U);
    EXPECT_EQ(one->state(), other->state());
}

TEST_F(InputExecutorTest, BatchesReplayFromTheirFilesWithAllSignatures) {
    auto store = make_state("state");
    make_input(*store, 200, 0);
    (void)execute(*store, "batches", 50).value();
    const BatchFolder folder = BatchFolder::open(path("batches")).value();
    auto genesis = make_development_genesis(keys_, 40, 1, Amount(1'000'000), Amount(10));
    rollup::MemoryStore replayed(genesis.leaves, genesis.keys);
    EXPECT_EQ(folder.numbers().size(), store->batch_number());
    rollup::Bytes32 parent{};
    for (const std::uint64_t number : folder.numbers()) {
        const BatchFiles files = folder.read(number).value();
        const QueueWindow queues = files.queues();
        const auto batch = rollup::replay(folder.parameters(), replayed, queues, files.header, files.data);
        ASSERT_TRUE(batch.ok()) << rollup::reject_name(batch.code());
        EXPECT_TRUE(all_verify(batch.value().signature_checks));
        EXPECT_EQ(files.header.parent_hash, parent);
        parent = keccak256(rollup::encode(files.header));
        ASSERT_TRUE(replayed.commit(batch.value().commit, batch.value().update).ok());
        EXPECT_EQ(folder.read_statement(number).value().after.state, replayed.state());
    }
    EXPECT_EQ(replayed.state(), store->state());
}

TEST_F(InputExecutorTest, AnInputIsExecutedOnce) {
    auto store = make_state("state");
    make_input(*store, 120, 12);
    const auto first = execute(*store, "batches").value();
    const auto state = store->state();
    store.reset();
    store = DurableStore::open(path("state")).value();
    const auto again = execute(*store, "batches").value();
    EXPECT_TRUE(again.resumed);
    EXPECT_EQ(again.executed_here, 0U);
    EXPECT_EQ(again.totals.executed, first.totals.executed);
    EXPECT_EQ(again.rejects_by_code, first.rejects_by_code);
    EXPECT_EQ(store->state(), state);
    // Another input goes on from there, and its batches follow the others.
    make_input(*store, 50, 0, 99);
    const auto second = execute(*store, "batches").value();
    EXPECT_FALSE(second.resumed);
    EXPECT_EQ(second.totals.rejected, 0U);
    EXPECT_EQ(second.totals.first_batch, first.num_batches + 1);
}

TEST_F(InputExecutorTest, ChangingTheFeeReceiversKeyDoesNotBlockTheBatch) {
    auto store = make_state("state");
    const Digest domain = rollup::domain_hash(store->parameters());
    const auto transfer = [&](rollup::Nonce nonce, std::uint64_t key, const Digest& to) {
        SignedTransaction tx;
        tx.tx = {rollup::Transfer{{.slot = 0, .expiry = kNow, .fee = Amount(1), .signature = {}}, 1, Amount(5)},
                 {},
                 1,
                 nonce,
                 to};
        sign(tx, domain, keys_.secret(key));
        return to_json(tx) + "\n";
    };
    const auto change = [&](rollup::Nonce nonce, std::uint64_t fee) {
        SignedTransaction tx;
        tx.tx = {rollup::ChangeKey{{.slot = 0, .expiry = kNow, .fee = Amount(fee), .signature = {}},
                                   to_account_key(keys_.public_keys(1000, 1)[0])},
                 {},
                 1,
                 nonce,
                 {}};
        sign(tx, domain, keys_.secret(0));
        return to_json(tx) + "\n";
    };
    const Digest to = store->leaf(1)->pair;
    write(transfer(0, 0, to) + change(1, 1) + change(1, 0) + transfer(2, 1000, to));
    const auto report = execute(*store, "batches").value();
    EXPECT_EQ(report.totals.executed, 3U);
    EXPECT_EQ(report.rejects_by_code, (std::map<std::string, std::uint64_t>{{"no_fee_slot", 1}}));
    EXPECT_EQ(report.num_batches, 3U);
    EXPECT_EQ(store->leaf(0)->balance, Amount(1'000'000 - 10));
}

TEST_F(InputExecutorTest, LinesOfEveryLength) {
    auto store = make_state("state");
    make_input(*store, 5, 0);
    const std::string good = input_text();
    const std::string huge(std::size_t{1} << 20, 'x');
    write("\n  \r\n" + huge + "\n" + good + std::string(kMaxLineBytes, ' ') + "{}\n" + huge + huge);
    const auto report = execute(*store, "batches").value();
    EXPECT_EQ(report.totals.executed + report.totals.queued, 5U);
    EXPECT_EQ(report.rejects_by_code, (std::map<std::string, std::uint64_t>{{"too_long", 3}}));
    EXPECT_EQ(report.totals.lines, 10U);
    const auto rejects = read_whole_file(path("batches/rejects.jsonl"), 1 << 20).value();
    EXPECT_NE(as_text(rejects).find("{\"line\":3,\"code\":\"too_long\""), std::string_view::npos);
}

TEST_F(InputExecutorTest, WhatStopsTheWholeRun) {
    auto store = make_state("state");
    EXPECT_EQ(execute(*store, "batches").error().name, "cannot_read");
    make_input(*store, 30, 0);
    ExecutionOptions options;
    options.timestamp = kNow;
    ASSERT_TRUE(execute_file(*store, path("input"), path("batches"), options).ok());
    options.timestamp = kNow - 1;
    EXPECT_EQ(execute_file(*store, path("input"), path("batches"), options).error().name, "timestamp_too_early");
    EXPECT_EQ(execute_file(*store, path("state"), path("batches"), options).error().name, "cannot_read");
    make_input(*store, 10, 0, 4);
    EXPECT_EQ(execute(*store, "state").error().name, "not_empty");
    EXPECT_EQ(execute(*store, "input").error().name, "cannot_write");
}

TEST(ExecutionNote, SurvivesTheWayThroughBytes) {
    ExecutionNote note{.parent_hash = {1, 2, 3},
                       .timestamp = 4,
                       .input_id = {5},
                       .offset = 6,
                       .lines = 7,
                       .executed = 8,
                       .queued = 9,
                       .rejected = 10,
                       .reject_bytes = 11,
                       .first_batch = 12};
    auto bytes = encode(note);
    EXPECT_EQ(parse_execution_note(bytes), note);
    bytes.push_back(0);
    EXPECT_FALSE(parse_execution_note(bytes));
    bytes.resize(bytes.size() - 2);
    EXPECT_FALSE(parse_execution_note(bytes));
    EXPECT_FALSE(parse_execution_note({}));
}

}  // namespace
}  // namespace quarry::node::input_executor_test
