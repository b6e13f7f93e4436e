/* SPDX-License-Identifier: Apache-2.0 */
/* The names of facts: what VERIFY observes and how FACT says it.
 *
 * A fact is a name and a value, both text; what of it is right is the host's to say.  Names of a
 * container's facts, one fact for each different value among the threads of its processes, with how
 * many have it and the id of one that has:
 *
 *   cap.SET  no_new_privs  seccomp.mode  seccomp.filters  uid  gid  groups  oom_score_adj
 *   id_map.uid  id_map.gid      as the kernel prints them, runs of blanks made one
 *   namespace.KIND              "own", "the guest's" or "another"
 *   rlimit.RLIMIT_X             "SOFT HARD", numbers or "unlimited"
 *   descriptors                 "clean", or one that leads out of the container
 *
 * and once for the container:
 *
 *   processes  threads          how many were looked at
 *   mount.PATH                  "TYPE ROOT OPTIONS", ROOT being the part of the file system that
 *                               is seen; of a path nothing is mounted on "absent" or "bare"
 *   cgroup.FILE                 its content, or "absent"
 *   sysctl.NAME                 as the container reads it
 *   network.cards               addresses of its cards but the loopback, or "none"
 *   network.addresses           "ADDRESS/BITS", likewise, as network.ways: "GATEWAY/BITS", with the
 *                               bits of what is reached through it, 0 for all
 *   network.rules               "N ports": the guest's rules for its card stand, and open so many
 *                               ranges of ports; or what of them does not
 *   exec.X                      X of the above for the process that joined it
 *   try.ATTEMPT                 "refused ERRNO", "not tried: why", or "SUCCEEDED"
 *
 * Of the guest: sysctl.PATH, command_line, lsm, lockdown, mount./, root.hash ("ALGORITHM HEX" of
 * the dm-verity device that is the root), agent.X, boot_id, memory_bytes, processors.  The last
 * fact of either is "complete": without it the others are not all.
 */
#pragma once

#define DN_FACT_COMPLETE "complete"
/* More than so many are not read. */
#define DN_FACTS_MAX 1024
