/* SPDX-License-Identifier: Apache-2.0 */
/* The child: from the agent's clone to a container's program.
 *
 * Everything in the files child-*.c runs in a process that the agent has just cloned and that ends
 * in execve(2) or _exit(2).  It starts with the guest root's rights, in (create) or about to join
 * (exec) a container's namespaces, and gives up one thing after the other; the order is in child.c
 * and nowhere else.  It may block: the agent has given it a deadline and kills it.
 *
 * What must hold from the first step to the last:
 *   - no descriptor but those of the plan is open, and none but 0, 1, 2 survives execve(2);
 *   - the process is not dumpable, so that nobody in the container can trace it or look into it;
 *   - no path is resolved across the container's root except by dn_path_*().
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "card.h"
#include "config.h"
#include "user.h"

typedef struct
{
  const DnConfig *config;         /* create: the container's; exec: NULL */
  const DnProcessConfig *process; /* of either */
  const struct sock_filter *filter;
  size_t filter_count;
  int sync_fd;
  int stdio[3]; /* with a terminal: -1 each */
  bool has_terminal;
  uint16_t rows;
  uint16_t columns;
  int container_fd;      /* exec: a pidfd of the container's first process; create: -1 */
  const char *run_dir;   /* create: holds the directories root/ and files/ to mount on */
  const char *container; /* its id, for the default hostname */
  const DnCard *card;    /* create; NULL: a loopback alone */
  const char *reaper;    /* create: a program of the guest's that runs the container's; or NULL */
  /* In place of execve(2), with every right dropped, and never returns; NULL: execve(2). */
  void (*program) (void *data);
  void *program_data;
} DnChildPlan;

/* What the steps hand on. */
typedef struct
{
  const DnChildPlan *plan;
  int root_fd; /* create, before pivot: the container's root, mounted */
  /* create: the mounts whose trees the agent makes, not yet in a place */
  int tree_fds[DN_CONFIG_TREES_MAX];
  int secrets_fd;  /* create: likewise the mount of type secrets, or -1 */
  int terminal_fd; /* the slave */
  int reaper_fd;   /* or -1 */
  DnUser user;
  const char *failed_step;
} DnChild;

/* Never returns; whatever fails is reported over plan->sync_fd. */
_Noreturn void dn_child_run (const DnChildPlan *plan);

/* Says who the child is to become: DN_SYNC_USER or DN_SYNC_READY.  0 or -errno. */
int dn_child_report_user (const DnChild *child, int kind);

/* The steps, by file.  Each returns 0 or a negative status with @fault filled. */

/* child-namespaces.c: rights so far: all, in the container's user namespace. */
int dn_child_close_others (DnChild *child, DnFault *fault);
int dn_child_open_reaper (DnChild *child, DnFault *fault);       /* create */
int dn_child_enter_container (DnChild *child, DnFault *fault);   /* exec */
int dn_child_await_root (DnChild *child, DnFault *fault);        /* create */
int dn_child_become_root (DnChild *child, DnFault *fault);       /* id 0 of the container's */
int dn_child_set_up_namespaces (DnChild *child, DnFault *fault); /* create */

/* child-mounts.c, create only. */
int dn_child_attach_root (DnChild *child, DnFault *fault);
int dn_child_mount_all (DnChild *child, DnFault *fault);
int dn_child_link_secrets (DnChild *child, DnFault *fault); /* child-secrets.c; likewise */
int dn_child_place_cwd (DnChild *child, DnFault *fault); /* create: while the root can be written */
int dn_child_hide_paths (DnChild *child, DnFault *fault);
int dn_child_pivot (DnChild *child, DnFault *fault);

/* child-devices.c */
int dn_child_fill_dev (int root, DnFault *fault);            /* a fresh tmpfs at /dev */
int dn_child_provide_files (DnChild *child, DnFault *fault); /* create: /etc/hosts and the like */
int dn_child_open_terminal (DnChild *child, DnFault *fault);

/* child-rights.c */
int dn_child_resolve_user (DnChild *child, DnFault *fault);
int dn_child_await_binds (DnChild *child, DnFault *fault);
int dn_child_take_stdio (DnChild *child, DnFault *fault);
int dn_child_make_cwd (DnChild *child, DnFault *fault);
int dn_child_join_keyring (DnChild *child, DnFault *fault);
int dn_child_drop_ids (DnChild *child, DnFault *fault);
int dn_child_drop_capabilities (DnChild *child, DnFault *fault);
int dn_child_enter_cwd (DnChild *child, DnFault *fault);
int dn_child_forbid_new_privileges (DnChild *child, DnFault *fault);
int dn_child_close_at_exec (DnChild *child, DnFault *fault);
int dn_child_load_filter (DnChild *child, DnFault *fault);
