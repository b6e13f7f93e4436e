/* SPDX-License-Identifier: Apache-2.0 */
/* A flat of the drawing: one context, its containers as rooms, their ports as windows. */
#pragma once

#include <json-glib/json-glib.h>

#define DN_FLAT_HEIGHT 128
#define DN_FLAT_HEIGHT_COMPACT 62

/* Puts <g id="fINDEX"> at the origin, DN_MAP_FLAT_WIDTH wide: to be used where the layout has it.
 * @is_compact: rooms without names, for buildings with many flats. */
void dn_flat_put (GString *out, JsonObject *context, guint index, gboolean is_compact);

/* @text shortened to what fits into @width units of a fixed-width font of @size. (transfer full) */
char *dn_flat_fit (const char *text, gint width, gdouble size);
