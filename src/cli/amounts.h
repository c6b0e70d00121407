#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"

/// Amounts as people read them in a table. For exact values there is -o json.
namespace suan::cli {

/// "now", "3m ago", "in 2h"; two units at most ("1h5m ago"); "" of a moment never set.
std::string print_ago(Moment, Moment now);

/// "45s", "3m20s", "2h5m", "3d4h"; "" of 0.
std::string print_rough(Span);

/// "1,234.50 CNY": at least two decimals, and as many as it has; "" of 0.
std::string print_cny(Money);

/// The same with "0.00 CNY" of 0.
std::string print_balance(Money);

/// Thousandths as a decimal: "8", "0.25".
std::string print_milli(std::int64_t milli);

/// "H800-SXM:8", "4 cores": what one node gives to a job.
std::string print_cards(std::string_view chip, std::int64_t card_milli, std::int64_t cpu_milli);

/// "64 GB": at most one decimal; "" of 0.
std::string print_size(std::int64_t bytes);

/// Thousands apart: "12,345".
std::string print_count(std::uint64_t);

}  // namespace suan::cli
