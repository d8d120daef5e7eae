#include "quarry/base/buffer.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace quarry {

void* allocate_aligned(std::size_t bytes) {
    constexpr std::size_t kHuge = std::size_t{2} << 20;
    const std::size_t align = bytes >= kHuge / 2 ? kHuge : 64;
    const std::size_t rounded = (bytes + align - 1) / align * align;
    if (rounded == 0) return nullptr;
    void* p = std::aligned_alloc(align, rounded);
    if (p == nullptr) {
        std::fprintf(stderr, "out of memory: %zu bytes\n", bytes);
        std::abort();
    }
    if (align == kHuge) (void)madvise(p, rounded, MADV_HUGEPAGE);
    return p;
}

void free_aligned(void* p) noexcept { std::free(p); }

}  // namespace quarry
