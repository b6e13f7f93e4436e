/* SPDX-License-Identifier: Apache-2.0 */
#include "erofs-layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "erofs-format.h"

/* Blocks that are still filled: what is too large for one fits another, and little stays empty. */
#define OPEN_MAX 16

typedef struct
{
  uint64_t block;
  uint32_t used; /* bytes */
} Open;

typedef struct
{
  uint64_t next_block;
  Open open[OPEN_MAX];
  size_t open_count;
} Layout;

static int
compare_entries (const void *a, const void *b)
{
  return strcmp (((const DnErofsEntry *) a)->name, ((const DnErofsEntry *) b)->name);
}

DnErofsEntry *
dn_erofs_layout_entries (const DnErofsNode *node)
{
  DnErofsEntry *entries = calloc (node->count + 2, sizeof *entries);

  if (entries == NULL)
    abort ();
  entries[0] = (DnErofsEntry){ ".", node };
  entries[1] = (DnErofsEntry){ "..", node->parent };
  for (size_t i = 0; i < node->count; i++)
    entries[i + 2] = (DnErofsEntry){ node->children[i]->name, node->children[i] };
  qsort (entries, node->count + 2, sizeof *entries, compare_entries);
  return entries;
}

size_t
dn_erofs_layout_fill (const DnErofsEntry *entries, size_t count, size_t first, uint32_t *ret_bytes)
{
  uint32_t used = 0;
  size_t at = first;

  for (; at < count; at++)
    {
      uint32_t more = DN_EROFS_NAME_BYTES + (uint32_t) strlen (entries[at].name);

      if (used + more > DN_EROFS_BLOCK_BYTES)
        break;
      used += more;
    }
  *ret_bytes = used;
  return at - first;
}

static void
measure_directory (DnErofsNode *node)
{
  size_t count = node->count + 2;
  DnErofsEntry *entries = dn_erofs_layout_entries (node);
  uint64_t blocks = 0;
  uint32_t used = 0;

  for (size_t first = 0; first < count; blocks++)
    first += dn_erofs_layout_fill (entries, count, first, &used);
  free (entries);
  node->size = (blocks - 1) * DN_EROFS_BLOCK_BYTES + used;
}

uint64_t
dn_erofs_layout_blocks (const DnErofsNode *node)
{
  uint64_t whole = node->size / DN_EROFS_BLOCK_BYTES;

  return whole + (node->size % DN_EROFS_BLOCK_BYTES != 0 && !node->is_inline ? 1 : 0);
}

/* The open block with the least room that is enough; NULL where there is none. */
static Open *
find_open (Layout *layout, uint32_t bytes)
{
  Open *best = NULL;

  for (size_t i = 0; i < layout->open_count; i++)
    {
      Open *open = &layout->open[i];

      if (open->used + bytes <= DN_EROFS_BLOCK_BYTES && (best == NULL || open->used > best->used))
        best = open;
    }
  return best;
}

/* In place of the fullest one. */
static Open *
add_open (Layout *layout, uint64_t block, uint32_t used)
{
  Open *fullest = &layout->open[0];

  if (layout->open_count < OPEN_MAX)
    fullest = &layout->open[layout->open_count++];
  else
    for (size_t i = 1; i < OPEN_MAX; i++)
      if (layout->open[i].used > fullest->used)
        fullest = &layout->open[i];
  *fullest = (Open){ block, used };
  return fullest;
}

/* What is inline must lie in one block; only attributes may go on into the next. */
static uint64_t
place (Layout *layout, uint32_t bytes)
{
  uint32_t whole = (bytes + DN_EROFS_SLOT_BYTES - 1) & ~(uint32_t) (DN_EROFS_SLOT_BYTES - 1);
  uint64_t offset;
  Open *open;

  if (whole > DN_EROFS_BLOCK_BYTES)
    {
      offset = layout->next_block * DN_EROFS_BLOCK_BYTES;
      layout->next_block += (whole + DN_EROFS_BLOCK_BYTES - 1) / DN_EROFS_BLOCK_BYTES;
      return offset;
    }
  open = find_open (layout, whole);
  if (open == NULL)
    open = add_open (layout, layout->next_block++, 0);
  offset = open->block * DN_EROFS_BLOCK_BYTES + open->used;
  open->used += whole;
  return offset;
}

static void
place_inodes (Layout *layout, DnErofsNode *node)
{
  uint32_t bytes = DN_EROFS_INODE_BYTES + node->attributes_bytes;
  uint32_t tail;

  if (node->target != NULL)
    return;
  if (S_ISDIR (node->mode))
    measure_directory (node);
  tail = (uint32_t) (node->size % DN_EROFS_BLOCK_BYTES);
  node->is_inline = tail > 0 && bytes + tail <= DN_EROFS_BLOCK_BYTES;
  node->offset = place (layout, bytes + (node->is_inline ? tail : 0));
  for (size_t i = 0; i < node->count; i++)
    place_inodes (layout, node->children[i]);
}

static void
place_blocks (Layout *layout, DnErofsNode *node)
{
  if (node->target != NULL)
    return;
  node->block = (uint32_t) layout->next_block;
  layout->next_block += dn_erofs_layout_blocks (node);
  for (size_t i = 0; i < node->count; i++)
    place_blocks (layout, node->children[i]);
}

bool
dn_erofs_layout_make (DnErofsNode *root, DnErofsLayout *ret_layout, DnFailure *failure)
{
  Layout layout = { .next_block = 1 };

  (void) add_open (&layout, 0, DN_EROFS_SUPER_OFFSET + DN_EROFS_SUPER_BYTES);
  place_inodes (&layout, root);
  ret_layout->meta_blocks = layout.next_block;
  place_blocks (&layout, root);
  if (layout.next_block == 1)
    ret_layout->meta_blocks = layout.next_block = 2;
  ret_layout->blocks = layout.next_block;
  return ret_layout->blocks <= UINT32_MAX
         || dn_fail (failure, -EFBIG, "the image is larger than its file system can be");
}
