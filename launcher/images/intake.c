/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../daemon/tree.h"
#include "../guest/identity.h"
#include "../guest/process.h"
#include "intake-server.h"

#define DIRECTORIES_MAX 4
#define LOOK_EVERY_MS 200
#define KILL_WAIT_MS 10000
#define MEASURE_EVERY_US (2 * G_USEC_PER_SEC)

struct DnIntake
{
  DnRequest *request;
  const DnIntakePlan *plan;
  DnIdentity identity;
  char *claim;     /* owned; the file for which the identity is claimed */
  char *directory; /* owned */
  int directory_fds[DIRECTORIES_MAX];
  int directory_fd;
  int input; /* our end; as are the next two */
  int report;
  int lifeline;
  GString *line; /* owned; what has come of the next one */
  guint lines;
  gint64 deadline_us;
  gint64 measured_us;
  gboolean is_done;
};

static char *
claims_directory (void)
{
  return g_build_filename (dn_paths ()->run, "intake", NULL);
}

/* The claim's file is there before the identity is taken for it, and holds the uid for the sweep.
 */
static gboolean
take_identity (DnIntake *intake, GError **error)
{
  g_autofree char *claims = claims_directory ();
  g_autofree char *name = g_path_get_basename (intake->plan->staging);
  g_autofree char *uid = NULL;

  intake->claim = g_build_filename (claims, name, NULL);
  if (!dn_tree_make (claims, 0700, error)
      || !g_file_set_contents_full (intake->claim, "", 0, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                    error))
    return FALSE;
  if (!dn_identity_take (intake->claim, &intake->identity, error))
    {
      (void) g_unlink (intake->claim);
      return FALSE;
    }
  uid = g_strdup_printf ("%u %u", intake->identity.slot, intake->identity.uid);
  return g_file_set_contents_full (intake->claim, uid, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}

/* A directory of the run's; nobody but us has a right to the path yet. */
static gboolean
make_directory (DnIntake *intake, const char *path, int *ret_fd, GError **error)
{
  *ret_fd = -1;
  if (mkdir (path, 0700) < 0
      || (*ret_fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0
      || fchown (*ret_fd, intake->identity.uid, intake->identity.gid) < 0)
    return dn_throw_errno (error, "directory '%s'", path);
  return TRUE;
}

static gboolean
make_directories (DnIntake *intake, GError **error)
{
  const char *const *names = intake->plan->directories;

  if (!make_directory (intake, intake->directory, &intake->directory_fd, error))
    return FALSE;
  for (guint i = 0; names != NULL && names[i] != NULL && i < DIRECTORIES_MAX; i++)
    {
      g_autofree char *path = g_build_filename (intake->directory, names[i], NULL);

      if (!make_directory (intake, path, &intake->directory_fds[i], error))
        return FALSE;
    }
  return TRUE;
}

/* The task's ends go out with the order and are closed here. */
static gboolean
begin (DnIntake *intake, GError **error)
{
  const DnIntakePlan *plan = intake->plan;
  DnIntakeOrder order = { .uid = intake->identity.uid, .gid = intake->identity.gid };
  DnFdList fds = { .count = DN_INTAKE_FDS };
  int input[2] = { -1, -1 }, report[2] = { -1, -1 }, lifeline[2] = { -1, -1 };
  gboolean is_fine;

  (void) g_strlcpy (order.task, plan->task, sizeof order.task);
  is_fine = (pipe2 (input, O_CLOEXEC) == 0 && pipe2 (report, O_CLOEXEC) == 0
             && pipe2 (lifeline, O_CLOEXEC) == 0)
            || dn_throw_errno (error, "pipes");
  intake->input = input[1];
  intake->report = report[0];
  intake->lifeline = lifeline[1];
  fds.fds[DN_INTAKE_FD_STAGING] = intake->directory_fd;
  fds.fds[DN_INTAKE_FD_INPUT] = input[0];
  fds.fds[DN_INTAKE_FD_REPORT] = report[1];
  fds.fds[DN_INTAKE_FD_LIFELINE] = lifeline[0];
  for (guint i = 0; i < plan->file_count; i++)
    fds.fds[fds.count++] = plan->files[i];
  is_fine = is_fine && dn_intake_server_order (&order, &fds, error);
  dn_fd_clear (&input[0]);
  dn_fd_clear (&report[1]);
  dn_fd_clear (&lifeline[0]);
  for (guint i = 0; is_fine && plan->order[i] != NULL; i++)
    is_fine = dn_intake_say (intake, plan->order[i], error);
  return is_fine && dn_intake_say (intake, "", error);
}

gboolean
dn_intake_say (DnIntake *intake, const char *line, GError **error)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  gsize size = strlen (text);

  /* Within a pipe's buffer: it does not block. */
  return (strchr (line, '\n') == NULL && write (intake->input, text, size) == (ssize_t) size)
         || dn_throw (error, DN_ERROR_FAILED, "danchi-intake has ended");
}

int
dn_intake_directory_fd (DnIntake *intake, guint number)
{
  return intake->directory_fds[number];
}

static gboolean
take_failure (DnIntake *intake, const char *rest, GError **error)
{
  const DnIntakePlan *plan = intake->plan;
  g_auto (GStrv) words = g_strsplit (rest, " ", 2);
  const char *text = words[0] != NULL && words[1] != NULL ? words[1] : "";

  if (words[0] != NULL && plan->failed != NULL)
    plan->failed (words[0], text, plan->data, error);
  if (error != NULL && *error == NULL)
    dn_throw (error, DN_ERROR_FAILED, "danchi-intake: %s: %s",
              words[0] != NULL ? words[0] : "failed", text);
  return FALSE;
}

static gboolean
take_line (DnIntake *intake, const char *line, GError **error)
{
  g_auto (GStrv) words = NULL;
  gboolean is_fine;
  gint64 begun_us;

  if (intake->is_done || ++intake->lines > DN_INTAKE_LINES_MAX)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says more than it may");
  for (const char *at = line; *at != '\0'; at++)
    if (*at < ' ' || *at > '~')
      return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says what is no text");
  if (g_str_has_prefix (line, "failed "))
    return take_failure (intake, line + strlen ("failed "), error);
  if (g_str_equal (line, "done"))
    return intake->is_done = TRUE;
  words = g_strsplit (line, " ", -1);
  if (intake->plan->line == NULL || words[0] == NULL)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says what was not asked for");
  begun_us = g_get_monotonic_time ();
  is_fine = intake->plan->line (intake, words, intake->plan->data, error);
  intake->deadline_us += g_get_monotonic_time () - begun_us;
  return is_fine;
}

/* Returns: 1 for more, 0 at the end, -1 with @error. */
static int
take_bytes (DnIntake *intake, GError **error)
{
  char bytes[4096];
  ssize_t n = read (intake->report, bytes, sizeof bytes);

  if (n < 0 && errno == EINTR)
    return 1;
  if (n <= 0)
    return 0;
  for (ssize_t i = 0; i < n; i++)
    if (bytes[i] == '\n')
      {
        if (!take_line (intake, intake->line->str, error))
          return -1;
        g_string_truncate (intake->line, 0);
      }
    else if (bytes[i] == '\0' || intake->line->len >= DN_INTAKE_LINE_MAX_BYTES)
      {
        dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says a line that is none");
        return -1;
      }
    else
      g_string_append_c (intake->line, bytes[i]);
  return 1;
}

/* One at a time: nftw(3) has no argument for its function. */
static GMutex walk_lock;
static guint64 walk_bytes;
static guint walk_entries;

static int
measure_entry (const char *path, const struct stat *status, int type, struct FTW *place)
{
  (void) path;
  (void) type;
  (void) place;
  if (status != NULL && S_ISREG (status->st_mode))
    walk_bytes += (guint64) status->st_blocks * 512;
  return ++walk_entries > DN_INTAKE_ENTRIES_MAX ? 1 : 0;
}

/* What rlimits do not bound: many files. */
static gboolean
check_room (DnIntake *intake, GError **error)
{
  gboolean is_too_much;

  if (g_get_monotonic_time () - intake->measured_us < MEASURE_EVERY_US)
    return TRUE;
  intake->measured_us = g_get_monotonic_time ();
  g_mutex_lock (&walk_lock);
  walk_bytes = walk_entries = 0;
  is_too_much = nftw (intake->directory, measure_entry, 8, FTW_PHYS | FTW_MOUNT) > 0
                || walk_bytes > intake->plan->disk_bytes;
  g_mutex_unlock (&walk_lock);
  return !is_too_much || dn_throw (error, DN_ERROR_LIMIT, "danchi-intake writes more than it may");
}

static gboolean
watch (DnIntake *intake, GError **error)
{
  for (;;)
    {
      struct pollfd entry = { .fd = intake->report, .events = POLLIN };
      int n = poll (&entry, 1, LOOK_EVERY_MS), r = 1;

      if (n > 0)
        r = take_bytes (intake, error);
      if (r < 0)
        return FALSE;
      if (r == 0 && !intake->is_done)
        return dn_throw (error, DN_ERROR_FAILED, "danchi-intake ended without a word");
      if (intake->is_done)
        return TRUE;
      if (dn_request_is_gone (intake->request))
        return dn_throw (error, DN_ERROR_FAILED, "the client has gone");
      if (g_get_monotonic_time () > intake->deadline_us)
        return dn_throw (error, DN_ERROR_LIMIT, "not done within %u s", intake->plan->timeout_s);
      if (!check_room (intake, error))
        return FALSE;
    }
}

static int
own_entry (const char *path, const struct stat *status, int type, struct FTW *place)
{
  (void) status;
  (void) type;
  (void) place;
  if (lchown (path, 0, 0) < 0)
    g_warning ("'%s': %s", path, g_strerror (errno));
  return 0;
}

/* After this nothing of the run's uid is left but what @intake->directory holds as root's. */
static void
end (DnIntake *intake)
{
  struct pollfd entry = { .fd = intake->report, .events = 0 };
  guint left = 0;

  dn_fd_clear (&intake->lifeline);
  dn_fd_clear (&intake->input);
  if (intake->report >= 0)
    (void) poll (&entry, 1, KILL_WAIT_MS); /* the keeper's end is the last one of it */
  dn_fd_clear (&intake->report);
  (void) dn_process_kill_uid (intake->identity.uid, KILL_WAIT_MS, &left);
  if (left == 0)
    (void) nftw (intake->directory, own_entry, 8, FTW_PHYS | FTW_MOUNT);
  else
    g_warning ("danchi-intake: %u processes of uid %u do not end", left, intake->identity.uid);
  dn_fd_clear (&intake->directory_fd);
  for (guint i = 0; i < DIRECTORIES_MAX; i++)
    dn_fd_clear (&intake->directory_fds[i]);
  if (left == 0)
    {
      dn_identity_release (intake->identity.slot, intake->claim);
      (void) g_unlink (intake->claim);
    }
}

gboolean
dn_intake_run (DnRequest *request, const DnIntakePlan *plan, GError **error)
{
  DnIntake intake = {
    .request = request,
    .plan = plan,
    .directory = g_build_filename (plan->staging, DN_INTAKE_DIRECTORY, NULL),
    .directory_fd = -1,
    .input = -1,
    .report = -1,
    .lifeline = -1,
    .line = g_string_new (NULL),
    .deadline_us = g_get_monotonic_time () + (gint64) plan->timeout_s * G_USEC_PER_SEC,
  };
  gboolean is_fine;

  for (guint i = 0; i < DIRECTORIES_MAX; i++)
    intake.directory_fds[i] = -1;
  is_fine = take_identity (&intake, error);
  if (is_fine)
    {
      is_fine = make_directories (&intake, error)
                && (plan->prepare == NULL || plan->prepare (intake.directory, plan->data, error))
                && begin (&intake, error) && watch (&intake, error);
      end (&intake);
    }
  g_string_free (intake.line, TRUE);
  g_free (intake.claim);
  g_free (intake.directory);
  return is_fine;
}

void
dn_intake_sweep (GPtrArray *removed)
{
  g_autofree char *claims = claims_directory ();
  g_autoptr (GDir) files = g_dir_open (claims, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    {
      g_autofree char *path = g_build_filename (claims, name, NULL);
      g_autofree char *text = NULL;
      guint slot = 0, uid = 0, left = 0;

      if (g_file_get_contents (path, &text, NULL, NULL) && sscanf (text, "%u %u", &slot, &uid) == 2
          && dn_identity_owns_uid (uid))
        (void) dn_process_kill_uid (uid, KILL_WAIT_MS, &left);
      if (left > 0)
        continue;
      dn_identity_release (slot, path);
      (void) g_unlink (path);
      g_ptr_array_add (removed, g_strdup_printf ("intake %s", name));
    }
}
