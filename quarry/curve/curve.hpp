#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quarry/curve/tower.hpp"
#include "quarry/field/extension.hpp"

namespace quarry {

namespace curve_detail {
template <class Field>
constexpr Field element(const std::array<std::uint32_t, Field::kDegree>& canonical) noexcept {
    Field r;
    for (std::size_t i = 0; i < Field::kDegree; ++i) r[i] = KoalaBear(canonical[i]);
    return r;
}
}  // namespace curve_detail

/// KB11: y^2 = x^3 - 3x + (z + 557) over F_p[z]/(z^11 + z - 6), prime order, cofactor 1, rho 2^170. What Quarry ships.
/// Generator and offset come from a hash of their tags (curve_test recomputes both).
struct KB11 {
    using Field = Fp11;
    using Modulus = Trinomial<11, 1, -1, 6>;
    static constexpr const char* kName = "KB11";
    static constexpr std::array<std::uint64_t, 6> kOrder{0xfbb716dbfa286305, 0xc547f3e2d3185393, 0xe30e5888164e260f,
                                                         0x0521a4071b3e3068, 0x8f6140486dd56b23, 0x00000000001d5add};
    static constexpr unsigned kOrderBits = 341;
    static constexpr std::size_t kScalarBytes = 43;
    static constexpr unsigned kCombBits = 11;  ///< w: 32 windows of w bits cover a scalar
    static constexpr std::int64_t kA = -3;
    static constexpr Field b() noexcept { return curve_detail::element<Field>({557, 1}); }
    static constexpr Field generator_x() noexcept {
        return curve_detail::element<Field>({136101292, 1039327188, 445140494, 792385197, 1413580408, 1403778238,
                                             604114202, 1399827663, 1837896939, 481449635, 168635480});
    }
    static constexpr Field generator_y() noexcept {
        return curve_detail::element<Field>({2055756364, 877276784, 543287710, 1056073360, 1992872781, 1970154509,
                                             1151534905, 1662956492, 1655937775, 2126487284, 1062681954});
    }
    static constexpr Field offset_x() noexcept {
        return curve_detail::element<Field>({496306649, 608596006, 465773513, 412934914, 1133430525, 1451998137,
                                             1815597396, 711470802, 1925918865, 1403112210, 1614397104});
    }
    static constexpr Field offset_y() noexcept {
        return curve_detail::element<Field>({1261459290, 810071019, 528184087, 1041487041, 1460263952, 939160634,
                                             39311890, 457276221, 523368882, 1640056219, 1056677216});
    }
};

/// KB7: y^2 = x^3 + 45x + 41 z^3 over F_p[z]/(z^7 - 3z - 5), prime order, rho 2^108. A second instance, for tests.
struct KB7 {
    using Field = Fp7;
    using Modulus = Trinomial<7, 1, 3, 5>;
    static constexpr const char* kName = "KB7";
    static constexpr std::array<std::uint64_t, 4> kOrder{0x8aeeafa34e94d1f7, 0x89b4547ec62a61f1, 0x7579fd9acc910bb6,
                                                         0x0000000001e4a5d4};
    static constexpr unsigned kOrderBits = 217;
    static constexpr std::size_t kScalarBytes = 28;
    static constexpr unsigned kCombBits = 7;
    static constexpr std::int64_t kA = 45;
    static constexpr Field b() noexcept { return curve_detail::element<Field>({0, 0, 0, 41}); }
    static constexpr Field generator_x() noexcept {
        return curve_detail::element<Field>(
            {1156562584, 776166619, 1284789213, 387543185, 846469037, 1075995324, 1332138894});
    }
    static constexpr Field generator_y() noexcept {
        return curve_detail::element<Field>(
            {1003606290, 138123143, 1846739844, 1590732053, 172324964, 1720562346, 488608594});
    }
    static constexpr Field offset_x() noexcept {
        return curve_detail::element<Field>(
            {1902193875, 1786454301, 263335504, 1874943613, 717845633, 742278866, 880680554});
    }
    static constexpr Field offset_y() noexcept {
        return curve_detail::element<Field>(
            {1544647166, 404095059, 1315616322, 884266819, 261223223, 1500136516, 845144462});
    }
};

/// A point other than the identity. Nothing says that it is on the curve: on_curve() does.
template <class C>
struct AffinePoint {
    typename C::Field x, y;
    friend constexpr bool operator==(const AffinePoint&, const AffinePoint&) = default;

    static constexpr AffinePoint generator() noexcept { return {C::generator_x(), C::generator_y()}; }
    static constexpr AffinePoint offset() noexcept { return {C::offset_x(), C::offset_y()}; }
    [[nodiscard]] constexpr AffinePoint negated() const noexcept { return {x, -y}; }
};

/// x^3 + a x + b.
template <class C>
constexpr typename C::Field curve_right_side(const typename C::Field& x) noexcept {
    using T = Tower<typename C::Modulus>;
    constexpr KoalaBear kA = KoalaBear::from_signed(C::kA);
    typename C::Field s = T::square(x);
    s[0] = s[0] + kA;
    return T::add(T::multiply(s, x), C::b());
}
/// y^2 = x^3 + a x + b. Both curves have prime order, so this is membership in the group.
template <class C>
constexpr bool on_curve(const AffinePoint<C>& p) noexcept {
    return Tower<typename C::Modulus>::square(p.y) == curve_right_side<C>(p.x);
}

/// (X : Y : Z) with x = X/Z^2, y = Y/Z^3; Z = 0 is the identity.
template <class C>
struct JacobianPoint {
    using Field = typename C::Field;
    Field x{KoalaBear(1)}, y{KoalaBear(1)}, z{};

    constexpr JacobianPoint() noexcept = default;
    constexpr JacobianPoint(const Field& px, const Field& py, const Field& pz) noexcept : x(px), y(py), z(pz) {}
    constexpr JacobianPoint(const AffinePoint<C>& p) noexcept  // NOLINT(google-explicit-constructor)
        : x(p.x), y(p.y), z(KoalaBear(1)) {}
    [[nodiscard]] constexpr bool is_identity() const noexcept { return z.is_zero(); }
    [[nodiscard]] constexpr JacobianPoint negated() const noexcept { return {x, -y, z}; }
    /// nullopt for the identity.
    [[nodiscard]] constexpr std::optional<AffinePoint<C>> affine() const noexcept {
        using T = Tower<typename C::Modulus>;
        if (is_identity()) return std::nullopt;
        const Field i = T::invert(z);
        const Field i2 = T::square(i);
        return AffinePoint<C>{T::multiply(x, i2), T::multiply(y, T::multiply(i2, i))};
    }
};

/// 2 P, complete (no point of order 2 exists), without branches. [EFD dbl-2007-bl, dbl-2001-b]
template <class C>
constexpr JacobianPoint<C> doubled(const JacobianPoint<C>& p) noexcept {
    using T = Tower<typename C::Modulus>;
    const auto delta = T::square(p.z);
    const auto gamma = T::square(p.y);
    const auto beta = T::multiply(p.x, gamma);
    typename C::Field alpha;
    if constexpr (C::kA == -3) {
        alpha = T::small_multiple(3, T::multiply(T::subtract(p.x, delta), T::add(p.x, delta)));
    } else {
        alpha = T::add(T::small_multiple(3, T::square(p.x)), T::square(delta) * KoalaBear::from_signed(C::kA));
    }
    const auto x = T::subtract(T::square(alpha), T::small_multiple(8, beta));
    const auto z = T::small_multiple(2, T::multiply(p.y, p.z));
    const auto y = T::subtract(T::multiply(alpha, T::subtract(T::small_multiple(4, beta), x)),
                               T::small_multiple(8, T::square(gamma)));
    return {x, y, z};
}
/// P + Q without branches. Precondition: P is not the identity, Q or -Q (otherwise the result has Z = 0, or 0 for Z =
/// 0). `h` receives x_Q Z_P^2 - X_P and `zz` Z_P^2, so that x_P - x_Q = -h / zz.
template <class C>
constexpr JacobianPoint<C> add_distinct(const JacobianPoint<C>& p, const AffinePoint<C>& q, typename C::Field& h,
                                        typename C::Field& zz) noexcept {
    using T = Tower<typename C::Modulus>;
    zz = T::square(p.z);
    h = T::subtract(T::multiply(q.x, zz), p.x);
    const auto r = T::subtract(T::multiply(q.y, T::multiply(p.z, zz)), p.y);
    const auto hh = T::square(h);
    const auto hhh = T::multiply(h, hh);
    const auto v = T::multiply(p.x, hh);
    const auto x = T::subtract(T::subtract(T::square(r), hhh), T::small_multiple(2, v));
    const auto y = T::subtract(T::multiply(r, T::subtract(v, x)), T::multiply(p.y, hhh));
    return {x, y, T::multiply(p.z, h)};
}
/// P + Q for any P and Q. Branches on the points: not for secrets.
template <class C>
constexpr JacobianPoint<C> add(const JacobianPoint<C>& p, const JacobianPoint<C>& q) noexcept {
    using T = Tower<typename C::Modulus>;
    if (p.is_identity()) return q;
    if (q.is_identity()) return p;
    const auto pzz = T::square(p.z);
    const auto qzz = T::square(q.z);
    const auto u1 = T::multiply(p.x, qzz);
    const auto h = T::subtract(T::multiply(q.x, pzz), u1);
    const auto s1 = T::multiply(p.y, T::multiply(q.z, qzz));
    const auto r = T::subtract(T::multiply(q.y, T::multiply(p.z, pzz)), s1);
    if (h.is_zero()) return r.is_zero() ? doubled(p) : JacobianPoint<C>();
    const auto hh = T::square(h);
    const auto hhh = T::multiply(h, hh);
    const auto v = T::multiply(u1, hh);
    const auto x = T::subtract(T::subtract(T::square(r), hhh), T::small_multiple(2, v));
    const auto y = T::subtract(T::multiply(r, T::subtract(v, x)), T::multiply(s1, hhh));
    return {x, y, T::multiply(T::multiply(p.z, q.z), h)};
}
/// k P for k in little-endian limbs. Branches on k: not for secrets.
template <class C>
constexpr JacobianPoint<C> multiply(std::span<const std::uint64_t> k, const JacobianPoint<C>& p) noexcept {
    JacobianPoint<C> r;
    for (std::size_t i = 64 * k.size(); i-- > 0;) {
        r = doubled(r);
        if ((k[i / 64] >> (i % 64)) & 1) r = add(r, p);
    }
    return r;
}

/// Replaces each element by its inverse. Precondition: none is 0. 3 multiplications each and one inversion.
/// [Montgomery]
template <class C>
void invert_all(std::span<typename C::Field> v) {
    using T = Tower<typename C::Modulus>;
    std::vector<typename C::Field> prefix(v.size());
    typename C::Field running(KoalaBear(1));
    for (std::size_t i = 0; i < v.size(); ++i) {
        prefix[i] = running;
        running = T::multiply(running, v[i]);
    }
    running = T::invert(running);
    for (std::size_t i = v.size(); i-- > 0;) {
        const auto inverse = T::multiply(running, prefix[i]);
        running = T::multiply(running, v[i]);
        v[i] = inverse;
    }
}
/// Precondition: none is the identity.
template <class C>
std::vector<AffinePoint<C>> to_affine(std::span<const JacobianPoint<C>> points) {
    using T = Tower<typename C::Modulus>;
    std::vector<typename C::Field> z(points.size());
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = points[i].z;
    invert_all<C>(z);
    std::vector<AffinePoint<C>> r(points.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
        const auto zz = T::square(z[i]);
        r[i] = {T::multiply(points[i].x, zz), T::multiply(points[i].y, T::multiply(zz, z[i]))};
    }
    return r;
}

/// Parity of the first non-zero coefficient: tells y from -y. false for 0.
template <class Modulus>
constexpr bool sign_of(const Extension<Modulus>& y) noexcept {
    for (const KoalaBear c : y.coefficients()) {
        if (!c.is_zero()) return (c.canonical() & 1) != 0;
    }
    return false;
}

/// A square root in F_p, if there is one. [Tonelli-Shanks], p - 1 = 127 2^24.
constexpr std::optional<KoalaBear> square_root(KoalaBear x) noexcept {
    if (x.is_zero()) return x;
    KoalaBear root = x.pow((127 + 1) / 2);
    KoalaBear rest = x.pow(127);  // invariant: root^2 = x rest, the order of rest divides 2^(order_bits - 1)
    for (unsigned order_bits = KoalaBear::kTwoAdicity; order_bits > 1; --order_bits) {
        KoalaBear t = rest;
        for (unsigned i = 0; i + 2 < order_bits; ++i) t *= t;
        if (t == KoalaBear(1)) continue;
        // rest has order exactly 2^(order_bits - 1): a root of order 2^order_bits brings it down.
        const KoalaBear w = KoalaBear::two_adic_root(order_bits);
        root *= w;
        rest *= w * w;
    }
    if (root * root != x) return std::nullopt;
    return root;
}
/// A square root in F_{p^k}, k odd, if there is one: with N = 1 + p + ... + p^(k-1), (x^((N+1)/2))^2 = x norm(x), and
/// (N+1)/2 = 1 + p (p+1)/2 (1 + p^2 + ... + p^(k-3)).
template <class Modulus>
constexpr std::optional<Extension<Modulus>> square_root(const Extension<Modulus>& x) noexcept {
    using Field = Extension<Modulus>;
    using T = Tower<Modulus>;
    static_assert(Modulus::kDegree % 2 == 1);
    if (x.is_zero()) return x;
    // u = x^(p (p+1)/2), (p+1)/2 = 2^30 - 2^23 + 1.
    const Field xp = x.frobenius();
    Field power(KoalaBear(1));
    for (unsigned i = 32; i-- > 0;) {
        power = T::square(power);
        if ((((KoalaBear::kModulus + 1) / 2) >> i) & 1) power = T::multiply(power, xp);
    }
    Field root = x;
    for (std::size_t i = 0; i + 1 < Modulus::kDegree; i += 2) {
        root = T::multiply(root, power);
        power = power.frobenius().frobenius();
    }
    const Field x_norm = T::square(root);  // x norm(x)
    const KoalaBear norm = T::multiply(x_norm, T::invert(x))[0];
    const auto s = square_root(norm);
    if (!s) return std::nullopt;
    root = root * s->inverse();
    if (T::square(root) != x) return std::nullopt;
    return root;
}

}  // namespace quarry
