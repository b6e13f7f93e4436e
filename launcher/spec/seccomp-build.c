/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-build.h"

#include <seccomp.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/paths.h"
#include "seccomp-cache.h"
#include "seccomp-check.h"
#include "seccomp-compile.h"
#include "seccomp-filter.h"
#include "spec.h"

/* Part of every key: to be raised when the same texts are to give another filter. */
#define BUILD_GENERATION 2

#define DEFAULT_NAME "default seccomp profile"
#define RELAXED_NAME "relaxed seccomp profile"
#define USER_NAME "seccomp profile"

static DnSeccompProfile *
read_ours (const DnSeccompTexts *texts, GError **error)
{
  g_autoptr (DnSeccompProfile) ours = dn_seccomp_profile_read (
      texts->default_json, strlen (texts->default_json), texts->capabilities, DEFAULT_NAME, error);
  g_autoptr (DnSeccompProfile) more = NULL;

  if (ours == NULL || !dn_seccomp_profile_refuses (ours, DEFAULT_NAME, error))
    return NULL;
  if (texts->base != DN_SECCOMP_RELAXED)
    return g_steal_pointer (&ours);
  more = dn_seccomp_profile_read (texts->relaxed_json, strlen (texts->relaxed_json),
                                  texts->capabilities, RELAXED_NAME, error);
  if (more == NULL || !dn_seccomp_profile_extend (ours, more, RELAXED_NAME, error))
    return NULL;
  return g_steal_pointer (&ours);
}

/* Ours: the head alone where there is to be no filter, since nothing may take that back. */
static GBytes *
build_ours (const DnSeccompTexts *texts, GError **error)
{
  g_autoptr (DnSeccompProfile) ours = read_ours (texts, error);
  g_autoptr (GBytes) head = NULL, link = NULL;

  if (ours == NULL)
    return NULL;
  head = dn_seccomp_filter_head (dn_seccomp_profile_largest (ours));
  if (texts->base == DN_SECCOMP_UNCONFINED)
    return g_steal_pointer (&head);
  link = dn_seccomp_profile_compile (ours, DEFAULT_NAME, error);
  return link != NULL ? dn_seccomp_filter_chain (head, link, error) : NULL;
}

static GBytes *
add_one (GBytes *ours, const DnSeccompTexts *texts, const char *text, gboolean is_last,
         GError **error)
{
  g_autoptr (DnSeccompProfile) users
      = dn_seccomp_profile_read (text, strlen (text), texts->capabilities, USER_NAME, error);
  g_autoptr (GBytes) link = NULL;

  /* A list of what is denied is good enough on top of ours, which has the rest refused. */
  if (users == NULL
      || (is_last && texts->base == DN_SECCOMP_UNCONFINED
          && !dn_seccomp_profile_refuses (users, USER_NAME, error)))
    return NULL;
  link = dn_seccomp_profile_compile (users, USER_NAME, error);
  return link != NULL ? dn_seccomp_filter_chain (ours, link, error) : NULL;
}

/* A user's: one document, or a list of them (pods/oci-seccomp.c), each of which takes away; the
 * last says what there is at all. */
static GBytes *
add_users (GBytes *ours, const DnSeccompTexts *texts, GError **error)
{
  g_autoptr (GBytes) chain = g_bytes_ref (ours);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *list;

  if (texts->user_json[0] != '[')
    return add_one (ours, texts, texts->user_json, TRUE, error);
  node = dn_json_parse (texts->user_json, strlen (texts->user_json), DN_SECCOMP_PROFILE_MAX_BYTES,
                        USER_NAME, error);
  if (node == NULL)
    return NULL;
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      g_autofree char *text = dn_json_to_text (json_array_get_element (list, i), FALSE);
      GBytes *longer = add_one (chain, texts, text, i == json_array_get_length (list) - 1, error);

      if (longer == NULL)
        return NULL;
      g_bytes_unref (chain);
      chain = longer;
    }
  return g_steal_pointer (&chain);
}

GBytes *
dn_seccomp_build (const DnSeccompTexts *texts, GError **error)
{
  g_autoptr (GBytes) ours = build_ours (texts, error);
  g_autoptr (GBytes) chain = NULL;

  if (ours == NULL)
    return NULL;
  chain = texts->user_json != NULL ? add_users (ours, texts, error) : g_bytes_ref (ours);
  if (chain == NULL
      || !dn_seccomp_check (chain, texts->base, texts->user_json != NULL ? USER_NAME : DEFAULT_NAME,
                            error))
    return NULL;
  return g_steal_pointer (&chain);
}

char *
dn_seccomp_load (const char *name, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *ours = g_build_filename (dn_paths ()->config, "seccomp", file, NULL);
  g_autofree char *shipped = g_build_filename (dn_paths ()->defaults, "seccomp", file, NULL);
  g_autoptr (GError) local = NULL;
  char *text = NULL;

  /* Only a file that is not there falls through: one that cannot be read is an error. */
  if (g_file_get_contents (ours, &text, NULL, &local))
    return text;
  if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_clear_error (&local);
      if (g_file_get_contents (shipped, &text, NULL, &local))
        return text;
    }
  dn_throw (error, DN_ERROR_CONFIG,
            "%s seccomp profile: %s\nno container starts without it; install danchi anew", name,
            local->message);
  return NULL;
}

/* What the filter depends on; the library's version, because its output does. */
static char *
key_of (const DnSeccompTexts *texts)
{
  const char *const parts[] = { texts->default_json, texts->relaxed_json, texts->user_json };
  const struct scmp_version *version = seccomp_version ();
  g_autoptr (GString) all = g_string_new (NULL);

  g_string_append_printf (all, "%d %u.%u.%u %d %" G_GINT64_MODIFIER "x", BUILD_GENERATION,
                          version->major, version->minor, version->micro, (int) texts->base,
                          texts->capabilities);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *sum
          = g_compute_checksum_for_string (G_CHECKSUM_SHA256, parts[i] != NULL ? parts[i] : "", -1);

      g_string_append_printf (all, " %s", sum);
    }
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, all->str, -1);
}

/* From the cache, or built and put there. */
static GBytes *
get (const DnSeccompTexts *texts, GError **error)
{
  g_autofree char *directory = g_build_filename (dn_paths ()->state, "seccomp", NULL);
  g_autofree char *key = key_of (texts);
  g_autoptr (GBytes) filter = dn_seccomp_cache_get (directory, key);

  /* A kept filter is asked again: it is cheap, and the file may be older than the questions. */
  if (filter != NULL && dn_seccomp_check (filter, texts->base, USER_NAME, NULL))
    return g_steal_pointer (&filter);
  g_clear_pointer (&filter, g_bytes_unref);
  filter = dn_seccomp_build (texts, error);
  if (filter != NULL)
    dn_seccomp_cache_put (directory, key, filter);
  return g_steal_pointer (&filter);
}

GBytes *
dn_seccomp_compile (const char *profile_json, DnSeccompBase base, guint64 capabilities,
                    char **ret_hash, GError **error)
{
  g_autofree char *default_json = NULL, *relaxed_json = NULL;
  DnSeccompTexts texts = { .user_json = profile_json, .base = base, .capabilities = capabilities };
  GBytes *filter;

  if (profile_json != NULL && strlen (profile_json) > DN_SECCOMP_PROFILE_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_CONFIG, USER_NAME ": larger than %d bytes",
                DN_SECCOMP_PROFILE_MAX_BYTES);
      return NULL;
    }
  texts.default_json = default_json = dn_seccomp_load ("default", error);
  if (default_json == NULL)
    return NULL;
  if (base == DN_SECCOMP_RELAXED)
    {
      texts.relaxed_json = relaxed_json = dn_seccomp_load ("relaxed", error);
      if (relaxed_json == NULL)
        return NULL;
    }
  filter = get (&texts, error);
  if (filter != NULL && ret_hash != NULL)
    {
      /* Of the filter itself where it comes of more than the one text. */
      const char *one = profile_json != NULL ? profile_json : default_json;

      *ret_hash = base == DN_SECCOMP_DEFAULT
                      ? g_compute_checksum_for_string (G_CHECKSUM_SHA256, one, -1)
                      : g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, filter);
    }
  return filter;
}
