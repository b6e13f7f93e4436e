/* SPDX-License-Identifier: Apache-2.0 */
/* Asks danchid to fetch an image, with the caller's credentials for its registry. */
#pragma once

#include "cli.h"

/* Returns: (transfer full): danchid's answer, or NULL with @error. @auth_file: (nullable) */
JsonObject *dn_pull (DnCli *cli, const char *reference, const char *auth_file, GError **error);

/* --pull of run and create: never (the default; NULL), missing, always.  DN_ERROR_USAGE. */
gboolean dn_pull_check_policy (const char *policy, GError **error);

/* What that policy demands before a container is made. */
gboolean dn_pull_before (DnCli *cli, const char *policy, const char *reference, GError **error);
