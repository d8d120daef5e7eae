#pragma once
#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// What is looked at before a node runs, and what to do about it.
namespace quarry::node::doctor {

/// By rising badness. warn: it runs, but worse or not for long; fail: it does not run.
enum class Verdict { ok, warn, fail };
constexpr const char* verdict_name(Verdict verdict) noexcept {
    return verdict == Verdict::ok ? "ok" : verdict == Verdict::warn ? "warn" : "fail";
}

struct Finding {
    Verdict verdict = Verdict::ok;
    std::string text;    ///< half a sentence: what is there
    std::string advice;  ///< what to do; empty if nothing
};
inline Finding ok(std::string text) { return {Verdict::ok, std::move(text), {}}; }
inline Finding warn(std::string text, std::string advice) {
    return {Verdict::warn, std::move(text), std::move(advice)};
}
inline Finding fail(std::string text, std::string advice) {
    return {Verdict::fail, std::move(text), std::move(advice)};
}

struct Check {
    std::string name;
    std::function<Finding()> run;
};
struct Diagnosis {
    std::string name;
    Finding finding;
};

/// One after another.
inline std::vector<Diagnosis> run_checks(std::span<const Check> checks) {
    std::vector<Diagnosis> r;
    for (const Check& check : checks) r.push_back({check.name, check.run()});
    return r;
}
/// The worst verdict; ok of none.
inline Verdict worst(std::span<const Diagnosis> diagnoses) {
    Verdict r = Verdict::ok;
    for (const Diagnosis& diagnosis : diagnoses) r = std::max(r, diagnosis.finding.verdict);
    return r;
}

}  // namespace quarry::node::doctor
