#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "wire/bytes.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"

/// JSON Schema (2020-12, as OpenAPI 3.1 uses it) of records, from their fields(): what from_json
/// accepts. A field is described by a text behind its member: `visit(1, "name", self.name, "…")`.
namespace suan::wire {

/// The C++ name of a type: "suan::api::JobView".
template <class T>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;  // "… [with T = suan::JobSpec; …]" or "[T = …]".
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_first_of(";]"));
}

/// Collects the schemas of records and of all records in them, each once and by name.
class SchemaSet {
 public:
  /// `place` is where the document will have them: "#/components/schemas/" in OpenAPI.
  explicit SchemaSet(std::string place = "#/$defs/") : place_(std::move(place)) {}

  /// The schema of a value of this type; of a record `{"$ref": …}`.
  template <class T>
  std::string schema() {
    if constexpr (HasJsonForm<T>)
      return T::json_schema();
    else if constexpr (std::same_as<T, bool>)
      return R"({"type":"boolean"})";
    else if constexpr (std::integral<T>)
      return integer_schema(std::is_signed_v<T>, sizeof(T));
    else if constexpr (std::same_as<T, double>)
      return R"({"type":"number"})";
    else if constexpr (std::same_as<T, std::string>)
      return R"({"type":"string"})";
    else if constexpr (std::is_enum_v<T>)
      return enum_schema(enumerator_names<T>);
    else if constexpr (is_id<T>)
      return id_schema(id_prefix<T>);
    else if constexpr (is_optional<T>)
      return or_null(schema<typename T::value_type>());
    else if constexpr (is_shared<T>)
      return or_null(schema<std::remove_const_t<typename T::element_type>>());
    else if constexpr (is_list<T>)
      return R"({"type":"array","items":)" + schema<typename T::value_type>() + "}";
    else if constexpr (is_map<T>)
      return R"({"type":"object","additionalProperties":)" + schema<typename T::mapped_type>() +
             "}";
    else if constexpr (Record<T>)
      return record_ref<T>();
    else
      return value_schema(static_cast<const T*>(nullptr));
  }

  /// All records so far, by name, as one JSON object.
  std::string definitions() const;

 private:
  struct Definition {
    std::string_view type;
    std::string schema;
  };

  static std::string integer_schema(bool is_signed, std::size_t bytes);
  static std::string enum_schema(std::span<const std::string_view> names);
  static std::string id_schema(std::string_view prefix);
  static std::string or_null(std::string schema);
  static std::string value_schema(const Money*);
  static std::string value_schema(const Span*);
  static std::string value_schema(const Moment*);
  static std::string value_schema(const Digest*);
  static std::string value_schema(const RequestId*);
  static std::string described(std::string schema, std::string_view text);
  // The short name of a type, or its whole one where another type has the short one.
  std::string name_for(std::string_view type) const;

  template <class T>
  std::string record_ref() {
    const std::string name = name_for(type_name<T>());
    if (definitions_.emplace(name, Definition{type_name<T>(), {}}).second) {
      std::string properties;
      const T value{};
      T::fields(
          [&]<class Field>(std::uint32_t, std::string_view field_name, const Field&,
                           const auto&... doc) {
            std::string_view text;
            ((text = doc), ...);
            append_property(properties, field_name, described(schema<Field>(), text));
            if constexpr (HasAliases<T>) {
              for (const Alias& each : T::aliases) {
                if (each.name != field_name) continue;
                append_property(
                    properties, each.alias,
                    described(schema<Field>(), "Another name of " + std::string(field_name) + "."));
              }
            }
          },
          value);
      definitions_[name].schema =
          R"({"type":"object","additionalProperties":false,"properties":{)" + properties + "}}";
    }
    return R"({"$ref":")" + place_ + name + "\"}";
  }
  static void append_property(std::string& properties, std::string_view name,
                              std::string_view schema);

  std::string place_;
  std::map<std::string, Definition> definitions_;
};

/// The schema of one record as a document of its own.
template <Record T>
std::string json_schema() {
  SchemaSet set;
  const std::string root = set.schema<T>();
  return R"({"$schema":"https://json-schema.org/draft/2020-12/schema",)" +
         root.substr(1, root.size() - 2) + R"(,"$defs":)" + set.definitions() + "}";
}

}  // namespace suan::wire
