/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a seccomp profile, and what they are to libseccomp.
 *
 * Pure.
 * Source: OCI runtime-spec, config-linux.md, "Seccomp".
 */
#pragma once

#include <glib.h>
#include <seccomp.h>

/* "SCMP_ACT_..."; ERRNO and TRACE come with the value 0. */
gboolean dn_seccomp_action_from_word (const char *word, guint32 *ret_action);

/* "SCMP_CMP_..." */
gboolean dn_seccomp_operator_from_word (const char *word, enum scmp_compare *ret_operator);

/* Whether @name is a call of Linux that libseccomp's table may be too old for.  A profile may name
 * it; whether it is permitted makes no difference, since numbers above the default profile's are
 * answered with ENOSYS. */
gboolean dn_seccomp_name_is_newer (const char *name);
