/* SPDX-License-Identifier: Apache-2.0 */
#include "sigstore-identity.h"

#include <string.h>

typedef struct
{
  char *name;   /* owned; registry and repository */
  char *suffix; /* owned; ":TAG", "@DIGEST", ":TAG@DIGEST" or "" */
} Reference;

static void
clear_reference (Reference *reference)
{
  g_free (reference->name);
  g_free (reference->suffix);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reference, clear_reference)

/* Docker's names have two spellings and a short one; a signature may have either. */
static Reference
parse (const char *text)
{
  const char *slash = strrchr (text, '/');
  const char *rest = slash != NULL ? slash : text;
  gsize length = (gsize) (rest - text) + strcspn (rest, ":@");
  g_autofree char *name = g_strndup (text, length);
  const char *first = strchr (name, '/');
  g_autofree char *host = first != NULL ? g_strndup (name, (gsize) (first - name)) : NULL;
  Reference reference = { .suffix = g_strdup (text + length) };

  if (host == NULL)
    reference.name = g_strconcat ("docker.io/library/", name, NULL);
  else if (g_str_equal (host, "index.docker.io") || g_str_equal (host, "docker.io"))
    reference.name = g_strconcat (
        strchr (first + 1, '/') == NULL ? "docker.io/library/" : "docker.io/", first + 1, NULL);
  else if (strpbrk (host, ".:") == NULL && !g_str_equal (host, "localhost"))
    reference.name = g_strconcat ("docker.io/", name, NULL);
  else
    reference.name = g_steal_pointer (&name);
  return reference;
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

/* The same, neither of them a name alone. */
static gboolean
is_exact (const Reference *asked, const Reference *other)
{
  return asked->suffix[0] != '\0' && g_str_equal (asked->suffix, other->suffix)
         && g_str_equal (asked->name, other->name);
}

static gboolean
is_repository (const Reference *asked, const Reference *other)
{
  return g_str_equal (asked->name, other->name);
}

/* Who asks by a digest has said which image it is; the name's tag is then no matter. */
static gboolean
is_repository_or_exact (const Reference *asked, const Reference *other)
{
  if (asked->suffix[0] == '@')
    return other->suffix[0] != '\0' && is_repository (asked, other);
  return is_exact (asked, other);
}

static gboolean
is_remapped (JsonObject *identity, Reference *asked, const Reference *other)
{
  const char *prefix = text_of (identity, "prefix");
  const char *to = text_of (identity, "signedPrefix");
  gsize length = strlen (prefix);

  if (length == 0 || *to == '\0')
    return FALSE;
  if (g_str_has_prefix (asked->name, prefix)
      && (asked->name[length] == '\0' || asked->name[length] == '/'))
    {
      char *name = g_strconcat (to, asked->name + length, NULL);

      g_free (asked->name);
      asked->name = name;
    }
  return is_repository_or_exact (asked, other);
}

gboolean
dn_sigstore_identity_matches (JsonObject *identity, const char *asked, const char *signed_for)
{
  const char *type = identity != NULL ? text_of (identity, "type") : "matchRepoDigestOrExact";
  g_auto (Reference) intended = parse (asked);
  g_auto (Reference) other = parse (signed_for);

  if (g_str_equal (type, "matchRepoDigestOrExact"))
    return is_repository_or_exact (&intended, &other);
  if (g_str_equal (type, "matchExact"))
    return is_exact (&intended, &other);
  if (g_str_equal (type, "matchRepository"))
    return is_repository (&intended, &other);
  if (g_str_equal (type, "exactReference"))
    {
      g_auto (Reference) exact = parse (text_of (identity, "dockerReference"));

      return is_exact (&exact, &other);
    }
  if (g_str_equal (type, "exactRepository"))
    {
      g_auto (Reference) exact = parse (text_of (identity, "dockerRepository"));

      return text_of (identity, "dockerRepository")[0] != '\0' && is_repository (&exact, &other);
    }
  return g_str_equal (type, "remapIdentity") && is_remapped (identity, &intended, &other);
}
