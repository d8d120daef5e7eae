#include "quarry/apps/states.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "quarry/apps/proof_kinds.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"

namespace quarry::apps {
namespace {

constexpr const char* kSeedFile = "development.json";
constexpr std::size_t kSeedFileBytes = 4096;

std::string seed_path(const std::string& directory) { return (std::filesystem::path(directory) / kSeedFile).string(); }

ExitCode exit_code(node::StorageCode code) {
    switch (code) {
        case node::StorageCode::no_such_directory:
        case node::StorageCode::not_a_state_directory:
        case node::StorageCode::incomplete:
        case node::StorageCode::wrong_version:
        case node::StorageCode::corrupt:
        case node::StorageCode::root_mismatch:
        case node::StorageCode::missing_key:
            return exit_bad_input;
        case node::StorageCode::exists_already:
        case node::StorageCode::locked_by_another_process:
        case node::StorageCode::disk_full:
        case node::StorageCode::permission_denied:
        case node::StorageCode::read_only:
        case node::StorageCode::failed_before:
        case node::StorageCode::io_error:
            return exit_environment;
    }
    return exit_internal;
}

}  // namespace

Failure to_failure(const node::StorageError& error) {
    // The message is "PATH: cause; remedy".
    const std::size_t split = error.message.rfind("; ");
    const std::string cause = error.message.substr(0, split);
    const std::string remedy = split == std::string::npos ? "check the directory" : error.message.substr(split + 2);
    return {exit_code(error.code), node::storage_code_name(error.code), cause, remedy};
}

Failure to_failure(const node::Problem& problem) {
    ExitCode code = exit_environment;
    if (problem.kind == node::Problem::Kind::refused) code = exit_refused;
    if (problem.kind == node::Problem::Kind::bad_input) code = exit_bad_input;
    return {code, problem.name, problem.cause, problem.remedy};
}

std::unique_ptr<node::DurableStore> open_state(const std::string& directory, bool read_only) {
    node::StoreOptions options;
    options.read_only = read_only;
    return value_of(node::DurableStore::open(directory, options));
}

BatchName parse_batch_name(const std::string& path) {
    const std::filesystem::path clean = std::filesystem::path(path).lexically_normal();
    const std::filesystem::path last = clean.has_filename() ? clean : clean.parent_path();
    const std::string name = last.filename().string();
    const std::string prefix = "batch-";
    BatchName r{last.parent_path().empty() ? "." : last.parent_path().string(), 0};
    if (name.starts_with(prefix)) {
        const char* end = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + prefix.size(), end, r.number);
        if (parsed.ec == std::errc() && parsed.ptr == end && r.number > 0) return r;
    }
    throw Failure(exit_bad_input, "not_a_batch", fmt::format("{} is not a batch", path),
                  "give a folder batch-NNNNNN, as `quarry execute --out DIR` writes it");
}

rollup::MemoryStore state_before(const std::string& directory, const BatchName& name,
                                 const rollup::RollupParameters& parameters) {
    const auto state = open_state(directory, true);
    if (!(state->parameters() == parameters)) {
        throw Failure(exit_bad_input, "wrong_rollup",
                      fmt::format("{} is the state of another rollup than {}", directory, name.folder),
                      "give the state directory that the batch was executed on");
    }
    auto before = state->before_batch(name.number);
    if (before) return std::move(before).value();
    throw Failure(exit_bad_input, rollup::reject_name(before.code()),
                  fmt::format("{} cannot go back to the state before batch {}", directory, name.number),
                  "give a state directory that has executed it, or all batches before it, and not finalised it");
}

void add_prover_options(CLI::App& command, std::string& payee, std::uint64_t& miner_tag) {
    const auto check = [](const std::string& text) {
        if (parse_address(text)) return std::string();
        return "'" + text + "' is not an address: 0x and 40 hexadecimal digits, not all zero";
    };
    command.add_option("--payee", payee, "the L1 address that the bounty is for: part of what is proven")
        ->type_name("ADDRESS")
        ->check(check)
        ->capture_default_str();
    command.add_option("--miner-tag", miner_tag, "64 bits that name the prover inside a pool")
        ->type_name("N")
        ->capture_default_str();
}

void write_development_seed(const std::string& directory, std::uint64_t seed) {
    node::ObjectWriter w;
    w.integer("seed", seed);
    value_of(node::replace_file(seed_path(directory), node::as_bytes(std::move(w).finish() + "\n")));
}

std::uint64_t read_development_seed(const std::string& directory) {
    const std::string path = seed_path(directory);
    const auto bytes = node::read_whole_file(path, kSeedFileBytes);
    if (bytes) {
        node::ObjectReader r(node::as_text(bytes.value()), kSeedFileBytes);
        const auto seed = r.integer<std::uint64_t>("seed");
        if (!r.finish()) return seed;
    }
    throw Failure(exit_bad_input, "no_seed", fmt::format("{} does not say from which seed its accounts are", path),
                  "give the seed of `quarry genesis` with --key-seed");
}

CLI::Option* add_amount(CLI::App& command, const std::string& name, std::string& value,
                        const std::string& description) {
    const auto is_amount = [](const std::string& text) -> std::string {
        return rollup::parse_amount(text) ? "" : "'" + text + "' is not a decimal integer below 2^96";
    };
    return command.add_option(name, value, description)->type_name("AMOUNT")->check(is_amount);
}

rollup::Amount amount_of(const std::string& text) { return rollup::parse_amount(text).value(); }

}  // namespace quarry::apps
