#include "quarry/apps/output.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace quarry::apps {
namespace {

namespace json = boost::json;

std::string json_number(double x) {
    if (!std::isfinite(x)) return "null";
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), x).ptr;
    return {text.data(), end};
}

bool is_flat(const json::array& a) {
    for (const json::value& x : a) {
        if (x.is_structured()) return false;
    }
    return true;
}

void append(std::string& out, const json::value& v, std::size_t depth);

/// open, items separated by commas, close; one item a line unless `flat`.
template <class Items, class AppendItem>
void append_items(std::string& out, const Items& items, char open, char close, bool flat, std::size_t depth,
                  AppendItem&& append_item) {
    const std::string line = flat ? "" : "\n" + std::string(2 * (depth + 1), ' ');
    out += open;
    bool first = true;
    for (const auto& item : items) {
        if (!first) out += flat ? ", " : ",";
        first = false;
        out += line;
        append_item(item);
    }
    if (!flat && !first) out += "\n" + std::string(2 * depth, ' ');
    out += close;
}

void append(std::string& out, const json::value& v, std::size_t depth) {
    if (const auto* object = v.if_object()) {
        append_items(out, *object, '{', '}', false, depth, [&](const json::key_value_pair& member) {
            out += json::serialize(json::string(member.key())) + ": ";
            append(out, member.value(), depth + 1);
        });
    } else if (const auto* array = v.if_array()) {
        append_items(out, *array, '[', ']', is_flat(*array), depth,
                     [&](const json::value& x) { append(out, x, depth + 1); });
    } else if (const double* x = v.if_double()) {
        out += json_number(*x);  // Boost would write 1.5E5
    } else {
        out += json::serialize(v);
    }
}

[[noreturn]] void fail_stdout() {
    throw Failure(exit_environment, "cannot_write", "the output could not be written to stdout",
                  "free some disk space or redirect it elsewhere");
}

const char* remedy(Errc code) {
    switch (code) {
        case Errc::bad_magic:
            return "give a proof file, as `quarry prove` writes it";
        case Errc::unsupported_version:
            return "use the release of quarry that wrote it";
        case Errc::truncated:
        case Errc::trailing_bytes:
        case Errc::non_canonical:
        case Errc::bad_length:
        case Errc::limit_exceeded:
            return "the file is damaged: copy it again from its source";
        case Errc::wrong_key:
            return "ask its prover for a proof of this kind and security level";
        default:
            return "do not rely on it: copy it again from its source, or ask another prover";
    }
}

}  // namespace

Failure refusal(ExitCode code, const std::string& what, const Error& error) {
    return {code, errc_name(error.code), fmt::format("{}: {}: {}", what, errc_name(error.code), errc_text(error.code)),
            remedy(error.code), error.where};
}

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail_stdout();
}

void print_json(const json::value& document) {
    std::string text;
    append(text, document, 0);
    print(text + "\n");
}

void flush_stdout() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) fail_stdout();
}

void report(const Failure& failure, bool json) noexcept {
    try {
        const std::string where = failure.where().empty() ? "" : fmt::format(" (at {})", failure.where());
        std::string line = fmt::format("quarry: {}{}; {}", failure.cause(), where, failure.remedy());
        for (char& c : line) {
            if (c == '\n' || c == '\r') c = ' ';
        }
        line += '\n';
        (void)std::fwrite(line.data(), 1, line.size(), stderr);
        if (!json) return;
        json::object error{{"name", failure.name()},
                           {"exit_code", static_cast<int>(failure.code())},
                           {"message", failure.cause()},
                           {"where", failure.where()},
                           {"remedy", failure.remedy()}};
        print_json(json::object{{"ok", false}, {"error", std::move(error)}});
        (void)std::fflush(stdout);
    } catch (const std::exception&) {  // stdout is what failed, or memory: stderr has what could be said
        return;
    }
}

double rounded(double x, int decimals) {
    const double scale = std::pow(10, decimals);
    return std::round(x * scale) / scale;
}

std::uint64_t whole(double x) { return static_cast<std::uint64_t>(std::llround(x)); }

std::string with_commas(std::uint64_t x) {
    std::string digits = std::to_string(x);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

std::string human_bytes(std::uint64_t n) {
    const auto x = static_cast<double>(n);
    if (n < 1024) return fmt::format("{} bytes", n);
    if (n < 1024 * 1024) return fmt::format("{:.1f} KiB", x / 1024);
    if (n < 1024 * 1024 * 1024) return fmt::format("{:.1f} MiB", x / (1024 * 1024));
    return fmt::format("{:.2f} GiB", x / (1024 * 1024 * 1024));
}

std::string human_seconds(double seconds) {
    if (seconds < 0.1) return fmt::format("{:.2f} ms", seconds * 1e3);
    if (seconds < 100) return fmt::format("{:.2f} s", seconds);
    const auto whole = static_cast<std::uint64_t>(seconds);
    return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace quarry::apps
