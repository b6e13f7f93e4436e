/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "child.h"
#include "outside.h"
#include "services.h"
#include "spaces.h"
#include "upstream.h"
#include "veil.h"

#define WORD_FD 3
#define TURN_MS 500
#define END_WAIT_MS 20000
#define END_POLL_MS 20
#define LOCK_TRIES 50
#define WORDS_MAX_BYTES 2000
#define LOG_MAX_BYTES (1024 * 1024)

typedef struct
{
  const DnSessionPaths *paths;
  int addresses_fd;
  int outside_fd;
  int word_fd; /* to whoever waits: '+', or an error's message; -1 once said */
  pid_t inner;
} Keeper;

static volatile sig_atomic_t is_ending;

static void
end (int number)
{
  (void) number;
  is_ending = 1;
}

static char *
lock_path (const DnSessionPaths *paths)
{
  return g_build_filename (paths->run, "session.lock", NULL);
}

/* Returns: a descriptor, or -1 with EWOULDBLOCK where a keeper has it */
static int
take_lock (const DnSessionPaths *paths)
{
  g_autofree char *path = lock_path (paths);
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  return fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 ? g_steal_fd (&fd) : -1;
}

/* For good.  Who only looks whether it is taken has it for a moment. */
static int
take_lock_patiently (const DnSessionPaths *paths)
{
  int fd;

  for (guint i = 0; (fd = take_lock (paths)) < 0 && i < LOCK_TRIES; i++)
    g_usleep (END_POLL_MS * 1000);
  return fd;
}

gboolean
dn_keeper_is_there (const DnSessionPaths *paths)
{
  dn_autofd int fd = take_lock (paths);

  return fd < 0 && errno == EWOULDBLOCK;
}

static void
say (Keeper *keeper, const char *word)
{
  if (keeper->word_fd >= 0)
    (void) !write (keeper->word_fd, word, strnlen (word, WORDS_MAX_BYTES));
  dn_fd_clear (&keeper->word_fd);
}

static void
say_ready (void *data)
{
  say (data, "+");
}

/* On the inner side, from its first moment on. */
static _Noreturn void
run_inside (Keeper *keeper, gint joined, int ask_fd, int answer_fd, pid_t parent)
{
  g_autoptr (GError) error = NULL;
  gboolean is_in;

  (void) signal (SIGTERM, SIG_DFL);
  if (joined > 0)
    is_in = dn_spaces_join (joined, &error);
  else
    is_in = dn_spaces_make (ask_fd, answer_fd, &error) && dn_veil_run (keeper->paths, &error);
  /* After the ids, whose change forgets it. */
  if (is_in && prctl (PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 && getppid () == parent)
    dn_services_run (keeper->addresses_fd, say_ready, keeper, &error);
  if (error != NULL)
    g_printerr ("danchi-session: %s\n", error->message);
  /* What the outer side said already is the better word. */
  if (error != NULL && !g_error_matches (error, DN_ERROR, DN_ERROR_FAILED))
    say (keeper, error->message);
  _exit (EXIT_FAILURE);
}

/* Returns: FALSE where no inner side can be had */
static gboolean
start_inside (Keeper *keeper, gboolean may_make, GError **error)
{
  gint joined = dn_spaces_find (keeper->paths->run);
  pid_t parent = getpid ();
  int ask[2], answer[2];
  gboolean is_fine = TRUE;

  if (joined == 0 && !may_make)
    return FALSE;
  if (pipe2 (ask, O_CLOEXEC) < 0 || pipe2 (answer, O_CLOEXEC) < 0 || (keeper->inner = fork ()) < 0)
    return dn_throw_errno (error, "session mode");
  if (keeper->inner == 0)
    {
      (void) close (ask[0]);
      (void) close (answer[1]);
      run_inside (keeper, joined, ask[1], answer[0], parent);
    }
  (void) close (ask[1]);
  (void) close (answer[0]);
  if (joined == 0)
    is_fine = dn_spaces_map (keeper->inner, ask[0], answer[1], error);
  (void) close (ask[0]);
  (void) close (answer[1]);
  return is_fine;
}

/* pasta reads it at its start alone. */
static gboolean
has_new_servers (struct stat *known)
{
  struct stat now = { 0 };
  gboolean is_new;

  (void) stat ("/etc/resolv.conf", &now);
  is_new = now.st_ino != known->st_ino || now.st_mtim.tv_sec != known->st_mtim.tv_sec
           || now.st_mtim.tv_nsec != known->st_mtim.tv_nsec || now.st_size != known->st_size;
  *known = now;
  return is_new;
}

static void
run_outside (Keeper *keeper)
{
  g_auto (GStrv) words = dn_upstream_words (keeper->inner);
  DnChild pasta = { .name = "pasta", .words = words };
  struct pollfd wishes = { .fd = keeper->outside_fd, .events = POLLIN };
  struct stat servers = { 0 };

  while (!is_ending)
    {
      if (waitpid (keeper->inner, NULL, WNOHANG) == keeper->inner)
        {
          dn_child_end (&pasta);
          return;
        }
      if (has_new_servers (&servers))
        dn_child_end (&pasta);
      /* After the inner side's word: its routes are there before there is a way. */
      dn_child_keep (&pasta);
      if (poll (&wishes, 1, TURN_MS) > 0)
        dn_outside_serve (keeper->outside_fd);
    }
  dn_child_end (&pasta);
  (void) kill (keeper->inner, SIGTERM);
  (void) waitpid (keeper->inner, NULL, 0);
}

/* The inner side's word goes to whoever waits; then the way out is made. */
static gboolean
await_inside (Keeper *keeper, int fd)
{
  char word[WORDS_MAX_BYTES + 1];
  ssize_t n = read (fd, word, WORDS_MAX_BYTES);

  word[MAX (n, 0)] = '\0';
  say (keeper, n > 0 ? word : "session mode: the session ended at its start\nsee session.log");
  return n == 1 && word[0] == '+';
}

/* Returns: whether it ran */
static gboolean
run_once (Keeper *keeper, gboolean may_make)
{
  g_autoptr (GError) error = NULL;
  int word[2], outer = keeper->word_fd;
  gboolean is_fine;

  if (pipe2 (word, O_CLOEXEC) < 0)
    return FALSE;
  keeper->word_fd = word[1];
  is_fine = start_inside (keeper, may_make, &error);
  (void) close (word[1]);
  keeper->word_fd = outer;
  if (error != NULL && !g_error_matches (error, DN_ERROR, DN_ERROR_FAILED))
    say (keeper, error->message);
  is_fine = is_fine && await_inside (keeper, word[0]);
  if (!is_fine && keeper->word_fd >= 0)
    (void) await_inside (keeper, word[0]);
  (void) close (word[0]);
  if (is_fine)
    run_outside (keeper);
  else if (keeper->inner > 0)
    (void) kill (keeper->inner, SIGKILL);
  return is_fine;
}

static int
open_log (const DnSessionPaths *paths)
{
  g_autofree char *directory = g_build_filename (paths->state, "log", NULL);
  g_autofree char *path = g_build_filename (directory, "session.log", NULL);
  struct stat status;
  int fd = g_mkdir_with_parents (directory, 0700) == 0
               ? open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)
               : -1;

  if (fd >= 0 && fstat (fd, &status) == 0 && status.st_size > LOG_MAX_BYTES)
    (void) !ftruncate (fd, 0);
  return fd;
}

/* In the background.  @word_fd: to say "+" on, or what is wrong */
static _Noreturn void
keep (Keeper *keeper)
{
  struct sigaction action = { .sa_handler = end };
  g_autofree char *outside = g_build_filename (keeper->paths->run, DN_OUTSIDE_SOCKET, NULL);
  g_autofree char *number = g_strdup_printf ("%d\n", (int) getpid ());
  g_autoptr (GError) error = NULL;
  int lock = take_lock_patiently (keeper->paths), log = open_log (keeper->paths);
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  (void) sigaction (SIGTERM, &action, NULL);
  (void) signal (SIGPIPE, SIG_IGN);
  (void) umask (0022);
  (void) setsid ();
  if (null < 0 || log < 0 || lock < 0 || chdir ("/") < 0 || dup2 (null, 0) < 0 || dup2 (null, 1) < 0
      || dup2 (log, 2) < 0)
    dn_throw_errno (&error, "session mode: '%s'", keeper->paths->run);
  else if (ftruncate (lock, 0) == 0 && write (lock, number, strlen (number)) > 0
           && (keeper->addresses_fd = dn_upstream_open (&error)) >= 0
           && (keeper->outside_fd = dn_outside_listen (outside, &error)) >= 0)
    {
      gboolean may_make = TRUE;

      while (!is_ending && run_once (keeper, may_make))
        may_make = FALSE;
    }
  if (error != NULL)
    say (keeper, error->message);
  _exit (EXIT_FAILURE);
}

gboolean
dn_keeper_start (const DnSessionPaths *paths, GError **error)
{
  Keeper keeper = { .paths = paths, .addresses_fd = -1, .outside_fd = -1 };
  char word[WORDS_MAX_BYTES + 1];
  int pipe[2];
  ssize_t n;
  pid_t child;

  if (pipe2 (pipe, O_CLOEXEC) < 0 || (child = fork ()) < 0)
    return dn_throw_errno (error, "session mode");
  if (child == 0)
    {
      (void) close (pipe[0]);
      keeper.word_fd = pipe[1];
      /* Twice: nobody waits for it. */
      if (fork () != 0)
        _exit (EXIT_SUCCESS);
      /* The starter's lock above all, which would last as long as the keeper. */
      keeper.word_fd = dup3 (keeper.word_fd, WORD_FD, O_CLOEXEC);
      (void) close_range (WORD_FD + 1, ~0u, 0);
      keep (&keeper);
    }
  (void) close (pipe[1]);
  (void) waitpid (child, NULL, 0);
  n = read (pipe[0], word, WORDS_MAX_BYTES);
  (void) close (pipe[0]);
  word[MAX (n, 0)] = '\0';
  if (n == 1 && word[0] == '+')
    return TRUE;
  return dn_throw (error, DN_ERROR_FAILED, "%s",
                   n > 0 ? word : "session mode: the session ended at its start\nsee session.log");
}

gboolean
dn_keeper_end (const DnSessionPaths *paths)
{
  g_autofree char *path = lock_path (paths);
  g_autofree char *number = NULL;

  if (!dn_keeper_is_there (paths) || !g_file_get_contents (path, &number, NULL, NULL)
      || atoi (number) <= 1)
    return FALSE;
  (void) kill (atoi (number), SIGTERM);
  for (guint waited_ms = 0; dn_keeper_is_there (paths) && waited_ms < END_WAIT_MS;
       waited_ms += END_POLL_MS)
    g_usleep (END_POLL_MS * 1000);
  return TRUE;
}
