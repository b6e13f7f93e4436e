/* SPDX-License-Identifier: Apache-2.0 */
/* What key-file.c alone does with places; all else is in key-file.h. */
#pragma once

#include "key-file.h"

/* From line @line on @places know the key. */
void dn_key_places_add (DnKeyPlaces *places, const char *group, const char *key, guint line);
