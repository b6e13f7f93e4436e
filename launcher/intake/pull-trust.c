/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-trust.h"

#include <stdlib.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "jail.h"
#include "pull-fault.h"
#include "pull-skopeo.h"
#include "sigstore.h"

#define INDEX "layout/index.json"
#define INDEX_MAX_BYTES (64 * 1024)
#define SIGNATURES "signatures"
#define SIGNATURES_MAX_BYTES (4 * 1024 * 1024)
#define TRIES 3

static JsonNode *
read_json (DnTaskRun *run, const char *path, gsize limit)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  JsonNode *node = NULL;
  gsize size;

  if (g_file_get_contents (path, &text, &size, &error))
    node = dn_json_parse (text, size, limit, path, &error);
  if (node == NULL)
    exit (dn_task_fail (run, "other", error->message));
  return node;
}

/* The digest of the only manifest of a layout; "" where it has none. (transfer full) */
static char *
copied_digest (JsonNode *index)
{
  JsonNode *node = JSON_NODE_HOLDS_OBJECT (index)
                       ? json_object_get_member (json_node_get_object (index), "manifests")
                       : NULL;
  JsonArray *manifests
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (manifests == NULL || json_array_get_length (manifests) != 1)
    return g_strdup ("");
  node = json_array_get_element (manifests, 0);
  node = JSON_NODE_HOLDS_OBJECT (node)
             ? json_object_get_member (json_node_get_object (node), "digest")
             : NULL;
  return g_strdup (node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
                       ? json_node_get_string (node)
                       : "");
}

void
dn_pull_check_copied (DnTaskRun *run, const char *digest)
{
  g_autoptr (JsonNode) index = read_json (run, INDEX, INDEX_MAX_BYTES);
  g_autofree char *copied = copied_digest (index);

  if (!g_str_equal (copied, digest))
    exit (dn_task_fail (run, "digest", "the registry has another image by now"));
}

/* Fetches what cosign keeps beside the image, under a name made of the manifest's digest. */
static gboolean
fetch_signatures (DnTaskRun *run, const char *digest, const char *auth)
{
  g_autofree char *tag = g_strdelimit (g_strdup (digest), ":", '-');
  g_autofree char *source
      = g_strdup_printf ("docker://%s:%s.sig", dn_task_text (run, "repository"), tag);
  const char *const argv[]
      = { "skopeo", "--insecure-policy", "copy", "--authfile", auth, "--preserve-digests",
          source,   "dir:" SIGNATURES,   NULL };
  const DnSkopeo skopeo = { .argv = argv,
                            .file_bytes = SIGNATURES_MAX_BYTES,
                            .stall_s = (guint) dn_task_number (run, "stall_s") };

  for (guint number = 1;; number++)
    {
      g_autofree char *words = NULL, *message = NULL;
      const DnPullFault *fault;

      if (dn_skopeo_run (run, &skopeo, &words) == DN_SKOPEO_DONE)
        return TRUE;
      fault = dn_pull_fault_find (words);
      message = dn_pull_fault_message (words);
      if (g_str_equal (fault->code, "not-found"))
        return FALSE;
      if (!fault->is_brief || number >= TRIES)
        exit (dn_task_fail (run, fault->code, message));
      g_usleep (G_USEC_PER_SEC);
    }
}

static GBytes *
read_payload (const char *hex, gpointer data)
{
  g_autofree char *path = g_build_filename (SIGNATURES, hex, NULL);
  char *text;
  gsize size;

  (void) data;
  if (!g_file_get_contents (path, &text, &size, NULL))
    return NULL;
  return g_bytes_new_take (text, size);
}

static GPtrArray *
read_signatures (DnTaskRun *run, const char *digest, const char *auth)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  GPtrArray *signatures = NULL;
  gsize size;

  if (!fetch_signatures (run, digest, auth))
    return g_ptr_array_new ();
  if (g_file_get_contents (SIGNATURES "/manifest.json", &text, &size, &error))
    signatures = dn_sigstore_read (text, size, read_payload, NULL, &error);
  if (signatures == NULL)
    exit (dn_task_fail (run, "rejected", error->message));
  return signatures;
}

/* danchid has put it there; NULL: the requirement has the key in itself. */
static GBytes *
read_key (DnTaskRun *run, JsonObject *requirement)
{
  JsonNode *node = json_object_get_member (requirement, "keyPath");
  g_autoptr (GError) error = NULL;
  char *text;
  gsize size;

  if (node == NULL)
    return NULL;
  if (!g_file_get_contents (json_node_get_string (node), &text, &size, &error))
    exit (dn_task_fail (run, "other", error->message));
  return g_bytes_new_take (text, size);
}

void
dn_pull_check_sigstore (DnTaskRun *run, const char *digest, const char *auth)
{
  g_autoptr (GPtrArray) signatures = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonArray *requirements;

  if (!dn_task_has (run, "sigstore"))
    return;
  node = read_json (run, dn_task_text (run, "sigstore"), SIGNATURES_MAX_BYTES);
  requirements = json_node_get_array (node);
  signatures = read_signatures (run, digest, auth);
  for (guint i = 0; i < json_array_get_length (requirements); i++)
    {
      JsonObject *requirement = json_array_get_object_element (requirements, i);
      g_autoptr (GBytes) key = read_key (run, requirement);
      g_autoptr (GError) error = NULL;

      if (!dn_sigstore_meet (requirement, key, signatures, digest, dn_task_text (run, "reference"),
                             &error))
        exit (dn_task_fail (run, "rejected", error->message));
    }
}
