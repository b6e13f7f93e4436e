/* SPDX-License-Identifier: Apache-2.0 */
/* The API's verbs, one function each.  What each takes and answers: docs/api.md.
 *
 * A verb runs on its client's thread and may block.  It returns the members of "ok" (transfer
 * full), or NULL with an error whose message may have a hint after a newline.  Descriptors in
 * @ret_fds go out with the answer and are closed then.
 */
#pragma once

#include "../spec/access.h"
#include "daemon.h"
#include "request.h"

typedef JsonObject *(*DnVerbFunc) (DnRequest *request, DnFdList *ret_fds, GError **error);

/* What a verb is about, and so where the right to it comes from. */
typedef enum
{
  DN_SCOPE_CONTAINER, /* the container that its arguments name: the rights of its context */
  DN_SCOPE_CONTEXT,   /* the context that its arguments name */
  DN_SCOPE_CHOICE,    /* all that the caller has the right to, or what its arguments name of it */
  DN_SCOPE_VOLUME,    /* the volumes that its arguments name, or all: ../volumes/volume-access.h */
  DN_SCOPE_MAKING,    /* a container to be made, in the context that its options name, if any */
  DN_SCOPE_HOST,      /* the host: whoever has any right on it */
  DN_SCOPE_LOAD,      /* the image store: root, and who may load images */
  DN_SCOPE_ROOT,      /* root alone */
} DnScope;

typedef struct DnVerb
{
  const char *name;
  DnVerbFunc func;
  guint rights; /* DN_RIGHT_*: all of these are needed; 0 where the scope says it all */
  DnScope scope;
} DnVerb;

#define DN_VERB(noun)                                                                              \
  JsonObject *dn_verb_##noun (DnRequest *request, DnFdList *ret_fds, GError **error)

DN_VERB (version);
DN_VERB (info);
DN_VERB (doctor);
DN_VERB (gc);
DN_VERB (container_create);
DN_VERB (container_run);
DN_VERB (container_start);
DN_VERB (container_attach);
DN_VERB (container_exec);
DN_VERB (container_stop);
DN_VERB (container_kill);
DN_VERB (container_wait);
DN_VERB (container_remove);
DN_VERB (container_pause);
DN_VERB (container_unpause);
DN_VERB (container_restart);
DN_VERB (container_rename);
DN_VERB (container_update);
DN_VERB (container_list);
DN_VERB (container_logs);
DN_VERB (container_top);
DN_VERB (container_stats);
DN_VERB (container_copy_out);
DN_VERB (container_copy_in);
DN_VERB (secret_list);
DN_VERB (secret_update);
DN_VERB (inspect);
DN_VERB (profile_list);
DN_VERB (profile_show);
DN_VERB (verify);
DN_VERB (audit);
DN_VERB (events);
DN_VERB (image_load);
DN_VERB (image_pull);
DN_VERB (image_list);
DN_VERB (image_scan);
DN_VERB (image_check);
DN_VERB (image_history);
DN_VERB (image_save);
DN_VERB (image_tag);
DN_VERB (image_untag);
DN_VERB (image_verify);
DN_VERB (image_prune);
DN_VERB (image_remove);
DN_VERB (context_list);
DN_VERB (context_create);
DN_VERB (context_explain);
DN_VERB (context_size);
DN_VERB (context_stats);
DN_VERB (context_update);
DN_VERB (context_stop);
DN_VERB (context_remove);
DN_VERB (context_console);
DN_VERB (context_thaw);
DN_VERB (network_list);
DN_VERB (forensics);
DN_VERB (pod_create);
DN_VERB (pod_container_create);
DN_VERB (pod_remove);
DN_VERB (pod_list);
DN_VERB (volume_create);
DN_VERB (volume_list);
DN_VERB (volume_inspect);
DN_VERB (volume_remove);
DN_VERB (volume_prune);

/* What a verb answers that has brought @image in: a list of that one, with its id, its names, and
 * who signed it. (transfer full) */
JsonObject *dn_verb_answer_image (const DnImage *image);

/* By its name, or NULL. */
const DnVerb *dn_verb_find (const char *name);

/* {"id", "name"} of a container, which many verbs answer. (transfer full) */
struct DnContainer;
JsonObject *dn_verb_answer (struct DnContainer *container);

/* "stdin", "stdout", "stderr" to DN_SESSION_*; @attach may be NULL. */
gboolean dn_verb_read_attach (char **attach, guint32 *ret_session, GError **error);

/* A signal that a request names.  DN_ERROR_USAGE; verb-life.c */
gboolean dn_verb_read_signal (const char *text, int *ret_signal, GError **error);

/* The arguments {"container": ...} alone. (transfer full), or NULL with @error */
struct DnContainer *dn_verb_read_container (DnRequest *request, GError **error);
