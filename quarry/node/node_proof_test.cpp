#include "quarry/node/node_proof.hpp"

#include <gtest/gtest.h>

#include <set>

#include "quarry/node/data_proof.hpp"
#include "quarry/node/statement_json.hpp"
#include "quarry/rollup/effects.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::node_proof_test {
namespace {

Digest some(const std::string& name) { return rollup::chain_start(name); }

rollup::JoinPoint point(std::uint32_t i) {
    const std::string n = std::to_string(i);
    return {.operations = {.state = {some("root" + n), 100 + i, (1ULL << 63) + i, 300 + i},
                           .fees = some("fees" + n),
                           .data = {some("data" + n), 400 + i},
                           .effects = {some("effects" + n), 50 + i}},
            .data = {{some("bound" + n), 500 + i}, {some("list" + n), 1 + i}},
            .effects = {{some("bound effects" + n), 600 + i}, {some("effects list" + n), 3 + i}}};
}

rollup::JoinStatement join() {
    return {.domain = some("domain"),
            .header = some("header"),
            .payee = {{0xfe}},
            .before = point(1),
            .after = point(2),
            .work = rollup::leaf_work(77, 3)};
}

rollup::L1Binding binding(rollup::BindingForm form, std::uint32_t i) {
    rollup::L1Binding b{form, 4096 - i, {}, some("point" + std::to_string(i)), {}};
    b.l1_hash.fill(static_cast<std::uint8_t>(i));
    b.value.fill(static_cast<std::uint8_t>(0x10 + i));
    return b;
}

/// Batch i: `blobs` of them, or calldata; with effects if i is odd.
rollup::TerminalItem item(std::uint32_t i, std::uint32_t blobs) {
    rollup::Header header;
    header.rollup_id = 7;
    header.number = i;
    header.byte_length = 31 * 5;
    header.num_effects = static_cast<std::uint16_t>(i % 2);
    header.post_root = some("post");
    std::vector<rollup::L1Binding> data;
    for (std::uint32_t k = 0; k < blobs; ++k) data.push_back(binding(rollup::BindingForm::blob, k));
    if (blobs == 0) data.push_back(binding(rollup::BindingForm::horner, 9));
    std::optional<rollup::L1Binding> effects;
    if (i % 2 == 1) effects = binding(rollup::BindingForm::horner, 8);
    auto r = make_item(some("domain"), {{1}}, {some("before"), 5, 6, 7}, header, std::move(data), effects);
    r.batch.work = rollup::leaf_work(1, i);
    return r;
}

BundleContent bundle() { return {2, {item(1, 0), item(2, 6), item(3, 1)}}; }

TEST(NodeStatement, SurvivesTheWayThroughText) {
    for (const NodeStatement& s : {NodeStatement(join()), NodeStatement(rollup::JoinStatement{}),
                                   NodeStatement(bundle()), NodeStatement(BundleContent{0, {item(1, 1)}})}) {
        const auto again = parse_node_statement(to_text(s));
        ASSERT_TRUE(again.ok()) << again.error().cause;
        EXPECT_EQ(again.value(), s);
        EXPECT_EQ(digest_of(again.value()), digest_of(s));
    }
    EXPECT_STREQ(kind_name(NodeStatement(join())), "join");
    EXPECT_STREQ(kind_name(NodeStatement(bundle())), "bundle");
    EXPECT_STREQ(kind_name(NodeStatement(BundleContent{0, {item(1, 1)}})), "batch");
}

TEST(NodeStatement, ItsDigestIsThatOfTheNativeRules) {
    const BundleContent b = bundle();
    const auto first = rollup::bundle_of(b.items[0].batch);
    const auto two = rollup::merge(first, rollup::bundle_of(b.items[1].batch)).value();
    const auto three = rollup::merge(two, rollup::bundle_of(b.items[2].batch)).value();
    EXPECT_EQ(b.statement(), three);
    EXPECT_EQ(digest_of(NodeStatement(b)), digest(three));
    EXPECT_EQ(digest_of(NodeStatement(join())), digest(join()));
}

// A character that is changed changes what is said, or makes it unreadable.
TEST(NodeStatement, CharactersCount) {
    for (const NodeStatement& s : {NodeStatement(join()), NodeStatement(BundleContent{1, {item(1, 0), item(2, 1)}})}) {
        const std::string text = to_text(s);
        for (std::size_t i = 0; i < text.size(); i += 5) {
            std::string other = text;
            other[i] = other[i] == '7' ? '8' : '7';
            const auto parsed = parse_node_statement(other);
            if (parsed) {
                EXPECT_NE(digest_of(parsed.value()), digest_of(s)) << i << " " << text.substr(i, 20);
            }
        }
    }
}

TEST(NodeStatement, RefusesWhatNobodyMeans) {
    const auto name = [](const BundleContent& b) {
        const auto parsed = parse_node_statement(to_text(b));
        return parsed ? std::string() : parsed.error().name;
    };
    const std::string text = to_text(bundle());
    for (std::size_t n = 0; n < text.size(); n += 7) EXPECT_FALSE(parse_node_statement(text.substr(0, n))) << n;
    EXPECT_FALSE(parse_node_statement(text + "\n"));
    EXPECT_FALSE(parse_node_statement(text + text));
    std::string spaced = text;
    spaced.insert(text.find('\n'), " ");
    EXPECT_EQ(parse_node_statement(spaced).error().name, "non_canonical");
    EXPECT_EQ(parse_node_statement(std::string(kMaxNodeStatementBytes + 1, ' ')).error().name, "too_long");

    BundleContent crowded{0, {item(1, 1)}};
    std::string claims = to_text(crowded);
    claims.replace(claims.find("\"batches\":1"), 11, "\"batches\":2");
    EXPECT_EQ(parse_node_statement(claims).error().name, "bundle_shape");
    BundleContent mixed{0, {item(2, 2)}};
    mixed.items[0].data[1].form = rollup::BindingForm::horner;
    EXPECT_EQ(name(mixed), "binding_order");
    BundleContent version{0, {item(2, 2)}};
    version.items[0].header.version = 2;
    EXPECT_EQ(name(version), "unsupported_version");
}

TEST(NodeProof, SurvivesTheWayThroughBytes) {
    for (const NodeStatement& s : {NodeStatement(join()), NodeStatement(bundle())}) {
        const NodeProofFile file{3, some("keys"), s, {1, 2, 3, 4, 5}};
        const auto bytes = encode(file);
        EXPECT_TRUE(is_node_proof(bytes));
        const auto again = parse_node_proof(bytes);
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(encode(again.value()), bytes);
        EXPECT_EQ(again.value().proof, file.proof);
        EXPECT_EQ(again.value().node_kind, 3U);
        for (std::size_t n = 0; n + file.proof.size() < bytes.size(); ++n) {
            EXPECT_FALSE(parse_node_proof(std::span(bytes).first(n))) << n;
        }
        auto long_statement = bytes;
        long_statement[40] = 0xff;
        EXPECT_EQ(parse_node_proof(long_statement).error().name, "truncated");
        auto large_element = bytes;
        large_element[8] = 0xff;
        EXPECT_EQ(parse_node_proof(large_element).error().name, "non_canonical_element");
    }
}

TEST(NodeProof, TheCatalogOfThisProgramIsPinned) {
    const recursion::Catalog* catalog = find_catalog();
    ASSERT_NE(catalog, nullptr) << stale_keys().remedy;
    // Another table of keys, a kind that there is not, or one that says something else: refused without a look at it.
    NodeProofFile file{0, some("keys"), join(), {}};
    EXPECT_EQ(verify(*catalog, file).error().code, Errc::wrong_key);
    file.keys = catalog->keys().digest();
    EXPECT_NE(verify(*catalog, file).error().code, Errc::wrong_key);
    file.node_kind = recursion::node_kinds().size();
    EXPECT_EQ(verify(*catalog, file).error().code, Errc::wrong_key);
    file.node_kind = *recursion::find_node_kind("bundle");
    EXPECT_EQ(verify(*catalog, file).error().code, Errc::wrong_key);
}

TEST(DataProof, InputsFollowOneAnother) {
    BatchFiles batch;
    batch.data.assign(5000 * rollup::kWordBytes, 3);
    EXPECT_FALSE(data_inputs(batch, DataPlacement::calldata));
    const auto blobs = data_inputs(batch, DataPlacement::blobs);
    ASSERT_TRUE(blobs);
    ASSERT_EQ(blobs->size(), 2U);
    EXPECT_EQ(blobs->at(0).words.size(), 4096 * rollup::kWordBytes);
    const auto first = statement_of(blobs->at(0), {{1}}, 9);
    const auto second = statement_of(blobs->at(1), {{1}}, 9);
    EXPECT_EQ(first.before, rollup::header_hash(batch.header));
    EXPECT_EQ(second.before, first.after);
    rollup::Accumulator all{first.before, 0};
    for (std::size_t i = 0; i < 5000; ++i) {
        all.absorb_word(std::span<const std::uint8_t, rollup::kWordBytes>(batch.data.data() + i * rollup::kWordBytes,
                                                                          rollup::kWordBytes));
    }
    EXPECT_EQ(second.after, all.digest);
    EXPECT_FALSE(effects_input(batch));
    batch.data.clear();
    EXPECT_EQ(data_inputs(batch, DataPlacement::blobs)->size(), 1U);
}

TEST(DataProof, SurvivesTheWayThroughBytes) {
    const DataInput input{rollup::DataForm::blob, some("before"), {5}, std::vector<std::uint8_t>(62, 1)};
    const auto again = parse_data_input(encode(input));
    ASSERT_TRUE(again);
    EXPECT_EQ(encode(*again), encode(input));
    auto half_a_word = encode(input);
    half_a_word.pop_back();
    EXPECT_FALSE(parse_data_input(half_a_word));

    const DataProof proof{statement_of(input, {{1}}, 4), {9, 8, 7}};
    const auto bytes = encode(proof);
    const auto parsed = parse_data_proof(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->statement, proof.statement);
    EXPECT_EQ(parsed->proof, proof.proof);
    for (std::size_t n = 0; n + 3 < bytes.size(); ++n) EXPECT_FALSE(parse_data_proof(std::span(bytes).first(n))) << n;
}

}  // namespace
}  // namespace quarry::node::node_proof_test
