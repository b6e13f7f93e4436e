/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of shares and of their binds.
 *
 *                 in the guest         in between (nobody's)     on the host
 *   virtiofsd     0                    the context's uid         the context's uid
 *   a bind's      100000 + N * 65536   0x40000000 + that         its owner
 *    owner          + the user's id
 *   its group     likewise             likewise                  the owner's group
 *   other groups  0x01000000 + G       0x41000000 + G            G
 *   other users   65534, by no map     -                         U
 *
 * The user namespace of virtiofsd maps the first column to the second; that of each bind's mount
 * maps the second to the third, and only for one owner.  So a guest's ids, all of which its root
 * can use, reach one owner of the host's and nobody else, whatever virtiofsd does.  Other users'
 * files are read where everybody may, and changed never: the kernel writes to no file whose owner
 * a mount does not map.  Other groups are mapped, for otherwise an owner could not write to files
 * of his own that he has given to one of his groups; nothing is made with, or given to, them
 * (filter.h).
 */
#pragma once

#include <sys/types.h>

#include "../base/share-order.h"

/* Of virtiofsd's user namespace, that of @pid.  Returns: 0 or -errno */
int dn_share_write_maps (pid_t pid, uid_t uid, gid_t gid);

typedef struct
{
  uid_t host_uid; /* the owner */
  gid_t host_gid;
  uid_t guest_uid; /* as whom he appears */
  gid_t guest_gid;
} DnShareOwner;

/* A user namespace for the mount of a bind; a descriptor, the caller's, or -errno. */
int dn_share_make_map (const DnShareOwner *owner);

/* Likewise for a pod, whose containers have one range of ids and whose files have many owners: all
 * ids of the host's up to 65535 are those from @first_id on in the guest, and nobody's on the way,
 * 0x40000000 + that. */
int dn_share_make_pod_map (uid_t first_id);

/* The text of the mount's group map, the longer of the two; pure. */
#define DN_SHARE_MAP_BYTES 256
void dn_share_group_map (const DnShareOwner *owner, char ret_text[DN_SHARE_MAP_BYTES]);
