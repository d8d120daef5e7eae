// What the journal asks of the disk: this program's fdatasync and fsync stand for the system's, count, and may fail.

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "quarry/ethereum/journal.hpp"

namespace {

std::atomic<unsigned> num_syncs{0};
std::atomic<bool> fails{false};

int counted(long number, int fd) {
    ++num_syncs;
    if (!fails) return static_cast<int>(::syscall(number, fd));
    errno = EIO;
    return -1;
}

}  // namespace

extern "C" int fdatasync(int fd) { return counted(SYS_fdatasync, fd); }
extern "C" int fsync(int fd) { return counted(SYS_fsync, fd); }

namespace quarry::ethereum::journal_sync_test {
namespace {

class JournalSyncTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "quarry-sync-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        journal_ = open_journal_file(folder_ + "/journal", kOwner).value();
        ASSERT_TRUE(journal_->read().ok());
    }
    void TearDown() override {
        fails = false;
        journal_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::vector<Bytes> reopened() {
        journal_.reset();
        journal_ = open_journal_file(folder_ + "/journal", kOwner).value();
        return journal_->read().value();
    }
    static unsigned syncs_of(const std::function<void()>& work) {
        const unsigned before = num_syncs;
        work();
        return num_syncs - before;
    }

    const JournalOwner kOwner{1, Address{}};
    std::string folder_;
    std::unique_ptr<Journal> journal_;
};

TEST_F(JournalSyncTest, EveryRecordIsSyncedBeforeTheCallReturns) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(syncs_of([&] { ASSERT_TRUE(journal_->append(Bytes{1}).ok()); }), 1u);
    // A new file, and the folder that has its name.
    EXPECT_EQ(syncs_of([&] { ASSERT_TRUE(journal_->rewrite({Bytes{2}}).ok()); }), 2u);
    EXPECT_EQ(reopened(), (std::vector<Bytes>{{2}}));
}

TEST_F(JournalSyncTest, AfterAFailedSyncNothingIsAddedAndNothingIsClaimed) {
    ASSERT_TRUE(journal_->append(Bytes{1}).ok());
    fails = true;
    EXPECT_EQ(journal_->append(Bytes{2}).error().code, EthereumCode::journal_failed);
    fails = false;
    // The disk may have the record or not, and a second sync would say that all is well.
    EXPECT_EQ(journal_->append(Bytes{3}).error().code, EthereumCode::journal_failed);
    EXPECT_EQ(reopened(), (std::vector<Bytes>{{1}}));
    ASSERT_TRUE(journal_->append(Bytes{4}).ok());
    EXPECT_EQ(reopened(), (std::vector<Bytes>{{1}, {4}}));
}

TEST_F(JournalSyncTest, ARewriteThatIsNotOnDiskReplacesNothing) {
    ASSERT_TRUE(journal_->append(Bytes{1}).ok());
    fails = true;
    EXPECT_EQ(journal_->rewrite({Bytes{2}}).error().code, EthereumCode::journal_failed);
    fails = false;
    ASSERT_TRUE(journal_->append(Bytes{3}).ok());
    EXPECT_EQ(reopened(), (std::vector<Bytes>{{1}, {3}}));
}

}  // namespace
}  // namespace quarry::ethereum::journal_sync_test
