//===- machine_peaks.cpp - what this machine can do at best ---------------===//
//
// Measures the two ceilings that a language model on a CPU meets: how fast
// memory is read, and how many float32 operations a second FMA units do, both
// with as many threads as asked. Output: one line of JSON. A program of its own
// because `benchmarks/floor` compares compiled models with these figures in the
// same run, and a ceiling must not come from the code that it judges.
//
//   machine_peaks [THREADS [MIB]]     default: 2 threads, 512 MiB
//
// Each figure is the median of five. All threads start together and the clock
// runs until the last has ended.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <immintrin.h>
#include <string_view>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

constexpr int kRuns = 5;
constexpr unsigned kMaxThreads = 1024;
constexpr size_t kMaxMiB = 1 << 16;

// In the loops below every small array must be in registers, so the loops over
// it must be unrolled at every optimization level.

/// The results of the loops go here, so that the compiler does not remove them.
std::atomic<uint64_t> sink;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

// Several streams at once: one stream of loads leaves prefetchers idle, and the
// best of a few plain loops is what "read bandwidth" means here.
template <int Streams>
__attribute__((target("avx512f"))) void read512(const char *data,
                                                size_t bytes) {
  const size_t part = bytes / Streams / 64 * 64;
  __m512i sum[Streams];
#pragma GCC unroll 16
  for (__m512i &s : sum)
    s = _mm512_setzero_si512();
  for (size_t at = 0; at < part; at += 64)
#pragma GCC unroll 16
    for (int s = 0; s < Streams; ++s)
      sum[s] =
          _mm512_xor_si512(sum[s], _mm512_load_si512(data + s * part + at));
#pragma GCC unroll 16
  for (int s = 1; s < Streams; ++s)
    sum[0] = _mm512_xor_si512(sum[0], sum[s]);
  uint64_t words[8];
  _mm512_storeu_si512(words, sum[0]);
  sink += words[0] ^ words[7];
}

template <int Streams>
__attribute__((target("avx2"))) void read256(const char *data, size_t bytes) {
  const size_t part = bytes / Streams / 64 * 64;
  __m256i sum[Streams][2];
#pragma GCC unroll 16
  for (auto &pair : sum)
    pair[0] = pair[1] = _mm256_setzero_si256();
  for (size_t at = 0; at < part; at += 64)
#pragma GCC unroll 16
    for (int s = 0; s < Streams; ++s) {
      auto *line = reinterpret_cast<const __m256i *>(data + s * part + at);
      sum[s][0] = _mm256_xor_si256(sum[s][0], _mm256_load_si256(line));
      sum[s][1] = _mm256_xor_si256(sum[s][1], _mm256_load_si256(line + 1));
    }
  __m256i all = _mm256_setzero_si256();
#pragma GCC unroll 16
  for (auto &pair : sum)
    all = _mm256_xor_si256(all, _mm256_xor_si256(pair[0], pair[1]));
  uint64_t words[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(words), all);
  sink += words[0] ^ words[3];
}

//===----------------------------------------------------------------------===//
// FMA
//===----------------------------------------------------------------------===//

// Latency 4 or 5 times 2 units: at least ten chains keep them busy; 16 leave a
// margin and still fit the registers of AVX-512, 12 those of AVX2.
__attribute__((target("avx512f"))) void fma512(uint64_t rounds) {
  constexpr int kChains = 16;
  __m512 sum[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c)
    sum[c] = _mm512_set1_ps(float(c));
  // The factor is not a constant for the compiler, and the values stay finite.
  const __m512 a = _mm512_set1_ps(0.999f + 1e-9f * float(rounds & 1));
  const __m512 b = _mm512_set1_ps(1e-3f);
  for (uint64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) {
      sum[c] = _mm512_fmadd_ps(sum[c], a, b);
      asm volatile("" : "+v"(sum[c])); // keeps each FMA, and in a register
    }
#pragma GCC unroll 16
  for (int c = 1; c < kChains; ++c)
    sum[0] = _mm512_add_ps(sum[0], sum[c]);
  float lanes[16];
  _mm512_storeu_ps(lanes, sum[0]);
  sink += uint64_t(lanes[0]);
}

__attribute__((target("avx2,fma"))) void fma256(uint64_t rounds) {
  constexpr int kChains = 12;
  __m256 sum[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c)
    sum[c] = _mm256_set1_ps(float(c));
  const __m256 a = _mm256_set1_ps(0.999f + 1e-9f * float(rounds & 1));
  const __m256 b = _mm256_set1_ps(1e-3f);
  for (uint64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) {
      sum[c] = _mm256_fmadd_ps(sum[c], a, b);
      asm volatile("" : "+x"(sum[c]));
    }
#pragma GCC unroll 16
  for (int c = 1; c < kChains; ++c)
    sum[0] = _mm256_add_ps(sum[0], sum[c]);
  float lanes[8];
  _mm256_storeu_ps(lanes, sum[0]);
  sink += uint64_t(lanes[0]);
}

/// A loop and the operations of one of its rounds.
struct FmaLoop {
  void (*run)(uint64_t rounds);
  double operations;
};

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// Seconds from the start of all threads to the end of the last.
template <typename Work> double timed(unsigned threads, Work work) {
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> pool;
  for (unsigned t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      ++ready;
      while (!go)
        _mm_pause();
      work(t);
    });
  while (ready != threads)
    std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  go = true;
  for (std::thread &thread : pool)
    thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The best loop's median, in bytes a second.
double readRate(const char *data, size_t bytes, unsigned threads, bool wide) {
  using Loop = void (*)(const char *, size_t);
  const std::vector<Loop> loops =
      wide ? std::vector<Loop>{read512<1>, read512<4>, read512<8>}
           : std::vector<Loop>{read256<1>, read256<4>, read256<8>};
  const size_t share = bytes / threads / 4096 * 4096;
  double best = 0;
  for (Loop loop : loops) {
    std::vector<double> rates;
    for (int run = 0; run < kRuns; ++run) {
      double seconds =
          timed(threads, [&](unsigned t) { loop(data + t * share, share); });
      rates.push_back(double(share) * threads / seconds);
    }
    best = std::max(best, median(rates));
  }
  return best;
}

/// Operations a second; a multiplication and an addition are two.
double fmaRate(const FmaLoop &loop, unsigned threads) {
  constexpr uint64_t kRounds = 10'000'000; // some 30 ms
  loop.run(kRounds);                       // wakes the wide units
  std::vector<double> rates;
  for (int run = 0; run < kRuns; ++run) {
    double seconds = timed(threads, [&](unsigned) { loop.run(kRounds); });
    rates.push_back(loop.operations * double(kRounds) * threads / seconds);
  }
  return median(rates);
}

bool parse(const char *text, uint64_t least, uint64_t most, uint64_t &value) {
  const char *end = text + std::strlen(text);
  auto [rest, error] = std::from_chars(text, end, value);
  return error == std::errc() && rest == end && value >= least && value <= most;
}

} // namespace

int main(int argc, char **argv) {
  uint64_t threads = 2, mib = 512;
  if (argc > 3 || (argc > 1 && !parse(argv[1], 1, kMaxThreads, threads)) ||
      (argc > 2 && !parse(argv[2], 1, kMaxMiB, mib))) {
    std::fputs("usage: machine_peaks [THREADS [MIB]]\n", stderr);
    return 2;
  }
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!wide &&
      !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) {
    std::fputs("machine_peaks: this CPU has no avx2 and fma; its peaks are not "
               "measured\n",
               stderr);
    return 1;
  }

  const size_t bytes = size_t(mib) << 20;
  void *data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    std::fprintf(stderr, "machine_peaks: no memory for %llu MiB; give less\n",
                 static_cast<unsigned long long>(mib));
    return 1;
  }
  madvise(data, bytes, MADV_HUGEPAGE); // page walks must not be measured
  std::memset(data, 1, bytes);         // else all pages are the zero page

  const FmaLoop loop =
      wide ? FmaLoop{fma512, 2.0 * 16 * 16} : FmaLoop{fma256, 2.0 * 12 * 8};
  const auto *buffer = static_cast<const char *>(data);
  std::printf("{\"threads\": %u, \"vectors\": %d", unsigned(threads),
              wide ? 512 : 256);
  for (unsigned t : {1u, unsigned(threads)}) {
    std::printf(", \"read_%u\": %.4g, \"fma_%u\": %.4g", t,
                readRate(buffer, bytes, t, wide), t, fmaRate(loop, t));
    if (threads == 1)
      break;
  }
  std::printf("}\n");
  return 0;
}
