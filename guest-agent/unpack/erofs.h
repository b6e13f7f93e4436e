/* SPDX-License-Identifier: Apache-2.0 */
/* The result: an EROFS image of the tree, at the start of the output disk.
 *
 * Written here and not by mkfs.erofs (of Debian 12, 1.5), which takes 5 KiB of memory for a name,
 * 1.5 GiB for an image with 300,000, and leaves gaps in which older bytes of the disk would show.
 * The form is the simplest one: erofs-format.h.
 *
 * The same tree gives the same bytes: names are in order, times of files are kept, the image has no
 * time of its own and its id comes from @identity.  Every byte of the image is written.
 */
#pragma once

#include "digest.h"
#include "erofs-format.h"

/* How many inodes of all have been written. */
typedef void (*DnErofsProgress) (uint64_t done, uint64_t total);

/**
 * dn_erofs_build:
 * @tree: a descriptor of the directory
 * @output: a block device, or a file that is made
 * @identity: what the image's id is made from
 * @ret_bytes: (out): how long the image is, a multiple of %DN_EROFS_BLOCK_BYTES
 */
bool dn_erofs_build (int tree, const char *output, const DnDigest *identity,
                     DnErofsProgress progress, uint64_t *ret_bytes, DnFailure *failure);
