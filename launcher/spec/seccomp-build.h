/* SPDX-License-Identifier: Apache-2.0 */
/* The inner half of dn_seccomp_compile() (spec.h): from texts to a filter, without files. */
#pragma once

#include <glib.h>

#include "profile.h"

/* Texts, borrowed. */
typedef struct
{
  const char *default_json;
  const char *relaxed_json; /* what base RELAXED adds to it, or NULL where base is another */
  const char *user_json;    /* a user's, or a list of such: each can only take away; NULL: none */
  DnSeccompBase base;
  guint64 capabilities; /* of the container */
} DnSeccompTexts;

/**
 * dn_seccomp_build:
 *
 * Pure, and slow: tens of milliseconds.
 *
 * Returns: (transfer full): struct sock_filter[], or NULL with DN_ERROR_CONFIG
 */
GBytes *dn_seccomp_build (const DnSeccompTexts *texts, GError **error);

/* The text of a profile of ours, "default" or "relaxed": the operator's CONFIG/seccomp/NAME.json,
 * else the shipped one.  (transfer full): NULL with DN_ERROR_CONFIG when it cannot be read: then
 * nothing starts. */
char *dn_seccomp_load (const char *name, GError **error);
