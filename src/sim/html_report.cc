#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "sim/outcome.h"

namespace suan::sim {

namespace {

constexpr int chart_width = 720;
constexpr int chart_height = 240;
constexpr int margin_left = 56;
constexpr int margin_bottom = 28;
constexpr int margin_top = 12;
constexpr int margin_right = 12;
// Told apart also by those who see few colours (Okabe and Ito, 2008).
constexpr std::array<const char*, 7> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#555555"};

constexpr const char* style = R"(
body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:800px;margin:2em auto;padding:0 1em}
h1{font-size:1.4em;margin-bottom:.2em}h2{font-size:1.05em;margin:2em 0 .3em}
p{margin:.2em 0;color:#555}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.3em .6em;border-bottom:1px solid #e3e3e3}th{font-weight:600}
td{white-space:nowrap}th:first-child,td:first-child{text-align:left}svg{width:100%;height:auto}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
text{font:11px system-ui,sans-serif;fill:#555}
)";

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string number(double value, int decimals = 1) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// A round number not below that, to end an axis with.
double round_up(double value) {
  if (value <= 0) return 1;
  const double unit = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 2.5, 5.0, 10.0}) {
    if (step * unit >= value) return step * unit;
  }
  return 10 * unit;
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" stroke=\"#e3e3e3\"/>";
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         text + "</text>";
}

// Lines over the hours, one for each policy.
std::string chart(const Setting& setting, const std::vector<Outcome>& outcomes,
                  std::vector<double> Outcome::* which, double least, double most) {
  const double width = chart_width - margin_left - margin_right;
  const double height = chart_height - margin_top - margin_bottom;
  const double span = static_cast<double>(setting.lasts.us) / 3.6e9;
  const auto x_of = [&](double part) { return margin_left + part * width; };
  const auto y_of = [&](double value) {
    return margin_top + (1 - (std::clamp(value, least, most) - least) / (most - least)) * height;
  };
  std::string svg = "<svg viewBox=\"0 0 " + std::to_string(chart_width) + " " +
                    std::to_string(chart_height) + "\" role=\"img\">";
  constexpr int steps = 5;
  const double step = (most - least) / steps;
  for (int i = 0; i <= steps; ++i) {
    const double value = least + step * i;
    svg += line(margin_left, y_of(value), chart_width - margin_right, y_of(value));
    svg += label(margin_left - 6, y_of(value) + 4, "end",
                 number(value, std::floor(step) == step ? 0 : 1));
    const double part = static_cast<double>(i) / steps;
    svg += label(x_of(part), chart_height - 8, i == steps ? "end" : "middle",
                 number(span * part, span < 8 ? 1 : 0) + " h");
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::vector<double>& values = outcomes[i].*which;
    svg += "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"" +
           std::string(colours[i % colours.size()]) + "\" points=\"";
    for (std::size_t at = 0; at < values.size(); ++at) {
      const double part = (static_cast<double>(at) + 0.5) / static_cast<double>(values.size());
      svg += number(x_of(part)) + "," + number(y_of(values[at])) + " ";
    }
    svg += "\"/>";
  }
  return svg + "</svg>";
}

std::string row(const char* cell, const std::vector<std::string>& cells) {
  std::string html = "<tr>";
  for (const std::string& each : cells)
    html += std::string("<") + cell + ">" + each + "</" + cell + ">";
  return html + "</tr>";
}

std::string key(std::size_t number, const std::string& policy) {
  return "<span class=\"key\" style=\"background:" + std::string(colours[number % colours.size()]) +
         "\"></span>" + escaped(policy);
}

std::string summary(const std::vector<Outcome>& outcomes) {
  const bool has_prices = any_has(outcomes, &Outcome::cost_cny);
  const bool has_watts = any_has(outcomes, &Outcome::energy_kwh);
  std::vector<std::string> titles{"policy",  "allocated, %",         "waiting at the end",
                                  "refused", "jobs/s of the replay", "card hours"};
  if (has_prices) titles.emplace_back("CNY");
  if (has_watts) titles.emplace_back("kWh");
  std::string html = "<table>" + row("th", titles);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& each = outcomes[i];
    std::vector<std::string> cells{key(i, each.policy),
                                   print_figure(each.allocation),
                                   print_figure(each.waiting, 0),
                                   std::to_string(each.refused),
                                   number(each.jobs_per_second, 0),
                                   print_figure(each.card_hours, 0)};
    if (has_prices) cells.push_back(print_figure(each.cost_cny, 0));
    if (has_watts) cells.push_back(print_figure(each.energy_kwh, 0));
    html += row("td", cells);
  }
  return html + "</table>";
}

std::string waits_table(const std::vector<Outcome>& outcomes, const std::vector<std::string>& names,
                        Figure Waits::* which, bool Waits::* is_open) {
  std::vector<std::string> titles{"policy"};
  for (const std::string& name : names) titles.push_back(cards_title(name));
  std::string html = "<table>" + row("th", titles);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::vector<std::string> cells{key(i, outcomes[i].policy)};
    for (const std::string& name : names) {
      const auto at = outcomes[i].sizes.find(name);
      const bool is_there = at != outcomes[i].sizes.end() && (at->second.*which).seeds > 0;
      cells.push_back(
          is_there ? (at->second.*is_open ? "&gt;" : "") + number((at->second.*which).mean) : "–");
    }
    html += row("td", cells);
  }
  return html + "</table>";
}

std::string what_came(const Setting& setting) {
  const std::string span = number(static_cast<double>(setting.lasts.us) / 3.6e9) + " hours";
  if (setting.load_percent == 0)
    return "Jobs came as recorded" +
           (setting.speed == 1 ? "" : ", " + std::to_string(setting.speed) + " times as fast") +
           ", over " + span + ".";
  return "Jobs were drawn from the list so that " + std::to_string(setting.load_percent) +
         "&#160;% of the cards are asked for, over " + span + "; seed " +
         std::to_string(setting.seed) +
         (setting.seeds == 1 ? "" : " and " + std::to_string(setting.seeds - 1) + " more") + ".";
}

}  // namespace

std::string html_report(const Setting& setting, const std::vector<Outcome>& outcomes) {
  double least = 100;
  double most = 0;
  std::vector<std::string> names;
  for (const Outcome& outcome : outcomes) {
    least = std::min(least, std::ranges::min(outcome.allocation_course));
    most = std::max(most, std::ranges::max(outcome.waiting_course));
    for (const auto& [name, waits] : outcome.sizes) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  names = cards_in_order(std::move(names));
  std::string html =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\">"
      "<title>suan simulate</title><style>";
  html += style;
  html += "</style><h1>" + escaped(setting.jobs) + "</h1><p>on " + escaped(setting.nodes) + ": " +
          std::to_string(setting.cards) + " cards on " + std::to_string(setting.node_count) +
          " nodes. " + what_came(setting) + "</p><h2>In short</h2>" + summary(outcomes);
  html += "<h2>Cards that jobs hold, in percent</h2>" +
          chart(setting, outcomes, &Outcome::allocation_course, std::floor(least / 10) * 10, 100);
  html += "<h2>Jobs that wait</h2>" +
          chart(setting, outcomes, &Outcome::waiting_course, 0, round_up(most));
  html += "<h2>Minutes that half of the jobs waited at most</h2>" +
          waits_table(outcomes, names, &Waits::median, &Waits::median_is_open) +
          "<h2>Minutes that 99 in 100 waited at most</h2>" +
          waits_table(outcomes, names, &Waits::p99, &Waits::p99_is_open) +
          "<p>Of jobs that came meanwhile. &gt;: that job still waits.</p></html>\n";
  return html;
}

}  // namespace suan::sim
