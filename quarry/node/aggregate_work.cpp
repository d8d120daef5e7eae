#include "quarry/node/aggregate_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "quarry/circuits/segment_source.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/node_tasks.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/rollup/effects.hpp"

namespace quarry::node {
namespace {

using rollup::JoinPoint;
using rollup::JoinStatement;
using rollup::RejectCode;

/// What a node costs, in words of a segment that cost as much: for progress.
constexpr std::array kNodeUnits{"2000", "7500"};  // by NodeSize
constexpr const char* kTerminalUnits = "20000";

Problem no_bundle(RejectCode code) {
    return {Problem::Kind::refused, rollup::reject_name(code),
            fmt::format("no bundle of these: {}", rollup::reject_text(code)),
            "give at most 16 batches, larger bundles first, and only the last one partly filled"};
}

/// The smallest profile that holds the rows of a segment that needs these heights.
std::optional<std::size_t> find_profile(const Heights& heights) {
    const auto& profiles = recursion::segment_profiles();
    for (std::size_t p = 0; p < profiles.size(); ++p) {
        if (circuits::heights_hold(profiles[p].heights, heights)) return p;
    }
    return std::nullopt;
}

}  // namespace

Outcome<CutBatch> cut_for_nodes(const rollup::RollupParameters& parameters, const rollup::StateStore& store,
                                const BatchFiles& batch, std::size_t least_segments) {
    const auto queues = batch.queues();
    for (std::size_t count = least_segments;; count = count < 8 ? count + 1 : 2 * count) {
        auto segments = split_batch(parameters, store, queues, batch.header, batch.data, count);
        if (!segments) return segments.error();
        CutBatch cut{std::move(segments).value(), {}};
        for (const SegmentInput& segment : cut.segments) {
            const auto heights = segment_heights(segment);
            if (!heights) return heights.error();
            const auto profile = find_profile(heights.value());
            if (!profile) break;
            cut.profiles.push_back(*profile);
        }
        if (cut.profiles.size() == cut.segments.size()) return cut;
        if (cut.segments.size() < count) {
            return Problem{Problem::Kind::refused, "too_large", "an operation is too large for every segment profile",
                           "please report it"};
        }
    }
}

std::map<std::string, std::string> AggregatePlan::common(const rollup::Header& header) const {
    return {{"batch", quarry::to_hex(keccak256(rollup::encode(header)))},
            {"miner_tag", std::to_string(who_.miner_tag)},
            {"payee", to_hex(who_.payee.bytes)},
            {"security_bits", std::to_string(catalog_.security_bits())}};
}

Outcome<TaskInput> AggregatePlan::put(std::span<const std::uint8_t> bytes) const {
    const auto id = folder_.put_object(bytes);
    if (!id) return id.error();
    return TaskInput{TaskInput::Source::object, id.value()};
}

Outcome<AggregatePlan::Branch> AggregatePlan::node(const std::string& kind, NodeStatement statement,
                                                   std::vector<TaskInput> children) {
    const auto text = put(as_bytes(to_text(statement)));
    if (!text) return text.error();
    children.insert(children.begin(), text.value());
    const recursion::NodeSize size = recursion::node_kinds()[recursion::find_node_kind(kind).value()].size;
    Task task{.kind = kind_of(statement) == rollup::StatementKind::join ? "join" : "bundle",
              .parameters = {{"keys", to_hex(catalog_.keys().digest())},
                             {"node", kind},
                             {"statement", to_hex(digest_of(statement))},
                             {"units", kNodeUnits[static_cast<std::size_t>(size)]}},
              .inputs = std::move(children)};
    return Branch{{TaskInput::Source::task, tree_.add(task)}, std::move(statement)};
}

Outcome<std::vector<TaskInput>> AggregatePlan::segments(const CutBatch& cut,
                                                        std::vector<rollup::SegmentStatement>& statements) {
    std::vector<TaskInput> tasks;
    for (std::size_t i = 0; i < cut.segments.size(); ++i) {
        const auto executed = execute_segment(cut.segments[i]);
        QUARRY_CHECK(executed.ok());  // cut_for_nodes made it
        statements.push_back(circuits::statement_of(executed.value()->source, who_.payee, who_.miner_tag));
        const auto input = put(encode(cut.segments[i]));
        if (!input) return input.error();
        Task task{.kind = "segment", .parameters = common(cut.segments[i].header), .inputs = {input.value()}};
        task.parameters["index"] = std::to_string(i);
        task.parameters["profile"] = recursion::segment_profiles()[cut.profiles[i]].name;
        task.parameters["segments"] = std::to_string(cut.segments.size());
        task.parameters["statement"] = to_hex(rollup::digest(statements.back()));
        task.parameters["units"] = std::to_string(statements.back().work.units);
        tasks.push_back({TaskInput::Source::task, tree_.add(task)});
    }
    return tasks;
}

Outcome<TaskInput> AggregatePlan::data(const rollup::Header& header, const DataInput& input, const char* role,
                                       std::size_t index, rollup::DataStatement& statement) {
    statement = statement_of(input, who_.payee, who_.miner_tag);
    const auto object = put(encode(input));
    if (!object) return object.error();
    Task task{.kind = "data", .parameters = common(header), .inputs = {object.value()}};
    task.parameters["index"] = std::to_string(index);
    task.parameters["role"] = role;
    task.parameters["statement"] = statement_name(statement);
    task.parameters["units"] = std::to_string(statement.work.units);
    return TaskInput{TaskInput::Source::task, tree_.add(task)};
}

Outcome<std::vector<AggregatePlan::Bound>> AggregatePlan::bind(const BatchFiles& batch,
                                                               std::span<const DataInput> inputs) {
    std::vector<Bound> bound;
    const auto add = [&](const DataInput& input, rollup::DataRole role) -> Outcome<Done> {
        const bool is_data = role == rollup::DataRole::data;
        Bound b{{}, {}, role};
        const auto task =
            data(batch.header, input, is_data ? "data" : "effects", is_data ? bound.size() : 0, b.statement);
        if (!task) return task.error();
        b.proof = task.value();
        bound.push_back(b);
        return Done{};
    };
    for (const DataInput& input : inputs) QUARRY_PASS_ON(add(input, rollup::DataRole::data));
    if (const auto input = effects_input(batch)) QUARRY_PASS_ON(add(*input, rollup::DataRole::effects));
    return bound;
}

Outcome<Done> AggregatePlan::add_batch(const BatchFiles& batch, const CutBatch& cut, DataPlacement placement,
                                       std::span<const rollup::Bytes32> l1_hashes) {
    const auto inputs = data_inputs(batch, placement, l1_hashes);
    if (!inputs) {
        return Problem{Problem::Kind::refused, "too_large", "the batch has more words than one calldata may have",
                       "put it into blobs, one hash each"};
    }
    std::vector<rollup::SegmentStatement> said;
    auto leaves = segments(cut, said);
    if (!leaves) return leaves.error();
    const auto bindings = bind(batch, *inputs);
    if (!bindings) return bindings.error();
    const std::vector<Bound>& bound = bindings.value();

    const Digest header = rollup::header_hash(batch.header);
    JoinPoint at{rollup::batch_start(batch.before, header), rollup::binding_start(header),
                 rollup::binding_start(rollup::effects_start().digest)};
    rollup::TerminalItem item =
        make_item(said.front().domain, who_.payee, batch.before, batch.header, {}, std::nullopt);
    const bool is_one_node = said.size() == 1 && bound.size() == 1;
    std::vector<Branch> parts;
    for (std::size_t i = 0; i < std::max(said.size(), bound.size()); ++i) {
        std::vector<TaskInput> children;
        std::optional<JoinStatement> part;
        std::string kind;
        const auto append = [&](const rollup::Checked<JoinStatement>& next) {
            QUARRY_CHECK(next.ok());  // the batch was executed, and its bindings made of it
            at = next.value().after;
            part = part ? rollup::merge(*part, next.value()).value() : next.value();
        };
        if (i < said.size()) {
            children.push_back(leaves.value()[i]);
            kind = "segment " + recursion::segment_profiles()[cut.profiles[i]].name;
            append(rollup::lift(said[i], at.data, at.effects));
        }
        if (i < bound.size()) {
            const bool is_data = bound[i].role == rollup::DataRole::data;
            children.push_back(bound[i].proof);
            kind += std::string(kind.empty() ? "" : " + ") + (is_data ? "data" : "effects");
            append(rollup::lift(rollup::data_run(bound[i].statement), bound[i].role, who_.payee,
                                bound[i].statement.work, said.front().domain, header, at));
            if (is_data) {
                item.data.push_back(bound[i].statement);
            } else {
                item.effects = bound[i].statement;
            }
        }
        if (is_one_node) {
            item.batch = rollup::close(*part, batch.header).value();
            bundles_.emplace_back(Leaves{cut.profiles[i], std::move(children), item});
            return Done{};
        }
        auto made = node(kind, *part, std::move(children));
        if (!made) return made.error();
        parts.push_back(std::move(made).value());
    }

    return close_parts(std::move(parts), item);
}

/// Neighbours as one part.
rollup::JoinStatement AggregatePlan::as_one(const Branch& left, const Branch& right) {
    return rollup::merge(std::get<JoinStatement>(left.statement), std::get<JoinStatement>(right.statement)).value();
}

Outcome<Done> AggregatePlan::close_parts(std::vector<Branch> parts, const rollup::TerminalItem& item) {
    // Neighbours are joined until two parts are left; the node that joins these closes the batch.
    while (parts.size() > 2) {
        std::vector<Branch> joined;
        for (std::size_t i = 0; i < parts.size(); i += 2) {
            if (i + 1 == parts.size()) {
                joined.push_back(parts[i]);
                continue;
            }
            auto made = node("join", as_one(parts[i], parts[i + 1]), {parts[i].proof, parts[i + 1].proof});
            if (!made) return made.error();
            joined.push_back(std::move(made).value());
        }
        parts = std::move(joined);
    }
    BundleContent batch{0, {item}};
    batch.items[0].batch = rollup::close(as_one(parts[0], parts[1]), item.header).value();
    auto closed = node("batch of two parts", std::move(batch), {parts[0].proof, parts[1].proof});
    if (!closed) return closed.error();
    bundles_.emplace_back(std::move(closed).value());
    return Done{};
}

Outcome<AggregatePlan::Branch> AggregatePlan::close_leaves(Leaves batch) {
    return node("batch " + recursion::segment_profiles()[batch.profile].name, BundleContent{0, {batch.item}},
                std::move(batch.proofs));
}

bool AggregatePlan::fill_wide_nodes(std::span<const Whole> batches) {
    QUARRY_CHECK(batches.size() == 2 * recursion::kWideBatches);
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const auto* batch = std::get_if<Leaves>(&batches[i]);
        if (batch == nullptr) return false;
        // A wide node's segments are all of one profile.
        if (i % recursion::kWideBatches != 0 && batch->profile != std::get<Leaves>(batches[i - 1]).profile)
            return false;
    }
    return true;
}

Outcome<AggregatePlan::Branch> AggregatePlan::in_wide_nodes(std::span<const Whole> batches) {
    BundleContent both;
    std::vector<TaskInput> halves;
    for (std::size_t i = 0; i < batches.size(); i += recursion::kWideBatches) {
        BundleContent half{2, {}};
        std::vector<TaskInput> leaves;
        for (const Whole& whole : batches.subspan(i, recursion::kWideBatches)) {
            const Leaves& batch = std::get<Leaves>(whole);
            half.items.push_back(batch.item);
            leaves.insert(leaves.end(), batch.proofs.begin(), batch.proofs.end());
        }
        both.items.insert(both.items.end(), half.items.begin(), half.items.end());
        const std::size_t profile = std::get<Leaves>(batches[i]).profile;
        const auto made =
            node("four batches " + recursion::segment_profiles()[profile].name, std::move(half), std::move(leaves));
        if (!made) return made.error();
        halves.push_back(made.value().proof);
    }
    static_assert(recursion::kWideBatches == 4);
    both.depth = 3;
    return node("bundle of wide nodes", std::move(both), std::move(halves));
}

Outcome<Done> AggregatePlan::add_bundle(std::span<const std::uint8_t> bytes) {
    auto file = parse_node_proof(bytes);
    if (!file) return file.error();
    if (kind_of(file.value().statement) != rollup::StatementKind::bundle) {
        return Problem{Problem::Kind::refused, "not_a_batch", "a part of a batch is no item of a bundle",
                       "aggregate the batch that it is a part of"};
    }
    if (catalog_.shape_of(file.value().node_kind).size == recursion::NodeSize::wide) {
        return Problem{Problem::Kind::refused, "wide_node", "a wide node's proof is bundled with another one's only",
                       "aggregate its batches again, or give the bundle that it is a part of"};
    }
    const auto object = put(bytes);
    if (!object) return object.error();
    bundles_.emplace_back(Branch{object.value(), std::move(file.value().statement)});
    return Done{};
}

Outcome<AggregatePlan::Branch> AggregatePlan::merge_bundles(const Branch& left, const Branch& right) {
    const auto& a = std::get<BundleContent>(left.statement);
    BundleContent b = std::get<BundleContent>(right.statement);
    const auto merged = rollup::merge(a.statement(), b.statement());
    if (!merged) return no_bundle(merged.code());
    TaskInput proof = right.proof;
    while (b.depth < a.depth) {
        ++b.depth;
        const auto wider = node("wider bundle", b, {proof});
        if (!wider) return wider.error();
        proof = wider.value().proof;
    }
    BundleContent whole{a.depth + 1, a.items};
    whole.items.insert(whole.items.end(), b.items.begin(), b.items.end());
    return node("bundle", std::move(whole), {left.proof, proof});
}

Outcome<AggregatePlan::Branch> AggregatePlan::bundle_all() {
    // Equal ones are merged as soon as they stand next to each other, so that what is on the left is full.
    const auto nothing = tree_.nodes().empty() && bundles_.size() < 2;
    if (nothing) {
        return Problem{Problem::Kind::refused, "nothing_to_do", "one bundle is a bundle already", "give more than one"};
    }
    std::vector<Branch> stack;
    const auto depth = [](const Branch& b) { return std::get<BundleContent>(b.statement).depth; };
    const auto merge_last = [&]() -> Outcome<Done> {
        auto merged = merge_bundles(stack[stack.size() - 2], stack.back());
        if (!merged) return merged.error();
        stack.pop_back();
        stack.back() = std::move(merged).value();
        return Done{};
    };
    constexpr std::size_t kGroup = 2 * recursion::kWideBatches;
    for (std::size_t i = 0; i < bundles_.size();) {
        const auto left = std::span(bundles_).subspan(i);
        const bool is_aligned = stack.empty() || depth(stack.back()) >= 3;
        const bool wide = is_aligned && left.size() >= kGroup && fill_wide_nodes(left.first(kGroup));
        const auto next = [&]() -> Outcome<Branch> {
            if (wide) return in_wide_nodes(left.first(kGroup));
            if (const auto* branch = std::get_if<Branch>(&left.front())) return *branch;
            return close_leaves(std::get<Leaves>(left.front()));
        }();
        if (!next) return next.error();
        stack.push_back(next.value());
        i += wide ? kGroup : 1;
        while (stack.size() > 1 && depth(stack[stack.size() - 2]) == depth(stack.back())) QUARRY_PASS_ON(merge_last());
    }
    while (stack.size() > 1) QUARRY_PASS_ON(merge_last());
    return stack.front();
}

WorkTree AggregatePlan::named(const std::string& work) const {
    const auto nodes = tree_.nodes();
    WorkTree tree;
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) tree.add(nodes[i].task);
    Task last = nodes.back().task;
    last.parameters["work"] = work;
    tree.add(last);
    return tree;
}

Outcome<WorkTree> AggregatePlan::finish(const std::string& work) && {
    const auto bundle = bundle_all();
    if (!bundle) return bundle.error();
    return named(work);
}

Outcome<WorkTree> AggregatePlan::finish_terminal(const std::string& work) && {
    const auto bundle = bundle_all();
    if (!bundle) return bundle.error();
    const auto& content = std::get<BundleContent>(bundle.value().statement);
    const auto log_profile = terminal_profile(content.items.size());
    QUARRY_CHECK(log_profile.has_value());  // a bundle has no more
    tree_.add({.kind = "terminal",
               .parameters = {{"keys", to_hex(catalog_.keys().digest())},
                              {"log_profile", std::to_string(*log_profile)},
                              {"statement", to_hex(digest_of(bundle.value().statement))},
                              {"units", kTerminalUnits}},
               .inputs = {bundle.value().proof}});
    return named(work);
}

std::optional<ContentId> find_bundle_task(const WorkFolder& folder, const std::string& work) {
    const auto nodes = folder.tree().nodes();
    if (nodes.empty()) return std::nullopt;
    const auto& parameters = nodes.back().task.parameters;
    const auto it = parameters.find("work");
    if (it == parameters.end() || it->second != work) return std::nullopt;
    return nodes.back().id;
}

}  // namespace quarry::node
