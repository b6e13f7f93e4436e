/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/console-ring.c protocol/pack.c */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"

#define RING DN_CONSOLE_RING_BYTES

static int
make_file (void)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);

  (void) unlink (path);
  return fd;
}

static void
test_keeps_the_last_bytes_in_order (void)
{
  static const gsize pieces[] = { 1, 10, 4096, RING - 1, RING, RING + 1, 3 * RING + 17, 5 };
  int fd = make_file ();
  guint64 total = 0, read_total;
  g_autofree guint8 *bytes = g_malloc (4 * RING), *tail = g_malloc (RING);

  g_assert_cmpint (dn_console_ring_create (fd), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      guint64 before = total;
      gsize kept;

      for (gsize j = 0; j < pieces[i]; j++)
        bytes[j] = (guint8) ((before + j) * 31 >> 3);
      g_assert_cmpint (dn_console_ring_append (fd, &total, bytes, pieces[i]), ==, 0);
      g_assert_cmpuint (total, ==, before + pieces[i]);
      kept = (gsize) MIN (total, RING);
      g_assert_cmpint (dn_console_ring_read_tail (fd, tail, RING), ==, kept);
      for (gsize j = 0; j < kept; j++)
        g_assert_cmpuint (tail[j], ==, (guint8) ((total - kept + j) * 31 >> 3));
      g_assert_cmpint (dn_console_ring_read_tail (fd, tail, 3), ==, MIN (kept, 3));
      g_assert_cmpuint (tail[0], ==, (guint8) ((total - MIN (kept, 3)) * 31 >> 3));
    }
  g_assert_cmpint (lseek (fd, 0, SEEK_END), ==, DN_CONSOLE_RING_FILE_BYTES);
  g_assert_cmpint (dn_console_ring_read_total (fd, &read_total), ==, 0);
  g_assert_cmpuint (read_total, ==, total);
  (void) close (fd);
}

static void
test_refuses_what_is_no_ring (void)
{
  int fd = make_file ();
  guint8 byte;
  guint64 total;

  g_assert_cmpint (dn_console_ring_read_tail (fd, &byte, 1), ==, -EPROTO);
  g_assert_cmpint (pwrite (fd, "DNRING2\n\0\0\0\0\0\0\0\0", 16, 0), ==, 16);
  g_assert_cmpint (dn_console_ring_read_total (fd, &total), ==, -EPROTO);
  (void) close (fd);
  g_assert_cmpint (dn_console_ring_read_tail (-1, &byte, 1), ==, -EBADF);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/console-ring/" #name, test_##name)
  TEST (keeps_the_last_bytes_in_order);
  TEST (refuses_what_is_no_ring);
  return g_test_run ();
}
