/* SPDX-License-Identifier: Apache-2.0 */
/* What one container may take of its guest: checked against the guest's size, and told to the guest
 * where config.json and UPDATE have no words for it (LIMITS).
 */
#pragma once

#include "../daemon/container-part.h"

/* The guest that a container is to fit into. */
typedef struct
{
  const char *context;
  guint64 memory_bytes;
  guint64 vcpus;
} DnLimitsRoom;

/**
 * dn_container_limits_check:
 *
 * Whether a guest of that size can keep what the limits say.  Pure.
 *
 * FALSE with DN_ERROR_LIMIT, naming the limit and what would work.
 */
gboolean dn_container_limits_check (const DnContainerOptions *options, const DnLimitsRoom *room,
                                    GError **error);

/* The guest's size as its context has it now; @context is borrowed. */
DnLimitsRoom dn_container_limits_room (DnContext *context);

/* How many processors a guest has to have that is made for this container. Pure. */
guint64 dn_container_limits_vcpus (const DnContainerOptions *options);

/* Tells the guest those that are in @options; 0 is not given, -1 none.  Nothing for none. */
gboolean dn_container_limits_send (DnGuest *guest, const char *container_id,
                                   const DnContainerOptions *options, GError **error);

/* Puts what the options say now of limits into @spec, the document of the last start: what verify
 * promises.  A guest from before generation 4 ends containers as a whole. */
void dn_container_limits_promise (DnContainer *container, DnGuest *guest, JsonObject *spec);

extern const DnContainerPart dn_container_limits_part;
