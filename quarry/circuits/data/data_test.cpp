#include "quarry/circuits/data/data.hpp"

#include <gtest/gtest.h>

#include "quarry/circuits/data/data_testing.hpp"
#include "quarry/proof/wire.hpp"

namespace quarry::circuits::data_test {
namespace {

using rollup::DataForm;
using testing::DataWitness;
using Faults = std::set<std::string>;
using Words = std::vector<std::uint8_t>;
constexpr std::array kForms{DataForm::blob, DataForm::horner};

Words filled(std::size_t n, std::uint8_t byte) { return Words(n * rollup::kWordBytes, byte); }

TEST(DataCircuit, BoundaryValuesCanBeProven) {
    for (const DataForm form : kForms) {
        for (const std::size_t n : {0, 1, 2, 3, 4, 9}) {
            for (const Words& words : {filled(n, 0x00), filled(n, 0xff), testing::random_words(n)}) {
                EXPECT_EQ(testing::faults_of(DataWitness(form, words)), Faults()) << n;
            }
        }
    }
}

TEST(DataCircuit, FullAndNearlyFullDataCanBeProvenSlow) {
    for (const DataForm form : kForms) {
        for (const std::size_t n : {4095, 4096}) {
            EXPECT_EQ(testing::faults_of(DataWitness(form, testing::random_words(n))), Faults()) << n;
        }
    }
    EXPECT_EQ(testing::faults_of(DataWitness(DataForm::blob, filled(4096, 0xff))), Faults());
}

// The polynomial's own zeros and the largest value: a statement whose point is chosen has no hash to it, so only the
// table of arithmetic and the range of y are asked.
TEST(DataCircuit, ExtremeValuesOfYCanBeComputed) {
    for (const rollup::BlsScalar& y : {rollup::BlsScalar(), rollup::BlsScalar(1), -rollup::BlsScalar(1)}) {
        rollup::DataStatement s = testing::data_statement(DataForm::horner, testing::random_words(2));
        s.value = rollup::scalar_bytes(y);
        const LimbsOf<KoalaBear> sum = field_cells(y.limbs()).limb;
        testing::DataVerdict verdict;
        verdict.check_rows(testing::table_of(DataTable::field), field_rows(s, sum));
        verdict.check_rows(testing::table_of(DataTable::point), point_rows(s, testing::kMinerTag, sum));
        EXPECT_EQ(verdict.own_faults(), Faults());
    }
}

// z = 1 is the root of a blob's word 0. A word other than 0 there cannot be proven; with 0 there only y = 0 can.
TEST(DataCircuit, AtARootOfUnityNoFalseValueCanBeProven) {
    const auto at_one = [](const Words& words) {
        rollup::DataStatement s = testing::data_statement(DataForm::blob, words);
        s.point = Digest{KoalaBear(1)};
        s.value = rollup::scalar_bytes(rollup::evaluate_blob(words, rollup::BlsScalar(1)));
        return s;
    };
    const Words words = testing::random_words(4);
    const auto refused = make_data_rows(at_one(words), testing::kMinerTag, words);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::scalar_out_of_range);

    Words zero_first = words;
    std::fill_n(zero_first.begin(), rollup::kWordBytes, std::uint8_t{0});
    // The point is not what the hash says, and nothing else is wrong; any share of the pair does, and leads to y = 0.
    const Faults only_the_hash{"lookup on bus 1"};
    DataWitness w(at_one(zero_first), zero_first);
    EXPECT_EQ(testing::faults_of(w), only_the_hash);
    w.statement.value[31] = 1;
    const auto honest_field = w.field;
    LimbsOf<KoalaBear> sum = w.point[0].sum;
    w.point = point_rows(w.statement, testing::kMinerTag, sum);
    w.field.back().out.limb[0] += KoalaBear(1);
    EXPECT_EQ(testing::faults_of(w), (Faults{"field.gate[0]", "lookup on bus 1"}));
}

// ADVERSARIAL, Tables: units and tag computed in the circuit; every element of the statement but kind and version.
TEST(DataStatementTuples, EveryElementIsBound) {
    const DataWitness honest(DataForm::horner, testing::random_words(3));
    const auto elements = rollup::elements(honest.statement);
    std::set<std::size_t> moved;
    const auto expect_bound = [&](auto change, const Faults& faults) {
        DataWitness w = honest;
        change(w.statement);
        const auto changed = rollup::elements(w.statement);
        for (std::size_t i = 0; i < elements.size(); ++i) {
            if (changed[i] != elements[i]) moved.insert(i);
        }
        EXPECT_EQ(testing::faults_of(w), faults);
    };
    const Faults point{"bus 44"};
    const Faults claim{"bus 45"};
    using S = rollup::DataStatement;
    expect_bound([](S& s) { s.form = DataForm::blob; }, point);
    expect_bound([](S& s) { ++s.words; }, point);
    for (std::size_t i = 0; i < kDigestSize; ++i) {
        expect_bound([&](S& s) { s.before[i] += KoalaBear(1); }, point);
        expect_bound([&](S& s) { s.after[i] += KoalaBear(1); }, point);
        expect_bound([&](S& s) { s.point[i] += KoalaBear(1); }, point);
        expect_bound([&](S& s) { s.work.root[i] += KoalaBear(1); }, claim);
    }
    for (std::size_t i = 0; i < 32; ++i) {
        expect_bound([&](S& s) { s.l1_hash[i] ^= 1; }, point);
        expect_bound([&](S& s) { s.value[i] ^= 1; }, claim);
    }
    for (std::size_t i = 0; i < 20; ++i) expect_bound([&](S& s) { s.payee.bytes[i] ^= 1; }, claim);
    expect_bound([](S& s) { s.work.units += 1; }, claim);
    expect_bound([](S& s) { s.work.units += 1u << 16; }, claim);
    EXPECT_EQ(moved.size(), elements.size() - 2);
}

struct DataProofs : public ::testing::Test {
    static rollup::DataStatement statement_of(DataForm form, const Words& words) {
        return testing::data_statement(form, words);
    }
};

TEST_F(DataProofs, AreVerifiedSlow) {
    for (const DataForm form : kForms) {
        for (const std::size_t n : {0, 7}) {
            const Words words = testing::random_words(n);
            const auto s = statement_of(form, words);
            const auto proof = prove_data(s, testing::kMinerTag, words);
            ASSERT_TRUE(proof);
            EXPECT_TRUE(verify_data(s, proof.value()));
            const auto bytes = encode_proof(data_circuit(), proof.value(), data_public_input(s));
            EXPECT_TRUE(verify_data(s, bytes));
            if (n == 0) continue;
            // The same words under the other form are another statement.
            EXPECT_FALSE(verify_data(statement_of(form == DataForm::blob ? DataForm::horner : DataForm::blob, words),
                                     proof.value()));
            rollup::DataStatement other = s;
            other.value[31] ^= 1;
            EXPECT_FALSE(verify_data(other, proof.value()));
            other = s;
            other.payee.bytes[0] ^= 1;
            EXPECT_FALSE(verify_data(other, bytes));
            auto damaged = bytes;
            damaged[damaged.size() / 2] ^= 1;
            EXPECT_FALSE(verify_data(s, damaged));
        }
    }
}

// Before any proof is looked at: numbers that would have aliases, and what no honest statement says.
TEST_F(DataProofs, StatementsThatNobodyMeansAreRefused) {
    const auto honest = statement_of(DataForm::blob, testing::random_words(9));
    const auto expect_refused = [&](auto change, const char* where) {
        rollup::DataStatement s = honest;
        change(s);
        const Status status = verify_data(s, std::span<const std::uint8_t>());
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, Errc::statement_mismatch);
        EXPECT_STREQ(status.error().where, where);
    };
    using S = rollup::DataStatement;
    expect_refused([](S& s) { s.payee = {}; }, "payee");
    expect_refused([](S& s) { s.form = static_cast<DataForm>(2); }, "form");
    expect_refused([](S& s) { s.words = 4097; }, "words");
    expect_refused([](S& s) { s.words = KoalaBear::kModulus + 9; }, "words");
    expect_refused([](S& s) { s.work.units = 1; }, "units");
    expect_refused([](S& s) { s.work.units += KoalaBear::kModulus; }, "units");
    expect_refused([](S& s) { s.value.fill(0xff); }, "value");
    expect_refused(
        [](S& s) {
            s.value = rollup::scalar_bytes(-rollup::BlsScalar(1));
            ++s.value[31];  // r
        },
        "value");
    EXPECT_NE(verify_data(honest, std::span<const std::uint8_t>()).error().code, Errc::statement_mismatch);
}

}  // namespace
}  // namespace quarry::circuits::data_test
