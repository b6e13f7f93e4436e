/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/cli-danchid.c launcher/cli/*.c !launcher/cli/main.c launcher/survey/*.c
 * launcher/record/*.c launcher/report/*.c launcher/common/*.c launcher/base/*.c protocol/*.c */
/* What people and scripts see: each tests/golden/cli/NAME.case is a list of calls and of what a
 * danchid answers, NAME.out the requests, outputs and exit statuses that come of it.
 *
 *     $ danchi ps -a                        a call
 *     | text                                a line of its standard input
 *     < {"ok": {...}}                       a message of danchid's
 *     < +file PATH +ring TEXT {"error"...}  with descriptors: files, console rings
 *
 * @ago:SECONDS@ in a message is a time in microseconds. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"
#include "cli-danchid.h"
#include "golden.h"

#define CASES "tests/golden/cli"

/* Replaces @ago:N@. (transfer full) */
static char *
fill_times (const char *text)
{
  GString *out = g_string_new (NULL);
  const char *mark;

  while ((mark = strstr (text, "@ago:")) != NULL)
    {
      char *end;
      gint64 seconds = g_ascii_strtoll (mark + strlen ("@ago:"), &end, 10);

      g_string_append_len (out, text, mark - text);
      g_string_append_printf (out, "%" G_GINT64_FORMAT,
                              g_get_real_time () - seconds * G_USEC_PER_SEC);
      text = end + 1;
    }
  g_string_append (out, text);
  return g_string_free (out, FALSE);
}

static int
make_ring (const char *escaped)
{
  g_autofree char *text = g_strcompress (escaped);
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);
  uint64_t total = 0;

  g_assert_cmpint (fd, >=, 0);
  (void) unlink (path);
  g_assert_cmpint (dn_console_ring_create (fd), ==, 0);
  g_assert_cmpint (dn_console_ring_append (fd, &total, (const uint8_t *) text, strlen (text)), ==,
                   0);
  return fd;
}

/* "+file PATH +ring TEXT {...}": descriptors first.  TEXT has \n and \040 for what it cannot hold.
 */
static void
add_answer (CliDanchid *danchid, const char *line)
{
  DnFdList fds = DN_FD_LIST_INIT;
  g_autofree char *message = NULL;

  while (*line == '+')
    {
      g_auto (GStrv) words = g_strsplit (line, " ", 3);
      int fd = g_str_equal (words[0], "+file") ? open (words[1], O_RDONLY | O_CLOEXEC)
                                               : make_ring (words[1]);

      g_assert_cmpint (fd, >=, 0);
      fds.fds[fds.count++] = fd;
      line += strlen (words[0]) + strlen (words[1]) + 2;
    }
  message = fill_times (line);
  cli_danchid_add (danchid, message, &fds);
}

static void
append_stream (GString *out, const char *name, const char *text)
{
  if (*text == '\0')
    return;
  g_string_append_printf (out, "%s:\n%s%s", name, text,
                          g_str_has_suffix (text, "\n") ? "" : "\n(no newline)\n");
}

static void
run_call (CliDanchid *danchid, const char *call, const char *input, GString *out)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *requests = NULL;
  CliResult result;

  g_assert_true (g_shell_parse_argv (call, NULL, &words, NULL));
  cli_danchid_run (danchid, words + 1, input, &result);
  requests = cli_danchid_take_requests (danchid);
  g_string_append_printf (out, "$ %s\n", call);
  append_stream (out, "requests", requests);
  append_stream (out, "stdout", result.out);
  append_stream (out, "stderr", result.err);
  g_string_append_printf (out, "exit: %d\n\n", result.status);
  cli_result_clear (&result);
}

static void
test_case (gconstpointer data)
{
  const char *path = data;
  g_autofree char *golden = g_strdup_printf ("%.*s.out", (int) strlen (path) - 5, path);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL;)
    {
      g_autoptr (CliDanchid) danchid = cli_danchid_new ();
      g_autoptr (GString) input = g_string_new (NULL);
      const char *call = *line++;

      if (*call != '$')
        continue;
      for (; *line != NULL && **line != '$'; line++)
        if (g_str_has_prefix (*line, "< "))
          add_answer (danchid, *line + 2);
        else if (g_str_has_prefix (*line, "| "))
          g_string_append_printf (input, "%s\n", *line + 2);
      run_call (danchid, call + 2, input->str, out);
    }
  golden_compare (golden, out->str);
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) directory = NULL;
  const char *name;

  cli_danchid_be_danchi (argc, argv);
  g_test_init (&argc, &argv, NULL);
  directory = g_dir_open (CASES, 0, NULL);
  g_assert_nonnull (directory);
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".case"))
      {
        g_autofree char *test = g_strdup_printf ("/cli/golden/%.*s", (int) strlen (name) - 5, name);

        g_test_add_data_func_full (test, g_build_filename (CASES, name, NULL), test_case, g_free);
      }
  return g_test_run ();
}
