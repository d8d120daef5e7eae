#include "quarry/node/aggregate_work.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/node/batch_work.hpp"
#include "quarry/node/development_batch.hpp"
#include "quarry/node/node_prover.hpp"
#include "quarry/node/terminal_proof.hpp"
#include "quarry/node/work_testing.hpp"

namespace quarry::node::aggregate_work_test {
namespace {

using testing::TemporaryPath;

/// Batches of rollups of their own, cut into segments.
struct World {
    explicit World(std::size_t count, std::size_t segments = 1) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto batch = make_development_batch(64, 12, i + 1);
            files.push_back({batch.header, batch.data, {}, batch.store->state(), {}});
            cuts.push_back(cut_for_nodes(batch.parameters, *batch.store, files.back(), segments).value());
        }
    }
    std::vector<BatchFiles> files;
    std::vector<CutBatch> cuts;
};

const Aggregator kWho{{{7}}, 5};

/// The kinds of nodes in the tree, in order.
std::vector<std::string> nodes_of(const WorkTree& tree) {
    std::vector<std::string> r;
    for (const WorkTree::Node& node : tree.nodes()) {
        if (node.task.parameters.contains("node")) r.push_back(node.task.parameters.at("node"));
    }
    return r;
}

Outcome<WorkTree> plan(const WorkFolder& folder, const World& world) {
    AggregatePlan plan(folder, *find_catalog(), kWho);
    for (std::size_t i = 0; i < world.files.size(); ++i) {
        QUARRY_PASS_ON(plan.add_batch(world.files[i], world.cuts[i], DataPlacement::blobs));
    }
    return std::move(plan).finish("work");
}

TEST(AggregateWork, ATreeOfFewNodes) {
    ASSERT_NE(find_catalog(), nullptr);
    const TemporaryPath path("quarry-aggregate");
    const auto folder = WorkFolder::create(path.get()).value();
    using Names = std::vector<std::string>;
    EXPECT_EQ(nodes_of(plan(folder, World(1)).value()), Names{"batch 512"});
    EXPECT_EQ(nodes_of(plan(folder, World(3)).value()),
              (Names{"batch 512", "batch 512", "bundle", "batch 512", "wider bundle", "bundle"}));
    EXPECT_EQ(nodes_of(plan(folder, World(1, 2)).value()),
              (Names{"segment 512 + data", "segment 512", "batch of two parts"}));
    EXPECT_EQ(nodes_of(plan(folder, World(1, 5)).value()),
              (Names{"segment 512 + data", "segment 512", "segment 512", "segment 512", "segment 512", "join", "join",
                     "join", "batch of two parts"}));
}

// Eight batches of one node each, next to each other and where a bundle of eight may stand.
TEST(AggregateWork, WideNodesWhereEightBatchesStandTogether) {
    const TemporaryPath path("quarry-aggregate");
    const auto folder = WorkFolder::create(path.get()).value();
    const World one(1);
    const World in_two(1, 2);
    const auto nodes = [&](std::size_t before, std::size_t in_parts, std::size_t after) {
        AggregatePlan plan(folder, *find_catalog(), kWho);
        const auto add = [&](const World& world, std::size_t times) {
            for (std::size_t i = 0; i < times; ++i) {
                EXPECT_TRUE(plan.add_batch(world.files[0], world.cuts[0], DataPlacement::blobs).ok());
            }
        };
        add(one, before);
        add(in_two, in_parts);
        add(one, after);
        const auto names = nodes_of(std::move(plan).finish("work").value());
        return std::multiset<std::string>(names.begin(), names.end());
    };
    // Equal batches are one task each.
    using Names = std::multiset<std::string>;
    EXPECT_EQ(nodes(8, 0, 0), (Names{"four batches 512", "bundle of wide nodes"}));
    EXPECT_EQ(nodes(16, 0, 0), (Names{"four batches 512", "bundle of wide nodes", "bundle"}));
    EXPECT_EQ(nodes(9, 0, 0).count("bundle of wide nodes"), 1U);
    EXPECT_EQ(nodes(9, 0, 0).count("batch 512"), 1U);
    EXPECT_EQ(nodes(7, 0, 0).count("four batches 512"), 0U);
    EXPECT_EQ(nodes(1, 1, 8).count("four batches 512"), 0U);
    EXPECT_EQ(nodes(4, 1, 4).count("four batches 512"), 0U);
}

TEST(AggregateWork, TheSameWorkHasTheSameNames) {
    const TemporaryPath path("quarry-aggregate");
    const auto folder = WorkFolder::create(path.get()).value();
    const World world(2);
    const auto tree = plan(folder, world).value();
    EXPECT_EQ(tree.to_text(), plan(folder, world).value().to_text());
    EXPECT_EQ(WorkTree::parse(tree.to_text())->to_text(), tree.to_text());
    auto written = WorkFolder::create(path.get()).value();
    ASSERT_TRUE(written.write_tree(tree).ok());
    EXPECT_EQ(find_bundle_task(written, "work"), tree.nodes().back().id);
    EXPECT_FALSE(find_bundle_task(written, "other"));
    EXPECT_TRUE(has_inputs(written));
}

TEST(AggregateWork, RefusesWhatIsNoBundle) {
    const TemporaryPath path("quarry-aggregate");
    const auto folder = WorkFolder::create(path.get()).value();
    const auto bytes_of = [](unsigned depth, std::size_t count) {
        NodeProofFile file{*recursion::find_node_kind("bundle"), find_catalog()->keys().digest(), {}, {}};
        const World world(1);
        const auto data = data_inputs(world.files[0], DataPlacement::blobs);
        const auto item = make_item({}, {{1}}, world.files[0].before, world.files[0].header,
                                    {statement_of(data->at(0), {{1}}, 0)}, std::nullopt);
        file.statement = BundleContent{depth, std::vector<rollup::TerminalItem>(count, item)};
        return encode(file);
    };
    const auto name = [&](const std::vector<std::vector<std::uint8_t>>& files) {
        AggregatePlan plan(folder, *find_catalog(), kWho);
        for (const auto& file : files) EXPECT_TRUE(plan.add_bundle(file).ok());
        const auto tree = std::move(plan).finish("work");
        return tree ? std::string() : tree.error().name;
    };
    const auto one = bytes_of(0, 1);
    const auto two = bytes_of(1, 2);
    const auto three = bytes_of(2, 3);
    EXPECT_EQ(name({one}), "nothing_to_do");
    EXPECT_EQ(name({two, one}), "");
    EXPECT_EQ(name({two, two, one}), "");
    EXPECT_EQ(name({one, two}), "bundle_shape");
    EXPECT_EQ(name({three, one}), "bundle_shape");
    EXPECT_EQ(name({bytes_of(4, 16), one}), "limit_exceeded");
    NodeProofFile join{0, {}, rollup::JoinStatement{}, {}};
    AggregatePlan plan(folder, *find_catalog(), kWho);
    EXPECT_EQ(plan.add_bundle(encode(join)).error().name, "not_a_batch");
}

/// Executes every task of a tree that was written, in order. Each output passes its own task's check and, where
/// `others` is set, no other task's.
void execute(WorkFolder& folder, const WorkTree& tree, bool others) {
    for (const WorkTree::Node& node : tree.nodes()) {
        const auto inputs = folder.read_inputs(node.task).value();
        const TaskKind* kind = find_task_kind(node.task.kind);
        const auto output = kind->run({node.task, inputs, {}});
        ASSERT_TRUE(output.ok()) << output.error().cause;
        EXPECT_TRUE(kind->check(node.task, output.value()));
        for (const WorkTree::Node& other : tree.nodes()) {
            if (others && other.id != node.id) {
                EXPECT_FALSE(check_task_output(other.task, output.value()));
            }
        }
        ASSERT_TRUE(folder.put_output(node.id, output.value()).ok());
    }
}

// From tasks to a proof, each output against the check of every task.
TEST(AggregateWork, TwoBatchesBecomeOneBundleSlow) {
    const TemporaryPath path("quarry-aggregate");
    auto folder = WorkFolder::create(path.get()).value();
    World world(1, 1);
    const World in_two(1, 2);
    world.files.push_back(in_two.files[0]);
    world.cuts.push_back(in_two.cuts[0]);
    const auto tree = plan(folder, world).value();
    ASSERT_TRUE(folder.write_tree(tree).ok());
    ASSERT_NO_FATAL_FAILURE(execute(folder, tree, true));
    const auto bytes = folder.read_output(tree.nodes().back().id).value().value();
    auto file = parse_node_proof(bytes).value();
    ASSERT_TRUE(verify(*find_catalog(), file).ok());
    const auto& bundle = std::get<BundleContent>(file.statement);
    ASSERT_EQ(bundle.items.size(), 2U);
    EXPECT_EQ(bundle.items[0].header, world.files[0].header);
    EXPECT_EQ(bundle.items[1].batch.before, world.files[1].before);

    // Another order, another payee, another byte of the proof.
    auto other = file;
    std::swap(std::get<BundleContent>(other.statement).items[0], std::get<BundleContent>(other.statement).items[1]);
    EXPECT_FALSE(verify(*find_catalog(), other).ok());
    other = file;
    std::get<BundleContent>(other.statement).items[0].batch.payee.bytes[3] ^= 1;
    EXPECT_FALSE(verify(*find_catalog(), other).ok());
    other = file;
    other.proof[other.proof.size() / 2] ^= 1;
    EXPECT_FALSE(verify(*find_catalog(), other).ok());
}

// One batch, eight times: its leaves, one wide node of four, and the bundle of that node and itself.
TEST(AggregateWork, EightBatchesInWideNodesSlow) {
    const TemporaryPath path("quarry-aggregate");
    auto folder = WorkFolder::create(path.get()).value();
    const World world(1);
    AggregatePlan plan(folder, *find_catalog(), kWho);
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(plan.add_batch(world.files[0], world.cuts[0], DataPlacement::blobs).ok());
    }
    const auto tree = std::move(plan).finish("work").value();
    ASSERT_EQ(tree.nodes().size(), 4U);
    ASSERT_TRUE(folder.write_tree(tree).ok());
    ASSERT_NO_FATAL_FAILURE(execute(folder, tree, true));
    const auto bytes_of = [&](std::size_t i) { return folder.read_output(tree.nodes()[i].id).value().value(); };
    const auto file = parse_node_proof(bytes_of(3)).value();
    ASSERT_TRUE(verify(*find_catalog(), file).ok());
    EXPECT_EQ(std::get<BundleContent>(file.statement).items.size(), 8U);

    // What one wide node says can be verified, but neither bundled with others nor made the last proof.
    const auto wide = parse_node_proof(bytes_of(2)).value();
    EXPECT_TRUE(verify(*find_catalog(), wide).ok());
    AggregatePlan other(folder, *find_catalog(), kWho);
    EXPECT_EQ(other.add_bundle(bytes_of(2)).error().name, "wide_node");
    const recursion::Terminal terminal(*find_catalog(), 2);
    EXPECT_EQ(prove_terminal(terminal, wide).error().name, "wide_node");
    // A node's proof is of its own size.
    auto changed = file;
    changed.node_kind = wide.node_kind;
    EXPECT_FALSE(verify(*find_catalog(), changed).ok());
    changed = wide;
    changed.node_kind = file.node_kind;
    EXPECT_FALSE(verify(*find_catalog(), changed).ok());
    // Leaves in another order; a statement of fewer batches than the node closes, or of more.
    const std::size_t kind = *recursion::find_node_kind("four batches 512");
    const auto inputs = folder.read_inputs(tree.nodes()[2].task).value();
    std::vector<std::vector<std::uint8_t>> leaves(inputs.begin() + 1, inputs.end());
    const auto said = std::get<BundleContent>(wide.statement);
    const auto name = [&](const BundleContent& statement) {
        const auto made = prove_node_of(*find_catalog(), kind, statement, leaves);
        return made ? std::string() : made.error().name;
    };
    const auto of_count = [&](unsigned depth, std::size_t count) {
        return name({depth, std::vector<rollup::TerminalItem>(count, said.items.front())});
    };
    EXPECT_EQ(of_count(2, 3), "bundle_mismatch");
    EXPECT_EQ(of_count(3, 5), "bundle_mismatch");
    EXPECT_EQ(of_count(3, 4), "bundle_mismatch");
    std::swap(leaves[0], leaves[1]);
    EXPECT_EQ(name(said), "bad_child");
}

}  // namespace
}  // namespace quarry::node::aggregate_work_test
