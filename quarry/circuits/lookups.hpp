#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "quarry/air/table.hpp"
#include "quarry/base/buffer.hpp"
#include "quarry/circuits/rows.hpp"

/// The witness of a lookup table follows from what the other tables ask of it: their requests are read off their rows
/// by the very interactions that the proof balances, so no table keeps a log of its lookups.
namespace quarry::circuits {

/// The rows of one table, whatever their type, before they are written into a trace.
class TableRows {
  public:
    template <class Row>
    explicit TableRows(std::vector<Row> rows, const Row& padding = {})
        : offsets_(cell_offsets<Row>()), num_rows_(rows.size()), stride_(sizeof(Row)) {
        auto owner = std::make_shared<std::vector<Row>>(std::move(rows));
        owner->push_back(padding);  // behind the rows
        data_ = reinterpret_cast<std::byte*>(owner->data());
        owner_ = std::move(owner);
    }

    /// Rows that fill a table to the last one.
    template <class Row>
    explicit TableRows(Buffer<Row> rows) : offsets_(cell_offsets<Row>()), num_rows_(rows.size()), stride_(sizeof(Row)) {
        auto owner = std::make_shared<Buffer<Row>>(std::move(rows));
        data_ = reinterpret_cast<std::byte*>(owner->data());
        owner_ = std::move(owner);
    }

    [[nodiscard]] std::size_t size() const noexcept { return num_rows_; }
    /// The cell of column c in row r; rows from size() on are padding.
    [[nodiscard]] const KoalaBear& cell(std::size_t c, std::size_t r) const noexcept {
        return *reinterpret_cast<const KoalaBear*>(data_ + std::min(r, num_rows_) * stride_ + offsets_[c]);
    }
    [[nodiscard]] KoalaBear& cell(std::size_t c, std::size_t r) noexcept {
        return *reinterpret_cast<KoalaBear*>(data_ + std::min(r, num_rows_) * stride_ + offsets_[c]);
    }
    /// Fills the columns of table t of the trace. Precondition: the rows fit.
    void write(Trace& trace, std::size_t t) const;
    /// As the checker of air/check.hpp takes them.
    [[nodiscard]] std::vector<std::vector<KoalaBear>> columns(unsigned log_height) const;

  private:
    std::shared_ptr<void> owner_;
    std::byte* data_ = nullptr;
    std::vector<std::size_t> offsets_;
    std::size_t num_rows_, stride_;
};

/// Requests (multiplicity -1) of tuples on one bus.
class RequestReader {
  public:
    /// The interactions of `table` on `bus`. `rows` must live as long as the reader; 2^log_height rows, cyclic.
    RequestReader(const Table& table, const TableRows& rows, unsigned log_height, std::uint32_t bus);

    /// Calls f(tuple) for every request, interaction by interaction, rows rising. Only the first `arity` values of the
    /// tuple are computed. What is provided (any multiplicity but 0 and -1) is passed over.
    void for_each(std::size_t arity, const std::function<void(std::span<const KoalaBear>)>& f) const;

  private:
    struct CellTerm {
        std::size_t column;
        bool next;
        KoalaBear coefficient;
    };
    struct Form {
        KoalaBear constant;
        std::vector<CellTerm> terms;
    };
    struct Request {
        Form multiplicity;
        std::vector<Form> tuple;
    };
    [[nodiscard]] Form form_of(const Table& table, const LinearForm& form) const;
    [[nodiscard]] KoalaBear value(const Form& form, std::size_t row, std::size_t next) const noexcept;

    const TableRows& rows_;
    std::size_t height_;
    std::vector<Request> requests_;
};

}  // namespace quarry::circuits
