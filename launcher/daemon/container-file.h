/* SPDX-License-Identifier: Apache-2.0 */
/* A container's two files as JSON; the functions that make and read them.  Private to container*.c.
 */
#pragma once

#include "container.h"

#define DN_CONTAINER_OPTIONS_FILE "container.json"
#define DN_CONTAINER_STATE_FILE "state.json"
/* What a directory's name ends with while it is being removed, or made. */
#define DN_CONTAINER_REMOVING ".removing"
#define DN_CONTAINER_MAKING ".making"

/* Under the daemon's lock. (transfer full) */
JsonNode *dn_container_options_file_print (DnContainer *container);
JsonNode *dn_container_state_file_print (DnContainer *container);

/* What STARTED reported, for state.json and inspect. (transfer full) */
JsonObject *dn_container_started_to_json (const DnMsgStarted *started);

/* A free name: @name, or a random one for NULL.  It is taken where the request's caller may know of
 * the container that has it: so nobody finds out others' names by trying them.  Under the daemon's
 * lock. */
gboolean dn_container_take_name (DnRequest *request, const char *name, char **ret_name,
                                 GError **error);

/* A container of no table; a part of dn_container_create() and dn_container_load_all(). */
DnContainer *dn_container_new (DnDaemon *daemon, const char *id);
