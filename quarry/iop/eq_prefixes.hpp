#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "quarry/field/extension.hpp"

namespace quarry {

/// eq(r_v, r_(v+1), .. ; bits of s) for any v and s < 2^(n - v), r having n entries: what an aligned piece of 2^v
/// entries weighs in a multilinear extension. Pieces share the prefixes that they have in common: neighbours cost about
/// one multiplication each.
template <class B>
class EqPrefixes {
  public:
    using E = typename B::E;
    EqPrefixes(B& backend, std::span<const E> r) : r_(r), one_(backend.constant(ExtField(1))) {}

    E at(unsigned v, std::size_t s) {
        E weight = one_;
        for (std::size_t u = r_.size(); u-- > v;) {
            const std::size_t prefix = s >> (u - v);
            auto found = known_.find({u, prefix});
            if (found == known_.end()) {
                const E high = weight * r_[u];
                known_.try_emplace({u, prefix ^ 1}, prefix % 2 == 0 ? high : weight - high);
                found = known_.try_emplace({u, prefix}, prefix % 2 == 0 ? weight - high : high).first;
            }
            weight = found->second;
        }
        return weight;
    }

  private:
    std::span<const E> r_;
    E one_;
    std::map<std::pair<std::size_t, std::size_t>, E> known_;  ///< by variable and prefix
};

}  // namespace quarry
