#include "quarry/node/batch_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "quarry/node/file_io.hpp"
#include "quarry/node/statement_json.hpp"

namespace quarry::node {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRollupFile = "rollup.json";
constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kGroup = 16;  ///< batches whose statements are computed side by side

constexpr std::size_t kMaxDataBytes = rollup::kMaxBatchWords * rollup::kWordBytes;
constexpr std::size_t kMaxEffectBytes = rollup::kMaxEffects * 4 * rollup::kWordBytes;
constexpr std::size_t kMaxQueueBytes = (rollup::kMaxEffects + 1) * kMaxLineBytes;

Problem damaged(const std::string& path, const std::string& name, const std::string& why) {
    return {Problem::Kind::bad_input, name, fmt::format("{}: {}", path, why),
            "copy the batch again from its source, or execute its input again"};
}
Problem damaged(const std::string& path, rollup::RejectCode code) {
    return damaged(path, rollup::reject_name(code), rollup::reject_text(code));
}
Problem damaged(const std::string& path, const JsonError& error) {
    const std::string field = error.field.empty() ? "" : fmt::format(" (field {})", error.field);
    return damaged(path, json_code_name(error.code), json_code_text(error.code) + field);
}

std::string rollup_json(const rollup::RollupParameters& p) {
    ObjectWriter w("\n  ");
    w.integer("format", kFormat).integer("l1_chain_id", p.l1_chain_id).address("hub", p.hub);
    w.integer("rollup_id", p.rollup_id).elements("genesis_root", p.genesis_root);
    w.amount("min_new_pair_fee", p.min_new_pair_fee);
    return std::move(w).finish() + "\n";
}

Outcome<rollup::RollupParameters> read_rollup_json(const std::string& path) {
    const auto bytes = read_whole_file(path, kMaxLineBytes);
    if (!bytes) return bytes.error();
    ObjectReader r(as_text(bytes.value()), kMaxLineBytes);
    rollup::RollupParameters p;
    const auto format = r.integer<std::uint64_t>("format");
    p.l1_chain_id = r.integer<std::uint64_t>("l1_chain_id");
    p.hub = r.address("hub");
    p.rollup_id = r.integer<std::uint32_t>("rollup_id");
    p.genesis_root = r.digest("genesis_root");
    p.min_new_pair_fee = r.amount("min_new_pair_fee");
    if (const auto error = r.finish()) return damaged(path, *error);
    if (format != kFormat) return damaged(path, rollup::RejectCode::unsupported_version);
    return p;
}

/// The state before the batch on the first line, then one entry a line.
std::string queue_text(const BatchFiles& batch) {
    ObjectWriter w;
    w.elements("before_root", batch.before.root).integer("before_slot_count", batch.before.slot_count);
    w.integer("before_deposit_cursor", batch.before.deposit_cursor);
    w.integer("before_forced_cursor", batch.before.forced_cursor);
    std::string text = std::move(w).finish() + "\n";
    for (const IndexedEntry& entry : batch.entries) text += to_json(entry) + "\n";
    return text;
}

std::optional<JsonError> read_queue_text(std::string_view text, BatchFiles& batch) {
    bool first = true;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return JsonError{JsonCode::bad_syntax, ""};
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (first) {
            ObjectReader r(line, kMaxLineBytes);
            batch.before.root = r.digest("before_root");
            batch.before.slot_count = r.integer<rollup::SlotIndex>("before_slot_count");
            batch.before.deposit_cursor = r.integer<std::uint64_t>("before_deposit_cursor");
            batch.before.forced_cursor = r.integer<std::uint64_t>("before_forced_cursor");
            if (auto error = r.finish()) return error;
        } else {
            const auto entry = parse_queue_line(line);
            if (!entry) return entry.error();
            batch.entries.push_back(entry.value());
        }
        first = false;
    }
    if (first) return JsonError{JsonCode::missing_field, "before_root"};
    return std::nullopt;
}

std::vector<IndexedEntry> consumed_entries(const std::vector<rollup::Effect>& effects) {
    std::vector<IndexedEntry> entries;
    for (const rollup::Effect& effect : effects) {
        std::visit(
            [&](const auto& x) {
                if constexpr (requires { x.entry; }) entries.push_back({x.index, x.entry});
            },
            effect);
    }
    return entries;
}

/// Every cursor moves by the number of entries of its queue, one at a time.
bool cursors_meet(const BatchFiles& batch) {
    std::uint64_t deposit = batch.before.deposit_cursor;
    std::uint64_t forced = batch.before.forced_cursor;
    for (const IndexedEntry& entry : batch.entries) {
        const bool is_deposit = std::holds_alternative<rollup::DepositEntry>(entry.entry);
        if (entry.index != (is_deposit ? deposit : forced)++) return false;
    }
    return deposit == batch.header.deposit_cursor && forced == batch.header.forced_cursor;
}

Problem wrong_rollup(const std::string& path) {
    return {Problem::Kind::bad_input, "wrong_rollup", path + " holds the batches of another rollup",
            "choose another folder, or the state that these batches belong to"};
}

}  // namespace

QueueWindow BatchFiles::queues() const {
    QueueWindow queues(before.deposit_cursor, before.forced_cursor);
    for (const IndexedEntry& entry : entries) queues.push(entry.entry);
    queues.set_hashes(header.deposit_hash, header.forced_hash);
    return queues;
}

BatchFiles make_batch_files(const rollup::ExecutedBatch& batch) {
    return {batch.header, batch.data, batch.effects, batch.before, consumed_entries(batch.effects)};
}

Outcome<BatchFolder> BatchFolder::create(const std::string& path, const rollup::RollupParameters& parameters) {
    std::error_code error;
    if (fs::exists(fs::path(path) / kRollupFile, error)) {
        auto folder = open(path);
        if (folder && folder.value().parameters() != parameters) return wrong_rollup(path);
        return folder;
    }
    if (fs::exists(path, error) && !fs::is_directory(path, error)) return cannot_write(path, ENOTDIR);
    if (fs::exists(path, error) && !fs::is_empty(path, error)) {
        return Problem{Problem::Kind::environment, "not_empty", path + " is not empty and holds no batches",
                       "choose a new folder for the batches"};
    }
    QUARRY_PASS_ON(make_folder(path));
    QUARRY_PASS_ON(replace_file((fs::path(path) / kRollupFile).string(), as_bytes(rollup_json(parameters))));
    return BatchFolder(path, parameters);
}

Outcome<BatchFolder> BatchFolder::open(const std::string& path) {
    std::error_code error;
    const std::string file = (fs::path(path) / kRollupFile).string();
    if (!fs::exists(file, error)) {
        return Problem{Problem::Kind::bad_input, "not_a_batch_folder", path + " is no folder of batches",
                       "give a folder that `quarry execute --out` has written"};
    }
    const auto parameters = read_rollup_json(file);
    if (!parameters) return parameters.error();
    return BatchFolder(path, parameters.value());
}

std::string BatchFolder::batch_path(std::uint64_t number) const {
    return (fs::path(path_) / fmt::format("batch-{:06}", number)).string();
}

std::vector<std::uint64_t> BatchFolder::numbers() const {
    std::vector<std::uint64_t> r;
    std::error_code error;
    for (fs::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        std::uint64_t number = 0;
        const auto digits = std::string_view(name).substr(std::min<std::size_t>(6, name.size()));
        if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) continue;
        if (name == fs::path(batch_path(number)).filename().string()) r.push_back(number);
    }
    std::ranges::sort(r);
    return r;
}

Outcome<Done> BatchFolder::write(const BatchFiles& batch, std::span<const std::string> with) const {
    const std::string place = batch_path(batch.header.number);
    const std::string beside = place + ".part";
    std::error_code error;
    fs::remove_all(beside, error);
    QUARRY_PASS_ON(make_folder(beside));
    std::vector<std::uint8_t> effects;
    for (const rollup::Effect& effect : batch.effects) rollup::encode(effect, effects);
    QUARRY_PASS_ON(write_unsynced(beside + "/header.bin", rollup::encode(batch.header)));
    QUARRY_PASS_ON(write_unsynced(beside + "/data.bin", batch.data));
    QUARRY_PASS_ON(write_unsynced(beside + "/effects.bin", effects));
    QUARRY_PASS_ON(write_unsynced(beside + "/queue.jsonl", as_bytes(queue_text(batch))));
    fs::remove_all(place, error);
    QUARRY_PASS_ON(rename_path(beside, place));
    std::vector<std::string> paths(with.begin(), with.end());
    for (const char* file : {"header.bin", "data.bin", "effects.bin", "queue.jsonl"})
        paths.push_back(place + "/" + file);
    paths.push_back(place);
    paths.push_back(path_);
    return sync_paths(paths);
}

Outcome<BatchFiles> BatchFolder::read(std::uint64_t number) const {
    const std::string folder = batch_path(number);
    const auto header_bytes = read_whole_file(folder + "/header.bin", rollup::kHeaderBytes);
    if (!header_bytes) return header_bytes.error();
    auto data = read_whole_file(folder + "/data.bin", kMaxDataBytes);
    if (!data) return data.error();
    const auto effect_bytes = read_whole_file(folder + "/effects.bin", kMaxEffectBytes);
    if (!effect_bytes) return effect_bytes.error();
    const auto queue = read_whole_file(folder + "/queue.jsonl", kMaxQueueBytes);
    if (!queue) return queue.error();

    const auto header = rollup::parse_header(header_bytes.value());
    if (!header) return damaged(folder + "/header.bin", header.code());
    BatchFiles batch{
        .header = header.value(), .data = std::move(data).value(), .effects = {}, .before = {}, .entries = {}};
    if (batch.header.number != number) return damaged(folder + "/header.bin", rollup::RejectCode::wrong_parent);
    if (batch.header.rollup_id != parameters_.rollup_id)
        return damaged(folder + "/header.bin", rollup::RejectCode::wrong_rollup);
    if (batch.header.byte_length != batch.data.size() || batch.data.size() % rollup::kWordBytes != 0)
        return damaged(folder + "/data.bin", rollup::RejectCode::byte_length_mismatch);
    auto effects = rollup::parse_effects(effect_bytes.value());
    if (!effects) return damaged(folder + "/effects.bin", effects.code());
    batch.effects = std::move(effects).value();
    if (batch.header.num_effects != batch.effects.size())
        return damaged(folder + "/effects.bin", rollup::RejectCode::effect_count_mismatch);
    if (const auto error = read_queue_text(as_text(queue.value()), batch))
        return damaged(folder + "/queue.jsonl", *error);
    if (batch.entries != consumed_entries(batch.effects) || !cursors_meet(batch))
        return damaged(folder + "/queue.jsonl", rollup::RejectCode::cursor_mismatch);
    return batch;
}

Outcome<rollup::SegmentStatement> BatchFolder::read_statement(std::uint64_t number) const {
    const std::string path = batch_path(number) + "/statement.json";
    const auto text = read_whole_file(path, kMaxStatementBytes);
    if (!text) return text.error();
    auto statement = parse_segment_statement(as_text(text.value()));
    if (!statement) return damaged(path, statement.error());
    return std::move(statement).value();
}

Outcome<Done> BatchFolder::write_group(std::span<const BatchFiles> group) const {
    const auto statements = batch_statements(parameters_, group);
    std::vector<std::string> folders;
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < group.size(); ++i) {
        folders.push_back(batch_path(group[i].header.number));
        parts.push_back(folders.back() + "/statement.json.part");
        QUARRY_PASS_ON(write_unsynced(parts.back(), as_bytes(to_json(statements[i]))));
    }
    QUARRY_PASS_ON(sync_paths(parts));
    for (std::size_t i = 0; i < group.size(); ++i)
        QUARRY_PASS_ON(rename_path(parts[i], folders[i] + "/statement.json"));
    return sync_paths(folders);
}

Outcome<Done> BatchFolder::write_statements(std::uint64_t first, std::uint64_t last) const {
    std::vector<BatchFiles> group;
    for (std::uint64_t number = first; number <= last; ++number) {
        std::error_code error;
        if (fs::exists(batch_path(number) + "/statement.json", error)) continue;
        auto batch = read(number);
        if (!batch) return batch.error();
        group.push_back(std::move(batch).value());
        if (group.size() < kGroup) continue;
        QUARRY_PASS_ON(write_group(group));
        group.clear();
    }
    return write_group(group);
}

}  // namespace quarry::node
