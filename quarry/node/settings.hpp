#pragma once
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "quarry/node/expected.hpp"

/// What an operator chooses for a process: one table of settings a process, read from a TOML file, the environment and
/// the command line alike.
namespace quarry::node {

/// One setting, bound to the variable that it sets. Its name in the file is SECTION.KEY, in the environment
/// QUARRY_SECTION_KEY.
struct Setting {
    std::string name;
    std::string help;
    std::string expected;                        ///< what `read` takes, for messages
    std::function<bool(std::string_view)> read;  ///< false: the text is no value, and nothing changed
    std::function<std::string()> show;           ///< a text that `read` takes; empty where nothing is set
};

class Settings {
  public:
    /// `page` documents them, for messages. The variables must outlive this.
    Settings(std::vector<Setting> table, std::string page) : table_(std::move(table)), page_(std::move(page)) {}
    [[nodiscard]] std::span<const Setting> all() const& noexcept { return table_; }
    void all() && = delete;  // it would not outlive the statement

    /// Sets one from text. bad_input: unknown_setting, bad_setting. Lists are comma-separated.
    [[nodiscard]] Outcome<Done> set(std::string_view name, std::string_view value) const;
    /// Sets what a TOML text says: tables are sections. bad_input: bad_toml, and as above. `source` is for messages.
    [[nodiscard]] Outcome<Done> apply_toml(std::string_view text, const std::string& source) const;
    /// Sets what the environment says: NAME=VALUE strings, of which only QUARRY_ and a setting's name count.
    [[nodiscard]] Outcome<Done> apply_environment(std::span<const std::string> environment) const;

    /// bad_setting, of a value that turns out to be none only once several settings are seen together.
    [[nodiscard]] Problem bad(std::string_view name, std::string_view value, std::string_view expected) const;
    /// missing_setting.
    [[nodiscard]] Problem missing(std::string_view name) const;

  private:
    [[nodiscard]] std::string remedy() const { return "see " + page_ + " for the settings"; }
    std::vector<Setting> table_;
    std::string page_;
};

/// All of `text` as an integer.
template <class T>
std::optional<T> parse_integer(std::string_view text) {
    T x{};
    const auto end = std::from_chars(text.data(), text.data() + text.size(), x);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return x;
}
/// The items between commas; empty ones are left out.
std::vector<std::string> split_list(std::string_view text);

/// A setting of any type: `parse` gives an optional value, `format` its text.
template <class T, class Parse, class Format>
Setting make_setting(std::string name, T& value, std::string help, std::string expected, Parse parse, Format format) {
    return {std::move(name), std::move(help), std::move(expected),
            [&value, parse = std::move(parse)](std::string_view text) {
                auto x = parse(text);
                if (!x) return false;
                value = *std::move(x);
                return true;
            },
            [&value, format = std::move(format)]() -> std::string { return format(value); }};
}

/// An integer from first to last.
template <class T>
Setting number_setting(std::string name, T& value, std::type_identity_t<T> first, std::type_identity_t<T> last,
                       std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), fmt::format("an integer from {} to {}", first, last),
        [first, last](std::string_view text) {
            const auto x = parse_integer<T>(text);
            return x && *x >= first && *x <= last ? x : std::nullopt;
        },
        [](T x) { return fmt::format("{}", x); });
}
Setting text_setting(std::string name, std::string& value, std::string help);
Setting flag_setting(std::string name, bool& value, std::string help);
Setting list_setting(std::string name, std::vector<std::string>& value, std::string help);
/// debug, info, warning or error.
Setting log_level_setting(std::string name, std::string& value, std::string help);

}  // namespace quarry::node
