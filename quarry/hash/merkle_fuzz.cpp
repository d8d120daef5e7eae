// Multi-openings and single paths from arbitrary bytes: no crash, and both entry points give one verdict.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quarry/base/check.hpp"
#include "quarry/hash/merkle.hpp"

namespace quarry {
namespace {

/// Bytes of the input in order, zeros after its end.
class Reader {
  public:
    Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    std::uint8_t byte() { return at_ < size_ ? data_[at_++] : std::uint8_t{0}; }
    [[nodiscard]] bool done() const { return at_ == size_; }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

/// Mutates a valid opening of a small tree as the input says, and checks it.
template <class H>
void run(Reader in) {
    constexpr unsigned kHeight = 4;
    constexpr std::size_t kWidth = 3;
    constexpr std::size_t kStride = 8;
    static const std::vector<KoalaBear> rows = [] {
        std::vector<KoalaBear> r(kStride << kHeight);
        for (std::size_t i = 0; i < r.size(); ++i) {
            if (i % kStride < kWidth) r[i] = KoalaBear(i * i + 1);
        }
        return r;
    }();
    static const auto tree = MerkleTree<H>::build(rows, std::size_t{1} << kHeight, kWidth, kStride);

    const unsigned selected = in.byte() | (static_cast<unsigned>(in.byte()) << 8);
    std::vector<std::size_t> indices;
    std::vector<KoalaBear> opened;
    for (std::size_t i = 0; i >> kHeight == 0; ++i) {
        if (((selected >> i) & 1) == 0) continue;
        indices.push_back(i);
        for (std::size_t j = 0; j < kWidth; ++j) opened.push_back(rows[kStride * i + j]);
    }
    MultiOpening<H> opening;
    if (!indices.empty()) opening = tree.open(indices);
    unsigned height = kHeight;
    std::size_t width = kWidth;
    bool changed = indices.empty();
    while (!in.done()) {
        const std::uint8_t operation = in.byte();
        const std::uint8_t argument = in.byte();
        changed = true;
        switch (operation % 7) {
            case 0:
                indices.push_back(argument);
                break;
            case 1:
                if (!indices.empty()) indices[argument % indices.size()] = in.byte();
                break;
            case 2:
                opening.siblings.resize(argument % 80);
                break;
            case 3:
                opened.resize(argument);
                break;
            case 4:
                height = argument;
                break;
            case 5:
                width = argument;
                break;
            default:
                if (!opened.empty()) opened[argument % opened.size()] += KoalaBear(1);
        }
    }
    const auto verified = verify_multi_opening<H>(tree.root(), height, width, indices, opened, opening);
    const auto expanded = expand<H>(tree.root(), height, width, indices, opened, opening);
    QUARRY_CHECK(verified.ok() == expanded.ok());
    QUARRY_CHECK(changed || verified.ok());
    const auto upper = MerkleTree<H>::above(tree.level(kHeight / 2));
    QUARRY_CHECK(verify_multi_opening<H>(upper, height, width, indices, opened, opening).ok() ==
                 expand<H>(upper, height, width, indices, opened, opening).ok());
    if (!verified.ok()) {
        QUARRY_CHECK(verified.error() == expanded.error());
        return;
    }
    QUARRY_CHECK(prune<H>(indices, height, expanded.value()).siblings == opening.siblings);
    const auto below = prune<H>(indices, height, expanded.value(), upper.height());
    QUARRY_CHECK(expand<H>(upper, height, width, indices, opened, below).value() == expanded.value());
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::span<const KoalaBear> row(opened.data() + i * width, width);
        QUARRY_CHECK(verify_merkle_path<H>(tree.root(), indices[i], height, row, expanded.value()[i]).ok());
    }
}

}  // namespace
}  // namespace quarry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    quarry::run<quarry::PoseidonHasher>({data, size});
    quarry::run<quarry::KeccakHasher>({data, size});
    return 0;
}
