/* SPDX-License-Identifier: Apache-2.0 */
/* A list of processors as people and the kernel write it: "0-1,3".  Pure. */
#pragma once

#include <glib.h>

#define DN_CPU_LIST_MOST 1023

/**
 * dn_cpu_list_parse:
 * @ret_highest: (out) (optional): the highest processor named
 *
 * Returns: (transfer full): the list as the kernel writes it, in order and in as few ranges as
 * there can be; NULL: it is none
 */
char *dn_cpu_list_parse (const char *text, guint *ret_highest);
