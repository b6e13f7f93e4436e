/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree in memory, as an EROFS image is to show it: for erofs.c.
 *
 * About 180 bytes for a name, so 300,000 take 60 MB.  Names are in the order of their bytes, so
 * that nothing depends on how the file system of the scratch disk lists them.
 */
#pragma once

#include "failure.h"

typedef struct DnErofsNode DnErofsNode;

struct DnErofsNode
{
  DnErofsNode *parent;    /* the root's is the root */
  DnErofsNode *target;    /* where the inode is another name's: that one; else NULL */
  DnErofsNode **children; /* owned; a directory's */
  size_t count;
  uint8_t *attributes; /* owned; as they stand behind the inode, or NULL */
  uint32_t attributes_bytes;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  uint32_t links;
  uint32_t mtime_nsec;
  uint64_t mtime;
  uint64_t size; /* of a directory: of its names as they are written */
  /* Where it is to be: erofs-layout.h. */
  uint64_t offset; /* of the inode, in bytes */
  uint32_t block;  /* the first of what is not inline */
  bool is_inline;  /* the last, partial block is behind the inode */
  char name[];     /* the root's is "" */
};

/**
 * dn_erofs_node_read:
 * @directory: stays the caller's
 * @ret_count: (out): of inodes
 *
 * Names of one inode become one node and others that point to it, and so do all whiteouts.  Of
 * attributes only user.* and overlayfs's mark of opaque directories count.
 *
 * (transfer full), or NULL with @failure.
 */
DnErofsNode *dn_erofs_node_read (int directory, uint64_t *ret_count, DnFailure *failure);
void dn_erofs_node_free (DnErofsNode *node); /* with all below; accepts NULL */

/* The node whose inode it is. */
const DnErofsNode *dn_erofs_node_inode (const DnErofsNode *node);
