#pragma once
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "quarry/node/flat_json.hpp"
#include "quarry/proof/proof.hpp"
#include "quarry/proof/work_tree.hpp"

/// Reading a task's parameters, which may be anyone's.
namespace quarry::node {

/// No value: no such parameter, or no number of this type.
template <class T>
std::optional<T> number(const Task& task, const std::string& name) {
    const auto it = task.parameters.find(name);
    if (it == task.parameters.end()) return std::nullopt;
    T value{};
    const char* end = it->second.data() + it->second.size();
    const auto parsed = std::from_chars(it->second.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

/// Empty: no such parameter.
inline std::string text_of(const Task& task, const std::string& name) {
    const auto it = task.parameters.find(name);
    return it == task.parameters.end() ? "" : it->second;
}

/// Who is to be paid, and at which level it is to be proven. No value: not all of that is there.
struct ProverParameters {
    rollup::L1Address payee;
    std::uint64_t miner_tag = 0;
    unsigned security_bits = 0;
};
inline std::optional<ProverParameters> prover_of(const Task& task) {
    const std::string text = "{\"payee\":\"" + text_of(task, "payee") + "\"}";
    ObjectReader r(text, text.size());
    const rollup::L1Address payee = r.address("payee");
    const auto tag = number<std::uint64_t>(task, "miner_tag");
    const auto bits = number<unsigned>(task, "security_bits");
    if (r.finish() || payee.is_zero() || !tag || !bits) return std::nullopt;
    if (std::find(kSecurityLevels.begin(), kSecurityLevels.end(), *bits) == kSecurityLevels.end()) return std::nullopt;
    return ProverParameters{payee, *tag, *bits};
}

}  // namespace quarry::node
