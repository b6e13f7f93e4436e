/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/caller.c launcher/spec/access.c launcher/common/key-*.c
 * launcher/common/error.c launcher/common/names.c */
/* Who is at the other end of a socket, by the kernel's word. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/daemon/caller.h"

static void
test_reads_ids_groups_and_command_of_the_peer (void)
{
  int pair[2];
  DnCaller caller;
  g_autoptr (GError) error = NULL;
  guint own[DN_CALLER_GROUPS_MAX];
  int count = getgroups (G_N_ELEMENTS (own), own);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *login = NULL;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  g_assert_true (dn_caller_read (pair[0], &caller, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (caller.uid, ==, geteuid ());
  g_assert_cmpuint (caller.gid, ==, getegid ());
  g_assert_cmpint (caller.pid, ==, getpid ());
  g_assert_cmpint (count, >=, 0);
  g_assert_cmpmem (caller.groups, caller.n_groups * sizeof (guint), own,
                   (gsize) count * sizeof (guint));
  g_assert_true (g_str_has_prefix (caller.command, "test-caller "));
  if (g_file_get_contents ("/proc/self/loginuid", &login, NULL, NULL))
    g_assert_cmpuint (caller.login_uid, ==, g_ascii_strtoull (login, NULL, 10));
  g_assert_true (g_str_has_suffix (caller.command, strrchr (program, '/')));
  dn_caller_clear (&caller);
  close (pair[0]);
  close (pair[1]);
}

static void
test_refuses_what_is_no_socket (void)
{
  DnCaller caller;
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_caller_read (0x7fff, &caller, &error));
  g_assert_nonnull (error);
  dn_caller_clear (&caller);
}

static void
test_formats_what_a_process_says_of_itself (void)
{
  static const struct
  {
    const char *comm;
    const char *path;
    const char *wanted;
  } cases[] = {
    { "danchi", "/usr/bin/danchi", "danchi /usr/bin/danchi" },
    { "danchi", "", "danchi" },
    { "two\nlines\x1b[m", "/x", "two?lines?[m /x" },
    { "\xff\xff\xff\xff\xff\xff", "/bin/sh", "? /bin/sh" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char command[DN_CALLER_COMMAND_BYTES];

      dn_caller_format_command (cases[i].comm, cases[i].path, command);
      g_assert_true (g_utf8_validate (command, -1, NULL));
      g_assert_cmpstr (command, ==, cases[i].wanted);
    }
}

/* What the kernel says is what is worth keeping: the end of the path. */
static void
test_cuts_the_beginning_of_a_long_path (void)
{
  static const char path[] = "/opt/a-long-directory/with-another-in-it/and-one-more/program";
  static const char start[] = "sixteen-bytes-16 ...";
  char command[DN_CALLER_COMMAND_BYTES];

  dn_caller_format_command ("sixteen-bytes-16", path, command);
  g_assert_cmpuint (strlen (command), ==, DN_CALLER_COMMAND_BYTES - 1);
  g_assert_true (g_str_has_prefix (command, start));
  g_assert_true (g_str_has_suffix (path, command + strlen (start)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/caller/reads-ids-groups-and-command-of-the-peer",
                   test_reads_ids_groups_and_command_of_the_peer);
  g_test_add_func ("/caller/refuses-what-is-no-socket", test_refuses_what_is_no_socket);
  g_test_add_func ("/caller/formats-what-a-process-says-of-itself",
                   test_formats_what_a_process_says_of_itself);
  g_test_add_func ("/caller/cuts-the-beginning-of-a-long-path",
                   test_cuts_the_beginning_of_a_long_path);
  return g_test_run ();
}
