/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-skopeo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"

#define LOOK_EVERY_MS 200
#define WORDS_MAX_BYTES 8192
/* Where skopeo writes: whole blobs, and those under way beside the layout's index. */
static const char *const places[] = { "blobs/sha256", "layout", "." };

/* Settings of the host's network that skopeo follows; danchid's, where it has them. */
static const char *const proxies[]
    = { "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy" };

static guint64
count_bytes (const char *path)
{
  DIR *directory = opendir (path);
  struct dirent *entry;
  struct stat status;
  guint64 bytes = 0;

  while (directory != NULL && (entry = readdir (directory)) != NULL)
    if (fstatat (dirfd (directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0
        && S_ISREG (status.st_mode))
      bytes += (guint64) status.st_size;
  if (directory != NULL)
    (void) closedir (directory);
  return bytes;
}

static guint64
count_all (void)
{
  guint64 bytes = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    bytes += count_bytes (places[i]);
  return bytes;
}

static char **
make_environment (void)
{
  GPtrArray *all = g_ptr_array_new ();

  g_ptr_array_add (all, g_strdup ("PATH=/usr/bin"));
  g_ptr_array_add (all, g_strdup ("HOME=" DN_JAIL_PRIVATE));
  g_ptr_array_add (all, g_strdup ("TMPDIR=" DN_JAIL_PRIVATE));
  g_ptr_array_add (all, g_strdup ("XDG_RUNTIME_DIR=" DN_JAIL_PRIVATE));
  /* Few threads and a bound for the collector, so that its limits are never met. */
  g_ptr_array_add (all, g_strdup ("GOMAXPROCS=2"));
  g_ptr_array_add (all, g_strdup ("GOMEMLIMIT=512MiB"));
  for (gsize i = 0; i < G_N_ELEMENTS (proxies); i++)
    if (g_getenv (proxies[i]) != NULL)
      g_ptr_array_add (all, g_strdup_printf ("%s=%s", proxies[i], g_getenv (proxies[i])));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

static _Noreturn void
become (const DnSkopeo *skopeo, char **environment, int words)
{
  const struct rlimit limit = { skopeo->file_bytes, skopeo->file_bytes };
  int output = skopeo->output != NULL
                   ? open (skopeo->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                   : -1;

  /* Too large a file is an error of write(2), with words, and not the end by a signal. */
  (void) signal (SIGXFSZ, SIG_IGN);
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if ((skopeo->output != NULL && (output < 0 || dup2 (output, STDOUT_FILENO) < 0))
      || dup2 (words, STDERR_FILENO) < 0 || setrlimit (RLIMIT_FSIZE, &limit) < 0)
    _exit (EXIT_FAILURE);
  (void) execve ("/usr/bin/skopeo", (char *const *) skopeo->argv, environment);
  dprintf (STDERR_FILENO, "skopeo cannot be started: %s\n", g_strerror (errno));
  _exit (EXIT_FAILURE);
}

/* Keeps the end of what is said. */
static void
take_words (int fd, GString *words)
{
  char bytes[1024];
  ssize_t n;

  while ((n = read (fd, bytes, sizeof bytes)) > 0)
    {
      for (ssize_t i = 0; i < n; i++)
        g_string_append_c (words, bytes[i] == '\0' ? '?' : bytes[i]);
      if (words->len > WORDS_MAX_BYTES)
        g_string_erase (words, 0, (gssize) (words->len - WORDS_MAX_BYTES));
    }
}

static DnSkopeoEnd
watch (DnTaskRun *run, const DnSkopeo *skopeo, pid_t child, int fd, GString *words)
{
  gint64 grown_us = g_get_monotonic_time ();
  guint64 bytes = 0, told = G_MAXUINT64;
  int status;

  while (TRUE)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
      guint64 now;
      pid_t ended;

      (void) poll (&poll_fd, 1, LOOK_EVERY_MS);
      take_words (fd, words);
      ended = waitpid (child, &status, WNOHANG);
      now = count_all ();
      if (now != bytes)
        grown_us = g_get_monotonic_time ();
      bytes = now;
      if (skopeo->tells && told != bytes)
        dn_task_say (run, "progress %" G_GUINT64_FORMAT, told = bytes);
      if (ended == child)
        {
          take_words (fd, words);
          return WIFEXITED (status) && WEXITSTATUS (status) == 0 ? DN_SKOPEO_DONE
                                                                 : DN_SKOPEO_FAILED;
        }
      if (skopeo->total_bytes > 0 && bytes > skopeo->total_bytes)
        return DN_SKOPEO_TOO_MUCH;
      if (g_get_monotonic_time () - grown_us > (gint64) skopeo->stall_s * G_USEC_PER_SEC)
        return DN_SKOPEO_STALLED;
      if ((poll_fd.revents & POLLHUP) != 0) /* it has closed its end: soon gone */
        g_usleep (10 * 1000);
    }
}

DnSkopeoEnd
dn_skopeo_run (DnTaskRun *run, const DnSkopeo *skopeo, char **ret_words)
{
  g_auto (GStrv) environment = make_environment ();
  GString *words = g_string_new (NULL);
  DnSkopeoEnd end = DN_SKOPEO_FAILED;
  int pipes[2];
  pid_t child;

  if (pipe2 (pipes, O_CLOEXEC) < 0 || (child = fork ()) < 0)
    exit (dn_task_fail (run, "other", g_strerror (errno)));
  if (child == 0)
    become (skopeo, environment, pipes[1]);
  (void) close (pipes[1]);
  (void) fcntl (pipes[0], F_SETFL, O_NONBLOCK);
  end = watch (run, skopeo, child, pipes[0], words);
  (void) kill (child, SIGKILL);
  (void) waitpid (child, NULL, 0);
  (void) close (pipes[0]);
  *ret_words = g_string_free (words, FALSE);
  return end;
}
