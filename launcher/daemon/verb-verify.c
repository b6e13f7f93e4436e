/* SPDX-License-Identifier: Apache-2.0 */
/* The verb verify: what was promised against what the kernels report. */
#include <stdlib.h>
#include <unistd.h>

#include "../binds/binds.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../guest/process.h"
#include "../limits/container-limits.h"
#include "../limits/host-group.h"
#include "../network/container-network.h"
#include "../network/container-resolver.h"
#include "../network/network-facts.h"
#include "../network/published.h"
#include "../network/resolver-process.h"
#include "../verify/host-facts.h"
#include "../verify/judge.h"
#include "confine.h"
#include "container-call.h"
#include "container-spec.h"
#include "verbs.h"
#include "verify-subjects.h"

#define ASK_TIMEOUT_MS 45000

typedef struct
{
  DnDaemon *daemon;
  gint64 end_us;    /* monotonic; guests are asked until then */
  JsonArray *lines; /* owned, as both */
  JsonArray *notes;
  guint counts[DN_VERDICT_ABSENT + 1];
  GPtrArray *mute; /* owned; ids of guests that did not answer: they are not asked again */
} Report;

static void
add_lines (Report *report, const char *kind, const char *name, gboolean is_of_guest,
           const GPtrArray *promises, const DnVerifyFacts *facts)
{
  g_autoptr (GPtrArray) lines = dn_verify_judge (promises, facts);

  for (guint i = 0; i < lines->len; i++)
    {
      const DnVerifyLine *line = lines->pdata[i];
      JsonObject *object = json_object_new ();

      report->counts[line->verdict]++;
      json_object_set_string_member (object, "subject", kind);
      json_object_set_string_member (object, "name", name);
      json_object_set_string_member (object, "control", line->control);
      json_object_set_string_member (object, "demand", line->demand);
      json_object_set_string_member (object, "promised", line->promised);
      json_object_set_string_member (object, "actual", line->actual);
      json_object_set_string_member (object, "verdict", dn_verdict_words[line->verdict]);
      json_object_set_string_member (object, "reported_by", is_of_guest ? "guest" : "host");
      json_array_add_object_element (report->lines, object);
    }
}

static void
note (Report *report, GError *error)
{
  if (error != NULL)
    json_array_add_string_element (report->notes, error->message);
  g_clear_error (&error);
}

static void
take_fact (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  if (type == DN_MSG_FACT)
    dn_verify_facts_take (data, payload, size);
}

/* What cannot be asked stays unknown: every line of it fails. */
static DnVerifyFacts *
ask_guest (Report *report, DnGuest *guest, const char *container_id)
{
  DnVerifyFacts *facts = dn_verify_facts_new ();
  gint64 left_ms = MAX (report->end_us - g_get_monotonic_time (), 0) / 1000;
  DnMsgVerify message = { 0 };
  DnGuestCall call = { .type = DN_MSG_VERIFY,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_verify_pack,
                       .timeout_ms = (guint) MIN (left_ms, ASK_TIMEOUT_MS),
                       .answer = take_fact,
                       .answer_data = facts };
  GError *error = NULL;
  gboolean is_answered;

  if (g_ptr_array_find_with_equal_func (report->mute, dn_guest_id (guest), g_str_equal, NULL))
    return facts;
  g_strlcpy (message.container, container_id, sizeof message.container);
  is_answered = dn_guest_call (guest, &call, &error);
  /* One that is gone, or refuses, said so at once. */
  if (!is_answered && g_error_matches (error, DN_ERROR, DN_ERROR_GUEST))
    g_ptr_array_add (report->mute, g_strdup (dn_guest_id (guest)));
  note (report, error);
  return facts;
}

/* A guest from before layers mounts a disk of one as it is, and an image from before them has no
 * tree. */
static void
promise_layers (GPtrArray *promises, DnContainer *container, DnGuest *guest)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  guint count = image != NULL ? image->layers->len : 0;
  gboolean has_trees = count > 0;
  g_autofree const char **hashes = g_new0 (const char *, count + 1);
  g_autofree guint64 *blocks = g_new0 (guint64, count + 1);
  DnGuestInfo info = { 0 };

  dn_guest_get_info (guest, &info);
  for (guint i = 0; i < count; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];

      has_trees = has_trees && layer->root_hash != NULL;
      hashes[i] = layer->root_hash != NULL ? layer->root_hash : "";
      blocks[i] = (guint64) layer->data_blocks;
    }
  if (has_trees && info.generation >= DN_PROTOCOL_GENERATION_LAYERS)
    dn_verify_promise_layers (promises, hashes, blocks);
  dn_guest_info_clear (&info);
}

static void
verify_container (Report *report, DnContainer *container)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = NULL;
  g_autoptr (JsonNode) spec = NULL;
  g_autoptr (DnGuest) guest = NULL;
  g_autofree char *name = NULL;
  GError *error = NULL;

  g_mutex_lock (&report->daemon->lock);
  name = g_strdup (container->name);
  g_mutex_unlock (&report->daemon->lock);
  guest = dn_container_get_guest (container, &error);
  if (guest != NULL)
    spec = dn_container_spec_load (container, &error);
  note (report, error);
  if (spec != NULL)
    {
      dn_container_limits_promise (container, guest, json_node_get_object (spec));
      dn_verify_promise_container (promises, json_node_get_object (spec));
      promise_layers (promises, container, guest);
      dn_container_network_promise (container, guest, json_node_get_object (spec), promises);
    }
  /* Without a document nothing is promised, and nothing observed: that is one line, a failure. */
  facts = spec != NULL ? ask_guest (report, guest, container->id) : dn_verify_facts_new ();
  add_lines (report, "container", name, TRUE, promises, facts);
}

static void
verify_qemu (Report *report, const char *context, DnGuest *guest, const DnGuestInfo *info)
{
  g_autoptr (GPtrArray) attached = dn_guest_list_attached (guest);
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();

  dn_verify_promise_qemu (promises, info);
  if (dn_paths ()->is_session)
    dn_verify_promise_qemu_of_session (promises);
  dn_host_facts_add_process (facts, info->qemu_pid, NULL);
  dn_host_facts_add_qemu (facts, info->qemu_pid, info->uid, (char **) attached->pdata);
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "qemu", context, FALSE, promises, facts);
}

/* Where a relay's descriptors may lead: its guest's directory, its own log, and the logs of the
 * context's containers. */
static GPtrArray *
list_relay_paths (DnContext *context, const char *guest_id)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) containers = dn_container_list (context->daemon);

  g_ptr_array_add (paths, g_strdup_printf ("%s/guests/%s/", dn_paths ()->run, guest_id));
  g_ptr_array_add (paths, g_strdup_printf ("%s/log/relay-%s.log", dn_paths ()->state, guest_id));
  for (guint i = 0; i < containers->len; i++)
    {
      const DnContainer *container = containers->pdata[i];

      if (container->context == context)
        g_ptr_array_add (paths, g_strdup_printf ("%s/log.", container->directory));
    }
  g_ptr_array_add (paths, NULL);
  return paths;
}

static void
verify_relay (Report *report, DnContext *context, DnGuest *guest, const DnGuestInfo *info)
{
  static const char *const files[] = { "secret", "console.sock", "relay.sock", "console.ring" };
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) paths = list_relay_paths (context, dn_guest_id (guest));

  dn_verify_promise_relay (promises, info);
  dn_host_facts_add_process (facts, info->relay_pid, (const char *const *) paths->pdata);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path
          = g_build_filename (dn_paths ()->run, "guests", dn_guest_id (guest), files[i], NULL);

      dn_host_facts_add_file (facts, files[i], path);
    }
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "relay", context->name, FALSE, promises, facts);
}

static void
verify_resolver (Report *report, DnContext *context, DnGuest *guest, const DnGuestInfo *info)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autofree char *socket
      = g_build_filename (dn_paths ()->run, "guests", dn_guest_id (guest), "resolver.sock", NULL);
  g_autofree char *directory
      = g_strdup_printf ("%s/guests/%s/", dn_paths ()->run, dn_guest_id (guest));
  g_autofree char *log = dn_resolver_process_log_path (dn_guest_id (guest));
  const char *const paths[] = { directory, log, NULL };

  if (!dn_guest_has_resolver (dn_guest_id (guest)))
    return;
  dn_verify_promise_resolver (promises, info);
  dn_host_facts_add_process (facts, dn_process_find (info->uid, "danchi-resolver"), paths);
  dn_host_facts_add_file (facts, "resolver.sock", socket);
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "resolver", context->name, FALSE, promises, facts);
}

static void
verify_publish (Report *report, const char *context, DnGuest *guest, const DnGuestInfo *info)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();

  if (!dn_published_has_guest (dn_guest_id (guest)))
    return;
  dn_verify_promise_publish (promises, info);
  if (dn_paths ()->is_session)
    dn_verify_promise_publish_of_session (promises);
  dn_host_facts_add_process (facts, dn_process_find (info->uid, "danchi-publish"), NULL);
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "publish", context, FALSE, promises, facts);
}

static void
verify_share (Report *report, DnContext *context, const DnGuestInfo *info)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autofree char *binds = NULL;

  if (!info->has_share)
    return;
  binds = dn_binds_promised (context);
  dn_verify_promise_share (promises, info, binds);
  dn_host_facts_add_process (facts, info->share_pid, NULL);
  dn_binds_add_facts (facts, info->share_pid);
  dn_verify_facts_add (facts, "limit.group",
                       dn_host_group_holds ("", info->qemu_pid, info->share_pid));
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "virtiofsd", context->name, FALSE, promises, facts);
}

/* The host's side: a tap and its rules. */
static void
verify_network (Report *report, DnContext *context, DnGuest *guest)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  GError *error = NULL;

  (void) dn_network_verify (context, guest, promises, facts, &error);
  note (report, error);
  if (promises->len == 0)
    return;
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "gateway", context->name, FALSE, promises, facts);
}

static void
verify_guest (Report *report, DnContext *context)
{
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = NULL;
  DnGuest *guest = NULL;
  DnGuestInfo info = { 0 };

  g_mutex_lock (&report->daemon->lock);
  if (context->guest != NULL)
    guest = dn_guest_ref (context->guest);
  g_mutex_unlock (&report->daemon->lock);
  if (guest == NULL)
    return;
  dn_guest_get_info (guest, &info);
  verify_qemu (report, context->name, guest, &info);
  verify_relay (report, context, guest, &info);
  verify_resolver (report, context, guest, &info);
  verify_publish (report, context->name, guest, &info);
  verify_share (report, context, &info);
  verify_network (report, context, guest);
  dn_verify_promise_guest (promises, &info);
  facts = ask_guest (report, guest, "");
  add_lines (report, "guest", context->name, TRUE, promises, facts);
  dn_guest_info_clear (&info);
  dn_guest_unref (guest);
}

static void
verify_danchid (Report *report)
{
  static const char *const files[][2] = { { "run", "" },
                                          { "run/journal", "journal" },
                                          { "state", "" },
                                          { "state/containers", "containers" },
                                          { "state/contexts", "contexts" } };
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();

  dn_verify_promise_danchid (promises, dn_confine_capabilities ());
  dn_host_facts_add_process (facts, getpid (), NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      const char *top
          = g_str_has_prefix (files[i][0], "run") ? dn_paths ()->run : dn_paths ()->state;
      g_autofree char *path = g_build_filename (top, files[i][1], NULL);

      dn_host_facts_add_file (facts, files[i][0], path);
    }
  dn_verify_facts_add (facts, DN_FACT_COMPLETE, "yes");
  add_lines (report, "danchid", "danchid", FALSE, promises, facts);
}

JsonObject *
dn_verify_run (DnDaemon *daemon, const DnVerifySubjects *subjects, gint64 end_us)
{
  Report report = { .daemon = daemon, .end_us = end_us };
  JsonObject *ok = json_object_new ();

  report.lines = json_array_new ();
  report.notes = json_array_new ();
  report.mute = g_ptr_array_new_with_free_func (g_free);
  verify_danchid (&report);
  for (guint i = 0; i < subjects->contexts->len; i++)
    verify_guest (&report, subjects->contexts->pdata[i]);
  for (guint i = 0; i < subjects->containers->len; i++)
    verify_container (&report, subjects->containers->pdata[i]);
  g_ptr_array_unref (report.mute);
  json_object_set_array_member (ok, "lines", report.lines);
  json_object_set_array_member (ok, "notes", report.notes);
  json_object_set_int_member (ok, "kept", report.counts[DN_VERDICT_OK]);
  json_object_set_int_member (ok, "differing", report.counts[DN_VERDICT_DIFFERS]);
  json_object_set_int_member (ok, "unknown", report.counts[DN_VERDICT_UNKNOWN]);
  if (dn_paths ()->is_session)
    json_object_set_int_member (ok, "absent", report.counts[DN_VERDICT_ABSENT]);
  return ok;
}

DN_VERB (verify)
{
  g_auto (GStrv) names = NULL;
  const DnJsonField fields[]
      = { { "names", DN_JSON_STRINGS, FALSE, &names }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnVerifySubjects) subjects = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  subjects = dn_verify_subjects_choose (request, names, error);
  if (subjects == NULL)
    return NULL;
  return dn_verify_run (request->daemon, subjects, G_MAXINT64);
}
