#include "quarry/field/isa.hpp"

#include <cstdlib>

#include "quarry/base/check.hpp"
#include "quarry/field/kernels/targets.hpp"
// After targets.hpp, which chooses what Highway compiles for.
#include "hwy/highway.h"
#include "hwy/targets.h"

namespace quarry {
namespace {

constexpr std::int64_t kAvx512Targets = HWY_AVX3;
constexpr std::int64_t kAvx2Targets = HWY_AVX2;

std::int64_t targets_of(Isa isa) {
    switch (isa) {
        case Isa::avx512:
            return kAvx512Targets;
        case Isa::avx2:
            return kAvx2Targets;
        case Isa::scalar:
            return HWY_STATIC_TARGET;
    }
    return 0;
}

std::int64_t machine_targets() {
    static const std::int64_t targets = hwy::SupportedTargets();
    return targets;
}

Isa& chosen() {
    static Isa isa = [] {
        Isa best = supported_isas().back();
        if (const char* name = std::getenv("QUARRY_ISA")) {  // NOLINT(concurrency-mt-unsafe)
            // A name that means nothing here is the program's to report; kernels must work before main.
            for (const Isa i : supported_isas()) {
                if (parse_isa(name) == i) best = i;
            }
        }
        return best;
    }();
    return isa;
}

// The environment's choice holds from the start, before any kernel runs.
const bool kApplied = [] {
    force_isa(chosen());
    return true;
}();

}  // namespace

std::optional<Isa> parse_isa(std::string_view name) noexcept {
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
        if (name == isa_name(isa)) return isa;
    }
    return std::nullopt;
}

std::vector<Isa> supported_isas() {
    std::vector<Isa> r{Isa::scalar};
    if ((machine_targets() & kAvx2Targets) != 0) r.push_back(Isa::avx2);
    if ((machine_targets() & kAvx512Targets) != 0) r.push_back(Isa::avx512);
    return r;
}

Isa current_isa() { return chosen(); }

void force_isa(Isa isa) {
    (void)machine_targets();
    (void)kApplied;
    hwy::SetSupportedTargetsForTest(targets_of(isa) | HWY_STATIC_TARGET);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    chosen() = isa;
}

bool has_ifma() {
    static const bool ifma = __builtin_cpu_supports("avx512ifma") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    return ifma && current_isa() == Isa::avx512;
}

}  // namespace quarry
