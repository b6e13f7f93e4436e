/* SPDX-License-Identifier: Apache-2.0 */
#include "request-record.h"

#include <string.h>

#include "../common/error.h"
#include "../record/args.h"
#include "container.h"
#include "daemon-record.h"
#include "lookup.h"
#include "verbs.h"

/* What an outcome's line takes at least; the request's own is counted as it is. */
#define OUTCOME_BYTES 600
#define HEAD_BYTES 200

typedef enum
{
  ACTS,
  MAKES,
  LOOKS,
  FOLLOWS,
} Kind;

/* Verbs that do not act and begin to act at once, or need less room than new work. */
static const struct
{
  const char *verb;
  Kind kind;
  DnRecordWeight weight;
  gboolean goes_on; /* also where the record cannot be written */
} verbs[] = {
  { "version", LOOKS, DN_RECORD_LOOK, TRUE },
  { "info", LOOKS, DN_RECORD_LOOK, TRUE },
  { "doctor", LOOKS, DN_RECORD_LOOK, TRUE },
  { "container-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "container-logs", LOOKS, DN_RECORD_LOOK, FALSE },
  { "container-top", LOOKS, DN_RECORD_LOOK, FALSE },
  { "container-stats", LOOKS, DN_RECORD_LOOK, FALSE },
  { "secret-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "inspect", LOOKS, DN_RECORD_LOOK, FALSE },
  { "verify", LOOKS, DN_RECORD_LOOK, FALSE },
  { "profile-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "profile-show", LOOKS, DN_RECORD_LOOK, FALSE },
  { "image-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "image-history", LOOKS, DN_RECORD_LOOK, FALSE },
  { "volume-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "volume-inspect", LOOKS, DN_RECORD_LOOK, FALSE },
  { "image-verify", LOOKS, DN_RECORD_LOOK, FALSE },
  { "context-list", LOOKS, DN_RECORD_LOOK, FALSE },
  { "context-stats", LOOKS, DN_RECORD_LOOK, FALSE },
  { "context-explain", LOOKS, DN_RECORD_LOOK, FALSE },
  { "context-console", LOOKS, DN_RECORD_LOOK, FALSE },
  { "audit", LOOKS, DN_RECORD_LOOK, FALSE },
  { "events", FOLLOWS, DN_RECORD_LOOK, FALSE },
  { "container-wait", FOLLOWS, DN_RECORD_LOOK, FALSE },
  { "container-create", MAKES, DN_RECORD_NEW, FALSE },
  { "container-run", MAKES, DN_RECORD_NEW, FALSE },
  { "pod-create", MAKES, DN_RECORD_NEW, FALSE },
  { "pod-container-create", MAKES, DN_RECORD_NEW, FALSE },
  { "pod-list", LOOKS, DN_RECORD_LOOK, FALSE },
  /* What ends or removes makes room: it goes when nothing else does. */
  { "container-stop", ACTS, DN_RECORD_FREE, FALSE },
  { "container-kill", ACTS, DN_RECORD_FREE, FALSE },
  { "container-pause", ACTS, DN_RECORD_FREE, FALSE },
  { "container-remove", ACTS, DN_RECORD_FREE, FALSE },
  { "pod-remove", ACTS, DN_RECORD_FREE, FALSE },
  { "context-stop", ACTS, DN_RECORD_FREE, FALSE },
  { "context-remove", ACTS, DN_RECORD_FREE, FALSE },
  { "image-remove", ACTS, DN_RECORD_FREE, FALSE },
  { "image-untag", ACTS, DN_RECORD_FREE, FALSE },
  { "image-prune", ACTS, DN_RECORD_FREE, FALSE },
  { "gc", ACTS, DN_RECORD_FREE, FALSE },
};

typedef struct
{
  Kind kind;
  DnRecordWeight weight;
  gboolean goes_on;
} Rules;

static Rules
rules_of (const char *verb)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verbs[i].verb, verb))
      return (Rules){ verbs[i].kind, verbs[i].weight, verbs[i].goes_on };
  /* Whatever is new acts, until somebody says otherwise. */
  return (Rules){ ACTS, DN_RECORD_NEW, FALSE };
}

void
dn_request_record_init (DnRequestRecord *record)
{
  *record = (DnRequestRecord){ .entry = NULL };
}

void
dn_request_record_clear (DnRequestRecord *record)
{
  g_clear_pointer (&record->entry, dn_record_entry_free);
}

static void
fill_who (DnRecordEntry *entry, const DnCaller *caller)
{
  entry->who.uid = caller->uid;
  entry->who.gid = caller->gid;
  entry->who.pid = caller->pid;
  entry->who.login_uid = caller->login_uid;
  dn_record_set_text (&entry->who.command, caller->command[0] != '\0' ? caller->command : NULL);
}

void
dn_request_record_begin (DnRequest *request, DnRequestRecord *record, const char *verb)
{
  record->entry = dn_record_entry_new (DN_RECORD_WHOLE, verb != NULL ? verb : "");
  fill_who (record->entry, request->caller);
  request->record = record;
}

/* A text among the arguments, or NULL; borrowed. */
static const char *
argument (DnRequest *request, const char *name)
{
  JsonNode *node = request->args != NULL ? json_object_get_member (request->args, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* Something of that name or id, whether the caller may know of it or not: for the auditor's eyes.
 * Without the lock.  (transfer full) */
static DnContainer *
find_hidden (DnDaemon *daemon, const char *text)
{
  DnContainer *container, *found = NULL;
  GHashTableIter iter;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (g_str_equal (container->id, text) || g_str_equal (container->name, text))
      found = dn_container_ref (container);
  g_mutex_unlock (&daemon->lock);
  return found;
}

/* The container that a request names, as the verb will find it.  FALSE: it will not, and why. */
static gboolean
fill_container (DnRequest *request, const char *text, GError **error)
{
  DnRecordEntry *entry = request->record->entry;
  g_autoptr (GError) local = NULL;
  g_autoptr (DnContainer) container = dn_lookup_container (request, text, &local);
  g_autoptr (DnContainer) hidden = container == NULL ? find_hidden (request->daemon, text) : NULL;

  if (container != NULL)
    dn_daemon_record_fill (container, entry);
  else if (hidden != NULL)
    {
      dn_daemon_record_fill (hidden, entry);
      /* The caller is told that there is none. */
      if (g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
        dn_request_record_rule (request, TRUE, "has no right to this container's context");
    }
  if (container == NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return container != NULL;
}

/* Likewise a context, which may also be one to be made. */
static gboolean
fill_context (DnRequest *request, const char *name, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (DnContext) context = NULL;

  dn_daemon_record_fill_context (request->daemon, name, request->record->entry);
  if (request->verb->scope != DN_SCOPE_CONTEXT)
    return TRUE;
  context = dn_lookup_context (request, name, &local);
  if (context != NULL)
    return TRUE;
  if (request->record->entry->tenant != NULL
      && g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND))
    dn_request_record_rule (request, TRUE, "has no right to this context");
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Likewise a pod, by containerd's id. */
static void
fill_pod (DnRequest *request, const char *id)
{
  DnDaemon *daemon = request->daemon;
  const char *namespace_ = argument (request, "namespace");
  DnContext *context;
  GHashTableIter iter;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (context->pod != NULL && g_str_equal (context->pod->id, id)
        && (namespace_ == NULL || g_str_equal (context->pod->namespace_, namespace_)))
      dn_daemon_record_fill_from (context, request->record->entry);
  g_mutex_unlock (&daemon->lock);
}

/* What it is about, as far as that is there by now.  FALSE where the verb would refuse at once. */
static gboolean
fill_subject (DnRequest *request, GError **error)
{
  DnRecordEntry *entry = request->record->entry;
  const char *container = argument (request, "container");
  const char *context = argument (request, "context");
  const char *image = argument (request, "image");

  if (request->args != NULL && entry->args == NULL)
    entry->args = dn_record_args_pick (request->args);
  if (request->verb == NULL)
    return TRUE;
  if (image != NULL)
    {
      g_autoptr (DnImage) found = dn_lookup_image (request, image, NULL);

      dn_record_set_text (&entry->image, image);
      dn_record_set_text (&entry->image_digest, found != NULL ? found->id : NULL);
    }
  if (g_str_equal (entry->verb, "pod-remove") && argument (request, "id") != NULL)
    fill_pod (request, argument (request, "id"));
  return (context == NULL || fill_context (request, context, error))
         && (container == NULL || request->verb->scope != DN_SCOPE_CONTAINER
             || fill_container (request, container, error));
}

/* The rule by which it was allowed, in the words of who decided. */
static void
take_rule (DnRequest *request)
{
  DnRecordEntry *entry = request->record->entry;

  if (!entry->is_denied && request->rule != NULL)
    dn_record_set_text (&entry->rule, request->rule);
}

static gboolean
take_budget (DnDaemon *daemon, DnRecordEntry *entry, gsize bytes, gboolean is_look)
{
  DnDaemonRecord *record = daemon->record;
  gboolean is_fine;

  g_mutex_lock (&record->lock);
  is_fine = dn_record_buckets_take (record->buckets, entry->who.uid, bytes + HEAD_BYTES, is_look,
                                    g_get_monotonic_time (), &entry->unrecorded);
  g_mutex_unlock (&record->lock);
  return is_fine;
}

static gboolean
write_request (DnRequest *request, DnRecordWeight weight, GError **error)
{
  DnRequestRecord *record = request->record;
  g_autofree char *body = NULL;

  record->entry->phase = DN_RECORD_REQUEST;
  take_rule (request);
  body = dn_record_entry_print (record->entry);
  if (!dn_record_writer_commit (request->daemon->record->writer, body, weight, &record->seq, error))
    {
      record->is_refused = TRUE;
      return FALSE;
    }
  /* Once is enough. */
  record->entry->unrecorded = 0;
  g_clear_pointer (&record->entry->args, json_object_unref);
  return TRUE;
}

gboolean
dn_request_record_before (DnRequest *request, GError **error)
{
  DnRequestRecord *record = request->record;
  Rules rules = rules_of (record->entry->verb);
  g_autofree char *body = NULL;
  gsize bytes;

  if (!fill_subject (request, error))
    return FALSE;
  record->is_charged = TRUE;
  body = dn_record_entry_print (record->entry);
  bytes = strlen (body) + (rules.kind == ACTS || rules.kind == MAKES ? OUTCOME_BYTES : 0);
  if (!take_budget (request->daemon, record->entry, bytes, rules.weight == DN_RECORD_LOOK))
    {
      record->is_refused = TRUE;
      return dn_throw (error, DN_ERROR_LIMIT,
                       "uid %u asks for more than the audit record takes of one user\nwait a few "
                       "seconds, and ask less often",
                       record->entry->who.uid);
    }
  switch (rules.kind)
    {
    case ACTS:
    case FOLLOWS:
      return write_request (request, rules.weight, error);
    case MAKES:
    case LOOKS:
      return TRUE;
    }
  g_assert_not_reached ();
}

void
dn_request_record_rule (DnRequest *request, gboolean is_denied, const char *rule)
{
  if (request->record == NULL)
    return;
  request->record->entry->is_denied = is_denied;
  dn_record_set_text (&request->record->entry->rule, rule);
}

void
dn_request_record_signature (DnRequest *request, const char *words)
{
  if (request->record != NULL)
    dn_record_set_text (&request->record->entry->image_signature, words);
}

gboolean
dn_request_record_decided (DnRequest *request, DnContainer *container, GError **error)
{
  dn_daemon_record_fill (container, request->record->entry);
  return write_request (request, DN_RECORD_NEW, error);
}

gboolean
dn_request_record_decided_context (DnRequest *request, DnContext *context, GError **error)
{
  dn_daemon_record_fill_from (context, request->record->entry);
  return write_request (request, DN_RECORD_NEW, error);
}

/* The message without its hint, which is a refusal's rule where @rule, the last one that the
 * request was measured by, did not refuse it. */
static void
fill_error (DnRecordEntry *entry, const GError *error, const char *rule)
{
  DnError code = error->domain == DN_ERROR ? (DnError) error->code : DN_ERROR_FAILED;
  gboolean had_reason = entry->is_denied;
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", 2);
  const char *first = lines[0] != NULL ? lines[0] : "";
  /* Who refuses by a rule shows it as the hint. */
  gboolean is_by_rule
      = rule != NULL && lines[0] != NULL && lines[1] != NULL && g_str_equal (lines[1], rule);

  dn_record_set_text (&entry->outcome, dn_error_code_to_name (code));
  /* Wrong usage quotes the caller's words, and anything may be in those. */
  if (code != DN_ERROR_USAGE)
    dn_record_set_text (&entry->message, first);
  entry->is_denied = entry->is_denied || code == DN_ERROR_DENIED || code == DN_ERROR_LIMIT;
  if (entry->is_denied && !had_reason)
    dn_record_set_text (&entry->rule, is_by_rule ? rule : first);
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* What is known only by the answer: which image was loaded, which name was chosen. */
static void
fill_answer (DnRecordEntry *entry, JsonObject *ok)
{
  JsonNode *images = json_object_get_member (ok, "images");

  if ((g_str_equal (entry->verb, "image-load") || g_str_equal (entry->verb, "image-pull"))
      && images != NULL && JSON_NODE_HOLDS_ARRAY (images)
      && json_array_get_length (json_node_get_array (images)) > 0)
    dn_record_set_text (
        &entry->image_digest,
        text_of (json_array_get_object_element (json_node_get_array (images), 0), "id"));
  else if (rules_of (entry->verb).kind == MAKES)
    dn_record_set_text (&entry->container, text_of (ok, "name"));
  dn_record_set_text (&entry->outcome, "ok");
}

/* What was refused before anything was asked of the record.  Returns: whether it takes a line. */
static gboolean
charge_refusal (DnRequest *request)
{
  DnRequestRecord *record = request->record;
  g_autofree char *body = NULL;

  if (record->entry->args == NULL)
    (void) fill_subject (request, NULL);
  body = dn_record_entry_print (record->entry);
  record->is_charged = TRUE;
  return take_budget (request->daemon, record->entry, strlen (body), FALSE);
}

JsonObject *
dn_request_record_after (DnRequest *request, JsonObject *ok, GError **error)
{
  DnRequestRecord *record = request->record;
  DnRecordEntry *entry = record->entry;
  DnRecordWriter *writer = request->daemon->record->writer;
  Rules rules = rules_of (entry->verb);
  g_autoptr (JsonObject) answer = ok;
  g_autofree char *body = NULL;

  if (record->is_refused || (record->seq > 0 && rules.kind == FOLLOWS)
      || (!record->is_charged && !charge_refusal (request)))
    return g_steal_pointer (&answer);
  take_rule (request);
  if (answer != NULL)
    fill_answer (entry, answer);
  else if (error != NULL && *error != NULL)
    fill_error (entry, *error, request->rule);
  else
    dn_record_set_text (&entry->outcome, dn_error_code_to_name (DN_ERROR_FAILED));
  entry->phase = record->seq > 0 ? DN_RECORD_OUTCOME : DN_RECORD_WHOLE;
  entry->request = record->seq;
  body = dn_record_entry_print (entry);
  if (record->seq > 0 || rules.goes_on)
    dn_record_writer_post (writer, g_steal_pointer (&body));
  else if (answer == NULL)
    (void) dn_record_writer_commit (writer, body, DN_RECORD_LOOK, NULL, NULL);
  else if (!dn_record_writer_commit (writer, body, rules.weight, NULL, error))
    return NULL;
  return g_steal_pointer (&answer);
}

void
dn_request_record_refused (DnDaemon *daemon, const DnCaller *caller, const GError *error)
{
  g_autoptr (DnRecordEntry) entry = dn_record_entry_new (DN_RECORD_WHOLE, "connect");
  g_autofree char *body = NULL;

  fill_who (entry, caller);
  fill_error (entry, error, NULL);
  entry->is_denied = TRUE;
  body = dn_record_entry_print (entry);
  if (take_budget (daemon, entry, strlen (body), FALSE))
    {
      g_free (body);
      body = dn_record_entry_print (entry);
      dn_record_writer_post (daemon->record->writer, g_steal_pointer (&body));
    }
}
