/* SPDX-License-Identifier: Apache-2.0 */
/* Names for pulling: whole, or refused with the whole ones that may be meant.
 *
 * What a short name stands for depends on who answers first; so none is ever completed here (R5.4).
 * The candidates are those of the operator's registries.conf (unqualified-search-registries) and of
 * docker.io, which most short names mean.
 *
 * Source: containers-registries.conf(5); that file is the operator's: class 1.
 */
#pragma once

#include <glib.h>

/**
 * dn_pull_name_check:
 * @text: as the caller wrote it
 *
 * Returns: (transfer full): the reference in its stored form, of a registry, with a tag or a
 * digest; or NULL with DN_ERROR_USAGE, which names the candidates
 */
char *dn_pull_name_check (const char *text, GError **error);

/* The directory of registries' settings: CONFIG/containers where it is there, or /etc/containers.
 * (transfer full) */
char *dn_containers_directory (void);

/* Pure: the registries in the text of a registries.conf. (transfer full) */
char **dn_pull_name_find_registries (const char *conf);
