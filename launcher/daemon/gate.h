/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a caller may use a verb at all, before anything is looked up.
 *
 * Whoever has no right to anything on this host gets one and the same refusal to every verb;
 * whoever has some is told of a verb that is root's alone.  Which containers and contexts a verb
 * then reaches is lookup.h's matter.
 */
#pragma once

#include "request.h"

/* @request has its verb.  DN_ERROR_DENIED. */
gboolean dn_gate_pass (DnRequest *request, GError **error);

/* Whether the caller may ask for emulation, which is no security boundary: where danchi.conf allows
 * it anyway, or @is_asked is FALSE.  DN_ERROR_DENIED. */
gboolean dn_gate_may_emulate (DnRequest *request, gboolean is_asked, GError **error);

/* Whether the caller may make a container without a context.  DN_ERROR_DENIED. */
gboolean dn_gate_may_make_ephemeral (DnRequest *request, GError **error);
