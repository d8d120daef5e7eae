// The row schedule over 16 lanes. Text without a namespace: included inside one namespace per instruction set.
//
// F is 16-lane arithmetic of F_{p^k}:
//   Element                                   16 elements
//   load, store                               from and to u32 [k][16] in Montgomery form (R = 2^32)
//   constant(Field)                           the same element in all lanes
//   multiply(r, a, b), square(r, a)           r may be an operand; operands: loaded, gathered, products, results of
//   advance,
//                                             or one add or subtract of such
//   add, subtract
//   subtract_from(y, a)                       y := a - y, within the bounds of a product
//   advance(x, b, l2, d)                      (x, d) := (l2 - x - b, x - (l2 - x - b)), x within the bounds of a
//   product tangent_numerator<A>(xx)                  xx := 3 xx + A invert                                    none of
//   the lanes zero gather(x_rows, y_rows, x, y), scatter     one point per lane; rows of k + k words, in the kernel's
//   own form negate_where(mask, y) first_two_zero(d)                         mask of lanes where coordinates 0 and 1
//   are zero

/// For runs that nobody watches.
struct SilentReporter {
    static void tangent(std::size_t, const auto&) {}
    static void odd_multiple(std::size_t, std::size_t, const auto&, const auto&, const auto&) {}
    static void doubling(std::size_t, std::size_t, std::size_t, const auto&) {}
    static void addition(std::size_t, std::size_t, bool, const auto&, const auto&) {}
    static void accumulator(std::size_t, std::size_t, const auto&, const auto&) {}
};

template <class F, class C>
class Schedule {
  public:
    using Element = typename F::Element;
    static constexpr std::size_t kDegree = C::Field::kDegree;
    static constexpr std::size_t kRow = 2 * kDegree;

    struct alignas(64) Group {
        Element x, y;    // the accumulator
        Element tx, ty;  // the point to add
        Element denominator;
        Element product;        // of this group's denominator and those before it
        std::uint32_t patched;  // lanes whose denominator was replaced by 1 in this step
        std::uint32_t rejected;
    };

    /// Reporter: SilentReporter, or one that hands what it is told to a ScheduleObserver.
    template <class Reporter>
    static void run(ScheduleGroup<C>* groups, std::size_t n, const std::uint32_t* comb, Group* state,
                    std::uint32_t* tables, const Reporter& report) {
        for (std::size_t g = 0; g < n; ++g) {
            state[g].x = F::load(&groups[g].key_x[0][0]);
            state[g].y = F::load(&groups[g].key_y[0][0]);
            state[g].rejected = 0;
            state[g].patched = 0;
            save_multiple(state[g], tables, g, 0);
        }
        // The odd multiples: P + 2P + 2P + ... P has prime order, so no denominator vanishes: no check.
        double_all(state, n, [&](std::size_t g, const Element& slope) { report.tangent(g, slope); });
        for (std::size_t g = 0; g < n; ++g) {
            state[g].tx = state[g].x;
            state[g].ty = state[g].y;
            state[g].x = F::load(&groups[g].key_x[0][0]);
            state[g].y = F::load(&groups[g].key_y[0][0]);
        }
        for (std::size_t j = 1; j < kOddMultiples; ++j) {
            add_all<false>(
                state, n, [](Group&, std::size_t) {},
                [&](std::size_t g, const Element& slope) { report.odd_multiple(g, j, slope, state[g].x, state[g].y); });
            for (std::size_t g = 0; g < n; ++g) save_multiple(state[g], tables, g, j);
        }

        const Element offset_x = F::constant(C::offset_x());
        const Element offset_y = F::constant(C::offset_y());
        for (std::size_t g = 0; g < n; ++g) {
            state[g].x = offset_x;
            state[g].y = offset_y;
        }
        for (std::size_t i = 0; i < kWindows; ++i) {
            for (std::size_t d = 0; d < 4; ++d) {
                double_all(state, n, [&](std::size_t g, const Element& slope) { report.doubling(g, i, d, slope); });
            }
            add_all<true>(
                state, n, [&](Group& s, std::size_t g) { load_multiple(s, tables, g, groups[g].e_digits[i]); },
                [&](std::size_t g, const Element& slope) {
                    report.addition(g, i, false, slope, state[g].denominator);
                });
            const std::uint32_t* window = comb + i * (std::size_t{1} << C::kCombBits) * kRow;
            prefetch_comb(window, groups[0].s_digits[i]);
            add_all<true>(
                state, n,
                [&](Group& s, std::size_t g) {
                    if (g + 1 < n) prefetch_comb(window, groups[g + 1].s_digits[i]);
                    load_comb(s, window, groups[g].s_digits[i]);
                },
                [&](std::size_t g, const Element& slope) {
                    report.addition(g, i, true, slope, state[g].denominator);
                    report.accumulator(g, i, state[g].x, state[g].y);
                });
        }
        for (std::size_t g = 0; g < n; ++g) {
            F::store(&groups[g].r_x[0][0], state[g].x);
            F::store(&groups[g].r_y[0][0], state[g].y);
            groups[g].rejected = state[g].rejected;
        }
    }

  private:
    static std::uint32_t* multiple_row(std::uint32_t* tables, std::size_t g, std::size_t lane, std::size_t j) {
        return tables + ((g * kLanes + lane) * kOddMultiples + j) * kRow;
    }
    static void save_multiple(const Group& s, std::uint32_t* tables, std::size_t g, std::size_t j) {
        std::uint32_t* rows[kLanes];
        for (std::size_t l = 0; l < kLanes; ++l) rows[l] = multiple_row(tables, g, l, j);
        F::scatter(s.x, s.y, rows);
    }
    static void load_multiple(Group& s, std::uint32_t* tables, std::size_t g, const std::uint8_t* digits) {
        const std::uint32_t* rows[kLanes];
        std::uint32_t negative = 0;
        for (std::size_t l = 0; l < kLanes; ++l) {
            // Digit d stands for 2d - 15: |2d - 15| = 2j + 1 with j = d - 8 or 7 - d.
            const unsigned d = digits[l];
            rows[l] = multiple_row(tables, g, l, d >= 8 ? d - 8 : 7 - d);
            negative |= static_cast<std::uint32_t>(d < 8) << l;
        }
        F::gather(rows, s.tx, s.ty);
        s.ty = F::negate_where(negative, s.ty);
    }
    static void prefetch_comb(const std::uint32_t* window, const std::uint16_t* digits) {
        for (std::size_t l = 0; l < kLanes; ++l) {
            __builtin_prefetch(window + digits[l] * kRow);
            __builtin_prefetch(window + digits[l] * kRow + kRow - 1);
        }
    }
    static void load_comb(Group& s, const std::uint32_t* window, const std::uint16_t* digits) {
        const std::uint32_t* rows[kLanes];
        for (std::size_t l = 0; l < kLanes; ++l) rows[l] = window + digits[l] * kRow;
        F::gather(rows, s.tx, s.ty);
    }
    static void push(Group* state, std::size_t g, const Element& denominator) {
        if (g == 0) {
            state[g].product = denominator;
        } else {
            F::multiply(state[g].product, state[g - 1].product, denominator);
        }
    }
    /// inverse = 1/(d_0 ... d_g) becomes 1/(d_0 ... d_(g-1)); r = 1/d_g.
    static void pop(const Group* state, std::size_t g, const Element& denominator, Element& inverse, Element& r) {
        if (g == 0) {
            r = inverse;
        } else {
            F::multiply(r, inverse, state[g - 1].product);
            F::multiply(inverse, inverse, denominator);
        }
    }
    /// x' = l^2 - x - x_B, y' = l (x - x') - y.
    static void follow_slope(Group& s, const Element& slope, const Element& other_x) {
        Element t;
        Element difference;
        F::square(t, slope);
        F::advance(s.x, other_x, t, difference);
        F::multiply(t, slope, difference);
        F::subtract_from(s.y, t);
    }

    /// l = (3 x^2 + a) / 2y.
    template <class Report>
    static void double_all(Group* state, std::size_t n, Report&& report) {
        for (std::size_t g = 0; g < n; ++g) push(state, g, F::add(state[g].y, state[g].y));
        Element inverse = F::invert(state[n - 1].product);
        for (std::size_t g = n; g-- > 0;) {
            Group& s = state[g];
            Element i;
            Element slope;
            pop(state, g, F::add(s.y, s.y), inverse, i);
            F::square(slope, s.x);
            F::template tangent_numerator<C::kA>(slope);
            F::multiply(slope, slope, i);
            follow_slope(s, slope, s.x);
            report(g, slope);
        }
    }
    /// l = (y - y_B) / (x - x_B).
    template <bool kChecked, class LoadOperand, class Report>
    static void add_all(Group* state, std::size_t n, LoadOperand&& load_operand, Report&& report) {
        for (std::size_t g = 0; g < n; ++g) {
            Group& s = state[g];
            load_operand(s, g);
            s.denominator = F::subtract(s.x, s.tx);
            if constexpr (kChecked) {
                s.patched = F::first_two_zero(s.denominator);
                if (s.patched != 0) [[unlikely]]
                    patch_denominator(s);
            }
            push(state, g, s.denominator);
        }
        Element inverse = F::invert(state[n - 1].product);
        for (std::size_t g = n; g-- > 0;) {
            Group& s = state[g];
            Element i;
            pop(state, g, s.denominator, inverse, i);
            F::multiply(i, F::subtract(s.y, s.ty), i);
            follow_slope(s, i, s.tx);
            if constexpr (kChecked) {
                if (s.patched != 0) [[unlikely]]
                    patch_result(s);
            }
            report(g, i);
        }
    }
    // A rejected lane goes on from H, so that its later denominators vanish no more easily than an honest lane's and it
    // cannot spoil the product that the other groups share.
    static void patch(Element& e, std::uint32_t lanes, const typename C::Field& value) {
        alignas(64) std::uint32_t t[kDegree][kLanes];
        F::store(&t[0][0], e);
        for (std::size_t l = 0; l < kLanes; ++l) {
            if (((lanes >> l) & 1) == 0) continue;
            for (std::size_t k = 0; k < kDegree; ++k) t[k][l] = value[k].montgomery();
        }
        e = F::load(&t[0][0]);
    }
    static void patch_denominator(Group& s) {
        s.rejected |= s.patched;
        patch(s.denominator, s.patched, typename C::Field(KoalaBear(1)));
    }
    static void patch_result(Group& s) {
        patch(s.x, s.patched, C::offset_x());
        patch(s.y, s.patched, C::offset_y());
    }
};

/// 1/a by a^(p + ... + p^(k-1)) / norm(a). [Itoh-Tsujii] The exponent doubles: with T(m) = a^(p + ... + p^m),
/// T(2m) = T(m) T(m)^(p^m) and T(m+1) = T(m)^p T(1).
template <class F, std::size_t kDegree>
struct TowerInverse {
    using Element = typename F::Element;
    template <std::size_t m>
    static Element power(const Element& first) {
        if constexpr (m == 1) {
            return first;
        } else {
            Element r = power<(m % 2 == 0 ? m / 2 : m - 1)>(first);
            if constexpr (m % 2 == 0) {
                F::multiply(r, r, F::frobenius(r, m / 2));
            } else {
                F::multiply(r, F::frobenius(r, 1), first);
            }
            return r;
        }
    }
    static Element invert(const Element& a) {
        const Element conjugates = power<kDegree - 1>(F::frobenius(a, 1));
        Element norm;
        F::multiply(norm, a, conjugates);
        return F::scale(conjugates, base_inverse(norm.c[0]));
    }
    /// a^(p-2), p - 2 = 0b1111110 (24 ones).
    template <class Base>
    static Base base_inverse(const Base& a) {
        auto squares = [](Base x, int n) {
            for (int i = 0; i < n; ++i) x = F::base_multiply(x, x);
            return x;
        };
        const Base t2 = F::base_multiply(squares(a, 1), a);
        const Base t3 = F::base_multiply(squares(t2, 1), a);
        const Base t6 = F::base_multiply(squares(t3, 3), t3);
        const Base t12 = F::base_multiply(squares(t6, 6), t6);
        const Base t24 = F::base_multiply(squares(t12, 12), t12);
        return F::base_multiply(squares(t6, 25), t24);
    }
};
