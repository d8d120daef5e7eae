#include "quarry/node/l1/hub_abi.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace quarry::node::l1 {
namespace {

constexpr auto kHubFunctions = std::to_array<std::string_view>({
#define QUARRY_X(name, signature, results) signature,
    QUARRY_HUB_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
});
constexpr auto kBridgeFunctions = std::to_array<std::string_view>({
#define QUARRY_X(name, signature, results) signature,
    QUARRY_BRIDGE_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
});
constexpr auto kHubEvents = std::to_array<std::string_view>({
#define QUARRY_X(name, signature) signature,
    QUARRY_HUB_EVENTS(QUARRY_X)
#undef QUARRY_X
});
constexpr auto kBridgeEvents = std::to_array<std::string_view>({
#define QUARRY_X(name, signature) signature,
    QUARRY_BRIDGE_EVENTS(QUARRY_X)
#undef QUARRY_X
});

constexpr auto kErrors = std::to_array<std::string_view>({"UnknownRollup()",
                                                          "UnknownKey()",
                                                          "NotOwner()",
                                                          "NotPendingOwner()",
                                                          "NotSequencer()",
                                                          "BadParameters(string)",
                                                          "FeeOutOfRange()",
                                                          "NoUpgrade()",
                                                          "UpgradeTooEarly()",
                                                          "NoVerifier()",
                                                          "HeaderLength()",
                                                          "WrongVersion()",
                                                          "WrongNumber()",
                                                          "WrongParent()",
                                                          "DataNotInTransaction()",
                                                          "DataLength()",
                                                          "TimestampOrder()",
                                                          "TimestampInFuture()",
                                                          "TimestampTooOld()",
                                                          "NonCanonicalDigest()",
                                                          "TooManyEffects()",
                                                          "EffectsMissing()",
                                                          "SlotCount()",
                                                          "DepositCursor()",
                                                          "DepositHash()",
                                                          "ForcedCursor()",
                                                          "ForcedHash()",
                                                          "ForcedSkipped()",
                                                          "TooManyPending()",
                                                          "BlobCount()",
                                                          "BadTerms()",
                                                          "NotEnoughValue()",
                                                          "NotOpen()",
                                                          "NothingSent()",
                                                          "NotRaiser()",
                                                          "RaiseSpent()",
                                                          "AlreadyCommitted()",
                                                          "CommitTooEarly()",
                                                          "WrongDeposit()",
                                                          "BadProfile()",
                                                          "NoItems()",
                                                          "TooManyItems()",
                                                          "WrongKey()",
                                                          "BatchMismatch()",
                                                          "AlreadyProven()",
                                                          "NoPayee()",
                                                          "DataMismatch()",
                                                          "OpeningCount()",
                                                          "PointEvaluation()",
                                                          "EffectsLength()",
                                                          "EffectsMalformed()",
                                                          "EffectsCount()",
                                                          "EffectsQueue()",
                                                          "ProofRejected(bytes)",
                                                          "NotFirst()",
                                                          "NotLate()",
                                                          "SequencersFirst()",
                                                          "ReplacementLocked()",
                                                          "NotOrphaned()",
                                                          "NothingToCollect()",
                                                          "TransferFailed()",
                                                          "NotHub()",
                                                          "UnknownToken()",
                                                          "TokenListFull()",
                                                          "TokenExists()",
                                                          "NotAToken()",
                                                          "ZeroAmount()",
                                                          "AmountTooLarge()",
                                                          "WrongValue()",
                                                          "NonCanonicalKeyHash()",
                                                          "FeeTooSmall()",
                                                          "NoSuchWithdrawal()",
                                                          "AlreadyClaimed()",
                                                          "BalanceTooSmall()"});

struct NamedSelector {
    ethereum::Selector selector{};
    std::string_view name;
};

const std::vector<NamedSelector>& error_table() {
    static const std::vector<NamedSelector> kTable = [] {
        std::vector<NamedSelector> table;
        for (const std::string_view s : kErrors) table.push_back({ethereum::selector(s), s.substr(0, s.find('('))});
        return table;
    }();
    return kTable;
}

std::string_view error_of(ethereum::ByteView data) {
    if (data.size() < 4) return {};
    for (const NamedSelector& e : error_table()) {
        if (std::equal(e.selector.begin(), e.selector.end(), data.begin())) return e.name;
    }
    return {};
}

}  // namespace

const ethereum::AbiFunction& abi(HubFunction function) {
    static const std::vector<ethereum::AbiFunction> kTable{
#define QUARRY_X(name, signature, results) ethereum::AbiFunction(signature, results),
        QUARRY_HUB_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
    };
    return kTable.at(static_cast<std::size_t>(function));
}

const ethereum::AbiFunction& abi(BridgeFunction function) {
    static const std::vector<ethereum::AbiFunction> kTable{
#define QUARRY_X(name, signature, results) ethereum::AbiFunction(signature, results),
        QUARRY_BRIDGE_FUNCTIONS(QUARRY_X)
#undef QUARRY_X
    };
    return kTable.at(static_cast<std::size_t>(function));
}

std::span<const std::string_view> hub_function_signatures() noexcept { return kHubFunctions; }
std::span<const std::string_view> bridge_function_signatures() noexcept { return kBridgeFunctions; }
std::span<const std::string_view> hub_event_signatures() noexcept { return kHubEvents; }
std::span<const std::string_view> bridge_event_signatures() noexcept { return kBridgeEvents; }
std::span<const std::string_view> error_signatures() noexcept { return kErrors; }

std::string revert_name(ethereum::ByteView revert_data) {
    const std::string_view name = error_of(revert_data);
    if (name.empty()) return "unknown_revert";
    if (name != "ProofRejected") return std::string(name);
    static const ethereum::AbiType kCause = ethereum::abi_types("(bytes)");
    const auto cause = ethereum::abi_decode(kCause, revert_data.subspan(4));
    if (!cause || cause.value()[0].bytes().size() < 4) return "ProofRejected";
    return "ProofRejected(" + ethereum::to_hex(ethereum::ByteView(cause.value()[0].bytes()).first(4)) + ")";
}

}  // namespace quarry::node::l1
