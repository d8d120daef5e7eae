// Vectors for the settlement contracts, computed by the native code: two batches from header to public input, with
// every hash on the way. JSON on standard output. With --check FILE, exit 1 unless FILE holds exactly that.
// contracts/test/settlement/Vectors.t.sol runs the same two batches through the contracts.
#include <ckzg.h>
#include <cryptopp/sha.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quarry/hash/keccak.hpp"
#include "quarry/rollup/bundle.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/queue_hash.hpp"
#include "quarry/rollup/state_tree.hpp"

namespace {

using namespace quarry;
using namespace quarry::rollup;
using Octets = std::vector<std::uint8_t>;

/// Where the first contract of the account 0x10..01 lies: the test deploys the hub from there.
constexpr L1Address kHub{{0x5d, 0xdd, 0xfc, 0xe5, 0x3e, 0xe0, 0x40, 0xd9, 0xeb, 0x21,
                          0xaf, 0xbc, 0x0a, 0xe1, 0xbb, 0x4d, 0xbb, 0x0b, 0xa6, 0x43}};

void put(Octets& out, std::span<const std::uint8_t> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

/// Any canonical digest: element i is seed 2^16 + i.
Digest some_digest(std::uint32_t seed) {
    Digest r;
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = KoalaBear(seed << 16 | static_cast<std::uint32_t>(i));
    return r;
}

L1Address some_address(std::uint8_t seed) {
    L1Address r;
    for (std::size_t i = 0; i < r.bytes.size(); ++i) r.bytes[i] = static_cast<std::uint8_t>(seed + i);
    return r;
}

Octets some_words(std::size_t count, std::size_t seed) {
    Octets r(count * kWordBytes);
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = static_cast<std::uint8_t>(37 * (i / kWordBytes) + 11 * i + seed);
    return r;
}

Octets digest_bytes(const Digest& x) {
    Octets r;
    WordWriter(r).elements(x);
    return r;
}

/// Keys and bytes, in the order of the keys.
class Vectors {
  public:
    Octets& operator[](const std::string& key) { return fields_[key]; }
    [[nodiscard]] std::string json() const {
        std::string r = "{";
        const char* separator = "\n";
        for (const auto& [key, bytes] : fields_) {
            r += fmt::format("{}  \"{}\": \"0x", separator, key);
            for (const std::uint8_t b : bytes) r += fmt::format("{:02x}", b);
            r += '"';
            separator = ",\n";
        }
        return r + "\n}\n";
    }

  private:
    std::map<std::string, Octets> fields_;
};

/// The KZG side of a blob: what a transaction shows of it.
class Kzg {
  public:
    Kzg() {
        const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(QUARRY_TRUSTED_SETUP, "r"), std::fclose);
        QUARRY_CHECK(file && load_trusted_setup_file(&settings_, file.get(), 0) == C_KZG_OK);
    }
    ~Kzg() { free_trusted_setup(&settings_); }
    Kzg(const Kzg&) = delete;
    Kzg& operator=(const Kzg&) = delete;

    /// Versioned hash, h, y, commitment, opening: 192 bytes; and the binding.
    L1Binding bind(const Digest& before, const Octets& words, Octets& opening_out, Digest& after) const {
        const auto blob = std::make_unique<Blob>();
        std::fill(std::begin(blob->bytes), std::end(blob->bytes), std::uint8_t{0});
        for (std::size_t i = 0; i < words.size() / kWordBytes; ++i) {
            std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(i * kWordBytes), kWordBytes,
                        blob->bytes + 32 * i + 1);
        }
        KZGCommitment commitment;
        QUARRY_CHECK(blob_to_kzg_commitment(&commitment, blob.get(), &settings_) == C_KZG_OK);
        rollup::Bytes32 hash;
        CryptoPP::SHA256().CalculateDigest(hash.data(), commitment.bytes, sizeof commitment.bytes);
        hash[0] = 0x01;
        const DataStatement s = make_data_statement(DataForm::blob, before, words, hash, some_address(1), 1);
        const rollup::Bytes32 z = scalar_bytes(point_scalar(s.point));
        ::Bytes32 z_bytes;
        std::copy(z.begin(), z.end(), z_bytes.bytes);
        KZGProof opening;
        ::Bytes32 y;
        QUARRY_CHECK(compute_kzg_proof(&opening, &y, blob.get(), &z_bytes, &settings_) == C_KZG_OK);
        QUARRY_CHECK(std::equal(s.value.begin(), s.value.end(), y.bytes));
        put(opening_out, s.l1_hash);
        put(opening_out, digest_bytes(s.point));
        put(opening_out, s.value);
        put(opening_out, std::span(commitment.bytes));
        put(opening_out, std::span(opening.bytes));
        after = s.after;
        return s;
    }

  private:
    KZGSettings settings_{};
};

/// The calldata form; 192 bytes of which the last 96 are zero.
L1Binding bind_calldata(const Digest& before, const Octets& words, Octets& opening_out) {
    const DataStatement s = make_data_statement(DataForm::horner, before, words, keccak256(words), some_address(1), 1);
    put(opening_out, s.l1_hash);
    put(opening_out, digest_bytes(s.point));
    put(opening_out, s.value);
    opening_out.resize(opening_out.size() + 96);
    return s;
}

/// What L1 knows before the first batch.
struct Scene {
    RollupParameters parameters;
    std::vector<DepositEntry> deposits;
    std::vector<ForcedEntry> forced;
    std::vector<rollup::Bytes32> deposit_hashes{rollup::Bytes32{}};
    std::vector<rollup::Bytes32> forced_hashes{rollup::Bytes32{}};
};

Scene make_scene() {
    Scene s;
    s.parameters.l1_chain_id = 31337;
    s.parameters.rollup_id = 1;
    s.parameters.hub = kHub;
    s.parameters.genesis_root = empty_digest(kTreeDepth);
    s.parameters.min_new_pair_fee = Amount(10);
    for (std::uint8_t i = 0; i < 3; ++i) {
        DepositEntry e;
        e.owner = {some_digest(0x100u + i), some_address(static_cast<std::uint8_t>(0x20 + i))};
        e.depositor = some_address(static_cast<std::uint8_t>(0x40 + i));
        e.token = i % 2;
        e.amount = Amount(1'000'000'007ull * (i + 1u));
        e.target = i == 1 ? 77 : kNewSlot;
        s.deposits.push_back(e);
        s.deposit_hashes.push_back(roll_queue(s.deposit_hashes.back(), i, e));
    }
    s.forced = {ForcedWithdrawalEntry{3, some_address(0x60)}, SetKeyEntry{4, some_address(0x61), some_digest(0x200)},
                ForcedWithdrawalEntry{0xffffffff, some_address(0x62)}};
    for (std::size_t i = 0; i < s.forced.size(); ++i) {
        s.forced_hashes.push_back(roll_queue(s.forced_hashes.back(), i, s.forced[i]));
    }
    return s;
}

DepositEffect deposit_effect(const Scene& s, std::uint64_t index, bool applied) {
    return {.applied = applied, .index = index, .entry = s.deposits[index]};
}

/// 34 bytes a leaf, and the root of the tree of height 8 over them.
void add_withdrawals(Vectors& out, const std::string& name, std::span<const WithdrawalEffect> leaves) {
    std::vector<rollup::Bytes32> level(256);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        Octets leaf;
        WordWriter w(leaf);
        w.integer(leaves[i].token);
        w.amount(leaves[i].amount);
        w.address(leaves[i].recipient);
        put(out[name], leaf);
        leaf.insert(leaf.begin(), {0x00, static_cast<std::uint8_t>(i)});
        level[i] = keccak256(leaf);
    }
    for (; level.size() > 1; level.resize(level.size() / 2)) {
        for (std::size_t i = 0; i < level.size() / 2; ++i) {
            Octets node{0x01};
            put(node, level[2 * i]);
            put(node, level[2 * i + 1]);
            level[i] = keccak256(node);
        }
    }
    put(out[name + "_root"], level[0]);
}

void add_statement(Vectors& out, const std::string& name, const TerminalStatement& statement) {
    Octets& bytes = out[name];
    for (const KoalaBear limb : elements(statement)) {
        bytes.push_back(static_cast<std::uint8_t>(limb.canonical() >> 8));
        bytes.push_back(static_cast<std::uint8_t>(limb.canonical()));
    }
}

/// What an item has beside header, openings and effects: payee, units, work root.
void finish_item(Vectors& out, const std::string& name, TerminalItem& item, const Scene& scene, const State& before,
                 std::uint8_t seed) {
    item.batch.domain = domain_hash(scene.parameters);
    item.batch.header = header_hash(item.header);
    item.batch.payee = some_address(seed);
    item.batch.before = before;
    item.batch.after = item.header.post_state();
    item.batch.work = {static_cast<std::uint32_t>(70000 + seed), some_digest(seed)};
    put(out[name + "_header"], encode(item.header));
    put(out[name + "_header_hash"], keccak256(encode(item.header)));
    put(out[name + "_payee"], item.batch.payee.bytes);
    WordWriter(out[name + "_units"]).integer(item.batch.work.units);
    put(out[name + "_work_root"], digest_bytes(item.batch.work.root));
}

Header make_header(const Scene& s, std::uint64_t number, std::uint64_t deposits, std::uint64_t forced) {
    Header h;
    h.rollup_id = 1;
    h.number = number;
    h.timestamp = static_cast<Timestamp>(1'900'000'000 + number);
    h.fee_receiver = some_digest(0x300);
    h.deposit_cursor = deposits;
    h.deposit_hash = s.deposit_hashes[deposits];
    h.forced_cursor = forced;
    h.forced_hash = s.forced_hashes[forced];
    h.post_root = some_digest(static_cast<std::uint32_t>(0x400 + number));
    h.post_slot_count = static_cast<SlotIndex>(70'000 * number);
    return h;
}

Octets encode_all(std::span<const Effect> effects) {
    Octets r;
    for (const Effect& e : effects) encode(e, r);
    return r;
}

/// Calldata, and every kind of effect.
TerminalItem first_batch(Vectors& out, const Scene& s) {
    const Octets data = some_words(7, 5);
    const WithdrawalEffect withdrawal{some_address(0x80), 1, Amount(123'456'789)};
    const ForcedWithdrawalEffect forced{true, 0, std::get<ForcedWithdrawalEntry>(s.forced[0]), 1, Amount(55)};
    const std::vector<Effect> effects{
        deposit_effect(s, 0, true),
        withdrawal,
        forced,
        deposit_effect(s, 1, false),
        SetKeyEffect{true, 1, std::get<SetKeyEntry>(s.forced[1])},
        ForcedWithdrawalEffect{false, 2, std::get<ForcedWithdrawalEntry>(s.forced[2]), 0, {}}};
    const WithdrawalEffect refund{s.deposits[1].depositor, s.deposits[1].token, s.deposits[1].amount};
    const WithdrawalEffect taken{forced.entry.sender, forced.token, forced.amount};
    add_withdrawals(out, "first_withdrawals", std::vector{withdrawal, taken, refund});

    TerminalItem item;
    item.header = make_header(s, 1, 2, 3);
    item.header.byte_length = static_cast<std::uint32_t>(data.size());
    item.header.num_effects = static_cast<std::uint16_t>(effects.size());
    put(out["first_data"], data);
    item.data.push_back(bind_calldata(header_hash(item.header), data, out["first_openings"]));
    const Octets words = encode_all(effects);
    put(out["first_effects"], words);
    item.effects = bind_calldata(effects_start().digest, words, out["first_effects_opening"]);
    State before;
    before.root = s.parameters.genesis_root;
    finish_item(out, "first", item, s, before, 0xa0);
    return item;
}

/// Two blobs, and one deposit.
TerminalItem second_batch(Vectors& out, const Scene& s, const TerminalItem& parent) {
    const Kzg kzg;
    const Octets data = some_words(kBlobWords + 3, 9);
    const std::vector<Effect> effects{deposit_effect(s, 2, true)};
    TerminalItem item;
    item.header = make_header(s, 2, 3, 3);
    item.header.parent_hash = keccak256(encode(parent.header));
    item.header.byte_length = static_cast<std::uint32_t>(data.size());
    item.header.num_effects = 1;
    const auto middle = data.begin() + static_cast<std::ptrdiff_t>(kBlobWords * kWordBytes);
    Digest accumulator = header_hash(item.header);
    item.data.push_back(kzg.bind(accumulator, Octets(data.begin(), middle), out["second_openings"], accumulator));
    item.data.push_back(kzg.bind(accumulator, Octets(middle, data.end()), out["second_openings"], accumulator));
    const Octets words = encode_all(effects);
    put(out["second_effects"], words);
    item.effects = bind_calldata(effects_start().digest, words, out["second_effects_opening"]);
    finish_item(out, "second", item, s, parent.header.post_state(), 0xb0);
    return item;
}

std::string make_json() {
    Vectors out;
    const Scene scene = make_scene();
    put(out["hub"], scene.parameters.hub.bytes);
    put(out["domain"], digest_bytes(domain_hash(scene.parameters)));
    for (const auto& hash : scene.deposit_hashes) put(out["deposit_hashes"], hash);
    for (const auto& hash : scene.forced_hashes) put(out["forced_hashes"], hash);
    for (const DepositEntry& e : scene.deposits) {
        WordWriter w(out["deposits"]);
        w.integer(e.target);
        w.integer(e.token);
        w.amount(e.amount);
        w.address(e.depositor);
        w.address(e.owner.address);
        w.elements(e.owner.key_hash);
    }
    const TerminalItem first = first_batch(out, scene);
    const TerminalItem second = second_batch(out, scene, first);
    add_statement(out, "statement_1", {0, {first}});
    add_statement(out, "statement_4", {2, {first, second}});
    return out.json();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string json = make_json();
    if (argc == 1) {
        std::fputs(json.c_str(), stdout);
        return 0;
    }
    if (argc != 3 || std::string(argv[1]) != "--check") {
        std::fputs("usage: settlement_vectors [--check FILE]\n", stderr);
        return 2;
    }
    std::ifstream file(argv[2]);
    const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (kept == json) return 0;
    fmt::print(stderr, "{} is not what the native code computes: write it anew, `settlement_vectors > {}`\n", argv[2],
               argv[2]);
    return 1;
}
