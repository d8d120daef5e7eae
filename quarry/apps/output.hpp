#pragma once
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "quarry/apps/failure.hpp"

namespace quarry::apps {

/// Writes to stdout; throws Failure(exit_environment) when it cannot.
void print(const std::string& text);
/// The same, of a document with one member a line. Numbers that are not finite become null.
void print_json(const boost::json::value& document);
/// The line on stderr and, with `json`, {"ok": false, "error": {..}} on stdout. Never throws.
void report(const Failure& failure, bool json) noexcept;
/// Throws Failure(exit_environment) if what was printed did not reach stdout.
void flush_stdout();

/// x to `decimals` places: what a person would write into the JSON document.
double rounded(double x, int decimals);
std::uint64_t whole(double x);  ///< rounded to an integer; x >= 0

std::string with_commas(std::uint64_t x);   ///< 131,072
std::string human_bytes(std::uint64_t n);   ///< 251.3 KiB
std::string human_seconds(double seconds);  ///< 12.3 ms, 4.56 s, 3 min 20 s

}  // namespace quarry::apps
