/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what a user wishes for a container makes sense and is permitted: one look at each option,
 * before anything is made.  Errors are one line that names the flag, and a remedy.
 *
 * Pure.
 */
#pragma once

#include "spec.h"

#define DN_OPTIONS_COMMAND_MAX 1024               /* words */
#define DN_OPTIONS_COMMAND_MAX_BYTES (128 * 1024) /* altogether */
#define DN_OPTIONS_LABELS_MAX 256
#define DN_OPTIONS_LABEL_MAX_BYTES 4096
#define DN_OPTIONS_MEMORY_MIN_BYTES (6 * 1024 * 1024) /* Docker's: less starts nothing */
#define DN_OPTIONS_CPUS_MAX 1024
/* Of a disk in a second: with less a container's program is not read in time. */
#define DN_OPTIONS_BLOCK_MIN_BYTES (64 * 1024)
#define DN_OPTIONS_BLOCK_MIN_OPERATIONS 10
#define DN_OPTIONS_BLOCK_MAX (G_GINT64_CONSTANT (1) << 40)
#define DN_OPTIONS_PIDS_MAX 4194304 /* the kernel's PID_MAX_LIMIT */
#define DN_OPTIONS_STOP_TIMEOUT_MAX_S 86400

/* DN_ERROR_USAGE or DN_ERROR_DENIED. */
gboolean dn_container_options_check (const DnContainerOptions *options, GError **error);

/* A command's words, from a user or an image: not empty, bounded, without NULs by being strings.
 * @what is for the error, @code its code. */
gboolean dn_options_check_command (char **command, const char *what, int code, GError **error);

/* A path that a process starts in: absolute and bounded. */
gboolean dn_options_check_directory (const char *path, const char *what, int code, GError **error);
