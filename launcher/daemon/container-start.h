/* SPDX-License-Identifier: Apache-2.0 */
/* A container's start: from its files to a process in its context's guest. */
#pragma once

#include "container.h"
#include "request.h"

typedef struct
{
  guint32 session; /* DN_SESSION_*: what the client attaches; 0: nothing */
  guint16 rows;    /* of its terminal; 0: not known */
  guint16 columns;
  char **volume_keys; /* names of volumes; the request's descriptors are their keys; or NULL */
  gboolean allow_emulation; /* besides what container and context say */
  char **contents;          /* borrowed; secrets whose content the client offers, or NULL */
} DnContainerStart;

/**
 * dn_container_start:
 * @request: is told of the steps, keeps the trace, and gets the console for an error
 * @ret_session: (out): the client's four descriptors, where it attaches; the caller closes them
 *
 * With op_lock held.  A container that runs already is fine, and is attached to.  On failure
 * nothing of the start is left; the container is as it was.
 *
 * Errors: DN_ERROR_NO_COMMAND, _CANNOT_RUN, _GUEST, _HYPERVISOR, _LIMIT, _CONFIG ...
 */
gboolean dn_container_start (DnContainer *container, const DnContainerStart *start,
                             DnRequest *request, DnFdList *ret_session, GError **error);

/* Attaches to the first process of a running container. */
gboolean dn_container_attach (DnContainer *container, guint32 session, DnFdList *ret_session,
                              GError **error);

/* The OCI config.json as it is built for this container in @slot. (transfer full) */
JsonNode *dn_container_build_spec (DnContainer *container, guint slot, GError **error);

/* Opens both halves of the log for the relay. */
gboolean dn_container_open_logs (const DnContainer *container, int ret_fds[2], GError **error);
