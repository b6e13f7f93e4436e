/* SPDX-License-Identifier: Apache-2.0 */
/* The host's security modules: which are active, and whether AppArmor or SELinux enforces (R3.3).
 *
 * Source: Documentation/admin-guide/LSM of Linux, securityfs, selinuxfs.
 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_lsm_read:
 * @danchid_pid: 0 where it is not known
 *
 * "off" is a module that the kernel has and that was switched off; "absent" one that it lacks or
 * that nobody set up.
 *
 * Returns: (transfer full): {active, apparmor, selinux, danchid_label}; active is null where
 *   securityfs is not mounted, danchid_label where danchid has no label
 */
JsonObject *dn_lsm_read (const char *root, gint danchid_pid);
