/* SPDX-License-Identifier: Apache-2.0 */
#include "memory-search.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TEXT_BYTES 64
#define BLOCK_BYTES (1024 * 1024)
/* A sanitizer's shadow takes terabytes, and has nobody's bytes. */
#define RANGE_MAX_BYTES (G_GUINT64_CONSTANT (1) << 30)

char *
memory_random_text (void)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char *text = g_malloc (TEXT_BYTES + 1);

  g_assert_cmpint (getrandom (text, TEXT_BYTES, 0), ==, TEXT_BYTES);
  for (guint i = 0; i < TEXT_BYTES; i++)
    text[i] = letters[(guint8) text[i] % 64];
  text[TEXT_BYTES] = '\0';
  return text;
}

static guint
count_in (const guint8 *bytes, gsize size, const char *text)
{
  const guint8 *end = bytes + size;
  guint count = 0;

  while ((bytes = memmem (bytes, (gsize) (end - bytes), text, strlen (text))) != NULL)
    {
      count++;
      bytes++;
    }
  return count;
}

/* Blocks overlap, so that a text over their border is found. */
static guint
count_in_range (int mem, guint64 from, guint64 to, const char *text)
{
  g_autofree guint8 *block = g_malloc (BLOCK_BYTES + TEXT_BYTES);
  guint count = 0;

  for (; from < to; from += BLOCK_BYTES)
    {
      ssize_t n = pread (mem, block, MIN (to - from, BLOCK_BYTES + TEXT_BYTES - 1), (off_t) from);

      if (n > 0)
        count += count_in (block, (gsize) n, text);
    }
  return count;
}

guint
memory_count (GPid pid, const char *text)
{
  g_autofree char *maps_path = g_strdup_printf ("/proc/%d/maps", (int) pid);
  g_autofree char *mem_path = g_strdup_printf ("/proc/%d/mem", (int) pid);
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  int mem = open (mem_path, O_RDONLY | O_CLOEXEC);
  guint count = 0;

  g_assert_cmpint (mem, >=, 0);
  g_assert_true (g_file_get_contents (maps_path, &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      unsigned long from, to;
      char rights[8];

      if (sscanf (lines[i], "%lx-%lx %7s", &from, &to, rights) == 3 && rights[0] == 'r'
          && strstr (lines[i], "[v") == NULL && to - from <= RANGE_MAX_BYTES)
        count += count_in_range (mem, from, to, text);
    }
  (void) close (mem);
  return count;
}

guint
memory_locked_kib (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int) pid);
  g_autofree char *status = NULL;
  const char *line;
  unsigned kib = 0;

  g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
  line = strstr (status, "VmLck:");
  g_assert_true (line != NULL && sscanf (line, "VmLck: %u kB", &kib) == 1);
  return kib;
}
