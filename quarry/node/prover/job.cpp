#include "quarry/node/prover/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/node/prover/pricing.hpp"
#include "quarry/proof/work_tree.hpp"

namespace quarry::node::prover {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxJobBytes = 16'384;
constexpr std::size_t kMaxBatches = 16;
constexpr std::size_t kMaxText = 1024;

/// ROLLUP:NUMBER:SUBMISSION:HASH of each, with spaces between.
std::string batches_text(const std::vector<JobBatch>& batches) {
    std::string text;
    for (const JobBatch& b : batches) {
        text += fmt::format("{}{}:{}:{}:{}", text.empty() ? "" : " ", b.rollup, b.number, b.submission,
                            quarry::to_hex(b.hash));
    }
    return text;
}

template <class T>
bool read_number(std::string_view& text, T& value) {
    const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
    if (r.ec != std::errc() || r.ptr == text.data() + text.size() || *r.ptr != ':') return false;
    text.remove_prefix(static_cast<std::size_t>(r.ptr - text.data()) + 1);
    return true;
}

std::optional<std::vector<JobBatch>> parse_batches(std::string_view text) {
    std::vector<JobBatch> batches;
    for (;;) {
        const std::size_t end = std::min(text.find(' '), text.size());
        std::string_view one = text.substr(0, end);
        JobBatch b;
        if (!read_number(one, b.rollup) || !read_number(one, b.number) || !read_number(one, b.submission)) return {};
        const auto hash = parse_content_id(one);
        if (!hash || batches.size() == kMaxBatches) return std::nullopt;
        b.hash = *hash;
        batches.push_back(b);
        if (end == text.size()) return batches;
        text.remove_prefix(end + 1);
    }
}

/// What ObjectWriter takes: other characters become question marks.
std::string printable(const std::string& text) {
    std::string r = text.substr(0, kMaxText);
    for (char& c : r) {
        if (c < ' ' || c > '~' || c == '"' || c == '\\') c = '?';
    }
    return r;
}

}  // namespace

const char* job_state_name(JobState state) noexcept {
    switch (state) {
#define QUARRY_X(name, text) \
    case JobState::name:     \
        return #name;
        QUARRY_JOB_STATES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

std::string to_json(const Job& job) {
    ObjectWriter w("\n  ");
    w.text("id", job.id).text("state", job_state_name(job.state)).integer("key", job.key);
    w.text("batches", batches_text(job.batches)).text("code", printable(job.code));
    w.text("reason", printable(job.reason)).integer("created_at", job.created_at);
    w.integer("proven_at", job.proven_at).integer("cpu_ms", job.cpu_ms).integer("submissions", job.submissions);
    w.text("max_fee", to_decimal(job.max_fee)).hex("transaction", job.transaction).text("fee", to_decimal(job.fee));
    return std::move(w).finish() + "\n";
}

std::optional<Job> parse_job(std::string_view text) {
    ObjectReader r(text, kMaxJobBytes);
    Job job;
    job.id = r.text("id");
    const std::string_view state = r.text("state");
    job.key = r.integer<std::uint32_t>("key");
    auto batches = parse_batches(r.text("batches"));
    job.code = r.text("code");
    job.reason = r.text("reason");
    job.created_at = r.integer<std::uint64_t>("created_at");
    job.proven_at = r.integer<std::uint64_t>("proven_at");
    job.cpu_ms = r.integer<std::uint64_t>("cpu_ms");
    job.submissions = r.integer<std::uint64_t>("submissions");
    const auto max_fee = parse_wei(r.text("max_fee"));
    job.transaction = r.bytes<32>("transaction");
    const auto fee = parse_wei(r.text("fee"));
    if (r.finish() || !batches || !max_fee || !fee || !parse_content_id(job.id)) return std::nullopt;
    job.batches = std::move(*batches);
    job.max_fee = *max_fee;
    job.fee = *fee;
#define QUARRY_X(name, text)        \
    if (state == #name) {           \
        job.state = JobState::name; \
        return job;                 \
    }
    QUARRY_JOB_STATES(QUARRY_X)
#undef QUARRY_X
    return std::nullopt;
}

std::string job_name(const JobName& name, std::span<const NamedBatch> batches) {
    std::string text = fmt::format("proof\npayee {}\nminer_tag {}\nsegments {}\nkeys {}\n", to_hex(name.payee.bytes),
                                   name.miner_tag, name.segments, to_hex(name.keys));
    for (const NamedBatch& b : batches) {
        text += fmt::format("batch {} {} {}", to_hex(b.domain), quarry::to_hex(b.hash),
                            b.placement == DataPlacement::blobs ? "blobs" : "calldata");
        for (const rollup::Bytes32& hash : b.l1_hashes) text += " " + quarry::to_hex(hash);
        text += "\n";
    }
    return quarry::to_hex(keccak256(as_bytes(text)));
}

Outcome<JobStore> JobStore::open(const std::string& folder) {
    JobStore store(folder);
    QUARRY_PASS_ON(make_folder(folder));
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        const std::string path = (it->path() / "job.json").string();
        std::error_code ignored;
        if (!parse_content_id(name) || !fs::exists(path, ignored)) continue;
        const auto bytes = read_whole_file(path, kMaxJobBytes);
        auto job = bytes ? parse_job(as_text(bytes.value())) : std::nullopt;
        if (job && job->id == name) {
            store.jobs_.emplace(name, std::move(*job));
        } else {
            store.damaged_.push_back(path);
        }
    }
    if (error) return cannot_read(folder, error.message());
    return store;
}

Outcome<Done> JobStore::put(const Job& job) {
    const std::string folder = (fs::path(folder_) / job.id).string();
    QUARRY_PASS_ON(make_folder(folder));
    QUARRY_PASS_ON(replace_file(folder + "/job.json", as_bytes(to_json(job))));
    jobs_.insert_or_assign(job.id, job);
    return Done{};
}

std::string JobStore::work_path(const std::string& id) const { return (fs::path(folder_) / id / "work").string(); }

std::vector<std::string> JobStore::other_work(const std::string& id) const {
    std::vector<std::string> paths;
    for (const auto& [other, job] : jobs_) {
        if (other != id) paths.push_back(work_path(other));
    }
    return paths;
}

void JobStore::prune(std::size_t keep, const std::string& running) {
    std::vector<std::pair<std::uint64_t, std::string>> over;
    for (const auto& [id, job] : jobs_) {
        if (is_over(job.state) && id != running) over.emplace_back(job.created_at, id);
    }
    if (over.size() <= keep) return;
    std::ranges::sort(over);
    over.resize(over.size() - keep);
    for (const auto& [created_at, id] : over) {
        std::error_code error;  // what cannot be removed now will be next time
        fs::remove_all(work_path(id), error);
        if (!error) fs::remove_all(fs::path(folder_) / id, error);
        if (!error) jobs_.erase(id);
    }
}

}  // namespace quarry::node::prover
