#include "spec/inputs.h"

#include <algorithm>
#include <set>

#include "model/place.h"
#include "wire/json.h"
#include "wire/json_reader.h"

namespace suan::spec {

namespace {

using wire::quote;

constexpr std::size_t each_max = 64;  // Inputs, and outputs.
constexpr std::size_t text_max = 4096;
constexpr std::string_view hexadecimal = "0123456789abcdef";

using Note = Callback<void(std::string, std::string)>;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text,
                             [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

// What is wrong with a directory of the work; "" if nothing is.
std::string find_path_fault(std::string_view path) {
  if (path.size() > text_max || has_control(path)) return "is too long, or has control characters";
  const std::string_view below = path.starts_with('/') ? path.substr(1) : path;
  if (!is_plain_path(below))
    return "must name a directory, without . and .. and a slash at the end: data, or /data in an "
           "image";
  if (path.starts_with('/'))
    for (const std::string_view taken : {"proc", "sys", "dev", "suan"})
      if (below.substr(0, below.find('/')) == taken)
        return "is not free in an image: /" + std::string(taken) + " belongs to the system";
  return {};
}

// The same of "STORE:path".
std::string find_place_fault(std::string_view place, std::string_view example) {
  const std::string form = ": write STORE:path, such as " + std::string(example);
  if (place.size() > text_max || has_control(place))
    return "is too long, or has control characters";
  const std::size_t colon = place.find(':');
  if (place.find("://") != std::string_view::npos)
    return "has a scheme that is not fetched" + form + ", where the domain says what the store is";
  if (colon == std::string_view::npos || !is_store_name(place.substr(0, colon)))
    return "names no store" + form;
  const std::string_view path = place.substr(colon + 1);
  if (!is_plain_path(path))
    return "has no plain path behind the store, without . and .. and doubled slashes" + form;
  return {};
}

std::string find_url_fault(std::string_view url) {
  if (url.size() > text_max || has_control(url) || url.find(' ') != std::string_view::npos)
    return "is too long, or has blanks: write them as %20";
  const std::string_view rest = url.substr(url.find("://") + 3);
  const std::string_view path = rest.substr(0, rest.find_first_of("?#"));
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos || path.ends_with('/'))
    return "names no file: a URL is fetched as the file whose name it ends with";
  return {};
}

std::string find_source_fault(std::string_view source) {
  if (is_url(source)) return find_url_fault(source);
  return find_place_fault(source, "bucket:corpus");
}

class DataReader {
 public:
  DataReader(Payload& payload, Note note) : payload_(payload), note_(std::move(note)) {}

  void read(const SpecDocument& document) {
    if (document.inputs.size() > each_max)
      note_("/inputs", "at most " + std::to_string(each_max) + " inputs are allowed");
    if (document.outputs.size() > each_max)
      note_("/outputs", "at most " + std::to_string(each_max) + " outputs are allowed");
    for (const auto& [path, input] : document.inputs) read_input(path, input);
    for (const auto& [path, output] : document.outputs) read_output(path, output);
  }

 private:
  void read_input(const std::string& path, const InputDocument& document) {
    std::string pointer = "/inputs";
    wire::append_pointer(pointer, path);
    check_path(pointer, path);
    Input input{.path = path, .source = document.source.value_or(""), .sha256 = {}};
    if (const std::string fault = find_source_fault(input.source); !document.source)
      note_(pointer + "/source", "is missing: an http or https URL, or STORE:path");
    else if (!fault.empty())
      note_(pointer + "/source", quote(input.source) + " " + fault);
    if (document.checksum) {
      const std::string_view sum = *document.checksum;
      constexpr std::string_view kind = "sha256:";
      if (sum.starts_with(kind)) input.sha256 = sum.substr(kind.size());
      if (input.sha256.size() != 64 ||
          input.sha256.find_first_not_of(hexadecimal) != std::string::npos)
        note_(pointer + "/checksum", quote(sum) +
                                         " is no checksum: write sha256: and 64 digits of 0-9 and "
                                         "a-f, as sha256sum prints them");
    }
    payload_.inputs.push_back(std::move(input));
  }

  void read_output(const std::string& path, const OutputDocument& document) {
    std::string pointer = "/outputs";
    wire::append_pointer(pointer, path);
    if (!payload_has_input(path)) check_path(pointer, path);
    const std::string to = document.to.value_or("");
    if (const std::string fault = find_place_fault(to, "bucket:run"); !document.to)
      note_(pointer + "/to", "is missing: STORE:path");
    else if (!fault.empty())
      note_(pointer + "/to", quote(to) + " " + fault);
    payload_.outputs.push_back(
        {.path = path, .to = to, .is_always = document.when && document.when->text == "always"});
  }

  bool payload_has_input(std::string_view path) const {
    return std::ranges::find(payload_.inputs, path, &Input::path) != payload_.inputs.end();
  }

  // A directory may be input and output at once; it may not lie in another one.
  void check_path(const std::string& pointer, const std::string& path) {
    if (const std::string fault = find_path_fault(path); !fault.empty())
      return note_(pointer, quote(path) + " " + fault);
    for (const std::string& other : paths_) {
      const bool is_inside = path.starts_with(other + "/");
      if (is_inside || other.starts_with(path + "/"))
        note_(pointer, quote(is_inside ? path : other) + " lies in " +
                           quote(is_inside ? other : path) + ", which is moved by itself");
    }
    paths_.insert(path);
  }

  Payload& payload_;
  Note note_;
  std::set<std::string> paths_;
};

}  // namespace

void read_data(const SpecDocument& document, Payload& payload, Note mistake) {
  DataReader(payload, std::move(mistake)).read(document);
}

std::vector<std::string> stores_of(const Payload& payload) {
  std::set<std::string> names;
  const auto add = [&](std::string_view place) {
    if (!is_url(place)) names.emplace(place.substr(0, place.find(':')));
  };
  for (const Input& each : payload.inputs) add(each.source);
  for (const Output& each : payload.outputs) add(each.to);
  return {names.begin(), names.end()};
}

}  // namespace suan::spec
