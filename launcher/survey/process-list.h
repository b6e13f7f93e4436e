/* SPDX-License-Identifier: Apache-2.0 */
/* The host's processes as /proc shows them, and which of them holds which socket.
 *
 * A process chooses its own name and may run a program under any path, so a look by name finds what
 * does not hide.  What it cannot choose is its uid, its namespaces, the sockets that it listens on
 * and that it holds a virtual machine of KVM.
 *
 * Needs: root, for programs' paths and descriptors of others.
 * Source: proc(5).
 */
#pragma once

#include <glib.h>

#define DN_PROCESSES_MAX 65536
/* Of one process; what is beyond is not looked at. */
#define DN_PROCESS_DESCRIPTORS_MAX 65536

typedef struct
{
  gint pid;
  guint uid;        /* the effective one */
  char *comm;       /* owned; by its own word */
  char *path;       /* owned; of the program, NULL where it cannot be read (a kernel thread) */
  char *program;    /* owned; the last part of @path, else @comm */
  char **words;     /* owned; the command line, perhaps empty */
  char *pids;       /* owned; its pid namespace, NULL where it cannot be read */
  gboolean has_kvm; /* holds a virtual machine of KVM */
} DnProcess;

typedef struct
{
  GPtrArray *processes; /* owned; DnProcess *, by pid */
  char *pids;           /* owned; the pid namespace of this process itself, or NULL */
  GHashTable *sockets;  /* owned; inode (guint64 *) to its DnProcess, borrowed */
} DnProcessList;

/* (transfer full) */
DnProcessList *dn_process_list_read (const char *root);
void dn_process_list_free (DnProcessList *list);

/* Who holds the socket @inode; NULL where nobody was found (another namespace, or gone). */
const DnProcess *dn_process_list_find_socket (const DnProcessList *list, guint64 inode);

/* The word after @flag on its command line, or NULL; borrowed. */
const char *dn_process_find_option (const DnProcess *process, const char *flag);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnProcessList, dn_process_list_free)
