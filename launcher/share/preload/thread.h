/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-share-pod.so: in the virtiofsd of a pod's share, does in other words what that one's code
 * says, so that a pod's programs find what they find elsewhere.
 *
 *     modes.c      chmod leaves out bits that a guest may not leave on the host
 *     creation.c   files are made where the guest's kernel has found that they may be
 *
 * It is no wall, and takes nothing from one: what virtiofsd may do is said by its jail (start.h),
 * whatever becomes of the process that this is in.
 *
 * This file: what a thread is while it makes one call, since virtiofsd works on several of
 * its guest's requests at a time.  libc's functions would change all of them.
 *
 * libc only.  Source: ld.so(8), LD_PRELOAD; capabilities(7); nptl(7).
 */
#pragma once

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/types.h>

#define DN_PRELOAD_PUBLIC __attribute__ ((visibility ("default")))

/* The group that files are made with, and that chmod takes for the caller's.  0 or -1 with errno */
int dn_thread_take_group (gid_t gid);

typedef struct
{
  struct __user_cap_data_struct sets[2];
} DnThreadRights;

/* Takes the capability to pass over permissions, which virtiofsd has and has put down while it is
 * somebody else; false: it has not.  @ret_before is for dn_thread_put_back(). */
bool dn_thread_take_right (DnThreadRights *ret_before);

/* Ends the process where it fails: it would go on with what is not its caller's.  Keeps errno. */
void dn_thread_put_back (const DnThreadRights *before);
