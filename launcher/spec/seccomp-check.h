/* SPDX-License-Identifier: Apache-2.0 */
/* The last look at a filter before it goes to a guest: does it do what it must?
 *
 * A compiler's success is no evidence.  So the finished filter is asked about the calls that have
 * opened containers before (they must be refused, also with dirty upper halves), and about those
 * without which nothing could be started (they must be permitted).
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#include "profile.h"

/* @base: of %DN_SECCOMP_UNCONFINED only what the head refuses is asked for, and what must work.
 * Returns: TRUE, or FALSE with DN_ERROR_CONFIG that names the call. */
gboolean dn_seccomp_check (GBytes *filter, DnSeccompBase base, const char *what, GError **error);
