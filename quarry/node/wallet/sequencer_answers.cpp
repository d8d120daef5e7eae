#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <limits>
#include <utility>

#include "quarry/base/printable.hpp"
#include "quarry/ethereum/types.hpp"
#include "quarry/node/wallet/sequencer_client.hpp"
#include "quarry/rollup/hashing.hpp"

namespace quarry::node::wallet {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxAccounts = 256;
constexpr int kRefused = -32000;

Problem bad_answer(const std::string& why) {
    return {Problem::Kind::bad_input, "bad_answer", "the sequencer's answer is not what the method returns: " + why,
            "check that the URL is a Quarry sequencer's, of this release"};
}

/// Reads members of one object; the first that is missing or of another kind sticks.
class Members {
  public:
    explicit Members(const json::object& object) : object_(object) {}

    [[nodiscard]] bool has(std::string_view name) const {
        const json::value* v = object_.if_contains(name);
        return v != nullptr && !v->is_null();
    }
    template <class T>
    T integer(std::string_view name) {
        const json::value* v = object_.if_contains(name);
        std::uint64_t x = 0;
        if (v != nullptr && v->is_uint64()) {
            x = v->get_uint64();
        } else if (v != nullptr && v->is_int64() && v->get_int64() >= 0) {
            x = static_cast<std::uint64_t>(v->get_int64());
        } else {
            fail(name);
        }
        if (x > std::numeric_limits<T>::max()) fail(name);
        return static_cast<T>(x);
    }
    bool boolean(std::string_view name) {
        const json::value* v = object_.if_contains(name);
        if (v != nullptr && v->is_bool()) return v->get_bool();
        fail(name);
        return false;
    }
    std::string_view text(std::string_view name) {
        const json::value* v = object_.if_contains(name);
        if (v != nullptr && v->is_string()) return {v->get_string().data(), v->get_string().size()};
        fail(name);
        return {};
    }
    rollup::Amount amount(std::string_view name) {
        const auto parsed = rollup::parse_amount(text(name));
        if (parsed) return parsed.value();
        fail(name);
        return {};
    }
    template <std::size_t N>
    std::array<std::uint8_t, N> bytes(std::string_view name) {
        std::array<std::uint8_t, N> r{};
        if (!ethereum::read_hex(text(name), r)) fail(name);
        return r;
    }
    Digest digest(std::string_view name) {
        const auto raw = bytes<4 * kDigestSize>(name);
        Digest r;
        for (std::size_t i = 0; i < kDigestSize; ++i) {
            std::uint32_t x = 0;
            for (std::size_t k = 0; k < 4; ++k) x = x << 8 | raw[4 * i + k];
            const auto element = KoalaBear::from_canonical(x);
            if (element) {
                r[i] = *element;
            } else {
                fail(name);
            }
        }
        return r;
    }
    const json::array& list(std::string_view name, std::size_t max_size) {
        static const json::array kEmpty;
        const json::value* v = object_.if_contains(name);
        if (v != nullptr && v->is_array() && v->get_array().size() <= max_size) return v->get_array();
        fail(name);
        return kEmpty;
    }
    void fail(std::string_view name) {
        if (bad_.empty()) bad_ = name;
    }
    [[nodiscard]] const std::string& bad() const { return bad_; }

  private:
    const json::object& object_;
    std::string bad_;
};

Problem refusal(const json::object& error) {
    std::string code = "rpc_error";
    std::string reason = "the sequencer refuses";
    if (const auto* data = error.if_contains("data"); data != nullptr && data->is_object()) {
        Members m(data->get_object());
        const std::string said(m.text("code"));
        const bool is_word = !said.empty() && said.size() <= 64 &&
                             said.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        if (is_word) code = said;
        if (m.has("reason")) reason = printable(m.text("reason"));
    } else if (const auto* message = error.if_contains("message"); message != nullptr && message->is_string()) {
        reason = printable({message->get_string().data(), message->get_string().size()});
    }
    const auto* number = error.if_contains("code");
    const bool by_rule = number != nullptr && number->is_int64() && number->get_int64() == kRefused;
    return {by_rule ? Problem::Kind::refused : Problem::Kind::environment, code,
            "the sequencer refuses: " + reason + " (" + code + ")",
            by_rule ? "check balance, nonce and fee with `quarry wallet balance`" : "try again later"};
}

/// Calls read(result's object) and passes on what it makes, unless a member was not what it should be.
template <class Read>
auto with_result(std::string_view body, Read&& read) -> Outcome<decltype(read(std::declval<Members&>()))> {
    json::error_code error;
    json::parse_options options;
    options.max_depth = 8;
    const json::value document = json::parse(json::string_view(body.data(), body.size()), error, {}, options);
    if (error || !document.is_object()) return bad_answer("it is not a JSON object");
    const json::object& object = document.get_object();
    if (const auto* e = object.if_contains("error"); e != nullptr && e->is_object()) return refusal(e->get_object());
    const auto* result = object.if_contains("result");
    if (result == nullptr || !result->is_object()) return bad_answer("it has no result");
    Members m(result->get_object());
    auto value = read(m);
    if (!m.bad().empty()) return bad_answer("the field " + m.bad());
    return value;
}

AccountView read_account(Members& m) {
    AccountView a;
    a.slot = m.integer<rollup::SlotIndex>("slot");
    a.token = m.integer<rollup::TokenId>("token");
    a.balance = m.amount("balance");
    a.nonce = m.integer<rollup::Nonce>("nonce");
    a.next_nonce = m.integer<rollup::Nonce>("next_nonce");
    a.owner = {m.digest("key_hash"), {m.bytes<20>("address")}};
    a.pair = m.digest("pair");
    // The pair is what a payment signs: it must be the owner's that is shown beside it.
    if (a.pair != rollup::pair_hash(a.owner)) m.fail("pair");
    if (a.slot >= rollup::kMaxSlots) m.fail("slot");
    if (a.nonce > rollup::kMaxNonce || a.next_nonce > rollup::kMaxNonce) m.fail("nonce");
    return a;
}

}  // namespace

const char* stage_name(Stage stage) noexcept {
    constexpr std::array<const char*, 7> kNames{"received",  "executed", "posted",  "proven",
                                                "claimable", "reverted", "rejected"};
    return kNames[static_cast<std::size_t>(stage)];
}

std::optional<Stage> stage_of(std::string_view name) noexcept {
    for (int i = 0; i <= static_cast<int>(Stage::rejected); ++i) {
        if (name == stage_name(static_cast<Stage>(i))) return static_cast<Stage>(i);
    }
    return std::nullopt;
}

bool has_reached(Stage now, Stage wanted) noexcept { return now <= Stage::claimable && now >= wanted; }

Outcome<SequencerStatus> parse_status_answer(std::string_view body) {
    auto status = with_result(body, [](Members& m) {
        SequencerStatus s;
        rollup::RollupParameters& p = s.parameters;
        p.l1_chain_id = m.integer<std::uint64_t>("l1_chain_id");
        p.hub = {m.bytes<20>("hub")};
        p.rollup_id = m.integer<std::uint32_t>("rollup_id");
        p.genesis_root = m.digest("genesis_root");
        p.min_new_pair_fee = m.amount("min_new_pair_fee");
        if (!p.min_new_pair_fee.fits_fee()) m.fail("min_new_pair_fee");
        s.domain = m.digest("domain");
        s.ready = m.boolean("ready");
        s.batch = m.integer<std::uint64_t>("batch");
        s.posted_batch = m.integer<std::uint64_t>("posted_batch");
        s.proven_batch = m.integer<std::uint64_t>("proven_batch");
        s.finalised_batch = m.integer<std::uint64_t>("finalised_batch");
        return s;
    });
    if (status && status.value().domain != rollup::domain_hash(status.value().parameters))
        return bad_answer("the domain is not that of the rollup it names");
    return status;
}

Outcome<std::vector<AccountView>> parse_accounts_answer(std::string_view body) {
    return with_result(body, [](Members& m) {
        std::vector<AccountView> accounts;
        for (const json::value& item : m.list("accounts", kMaxAccounts)) {
            if (!item.is_object()) {
                m.fail("accounts");
                break;
            }
            Members fields(item.get_object());
            accounts.push_back(read_account(fields));
            if (!fields.bad().empty()) m.fail("accounts: " + fields.bad());
        }
        return accounts;
    });
}

Outcome<FeeQuote> parse_fee_answer(std::string_view body) {
    return with_result(body, [](Members& m) {
        return FeeQuote{m.boolean("accepted"), m.amount("minimum"), m.amount("new_pair_minimum"),
                        m.amount("suggested")};
    });
}

Outcome<QueueCursors> parse_cursors_answer(std::string_view body) {
    return with_result(body, [](Members& m) {
        return QueueCursors{m.integer<std::uint64_t>("batch"), m.integer<std::uint64_t>("deposit_cursor"),
                            m.integer<std::uint64_t>("forced_cursor")};
    });
}

Outcome<ReceiptView> parse_receipt_answer(std::string_view body) {
    return with_result(body, [](Members& m) {
        ReceiptView r;
        r.id = m.digest("id");
        const auto stage = stage_of(m.text("stage"));
        if (!stage) m.fail("stage");
        r.stage = stage.value_or(Stage::received);
        if (m.has("batch")) r.batch = m.integer<std::uint64_t>("batch");
        if (m.has("index")) r.index = m.integer<std::uint64_t>("index");
        if (m.has("created_slot")) r.created_slot = m.integer<rollup::SlotIndex>("created_slot");
        if (m.has("code")) r.code = printable(m.text("code"));
        if (m.has("reason")) r.reason = printable(m.text("reason"));
        return r;
    });
}

}  // namespace quarry::node::wallet
