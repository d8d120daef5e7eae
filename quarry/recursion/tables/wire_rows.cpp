#include "quarry/recursion/tables/wire_rows.hpp"

#include <string>

namespace quarry::recursion {
namespace {

/// What bit i adds to its factor of the point when it is set.
KoalaBear root_minus_one(std::size_t i) {
    return KoalaBear::two_adic_root(static_cast<unsigned>(i + 1)) - KoalaBear(1);
}
}  // namespace

void PackTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    for (std::size_t k = 0; k < kDegree; ++k) {
        b.receive(indexed("base", k), kBaseBus, k == 0 ? fixed.reads_first : fixed.reads_rest,
                  {fixed.base + static_cast<int>(k), row.x[k]});
        if (k > 0) b.zero(indexed("lifted", k), fixed.lifts * row.x[k]);
    }
    b.send("result", kExtensionBus, fixed.results, extension_tuple(fixed.result, row.x));
}

void DigestTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    for (std::size_t i = 0; i < kBlock; ++i) {
        b.receive(indexed("base", i), kBaseBus, fixed.reads, {fixed.base + static_cast<int>(i), row.x[i]});
        b.send(indexed("element", i), kExtensionBus, fixed.lifts,
               lifted_tuple(fixed.elements + static_cast<int>(i), row.x[i]));
    }
    b.send("first", kDigestBus, fixed.firsts, digest_tuple(fixed.first, row.x));
    b.send("second", kDigestBus, fixed.seconds, digest_tuple(fixed.second, row.x));
}

void ConstantTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row,
                              const Row<Expr>& /*next*/) {
    for (std::size_t i = 0; i < kBlock; ++i) b.equal(indexed("value", i), row.x[i], fixed.value[i]);
    b.send("extension", kExtensionBus, fixed.extensions,
           extension_tuple(fixed.extension, {row.x[0], row.x[1], row.x[2], row.x[3], row.x[4]}));
    b.send("digest", kDigestBus, fixed.digests, digest_tuple(fixed.digest, row.x));
}

void IndexTable::constrain(AirBuilder& b, const Fixed<Expr>& fixed, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    Expr sum;
    Expr low;
    for (std::size_t i = 0; i < kElementBits; ++i) {
        b.boolean(indexed("bit", i), row.bits[i]);
        sum += row.bits[i] * Expr(KoalaBear(std::uint64_t{1} << i));
        if (i < kIndexBitLimit) low += row.bits[i];
    }
    b.equal("x", row.x, sum);
    // p = 2^31 - 2^24 + 1: with all top bits set, only p - 1 is canonical, whose low bits are zero.
    Expr top(1);
    for (std::size_t i = kIndexBitLimit; i < kElementBits; ++i) top *= row.bits[i];
    b.equal("top", row.top, top);
    b.zero("canonical", row.top * low);

    Expr product(1);
    for (std::size_t i = 0; i < kIndexBitLimit; ++i) {
        // u (3 - u) / 2 is 1 for one reader and for two.
        const Expr used = fixed.used[i] * (Expr(3) - fixed.used[i]) * Expr(KoalaBear(2).inverse());
        product *= Expr(1) + used * row.bits[i] * Expr(root_minus_one(i));
        if (i % kPointStep == kPointStep - 1) {
            b.equal(indexed("product", i / kPointStep), row.products[i / kPointStep], product);
            product = row.products[i / kPointStep];
        }
    }
    for (std::size_t i = kIndexBitLimit; i < kElementBits; ++i) b.zero(indexed("small", i), fixed.small * row.bits[i]);
    b.receive("x", kBaseBus, fixed.reads, {fixed.base, row.x});
    b.receive("lifted", kExtensionBus, fixed.lifted, lifted_tuple(fixed.base, row.x));
    for (std::size_t i = 0; i < kIndexBitLimit; ++i) {
        b.send(indexed("bit", i), kBaseBus, fixed.used[i], {fixed.bits + static_cast<int>(i), row.bits[i]});
    }
    b.send("point", kExtensionBus, fixed.points, lifted_tuple(fixed.point, row.products.back()));
}

IndexRow<KoalaBear> IndexTable::make_row(KoalaBear x, unsigned num_used) {
    Row<KoalaBear> row{};
    row.x = x;
    row.top = KoalaBear(1);
    KoalaBear product(1);
    for (std::size_t i = 0; i < kElementBits; ++i) {
        const bool bit = (x.canonical() >> i & 1) != 0;
        row.bits[i] = KoalaBear(bit ? 1 : 0);
        if (i >= kIndexBitLimit) row.top *= row.bits[i];
        if (i >= kIndexBitLimit) continue;
        if (bit && i < num_used) product *= KoalaBear(1) + root_minus_one(i);
        if (i % kPointStep == kPointStep - 1) row.products[i / kPointStep] = product;
    }
    return row;
}

}  // namespace quarry::recursion
