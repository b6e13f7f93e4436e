/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of a seccomp profile are meant for a container of ours: its architectures, its flags
 * and the conditions of its rules.
 *
 * Pure.
 * Source: Docker, "Seccomp security profiles"; OCI runtime-spec, config-linux.md, "Seccomp".
 */
#pragma once

#include <json-glib/json-glib.h>

/* The profile must be for the native architecture, among others; only that one is ever let
 * through. @architectures and @arch_map may be NULL, one of them at least must be. */
gboolean dn_seccomp_check_architectures (char **architectures, JsonArray *arch_map,
                                         const char *what, GError **error);

/* Flags we can honour: none has an effect except SECCOMP_FILTER_FLAG_TSYNC, which is moot, because
 * the filter is loaded by a process with one thread. @flags may be NULL. */
gboolean dn_seccomp_check_flags (char **flags, const char *what, GError **error);

/* Whether a rule with these conditions, each NULL or an object, is in force for a container with
 * @capabilities: it must hold all of `includes`, and none of `excludes`. */
gboolean dn_seccomp_condition_applies (JsonObject *includes, JsonObject *excludes,
                                       guint64 capabilities, const char *what,
                                       gboolean *ret_applies, GError **error);
