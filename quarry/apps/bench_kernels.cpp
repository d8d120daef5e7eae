#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <vector>

#include "quarry/apps/calibration.hpp"
#include "quarry/apps/commands.hpp"
#include "quarry/apps/machine.hpp"
#include "quarry/apps/output.hpp"
#include "quarry/apps/progress.hpp"
#include "quarry/curve/measure.hpp"
#include "quarry/field/isa.hpp"
#include "quarry/hash/keccak_batch.hpp"
#include "quarry/hash/poseidon_batch.hpp"
#include "quarry/poly/measure.hpp"

namespace quarry::apps {
namespace {

namespace json = boost::json;

constexpr unsigned kHashRuns = 5;

struct HashOptions {
    double seconds = 1;
};

/// One function's speed on each instruction set, the one in use first.
struct HashSpeeds {
    const char* name;
    const char* key;  ///< of the JSON document
    double (*measure)(double seconds);
    std::vector<double> rates;
};

void run_hash(const HashOptions& options, const Session& session) {
    Progress progress(session.quiet);
    const Isa chosen = current_isa();
    std::vector<Isa> isas = supported_isas();
    std::iter_swap(isas.begin(), std::find(isas.begin(), isas.end(), chosen));  // the one in use first
    std::array<HashSpeeds, 2> hashes{
        HashSpeeds{"Poseidon, width 16 over KoalaBear",
                   "poseidon_permutations_per_second_per_core",
                   measure_poseidon_permutations_per_second,
                   {}},
        HashSpeeds{
            "Keccak-f[1600]", "keccak_permutations_per_second_per_core", measure_keccak_permutations_per_second, {}}};
    double done = 0;
    for (HashSpeeds& hash : hashes) {
        for (const Isa isa : isas) {
            force_isa(isa);
            (void)hash.measure(options.seconds / 10);  // the clock rises, pages are touched
            std::vector<double> runs;
            for (unsigned i = 0; i < kHashRuns; ++i) {
                progress.show(fmt::format("{} on {}, run {} of {}", hash.name, isa_name(isa), i + 1, kHashRuns),
                              done / static_cast<double>(hashes.size() * isas.size() * kHashRuns));
                done += 1;
                // The others are there to compare with: less precision will do.
                runs.push_back(hash.measure(isa == chosen ? options.seconds : options.seconds / 4));
            }
            hash.rates.push_back(median(std::move(runs)));
        }
    }
    force_isa(chosen);
    progress.clear();
    if (session.json) {
        json::array by_isa;
        for (std::size_t i = 0; i < isas.size(); ++i) {
            json::object row{{"isa", isa_name(isas[i])}};
            for (const HashSpeeds& hash : hashes) row[hash.key] = whole(hash.rates[i]);
            by_isa.push_back(std::move(row));
        }
        json::object document;
        for (const HashSpeeds& hash : hashes) document[hash.key] = whole(hash.rates[0]);
        document["isa"] = isa_name(chosen);
        document["cpu"] = cpu_model();
        document["by_isa"] = std::move(by_isa);
        print_json(document);
        return;
    }
    for (const HashSpeeds& hash : hashes) {
        print(fmt::format("{}, on one core of {}, median of {}\n", hash.name, cpu_model(), kHashRuns));
        for (std::size_t i = 0; i < isas.size(); ++i) {
            print(fmt::format("  {:<8} {:>12} permutations/s{}\n", isa_name(isas[i]), with_commas(whole(hash.rates[i])),
                              isas[i] == chosen ? "   in use" : ""));
        }
    }
}

struct DftOptions {
    unsigned lanes = 100;
    unsigned log_message = 17;
    unsigned log_inv_rate = 1;
    unsigned runs = 5;
};

void run_dft(const DftOptions& options, const Session& session) {
    const auto threads = tbb::this_task_arena::max_concurrency();
    const double cells =
        static_cast<double>(options.lanes) * static_cast<double>(std::size_t{1} << options.log_message);
    const double code_cells = cells * static_cast<double>(std::size_t{1} << options.log_inv_rate);
    const double needed = 4 * (cells + 1.2 * code_cells);
    if (const auto free = free_memory_bytes(); free && needed > static_cast<double>(*free)) {
        throw Failure(exit_environment, "out_of_memory",
                      fmt::format("this needs {} of memory, {} are free",
                                  human_bytes(static_cast<std::uint64_t>(needed)), human_bytes(*free)),
                      "choose fewer --lanes or a smaller --log-message");
    }
    Progress progress(session.quiet);
    progress.show("Reed-Solomon encoding", 0);
    const double seconds =
        measure_reed_solomon_encode(options.lanes, options.log_message, options.log_inv_rate, options.runs);
    progress.show("memory bandwidth", 0.8);
    const double memory_bandwidth = measure_memory_bandwidth();
    const auto tsc = tsc_frequency();
    progress.clear();
    const double bandwidth = 4 * (cells + 3 * code_cells) / seconds;  // as reed_solomon_encode() documents it
    const double cycles = tsc ? seconds * *tsc * static_cast<double>(threads) / code_cells : 0;

    if (session.json) {
        json::object document{{"lanes", options.lanes},
                              {"log_message", options.log_message},
                              {"log_inv_rate", options.log_inv_rate},
                              {"runs", options.runs},
                              {"seconds", seconds},
                              {"message_cells_per_second", whole(cells / seconds)},
                              {"cells_per_second", whole(code_cells / seconds)}};
        document["cycles_per_cell_per_thread"] = tsc ? json::value(rounded(cycles, 3)) : json::value(nullptr);
        document["tsc_hz"] = tsc ? json::value(whole(*tsc)) : json::value(nullptr);
        document["bytes_per_second"] = whole(bandwidth);
        document["memory_bandwidth_bytes_per_second"] = whole(memory_bandwidth);
        document["threads"] = threads;
        document["isa"] = isa_name(current_isa());
        document["cpu"] = cpu_model();
        print_json(document);
        return;
    }
    print(fmt::format("Reed-Solomon encoding of {} lanes of 2^{} at rate 1/{}: {}, median of {}\n", options.lanes,
                      options.log_message, 1U << options.log_inv_rate, human_seconds(seconds), options.runs));
    print(fmt::format("  {:>7.1f} M codeword cells/s, {:.1f} M message cells/s, {} threads, {}, {}\n",
                      code_cells / seconds / 1e6, cells / seconds / 1e6, threads, isa_name(current_isa()),
                      cpu_model()));
    if (tsc)
        print(fmt::format("  {:>7.2f} cycles a codeword cell and thread, at {:.2f} GHz nominal\n", cycles, *tsc / 1e9));
    print(fmt::format("  {:>7.1f} GB/s read and written; copying memory reaches {:.1f} GB/s\n", bandwidth / 1e9,
                      memory_bandwidth / 1e9));
}

struct SignOptions {
    double seconds = 1;
};

void run_sign(const SignOptions& options, const Session& session) {
    Progress progress(session.quiet);
    progress.show("KB11 signatures", 0);
    const SignatureSpeed speed = measure_signatures(options.seconds);
    progress.clear();
    if (session.json) {
        print_json(json::object{{"batch_verifications_per_second_per_core", whole(speed.batch_per_second)},
                                {"verify_us", rounded(speed.verify_us, 1)},
                                {"sign_us", rounded(speed.sign_us, 1)},
                                {"public_key_us", rounded(speed.key_us, 1)},
                                {"comb_table_ms", rounded(speed.comb_table_ms, 1)},
                                {"isa", isa_name(current_isa())},
                                {"cpu", cpu_model()}});
        return;
    }
    print(fmt::format("Schnorr on KB11, one core of {}, {}\n", cpu_model(), isa_name(current_isa())));
    print(fmt::format("  {:>10} verifications/s in batches of 1,024\n", with_commas(whole(speed.batch_per_second))));
    print(fmt::format("  {:>10.1f} us one verification alone\n", speed.verify_us));
    print(fmt::format("  {:>10.1f} us one signature, checked by its signer\n", speed.sign_us));
    print(fmt::format("  {:>10.1f} us one public key\n", speed.key_us));
    print(fmt::format("  {:>10.1f} ms the verifier's table, once a process\n", speed.comb_table_ms));
}

}  // namespace

void add_bench_kernels(CLI::App& bench, Session& session) {
    const auto hash_options = std::make_shared<HashOptions>();
    CLI::App* hash =
        add_command(bench, session, "hash",
                    "Native permutations of Poseidon and Keccak per second on one core, for each instruction set",
                    "quarry bench hash --json", [hash_options, &session] { run_hash(*hash_options, session); });
    add_number(*hash, "--seconds", hash_options->seconds, 0.01, 60, "of one run")->capture_default_str();

    const auto sign_options = std::make_shared<SignOptions>();
    CLI::App* sign =
        add_command(bench, session, "sign", "Signatures verified per second on one core, and signing",
                    "quarry bench sign --json", [sign_options, &session] { run_sign(*sign_options, session); });
    add_number(*sign, "--seconds", sign_options->seconds, 0.01, 60, "of each measurement")->capture_default_str();

    const auto options = std::make_shared<DftOptions>();
    CLI::App* dft = add_command(bench, session, "dft", "Reed-Solomon encoding, the transform of every commitment",
                                "quarry bench dft --lanes 128 --log-message 16",
                                [options, &session] { run_dft(*options, session); });
    add_number(*dft, "--lanes", options->lanes, 1, 4096, "polynomials")->capture_default_str();
    add_number(*dft, "--log-message", options->log_message, 4, 21, "2^N coefficients in each")->capture_default_str();
    add_number(*dft, "--log-inv-rate", options->log_inv_rate, 1, 3, "codewords 2^N times as long")
        ->capture_default_str();
    add_number(*dft, "--runs", options->runs, 1, 1000, "encode so often; the median is shown")->capture_default_str();
}

}  // namespace quarry::apps
