#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "quarry/apps/commands.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/recursion/catalog.hpp"
#include "quarry/recursion/terminal.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;
using recursion::CircuitKeys;
using recursion::NodeSize;
using recursion::TableKind;

constexpr std::array kSizes{NodeSize::narrow, NodeSize::wide};

struct KeysOptions {
    bool check = false;
};

const char* says(const recursion::KeyEntry& entry) {
    return entry.kind == rollup::StatementKind::join ? "join" : "bundle";
}
const recursion::NodeForm& form_of(const CircuitKeys& keys, NodeSize size) {
    return keys.nodes[static_cast<std::size_t>(size)];
}
Digest table_of(const CircuitKeys& keys) { return recursion::KeyTable(keys.entries).digest(); }

std::string heights_text(const std::vector<unsigned>& heights) {
    std::string text;
    for (const unsigned h : heights) text += fmt::format("{}2^{}", text.empty() ? "" : " + ", h);
    return text;
}

/// What pinned_keys.json is: cmake/PinnedKeys.cmake reads it.
json::object to_json(const CircuitKeys& keys) {
    json::object nodes;
    for (const NodeSize size : kSizes) {
        const recursion::NodeForm& form = form_of(keys, size);
        json::object heights;
        for (std::size_t k = 0; k < recursion::kTableKinds; ++k) {
            heights[table_kind_name(static_cast<TableKind>(k))] =
                json::array(form.heights[k].begin(), form.heights[k].end());
        }
        nodes[node_size_name(size)] =
            json::object{{"circuit", node::to_hex(form.circuit)}, {"heights", std::move(heights)}};
    }
    json::array entries;
    for (const recursion::KeyEntry& e : keys.entries) {
        entries.push_back(json::object{{"name", e.name},
                                       {"says", says(e)},
                                       {"size", node_size_name(e.size)},
                                       {"root", node::to_hex(e.preprocessed_root)}});
    }
    json::array last;
    for (const recursion::LastKey& k : keys.last) {
        last.push_back(
            json::object{{"name", k.name}, {"circuit", node::to_hex(k.circuit)}, {"root", node::to_hex(k.root)}});
    }
    return json::object{{"security_bits", keys.security_bits},
                        {"circuits", json::object{{"segment", node::to_hex(keys.segment_circuit)},
                                                  {"data", node::to_hex(keys.data_circuit)}}},
                        {"nodes", std::move(nodes)},
                        {"key_table", node::to_hex(table_of(keys))},
                        {"keys", std::move(entries)},
                        {"last", std::move(last)}};
}

void print_text(const CircuitKeys& keys) {
    print(fmt::format("circuits at {} bits\n", keys.security_bits));
    print(fmt::format("  segment     {}\n  data        {}\n", node::to_hex(keys.segment_circuit),
                      node::to_hex(keys.data_circuit)));
    for (const NodeSize size : kSizes) {
        print(fmt::format("  {:<11} {}\n", fmt::format("{} node", node_size_name(size)),
                          node::to_hex(form_of(keys, size).circuit)));
    }
    for (const NodeSize size : kSizes) {
        print(fmt::format("\nrows of a {} node\n", node_size_name(size)));
        for (std::size_t k = 0; k < recursion::kTableKinds; ++k) {
            print(fmt::format("  {:<15} {}\n", table_kind_name(static_cast<TableKind>(k)),
                              heights_text(form_of(keys, size).heights[k])));
        }
    }
    print(fmt::format("\nkey table {}\n", node::to_hex(table_of(keys))));
    for (std::size_t i = 0; i < keys.entries.size(); ++i) {
        const recursion::KeyEntry& e = keys.entries[i];
        print(fmt::format("  {:>2}  {:<23} {:<7} {:<7} {}\n", i, e.name, says(e), node_size_name(e.size),
                          node::to_hex(e.preprocessed_root)));
    }
    print("\nabove the nodes: circuit and key\n");
    for (const recursion::LastKey& k : keys.last) {
        print(fmt::format("  {:<15} {}  {}\n", k.name, node::to_hex(k.circuit), node::to_hex(k.root)));
    }
}

/// What differs, in words.
std::vector<std::string> differences(const CircuitKeys& computed, const CircuitKeys& pinned) {
    std::vector<std::string> r;
    const auto compare = [&](const std::string& what, const std::string& now, const std::string& then) {
        if (now != then) r.push_back(fmt::format("{} is {}, pinned {}", what, now, then));
    };
    compare("the security level", std::to_string(computed.security_bits), std::to_string(pinned.security_bits));
    compare("circuit segment", node::to_hex(computed.segment_circuit), node::to_hex(pinned.segment_circuit));
    compare("circuit data", node::to_hex(computed.data_circuit), node::to_hex(pinned.data_circuit));
    for (const NodeSize size : kSizes) {
        const recursion::NodeForm& now = form_of(computed, size);
        const recursion::NodeForm& then = form_of(pinned, size);
        compare(fmt::format("circuit of a {} node", node_size_name(size)), node::to_hex(now.circuit),
                node::to_hex(then.circuit));
        for (std::size_t k = 0; k < recursion::kTableKinds; ++k) {
            compare(
                fmt::format("table {} of a {} node", table_kind_name(static_cast<TableKind>(k)), node_size_name(size)),
                heights_text(now.heights[k]), heights_text(then.heights[k]));
        }
    }
    for (std::size_t i = 0; i < std::max(computed.entries.size(), pinned.entries.size()); ++i) {
        const auto text = [&](const CircuitKeys& keys) {
            if (i >= keys.entries.size()) return std::string("none");
            const recursion::KeyEntry& e = keys.entries[i];
            return fmt::format("{} ({}, {}) {}", e.name, says(e), node_size_name(e.size),
                               node::to_hex(e.preprocessed_root));
        };
        compare(fmt::format("key {}", i), text(computed), text(pinned));
    }
    for (std::size_t i = 0; i < std::max(computed.last.size(), pinned.last.size()); ++i) {
        const auto text = [&](const CircuitKeys& keys) {
            if (i >= keys.last.size()) return std::string("none");
            const recursion::LastKey& k = keys.last[i];
            return fmt::format("{} {} {}", k.name, node::to_hex(k.circuit), node::to_hex(k.root));
        };
        compare("above the nodes", text(computed), text(pinned));
    }
    return r;
}

void run(const KeysOptions& options, const Session& session) {
    Progress progress(session.quiet);
    progress.show("every circuit and its key", 0);
    const recursion::Catalog catalog;
    CircuitKeys computed = recursion::describe(catalog);
    progress.show("the keys of the wrap and of the terminals", 0.3);
    computed.last = recursion::last_keys(catalog);
    progress.clear();
    if (!options.check) {
        if (session.json) {
            print_json(to_json(computed));
        } else {
            print_text(computed);
        }
        return;
    }
    const auto found = differences(computed, recursion::pinned_keys());
    if (!found.empty()) {
        std::string list;
        for (const std::string& line : found) list += (list.empty() ? "" : ", ") + line;
        throw Failure(exit_refused, "keys_differ", fmt::format("{} of the pinned keys differ: {}", found.size(), list),
                      "if a circuit was meant to change, pin the keys again with `quarry keys --json > "
                      "quarry/recursion/pinned_keys.json`, and build");
    }
    if (session.json) {
        print_json(json::object{{"ok", true},
                                {"keys", computed.entries.size() + computed.last.size()},
                                {"key_table", node::to_hex(table_of(computed))}});
        return;
    }
    print(fmt::format("all {} keys and 4 circuits are those that were pinned, key table {}\n",
                      computed.entries.size() + computed.last.size(), node::to_hex(table_of(computed))));
}

}  // namespace

void add_keys_command(CLI::App& app, Session& session) {
    const auto options = std::make_shared<KeysOptions>();
    CLI::App* command = add_command(app, session, "keys", "Compute the digest of every circuit and every key",
                                    "quarry keys --check", [options, &session] { run(*options, session); });
    command->add_flag("--check", options->check,
                      "compare them with those that are pinned in the repository; exit 1 if one differs");
}

}  // namespace quarry::apps
