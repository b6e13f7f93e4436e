/* SPDX-License-Identifier: Apache-2.0 */
/* danchid: the broker that holds this host's contexts, guests and images.
 *
 * Start: options, one lock for one danchid, the socket, then what the predecessor left, then
 * clients.  With --daemonize the caller's process ends when clients are served, with the error on
 * its standard error otherwise.  SIGHUP makes it look at its files.  SIGTERM ends danchid; guests,
 * relays and containers go on, and the next danchid takes them over.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../guest/kvm-probe.h"
#include "../guest/share-server.h"
#include "../images/intake-server.h"
#include "../network/gateway-server.h"
#include "confine.h"
#include "context.h"
#include "daemon-record.h"
#include "daemon.h"
#include "incumbent.h"
#include "lifetime.h"
#include "log.h"
#include "server.h"
#include "tree.h"

#define EXIT_USAGE 2
/* Each client and each guest has a thread, and by default each thread a heap, up to 8 for each
 * processor, which keep what one large answer took.  On two there is no queue: what danchid does is
 * mostly waiting. */
#define HEAPS_MAX 2
/* One for each running guest, and more while somebody asks: as many as the unit gives. */
#define DESCRIPTORS_MAX 65536
#define MESSAGE_MAX_BYTES 4096
#define LOCK_WAIT_MS 2000
#define LOCK_POLL_MS 50

typedef struct
{
  char *socket; /* owned, as are all strings here */
  char *config;
  char *state;
  char *run;
  char *intake;
  char *share;
  char *gateway;
  gboolean is_session;
  gboolean is_daemon;
  gboolean is_foreground;
  gboolean is_verbose;
  gboolean probes_kvm;
  gboolean ends_incumbent;
  gboolean shows_version;
} Options;

static gboolean
read_options (int argc, char **argv, Options *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "socket", 0, 0, G_OPTION_ARG_FILENAME, &options->socket, "the API's socket", "PATH" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config, "instead of /etc/danchi", "DIR" },
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &options->state, "instead of /var/lib/danchi", "DIR" },
    { "run", 0, 0, G_OPTION_ARG_FILENAME, &options->run, "instead of /run/danchi", "DIR" },
    { "intake", 0, 0, G_OPTION_ARG_FILENAME, &options->intake,
      "use the danchi-intake that listens there instead of starting one", "SOCKET" },
    { "share", 0, 0, G_OPTION_ARG_FILENAME, &options->share,
      "use the danchi-share that listens there instead of starting one", "SOCKET" },
    { "gateway", 0, 0, G_OPTION_ARG_FILENAME, &options->gateway,
      "use the danchi-gateway that listens there instead of starting one", "SOCKET" },
    { "session", 0, 0, G_OPTION_ARG_NONE, &options->is_session,
      "of a user's session: danchi-session starts it, in namespaces of the user's own", NULL },
    { "daemonize", 0, 0, G_OPTION_ARG_NONE, &options->is_daemon,
      "go to the background once clients are served", NULL },
    { "foreground", 0, 0, G_OPTION_ARG_NONE, &options->is_foreground,
      "stay in the foreground (as without --daemonize)", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->is_verbose, "log more", NULL },
    { "probe-kvm", 0, 0, G_OPTION_ARG_NONE, &options->probes_kvm,
      "say whether this host can run KVM guests, and exit", NULL },
    { "end", 0, 0, G_OPTION_ARG_NONE, &options->ends_incumbent,
      "end the danchid that serves now, unless a service manager keeps it; guests go on", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->shows_version, "print the version and exit",
      NULL },
    { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Danchi's daemon: contexts, guests, images.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (argc > 1)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': no arguments are expected", argv[1]);
  if (options->is_daemon && options->is_foreground)
    return dn_throw (error, DN_ERROR_USAGE, "--daemonize and --foreground exclude each other");
  return TRUE;
}

/* In the parent: waits for the daemon's word, and ends with it. */
static _Noreturn void
await_daemon (int fd)
{
  char message[MESSAGE_MAX_BYTES];
  size_t used = 0;
  ssize_t n;

  while (used < sizeof message - 1
         && (n = read (fd, message + used, sizeof message - 1 - used)) != 0)
    {
      if (n < 0 && errno != EINTR)
        break;
      used += n > 0 ? (size_t) n : 0;
    }
  message[used] = '\0';
  if (used == 1 && message[0] == '\0')
    exit (EXIT_SUCCESS);
  fprintf (stderr, "danchid: %s\n", used > 0 ? message : "ended before it was ready");
  exit (EXIT_FAILURE);
}

/* Two forks, as a daemon does: the second so that it can never get a terminal.  Before the first
 * thread.  Returns, in the daemon, the descriptor to say "ready" or an error on. */
static int
daemonize (GError **error)
{
  int ready[2], null;
  pid_t child;

  if (pipe2 (ready, O_CLOEXEC) < 0 || (child = fork ()) < 0)
    {
      dn_throw_errno (error, "going to the background");
      return -1;
    }
  if (child > 0)
    {
      (void) close (ready[1]);
      (void) waitpid (child, NULL, 0);
      await_daemon (ready[0]);
    }
  (void) close (ready[0]);
  if (setsid () < 0 || (child = fork ()) < 0)
    _exit (EXIT_FAILURE);
  if (child > 0)
    _exit (EXIT_SUCCESS);
  if (chdir ("/") < 0 || (null = open ("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
    _exit (EXIT_FAILURE);
  (void) dup2 (null, STDIN_FILENO);
  (void) dup2 (null, STDOUT_FILENO);
  (void) dup2 (null, STDERR_FILENO);
  if (null > STDERR_FILENO)
    (void) close (null);
  return ready[1];
}

static gboolean
start_log (const Options *options, GError **error)
{
  g_autofree char *directory = g_build_filename (dn_paths ()->state, "log", NULL);
  g_autofree char *path = g_build_filename (directory, "danchid.log", NULL);

  if (!options->is_daemon)
    return dn_log_start (NULL, options->is_verbose, error);
  return dn_tree_make (dn_paths ()->state, 0711, error) && dn_tree_make (directory, 0700, error)
         && dn_log_start (path, options->is_verbose, error);
}

/* A process that a danchid had just begun when it was killed shares the lock until it executes its
 * program: a moment, or two on a busy host. */
static int
try_lock (int fd)
{
  int r;

  for (guint waited_ms = 0;
       (r = flock (fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK && waited_ms < LOCK_WAIT_MS;
       waited_ms += LOCK_POLL_MS)
    g_usleep (LOCK_POLL_MS * 1000);
  return r;
}

/* One danchid for a run directory: the kernel lets go of the lock when the process ends, however
 * it ends.  The descriptor stays open for good. */
static gboolean
take_lock (GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->run, "danchid.lock", NULL);
  int fd;

  if (!dn_tree_make (dn_paths ()->run, 0711, error))
    return FALSE;
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return dn_throw_errno (error, "lock '%s'", path);
  if (try_lock (fd) == 0)
    return TRUE;
  if (errno == EWOULDBLOCK)
    dn_throw (error, DN_ERROR_CONFLICT, "another danchid runs already\nits lock is '%s'", path);
  else
    dn_throw_errno (error, "lock '%s'", path);
  (void) close (fd);
  return FALSE;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
reread (gpointer daemon)
{
  dn_context_refresh (daemon);
  return G_SOURCE_CONTINUE;
}

static void
say_ready (int fd)
{
  if (fd >= 0 && write (fd, "", 1) != 1)
    g_warning ("start: nobody waits for it");
}

/* (transfer full) */
static char *
socket_path (const Options *options)
{
  return options->socket != NULL ? g_strdup (options->socket)
                                 : g_build_filename (dn_paths ()->run, "danchid.sock", NULL);
}

static gboolean
run (const Options *options, int *ready_fd, GError **error)
{
  g_autofree char *path = socket_path (options);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  DnServer *server;
  DnDaemon *daemon;

  if (!start_log (options, error) || !take_lock (error))
    return FALSE;
  server = dn_server_listen (path, error);
  if (server == NULL)
    return FALSE;
  daemon = dn_daemon_new (error);
  if (daemon == NULL || !dn_server_run (server, daemon, error))
    {
      (void) unlink (path);
      return FALSE;
    }
  dn_lifetime_watch (daemon);
  (void) g_unix_signal_add (SIGHUP, reread, daemon);
  (void) g_unix_signal_add (SIGTERM, quit, loop);
  (void) g_unix_signal_add (SIGINT, quit, loop);
  g_message ("danchid " DN_VERSION " serves on %s", path);
  say_ready (*ready_fd);
  dn_fd_clear (ready_fd);
  g_main_loop_run (loop);
  g_message ("danchid ends; guests go on");
  dn_server_stop (server);
  dn_daemon_record_stop (daemon);
  return TRUE;
}

static int
probe_kvm (void)
{
  g_autoptr (GError) error = NULL;

  if (dn_kvm_probe (DN_KVM_PROBE_ANEW, &error))
    {
      puts ("KVM works");
      return EXIT_SUCCESS;
    }
  puts (error->message);
  return EXIT_FAILURE;
}

static int
end_incumbent (const Options *options)
{
  g_autofree char *path = socket_path (options);
  g_autoptr (GError) error = NULL;

  switch (dn_incumbent_end (path, &error))
    {
    case DN_INCUMBENT_NONE:
      puts ("no danchid runs");
      return EXIT_SUCCESS;
    case DN_INCUMBENT_KEPT:
      puts ("danchid is kept by a service manager: systemctl restart danchid");
      return EXIT_SUCCESS;
    case DN_INCUMBENT_ENDED:
      puts ("danchid has ended, guests go on; the next danchi of root starts it");
      return EXIT_SUCCESS;
    case DN_INCUMBENT_FAILED:
      break;
    }
  fprintf (stderr, "danchid: %s\n", error->message);
  return EXIT_FAILURE;
}

/* Says why on standard error, or to the process that waits for the daemon. */
static void
report (const GError *error, int ready_fd)
{
  if (ready_fd >= 0)
    (void) !write (ready_fd, error->message, strnlen (error->message, MESSAGE_MAX_BYTES - 1));
  else
    fprintf (stderr, "danchid: %s\n", error->message);
}

/* Where no service manager has done it, shells give 1,024. */
static void
raise_descriptors (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS_MAX)
    return;
  limit.rlim_cur = MIN (limit.rlim_max, DESCRIPTORS_MAX);
  (void) setrlimit (RLIMIT_NOFILE, &limit);
}

int
main (int argc, char **argv)
{
  Options options = { 0 };
  g_autoptr (GError) error = NULL;
  int ready_fd = -1;

  (void) mallopt (M_ARENA_MAX, HEAPS_MAX);
  raise_descriptors ();
  (void) signal (SIGPIPE, SIG_IGN);
  (void) umask (0022);
  if (!read_options (argc, argv, &options, &error))
    {
      fprintf (stderr, "danchid: %s\n", error->message);
      return EXIT_USAGE;
    }
  if (options.shows_version)
    {
      puts ("danchid " DN_VERSION);
      return EXIT_SUCCESS;
    }
  if (options.is_session)
    dn_paths_set_session ();
  dn_paths_override (options.config, options.state, options.run);
  if (options.probes_kvm)
    return probe_kvm ();
  if (options.ends_incumbent)
    return end_incumbent (&options);
  if (options.is_daemon && (ready_fd = daemonize (&error)) < 0)
    {
      report (error, -1);
      return EXIT_FAILURE;
    }
  if (options.intake != NULL)
    dn_intake_server_use_socket (options.intake);
  else
    dn_intake_server_start ();
  if (options.share != NULL)
    dn_share_server_use_socket (options.share);
  else if (!options.is_session)
    dn_share_server_start ();
  if (options.gateway != NULL)
    dn_gateway_server_use_socket (options.gateway);
  else
    dn_gateway_server_start ();
  /* Before the first thread, the first caller and any child but those. */
  if (!dn_confine_run (&error) || !run (&options, &ready_fd, &error))
    {
      report (error, ready_fd);
      return EXIT_FAILURE;
    }
  /* At once: worker threads may still be at work for guests, which the next danchid looks after. */
  fflush (NULL);
  _exit (EXIT_SUCCESS);
}
