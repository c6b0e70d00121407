#include "spec/regions.h"

#include <algorithm>
#include <array>
#include <utility>

namespace suan::spec {

namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

// ISO 3166-2:CN, by the names that people use.
constexpr std::array<std::pair<std::string_view, std::string_view>, 38> names{{
    {"anhui", "cn-ah"},          {"beijing", "cn-bj"},      {"chongqing", "cn-cq"},
    {"fujian", "cn-fj"},         {"gansu", "cn-gs"},        {"guangdong", "cn-gd"},
    {"guangxi", "cn-gx"},        {"guizhou", "cn-gz"},      {"hainan", "cn-hi"},
    {"hebei", "cn-he"},          {"heilongjiang", "cn-hl"}, {"henan", "cn-ha"},
    {"hong-kong", "cn-hk"},      {"hubei", "cn-hb"},        {"hunan", "cn-hn"},
    {"inner-mongolia", "cn-nm"}, {"jiangsu", "cn-js"},      {"jiangxi", "cn-jx"},
    {"jilin", "cn-jl"},          {"liaoning", "cn-ln"},     {"macao", "cn-mo"},
    {"macau", "cn-mo"},          {"neimenggu", "cn-nm"},    {"nei-mongol", "cn-nm"},
    {"ningxia", "cn-nx"},        {"qinghai", "cn-qh"},      {"shaanxi", "cn-sn"},
    {"shandong", "cn-sd"},       {"shanghai", "cn-sh"},     {"shanxi", "cn-sx"},
    {"sichuan", "cn-sc"},        {"taiwan", "cn-tw"},       {"tianjin", "cn-tj"},
    {"tibet", "cn-xz"},          {"xinjiang", "cn-xj"},     {"xizang", "cn-xz"},
    {"yunnan", "cn-yn"},         {"zhejiang", "cn-zj"},
}};

}  // namespace

bool is_region(std::string_view text) {
  if (text.size() < 2 || !is_lower(text[0]) || !is_lower(text[1])) return false;
  if (text.size() == 2) return true;
  const std::string_view part = text.substr(3);
  return text[2] == '-' && !part.empty() && part.size() <= 3 &&
         std::all_of(part.begin(), part.end(),
                     [](char c) { return is_lower(c) || (c >= '0' && c <= '9'); });
}

std::string suggest_region(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (c == '_' || c == ' ') c = '-';
  }
  if (is_region(plain)) return plain;
  std::string_view name = plain;
  if (name.starts_with("cn-")) name.remove_prefix(3);
  for (const auto& [known, region] : names) {
    if (known == name) return std::string(region);
  }
  return {};
}

}  // namespace suan::spec
