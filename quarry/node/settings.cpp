#include "quarry/node/settings.hpp"

#include <algorithm>
#include <array>

#define TOML_SHARED_LIB 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace quarry::node {
namespace {

std::string environment_name(std::string_view name) {
    std::string r = "QUARRY_";
    for (const char c : name) r += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return r;
}

/// The text of a value of a file; no value: a kind that no setting has.
std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* s = node.as_string()) return s->get();
    if (const auto* i = node.as_integer()) return fmt::format("{}", i->get());
    if (const auto* b = node.as_boolean()) return b->get() ? "true" : "false";
    const auto* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::string r;
    for (const toml::node& item : *array) {
        const auto t = item.is_array() ? std::nullopt : text_of(item);
        if (!t) return std::nullopt;
        r += (r.empty() ? "" : ",") + *t;
    }
    return r;
}

}  // namespace

Problem Settings::bad(std::string_view name, std::string_view value, std::string_view expected) const {
    return {Problem::Kind::bad_input, "bad_setting",
            fmt::format("'{}' is not a value of {}: {}", value, name, expected), remedy()};
}

Problem Settings::missing(std::string_view name) const {
    return {Problem::Kind::bad_input, "missing_setting", fmt::format("{} is not set", name), remedy()};
}

Outcome<Done> Settings::set(std::string_view name, std::string_view value) const {
    const auto setting = std::ranges::find(table_, name, &Setting::name);
    if (setting == table_.end()) {
        return Problem{Problem::Kind::bad_input, "unknown_setting", fmt::format("there is no setting '{}'", name),
                       remedy()};
    }
    if (!setting->read(value)) return bad(name, value, setting->expected);
    return Done{};
}

Outcome<Done> Settings::apply_toml(std::string_view text, const std::string& source) const {
    toml::table parsed;
    try {  // what the library throws ends here
        parsed = toml::parse(text, source);
    } catch (const toml::parse_error& error) {
        return Problem{Problem::Kind::bad_input, "bad_toml",
                       fmt::format("{}: line {}: {}", source, error.source().begin.line, error.description()),
                       "correct the file"};
    }
    for (const auto& [section, node] : parsed) {
        const auto* table = node.as_table();
        if (table == nullptr) {
            return Problem{Problem::Kind::bad_input, "unknown_setting",
                           fmt::format("{}: '{}' stands in no section", source, section.str()), remedy()};
        }
        for (const auto& [key, value] : *table) {
            const std::string name = fmt::format("{}.{}", section.str(), key.str());
            const auto as_text = text_of(value);
            if (!as_text) {
                return bad(name, "(a table, a date or a fraction)", "text, an integer, true, false or a list");
            }
            QUARRY_PASS_ON(set(name, *as_text));
        }
    }
    return Done{};
}

Outcome<Done> Settings::apply_environment(std::span<const std::string> environment) const {
    for (const Setting& setting : table_) {
        const std::string prefix = environment_name(setting.name) + "=";
        for (const std::string& variable : environment) {
            if (!variable.starts_with(prefix)) continue;
            QUARRY_PASS_ON(set(setting.name, std::string_view(variable).substr(prefix.size())));
        }
    }
    return Done{};
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> r;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        if (!item.empty()) r.emplace_back(item);
    }
    return r;
}

Setting text_setting(std::string name, std::string& value, std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), "text",
        [](std::string_view text) { return std::optional<std::string>(text); },
        [](const std::string& text) { return text; });
}

Setting flag_setting(std::string name, bool& value, std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), "true or false",
        [](std::string_view text) {
            return text == "true" || text == "false" ? std::optional(text == "true") : std::nullopt;
        },
        [](bool x) { return x ? "true" : "false"; });
}

Setting list_setting(std::string name, std::vector<std::string>& value, std::string help) {
    return make_setting(
        std::move(name), value, std::move(help), "a list",
        [](std::string_view text) { return std::optional(split_list(text)); },
        [](const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, ",")); });
}

Setting log_level_setting(std::string name, std::string& value, std::string help) {
    static constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
    return make_setting(
        std::move(name), value, std::move(help), "debug, info, warning or error",
        [](std::string_view text) {
            return std::ranges::find(kLevels, text) == kLevels.end() ? std::nullopt : std::optional<std::string>(text);
        },
        [](const std::string& text) { return text; });
}

}  // namespace quarry::node
