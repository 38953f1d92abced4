//===- Report.cpp - tables and records of `corellama bench` ---------------===//
//
// Results -> Markdown, CSV, JSON or JSON lines: llama-bench's columns and
// names, and the ceilings.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Bench.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"
#include <cmath>
#include <ctime>
#include <numeric>

using namespace corellama;
using namespace corellama::bench;
using llvm::formatv;
using llvm::StringRef;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

static double mean(llvm::ArrayRef<double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         double(values.size());
}

/// Of the sample, as llama-bench has it: 0 for one value.
static double deviation(llvm::ArrayRef<double> values) {
  if (values.size() < 2)
    return 0;
  double middle = mean(values), sum = 0;
  for (double value : values)
    sum += (value - middle) * (value - middle);
  return std::sqrt(sum / double(values.size() - 1));
}

static double median(std::vector<double> values) {
  llvm::sort(values);
  size_t half = values.size() / 2;
  return values.size() % 2 ? values[half]
                           : (values[half - 1] + values[half]) / 2;
}

/// The median of floor / time: 1 is the ceiling.
static double share(llvm::ArrayRef<double> floor, llvm::ArrayRef<double> time) {
  std::vector<double> shares;
  for (auto [f, t] : llvm::zip_equal(floor, time))
    shares.push_back(t > 0 ? f / t : 0);
  return median(std::move(shares));
}

/// The share of what a kernel takes for its parts.
static double netShare(const KernelTimes &kernel) {
  std::vector<double> net;
  for (auto [time, empty] : llvm::zip_equal(kernel.microseconds, kernel.empty))
    net.push_back(time - empty);
  return share(kernel.floor, net);
}

/// All kernels of a call as one; a cost of several units is none.
static KernelTimes sumOf(llvm::ArrayRef<KernelTimes> kernels) {
  KernelTimes sum = kernels.front();
  sum.name = "in all";
  auto addAll = [](std::vector<double> &to, llvm::ArrayRef<double> more) {
    for (auto [number, other] : llvm::zip_equal(to, more))
      number += other;
  };
  for (const KernelTimes &kernel : kernels.drop_front()) {
    sum.calls += kernel.calls;
    sum.cost.bytes += kernel.cost.bytes;
    sum.cost.operations += kernel.cost.operations;
    addAll(sum.microseconds, kernel.microseconds);
    addAll(sum.empty, kernel.empty);
    addAll(sum.floor, kernel.floor);
    addAll(sum.bound, kernel.bound);
  }
  return sum;
}

/// Tokens a second.
static std::vector<double> rates(const Result &result,
                                 llvm::ArrayRef<double> nanoseconds) {
  std::vector<double> all;
  for (double time : nanoseconds)
    all.push_back(1e9 * double(result.tokens) / time);
  return all;
}
static std::vector<double> rates(const Result &result) {
  return rates(result, result.nanoseconds);
}

/// Median ceilings of a result's rounds, in 10^9 a second: what is read, and
/// what the unit of most of the weights multiplies.
static std::pair<double, double> ceilings(const Result &result,
                                          const Work &work) {
  llvm::SmallVector<uint64_t> elements(work.units.size(), 0);
  for (const Kernel &kernel : work.kernels)
    for (const Kernel::Weight &weight : kernel.weights)
      elements[kernel.unit] +=
          std::accumulate(weight.elements.begin(), weight.elements.end(), 0ull);
  size_t unit = size_t(llvm::max_element(elements) - elements.begin());
  std::vector<double> bytes, operations;
  for (const Rates &rate : result.rates) {
    bytes.push_back(rate.bytes * 1e-9);
    operations.push_back(rate.operations[unit] * 1e-9);
  }
  return {median(std::move(bytes)), median(std::move(operations))};
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

/// "AMD EPYC (znver3)": clouds hide a CPU's name, LLVM's name is its core.
static std::string cpuName() {
  std::string name;
  if (auto file = llvm::MemoryBuffer::getFileAsStream("/proc/cpuinfo"))
    for (StringRef line : llvm::split((*file)->getBuffer(), '\n'))
      if (line.starts_with("model name")) {
        name = line.split(": ").second.str() + " ";
        break;
      }
  return name + "(" + llvm::sys::getHostCPUName().str() + ")";
}

static std::string now() {
  std::time_t time = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&time));
  return text;
}

static json::Array kernelRecords(const Result &result) {
  json::Array list;
  for (const KernelTimes &kernel : result.kernels) {
    double time = median(kernel.microseconds);
    list.push_back(
        json::Object{{"name", kernel.name},
                     {"calls", kernel.calls},
                     {"us", time},
                     {"gbps", kernel.cost.bytes / time * 1e-3},
                     {"gops", kernel.cost.operations / time * 1e-3},
                     {"share", share(kernel.floor, kernel.microseconds)},
                     {"of_bound", share(kernel.bound, kernel.microseconds)},
                     {"empty_us", median(kernel.empty)},
                     {"net_share", netShare(kernel)}});
  }
  return list;
}

/// A result as fields in the order of columns.
static std::vector<std::pair<StringRef, json::Value>>
record(const Options &options, const Work &work, const Result &result) {
  auto [gbps, gops] = ceilings(result, work);
  std::vector<double> ts = rates(result);
  std::vector<std::pair<StringRef, json::Value>> fields = {
      {"build", "corellama " CORELLAMA_VERSION},
      {"cpu_info", cpuName()},
      {"model_filename", options.program},
      {"model_type", work.model},
      {"model_size", work.weightBytes},
      {"model_n_params", work.parameters},
      {"target", work.target},
      {"activations", work.activations},
      {"n_batch", work.mostRows()},
      {"n_threads", result.threads},
      {"type_k", work.keyType},
      {"type_v", work.valueType},
      {"n_prompt", result.isPrompt ? result.tokens : 0},
      {"n_gen", result.isPrompt ? 0 : result.tokens},
      {"n_depth", result.depth},
      {"test_time", now()},
      {"avg_ns", std::llround(mean(result.nanoseconds))},
      {"stddev_ns", std::llround(deviation(result.nanoseconds))},
      {"avg_ts", mean(ts)},
      {"stddev_ts", deviation(ts)},
      {"ceiling_gbps", gbps},
      {"ceiling_gops", gops},
      {"share", share(result.floor, result.nanoseconds)}};
  if (options.predict) {
    fields.push_back({"predicted_ts", mean(rates(result, result.prediction))});
    fields.push_back(
        {"of_predicted", share(result.prediction, result.nanoseconds)});
  }
  if (options.format == Format::CSV)
    return fields;
  fields.push_back({"samples_ns", json::Array(result.nanoseconds)});
  fields.push_back({"samples_ts", json::Array(ts)});
  if (!result.kernels.empty()) {
    fields.push_back({"barriers", result.barriers});
    fields.push_back({"barrier_us", median(result.barrierMicroseconds)});
    fields.push_back({"kernels", kernelRecords(result)});
  }
  return fields;
}

static void writeCSV(const Options &options, const Work &work,
                     llvm::ArrayRef<Result> results, llvm::raw_ostream &out) {
  for (auto [i, result] : llvm::enumerate(results)) {
    auto fields = record(options, work, result);
    auto line = [&](auto cell) {
      llvm::interleave(fields, out, cell, ",");
      out << '\n';
    };
    if (i == 0)
      line([&](const auto &field) { out << field.first; });
    line([&](const auto &field) {
      // RFC 4180: a quote inside of quotes is doubled.
      std::string text = field.second.getAsString().value_or("").str();
      if (field.second.kind() != json::Value::String)
        text = formatv("{0}", field.second);
      size_t at = 0;
      while ((at = text.find('"', at)) != text.npos)
        text.insert(at, "\""), at += 2;
      out << '"' << text << '"';
    });
  }
}

static void writeJSON(const Options &options, const Work &work,
                      llvm::ArrayRef<Result> results, llvm::raw_ostream &out) {
  auto object = [&](json::OStream &stream, const Result &result) {
    stream.object([&] {
      for (auto &[key, value] : record(options, work, result))
        stream.attribute(key, value);
    });
  };
  if (options.format == Format::JSONLines) {
    for (const Result &result : results) {
      json::OStream line(out);
      object(line, result);
      out << '\n';
    }
    return;
  }
  json::OStream stream(out, /*IndentSize=*/2);
  stream.array([&] {
    for (const Result &result : results)
      object(stream, result);
  });
  out << '\n';
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Rows of cells as a table of Markdown that a terminal shows well, too.
/// Columns of numbers are aligned right.
static void writeTable(llvm::ArrayRef<StringRef> columns, size_t textColumns,
                       llvm::ArrayRef<std::vector<std::string>> rows,
                       llvm::raw_ostream &out) {
  std::vector<size_t> widths;
  for (auto [i, column] : llvm::enumerate(columns)) {
    // "±" is one character in two bytes.
    auto width = [](StringRef text) {
      return text.size() - text.count("\xC2\xB1");
    };
    widths.push_back(std::max<size_t>(column.size(), 3));
    for (const auto &row : rows)
      widths[i] = std::max(widths[i], width(row[i]));
  }
  auto line = [&](auto cellAt) {
    for (size_t i = 0; i < columns.size(); ++i) {
      StringRef cell = cellAt(i);
      size_t width = widths[i] + cell.count("\xC2\xB1");
      out << "| ";
      if (i < textColumns)
        out << llvm::left_justify(cell, unsigned(width));
      else
        out << llvm::right_justify(cell, unsigned(width));
      out << ' ';
    }
    out << "|\n";
  };
  line([&](size_t i) { return columns[i]; });
  std::string rule;
  for (size_t i = 0; i < columns.size(); ++i)
    rule += "| " + std::string(widths[i] - (i >= textColumns), '-') +
            (i < textColumns ? " " : ": ");
  out << rule << "|\n";
  for (const auto &row : rows)
    line([&](size_t i) -> StringRef { return row[i]; });
}

static std::string number(double value, int digits) {
  return formatv(("{0:F" + std::to_string(digits) + "}").c_str(), value).str();
}

static std::string percent(double share) {
  return number(100 * share, 0) + "%";
}

static void writeMarkdown(const Options &options, const Work &work,
                          llvm::ArrayRef<Result> results,
                          llvm::raw_ostream &out) {
  std::string size = number(double(work.weightBytes) / (1 << 20), 2) + " MiB",
              parameters = number(double(work.parameters) * 1e-6, 2) + " M";
  if (work.weightBytes >= 1 << 30)
    size = number(double(work.weightBytes) / (1 << 30), 2) + " GiB";
  if (work.parameters >= 1'000'000'000)
    parameters = number(double(work.parameters) * 1e-9, 2) + " B";
  std::vector<std::vector<std::string>> rows;
  for (const Result &result : results) {
    std::vector<double> ts = rates(result);
    auto [gbps, gops] = ceilings(result, work);
    rows.push_back(
        {StringRef(work.model).rsplit(".gguf").first.str(), size, parameters,
         work.activations, std::to_string(result.threads), result.name(),
         number(mean(ts), 2) + " \xC2\xB1 " + number(deviation(ts), 2),
         number(gbps, 1), number(gops, 0),
         percent(share(result.floor, result.nanoseconds))});
    if (options.predict) {
      rows.back().push_back(number(mean(rates(result, result.prediction)), 2));
      rows.back().push_back(
          percent(share(result.prediction, result.nanoseconds)));
    }
  }
  llvm::SmallVector<StringRef> columns = {
      "model", "size", "params",       "activations",   "threads",
      "test",  "t/s",  "GB/s ceiling", "GOP/s ceiling", "share"};
  if (options.predict)
    columns.append({"predicted t/s", "of it"});
  writeTable(columns, 1, rows, out);
  out << "\n"
      << cpuName() << ", corellama " CORELLAMA_VERSION ", target "
      << work.target << "\n";
  for (const Result &result : results) {
    if (result.kernels.empty())
      continue;
    double total = 0;
    for (const KernelTimes &kernel : result.kernels)
      total += median(kernel.microseconds);
    double barrier = median(result.barrierMicroseconds);
    total += barrier * double(result.barriers);
    rows.clear();
    auto add = [&](const KernelTimes &kernel, const std::string &ofTime) {
      double time = median(kernel.microseconds);
      rows.push_back(
          {kernel.name, std::to_string(kernel.calls), number(time, 0), ofTime,
           number(kernel.cost.bytes / time * 1e-3, 1),
           number(kernel.cost.operations / time * 1e-3, 0),
           percent(share(kernel.floor, kernel.microseconds)),
           percent(share(kernel.bound, kernel.microseconds)),
           number(median(kernel.empty), 0), percent(netShare(kernel))});
    };
    for (const KernelTimes &kernel : result.kernels)
      add(kernel, percent(median(kernel.microseconds) / total));
    add(sumOf(result.kernels), "");
    rows.push_back({"barriers", std::to_string(result.barriers),
                    number(barrier * double(result.barriers), 0),
                    percent(barrier * double(result.barriers) / total), "", "",
                    "", "", "", ""});
    out << "\n"
        << result.name() << ", " << result.threads
        << (result.threads == 1 ? " thread" : " threads")
        << (result.isPrompt ? ": one call\n\n" : ": one token\n\n");
    writeTable({"kernel", "calls", "us", "of time", "GB/s", "GOP/s", "share",
                "of bound", "empty us", "net"},
               1, rows, out);
  }
}

void bench::report(const Options &options, const Work &work,
                   llvm::ArrayRef<Result> results, llvm::raw_ostream &out) {
  switch (options.format) {
  case Format::Markdown:
    return writeMarkdown(options, work, results, out);
  case Format::CSV:
    return writeCSV(options, work, results, out);
  case Format::JSON:
  case Format::JSONLines:
    return writeJSON(options, work, results, out);
  }
}
