#include "zones.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/ensure.h"
#include "lines.h"

namespace suan::bench {

namespace {

constexpr Source carbon{
    "carbon/carbon_hourly_2021_2024.csv.gz",
    "github HewlettPackard/sustain-cluster 293fbd152dae, data/carbon_intensity"};
constexpr Source price{"electricity_price/price_hourly_2020_2024.csv.gz",
                       "github HewlettPackard/sustain-cluster 293fbd152dae, "
                       "data/electricity_prices/standardized"};
constexpr Source egress{"network_cost/gcp_transmission_cost_matrix.csv",
                        "github HewlettPackard/sustain-cluster 293fbd152dae, "
                        "gcp_transmission_cost_matrix.csv"};
constexpr Source latency{"latency/gcp_latency_matrix.csv",
                         "github umassos/decarbonization-potential 3493a63016bd"};

constexpr std::int64_t gap_hours_max = 24;

/// One zone by its names in the four sources.
struct Place {
  const char* zone;        // Of the carbon series, and the name we use.
  const char* price_zone;  // Of the price series.
  const char* price_hour;  // The column of the price series that holds the hour in UTC.
  const char* region;      // Of the egress matrix.
  const char* latency;     // Row and column of the latency matrix; "" where it has none.
};

// Regions marked * stand in for a nearer one that the egress matrix lacks.
//
// The prices of California, PJM and New York are stamped late by their own offset to UTC: by `utc`
// California would be cheapest at eight in the evening and dearest at two in the night. Their
// `local`, which was made from that `utc`, is the true UTC: it puts California's dip at noon, where
// its carbon series has it, and the record of 2022-09-06 in the early evening, where it was.
//
// Other series are odd but stand as published: Chile's prices of 2024 repeat those of 2023, South
// Africa's are a tariff by time of use, and Brazil's hardly move from 2022 to the summer of 2024.
constexpr std::array<Place, zone_count> places{{
    {"AU-NSW", "AU-NSW", "utc", "australia-southeast1", "AUS-NSW"},
    {"AU-VIC", "AU-VIC", "utc", "australia-southeast1", "AUS-VIC"},  // * Melbourne: Sydney.
    {"BR-CS", "BR-SP", "utc", "southamerica-east1", "BR-CS"},        // São Paulo has the price.
    {"CA-ON", "CA-ON", "utc", "us-east1", "CA-ON"},                  // * Toronto: Carolina.
    {"CL-SEN", "CL-SIC", "utc", "southamerica-east1", "CL-SEN"},     // * Santiago: São Paulo.
    {"DE", "DE-LU", "utc", "europe-west4", "DE"},                    // * Frankfurt: Netherlands.
    {"IN-WE", "IN-WE", "utc", "asia-south1", "IN-MH"},               // Mumbai.
    {"JP-TK", "JP-TK", "utc", "asia-northeast1", "JP-TK"},           // Tokyo.
    {"KR", "KR", "utc", "asia-northeast1", "KR"},                    // * Seoul: Tokyo.
    {"SG", "SG", "utc", "asia-southeast1", "SG"},                    // Singapore.
    {"US-CAL-CISO", "US-CAL-CISO", "local", "us-west1", "US-CAL-CISO"},   // * Los Angeles: Oregon.
    {"US-MIDA-PJM", "US-MIDA-PJM", "local", "us-east1", "US-MIDA-PJM"},   // * Virginia: Carolina.
    {"US-NY-NYIS", "US-NY-NYIS", "local", "us-east1", ""},                // * No region: Carolina.
    {"US-TEX-ERCO", "US-TEX-ERCO", "utc", "us-central1", "US-TEX-ERCO"},  // * Dallas: Iowa.
    {"ZA", "ZA", "utc", "africa-south1", ""},                             // Johannesburg.
}};

// "2021-01-01 00:30" as hours since 1970, rounded down: India's hours begin at half past.
std::optional<std::int64_t> parse_hour(std::string_view text) {
  const auto part = [&](std::size_t first, std::size_t size) {
    int number = -1;
    std::from_chars(text.data() + first, text.data() + first + size, number);
    return number;
  };
  if (text.size() != 16 || text[10] != ' ') return std::nullopt;
  const int month = part(5, 2);
  const int day = part(8, 2);
  const int hour = part(11, 2);
  if (month < 0 || day < 0 || hour < 0 || hour > 23) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{part(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{24} + hour;
}

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// The values of one zone for `hours` hours, and the last one before them.
struct Series {
  std::vector<double> values;
  double before = unknown;

  // Fills gaps by the last known value, one at the very start by the first; nullopt for a gap that
  // is too long. How many values were filled.
  std::optional<std::int64_t> fill() {
    const auto known = [](double value) { return !std::isnan(value); };
    if (const auto first = std::ranges::find_if(values, known);
        std::isnan(before) && first != values.end()) {
      before = *first;
    }
    std::int64_t filled = 0;
    std::int64_t gap = 0;
    for (double& value : values) {
      gap = std::isnan(value) ? gap + 1 : 0;
      if (gap > gap_hours_max || (gap > 0 && std::isnan(before))) return std::nullopt;
      filled += gap > 0 ? 1 : 0;
      if (gap > 0) value = before;
      before = value;
    }
    return filled;
  }
};

/// Reads one column of a CSV of zones and hours.
class SeriesReader {
 public:
  SeriesReader(const Source& source, const char* value, std::int64_t first_hour, std::int64_t hours)
      : source_(source), value_(value), first_hour_(first_hour), hours_(hours) {
    for (Series& series : series_) series.values.assign(static_cast<std::size_t>(hours), unknown);
  }

  // In the order of `places`, without gaps. `name` and `hour` are the members of Place that tell
  // the zone's name in this file and the column of the hour; without `hour` that is "utc".
  Result<std::vector<std::vector<double>>> read(const std::string& traces,
                                                const char* Place::* name,
                                                const char* Place::* hour);

  std::int64_t filled() const { return filled_; }

 private:
  Result<std::size_t> column(const Lines&, std::string_view name) const;
  Result<void> add(const Lines&, std::size_t zone, std::string_view hour, std::string_view value);

  Source source_;
  const char* value_;
  std::int64_t first_hour_;
  std::int64_t hours_;
  std::array<Series, zone_count> series_;
  std::int64_t filled_ = 0;
};

Result<std::size_t> SeriesReader::column(const Lines& lines, std::string_view name) const {
  const auto cells = split_cells(lines.line());
  const auto found = std::ranges::find(cells, name);
  if (found == cells.end()) return lines.wrong_line("there is no column " + std::string(name));
  return static_cast<std::size_t>(found - cells.begin());
}

Result<void> SeriesReader::add(const Lines& lines, std::size_t zone, std::string_view hour,
                               std::string_view value) {
  const auto at = parse_hour(hour);
  if (!at) return lines.wrong_line("'" + std::string(hour) + "' is no date and hour");
  const std::int64_t index = *at - first_hour_;
  if (index >= hours_ || index < -gap_hours_max || value.empty()) return {};
  const auto number = parse_number(value);
  if (!number) return lines.wrong_line(number.error().text);
  Series& series = series_[zone];
  (index < 0 ? series.before : series.values[static_cast<std::size_t>(index)]) = *number;
  return {};
}

Result<std::vector<std::vector<double>>> SeriesReader::read(const std::string& traces,
                                                            const char* Place::* name,
                                                            const char* Place::* hour) {
  SUAN_TRY(Lines lines, Lines::open(traces, source_));
  SUAN_CHECK(lines.next());
  SUAN_TRY(const std::size_t zone_column, column(lines, "zone"));
  SUAN_TRY(const std::size_t value_column, column(lines, value_));
  std::array<std::size_t, zone_count> hour_columns{};
  for (std::size_t zone = 0; zone < zone_count; ++zone) {
    SUAN_TRY(hour_columns[zone], column(lines, hour == nullptr ? "utc" : places[zone].*hour));
  }
  while (true) {
    SUAN_TRY(const bool is_line, lines.next());
    if (!is_line) break;
    const auto cells = split_cells(lines.line());
    if (cells.size() <= std::max({zone_column, value_column, std::ranges::max(hour_columns)}))
      return lines.wrong_line("a cell is missing");
    const auto place = std::ranges::find(places, cells[zone_column], name);
    if (place == places.end()) continue;
    const auto zone = static_cast<std::size_t>(place - places.begin());
    SUAN_CHECK(add(lines, zone, cells[hour_columns[zone]], cells[value_column]));
  }
  std::vector<std::vector<double>> all;
  for (std::size_t zone = 0; zone < zone_count; ++zone) {
    const auto filled = series_[zone].fill();
    if (!filled) {
      return source_failure(
          Failure::Kind::invalid, source_,
          std::string("the hours asked for are not all there for ") + places[zone].*name,
          traces + "/" + source_.path);
    }
    filled_ += *filled;
    all.push_back(std::move(series_[zone].values));
  }
  return all;
}

/// A table of numbers with a name for each column and row.
struct Matrix {
  std::vector<std::string> columns;
  std::vector<std::string> rows;
  std::vector<std::vector<double>> values;

  // Between two names; the first of rows or columns of one name. nullopt for an unknown name.
  std::optional<double> find(std::string_view row, std::string_view column) const {
    const auto y = std::ranges::find(rows, row);
    const auto x = std::ranges::find(columns, column);
    if (y == rows.end() || x == columns.end()) return std::nullopt;
    return values[static_cast<std::size_t>(y - rows.begin())]
                 [static_cast<std::size_t>(x - columns.begin())];
  }
};

Result<Matrix> read_matrix(const std::string& traces, const Source& source) {
  SUAN_TRY(Lines lines, Lines::open(traces, source));
  SUAN_CHECK(lines.next());
  Matrix matrix;
  for (const std::string_view cell : split_cells(lines.line())) matrix.columns.emplace_back(cell);
  matrix.columns.erase(matrix.columns.begin());
  while (true) {
    SUAN_TRY(const bool is_line, lines.next());
    if (!is_line) return matrix;
    const auto cells = split_cells(lines.line());
    if (cells.size() != matrix.columns.size() + 1)
      return lines.wrong_line("there must be a name and a number for each column");
    matrix.rows.emplace_back(cells[0]);
    std::vector<double>& row = matrix.values.emplace_back();
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const auto number = parse_number(cells[i]);
      if (!number) return lines.wrong_line(number.error().text);
      row.push_back(*number);
    }
  }
}

Result<ZoneMatrix> read_rtt(const std::string& traces) {
  SUAN_TRY(const Matrix matrix, read_matrix(traces, latency));
  ZoneMatrix rtt_ms;
  for (std::size_t from = 0; from < zone_count; ++from) {
    for (std::size_t to = 0; to < zone_count; ++to) {
      rtt_ms[from][to] = -1;
      const Place& a = places[from];
      const Place& b = places[to];
      if (*a.latency == '\0' || *b.latency == '\0') continue;
      const auto there = matrix.find(a.latency, b.latency);
      const auto back = matrix.find(b.latency, a.latency);
      if (!there || !back) {
        return source_failure(Failure::Kind::invalid, latency,
                              std::string("there is no way from ") + a.latency + " to " + b.latency,
                              traces + "/" + latency.path);
      }
      // The two directions were measured apart and differ by a few ms.
      rtt_ms[from][to] = std::max(*there, *back);
    }
  }
  return rtt_ms;
}

// USD for a GB from one region to another. Two zones may share a region, but leaving a site is
// never free: within one it costs what the cheapest way into it costs from any other.
std::optional<double> find_egress(const Matrix& matrix, std::string_view from,
                                  std::string_view to) {
  if (from != to) return matrix.find(from, to);
  std::optional<double> cheapest;
  for (const std::string& row : matrix.rows) {
    const auto usd = matrix.find(row, to);
    if (row != to && usd && (!cheapest || *usd < *cheapest)) cheapest = usd;
  }
  return cheapest;
}

Result<ZoneMatrix> read_egress(const std::string& traces) {
  SUAN_TRY(const Matrix matrix, read_matrix(traces, egress));
  ZoneMatrix usd_per_gb{};
  for (std::size_t from = 0; from < zone_count; ++from) {
    for (std::size_t to = 0; to < zone_count; ++to) {
      if (from == to) continue;
      const auto usd = find_egress(matrix, places[from].region, places[to].region);
      if (!usd) {
        return source_failure(
            Failure::Kind::invalid, egress,
            std::string("there is no way from ") + places[from].region + " to " + places[to].region,
            traces + "/" + egress.path);
      }
      usd_per_gb[from][to] = *usd;
    }
  }
  return usd_per_gb;
}

}  // namespace

Result<Zones> read_zones(const std::string& traces, std::int64_t first_hour, std::int64_t hours) {
  ensure(hours > 0);
  SeriesReader prices(price, "usd_per_mwh", first_hour, hours);
  SeriesReader intensities(carbon, "gco2_kwh_lca", first_hour, hours);
  SUAN_TRY(auto usd_per_mwh, prices.read(traces, &Place::price_zone, &Place::price_hour));
  SUAN_TRY(auto g_per_kwh, intensities.read(traces, &Place::zone, nullptr));
  Zones read;
  read.first_hour = first_hour;
  read.hours_filled = prices.filled() + intensities.filled();
  for (std::size_t zone = 0; zone < zone_count; ++zone) {
    for (double& usd : usd_per_mwh[zone]) {
      read.hours_below_zero += usd < 0 ? 1 : 0;
      usd = std::max(usd, 0.0);
    }
    read.zones.push_back(
        {places[zone].zone, std::move(usd_per_mwh[zone]), std::move(g_per_kwh[zone])});
  }
  SUAN_TRY(read.rtt_ms, read_rtt(traces));
  SUAN_TRY(read.egress_usd_per_gb, read_egress(traces));
  return read;
}

}  // namespace suan::bench
