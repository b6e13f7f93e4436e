/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the registries whether they have newer images, with the caller's credentials for each. */
#pragma once

#include "cli.h"

/**
 * dn_image_check:
 * @names: of images, or the beginnings of ids; none: all that were pulled by a tag
 * @auth_file: (nullable): as for a pull
 * @is_quiet: nothing is printed but errors
 *
 * Returns: the exit status
 */
int dn_image_check (DnCli *cli, char **names, const char *auth_file, gboolean is_quiet);
