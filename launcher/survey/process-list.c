/* SPDX-License-Identifier: Apache-2.0 */
#include "process-list.h"

#include <stdio.h>
#include <string.h>

#include "../common/names.h"
#include "root-file.h"

#define NAME_MAX_BYTES 256
#define COMMAND_MAX_BYTES (128 * 1024)
#define DELETED " (deleted)"

static void
free_process (gpointer data)
{
  DnProcess *process = data;

  g_free (process->comm);
  g_free (process->path);
  g_free (process->program);
  g_free (process->pids);
  g_strfreev (process->words);
  g_free (process);
}

void
dn_process_list_free (DnProcessList *list)
{
  if (list == NULL)
    return;
  g_ptr_array_unref (list->processes);
  g_hash_table_unref (list->sockets);
  g_free (list->pids);
  g_free (list);
}

static char *
read_of (const char *root, gint pid, const char *file, gsize max_bytes)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, file);

  return dn_root_file_read (root, path, max_bytes);
}

static gboolean
read_uid (const char *root, gint pid, guint *ret_uid)
{
  g_autofree char *status = read_of (root, pid, "status", DN_ROOT_FILE_MAX_BYTES);
  const char *line = status != NULL ? strstr (status, "\nUid:") : NULL;

  return line != NULL && sscanf (line, "\nUid: %*u %u", ret_uid) == 1;
}

/* @process: a pid, or "self" */
static char *
read_pids (const char *root, const char *process)
{
  g_autofree char *link = g_strdup_printf ("/proc/%s/ns/pid", process);

  return dn_root_file_read_link (root, link);
}

static char *
read_path (const char *root, gint pid)
{
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
  g_autofree char *path = dn_root_file_read_link (root, link);

  if (path != NULL && g_str_has_suffix (path, DELETED))
    path[strlen (path) - strlen (DELETED)] = '\0';
  return path != NULL ? dn_text_clean (path, NAME_MAX_BYTES) : NULL;
}

/* A process that listens for another at its start (systemd) holds the socket too: the other is the
 * one to name. */
static void
note_socket (DnProcessList *list, DnProcess *process, guint64 inode)
{
  DnProcess *known = g_hash_table_lookup (list->sockets, &inode);

  if (known == NULL || known->pid == 1)
    g_hash_table_insert (list->sockets, g_memdup2 (&inode, sizeof inode), process);
}

static void
read_descriptors (DnProcessList *list, const char *root, DnProcess *process)
{
  g_autofree char *directory = g_strdup_printf ("/proc/%d/fd", process->pid);
  g_autoptr (GPtrArray) names = dn_root_file_list (root, directory, DN_PROCESS_DESCRIPTORS_MAX);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (directory, names->pdata[i], NULL);
      g_autofree char *target = dn_root_file_read_link (root, path);

      if (target != NULL && g_str_has_prefix (target, "socket:["))
        note_socket (list, process, g_ascii_strtoull (target + strlen ("socket:["), NULL, 10));
      else if (target != NULL && g_str_equal (target, "anon_inode:kvm-vm"))
        process->has_kvm = TRUE;
    }
}

static void
add_process (DnProcessList *list, const char *root, gint pid)
{
  g_autofree char *comm = read_of (root, pid, "comm", NAME_MAX_BYTES);
  g_autofree char *number = g_strdup_printf ("%d", pid);
  g_autofree char *command = NULL;
  DnProcess *process;
  guint uid;

  if (comm == NULL || !read_uid (root, pid, &uid))
    return; /* it has just ended */
  command = read_of (root, pid, "cmdline", COMMAND_MAX_BYTES);
  process = g_new0 (DnProcess, 1);
  process->pid = pid;
  process->uid = uid;
  process->comm = dn_text_clean (comm, NAME_MAX_BYTES);
  process->path = read_path (root, pid);
  process->pids = read_pids (root, number);
  process->program
      = process->path != NULL ? g_path_get_basename (process->path) : g_strdup (process->comm);
  process->words = g_strsplit (command != NULL ? command : "", "\n", -1);
  g_ptr_array_add (list->processes, process);
  read_descriptors (list, root, process);
}

static gint
compare_pids (gconstpointer a, gconstpointer b)
{
  return *(const gint *) a - *(const gint *) b;
}

DnProcessList *
dn_process_list_read (const char *root)
{
  DnProcessList *list = g_new0 (DnProcessList, 1);
  g_autoptr (GPtrArray) names = dn_root_file_list (root, "/proc", G_MAXUINT);
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (gint));

  list->processes = g_ptr_array_new_with_free_func (free_process);
  list->pids = read_pids (root, "self");
  list->sockets = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < names->len; i++)
    {
      gint64 pid = g_ascii_strtoll (names->pdata[i], NULL, 10);
      gint number = (gint) pid;

      if (pid > 0 && pid <= G_MAXINT)
        g_array_append_val (pids, number);
    }
  g_array_sort (pids, compare_pids);
  for (guint i = 0; i < pids->len && i < DN_PROCESSES_MAX; i++)
    add_process (list, root, g_array_index (pids, gint, i));
  return list;
}

const DnProcess *
dn_process_list_find_socket (const DnProcessList *list, guint64 inode)
{
  return g_hash_table_lookup (list->sockets, &inode);
}

const char *
dn_process_find_option (const DnProcess *process, const char *flag)
{
  for (char **word = process->words; word[0] != NULL && word[1] != NULL; word++)
    if (g_str_equal (word[0], flag))
      return word[1];
  return NULL;
}
