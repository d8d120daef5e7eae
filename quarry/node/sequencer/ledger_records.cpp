#include "quarry/node/sequencer/ledger_records.hpp"

#include "quarry/rollup/words.hpp"

namespace quarry::node::sequencer {
namespace {

constexpr std::uint32_t kNoteMagic = 0x51534e31;  // "QSN1"
constexpr std::size_t kMaxTextBytes = 1024;       // of a code or a reason
enum class OrderKind : std::uint8_t { opened = 1, operation = 2, entry = 3 };

void write_text(rollup::WordWriter& w, std::string_view text) {
    w.integer(static_cast<std::uint32_t>(text.size()));
    w.bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string read_text(rollup::WordReader& r, std::size_t limit) {
    const auto size = r.integer<std::uint32_t>();
    if (size > limit || size > r.left()) {
        r.refuse(rollup::RejectCode::bad_length);
        return {};
    }
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(r.integer<std::uint8_t>());
    return text;
}

void write_status(rollup::WordWriter& w, const BatchStatus& status) {
    w.integer(static_cast<std::uint8_t>(status.phase));
    w.bytes(status.transaction);
    w.integer(status.block);
    write_text(w, status.code.substr(0, kMaxTextBytes));
    write_text(w, status.reason.substr(0, kMaxTextBytes));
}

BatchStatus read_status(rollup::WordReader& r) {
    BatchStatus status;
    const auto phase = r.integer<std::uint8_t>();
    if (phase > static_cast<std::uint8_t>(BatchPhase::reverted)) r.refuse(rollup::RejectCode::bad_flag);
    status.phase = static_cast<BatchPhase>(phase);
    status.transaction = r.bytes<32>();
    status.block = r.integer<std::uint64_t>();
    status.code = read_text(r, kMaxTextBytes);
    status.reason = read_text(r, kMaxTextBytes);
    return status;
}

template <class T>
std::optional<T> accept(const rollup::WordReader& r, T value) {
    if (!r.verdict() || r.left() != 0) return std::nullopt;
    return value;
}

}  // namespace

const char* batch_phase_name(BatchPhase phase) noexcept {
    switch (phase) {
        case BatchPhase::unknown:
            return "unknown";
        case BatchPhase::sending:
            return "sending";
        case BatchPhase::posted:
            return "posted";
        case BatchPhase::proven:
            return "proven";
        case BatchPhase::finalised:
            return "finalised";
        case BatchPhase::reverted:
            return "reverted";
    }
    return "unknown";
}

Bytes encode(const OperationRecord& record) {
    Bytes bytes;
    bytes.reserve(record.operation.size() + record.code.size() + record.reason.size() + 48);
    rollup::WordWriter w(bytes);
    w.integer(record.sequence);
    w.integer(static_cast<std::uint8_t>(record.state));
    w.integer(record.batch);
    w.integer(record.index);
    w.integer(record.created);
    w.integer(record.receiver);
    w.integer(record.reverts);
    write_text(w, std::string_view(record.code).substr(0, kMaxTextBytes));
    write_text(w, std::string_view(record.reason).substr(0, kMaxTextBytes));
    write_text(w, record.operation);
    return bytes;
}

std::optional<OperationRecord> parse_operation_record(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    OperationRecord record;
    record.sequence = r.integer<std::uint64_t>();
    const auto state = r.integer<std::uint8_t>();
    if (state == 0 || state > kLastOperationState) return std::nullopt;
    record.state = OperationState{state};
    record.batch = r.integer<std::uint64_t>();
    record.index = r.integer<std::uint32_t>();
    record.created = r.integer<std::uint32_t>();
    record.receiver = r.integer<std::uint32_t>();
    record.reverts = r.integer<std::uint32_t>();
    record.code = read_text(r, kMaxTextBytes);
    record.reason = read_text(r, kMaxTextBytes);
    record.operation = read_text(r, kMaxLineBytes);
    return accept(r, std::move(record));
}

Bytes encode(const OrderEntry& entry) {
    Bytes bytes;
    rollup::WordWriter w(bytes);
    if (const auto* opened = std::get_if<OpenedBatch>(&entry)) {
        w.integer(static_cast<std::uint8_t>(OrderKind::opened));
        w.integer(opened->timestamp);
    } else if (const auto* operation = std::get_if<ExecutedOperation>(&entry)) {
        w.integer(static_cast<std::uint8_t>(OrderKind::operation));
        w.elements(operation->id);
    } else {
        const auto& queued = std::get<ConfirmedEntry>(entry);
        w.integer(static_cast<std::uint8_t>(OrderKind::entry));
        w.bytes(queued.rolling_hash);
        w.integer(queued.timestamp);
        write_text(w, to_json(queued.entry));
    }
    return bytes;
}

std::optional<OrderEntry> parse_order_entry(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    switch (OrderKind{r.integer<std::uint8_t>()}) {
        case OrderKind::opened:
            return accept<OrderEntry>(r, OpenedBatch{r.integer<rollup::Timestamp>()});
        case OrderKind::operation:
            return accept<OrderEntry>(r, ExecutedOperation{r.digest()});
        case OrderKind::entry: {
            ConfirmedEntry queued;
            queued.rolling_hash = r.bytes<32>();
            queued.timestamp = r.integer<rollup::Timestamp>();
            const std::string text = read_text(r, kMaxLineBytes);
            const auto entry = parse_queue_line(text);
            if (!entry || to_json(entry.value()) != text) return std::nullopt;
            queued.entry = entry.value();
            return accept<OrderEntry>(r, std::move(queued));
        }
    }
    return std::nullopt;
}

Bytes encode(const BatchRecord& record) {
    Bytes bytes = rollup::encode(record.header);
    rollup::WordWriter w(bytes);
    w.bytes(record.hash);
    w.integer(record.first);
    w.integer(record.end);
    w.integer(record.operations);
    write_status(w, record.status);
    return bytes;
}

std::optional<BatchRecord> parse_batch_record(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < rollup::kHeaderBytes) return std::nullopt;
    const auto header = rollup::parse_header(bytes.first(rollup::kHeaderBytes));
    if (!header) return std::nullopt;
    rollup::WordReader r(bytes.subspan(rollup::kHeaderBytes));
    BatchRecord record;
    record.header = header.value();
    record.hash = r.bytes<32>();
    record.first = r.integer<std::uint64_t>();
    record.end = r.integer<std::uint64_t>();
    record.operations = r.integer<std::uint32_t>();
    record.status = read_status(r);
    return accept(r, std::move(record));
}

Bytes encode(const SequencerNote& note) {
    Bytes bytes;
    rollup::WordWriter w(bytes);
    w.integer(kNoteMagic);
    w.bytes(note.parent_hash);
    w.integer(note.timestamp);
    w.integer(note.position);
    w.bytes(note.deposit_hash);
    w.bytes(note.forced_hash);
    return bytes;
}

std::optional<SequencerNote> parse_sequencer_note(std::span<const std::uint8_t> bytes) {
    rollup::WordReader r(bytes);
    if (r.integer<std::uint32_t>() != kNoteMagic) return std::nullopt;
    SequencerNote note;
    note.parent_hash = r.bytes<32>();
    note.timestamp = r.integer<rollup::Timestamp>();
    note.position = r.integer<std::uint64_t>();
    note.deposit_hash = r.bytes<32>();
    note.forced_hash = r.bytes<32>();
    return accept(r, note);
}

}  // namespace quarry::node::sequencer
