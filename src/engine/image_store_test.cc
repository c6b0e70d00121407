#include "engine/image_store.h"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/tar_bytes.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

class ImageStore : public testing::Test {
 protected:
  ImageStore() {
    for (const char* each : {"/state", "/images", "/images/plain", "/elsewhere"})
      EXPECT_TRUE(make_directory(AT_FDCWD, top_.path() + each));
    EXPECT_TRUE(open_image_store(state_));
  }

  void save(const std::string& name, const std::string& text) {
    ASSERT_TRUE(replace_file(AT_FDCWD, house_.directory + "/" + name,
                             TarBytes().file("etc/motd", text).bytes()));
  }
  Result<PreparedImage> prepare(const std::string& name) {
    return prepare_image(state_, house_, name);
  }
  std::string reason(const std::string& name) {
    const auto image = prepare(name);
    return image ? "" : image.error().text;
  }
  std::string motd(const PreparedImage& image) {
    return read_file(AT_FDCWD, image.rootfs + "/etc/motd", 100).value_or("(none)");
  }
  std::vector<std::string> kept() { return names_in(AT_FDCWD, state_ + "/images"); }

  TemporaryDirectory top_;
  std::string state_ = top_.path() + "/state";
  ImageHouse house_{.directory = top_.path() + "/images", .runtime = "", .cache_bytes_max = 100};
};

TEST_F(ImageStore, names_mean_what_lies_below_the_directory) {
  save("a.tar", "a");
  const auto archive = prepare("a.tar");
  ASSERT_TRUE(archive) << archive.error().text;
  EXPECT_EQ(motd(*archive), "a");
  const auto absolute = prepare(house_.directory + "/a.tar");
  ASSERT_TRUE(absolute) << absolute.error().text;
  EXPECT_EQ(absolute->digest, archive->digest);
  const std::vector<std::string> names = {"plain", "rootfs:plain", house_.directory + "/plain",
                                          "rootfs:" + house_.directory + "/plain"};
  for (const std::string& name : names) {
    const auto plain = prepare(name);
    ASSERT_TRUE(plain) << name << plain.error().text;
    EXPECT_EQ(plain->rootfs, house_.directory + "/plain");
    EXPECT_EQ(plain->digest, "");
  }
  EXPECT_NE(reason("rootfs:a.tar").find("no directory"), std::string::npos);
}

TEST_F(ImageStore, no_name_leads_out_of_the_directory) {
  ASSERT_EQ(::symlink((top_.path() + "/elsewhere").c_str(), (house_.directory + "/out").c_str()),
            0);
  ASSERT_EQ(::symlink("../elsewhere", (house_.directory + "/up").c_str()), 0);
  ASSERT_EQ(::symlink("plain", (house_.directory + "/inside").c_str()), 0);
  const std::vector<std::string> names = {"out",
                                          "up",
                                          "../elsewhere",
                                          "/etc",
                                          "plain/../../elsewhere",
                                          house_.directory + "/../elsewhere",
                                          "/"};
  for (const std::string& name : names) EXPECT_NE(reason(name), "") << name;
  EXPECT_EQ(reason("inside"), "");
  ASSERT_EQ(::mkfifo((house_.directory + "/pipe").c_str(), 0600), 0);
  EXPECT_NE(reason("pipe").find("neither"), std::string::npos);
}

TEST_F(ImageStore, a_registry_is_not_asked_and_that_is_said) {
  for (const char* name : {"ubuntu:24.04", "docker.io/library/debian", "docker://debian"})
    EXPECT_NE(reason(name).find("podman save"), std::string::npos) << name;
}

TEST_F(ImageStore, unpacks_once_by_what_the_archive_holds) {
  save("a.tar", "a");
  const auto first = prepare("a.tar");
  ASSERT_TRUE(first);
  ASSERT_TRUE(replace_file(AT_FDCWD, first->rootfs + "/etc/motd", "unpacked before"));
  save("same.tar", "a");
  EXPECT_EQ(motd(*prepare("same.tar")), "unpacked before");
  save("a.tar", "b");  // Another archive under the same name.
  EXPECT_EQ(motd(*prepare("a.tar")), "b");
}

TEST_F(ImageStore, a_damaged_or_half_made_entry_is_made_anew) {
  save("a.tar", "a");
  const auto image = prepare("a.tar");
  ASSERT_TRUE(image);
  const std::string entry = state_ + "/images/" + image->digest;
  ASSERT_TRUE(replace_file(AT_FDCWD, entry + "/about", "torn"));
  ASSERT_TRUE(replace_file(AT_FDCWD, entry + "/rootfs/etc/motd", ""));
  for (const char* each : {".new", ".gone"}) {
    ASSERT_TRUE(make_directory(AT_FDCWD, entry + each));
    ASSERT_TRUE(replace_file(AT_FDCWD, entry + each + "/half", "half"));
  }
  EXPECT_EQ(motd(*prepare("a.tar")), "a");
  ASSERT_TRUE(make_directory(AT_FDCWD, entry + ".new"));
  ASSERT_TRUE(open_image_store(state_));
  EXPECT_EQ(kept(), (std::vector<std::string>{image->digest, image->digest + ".lock", "known"}));
}

TEST_F(ImageStore, a_killed_unpacker_leaves_nothing_in_the_way) {
  save("a.tar", "a");
  TarBytes large;
  for (int i = 0; i < 3000; ++i) large.file("etc/" + std::to_string(i), std::string(2000, 'x'));
  ASSERT_TRUE(replace_file(AT_FDCWD, house_.directory + "/large.tar", large.bytes()));
  for (int delay_us = 2000; delay_us < 60'000; delay_us = delay_us * 2) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(prepare("large.tar") ? 0 : 1);
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  const auto image = prepare("large.tar");
  ASSERT_TRUE(image) << image.error().text;
  EXPECT_EQ(names_in(AT_FDCWD, image->rootfs + "/etc").size(), 3000U);
}

TEST_F(ImageStore, of_two_that_want_the_same_one_unpacks) {
  TarBytes large;
  for (int i = 0; i < 2000; ++i) large.file("etc/" + std::to_string(i), "x");
  ASSERT_TRUE(replace_file(AT_FDCWD, house_.directory + "/large.tar", large.bytes()));
  constexpr int processes = 4;
  for (int i = 0; i < processes; ++i)
    if (::fork() == 0) {
      const auto image = prepare("large.tar");
      const bool is_whole = image && names_in(AT_FDCWD, image->rootfs + "/etc").size() == 2000 &&
                            hold_image(state_, *image).has_value();
      ::_exit(is_whole ? 0 : 1);
    }
  for (int i = 0; i < processes; ++i) {
    int status = 0;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(kept().size(), 3U);
}

TEST_F(ImageStore, evicts_the_least_recently_used_and_never_what_is_in_use) {
  const std::string text(60, 'x');
  std::vector<PreparedImage> images;
  std::vector<Fd> held;
  for (const char* each : {"1", "2", "3"}) {
    save("a.tar", text + each);
    images.push_back(*prepare("a.tar"));
    auto hold = hold_image(state_, images.back());
    ASSERT_TRUE(hold);
    held.push_back(*std::move(hold));
    ::usleep(20'000);
  }
  EXPECT_EQ(evict_images(state_, 100), 0);  // All of them are in use.
  for (const PreparedImage& each : images) EXPECT_NE(motd(each), "(none)");
  // An attempt that starts does not wait for one that runs.
  EXPECT_EQ(prepare("a.tar")->digest, images[2].digest);
  held.clear();
  EXPECT_TRUE(hold_image(state_, images[0]));  // Now the latest used.
  EXPECT_EQ(evict_images(state_, 130), 1);
  EXPECT_EQ(motd(images[1]), "(none)");
  EXPECT_EQ(hold_image(state_, images[1]).error().kind, Failure::Kind::not_found);
  EXPECT_NE(motd(images[0]), "(none)");
  EXPECT_EQ(evict_images(state_, 0), 2);
}

TEST_F(ImageStore, an_archive_that_is_too_large_leaves_nothing) {
  save("a.tar", std::string(5000, 'x'));
  const auto image = prepare_image(state_, house_, "a.tar", {.bytes_max = 100, .entries_max = 10});
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().kind, Failure::Kind::no_space);
  ASSERT_TRUE(open_image_store(state_));
  EXPECT_EQ(kept(), std::vector<std::string>{"known"});
}

}  // namespace
}  // namespace suan::engine
