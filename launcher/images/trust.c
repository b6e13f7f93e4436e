/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/json-build.h"
#include "signature.h"

#define TRANSPORT "docker"
#define ANYTHING "insecureAcceptAnything"
#define REJECT "reject"
#define SIGSTORE "sigstoreSigned"

void
dn_trust_free (DnTrust *trust)
{
  if (trust == NULL)
    return;
  g_free (trust->file);
  g_free (trust->reference);
  g_free (trust->scope);
  g_strfreev (trust->types);
  g_strfreev (trust->keys);
  g_clear_pointer (&trust->signers, g_ptr_array_unref);
  g_clear_pointer (&trust->derived, json_node_unref);
  g_clear_pointer (&trust->sigstore, json_node_unref);
  g_free (trust);
}

static gboolean throw (GError * *error, const DnTrust *trust, const char *what)
{
  return dn_throw (error, DN_ERROR_CONFIG,
                   "policy '%s': %s\nsee containers-policy.json(5); [images] policy of danchi.conf "
                   "names the file",
                   trust->file, what);
}

/* The scopes that count for @reference, the narrowest first. (transfer full) */
static GPtrArray *
list_scopes (const char *reference)
{
  GPtrArray *scopes = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *name = g_strdup (reference);
  const char *slash = strrchr (name, '/');
  char *end = strchr (name, '@');

  g_ptr_array_add (scopes, g_strdup (reference));
  if (end == NULL) /* a colon before the last slash is of the registry's port */
    end = strrchr (name, ':');
  if (end != NULL && (slash == NULL || end > slash))
    *end = '\0';
  for (;;)
    {
      char *last = strrchr (name, '/');

      g_ptr_array_add (scopes, g_strdup (name));
      if (last == NULL)
        break;
      *last = '\0';
    }
  if ((end = strchr (name, ':')) != NULL)
    *end = '\0';
  for (const char *dot = strchr (name, '.'); dot != NULL; dot = strchr (dot + 1, '.'))
    g_ptr_array_add (scopes, g_strdup_printf ("*.%s", dot + 1));
  g_ptr_array_add (scopes, g_strdup (""));
  return scopes;
}

/* The entry that counts.  NULL with @error where the policy is no policy. */
static JsonArray *
find_entry (DnTrust *trust, JsonObject *policy, GError **error)
{
  g_autoptr (JsonArray) fallback = NULL;
  g_autoptr (JsonObject) transports = NULL;
  g_autoptr (GPtrArray) scopes = list_scopes (trust->reference);
  const DnJsonField fields[] = {
    { "default", DN_JSON_ARRAY, TRUE, &fallback },
    { "transports", DN_JSON_OBJECT, FALSE, &transports },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autofree char *what = g_strdup_printf ("policy '%s'", trust->file);
  JsonNode *docker;

  if (!dn_json_read (policy, fields, what, error))
    return NULL;
  docker = transports != NULL ? json_object_get_member (transports, TRANSPORT) : NULL;
  if (docker != NULL && !JSON_NODE_HOLDS_OBJECT (docker))
    {
      throw (error, trust, "transports: '" TRANSPORT "' must be an object of scopes");
      return NULL;
    }
  for (guint i = 0; docker != NULL && i < scopes->len; i++)
    {
      JsonNode *node = json_object_get_member (json_node_get_object (docker), scopes->pdata[i]);

      if (node == NULL)
        continue;
      trust->scope = g_strdup (scopes->pdata[i]);
      if (JSON_NODE_HOLDS_ARRAY (node))
        return json_array_ref (json_node_get_array (node));
      throw (error, trust, "a scope must be a list of requirements");
      return NULL;
    }
  return g_steal_pointer (&fallback);
}

/* Adds one key's file; what it is called in the jail. (transfer full): NULL with @error */
static char *
add_key (DnTrust *trust, GPtrArray *keys, GPtrArray *signer, JsonNode *node, const char *jail,
         GError **error)
{
  const char *path
      = json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;

  if (path == NULL || path[0] != '/')
    throw (error, trust, "keyPath and keyPaths must be absolute paths");
  else if (keys->len >= DN_TRUST_KEYS_MAX)
    throw (error, trust, "more keys in one entry than are taken: " G_STRINGIFY (DN_TRUST_KEYS_MAX));
  else
    {
      g_ptr_array_add (keys, g_strdup (path));
      g_ptr_array_add (signer, g_strdup (path));
      return g_strdup_printf ("%s/key.%u", jail, keys->len - 1);
    }
  return NULL;
}

/* Gives @requirement the paths that its keys have in the jail. */
static gboolean
move_keys (DnTrust *trust, GPtrArray *keys, GPtrArray *signer, JsonObject *requirement,
           const char *jail, GError **error)
{
  JsonNode *one = json_object_get_member (requirement, "keyPath");
  JsonNode *several = json_object_get_member (requirement, "keyPaths");

  if (one != NULL)
    {
      g_autofree char *path = add_key (trust, keys, signer, one, jail, error);

      if (path == NULL)
        return FALSE;
      json_object_set_string_member (requirement, "keyPath", path);
    }
  if (several != NULL)
    {
      JsonArray *moved, *paths;

      if (!JSON_NODE_HOLDS_ARRAY (several))
        return throw (error, trust, "keyPaths must be a list");
      paths = json_node_get_array (several);
      moved = json_array_new ();
      for (guint i = 0; i < json_array_get_length (paths); i++)
        {
          g_autofree char *path
              = add_key (trust, keys, signer, json_array_get_element (paths, i), jail, error);

          if (path == NULL)
            {
              json_array_unref (moved);
              return FALSE;
            }
          json_array_add_string_element (moved, path);
        }
      json_object_set_array_member (requirement, "keyPaths", moved);
    }
  return TRUE;
}

/* What the jail does not know it must not pass over. */
static gboolean
check_sigstore (const DnTrust *trust, JsonObject *requirement, GError **error)
{
  static const char *const known[] = { "type", "keyPath", "keyData", "signedIdentity", NULL };
  g_autoptr (GList) members = json_object_get_members (requirement);

  for (GList *at = members; at != NULL; at = at->next)
    if (!g_strv_contains (known, at->data))
      return throw (error, trust,
                    "sigstoreSigned is taken with keyPath or keyData and signedIdentity alone");
  if (json_object_has_member (requirement, "keyPath")
      == json_object_has_member (requirement, "keyData"))
    return throw (error, trust, "sigstoreSigned must have either keyPath or keyData");
  return TRUE;
}

static gboolean
take_requirement (DnTrust *trust, GPtrArray *types, GPtrArray *keys, JsonObject *requirement,
                  const char *jail, GError **error)
{
  static const char *const known[] = { ANYTHING, REJECT, "signedBy", SIGSTORE, NULL };
  JsonNode *node = json_object_get_member (requirement, "type");
  const char *type = node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
                         ? json_node_get_string (node)
                         : "";
  GPtrArray *signer;
  gboolean is_fine;

  if (!g_strv_contains (known, type))
    return throw (error, trust,
                  "a requirement's type must be insecureAcceptAnything, reject, signedBy or "
                  "sigstoreSigned");
  g_ptr_array_add (types, g_strdup (type));
  if (g_str_equal (type, known[0]) || g_str_equal (type, known[1]))
    return TRUE;
  if (g_str_equal (type, SIGSTORE) && !check_sigstore (trust, requirement, error))
    return FALSE;
  signer = g_ptr_array_new ();
  g_ptr_array_add (signer, g_strdup (type));
  is_fine = move_keys (trust, keys, signer, requirement, jail, error);
  g_ptr_array_add (signer, NULL);
  g_ptr_array_add (trust->signers, g_ptr_array_free (signer, FALSE));
  return is_fine;
}

static void
add_type (JsonArray *array, const char *type)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", type);
  json_array_add_object_element (array, object);
}

/* {"default": reject, "transports": {"docker": {"": @entry}}}, and what is the jail's of it apart.
 */
static void
derive (DnTrust *trust, JsonArray *entry)
{
  JsonObject *policy = json_object_new (), *transports = json_object_new ();
  JsonObject *scopes = json_object_new ();
  JsonArray *fallback = json_array_new (), *own = json_array_new (), *theirs = json_array_new ();

  for (guint i = 0; i < json_array_get_length (entry); i++)
    {
      gboolean is_own = g_str_equal (trust->types[i], SIGSTORE);

      json_array_add_object_element (is_own ? own : theirs,
                                     json_object_ref (json_array_get_object_element (entry, i)));
    }
  /* All requirements have to be met; these are, once the jail has met its own. */
  if (json_array_get_length (theirs) == 0)
    add_type (theirs, ANYTHING);
  add_type (fallback, REJECT);
  json_object_set_array_member (policy, "default", fallback);
  json_object_set_array_member (scopes, "", theirs);
  json_object_set_object_member (transports, TRANSPORT, scopes);
  json_object_set_object_member (policy, "transports", transports);
  trust->derived = dn_json_node_take (policy);
  if (json_array_get_length (own) > 0)
    {
      trust->sigstore = json_node_new (JSON_NODE_ARRAY);
      json_node_set_array (trust->sigstore, own);
    }
  json_array_unref (own);
}

static gboolean
take_entry (DnTrust *trust, JsonArray *entry, const char *jail, GError **error)
{
  GPtrArray *types = g_ptr_array_new (), *keys = g_ptr_array_new ();
  gboolean is_fine = TRUE;

  for (guint i = 0; is_fine && i < json_array_get_length (entry); i++)
    {
      JsonNode *node = json_array_get_element (entry, i);

      is_fine
          = JSON_NODE_HOLDS_OBJECT (node)
                ? take_requirement (trust, types, keys, json_node_get_object (node), jail, error)
                : throw (error, trust, "a requirement must be an object");
    }
  g_ptr_array_add (types, NULL);
  g_ptr_array_add (keys, NULL);
  trust->types = (char **) g_ptr_array_free (types, FALSE);
  trust->keys = (char **) g_ptr_array_free (keys, FALSE);
  if (is_fine && trust->types[0] == NULL)
    return throw (error, trust, "a list of requirements must not be empty");
  return is_fine;
}

/* "registry.example.com/acme", "all of docker", "default". */
static const char *
scope_words (const DnTrust *trust)
{
  if (trust->scope == NULL)
    return "its default";
  return trust->scope[0] != '\0' ? trust->scope : "all of docker";
}

char *
dn_trust_words (const DnTrust *trust)
{
  g_autofree char *types = g_strjoinv (", ", trust->types);

  return g_strdup_printf ("%s for %s, %s", types, scope_words (trust), trust->file);
}

DnTrust *
dn_trust_choose (const char *text, gsize size, const char *file, const char *reference,
                 const char *jail, GError **error)
{
  g_autoptr (DnTrust) trust = g_new0 (DnTrust, 1);
  g_autofree char *what = g_strdup_printf ("policy '%s'", file), *words = NULL;
  g_autoptr (JsonNode) node = dn_json_parse (text, size, DN_TRUST_MAX_BYTES, what, error);
  g_autoptr (JsonArray) entry = NULL;

  trust->file = g_strdup (file);
  trust->reference = g_strdup (reference);
  trust->signers = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  if (node == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      throw (error, trust, "must be an object");
      return NULL;
    }
  entry = find_entry (trust, json_node_get_object (node), error);
  if (entry == NULL || !take_entry (trust, entry, jail, error))
    return NULL;
  words = dn_trust_words (trust);
  if (g_strv_contains ((const char *const *) trust->types, REJECT))
    {
      dn_throw (error, DN_ERROR_DENIED,
                "image '%s': the policy takes none of that name (rule " DN_TRUST_RULE ", %s)\n"
                "name a key whose signature counts for it there: docs/images.md, \"Signatures\"",
                reference, words);
      return NULL;
    }
  derive (trust, entry);
  return g_steal_pointer (&trust);
}

gboolean
dn_trust_wants_signature (const DnTrust *trust)
{
  return trust->signers->len > 0;
}

static JsonObject *
new_decision (const DnTrust *trust, const char *manifest, gint64 time_us)
{
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "is_signed", dn_trust_wants_signature (trust));
  json_object_set_string_member (object, "by", "policy");
  json_object_set_string_member (object, "policy", trust->file);
  json_object_set_string_member (object, "scope", trust->scope != NULL ? trust->scope : "");
  json_object_set_boolean_member (object, "is_default", trust->scope == NULL);
  dn_json_set_strings (object, "requirements", trust->types);
  json_object_set_string_member (object, "reference", trust->reference);
  json_object_set_string_member (object, "digest", manifest);
  dn_json_set_time_or_null (object, "time", time_us);
  return object;
}

JsonArray *
dn_trust_decide (const DnTrust *trust, const char *manifest, gint64 time_us)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < trust->signers->len; i++)
    {
      char **signer = trust->signers->pdata[i];
      JsonObject *decision = new_decision (trust, manifest, time_us);

      json_object_set_string_member (decision, "kind", signer[0]);
      dn_json_set_strings (decision, "keys", signer + 1);
      json_array_add_object_element (array, decision);
    }
  if (trust->signers->len == 0)
    {
      JsonObject *decision = new_decision (trust, manifest, time_us);
      g_autofree char *words = dn_trust_words (trust);
      g_autofree char *why = g_strdup_printf ("the policy takes anything (%s)", words);

      json_object_set_string_member (decision, "why", why);
      json_array_add_object_element (array, decision);
    }
  return array;
}
