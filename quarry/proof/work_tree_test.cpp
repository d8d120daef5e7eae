#include "quarry/proof/work_tree.hpp"

#include <gtest/gtest.h>

namespace quarry::work_tree_test {
namespace {

ContentId object(std::uint8_t x) {
    ContentId id{};
    id[31] = x;
    return id;
}
TaskInput from_object(std::uint8_t x) { return {TaskInput::Source::object, object(x)}; }
TaskInput from_task(const ContentId& id) { return {TaskInput::Source::task, id}; }

Task segment(std::uint8_t x) {
    return {"segment", {{"payee", "0x51"}, {"index", std::to_string(x)}}, {from_object(x)}};
}

/// Four segments, joined in pairs, then once more; a data task; a bundle.
struct Example {
    WorkTree tree;
    std::vector<ContentId> segments, joins;
    ContentId top{}, bundle{};
    Example() {
        for (std::uint8_t i = 0; i < 4; ++i) segments.push_back(tree.add(segment(i)));
        joins.push_back(tree.add({"join", {}, {from_task(segments[0]), from_task(segments[1])}}));
        joins.push_back(tree.add({"join", {}, {from_task(segments[2]), from_task(segments[3])}}));
        top = tree.add({"join", {}, {from_task(joins[0]), from_task(joins[1])}});
        bundle = tree.add({"bundle", {{"depth", "0"}}, {from_task(top)}});
    }
};

TEST(WorkTree, ATaskIsNamedByWhatItIs) {
    const Task a = segment(1);
    EXPECT_EQ(task_id(a), task_id(segment(1)));
    EXPECT_EQ(to_text(a), "segment\nindex 1\npayee 0x51\nobject " + to_hex(object(1)) + "\n");
    std::vector<Task> others(6, a);
    others[1].kind = "data";
    others[2].parameters["payee"] = "0x52";
    others[3].parameters["more"] = "";
    others[4].inputs[0] = from_object(2);
    others[5].inputs[0] = from_task(object(1));
    for (std::size_t i = 0; i < others.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) EXPECT_NE(task_id(others[i]), task_id(others[k])) << i << " " << k;
    }
    // The order of inputs matters: a join of (a, b) is none of (b, a).
    EXPECT_NE(task_id({"join", {}, {from_object(1), from_object(2)}}),
              task_id({"join", {}, {from_object(2), from_object(1)}}));
}

TEST(WorkTree, ReadyIsWhatHasItsInputs) {
    const Example e;
    std::set<ContentId> done;
    EXPECT_EQ(e.tree.ready(done), e.segments);
    done = {e.segments[0], e.segments[3]};
    EXPECT_EQ(e.tree.ready(done), (std::vector<ContentId>{e.segments[1], e.segments[2]}));
    done.insert(e.segments[2]);
    EXPECT_EQ(e.tree.ready(done), (std::vector<ContentId>{e.segments[1], e.joins[1]}));
    done = {e.joins[0], e.joins[1]};
    // Results that nobody has any more are made again: here all segments, though nothing needs them.
    EXPECT_EQ(e.tree.ready(done).size(), 5u);
    for (const auto& node : e.tree.nodes()) done.insert(node.id);
    EXPECT_TRUE(e.tree.ready(done).empty());
}

TEST(WorkTree, AddingTwiceIsAddingOnce) {
    Example e;
    const std::size_t n = e.tree.nodes().size();
    EXPECT_EQ(e.tree.add(segment(2)), e.segments[2]);
    EXPECT_EQ(e.tree.nodes().size(), n);
    EXPECT_EQ(e.tree.find(e.segments[2])->parameters.at("index"), "2");
    EXPECT_EQ(e.tree.find(object(1)), nullptr);
}

TEST(WorkTree, TextIsCanonicalAndReadingItTotal) {
    const Example e;
    const std::string text = e.tree.to_text();
    const auto again = WorkTree::parse(text);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->to_text(), text);
    EXPECT_EQ(again->nodes().size(), e.tree.nodes().size());
    for (std::size_t n = 0; n < text.size(); ++n) {
        const auto cut = WorkTree::parse(text.substr(0, n));
        if (cut) {
            EXPECT_EQ(cut->to_text(), text.substr(0, n));
        }
        std::string changed = text;
        changed[n] = changed[n] == '\n' ? 'x' : '\n';
        const auto other = WorkTree::parse(changed);
        if (other) {
            EXPECT_EQ(other->to_text(), changed);
        }
    }
    const std::string head = "quarry work tree 1\n";
    EXPECT_TRUE(WorkTree::parse(head).has_value());
    const std::string hex = to_hex(object(1));
    for (const std::string& bad :
         {std::string(), std::string("quarry work tree 2\n"), head + "Segment\n\n", head + "segment\n",
          head + "segment\nb 1\na 1\n\n", head + "segment\na 1\na 1\n\n", head + "segment\nobject 12\n\n",
          head + "segment\nobject " + hex + "\na 1\n\n", head + "join\ntask " + hex + "\n\n",
          head + "segment\nx \x01\n\n", head + "segment\n\nsegment\n\n", head + "segment\nx\n\n"}) {
        EXPECT_FALSE(WorkTree::parse(bad).has_value()) << bad;
    }
}

TEST(WorkTree, ContentIdsAreHex) {
    EXPECT_EQ(parse_content_id(to_hex(object(0xab))), object(0xab));
    for (const std::string& bad :
         {std::string(63, '0'), std::string(65, '0'), std::string(64, 'A'), std::string(64, 'g')})
        EXPECT_FALSE(parse_content_id(bad).has_value());
}

}  // namespace
}  // namespace quarry::work_tree_test
