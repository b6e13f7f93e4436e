/* SPDX-License-Identifier: Apache-2.0 */
/* Copying files out of and into a container.
 *
 * The tree is the tenant's, so no agent code with the guest's rights touches it: a forked helper
 * joins the container's user and mount namespaces, becomes its root id, and walks or writes the
 * tree there (copy-out.c, copy-in.c), every path resolved by openat2(RESOLVE_IN_ROOT).  What it can
 * do wrong, the container's root could do itself.  It is not in the container's pid namespace and
 * not dumpable, so the container sees nothing of it.  The agent only moves bytes between the
 * helper's pipe and the stream; it does not look into them.
 *
 * COPY_OUT of a file: one FILE entry with its base name.  Of a directory: a DIRECTORY entry with
 * its base name, then the tree below.  A symbolic link as the path itself is followed, links in
 * the tree are sent as links; sockets, devices and fifos are left out.
 * COPY_IN: the path must be a directory; entries are made in it, existing files replaced, a file
 * never followed through a link.  New files belong to the container's root.
 *
 * REPLY comes when the helper has ended and, for OUT, EOF was sent after its last byte.
 */
#pragma once

#include "agent.h"

struct DnCopy
{
  DnCopy *next;
  DnAgent *agent;
  const DnContainer *container;
  DnRequest request;
  DnStream stream;
  DnWatch pid_watch;
  int report_fd;      /* the helper's report, if it has one */
  DnTimer done_timer; /* to finish outside the stream's own callback */
  bool has_ended;
  DnFault fault;
};

void dn_copy_start (DnAgent *agent, DnRequest request, DnContainer *container, uint32_t stream,
                    const char *path, bool is_out);

/* The container goes: its copies are ended. */
void dn_copies_forget_container (DnAgent *agent, const DnContainer *container);

/* A new link: the streams of copies do not outlive theirs. */
void dn_copies_forget_all (DnAgent *agent);

/* The helper's work: in the container's namespaces, as its root, working directory and root its
 * root.  0, or a negative status with @fault. */
int dn_copy_out (int root, const char *path, int output, DnFault *fault);
int dn_copy_in (int root, const char *path, int input, DnFault *fault);
