#include "quarry/curve/measure.hpp"

#include <oneapi/tbb/task_arena.h>

#include <chrono>
#include <memory>
#include <random>

#include "quarry/base/check.hpp"
#include "quarry/curve/kernels/schedule.hpp"
#include "quarry/curve/schnorr.hpp"

namespace quarry {
namespace {
using Clock = std::chrono::steady_clock;

/// Seconds per call of f, over about `seconds`.
template <class F>
double seconds_per_call(double seconds, F&& f) {
    std::size_t calls = 0;
    const auto start = Clock::now();
    double elapsed = 0;
    do {
        f();
        ++calls;
        elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < seconds);
    return elapsed / static_cast<double>(calls);
}
}  // namespace

SignatureSpeed measure_signatures(double seconds) {
    using C = KB11;
    SignatureSpeed r;
    const auto start = Clock::now();
    {
        const auto table = std::make_unique<CombTable<C>>();
    }
    r.comb_table_ms = 1e3 * std::chrono::duration<double>(Clock::now() - start).count();

    std::mt19937_64 rng(1);
    constexpr std::size_t kDistinct = 64;
    std::vector<SignatureCheck<C>> checks;
    std::array<std::uint8_t, 64> wide;
    Digest message;
    for (std::size_t i = 0; i < 4 * kScheduleGroups * kLanes; ++i) {
        if (i >= kDistinct) {
            checks.push_back(checks[i % kDistinct]);
            continue;
        }
        for (auto& b : wide) b = static_cast<std::uint8_t>(rng());
        for (auto& x : message) x = KoalaBear(rng());
        const auto key = SecretKey<C>::from_wide(wide);
        checks.push_back({key.public_key(), message, key.sign(message, {})});
    }
    tbb::task_arena one(1);
    one.execute([&] {
        const auto key = SecretKey<C>::from_wide(wide);
        bool all = true;
        r.batch_per_second = static_cast<double>(checks.size()) / seconds_per_call(seconds, [&] {
                                 for (const bool ok : verify_batch<C>(checks)) all = all && ok;
                             });
        r.verify_us = 1e6 * seconds_per_call(seconds, [&] {
                          all = all && verify(checks[0].key, checks[0].message, checks[0].signature).ok();
                      });
        r.sign_us =
            1e6 * seconds_per_call(seconds, [&] { all = all && key.sign(message, {}).s != checks[0].signature.s; });
        r.key_us = 1e6 * seconds_per_call(seconds, [&] {
                       all = all && SecretKey<C>::from_wide(wide).public_key() == key.public_key();
                   });
        QUARRY_CHECK(all);
    });
    return r;
}

}  // namespace quarry
