/* SPDX-License-Identifier: Apache-2.0 */
/* The drawing: the host as an apartment building (danchi), contexts as its flats, tenants as blocks
 * of flats behind thick walls, containers as rooms, ports as windows, the host's own listeners as
 * doors, and in the yard whatever runs on this host without living in the building.
 *
 * Drawn for three widths, of which the style sheet shows one; flats are drawn once and used thrice.
 * A flat links to "#cINDEX", the context's section.
 */
#pragma once

#include "view.h"

/* Above so many contexts flats are drawn compactly. */
#define DN_MAP_COMPACT_ABOVE 48

void dn_map_put (GString *out, const DnView *view);
