/* SPDX-License-Identifier: Apache-2.0 */
/* A volume's first content: what the image has at its place.
 *
 * Run by the container's own root in its own user namespace: what goes wrong goes wrong with its
 * rights.  The tree that is copied is a tenant's: names, depth and number are whatever he liked.
 * Only descriptors are walked along, links are copied and never followed, and the size is that of
 * the file system that is filled, which counts as the container's memory.
 *
 * Files, directories and symbolic links with owner, mode and time of change; ids that the container
 * has not become its 0.  A file with several names becomes several.  Devices, sockets and pipes are
 * left out, what the container's root may not read (files of ids that it has not), and set-id bits,
 * which mean nothing on a file system that is nosuid.
 *
 * Source: open(2), sendfile(2).
 */
#pragma once

/* How deep directories may lie in each other. */
#define DN_FILL_DEPTH_MAX 128

/* @from: O_PATH, a directory; @to: an empty one that becomes like it.  0 or -errno. */
int dn_fill (int from, int to);
