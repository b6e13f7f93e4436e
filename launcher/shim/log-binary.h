/* SPDX-License-Identifier: Apache-2.0 */
/* A program that takes a container's output: binary:// of log-uri.h.
 *
 * It gets the output on descriptors 3 and 4 and says that it is ready by closing descriptor 5; of
 * the environment it has CONTAINER_ID and CONTAINER_NAMESPACE alone.  At the end of the output it
 * has %DN_LOG_BINARY_END_S seconds until SIGTERM, and as long until SIGKILL.
 *
 * The program is root's and named by root's containerd: running it gives nobody a right.
 */
#pragma once

#include "log-uri.h"

#define DN_LOG_BINARY_READY_MS 10000
#define DN_LOG_BINARY_END_S 12

typedef struct DnLogBinary DnLogBinary;

/* Blocks until the program is ready.
 * @ret_out, @ret_err: (out): where to write; the caller's
 * Returns: (transfer full): NULL with DN_ERROR_FAILED */
DnLogBinary *dn_log_binary_start (const DnLogUri *uri, const char *id, const char *name_space,
                                  int *ret_out, int *ret_err, GError **error);

/* After the caller has closed its ends, in the main loop. */
void dn_log_binary_end (DnLogBinary *binary);
