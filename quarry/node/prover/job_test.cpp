#include "quarry/node/prover/job.hpp"

#include <gtest/gtest.h>

#include "quarry/node/prover/prover_testing.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::prover::job_test {
namespace {

using node::testing::TemporaryPath;
using testing::kMe;
using testing::kOther;

TEST(Job, RecordsAndNames) {
    const TemporaryPath path("quarry-jobs");
    Job job;
    job.id = std::string(64, 'a');
    job.state = JobState::submitted;
    job.batches = {{1, 2, 3, {4}}, {5, 6, 7, {8}}};
    job.code = "x";
    job.reason = "it \"is\" so";
    job.fee = testing::kEther * 1000;
    auto store = JobStore::open(path.get()).value();
    ASSERT_TRUE(store.put(job).ok());
    auto again = JobStore::open(path.get()).value();
    Job read = again.jobs().at(job.id);
    EXPECT_EQ(read.reason, "it ?is? so");
    read.reason = job.reason;
    EXPECT_EQ(read, job);
    for (const char* state : {"proving", "proven", "settled", "lost", "dropped", "failed"}) {
        std::string text = to_json(job);
        text.replace(text.find("submitted"), 9, state);
        EXPECT_EQ(job_state_name(parse_job(text)->state), std::string(state));
    }
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"submitted", "sleeping"}, {"1:2:3:", "1:2:"}, {"\"key\": 0", "\"key\": 5000000000"}, {"aaaa", "aaa"}}) {
        std::string text = to_json(job);
        if (text.find(from) == std::string::npos)
            text.replace(text.find("\"key\":0"), 7, "\"key\":5000000000");
        else
            text.replace(text.find(from), from.size(), to);
        EXPECT_FALSE(parse_job(text)) << from;
    }
    ASSERT_TRUE(write_synced(path.get() + "/" + job.id + "/job.json", as_bytes("{")).ok());
    EXPECT_EQ(JobStore::open(path.get()).value().damaged().size(), 1U);

    const std::vector<rollup::Bytes32> hashes{{1}};
    const NamedBatch batch{{}, {2}, DataPlacement::blobs, hashes};
    const JobName name{kMe, 0, 1, {}};
    const auto of = [&](const JobName& n, const NamedBatch& b) { return job_name(n, {&b, 1}); };
    const std::string id = of(name, batch);
    EXPECT_EQ(of(name, batch), id);
    EXPECT_NE(of({kOther, 0, 1, {}}, batch), id);
    EXPECT_NE(of({kMe, 1, 1, {}}, batch), id);
    EXPECT_NE(of({kMe, 0, 2, {}}, batch), id);
    EXPECT_NE(of(name, {{}, {2}, DataPlacement::calldata, hashes}), id);
    EXPECT_NE(of(name, {{}, {2}, DataPlacement::blobs, {}}), id);
    EXPECT_NE(of(name, {{}, {3}, DataPlacement::blobs, hashes}), id);
}

}  // namespace
}  // namespace quarry::node::prover::job_test
