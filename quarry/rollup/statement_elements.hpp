#pragma once
#include "quarry/rollup/elements.hpp"
#include "quarry/rollup/statement.hpp"

/// The parts of statements as lists of elements, for the files of this module that write statements.
namespace quarry::rollup {

/// kind, version: how every statement starts.
inline void write_kind(ElementWriter& w, StatementKind kind) {
    w.small(static_cast<std::uint32_t>(kind));
    w.small(kProtocolVersion);
}
/// 17 elements.
inline void write(ElementWriter& w, const State& s) {
    w.digest(s.root);
    w.small(s.slot_count);
    w.limbs(s.deposit_cursor);
    w.limbs(s.forced_cursor);
}
/// 9 elements.
inline void write(ElementWriter& w, const Accumulator& a) {
    w.digest(a.digest);
    w.small(a.count);
}
/// 43 elements.
inline void write(ElementWriter& w, const BatchPoint& p) {
    write(w, p.state);
    w.digest(p.fees);
    write(w, p.data);
    write(w, p.effects);
}
/// 10 elements.
inline void write(ElementWriter& w, const Work& work) {
    w.limbs(work.units);
    w.digest(work.root);
}

}  // namespace quarry::rollup
