#pragma once
#include <cstddef>
#include <span>
#include <utility>

#include "quarry/field/extension.hpp"
#include "quarry/field/packed_ext.hpp"

namespace quarry {

/// A position of a code of 2^log_domain positions and its weight.
using WeightedPosition = std::pair<std::size_t, ExtField>;

/// out[b] = sum over (j, g) of g x_j^b, b < 2^log_message, x_j = domain_point(j, log_domain): the transpose of
/// encoding. max(16, 2^log_message) values, zero from 2^log_message on. Precondition: log_message <= log_domain <= 24,
/// j < 2^log_domain. Chooses the cheaper of the two below.
ExtVector query_weights(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message);

/// A matrix product of points x 2^log_message: cost num_points an element.
ExtVector query_weights_direct(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message);
/// The encoding's tree run backwards: direct in runs of about 2^log_domain / num_points positions, butterflies above.
ExtVector query_weights_by_dft(std::span<const WeightedPosition> points, unsigned log_domain, unsigned log_message);

}  // namespace quarry
