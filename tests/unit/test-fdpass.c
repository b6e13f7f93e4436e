/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/fdpass.c */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/base/fdpass.h"

static int
count_open (void)
{
  int count = 0;

  for (int fd = 0; fd < 256; fd++)
    count += fcntl (fd, F_GETFD) >= 0;
  return count;
}

static void
test_passes_descriptors_that_close_on_exec (void)
{
  int pair[2], ends[2];
  DnFdList sent = { .count = 2 }, got = DN_FD_LIST_INIT;
  char byte;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  g_assert_cmpint (pipe (ends), ==, 0);
  sent.fds[0] = ends[0];
  sent.fds[1] = ends[1];
  g_assert_cmpint (dn_fdpass_send (pair[0], "x", 1, &sent), ==, 1);
  g_assert_cmpint (dn_fdpass_receive (pair[1], &byte, 1, &got), ==, 1);
  g_assert_cmpuint (got.count, ==, 2);
  g_assert_cmpint (fcntl (got.fds[0], F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (write (got.fds[1], "y", 1), ==, 1);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  dn_fd_list_clear (&got);
  dn_fd_list_clear (&sent);
  (void) close (pair[0]);
  (void) close (pair[1]);
}

static void
test_too_many_descriptors_are_all_closed (void)
{
  int pair[2], before, r;
  DnFdList sent = { .count = DN_FDPASS_MAX }, got = DN_FD_LIST_INIT;
  char byte;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  before = count_open ();
  for (gsize i = 0; i < DN_FDPASS_MAX; i++)
    sent.fds[i] = pair[0];
  g_assert_cmpint (dn_fdpass_send (pair[0], "xx", 2, &sent), ==, 2);
  g_assert_cmpint (dn_fdpass_send (pair[0], "x", 1, &sent), ==, 1);
  g_assert_cmpint (dn_fdpass_receive (pair[1], &byte, 1, &got), ==, 1);
  r = 1;
  while (r > 0) /* the second lot finds the list full */
    r = (int) dn_fdpass_receive (pair[1], &byte, 1, &got);
  g_assert_cmpint (errno, ==, EMFILE);
  g_assert_cmpuint (got.count, ==, 0);
  g_assert_cmpint (count_open (), ==, before);
  sent.count = DN_FDPASS_MAX + 1;
  g_assert_cmpint (dn_fdpass_send (pair[0], "x", 1, &sent), ==, -1);
  g_assert_cmpint (errno, ==, EINVAL);
  (void) close (pair[0]);
  (void) close (pair[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/fdpass/" #name, test_##name)
  TEST (passes_descriptors_that_close_on_exec);
  TEST (too_many_descriptors_are_all_closed);
  return g_test_run ();
}
