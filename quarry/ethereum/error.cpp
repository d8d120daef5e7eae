#include "quarry/ethereum/error.hpp"

namespace quarry::ethereum {

const char* ethereum_code_name(EthereumCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case EthereumCode::name: \
        return #name;
        QUARRY_ETHEREUM_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown";
}

std::optional<EthereumCode> find_ethereum_code(std::string_view name) noexcept {
#define QUARRY_X(code, text) \
    if (name == #code) return EthereumCode::code;
    QUARRY_ETHEREUM_CODES(QUARRY_X)
#undef QUARRY_X
    return std::nullopt;
}

const char* ethereum_code_text(EthereumCode code) noexcept {
    switch (code) {
#define QUARRY_X(name, text) \
    case EthereumCode::name: \
        return text;
        QUARRY_ETHEREUM_CODES(QUARRY_X)
#undef QUARRY_X
    }
    return "unknown error";
}

bool is_transient(EthereumCode code) noexcept {
    switch (code) {
        case EthereumCode::resolve_failed:
        case EthereumCode::connect_failed:
        case EthereumCode::tls_failed:
        case EthereumCode::timed_out:
        case EthereumCode::connection_lost:
        case EthereumCode::http_status:
        case EthereumCode::rate_limited:
        case EthereumCode::bad_json:
        case EthereumCode::bad_response:
        case EthereumCode::node_behind:
        case EthereumCode::response_too_large:
            return true;
        default:
            return false;
    }
}

}  // namespace quarry::ethereum
