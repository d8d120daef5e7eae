#include "quarry/node/l1/deployment.hpp"

#include <algorithm>

#include "quarry/node/file_io.hpp"
#include "quarry/node/flat_json.hpp"
#include "quarry/rollup/state_tree.hpp"

namespace quarry::node::l1 {
namespace {

constexpr std::size_t kMaxDeploymentBytes = std::size_t{1} << 20;

/// Addresses side by side, in one string of digits.
Bytes joined(const std::vector<Address>& list) {
    Bytes out;
    for (const Address& x : list) out.insert(out.end(), x.bytes.begin(), x.bytes.end());
    return out;
}

bool split(std::string_view text, std::vector<Address>& out) {
    const auto bytes = ethereum::from_hex(text, kMaxDeploymentBytes);
    if (!bytes || bytes.value().size() % 20 != 0) return false;
    for (std::size_t at = 0; at < bytes.value().size(); at += 20) {
        Address& x = out.emplace_back();
        std::copy_n(bytes.value().begin() + static_cast<std::ptrdiff_t>(at), 20, x.bytes.begin());
    }
    return true;
}

}  // namespace

rollup::RollupParameters Deployment::rollup_parameters() const {
    return {chain_id, to_rollup(hub), rollup, rollup::empty_digest(rollup::kTreeDepth), min_new_pair_fee};
}

std::string format_deployment(const Deployment& d) {
    ObjectWriter w("\n  ");
    w.text("kind", "deployment").integer("version", 1).integer("l1_chain_id", d.chain_id);
    w.hex("hub", d.hub.bytes).hex("bridge", d.bridge.bytes).integer("first_block", d.first_block);
    w.hex("proofs", d.proofs.bytes);
    w.integer("verifiers_version", d.verifiers.version).hex("verifier_one", d.verifiers.one.bytes);
    w.hex("verifier_four", d.verifiers.four.bytes).hex("verifier_sixteen", d.verifiers.sixteen.bytes);
    w.integer("rollup_id", d.rollup).hex("owner", d.owner.bytes);
    w.hex("sequencers", joined(d.sequencers)).hex("tokens", joined(d.tokens));
    w.amount("min_new_pair_fee", d.min_new_pair_fee);
    return std::move(w).finish() + "\n";
}

Outcome<Deployment> parse_deployment(std::string_view text) {
    ObjectReader in(text, kMaxDeploymentBytes);
    const auto address = [&](std::string_view name) { return Address{in.address(name).bytes}; };
    if (in.text("kind") != "deployment") in.refuse(JsonCode::unknown_type, "kind");
    if (in.integer<std::uint32_t>("version") != 1) in.refuse(JsonCode::unknown_type, "version");
    Deployment d;
    d.chain_id = in.integer<std::uint64_t>("l1_chain_id");
    d.hub = address("hub");
    d.bridge = address("bridge");
    d.first_block = in.integer<std::uint64_t>("first_block");
    d.proofs = address("proofs");
    d.verifiers.version = in.integer<std::uint16_t>("verifiers_version");
    d.verifiers.one = address("verifier_one");
    d.verifiers.four = address("verifier_four");
    d.verifiers.sixteen = address("verifier_sixteen");
    d.rollup = in.integer<std::uint32_t>("rollup_id");
    d.owner = address("owner");
    if (!split(in.text("sequencers"), d.sequencers)) in.refuse(JsonCode::bad_hex, "sequencers");
    if (!split(in.text("tokens"), d.tokens)) in.refuse(JsonCode::bad_hex, "tokens");
    d.min_new_pair_fee = in.amount("min_new_pair_fee");
    if (const auto error = in.finish()) {
        return Problem{Problem::Kind::bad_input, "bad_deployment",
                       std::string(json_code_text(error->code)) + (error->field.empty() ? "" : ": " + error->field),
                       "give the file that `quarry l1 deploy` wrote"};
    }
    return d;
}

Outcome<Deployment> read_deployment(const std::string& path) {
    const auto file = read_whole_file(path, kMaxDeploymentBytes);
    if (!file) return file.error();
    return parse_deployment(as_text(file.value()));
}

Parameters production_parameters() {
    Parameters p;
    p.expected_time = 600;
    p.proving_window = 7'200;
    p.replace_window = 3'600;
    p.commit_window = 600;
    p.batch_bond = U256(100'000'000'000'000'000);  // 0.1 ETH
    p.slash_bps = 5'000;
    p.commit_deposit = U256(10'000'000'000'000'000);  // 0.01 ETH
    p.rebate_gas = 1'000'000;
    p.max_effects = 256;
    p.max_pending = 256;
    p.forced_delay = 21'600;
    p.forced_cap = 64;
    p.forced_fee = U256(1'000'000'000'000'000);  // 0.001 ETH
    p.forced_fee_step = U256(10'000'000'000'000);
    return p;
}

Parameters development_parameters() {
    Parameters p = production_parameters();
    p.expected_time = 10;
    p.proving_window = 40;
    p.replace_window = 20;
    p.commit_window = 10;
    p.forced_delay = 30;
    return p;
}

}  // namespace quarry::node::l1
