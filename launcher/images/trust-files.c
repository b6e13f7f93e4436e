/* SPDX-License-Identifier: Apache-2.0 */
/* The policy's and its keys' files, and what is said when skopeo refuses. */
#include "trust.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../common/paths.h"
#include "trust-fault.h"

char *
dn_trust_find (const char *named)
{
  g_autofree char *own = g_build_filename (dn_paths ()->config, "containers", "policy.json", NULL);

  if (named != NULL)
    return g_strdup (named);
  return g_file_test (own, G_FILE_TEST_EXISTS) ? g_steal_pointer (&own)
                                               : g_strdup ("/etc/containers/policy.json");
}

DnTrust *
dn_trust_read (const char *file, const char *reference, const char *jail, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize size;

  if (g_file_get_contents (file, &text, &size, &local))
    return dn_trust_choose (text, size, file, reference, jail, error);
  if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    dn_throw (error, DN_ERROR_DENIED,
              "image '%s': no policy says which images may be pulled (rule " DN_TRUST_RULE
              ", %s is "
              "not there)\nwrite one, or name another with [images] policy in danchi.conf: "
              "docs/images.md, \"Signatures\"",
              reference, file);
  else
    dn_throw (error, DN_ERROR_CONFIG, "policy '%s': %s", file, local->message);
  return NULL;
}

const char *
dn_trust_takes (const char *file)
{
  g_autoptr (GError) error = NULL;
  /* RFC 2606: nobody's. */
  g_autoptr (DnTrust) trust = dn_trust_read (file, "registry.invalid/image:1", "/", &error);

  if (trust == NULL)
    return g_error_matches (error, DN_ERROR, DN_ERROR_DENIED) ? "nothing" : "unknown";
  return dn_trust_wants_signature (trust) ? "signed" : "anything";
}

/* A new file in @directory, which is a jail's user's: nothing that is there is followed. */
static gboolean
write_file (const char *directory, const char *name, const char *bytes, gsize size, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  dn_autofd int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);

  while (fd >= 0 && size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n < 0)
        return dn_throw_errno (error, "file '%s': writing", path);
      bytes += n;
      size -= (gsize) n;
    }
  if (fd < 0 || fchmod (fd, 0444) < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  return TRUE;
}

gboolean
dn_trust_copy_key (const char *path, const char *directory, guint number, GError **error)
{
  g_autofree char *name = g_strdup_printf ("key.%u", number), *bytes = NULL;
  g_autoptr (GError) local = NULL;
  gsize size;

  if (!g_file_get_contents (path, &bytes, &size, &local))
    return dn_throw (
        error, DN_ERROR_CONFIG,
        "key '%s': %s\nit is named as one whose signatures count; put it there, or take "
        "its name away",
        path, local->message);
  if (size == 0 || size > DN_TRUST_KEY_MAX_BYTES)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "key '%s': has %" G_GSIZE_FORMAT " bytes, which no key has", path, size);
  return write_file (directory, name, bytes, size, error);
}

gboolean
dn_trust_write (const DnTrust *trust, const char *directory, GError **error)
{
  g_autofree char *policy = dn_json_to_text (trust->derived, FALSE);

  for (guint i = 0; trust->keys[i] != NULL; i++)
    if (!dn_trust_copy_key (trust->keys[i], directory, i, error))
      return FALSE;
  if (trust->sigstore != NULL)
    {
      g_autofree char *own = dn_json_to_text (trust->sigstore, FALSE);

      if (!write_file (directory, DN_TRUST_SIGSTORE_FILE, own, strlen (own), error))
        return FALSE;
    }
  return write_file (directory, DN_TRUST_POLICY_FILE, policy, strlen (policy), error);
}

gboolean
dn_trust_refuse (const DnTrust *trust, const char *words, GError **error)
{
  const DnTrustFault *fault = dn_trust_fault_find (words);
  g_autofree char *rule = dn_trust_words (trust);

  return dn_throw (error, DN_ERROR_DENIED, "image '%s': %s (rule " DN_TRUST_RULE ", %s)\n%s",
                   trust->reference, fault->text, rule, fault->remedy);
}
