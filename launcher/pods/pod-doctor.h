/* SPDX-License-Identifier: Apache-2.0 */
/* What danchi doctor says of where pods' files lie on the host.
 *
 * A pod's roots and volumes go into its guest under other owners (mounts of virtiofsd's share that
 * translate them), which is the filesystem's to allow.  Which do is the kernel's source's to say
 * (FS_ALLOW_IDMAP), by name and version; trying it takes rights that danchid has given away.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

typedef enum
{
  DN_OWNERS_TRANSLATED,
  DN_OWNERS_AS_THEY_ARE, /* no mount translates them */
  DN_OWNERS_UNKNOWN,
} DnOwners;

/* Pure. @type: f_type of statfs(2); @release: of uname(2).  @ret_name: a literal */
DnOwners dn_pod_doctor_judge (long type, const char *release, const char **ret_name);

/* @kubelet: that directory.  Those that are not there say nothing. */
void dn_pod_doctor_add_checks (const char *kubelet, JsonArray *checks);
