#include <algorithm>

#include "quarry/ethereum/http.hpp"

namespace quarry::ethereum {

Answer<Url> parse_url(std::string_view text) {
    constexpr std::size_t kMaxUrl = 2'048;
    // The text may hold a password or a key: it is not repeated.
    const EthereumError refusal{EthereumCode::bad_url, "", {}};
    const std::size_t scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || text.size() > kMaxUrl) return refusal;
    if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) return refusal;
    Url r;
    r.scheme = text.substr(0, scheme_end);
    if (r.scheme == "http") {
        r.port = "80";
    } else if (r.scheme == "https") {
        r.port = "443";
    } else {
        return refusal;
    }
    std::string_view rest = text.substr(scheme_end + 3);
    const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
    r.target = rest.substr(authority_end);
    if (!r.target.starts_with('/')) r.target.insert(0, "/");
    rest = rest.substr(0, authority_end);
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        r.user_info = rest.substr(0, at);
        rest = rest.substr(at + 1);
    }
    const bool is_v6 = rest.starts_with('[');
    const std::size_t host_end = is_v6 ? rest.find(']') : std::min(rest.find(':'), rest.size());
    if (host_end == std::string_view::npos) return refusal;
    r.host = is_v6 ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
    rest = rest.substr(host_end + (is_v6 ? 1 : 0));
    if (!rest.empty()) {
        r.port = rest.substr(1);
        const bool is_number = std::all_of(r.port.begin(), r.port.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (rest[0] != ':' || r.port.empty() || r.port.size() > 5 || !is_number) return refusal;
    }
    if (r.host.empty()) return refusal;
    return r;
}

}  // namespace quarry::ethereum
