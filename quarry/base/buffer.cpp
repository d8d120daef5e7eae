#include "quarry/base/buffer.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace quarry {
namespace {

constexpr std::size_t kHuge = std::size_t{2} << 20;
constexpr std::size_t kAlignment = 64;
// Room for the codeword of a terminal proof, 4 GiB, beside smaller ones.
constexpr std::size_t kMaxCached = std::size_t{8} << 30;

// Large blocks that were freed, by size. A prover asks for the same sizes again and again, and the kernel's clearing of
// fresh pages was a fifth of its time.
class BlockCache {
  public:
    void* take(std::size_t bytes) {
        const std::scoped_lock lock(mutex_);
        const auto it = free_.find(bytes);
        if (it == free_.end()) return nullptr;
        void* p = it->second.back();
        it->second.pop_back();
        if (it->second.empty()) free_.erase(it);
        cached_ -= bytes;
        return p;
    }
    /// False when the cache is full: the caller frees the block.
    bool put(void* p, std::size_t bytes) {
        const std::scoped_lock lock(mutex_);
        if (cached_ + bytes > kMaxCached) return false;
        free_[bytes].push_back(p);
        cached_ += bytes;
        return true;
    }
    void clear() {
        const std::scoped_lock lock(mutex_);
        for (const auto& [bytes, blocks] : free_) {
            for (void* p : blocks) std::free(p);
        }
        free_.clear();
        cached_ = 0;
    }

  private:
    std::mutex mutex_;
    std::map<std::size_t, std::vector<void*>> free_;
    std::size_t cached_ = 0;
};

// Never destroyed: buffers with static storage may outlive it otherwise.
BlockCache& cache() {
    static auto* const instance = new BlockCache;
    return *instance;
}

std::size_t rounded_size(std::size_t bytes) {
    const std::size_t align = bytes >= kHuge / 2 ? kHuge : kAlignment;
    return (bytes + align - 1) / align * align;
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
    const std::size_t rounded = rounded_size(bytes);
    if (rounded == 0) return nullptr;
    const bool huge = rounded >= kHuge;
    if (huge) {
        if (void* p = cache().take(rounded)) return p;
    }
    void* p = std::aligned_alloc(huge ? kHuge : kAlignment, rounded);
    if (p == nullptr && huge) {
        cache().clear();
        p = std::aligned_alloc(kHuge, rounded);
    }
    if (p == nullptr) {
        if (const auto handler = std::get_new_handler()) handler();  // a program may end here in its own way
        std::fprintf(stderr, "out of memory: %zu bytes wanted; use fewer rows or a machine with more memory\n", bytes);
        std::abort();
    }
    if (huge) (void)madvise(p, rounded, MADV_HUGEPAGE);
    return p;
}

void free_aligned(void* p, std::size_t bytes) noexcept {
    const std::size_t rounded = rounded_size(bytes);
    if (p != nullptr && rounded >= kHuge && cache().put(p, rounded)) return;
    std::free(p);
}

void release_cached_memory() { cache().clear(); }

}  // namespace quarry
