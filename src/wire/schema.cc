#include "wire/schema.h"

namespace suan::wire {

std::string SchemaSet::definitions() const {
  std::string out;
  for (const auto& [name, definition] : definitions_) append_property(out, name, definition.schema);
  return "{" + out + "}";
}

std::string SchemaSet::integer_schema(bool is_signed, std::size_t bytes) {
  std::string out = R"({"type":"integer")";
  if (bytes >= 4) out += bytes == 8 ? R"(,"format":"int64")" : R"(,"format":"int32")";
  // Beyond 2^53 a bound would be rounded by those who read the schema.
  if (!is_signed) out += R"(,"minimum":0)";
  if (bytes < 8) {
    const std::int64_t most = (std::int64_t{1} << (bytes * 8 - (is_signed ? 1 : 0))) - 1;
    if (is_signed) out += R"(,"minimum":)" + std::to_string(-most - 1);
    out += R"(,"maximum":)" + std::to_string(most);
    if (!is_signed && bytes == 4) out.replace(out.find("int32"), 5, "int64");
  }
  return out + "}";
}

std::string SchemaSet::enum_schema(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (name.empty()) continue;
    if (!out.empty()) out += ',';
    JsonWriter(out).string(name);
  }
  return R"({"type":"string","enum":[)" + out + "]}";
}

std::string SchemaSet::id_schema(std::string_view prefix) {
  return R"({"type":["string","null"],"pattern":"^)" + std::string(prefix) + R"(-[1-9][0-9]*$"})";
}

std::string SchemaSet::or_null(std::string schema) {
  return R"({"anyOf":[)" + std::move(schema) + R"(,{"type":"null"}]})";
}

std::string SchemaSet::value_schema(const Money*) {
  return R"({"type":["string","number"],"pattern":"^-?[0-9]+(\\.[0-9]{1,6})?$",)"
         R"("description":"CNY, with at most 6 decimals."})";
}

std::string SchemaSet::value_schema(const Span*) {
  return R"({"type":["number","string"],"description":"Seconds, or a text such as \"6h\"."})";
}

std::string SchemaSet::value_schema(const Moment*) {
  return R"({"type":["string","null"],"format":"date-time"})";
}

std::string SchemaSet::value_schema(const Digest*) {
  return R"({"type":["string","null"],"pattern":"^[0-9a-f]{64}$"})";
}

std::string SchemaSet::value_schema(const RequestId*) {
  return R"({"type":["string","null"],"format":"uuid"})";
}

std::string SchemaSet::described(std::string schema, std::string_view text) {
  if (text.empty()) return schema;
  const std::size_t old = schema.find(R"("description":)");
  const bool is_flat =
      schema.find("\":{") == std::string::npos && schema.find("[{") == std::string::npos;
  if (old != std::string::npos && is_flat) {
    // The field's own words, then those of its type.
    std::string words;
    JsonWriter(words).string(text);
    words.back() = ' ';
    return schema.replace(old + 14, 1, words);
  }
  schema.pop_back();
  schema += schema.size() > 1 ? R"(,"description":)" : R"("description":)";
  JsonWriter(schema).string(text);
  return schema + "}";
}

std::string SchemaSet::name_for(std::string_view type) const {
  std::string short_name(type.substr(type.rfind(':') + 1));
  const auto there = definitions_.find(short_name);
  if (there == definitions_.end() || there->second.type == type) return short_name;
  std::string whole;
  for (const char c : type) {
    if (c != ':')
      whole += c;
    else if (!whole.ends_with('.'))
      whole += '.';
  }
  return whole;
}

void SchemaSet::append_property(std::string& properties, std::string_view name,
                                std::string_view schema) {
  if (!properties.empty()) properties += ',';
  properties += '"';
  properties += name;
  properties += "\":";
  properties += schema;
}

}  // namespace suan::wire
