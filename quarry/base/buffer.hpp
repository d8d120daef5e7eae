#pragma once
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace quarry {

/// Allocates `bytes` aligned to 64 (to 2 MiB with huge pages requested from 1 MiB up); aborts when memory is out. Large
/// blocks are kept when freed, up to 8 GiB, and reused for the next request of their size.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* p, std::size_t bytes) noexcept;
/// Gives kept blocks back to the system.
void release_cached_memory();

/// An owning array of trivial elements, aligned for SIMD, *uninitialised* unless said otherwise: the prover touches
/// memory once.
template <class T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    Buffer() = default;
    explicit Buffer(std::size_t size) : data_(static_cast<T*>(allocate_aligned(size * sizeof(T)))), size_(size) {}
    static Buffer zeros(std::size_t size) {
        Buffer b(size);
        for (std::size_t i = 0; i < size; ++i) b.data_[i] = T{};
        return b;
    }
    Buffer(Buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
    Buffer& operator=(Buffer&& o) noexcept {
        std::swap(data_, o.data_);
        std::swap(size_, o.size_);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { free_aligned(data_, size_ * sizeof(T)); }

    [[nodiscard]] T* data() noexcept { return data_; }
    [[nodiscard]] const T* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return data_[i]; }
    const T& operator[](std::size_t i) const noexcept { return data_[i]; }
    [[nodiscard]] std::span<T> span() noexcept { return {data_, size_}; }
    [[nodiscard]] std::span<const T> span() const noexcept { return {data_, size_}; }

  private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace quarry
