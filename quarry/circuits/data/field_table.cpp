#include "quarry/circuits/data/field_table.hpp"

#include "quarry/base/check.hpp"
#include "quarry/circuits/gadgets.hpp"

namespace quarry::circuits {

void FieldTable::constrain(AirBuilder& b, const Row<Expr>& row, const Row<Expr>& /*next*/) {
    const FieldStepCells<Expr>& s = row.step;
    const Expr padding = Expr(1) - row.is_real;
    b.boolean("is_real", row.is_real);
    b.zero("padding.alpha", padding * s.alpha);
    b.zero("padding.uses_b", padding * s.uses_b);
    b.zero("padding.uses_out", padding * s.uses_out);
    b.zero("padding.uses_addend", padding * s.uses_addend);

    // scale r keeps the quotient of honest numbers from being negative.
    auto factor = bytes_of(row.a);
    for (Expr& byte : factor) byte = (s.alpha * byte).named();
    factor[0] = (factor[0] + s.beta).named();
    LimbsOf<Expr> addend;
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        addend[k] = s.uses_addend * row.addend[k];
        addend[k] += s.scale * (constant(order_limbs()[k]) - row.out.limb[k]);
    }
    require_gate(b, "gate", factor, bytes_of(row.b), addend, row.gate);
    require_field_cells(b, "a", row.is_real, row.a);
    require_field_cells(b, "b", row.is_real, row.b);
    require_field_cells(b, "out", row.is_real, row.out);
    require_gate_ranges(b, "gate", row.is_real, row.gate);

    b.receive("step", kFieldStepBus, row.is_real, field_step_tuple(s));
    b.receive("a", kFieldValueBus, s.alpha, field_value_tuple(s.a, row.a.limb));
    b.receive("b", kFieldValueBus, s.uses_b, field_value_tuple(s.b, row.b.limb));
    b.send("out", kFieldValueBus, s.uses_out, field_value_tuple(s.out, row.out.limb));
    const Expr sum_name = constant(static_cast<std::uint32_t>(FieldName::sum));
    b.receive("addend", kFieldValueBus, s.uses_addend, field_value_tuple(sum_name, row.addend));
}

namespace {

using rollup::BlsScalar;

/// sum limb_k 2^(16 k) mod r, for limbs below 2^27.
BlsScalar reduce(const LimbsOf<KoalaBear>& limbs) {
    BlsScalar r;
    for (std::size_t k = kFieldLimbs; k-- > 0;) r = r * BlsScalar(1u << 16) + BlsScalar(limbs[k].canonical());
    return r;
}

FieldRow<KoalaBear> field_row(const FieldStepCells<KoalaBear>& step, const BlsScalar& a, const BlsScalar& b,
                              const BlsScalar& out, const LimbsOf<KoalaBear>& addend = {}) {
    FieldRow<KoalaBear> row;
    row.is_real = KoalaBear(1);
    row.step = step;
    row.a = field_cells(a.limbs());
    row.b = field_cells(b.limbs());
    row.out = field_cells(out.limbs());
    row.addend = addend;
    LimbsOf<std::int64_t> sum{};
    const std::int64_t scale = step.scale.canonical();
    add_limbs_of(sum, rollup::Bls12381::kOrder, scale);
    add_limbs_of(sum, out.limbs(), -scale);
    for (std::size_t k = 0; k < kFieldLimbs; ++k) {
        sum[k] += std::int64_t{step.uses_addend.canonical()} * addend[k].canonical();
    }
    FieldNumber factor = step.alpha.is_zero() ? FieldNumber{} : a.limbs();
    if (step.beta == KoalaBear(1)) factor[0] += 1;  // alpha is 0 then
    if (step.beta == -KoalaBear(1)) {
        add_limbs_of(sum, b.limbs(), -1);  // (a - 1) b without a negative byte
    }
    row.gate = gate_cells(factor, b.limbs(), sum);
    return row;
}

}  // namespace

std::vector<FieldRow<KoalaBear>> field_rows(const rollup::DataStatement& statement, const LimbsOf<KoalaBear>& sum) {
    const bool blob = statement.form == rollup::DataForm::blob;
    const auto steps = field_steps(KoalaBear(blob ? 1 : 0));
    std::vector<FieldRow<KoalaBear>> rows;
    BlsScalar power = rollup::point_scalar(statement.point);
    for (std::size_t k = 0; k < 12; ++k) {
        rows.push_back(field_row(steps[k], power, power, power * power));
        power = power * power;
    }
    const BlsScalar reduced = reduce(sum);
    const BlsScalar value = blob ? (power - BlsScalar(1)) * reduced * BlsScalar(rollup::kBlobWords).inverse() : reduced;
    QUARRY_CHECK(rollup::scalar_bytes(value) == statement.value);
    rows.push_back(field_row(steps[12], BlsScalar(), BlsScalar(), reduced, sum));
    rows.push_back(field_row(steps[13], blob ? power : BlsScalar(), reduced, value));
    return rows;
}

}  // namespace quarry::circuits
