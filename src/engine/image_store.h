#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/file.h"
#include "engine/image_house.h"
#include "engine/image_layout.h"
#include "engine/image_tree.h"

/// Where images come from, and what is kept of them, below the state directory of an engine:
///
///     <state>/images/
///       <digest>/        of an archive's bytes (BLAKE2b-256): `rootfs/`, and `about`, one frame
///       <digest>.lock    held for reading while an attempt uses it, for writing by who makes or
///                        removes it; its time of change is that of the latest use
///       <digest>.new/    being unpacked, under the lock
///       known/<digest>   of a file's place, length and times: the digest of its bytes
namespace suan::engine {

/// An image that can be run.
struct PreparedImage {
  std::string rootfs;  // Absolute path; read only.
  std::string digest;  // Of the archive, which is in use while its lock is held; "" = a directory.
  ImageConfig config;

  static void fields(auto&& visit, auto& self) {
    visit(1, "rootfs", self.rootfs);
    visit(2, "digest", self.digest);
    visit(3, "config", self.config);
  }
};

/// Why no image can have this name, whatever lies in the directory; "" if one can. A sentence that
/// says what works.
std::string find_image_name_fault(const ImageHouse&, const std::string& name);

/// Opens what the name means: a path below the house's directory, relative to it or absolute, or
/// "rootfs:" and such a path of a directory. No link leads out of it. `not_found` if there is none.
Result<Fd> open_image(const ImageHouse&, const std::string& name);

/// Finds the image and unpacks it if it is an archive that is not unpacked yet; of two processes
/// that want the same one, one unpacks and the other waits. May take long: it is meant for a
/// process of its own, which may be killed at any moment. `state` is the absolute path of the state
/// directory.
Result<PreparedImage> prepare_image(const std::string& state, const ImageHouse&,
                                    const std::string& name, const ImageBounds& bounds = {});

/// Keeps a prepared image from being removed while the descriptor is open; empty for a directory.
/// `not_found` if it has been removed meanwhile: prepare it again.
Result<Fd> hold_image(const std::string& state, const PreparedImage&);

/// Removes unpacked images that nobody uses, the least recently used first, until the rest take at
/// most `bytes_max`. Returns how many were removed.
int evict_images(const std::string& state, std::int64_t bytes_max);

/// Makes the directories, and removes what a crash left half done. For the engine, once.
Result<void> open_image_store(const std::string& state);

}  // namespace suan::engine
