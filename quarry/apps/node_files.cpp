#include "quarry/apps/node_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "quarry/apps/failure.hpp"
#include "quarry/apps/files.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/apps/proof_kinds.hpp"
#include "quarry/apps/states.hpp"
#include "quarry/node/data_proof.hpp"
#include "quarry/node/file_io.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

std::string hex(const Digest& digest) { return node::to_hex(digest); }
std::string hex(const rollup::L1Address& address) { return node::to_hex(address.bytes); }

std::uint32_t words(const rollup::TerminalItem& item) {
    return item.header.byte_length / static_cast<std::uint32_t>(rollup::kWordBytes);
}

json::object to_json(const rollup::L1Binding& binding) {
    return json::object{{"form", binding.form == rollup::BindingForm::blob ? "blob" : "calldata"},
                        {"words", binding.words},
                        {"hash", node::to_hex(binding.l1_hash)},
                        {"point", hex(binding.point)},
                        {"value", node::to_hex(binding.value)}};
}

json::object to_json(const rollup::TerminalItem& item) {
    json::array data;
    for (const rollup::L1Binding& b : item.data) data.push_back(to_json(b));
    json::object r{{"rollup_id", item.header.rollup_id},       {"number", item.header.number},
                   {"domain", hex(item.batch.domain)},         {"words", words(item)},
                   {"effects", item.header.num_effects},       {"root_before", hex(item.batch.before.root)},
                   {"root_after", hex(item.batch.after.root)}, {"payee", hex(item.batch.payee)},
                   {"work_units", item.batch.work.units},      {"data_bindings", std::move(data)}};
    if (item.effects) r["effects_binding"] = to_json(*item.effects);
    return r;
}

/// Whether this is what a bundle says of the batch.
bool is_of(const rollup::TerminalItem& item, const rollup::RollupParameters& parameters,
           const node::BatchFiles& batch) {
    if (item.header != batch.header || item.batch.before != batch.before ||
        item.batch.domain != rollup::domain_hash(parameters)) {
        return false;
    }
    // A binding is a function of the words and of the hash that L1 knows them by.
    const auto same = [](const rollup::L1Binding& said, node::DataInput input) {
        input.l1_hash = said.l1_hash;
        return said == static_cast<const rollup::L1Binding&>(node::statement_of(input, {}, 0));
    };
    const bool blobs = !item.data.empty() && item.data.front().form == rollup::BindingForm::blob;
    const auto inputs = node::data_inputs(batch, blobs ? node::DataPlacement::blobs : node::DataPlacement::calldata);
    const auto effects = node::effects_input(batch);
    return inputs && std::ranges::equal(item.data, *inputs, same) && item.effects.has_value() == effects.has_value() &&
           (!effects || same(*item.effects, *effects));
}

void check_statement_file(const node::NodeStatement& statement, const std::string& path) {
    const auto bytes = read_file(path, node::kMaxNodeStatementBytes);
    const auto wanted = value_of(node::parse_node_statement(node::as_text(bytes)));
    if (wanted == statement) return;
    throw Failure(exit_refused, errc_name(Errc::statement_mismatch),
                  fmt::format("it does not prove what {} says", path),
                  "give the statement that was written beside the proof, or ask for a proof of this one");
}

void check_has_batch(const node::NodeStatement& statement, const std::string& path) {
    const BatchName name = parse_batch_name(path);
    const auto folder = value_of(node::BatchFolder::open(name.folder));
    const auto batch = value_of(folder.read(name.number));
    const auto* bundle = std::get_if<node::BundleContent>(&statement);
    if (bundle == nullptr) {
        throw Failure(exit_usage, "usage", "the proof is of a part of a batch, whose words it does not show",
                      "leave --batch out, or verify the proof of the whole batch");
    }
    const bool found =
        std::ranges::any_of(bundle->items, [&](const auto& item) { return is_of(item, folder.parameters(), batch); });
    if (found) return;
    throw Failure(exit_refused, errc_name(Errc::statement_mismatch), fmt::format("it does not prove {}", path),
                  "give the batch that was proven, or ask for a proof of this one");
}

}  // namespace

std::optional<node::NodeProofFile> read_node_file(const std::string& path) {
    const auto bytes = read_file(path, kMaxProofFileBytes);
    if (!node::is_node_proof(bytes)) return std::nullopt;
    auto file = node::parse_node_proof(bytes);
    if (file) return std::move(file).value();
    throw Failure(exit_bad_input, file.error().name, fmt::format("{}: {}", path, file.error().cause),
                  file.error().remedy);
}

const recursion::Catalog& pinned_catalog() {
    const recursion::Catalog* catalog = node::find_catalog();
    if (catalog == nullptr) throw to_failure(node::stale_keys());
    return *catalog;
}

std::string summary(const node::NodeStatement& statement) {
    const auto* bundle = std::get_if<node::BundleContent>(&statement);
    if (bundle == nullptr) {
        const auto& join = std::get<rollup::JoinStatement>(statement);
        return fmt::format(
            "  a part of a batch: words {} to {} lead from state {}.. to {}.., {} words of data bound\n",
            with_commas(join.before.operations.data.count), with_commas(join.after.operations.data.count),
            hex(join.before.operations.state.root).substr(0, 18), hex(join.after.operations.state.root).substr(0, 18),
            with_commas(join.after.data.words.count - join.before.data.words.count));
    }
    std::string text;
    for (const rollup::TerminalItem& item : bundle->items) {
        text += fmt::format("  rollup {} batch {}: {} words, {} effects, state {}.. to {}.., pays {}\n",
                            item.header.rollup_id, item.header.number, with_commas(words(item)),
                            item.header.num_effects, hex(item.batch.before.root).substr(0, 18),
                            hex(item.batch.after.root).substr(0, 18), hex(item.batch.payee));
    }
    return text;
}

json::object summary_json(const node::NodeStatement& statement) {
    const auto* bundle = std::get_if<node::BundleContent>(&statement);
    if (bundle == nullptr) {
        const auto& join = std::get<rollup::JoinStatement>(statement);
        return json::object{{"domain", hex(join.domain)},
                            {"header", hex(join.header)},
                            {"payee", hex(join.payee)},
                            {"first_word", join.before.operations.data.count},
                            {"last_word", join.after.operations.data.count},
                            {"root_before", hex(join.before.operations.state.root)},
                            {"root_after", hex(join.after.operations.state.root)},
                            {"work_units", join.work.units}};
    }
    json::array items;
    for (const rollup::TerminalItem& item : bundle->items) items.push_back(to_json(item));
    return json::object{
        {"depth", bundle->depth}, {"root", hex(bundle->statement().root)}, {"batches", std::move(items)}};
}

void check_node_statement(const node::NodeStatement& said, const std::string& statement, const std::string& batch) {
    if (!statement.empty()) check_statement_file(said, statement);
    if (!batch.empty()) check_has_batch(said, batch);
}

void verify_node_file(const std::string& path, const node::NodeProofFile& file, const std::string& statement,
                      const std::string& batch, unsigned security_bits, const Session& session) {
    const recursion::Catalog& catalog = pinned_catalog();
    check_node_statement(file.statement, statement, batch);
    if (catalog.security_bits() < security_bits) {
        throw refusal(exit_refused, path, Error{Errc::wrong_key, "security level"});
    }
    const double start = now_seconds();
    const Status status = node::verify(catalog, file);
    if (!status) throw refusal(exit_refused, path, status.error());
    const double seconds = now_seconds() - start;
    const unsigned log_size = catalog.verifying_key(file.node_kind).log_size;
    const double bits = provable_bits(log_size, catalog.security_bits());
    const std::string& node_kind = recursion::node_kinds()[file.node_kind].name;
    if (session.json) {
        json::object r{{"ok", true},
                       {"kind", kind_name(file.statement)},
                       {"node", node_kind},
                       {"key_table", hex(file.keys)},
                       {"security_bits", catalog.security_bits()},
                       {"provable_bits", bits},
                       {"proof_bytes", file.proof.size()},
                       {"verify_ms", rounded(seconds * 1e3, 3)},
                       {"statement", summary_json(file.statement)}};
        print_json(r);
        return;
    }
    print(fmt::format("{}: accepted: a {} by a node \"{}\", {:.2f} provable bits, {}, verified in {}\n{}", path,
                      kind_name(file.statement), node_kind, bits, human_bytes(file.proof.size()),
                      human_seconds(seconds), summary(file.statement)));
}

}  // namespace quarry::apps
