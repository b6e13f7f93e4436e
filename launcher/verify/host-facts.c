/* SPDX-License-Identifier: Apache-2.0 */
#include "host-facts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define THREADS_MAX 1024

static char *
read_proc (gint pid, const char *file)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, file);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static void
add_status (DnVerifyFacts *facts, const char *status)
{
  static const char *const lines[][2] = {
    { "Uid", "uid" },
    { "Gid", "gid" },
    { "Groups", "groups" },
    { "Threads", "threads" },
    { "CapInh", "cap.inheritable" },
    { "CapPrm", "cap.permitted" },
    { "CapEff", "cap.effective" },
    { "CapBnd", "cap.bounding" },
    { "CapAmb", "cap.ambient" },
    { "NoNewPrivs", "no_new_privs" },
    { "Seccomp", "seccomp.mode" },
    { "Seccomp_filters", "seccomp.filters" },
  };
  g_auto (GStrv) rows = g_strsplit (status, "\n", -1);

  for (guint i = 0; rows[i] != NULL; i++)
    {
      char *value = strchr (rows[i], ':');

      if (value == NULL)
        continue;
      *value++ = '\0';
      for (gsize k = 0; k < G_N_ELEMENTS (lines); k++)
        if (g_str_equal (rows[i], lines[k][0]))
          dn_verify_facts_add (facts, lines[k][1], g_strstrip (g_strdelimit (value, "\t", ' ')));
    }
}

static void
add_namespaces (DnVerifyFacts *facts, gint pid)
{
  static const char *const kinds[] = { "user", "mnt", "pid", "ipc", "uts", "net", "cgroup" };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *theirs = g_strdup_printf ("/proc/%d/ns/%s", pid, kinds[i]);
      g_autofree char *ours = g_strdup_printf ("/proc/self/ns/%s", kinds[i]);
      g_autofree char *name = g_strconcat ("namespace.", kinds[i], NULL);
      struct stat a, b;

      if (stat (theirs, &a) == 0 && stat (ours, &b) == 0)
        dn_verify_facts_add (facts, name, a.st_ino == b.st_ino ? "the host's" : "own");
    }
}

/* From the file: prlimit(2) would need a capability more than danchid's unit leaves it. */
static void
add_limits (DnVerifyFacts *facts, gint pid)
{
  static const char *const limits[][2] = { { "Max core file size", "rlimit.RLIMIT_CORE" },
                                           { "Max processes", "rlimit.RLIMIT_NPROC" },
                                           { "Max open files", "rlimit.RLIMIT_NOFILE" },
                                           { "Max address space", "rlimit.RLIMIT_AS" } };
  g_autofree char *text = read_proc (pid, "limits");
  g_auto (GStrv) rows = text != NULL ? g_strsplit (text, "\n", -1) : NULL;

  for (guint i = 0; rows != NULL && rows[i] != NULL; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (limits); k++)
      if (g_str_has_prefix (rows[i], limits[k][0]))
        {
          char soft[24], hard[24];
          char both[64];

          if (sscanf (rows[i] + strlen (limits[k][0]), "%23s %23s", soft, hard) != 2)
            continue;
          (void) g_snprintf (both, sizeof both, "%s %s", soft, hard);
          dn_verify_facts_add (facts, limits[k][1], both);
        }
}

static gboolean
is_allowed (const char *target, const char *const *allowed)
{
  if (target[0] != '/' || g_str_equal (target, "/dev/null"))
    return TRUE;
  for (; *allowed != NULL; allowed++)
    if (g_str_has_prefix (target, *allowed))
      return TRUE;
  return FALSE;
}

static void
add_descriptors (DnVerifyFacts *facts, gint pid, const char *const *allowed)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory == NULL)
    return;
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *link = g_build_filename (path, name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      if (target == NULL || is_allowed (target, allowed))
        continue;
      dn_verify_facts_add (facts, "descriptors", target);
      return;
    }
  dn_verify_facts_add (facts, "descriptors", "clean");
}

static void
add_root (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/root/", pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);

  if (directory != NULL)
    dn_verify_facts_add (facts, "root",
                         g_dir_read_name (directory) == NULL ? "empty" : "not empty");
}

/* AppArmor says "unconfined" where it has no profile, SELinux where its policy says so; without
 * either there is nothing to read. */
static void
add_label (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *label = read_proc (pid, "attr/current");

  if (label != NULL)
    g_strstrip (label);
  if (label == NULL || label[0] == '\0')
    dn_verify_facts_add (facts, "label", "no LSM on this host");
  else
    dn_verify_facts_add (facts, "label",
                         strstr (label, "unconfined") != NULL ? "unconfined" : "confined");
}

static void
add_cgroup (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *theirs = read_proc (pid, "cgroup");
  g_autofree char *ours = NULL;

  (void) g_file_get_contents ("/proc/self/cgroup", &ours, NULL, NULL);
  if (theirs != NULL && ours != NULL)
    dn_verify_facts_add (facts, "cgroup", g_str_equal (theirs, ours) ? "danchid's" : "own");
}

/* Ids, rights and namespaces are a thread's own.  Returns: one that lives, of which /proc tells all
 * even where the main thread has ended; @pid where there is none. */
static gint
add_threads (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;
  guint count = 0;
  gint live = 0;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      gint tid = (gint) g_ascii_strtoll (name, NULL, 10);
      g_autofree char *status = read_proc (tid, "status");

      if (status == NULL || strstr (status, "\nState:\tZ") != NULL
          || strstr (status, "\nState:\tX") != NULL)
        continue;
      if (count++ == THREADS_MAX)
        {
          dn_verify_facts_add (facts, "seccomp.mode", "unknown: more threads than are looked at");
          break;
        }
      live = live == 0 ? tid : live;
      add_status (facts, status);
      add_namespaces (facts, tid);
    }
  return live == 0 ? pid : live;
}

void
dn_host_facts_add_process (DnVerifyFacts *facts, gint pid, const char *const *allowed)
{
  pid = add_threads (facts, pid);
  add_limits (facts, pid);
  if (allowed != NULL)
    add_descriptors (facts, pid, allowed);
  add_root (facts, pid);
  add_label (facts, pid);
  add_cgroup (facts, pid);
}

void
dn_host_facts_add_file (DnVerifyFacts *facts, const char *name, const char *path)
{
  g_autofree char *fact = g_strconcat ("file.", name, NULL);
  g_autofree char *value = NULL;
  struct stat status;

  if (lstat (path, &status) < 0)
    return;
  value = g_strdup_printf ("%04o %u:%u", (guint) (status.st_mode & 07777), status.st_uid,
                           status.st_gid);
  dn_verify_facts_add (facts, fact, value);
}
