#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace quarry {

/// The instruction sets that kernels are compiled for. All give the same results, bit for bit.
enum class Isa { scalar, avx2, avx512 };

constexpr const char* isa_name(Isa isa) noexcept {
    return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "scalar";
}
std::optional<Isa> parse_isa(std::string_view name) noexcept;

/// What this machine can run, slowest first.
std::vector<Isa> supported_isas();
/// What the kernels run on now: the best supported one, the environment's QUARRY_ISA, or the last force_isa.
Isa current_isa();
/// Runs every kernel on `isa` from now on. Precondition: supported. Not to be called while kernels run.
void force_isa(Isa isa);
/// True when the raw AVX-512 IFMA kernels may run: current_isa() is avx512 and the CPU has IFMA.
bool has_ifma();

}  // namespace quarry
