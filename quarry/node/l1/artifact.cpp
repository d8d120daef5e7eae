#include "quarry/node/l1/artifact.hpp"

#include <boost/json.hpp>

#include "quarry/node/file_io.hpp"

namespace quarry::node::l1 {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxArtifactBytes = std::size_t{16} << 20;

Problem bad_artifact(const std::string& cause) {
    return {Problem::Kind::bad_input, "bad_artifact", cause, "compile the contracts: tools/contracts"};
}

Outcome<json::value> parse_json(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) return bad_artifact("the file is not the JSON of a contract");
    return value;
}

std::string text_of(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string types_of(const json::object& object, const char* name, bool with_indexed);

/// "uint64", or "(uint96,bytes)[]" of a struct, which the compiler calls "tuple[]".
std::string type_of(const json::object& field) {
    const std::string type = text_of(field, "type");
    if (type.rfind("tuple", 0) != 0) return type;
    return types_of(field, "components", false) + type.substr(5);
}

std::string types_of(const json::object& object, const char* name, bool with_indexed) {
    std::string out = "(";
    const json::value* list = object.if_contains(name);
    if (list != nullptr && list->is_array()) {
        for (const json::value& field : list->as_array()) {
            if (!field.is_object()) continue;
            if (out.size() > 1) out += ",";
            out += type_of(field.as_object());
            const json::value* indexed = field.as_object().if_contains("indexed");
            if (with_indexed && indexed != nullptr && indexed->is_bool() && indexed->as_bool()) out += " indexed";
        }
    }
    return out + ")";
}

}  // namespace

Outcome<Bytes> parse_artifact(std::string_view text) {
    const auto document = parse_json(text);
    if (!document) return document.error();
    const json::value* bytecode = document.value().as_object().if_contains("bytecode");
    if (bytecode == nullptr || !bytecode->is_object()) return bad_artifact("the file has no bytecode");
    auto code = ethereum::from_hex(text_of(bytecode->as_object(), "object"), kMaxArtifactBytes);
    if (!code || code.value().empty()) {
        return bad_artifact("the bytecode is not hexadecimal: an interface, or code that is to be linked");
    }
    return std::move(code).value();
}

Outcome<Bytes> read_artifact(const std::string& path) {
    const auto file = read_whole_file(path, kMaxArtifactBytes);
    if (!file) return file.error();
    auto code = parse_artifact(as_text(file.value()));
    if (code) return code;
    Problem problem = code.error();
    problem.cause = path + ": " + problem.cause;
    return problem;
}

Outcome<std::vector<Bytes>> read_code_list(const std::string& path) {
    const auto file = read_whole_file(path, kMaxArtifactBytes);
    if (!file) return file.error();
    const auto document = parse_json(as_text(file.value()));
    if (!document) return document.error();
    const json::value* list = document.value().as_object().if_contains("code");
    if (list == nullptr || !list->is_array()) return bad_artifact(path + " has no list of code");
    std::vector<Bytes> codes;
    for (const json::value& entry : list->as_array()) {
        auto code = ethereum::from_hex(entry.is_string() ? std::string_view(entry.as_string()) : "", kMaxArtifactBytes);
        if (!code || code.value().empty()) return bad_artifact(path + " has code that is not hexadecimal");
        codes.push_back(std::move(code).value());
    }
    return codes;
}

Outcome<Interface> read_interface(const std::string& path) {
    const auto file = read_whole_file(path, kMaxArtifactBytes);
    if (!file) return file.error();
    const auto document = parse_json(as_text(file.value()));
    if (!document) return document.error();
    const json::value* abi = document.value().as_object().if_contains("abi");
    if (abi == nullptr || !abi->is_array()) return bad_artifact(path + " has no interface");
    Interface out;
    for (const json::value& entry : abi->as_array()) {
        if (!entry.is_object()) continue;
        const json::object& x = entry.as_object();
        const std::string kind = text_of(x, "type");
        const std::string signature = text_of(x, "name") + types_of(x, "inputs", kind == "event");
        if (kind == "event") out.events.push_back(signature);
        if (kind == "error") out.errors.push_back(signature);
        if (kind != "function") continue;
        out.functions.push_back(signature);
        out.results.push_back(types_of(x, "outputs", false));
    }
    return out;
}

}  // namespace quarry::node::l1
