#include "tests/settlement/hub_world.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "quarry/hash/keccak.hpp"
#include "quarry/node/file_io.hpp"
#include "quarry/node/l1/artifact.hpp"
#include "quarry/node/l1/connection.hpp"
#include "quarry/node/l1/hub_contract.hpp"
#include "quarry/node/l1/verifier_artifacts.hpp"
#include "quarry/rollup/data_statement.hpp"
#include "quarry/rollup/testing.hpp"

namespace quarry::testing {

namespace l1 = node::l1;
using ethereum::BlockTag;
using rollup::testing::make_key;

namespace {

std::unique_ptr<AnvilProcess> start_anvil() {
    std::string error;
    auto anvil = AnvilProcess::start({}, error);
    EXPECT_NE(anvil, nullptr) << error;
    // L1's time goes with its blocks: by the machine's clock, all blocks of a test may have one second's time.
    if (anvil) anvil->call("anvil_setBlockTimestampInterval", "[1]");
    return anvil;
}

std::string make_temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "quarry-hub-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    return pattern;
}

template <class T>
T value(node::Outcome<T> outcome) {
    EXPECT_TRUE(outcome.ok()) << (outcome ? "" : outcome.error().name + ": " + outcome.error().cause);
    return std::move(outcome).value();
}

std::unique_ptr<ethereum::TransactionManager> make_manager(AnvilProcess& anvil, MiningClock& clock, unsigned key,
                                                           const std::string& path, unsigned confirmations) {
    ethereum::TransactionManagerOptions options = l1::long_lived_sender();
    options.chain_id = 31337;
    options.confirmations = confirmations;
    auto journal = ethereum::open_journal_file(path, {31337, AnvilProcess::key(key).address()});
    EXPECT_TRUE(journal.ok());
    auto manager = ethereum::TransactionManager::create(options, AnvilProcess::key(key), anvil.chain(),
                                                        std::move(journal).value(), clock);
    EXPECT_TRUE(manager.ok()) << manager.error().detail;
    return std::move(manager).value();
}

}  // namespace

HubWorld::HubWorld() : anvil_(start_anvil()), folder_(make_temporary_folder()), clock_(*anvil_) {
    deployment_ = value(deploy_again("deploy.journal", plan()));
    parameters_ = deployment_.rollup_parameters();
    options.rollup = deployment_.rollup;
    options.confirmations = 2;
    options.final_confirmations = 3;
    options.placement = l1::SettlementOptions::Placement::calldata;
    options.discards_late = false;
    options.collect_above = {};
    user_ = make_manager(*anvil_, clock_, 1, folder_ + "/user.journal", 16);
    restart();
}

HubWorld::~HubWorld() {
    stop();
    user_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

l1::DeployPlan HubWorld::plan() const {
    l1::DeployPlan plan;
    plan.verifiers = value(l1::read_verifier_artifacts(QUARRY_OUT "/doubles", ""));
    plan.proofs = value(l1::read_artifact(QUARRY_OUT "/settlement/Proofs.sol/Proofs.json"));
    plan.hub_creation = value(l1::read_artifact(QUARRY_OUT "/settlement/Hub.sol/Hub.json"));
    plan.upgrade_delay = 60;
    plan.owner = AnvilProcess::key(0).address();
    plan.sequencers = {AnvilProcess::key(0).address()};
    plan.min_new_pair_fee = rollup::Amount(10);
    plan.parameters = l1::development_parameters();
    plan.parameters.proving_window = 1'000;
    plan.parameters.expected_time = 100;
    return plan;
}

node::Outcome<l1::Deployment> HubWorld::deploy_again(const std::string& journal, const l1::DeployPlan& plan,
                                                     ethereum::Chain& seen) {
    const auto manager = make_manager(*anvil_, clock_, 0, folder_ + "/" + journal, 1);
    return l1::deploy(plan, seen, *manager, clock_);
}

void HubWorld::stop() {
    settlement_.reset();
    sequencer_.reset();
    view_.reset();
}

void HubWorld::restart(const l1::SettlementOptions& settlement_options) {
    stop();
    l1::HubViewOptions view_options;
    view_options.hub = deployment_.hub;
    view_options.bridge = deployment_.bridge;
    view_options.chain_id = deployment_.chain_id;
    view_options.first_block = deployment_.first_block;
    view_options.rollup = deployment_.rollup;
    auto store = l1::open_event_store(folder_ + "/view", l1::view_identity(view_options));
    ASSERT_TRUE(store.ok()) << store.error().message;
    auto view = l1::HubView::open(chain(), view_options, std::move(store).value());
    ASSERT_TRUE(view.ok()) << view.error().code;
    view_ = std::move(view).value();
    sequencer_ = make_manager(*anvil_, clock_, 0, folder_ + "/sequencer.journal", 16);
    settlement_ = std::make_unique<l1::L1Settlement>(
        settlement_options, *view_, *sequencer_, chain(), [] { return ethereum::Kzg::shared(); },
        [this] { return now; });
}

std::unique_ptr<l1::HubView> HubWorld::fresh_view() {
    auto view = l1::HubView::open(chain(), view_->options(), l1::make_memory_event_store());
    EXPECT_TRUE(view.ok());
    const auto followed = l1::catch_up(*view.value());
    EXPECT_TRUE(followed.ok());
    return std::move(view).value();
}

void HubWorld::expect_consistent() {
    (void)l1::catch_up(*view_);
    const auto fresh = fresh_view();
    view_->read([&](const l1::HubState& state, const auto& head) {
        fresh->read([&](const l1::HubState& other, const auto& other_head) {
            EXPECT_EQ(state.rollups(), other.rollups());
            EXPECT_EQ(state.submissions(), other.submissions());
            EXPECT_EQ(head->hash, other_head->hash);
        });
    });
    // And what the contracts themselves say of the queues and the chain's ends.
    const auto record = view_->read([&](const l1::HubState& s, const auto&) { return *s.rollup(options.rollup); });
    const auto info = l1::HubReader(chain(), deployment_.hub).rollup_info(options.rollup);
    ASSERT_TRUE(info.ok());
    EXPECT_EQ(info.value().head, record.head);
    EXPECT_EQ(info.value().finalised, record.finalised);
    EXPECT_EQ(info.value().parameters, record.parameters);
    EXPECT_EQ(info.value().domain, record.domain);
    const auto queues = l1::BridgeReader(chain(), deployment_.bridge)
                            .queues(options.rollup, record.deposits.size(), record.forced.size());
    ASSERT_TRUE(queues.ok());
    EXPECT_EQ(queues.value().deposit_count, record.deposits.size());
    EXPECT_EQ(queues.value().forced_count, record.forced.size());
    EXPECT_EQ(queues.value().deposit_hash, record.deposit_hash(record.deposits.size()));
    EXPECT_EQ(queues.value().forced_hash, record.forced_hash(record.forced.size()));
}

void HubWorld::user_call(const ethereum::Address& to, const ethereum::Bytes& data, std::uint64_t wei) {
    ethereum::Intent intent;
    intent.id = "call-" + std::to_string(user_calls_++);
    intent.to = to;
    intent.data = data;
    intent.value = l1::U256(wei);
    const std::string id = intent.id;
    ASSERT_TRUE(user_->submit(std::move(intent)).ok());
    // Mined is enough: until it is buried, the manager brings it back when a reorganisation drops it.
    for (int i = 0; i < 20; ++i) {
        (void)user_->step();
        const auto status = user_->status(id);
        ASSERT_TRUE(status.ok());
        if (status.value().stage == ethereum::IntentStage::mined) {
            ASSERT_TRUE(status.value().receipt->is_success);
            return;
        }
        ASSERT_FALSE(status.value().is_final()) << ethereum::intent_stage_name(status.value().stage);
        clock_.sleep_ms(1'000);
    }
    FAIL() << "not mined";
}

void HubWorld::deposit_once(std::uint32_t owner, std::uint64_t wei) {
    deposit_once({rollup::key_hash(make_key(owner)), l1::to_rollup(AnvilProcess::key(2).address())}, wei);
}

void HubWorld::deposit_once(const rollup::Owner& to, std::uint64_t wei) {
    ethereum::Transaction t;
    t.chain_id = 31337;
    t.nonce = chain().transaction_count(AnvilProcess::key(2).address(), BlockTag::latest).value();
    t.max_priority_fee_per_gas = l1::U256(1'000'000'000);
    t.max_fee_per_gas = l1::U256(20'000'000'000);
    t.gas_limit = 300'000;
    t.to = deployment_.bridge;
    t.value = l1::U256(wei);
    t.data = l1::bridge_call::deposit(options.rollup, 0, rollup::Amount(wei), to, rollup::kNewSlot);
    ASSERT_TRUE(chain().send_raw(encode_transaction(sign_transaction(t, AnvilProcess::key(2)))).ok());
    anvil_->mine();
}

void HubWorld::deposit(std::uint32_t owner, std::uint64_t wei) {
    const rollup::Owner to{rollup::key_hash(make_key(owner)), l1::to_rollup(AnvilProcess::key(1).address())};
    user_call(deployment_.bridge,
              l1::bridge_call::deposit(options.rollup, 0, rollup::Amount(wei), to, rollup::kNewSlot), wei);
}

MadeBatch HubWorld::make_batch(std::size_t num_deposits, std::size_t num_forced, std::size_t num_transfers,
                               std::size_t num_withdrawals) {
    (void)l1::catch_up(*view_);
    const l1::ViewQueues queues(*view_, options.rollup);
    rollup::BatchPlan plan;
    plan.number = store_.batch_number() + 1;
    if (last_) plan.parent_hash = keccak256(rollup::encode(*last_));
    plan.timestamp = static_cast<rollup::Timestamp>(view_->head()->timestamp);
    const rollup::Owner receiver{rollup::key_hash(make_key(0)), l1::to_rollup(AnvilProcess::key(1).address())};
    plan.fee_receiver = rollup::pair_hash(receiver);
    plan.fee_slots = {{0, 0}};
    rollup::BatchBuilder builder(parameters_, plan, store_, queues);
    for (std::size_t i = 0; i < num_deposits; ++i) EXPECT_TRUE(builder.add_deposit().ok());
    for (std::size_t i = 0; i < num_forced; ++i) EXPECT_TRUE(builder.add_forced().ok());
    const auto add = [&](const rollup::Operation& operation) {
        const auto leaf = builder.executor().leaf(0);
        rollup::Transaction tx{operation, make_key(0), leaf->token, leaf->nonce, {}};
        if (const auto* t = std::get_if<rollup::Transfer>(&tx.op)) {
            tx.receiver_pair = builder.executor().leaf(t->receiver)->pair;
        }
        const auto verdict = builder.add(tx, true);
        EXPECT_TRUE(verdict.ok()) << rollup::reject_name(verdict.code());
    };
    const rollup::Timestamp expiry = plan.timestamp + 1'000'000;
    for (std::size_t i = 0; i < num_transfers; ++i) {
        add(rollup::Transfer{rollup::testing::auth(0, 1, expiry), 1, rollup::Amount(1 + i)});
    }
    for (std::size_t i = 0; i < num_withdrawals; ++i) {
        const rollup::L1Address to = l1::to_rollup(AnvilProcess::key(2).address());
        add(rollup::Withdraw{rollup::testing::auth(0, 1, expiry), rollup::Amount(1'000 + i), to});
    }
    auto sealed = builder.seal();
    EXPECT_TRUE(sealed.ok());
    MadeBatch made{std::move(sealed).value(), last_, {}, {}};
    EXPECT_TRUE(store_.commit(made.batch.commit, made.batch.update).ok());
    const auto header = rollup::encode(made.batch.header);
    made.hash = keccak256(header);
    made.path = folder_ + "/" + ethereum::to_hex(made.hash);
    std::filesystem::create_directories(made.path);
    (void)value(node::write_unsynced(made.path + "/data.bin", made.batch.data));
    last_ = made.batch.header;
    return made;
}

node::sequencer::BatchToPost HubWorld::to_post(const MadeBatch& made) const {
    return {made.batch.header, made.hash, made.path};
}

node::sequencer::BatchStatus HubWorld::status(const MadeBatch& made) const {
    return settlement_->status(made.batch.header.number, made.hash);
}

void HubWorld::step() {
    // A refusal shows in the status; what a reorganisation dropped of the user's comes back.
    (void)settlement_->step();
    (void)user_->step();
    clock_.sleep_ms(1'000);
}

bool HubWorld::reach(const MadeBatch& made, node::sequencer::BatchPhase phase) {
    for (int i = 0; i < 40; ++i) {
        if (status(made).phase == phase) return true;
        step();
    }
    return false;
}

void HubWorld::advance_time(std::uint64_t seconds) {
    const auto latest = chain().block(BlockTag::latest);
    ASSERT_TRUE(latest.ok());
    anvil_->call("evm_setNextBlockTimestamp", "[" + std::to_string(latest.value().timestamp + seconds) + "]");
    anvil_->mine();
}

l1::Bytes HubWorld::effects_of(const MadeBatch& made) const {
    l1::Bytes words;
    for (const rollup::Effect& effect : made.batch.effects) rollup::encode(effect, words);
    return words;
}

rollup::TerminalItem HubWorld::statement(const MadeBatch& made, const ethereum::Address& payee) {
    (void)l1::catch_up(*view_);
    const auto submission = view_->read(
        [&](const l1::HubState& state, const auto&) { return *state.batch(options.rollup, made.batch.header.number); });
    const auto form = submission.form == 1 ? rollup::DataForm::blob : rollup::DataForm::horner;
    const std::size_t at_once = rollup::kBlobWords * rollup::kWordBytes;
    const std::span<const std::uint8_t> data = made.batch.data;
    std::vector<rollup::L1Binding> bindings;
    Digest before = rollup::header_hash(made.batch.header);
    for (std::size_t i = 0; i < submission.l1_hashes.size(); ++i) {
        const auto part = data.subspan(i * at_once, std::min(at_once, data.size() - i * at_once));
        const auto s = rollup::make_data_statement(form, before, part, submission.l1_hashes[i], {}, 0);
        bindings.push_back(s);
        before = s.after;
    }
    std::optional<rollup::L1Binding> effects;
    const l1::Bytes words = effects_of(made);
    if (!words.empty()) {
        effects = rollup::make_data_statement(rollup::DataForm::horner, rollup::effects_start().digest, words,
                                              keccak256(words), {}, 0);
    }
    auto item = node::make_item(rollup::domain_hash(parameters_), l1::to_rollup(payee), made.batch.before,
                                made.batch.header, bindings, effects);
    item.batch.work = rollup::leaf_work(7, 3);
    return item;
}

node::TerminalProofFile HubWorld::proof_of(std::vector<rollup::TerminalItem> items, unsigned log_profile) {
    node::TerminalProofFile file;
    file.log_profile = log_profile;
    file.bundle = {log_profile, std::move(items)};
    file.proof = {1, 2, 3};
    return file;
}

void HubWorld::accept(const node::TerminalProofFile& file) {
    const auto limbs = node::terminal_limbs(file.bundle, file.log_profile);
    ASSERT_TRUE(limbs.ok()) << limbs.error().name;
    l1::Bytes bytes;
    for (const KoalaBear limb : limbs.value()) {
        bytes.push_back(static_cast<std::uint8_t>(limb.canonical() >> 8));
        bytes.push_back(static_cast<std::uint8_t>(limb.canonical()));
    }
    const ethereum::AbiFunction accept("accept(bytes32)");
    const auto& set = deployment_.verifiers;
    user_call(file.log_profile == 0   ? set.one
              : file.log_profile == 2 ? set.four
                                      : set.sixteen,
              accept.call({keccak256(bytes)}), 0);
}

}  // namespace quarry::testing
