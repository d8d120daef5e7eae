#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

namespace quarry {

namespace parallel_detail {
using Piece = void (*)(void* f, std::size_t begin, std::size_t end);
/// Precondition: n > grain > 0.
void run(std::size_t n, std::size_t grain, void* f, Piece piece);
}  // namespace parallel_detail

/// f(begin, end) over [0, n) in pieces of about `grain`, on the caller's TBB arena. Pieces run in any order: results
/// must not depend on it (field sums do not). TBB's own headers stay out of this one: they double the compilation time
/// of a small file, and a call through a pointer once per piece costs nothing.
template <class F>
void parallel_for(std::size_t n, std::size_t grain, F&& f) {
    if (n <= grain) {
        if (n > 0) f(std::size_t{0}, n);
        return;
    }
    using Body = std::remove_reference_t<F>;
    parallel_detail::run(
        n, grain, const_cast<void*>(static_cast<const void*>(std::addressof(f))),
        [](void* body, std::size_t begin, std::size_t end) { (*static_cast<Body*>(body))(begin, end); });
}

}  // namespace quarry
