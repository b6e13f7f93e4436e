/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* A layer's tar stream onto a real directory.  A file beside the tree must never change. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../guest-agent/unpack/apply.h"
#include "../../guest-agent/unpack/delta.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static int base = -1; /* a directory with the tree and a file that nobody may reach */
static char base_path[] = "/dev/shm/danchi-fuzz-XXXXXX";

static void
tear_down (void)
{
  (void) unlinkat (base, "outside", 0);
  (void) rmdir (base_path);
}

static void
set_up (void)
{
  int fd;

  if (mkdtemp (base_path) == NULL
      || (base = open (base_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0
      || atexit (tear_down) != 0)
    abort ();
  fd = openat (base, "outside", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 || write (fd, "untouched", 9) != 9)
    abort ();
  (void) close (fd);
}

static void
check_outside (void)
{
  struct stat status;

  if (fstatat (base, "outside", &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG (status.st_mode)
      || status.st_size != 9 || status.st_nlink != 1 || (status.st_mode & 07777) != 0600)
    abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnBudget budget = { .files = 256, .bytes = 1024 * 1024 };
  DnFailure failure = { 0 };
  struct archive_entry *entry;
  struct archive *reader;
  DnPathTable *notes;
  uint64_t files;
  int directory;
  DnTree *tree;
  DnTree *whole;

  if (base < 0)
    set_up ();
  if (size > 131072 || mkdirat (base, "tree", 0755) < 0)
    return 0;
  directory = openat (base, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  tree = dn_tree_new (openat (base, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &failure);
  if (directory < 0 || tree == NULL)
    abort ();
  reader = archive_read_new ();
  (void) archive_read_support_format_tar (reader);
  if (archive_read_open_memory (reader, data, size) == ARCHIVE_OK)
    while (archive_read_next_header (reader, &entry) >= ARCHIVE_WARN
           && dn_apply_entry (tree, reader, entry, &budget, &failure))
      ;
  (void) archive_read_free (reader);
  notes = dn_tree_end (tree);
  (void) dn_delta_finish (directory, notes, NULL, 0, &files, &failure);
  dn_path_table_free (notes);
  (void) close (directory);
  check_outside ();

  whole = dn_tree_new (openat (base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &failure);
  if (whole == NULL || !dn_tree_remove (whole, base, "tree", &failure))
    abort ();
  dn_tree_free (whole);
  return 0;
}
