/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a request to containers, contexts, images and events: the only one that verbs have.
 *
 * Each call answers for the request's caller and the rights that its verb needs (verbs.c).  What
 * the caller has no right to is not there: it is not listed, not counted, does not make a name
 * ambiguous, and the error that says so is made by the same words as for what does not exist.  What
 * the caller has other rights to is DN_ERROR_DENIED, with the rule.
 *
 * Rules are looked at anew for each request: what the operator took away a moment ago is gone.
 *
 * A container is meant by its id, a beginning of it, its name, or CONTEXT/NAME.  Names are unique
 * among what their maker can see, so that root may find two of a name: the own one is meant then,
 * else there is an error that asks for more.
 */
#pragma once

#include "../images/image.h"
#include "container.h"
#include "request.h"

/* (transfer full): or NULL with DN_ERROR_NOT_FOUND, _DENIED, _CONFLICT for what means several */
DnContainer *dn_lookup_container (DnRequest *request, const char *text, GError **error);
DnContext *dn_lookup_context (DnRequest *request, const char *name, GError **error);
DnImage *dn_lookup_image (DnRequest *request, const char *text, GError **error);

/* All of them that the verb's rights reach. (transfer full): of references; containers newest
 * first, contexts by name, images in order of loading, newest first */
GPtrArray *dn_lookup_containers (DnRequest *request);
GPtrArray *dn_lookup_contexts (DnRequest *request);
GPtrArray *dn_lookup_images (DnRequest *request);

/* What changed in contexts.d holds from now on: for whoever asks more than once in a request, the
 * calls above see to it themselves.  root has every right without it. */
void dn_lookup_refresh (DnRequest *request);

/* Whether an event is for the caller's eyes. */
gboolean dn_lookup_sees_event (DnRequest *request, JsonNode *event);

/* Under the daemon's lock: whether the caller has any right on @context, and so may know of it. */
gboolean dn_lookup_sees (DnRequest *request, const DnContext *context);

/* Whether the caller may run containers in a context of @tenant that has a file. */
gboolean dn_lookup_is_of_tenant (DnRequest *request, const char *tenant);

/* Under the daemon's lock: whether he has all of @rights on it. */
gboolean dn_lookup_has_rights (DnRequest *request, const DnContext *context, guint rights);

/* Whether the caller has any right to anything on this host. */
gboolean dn_lookup_has_anything (DnRequest *request);
