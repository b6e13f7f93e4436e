/* SPDX-License-Identifier: Apache-2.0 */
/* Which ports of the host are published, for which container.
 *
 *     reserved   bound, before anything of a start has happened; the descriptor is here
 *     served     handed to the guest's danchi-publish, which goes on without danchid
 *
 * It is danchid's memory alone: what is served is read back from danchi-publish when a danchid
 * starts anew, and what was only reserved went with the danchid that had it.  A danchi-publish that
 * ends is started again, with the same ports, as long as its guest runs.
 *
 * Threads: any.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../daemon/container.h"
#include "../spec/port-spec.h"
#include "publish-sockets.h"

typedef struct
{
  const char *container; /* its id; borrowed, as are all of these */
  const DnRequest *request;
  const GArray *ports; /* DnPort, none of which need a host port yet */
} DnPublishWish;

/**
 * dn_published_reserve:
 *
 * Binds all of them, or none.  The error names the port, and who has it where the caller may know.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_CONFLICT, _FAILED
 */
gboolean dn_published_reserve (DnDaemon *daemon, const DnPublishWish *wish, GError **error);

/* Where the container is. */
typedef struct
{
  guint family; /* 4 or 6 */
  guint8 address[16];
} DnPublishTarget;

/* Hands what is reserved over.  On failure what was handed over stays until dn_published_drop(). */
gboolean dn_published_serve (const char *container, DnGuest *guest, const DnPublishTarget *target,
                             GError **error);

/**
 * dn_published_resume:
 *
 * For a container that another danchid started.  Returns: whether its ports are served; FALSE: they
 * have to be reserved and served anew
 */
gboolean dn_published_resume (const char *container, DnGuest *guest);

/* Whether the guest has a danchi-publish, or ought to. */
gboolean dn_published_has_guest (const char *guest);

/* Neither reserved nor served any more. */
void dn_published_drop (const char *container);

/* [{"address", "host_port", "port", "protocol"}], by number. (transfer full) */
JsonArray *dn_published_to_json (const char *container);
