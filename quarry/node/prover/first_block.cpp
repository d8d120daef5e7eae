#include "quarry/node/prover/first_block.hpp"

#include <charconv>

#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/connection.hpp"

namespace quarry::node::prover {

using ethereum::Answer;

Answer<std::uint64_t> first_block_where(std::uint64_t head, const std::function<Answer<bool>(std::uint64_t)>& exists) {
    std::uint64_t first = 0;  // not before here, and not after `head`
    while (first < head) {
        const std::uint64_t middle = first + (head - first) / 2;
        const auto there = exists(middle);
        if (!there) return there.error();
        (there.value() ? head : first) = there.value() ? middle : middle + 1;
    }
    return first;
}

namespace {

constexpr std::size_t kMaxFileBytes = 32;

std::optional<std::uint64_t> read_number(const std::string& path) {
    const auto bytes = read_whole_file(path, kMaxFileBytes);
    if (!bytes) return std::nullopt;
    const std::string_view text = as_text(bytes.value());
    std::uint64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr == text.data() + text.size() || *end.ptr != '\n') return std::nullopt;
    return number;
}

}  // namespace

Outcome<std::uint64_t> find_creation(ethereum::Chain& chain, const ethereum::Address& contract,
                                     const std::string& path) {
    if (const auto known = read_number(path)) return *known;
    const auto head = chain.block_number();
    if (!head) return l1::chain_problem(head.error());
    const auto has_code = [&](std::uint64_t block) -> Answer<bool> {
        const auto code = chain.code(contract, block);
        if (!code) return code.error();
        return !code.value().empty();
    };
    const auto now = has_code(head.value());
    if (!now) return l1::chain_problem(now.error());
    if (!now.value()) {
        return Problem{Problem::Kind::bad_input, "no_hub", "there is no contract at the hub's address",
                       "check --hub and the chain of --l1"};
    }
    const auto found = first_block_where(head.value(), has_code);
    const auto is_passing = [](ethereum::EthereumCode code) {
        return is_transient(code) || code == ethereum::EthereumCode::stopped;
    };
    if (!found && is_passing(found.error().code)) return l1::chain_problem(found.error());
    const std::uint64_t first = found ? found.value() : 0;
    QUARRY_PASS_ON(replace_file(path, as_bytes(std::to_string(first) + "\n")));
    return first;
}

}  // namespace quarry::node::prover
