#pragma once

namespace quarry {

/// What one core does with KB11 signatures on the current ISA.
struct SignatureSpeed {
    double batch_per_second = 0;  ///< verify_batch, 4 lock-step calls of 1,024
    double verify_us = 0;         ///< one verify alone
    double sign_us = 0;           ///< one signature, its own check included
    double key_us = 0;            ///< d -> public key
    double comb_table_ms = 0;     ///< building the verifier's table, on all threads of the arena
};
/// Measures each for about `seconds`, on the calling thread. Wall clock: on a busy machine take the best of several.
SignatureSpeed measure_signatures(double seconds);

}  // namespace quarry
