#include "engine/image_unpack.h"

#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testing/tar_bytes.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

class ImageUnpack : public testing::Test {
 protected:
  ImageUnpack() {
    for (const char* each : {"outside", "out"})
      EXPECT_TRUE(make_directory(AT_FDCWD, top_.path() + "/" + each));
    EXPECT_TRUE(replace_file(AT_FDCWD, top_.path() + "/outside/secret", "mine"));
  }

  Result<UnpackedImage> unpack(const std::string& bytes, const ImageBounds& bounds = {}) {
    const std::string path = top_.path() + "/archive";
    EXPECT_TRUE(replace_file(AT_FDCWD, path, bytes));
    EXPECT_TRUE(remove_tree(AT_FDCWD, top_.path() + "/out"));
    EXPECT_TRUE(make_directory(AT_FDCWD, top_.path() + "/out"));
    const Fd archive(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const Fd out(::open((top_.path() + "/out").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return unpack_image(archive.get(), out.get(), bounds);
  }
  std::string reason(const std::string& bytes, const ImageBounds& bounds = {}) {
    const auto image = unpack(bytes, bounds);
    return image ? "" : image.error().text;
  }
  std::string at(const std::string& path) const { return top_.path() + "/out/rootfs/" + path; }
  std::string read(const std::string& path) const {
    return read_file(AT_FDCWD, at(path), 1 << 20U).value_or("(none)");
  }
  std::vector<std::string> names(const std::string& path = "") const {
    return names_in(AT_FDCWD, at(path));
  }
  struct stat about(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(::lstat(at(path).c_str(), &status), 0) << path;
    return status;
  }
  // Nothing outside may have changed, whatever the archive said.
  void expect_outside_untouched() const {
    EXPECT_EQ(names_in(AT_FDCWD, top_.path()),
              (std::vector<std::string>{"archive", "out", "outside"}));
    EXPECT_EQ(names_in(AT_FDCWD, top_.path() + "/outside"), std::vector<std::string>{"secret"});
    EXPECT_EQ(read_file(AT_FDCWD, top_.path() + "/outside/secret", 100).value_or(""), "mine");
  }

  TemporaryDirectory top_;
};

using Names = std::vector<std::string>;

TEST_F(ImageUnpack, a_root_file_system_as_it_is) {
  TarBytes tar;
  tar.directory("./").directory("./bin").file("./bin/tool", "#!", 04755);
  tar.symbolic_link("./sbin", "bin").hard_link("./bin/other", "./bin/tool");
  tar.directory("./tmp", 01777).file("/etc/motd", "hello").device("./null");
  const auto image = unpack(tar.bytes());
  ASSERT_TRUE(image) << image.error().text << image.error().place;
  EXPECT_EQ(names(), (Names{"bin", "etc", "sbin", "tmp"}));  // No device, and "/" is the image's.
  EXPECT_EQ(read("etc/motd"), "hello");
  EXPECT_EQ(read("sbin/tool"), "#!");
  EXPECT_EQ(about("bin/tool").st_mode, mode_t{S_IFREG | 04755});
  EXPECT_EQ(about("bin/tool").st_ino, about("bin/other").st_ino);
  EXPECT_EQ(about("bin/tool").st_mtime, 1'700'000'000);
  EXPECT_EQ(about("tmp").st_mode, mode_t{S_IFDIR | 01777});
  EXPECT_EQ(image->bytes, 7);
}

TEST_F(ImageUnpack, packed_by_gzip_or_zstd) {
  const std::string bytes = TarBytes().file("etc/motd", "hello").bytes();
  for (const auto filter : {&::archive_write_add_filter_gzip, &::archive_write_add_filter_zstd}) {
    EXPECT_EQ(reason(pack(bytes, filter)), "");
    EXPECT_EQ(read("etc/motd"), "hello");
  }
}

TEST_F(ImageUnpack, names_of_all_the_world_stay_as_they_are) {
  ASSERT_EQ(reason(TarBytes().file("etc/算河", "a").file("etc/\xff\xfe", "b").bytes()), "");
  EXPECT_EQ(names("etc"), (Names{"\xe7\xae\x97\xe6\xb2\xb3", "\xff\xfe"}));
}

TEST_F(ImageUnpack, refuses_to_go_upwards) {
  for (const char* path : {"../outside/x", "a/../../outside/x", "/../x", "..", "a/.."})
    EXPECT_NE(reason(TarBytes().file(path, "x").bytes()).find("upwards"), std::string::npos)
        << path;
  EXPECT_NE(reason(TarBytes().hard_link("a", "../../outside/secret").bytes()), "");
  expect_outside_untouched();
}

TEST_F(ImageUnpack, links_lead_nowhere_else) {
  const std::string outside = top_.path() + "/outside";
  for (const std::string& target : {outside, std::string("../../outside")}) {
    // Either the way is closed, or the files come to lie below the image's own root.
    reason(TarBytes().symbolic_link("way", target).file("way/secret", "theirs").bytes());
    expect_outside_untouched();
    reason(TarBytes().symbolic_link("way", target).file("way/.wh.secret", "").bytes());
    reason(TarBytes().symbolic_link("way", target).file("way/.wh..wh..opq", "").bytes());
    expect_outside_untouched();
    reason(TarBytes().symbolic_link("way", target + "/secret").file("way", "theirs").bytes());
    expect_outside_untouched();
    EXPECT_EQ(read("way"), "theirs");
    EXPECT_NE(reason(TarBytes().symbolic_link("w", target).hard_link("got", "w/secret").bytes()),
              "");
    reason(TarBytes().symbolic_link("d", target).directory("d", 0777).bytes());
    EXPECT_TRUE(S_ISDIR(about("d").st_mode));
    expect_outside_untouched();
  }
}

TEST_F(ImageUnpack, links_inside_are_followed_as_the_image_means_them) {
  TarBytes tar;
  tar.directory("usr").directory("usr/lib").symbolic_link("lib", "/usr/lib").file("lib/a.so", "a");
  ASSERT_EQ(reason(tar.bytes()), "");
  EXPECT_EQ(read("usr/lib/a.so"), "a");
}

TEST_F(ImageUnpack, whiteouts_name_a_file_and_never_a_way_up) {
  for (const char* name : {"etc/.wh...", "etc/.wh..", "etc/.wh."})
    EXPECT_NE(reason(TarBytes().file("etc/x", "x").file(name, "").bytes()), "") << name;
  expect_outside_untouched();
}

TEST_F(ImageUnpack, bounds_hold_whatever_the_archive_says) {
  const ImageBounds bounds{.bytes_max = 1'000'000, .entries_max = 10};
  const std::string zeros(4'000'000, '\0');
  const std::string bomb =
      pack(TarBytes().file("etc/zeros", zeros).bytes(), &::archive_write_add_filter_gzip);
  EXPECT_LT(bomb.size(), 100'000U);
  EXPECT_NE(reason(bomb, bounds).find("larger than 1000000 bytes"), std::string::npos);
  EXPECT_NE(reason(TarBytes().claim("etc/much", 07777777777).bytes(), bounds), "");
  TarBytes many;
  for (int i = 0; i < 11; ++i) many.file("etc/" + std::to_string(i), "");
  EXPECT_NE(reason(many.bytes(), bounds).find("more than 10 entries"), std::string::npos);
  TarBytes twice;  // Replacing a file does not give its bytes back.
  for (int i = 0; i < 3; ++i) twice.file("etc/same", zeros.substr(0, 400'000));
  EXPECT_NE(reason(twice.bytes(), bounds), "");
  std::string deep = "etc";
  for (int i = 0; i < 45; ++i) deep += "/a";
  EXPECT_EQ(reason(TarBytes().file(deep, "").bytes(), bounds), "");
}

TEST_F(ImageUnpack, says_what_is_wrong_with_what_is_no_image) {
  EXPECT_NE(reason("").find("no tar archive"), std::string::npos) << reason("");
  EXPECT_NE(reason("MZ this is a program").find("tar"), std::string::npos);
  const std::string tar = TarBytes().file("etc/a", std::string(3000, 'a')).bytes();
  EXPECT_NE(reason(tar.substr(0, 1500)), "");
  std::string damaged = pack(tar, &::archive_write_add_filter_gzip);
  damaged[damaged.size() / 2] ^= 0x55;
  EXPECT_NE(reason(damaged), "");
  EXPECT_NE(reason(TarBytes().file("index.json", "{").bytes()).find("JSON"), std::string::npos);
  EXPECT_NE(reason(TarBytes().directory("./").bytes()).find("nothing"), std::string::npos);
}

constexpr const char* lower = "1111111111111111111111111111111111111111111111111111111111111111";
constexpr const char* upper = "2222222222222222222222222222222222222222222222222222222222222222";

std::string lower_layer() {
  TarBytes tar;
  tar.directory("etc").file("etc/gone", "1").file("etc/kept", "1").directory("opt");
  tar.file("opt/a", "1").directory("opt/sub").file("opt/sub/b", "1").file("opt/sub/c", "1");
  tar.file("was-file", "1").directory("was-directory").file("was-directory/x", "1");
  return tar.bytes();
}
std::string upper_layer() {
  TarBytes tar;
  tar.file("etc/.wh.gone", "").file("etc/new", "2");
  tar.directory("opt").directory("opt/sub").file("opt/sub/c", "2").file("opt/.wh..wh..opq", "");
  tar.directory("was-file").file("was-file/y", "2").file("was-directory", "2");
  return tar.bytes();
}
void expect_both_layers(const std::function<std::string(const char*)>& read) {
  EXPECT_EQ(read("etc/gone"), "(none)");
  EXPECT_EQ(read("etc/kept"), "1");
  EXPECT_EQ(read("etc/new"), "2");
  EXPECT_EQ(read("opt/a"), "(none)");
  EXPECT_EQ(read("opt/sub/b"), "(none)");
  EXPECT_EQ(read("opt/sub/c"), "2");
  EXPECT_EQ(read("was-file/y"), "2");
  EXPECT_EQ(read("was-directory"), "2");
}

TEST_F(ImageUnpack, layers_of_a_saved_image_in_order_with_whiteouts) {
  const std::string config =
      R"({"config":{"Env":["PATH=/opt","A=b=c"],"User":"app","WorkingDir":"/srv","Cmd":null}})";
  const auto named = [&](const std::string& path) {
    TarBytes tar;  // As it comes: the upper layer first, one of them packed.
    tar.directory(upper).file(std::string(upper) + "/layer.tar",
                              pack(upper_layer(), &::archive_write_add_filter_gzip));
    tar.file(std::string(lower) + ".tar", lower_layer()).file("c.json", config);
    tar.file("manifest.json", R"([{"Config":")" + path + R"(","RepoTags":["a:b"],"Layers":[")" +
                                  lower + R"(.tar",")" + upper + R"(/layer.tar"]}])");
    return tar.bytes();
  };
  EXPECT_NE(reason(named("d.json")).find("missing"), std::string::npos);
  const auto image = unpack(named("c.json"));
  ASSERT_TRUE(image) << image.error().text << image.error().place;
  expect_both_layers([&](const char* path) { return read(path); });
  EXPECT_EQ(image->config.variables, (Names{"PATH=/opt", "A=b=c"}));
  EXPECT_EQ(image->config.user, "app");
  EXPECT_EQ(image->config.working_directory, "/srv");
  EXPECT_EQ(names_in(AT_FDCWD, top_.path() + "/out"), Names{"rootfs"});
}

TEST_F(ImageUnpack, an_oci_layout_of_this_machine) {
  const auto digest = [](const char* digits) { return std::string("\"sha256:") + digits + "\""; };
  const auto blob = [](const std::string& digits) { return "blobs/sha256/" + digits; };
  const std::string index_digits(64, '3'), manifest_digits(64, '4'), config_digits(64, '5');
  const std::string top = R"({"schemaVersion":2,"manifests":[{"mediaType":)"
                          R"("application/vnd.oci.image.index.v1+json","digest":)" +
                          digest(index_digits.c_str()) + "}]}";
  const std::string index = R"({"manifests":[{"digest":)" + digest(std::string(64, '9').c_str()) +
                            R"(,"platform":{"os":"linux","architecture":"none"}},{"digest":)" +
                            digest(std::string(64, '8').c_str()) +
                            R"(,"platform":{"os":"unknown","architecture":"unknown"}},{"digest":)" +
                            digest(manifest_digits.c_str()) +
                            R"(,"platform":{"os":"linux","architecture":")" + machine_name() +
                            R"("}}]})";
  const std::string manifest = R"({"config":{"digest":)" + digest(config_digits.c_str()) +
                               R"(},"layers":[{"digest":)" + digest(lower) + R"(},{"digest":)" +
                               digest(upper) + "}]}";
  TarBytes tar;
  tar.file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})").directory("blobs");
  tar.file(blob(lower), pack(lower_layer(), &::archive_write_add_filter_zstd));
  tar.file(blob(upper), pack(upper_layer(), &::archive_write_add_filter_gzip));
  tar.file(blob(index_digits), index).file(blob(manifest_digits), manifest);
  tar.file(blob(config_digits), "{}").file("index.json", top);
  const auto image = unpack(tar.bytes());
  ASSERT_TRUE(image) << image.error().text << image.error().place;
  expect_both_layers([&](const char* path) { return read(path); });
  EXPECT_TRUE(image->config.variables.empty());
}

TEST_F(ImageUnpack, parts_of_an_image_are_never_read_from_outside) {
  TarBytes tar;
  tar.file("manifest.json", R"([{"Layers":["1111.tar"]}])");
  EXPECT_NE(reason(tar.bytes()).find("missing"), std::string::npos);
  TarBytes linked;
  linked.symbolic_link("manifest.json", top_.path() + "/outside/secret");
  EXPECT_NE(reason(linked.bytes()).find("missing"), std::string::npos);
}

TEST(ImageLayout, one_image_or_a_sentence) {
  EXPECT_NE(parse_saved_manifest("[]").error().text.find("no image"), std::string::npos);
  EXPECT_NE(parse_saved_manifest("[{},{}]").error().text.find("2 images"), std::string::npos);
  EXPECT_FALSE(parse_saved_manifest(R"([{"Layers":[5]}])"));
  EXPECT_FALSE(parse_index(R"({"manifests":[{"digest":"md5:00"}]})"));
  EXPECT_FALSE(parse_manifest(R"({"layers":[{"digest":"sha256:../../etc/passwd"}]})"));
  EXPECT_FALSE(parse_image_config(R"({"config":{"Env":["no value"]}})"));
  EXPECT_FALSE(parse_image_config(R"({"config":{"Env":["A=\u0000"]}})"));
  EXPECT_FALSE(choose_image({}, "amd64"));
  EXPECT_FALSE(choose_image({Descriptor{}, Descriptor{}}, "amd64"));
  EXPECT_FALSE(choose_image(
      {Descriptor{.media_type = "", .sha256 = "", .system = "linux", .machine = "riscv64"}},
      "amd64"));
}

TEST(ImageLayout, users_by_name_and_number) {
  const std::string passwd =
      "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:\nbad:x:y\n";
  const std::string group = "root:x:0:\nstaff:x:50:app\n";
  const auto find = [&](const char* user) { return find_image_user(user, passwd, group); };
  EXPECT_EQ(find("")->user, 0U);
  EXPECT_EQ(find("")->home, "/root");
  EXPECT_EQ(find("app")->user, 1000U);
  EXPECT_EQ(find("app")->group, 1001U);
  EXPECT_EQ(find("app")->home, "/home/app");
  EXPECT_EQ(find("1000")->group, 1001U);
  EXPECT_EQ(find("app:staff")->group, 50U);
  EXPECT_EQ(find("7:8")->user, 7U);
  EXPECT_EQ(find("7:8")->group, 8U);
  EXPECT_EQ(find("7")->home, "/");
  EXPECT_EQ(find("nobody").error().kind, Failure::Kind::not_found);
  EXPECT_EQ(find("app:nobody").error().kind, Failure::Kind::not_found);
  EXPECT_EQ(find("bad").error().kind, Failure::Kind::invalid);
  EXPECT_FALSE(find("-1"));
  EXPECT_FALSE(find("4294967295"));
}

}  // namespace
}  // namespace suan::engine
