#pragma once

#include "base/result.h"
#include "engine/image_layout.h"
#include "engine/image_tree.h"

/// Archives of images: an OCI image layout, what `docker save` or `podman save` writes, or a root
/// file system packed by tar; each plain or packed by gzip or zstd.
namespace suan::engine {

/// What came out of an archive.
struct UnpackedImage {
  ImageConfig config;
  std::int64_t bytes = 0;  // Of the root file system, replaced files counted.

  static void fields(auto&& visit, auto& self) {
    visit(1, "config", self.config);
    visit(2, "bytes", self.bytes);
  }
};

/// Unpacks the archive open at `archive` into `rootfs/` of the empty directory `directory`. While
/// it goes on there is also `packed/` for an archive that holds archives. What it is follows from
/// the names in it. `invalid` if it is none of these, is damaged or does what no honest image does,
/// `no_space` beyond the bounds; then the directory is to be removed.
Result<UnpackedImage> unpack_image(int archive, int directory, const ImageBounds& bounds);

}  // namespace suan::engine
