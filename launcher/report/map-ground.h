/* SPDX-License-Identifier: Apache-2.0 */
/* The lowest parts of the drawing: the ground floor (the host itself, with its listeners as doors)
 * and the yard (machines and container runtimes that Danchi did not start, as shacks). */
#pragma once

#include "view.h"

void dn_ground_put_definitions (GString *out);
void dn_ground_put_floor (GString *out, const DnView *view, guint columns);
void dn_ground_put_yard (GString *out, const DnView *view, guint columns);
