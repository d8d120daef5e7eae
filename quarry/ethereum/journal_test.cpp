// The journal's file and the fees.

#include "quarry/ethereum/journal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "quarry/ethereum/fee_policy.hpp"

namespace quarry::ethereum::journal_test {
namespace {

constexpr std::size_t kHeaderBytes = 16;
const JournalOwner kOwner{31337, Address{}};

class JournalTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "quarry-journal-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        path_ = pattern + "/journal";
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(std::filesystem::path(path_).parent_path(), ignored);
    }
    [[nodiscard]] std::unique_ptr<Journal> open() const { return open_journal_file(path_, kOwner).value(); }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    void set_content(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

    std::string path_;
    const std::vector<Bytes> records_{Bytes(5, 1), {}, Bytes(3'000, 2)};
};

TEST_F(JournalTest, ACutAnywhereLeavesTheWholeRecordsBeforeIt) {
    std::size_t start = 0;  // of what follows the owner's record
    {
        const auto journal = open();
        ASSERT_TRUE(journal->read().value().empty());
        start = content().size();
        for (const Bytes& record : records_) ASSERT_TRUE(journal->append(record).ok());
        EXPECT_FALSE(open_journal_file(path_, kOwner).ok()) << "one holder at a time";
    }
    const std::string whole = content();
    const std::size_t first = start + kHeaderBytes + 5;
    const std::size_t second = first + kHeaderBytes;
    for (std::size_t size = 0; size <= whole.size(); size += size < second + 20 ? 1 : 97) {
        set_content(whole.substr(0, size));
        const std::size_t num_whole = size >= whole.size() ? 3U : size >= second ? 2U : size >= first ? 1U : 0U;
        {
            const auto journal = open();
            const auto found = journal->read();
            ASSERT_TRUE(found.ok()) << size;
            ASSERT_EQ(found.value(), std::vector<Bytes>(records_.begin(), records_.begin() + num_whole)) << size;
            ASSERT_TRUE(journal->append(Bytes{9}).ok());
        }
        ASSERT_EQ(open()->read().value().back(), Bytes{9}) << size;
    }
    set_content(whole + std::string(500, '\0'));  // what some file systems leave of an append
    EXPECT_EQ(open()->read().value(), records_);
}

TEST_F(JournalTest, ADamagedRecordInTheMiddleIsAnError) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->read().ok());
        for (const Bytes& record : records_) ASSERT_TRUE(journal->append(record).ok());
    }
    // Whichever byte it is: a length that became a large one must not make a torn tail of what lies behind it.
    const std::string whole = content();
    const std::size_t last = whole.size() - kHeaderBytes - records_.back().size();
    for (std::size_t i = 0; i < last; ++i) {
        for (const int mask : {1, 0x80}) {
            std::string bytes = whole;
            bytes[i] = static_cast<char>(bytes[i] ^ mask);
            set_content(bytes);
            ASSERT_EQ(open()->read().error().code, EthereumCode::journal_damaged) << i;
        }
    }
}

TEST_F(JournalTest, AnotherAccountOrChainIsRefused) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->read().ok());
        ASSERT_TRUE(journal->append(records_[0]).ok());
    }
    JournalOwner account = kOwner;
    account.account.bytes[19] = 1;
    for (const JournalOwner& other : {JournalOwner{1, kOwner.account}, account})
        EXPECT_EQ(open_journal_file(path_, other).value()->read().error().code, EthereumCode::journal_failed);
    ASSERT_TRUE(open()->read().ok());
    {
        const auto journal = open();
        ASSERT_TRUE(journal->read().ok());
        ASSERT_TRUE(journal->rewrite({records_[0]}).ok());
    }
    EXPECT_EQ(open_journal_file(path_, account).value()->read().error().code, EthereumCode::journal_failed);
    EXPECT_EQ(open()->read().value(), (std::vector<Bytes>{records_[0]}));
}

TEST_F(JournalTest, ARewriteReplacesAll) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->read().ok());
        ASSERT_TRUE(journal->append(records_[2]).ok());
        ASSERT_TRUE(journal->rewrite({records_[0]}).ok());
        ASSERT_TRUE(journal->append(Bytes{7}).ok());
    }
    EXPECT_EQ(open()->read().value(), (std::vector<Bytes>{records_[0], Bytes{7}}));
}

const FeeLimits kLimits{.max = U256(1'000'000), .max_blob = U256(5'000), .min_priority = U256(10)};

TEST(FeePolicy, ReplacementsKeepTheRulesOfNodesOrDoNotHappen) {
    for (const bool is_blob : {false, true}) {
        for (std::uint64_t base = 1; base < 400'000; base = base * 3 + 1) {
            const FeeSuggestion now{U256(base), U256(base / 7), U256(base / 200)};
            auto fees = first_fees(now, kLimits, is_blob);
            ASSERT_TRUE(fees.has_value());
            EXPECT_TRUE(are_enough(*fees, now, is_blob));
            for (unsigned round = 0; round < 100; ++round) {
                const auto next = replacement_fees(*fees, now, kLimits, is_blob);
                if (!next) break;
                const std::uint64_t percent = is_blob ? 200 : 110;
                EXPECT_GE(next->priority * 100, fees->priority * percent);
                EXPECT_GE(next->max * 100, fees->max * percent);
                EXPECT_GE(next->max_blob * 100, fees->max_blob * (is_blob ? percent : 100));
                EXPECT_LE(next->max, kLimits.max);
                EXPECT_LE(next->max_blob, kLimits.max_blob);
                EXPECT_LE(next->priority, next->max);
                fees = next;
            }
            EXPECT_FALSE(replacement_fees(*fees, now, kLimits, is_blob).has_value()) << "the caps end it";
        }
    }
}

TEST(FeePolicy, AboveTheCapsAndAgainstLyingNodesNothingIsOffered) {
    EXPECT_FALSE(first_fees({U256(1'000'001), U256(0), U256(1)}, kLimits, false).has_value());
    EXPECT_FALSE(first_fees({U256(1), U256(0), U256(5'001)}, kLimits, true).has_value());
    EXPECT_TRUE(first_fees({U256(1), U256(0), U256(5'001)}, kLimits, false).has_value());
    const U256 huge = U256::from_hex("0x" + std::string(64, 'f')).value();
    EXPECT_FALSE(first_fees({huge, huge, huge}, kLimits, true).has_value());
    EXPECT_FALSE(worst_cost({huge, huge, huge}, 2, 1).has_value());
    EXPECT_EQ(tight_fees({U256(100), U256(0), U256(0)}, kLimits, false)->max, U256(123));
}

}  // namespace
}  // namespace quarry::ethereum::journal_test
