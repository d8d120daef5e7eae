#include "quarry/base/check.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/prover/job.hpp"
#include "quarry/node/prover/replica.hpp"

// A job's record and the list of executed batches: reading never fails otherwise than by refusing, and what is accepted
// is written as it was meant.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace quarry::node;  // NOLINT(google-build-using-namespace)
    const std::span<const std::uint8_t> bytes(data, size);
    if (const auto job = prover::parse_job(as_text(bytes))) {
        const auto again = prover::parse_job(prover::to_json(*job));
        QUARRY_CHECK(again && *again == *job);
    }
    if (const auto entries = prover::parse_executed_entries(bytes)) {
        QUARRY_CHECK(prover::parse_executed_entries(prover::encode(*entries)) == *entries);
    }
    return 0;
}
