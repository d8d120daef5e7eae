#include "quarry/node/prover/pricing.hpp"

#include <algorithm>
#include <map>

#include "quarry/proof/evm_cost.hpp"
#include "quarry/rollup/data_statement.hpp"

namespace quarry::node::prover {
namespace {

constexpr std::size_t kWord = 32;  ///< of the contract interface

constexpr std::size_t padded(std::size_t bytes) { return (bytes + kWord - 1) / kWord * kWord; }

// An argument that is no value of one word is an offset in the head, and a length and whole words behind it.
constexpr std::size_t dynamic(std::size_t bytes) { return kWord + padded(bytes); }

/// IHub.Item: nine words of head, both headers, openings of six words, effects.
std::size_t item_bytes(const Candidate& c) {
    return kWord + 9 * kWord + 2 * dynamic(rollup::kHeaderBytes) + kWord + c.openings * 6 * kWord +
           dynamic(c.effect_words * rollup::kWordBytes);
}

std::size_t profile_of(std::size_t batches) { return batches <= 1 ? 0 : batches <= 4 ? 1 : 2; }

std::uint64_t item_gas(const Candidate& c, const GasModel& model) {
    return model.item_gas + (c.blobs ? c.openings * model.blob_gas : 0) + c.effects * model.effect_gas +
           c.effect_words * model.effect_word_gas;
}

constexpr std::uint64_t kNodeUnits = 2000;
constexpr std::uint64_t kTerminalUnits = 20'000;
/// A segment that fills its tables: what more of them add to is nodes.
constexpr std::uint64_t kSegmentWords = 6144;

std::uint64_t batch_units(const Candidate& c) {
    const auto units = [](std::size_t words) { return rollup::data_units(static_cast<std::uint32_t>(words)); };
    const std::uint64_t leaves = std::max<std::uint64_t>(c.openings + (c.effects > 0 ? 1 : 0), c.words / kSegmentWords);
    // A batch of n parts has n nodes over leaves and n - 1 over these; one more takes it into the bundle.
    return c.words + units(c.words) + units(c.effect_words) + 2 * leaves * kNodeUnits;
}

}  // namespace

const char* batch_phase_name(BatchPhase phase) noexcept {
    switch (phase) {
        case BatchPhase::pending:
            return "pending";
        case BatchPhase::proven:
            return "proven";
        case BatchPhase::finalised:
            return "finalised";
    }
    return "unknown";
}

const char* submission_phase_name(SubmissionPhase phase) noexcept {
    switch (phase) {
        case SubmissionPhase::unknown:
            break;
        case SubmissionPhase::sending:
            return "sending";
        case SubmissionPhase::accepted:
            return "accepted";
        case SubmissionPhase::refused:
            return "refused";
        case SubmissionPhase::cancelled:
            return "cancelled";
    }
    return "unknown";
}

Wei bounty_at(const BatchOnL1& batch, rollup::Timestamp at) noexcept {
    if (at <= batch.expected_at && at < batch.deadline) return batch.base + batch.raised;
    if (at >= batch.deadline) return batch.max + batch.raised + batch.awarded;
    const Wei grown = (batch.max - batch.base) * (at - batch.expected_at) / (batch.deadline - batch.expected_at);
    return batch.base + grown + batch.raised;
}

Wei rebate_at(const BatchOnL1& batch, Wei base_fee) noexcept {
    return std::min(batch.rebate_cap, batch.rebate_gas * base_fee);
}

Candidate make_candidate(const BatchOnL1& batch, std::size_t effect_words, const L1Head& head) {
    Candidate c;
    c.rollup = batch.header.rollup_id;
    c.number = batch.header.number;
    c.key = batch.key;
    c.words = batch.header.byte_length / rollup::kWordBytes;
    c.effects = batch.header.num_effects;
    c.effect_words = effect_words;
    c.openings = batch.l1_hashes.size();
    c.blobs = batch.placement == DataPlacement::blobs;
    c.earns = bounty_at(batch, head.timestamp) + rebate_at(batch, head.base_fee);
    c.deadline = batch.deadline;
    return c;
}

std::size_t calldata_bytes(std::span<const Candidate> batches, const GasModel& model) noexcept {
    // Selector; key, profile, offsets of items and proof; the items' number.
    std::size_t bytes = 4 + 4 * kWord + kWord + dynamic(model.proof_bytes);
    for (const Candidate& c : batches) bytes += item_bytes(c);
    return bytes;
}

std::uint64_t transaction_gas(std::span<const Candidate> batches, const GasModel& model) noexcept {
    std::uint64_t gas = model.verification_gas[profile_of(batches.size())];
    for (const Candidate& c : batches) gas += item_gas(c, model);
    return static_cast<std::uint64_t>(evm_transaction_gas({static_cast<double>(gas), calldata_bytes(batches, model)}));
}

std::uint64_t proving_units(std::span<const Candidate> batches) noexcept {
    std::uint64_t units = kTerminalUnits;
    for (const Candidate& c : batches) units += batch_units(c);
    return units;
}

bool Price::is_worth_it(int margin_percent) const noexcept {
    return earns * 100 >= (gas_cost + own_cost) * static_cast<unsigned>(100 + std::max(margin_percent, -100));
}

Price price_of(std::span<const Candidate> batches, const PriceContext& context) noexcept {
    Price price;
    for (const Candidate& c : batches) price.earns += c.earns;
    price.gas = transaction_gas(batches, context.gas);
    price.bytes = calldata_bytes(batches, context.gas);
    price.gas_cost = price.gas * context.gas_price;
    price.own_cost = proving_units(batches) * context.wei_per_unit;
    return price;
}

namespace {

/// One rollup's open batches that are not chosen yet.
using Waiting = std::map<std::uint32_t, std::span<const Candidate>>;

/// How many of the rollup's next batches earn more together than they add to the costs; 0: none do.
std::size_t worthwhile_run(std::span<const Candidate> next, const PriceContext& context, std::size_t limit) {
    Wei earns = 0;
    Wei costs = 0;
    for (std::size_t i = 0; i < std::min(limit, next.size()); ++i) {
        const Candidate& c = next[i];
        const Wei gas = item_gas(c, context.gas) + item_bytes(c) * 16;
        earns += c.earns * 100;
        costs += (gas * context.gas_price + batch_units(c) * context.wei_per_unit) *
                 static_cast<unsigned>(100 + std::max(context.margin_percent, -100));
        if (earns >= costs) return i + 1;
    }
    return 0;
}

bool fits(std::span<const Candidate> batches, const GasModel& model) {
    return calldata_bytes(batches, model) <= model.max_transaction_bytes &&
           transaction_gas(batches, model) <= model.gas_cap;
}

Choice choose_of_key(Waiting waiting, const PriceContext& context, std::size_t max_batches) {
    std::vector<Candidate> chosen;
    while (!waiting.empty()) {
        const auto it = std::ranges::min_element(
            waiting, [](const auto& a, const auto& b) { return a.second[0].deadline < b.second[0].deadline; });
        auto& next = it->second;
        const std::size_t run = worthwhile_run(next, context, max_batches - chosen.size());
        std::vector<Candidate> more = chosen;
        more.insert(more.end(), next.begin(), next.begin() + static_cast<std::ptrdiff_t>(run));
        if (run == 0 || !fits(more, context.gas)) {
            waiting.erase(it);
            continue;
        }
        chosen = std::move(more);
        next = next.subspan(run);
        if (next.empty()) waiting.erase(it);
    }
    // A rollup's batches stand together: provers make fewer nodes of equal neighbours.
    std::ranges::sort(chosen, {}, [](const Candidate& c) { return std::pair(c.rollup, c.number); });
    Choice choice{std::move(chosen), {}};
    choice.price = price_of(choice.batches, context);
    if (!choice.price.is_worth_it(context.margin_percent)) choice.batches.clear();
    return choice;
}

}  // namespace

Choice choose_batches(std::span<const Candidate> candidates, const PriceContext& context, std::size_t max_batches) {
    std::map<std::uint32_t, Waiting> by_key;
    for (std::size_t first = 0; first < candidates.size();) {
        const Candidate& c = candidates[first];
        std::size_t end = first + 1;
        // What comes behind a change of the key waits until the batches before it are proven.
        while (end < candidates.size() && candidates[end].rollup == c.rollup && candidates[end].key == c.key) ++end;
        by_key[c.key].try_emplace(c.rollup, candidates.subspan(first, end - first));
        while (end < candidates.size() && candidates[end].rollup == c.rollup) ++end;
        first = end;
    }
    Choice best;
    for (const auto& [key, waiting] : by_key) {
        Choice choice = choose_of_key(waiting, context, max_batches);
        if (choice.batches.empty()) {
            if (best.batches.empty()) best.price = choice.price;
            continue;
        }
        const auto gain = [](const Price& p) {
            return static_cast<__int128>(p.earns) - static_cast<__int128>(p.gas_cost + p.own_cost);
        };
        if (best.batches.empty() || gain(choice.price) > gain(best.price)) best = std::move(choice);
    }
    return best;
}

std::string to_decimal(Wei amount) {
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(amount % 10)));
        amount /= 10;
    } while (amount != 0);
    return {digits.rbegin(), digits.rend()};
}

std::optional<Wei> parse_wei(std::string_view text) {
    if (text.empty() || text.size() > 38) return std::nullopt;
    Wei amount = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        amount = amount * 10 + static_cast<unsigned>(c - '0');
    }
    return amount;  // below 10^38 < 2^127
}

}  // namespace quarry::node::prover
