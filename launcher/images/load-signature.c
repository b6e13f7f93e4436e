/* SPDX-License-Identifier: Apache-2.0 */
#include "load-signature.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "intake.h"
#include "signature.h"
#include "store.h"
#include "trust.h"

#define RULE "load-signature"
#define TIMEOUT_S 3600
#define FINGERPRINT_MAX_BYTES 64
/* Beside the archive. */
#define SPARE_BYTES (16 * 1024 * 1024)

typedef struct
{
  DnRequest *request;
  const DnSettings *settings;
  const DnLoadSignature *signature;
  const char *staging;
  const char *archive;  /* its digest */
  JsonObject *decision; /* owned; once it is there */
} Decide;

gboolean
dn_load_signature_check (const DnSettings *settings, const DnLoadSignature *signature,
                         GError **error)
{
  if (signature->fd < 0 && settings->load_signature == DN_NEED_REQUIRED)
    return dn_throw (error, DN_ERROR_DENIED,
                     "archive: comes without a signature, and this host wants one (rule " RULE
                     ", %s)\ndanchi load --signature FILE, of a key of [images] load_keys",
                     settings->file);
  if (signature->fd >= 0 && settings->load_keys[0] == NULL)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "signature: this host trusts no key (rule " RULE
                     ", %s)\nname keys that it trusts: [images] load_keys",
                     settings->file);
  return TRUE;
}

/* A small file of the client's, whole. */
static gboolean
copy_small (Decide *decide, int from, const char *directory, const char *name, gsize limit,
            GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autofree char *bytes = g_malloc (limit + 1);
  dn_autofd int to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
  gsize used = 0;

  if (to < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  while (used <= limit)
    {
      ssize_t n;

      if (!dn_request_wait_readable (decide->request, from, error))
        return FALSE;
      n = read (from, bytes + used, limit + 1 - used);
      if (n < 0 && errno != EINTR && errno != EAGAIN)
        return dn_throw_errno (error, "%s: reading it", name);
      if (n == 0)
        break;
      used += n > 0 ? (gsize) n : 0;
    }
  if (used > limit)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "%s: larger than %" G_GSIZE_FORMAT " KiB, which none is", name, limit / 1024);
  if (write (to, bytes, used) != (ssize_t) used || fchmod (to, 0444) < 0)
    return dn_throw_errno (error, "file '%s': writing", path);
  return TRUE;
}

/* Root's files in the run's directory, before the run begins: it can read them and no more. */
static gboolean
prepare (const char *directory, gpointer data, GError **error)
{
  Decide *decide = data;
  g_autofree char *archive = g_build_filename (decide->staging, DN_STORE_ARCHIVE, NULL);
  g_autofree char *inside = g_build_filename (directory, DN_STORE_ARCHIVE, NULL);

  if (link (archive, inside) < 0)
    return dn_throw_errno (error, "file '%s': linking", inside);
  for (guint i = 0; decide->settings->load_keys[i] != NULL; i++)
    if (!dn_trust_copy_key (decide->settings->load_keys[i], directory, i, error))
      return FALSE;
  if (decide->signature->checksum_fd >= 0
      && !copy_small (decide, decide->signature->checksum_fd, directory, "checksum",
                      DN_LOAD_CHECKSUM_MAX_BYTES, error))
    return FALSE;
  return copy_small (decide, decide->signature->fd, directory, "signature",
                     DN_LOAD_SIGNATURE_MAX_BYTES, error);
}

static gboolean
is_fingerprint (const char *text)
{
  gsize length = strlen (text);

  return length > 0 && length <= FINGERPRINT_MAX_BYTES
         && strspn (text, "0123456789ABCDEF") == length;
}

/* "signed KEY ID OVER TIME" */
static gboolean
take_line (DnIntake *intake, char **words, gpointer data, GError **error)
{
  Decide *decide = data;
  char **keys = decide->settings->load_keys;
  DnArchiveSignature signature = { .kind = DN_SIGNING_KINDS };
  guint64 key, time_s;

  (void) intake;
  if (decide->decision != NULL || g_strv_length (words) != 5 || !g_str_equal (words[0], "signed")
      || !g_ascii_string_to_unsigned (words[1], 10, 0, g_strv_length (keys) - 1, &key, NULL)
      || !is_fingerprint (words[2])
      || !g_ascii_string_to_unsigned (words[4], 10, 0, G_MAXINT64 / G_USEC_PER_SEC, &time_s, NULL))
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says what is no signature");
  for (signature.over = 0; signature.over < DN_SIGNED_OVERS; signature.over++)
    if (g_str_equal (words[3], dn_signed_over_words[signature.over]))
      break;
  if (signature.over == DN_SIGNED_OVERS)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says what is no signature");
  (void) dn_signing_key_kind (keys[key], &signature.kind);
  signature.key = keys[key];
  signature.key_id = words[2];
  signature.signed_us = (gint64) time_s * G_USEC_PER_SEC;
  decide->decision = dn_signature_of_archive (&signature, decide->archive, g_get_real_time ());
  return TRUE;
}

static const struct
{
  const char *code;
  const char *text;
  const char *remedy;
} refusals[] = {
  { "no-key", "is by a key that this host does not trust",
    "if the key is to be trusted, name its file in [images] load_keys" },
  { "key-expired", "is by a key that has expired",
    "get the key anew from its owner, who may have prolonged it, or have the archive signed "
    "again" },
  { "key-revoked", "is by a key that was revoked",
    "do not use the archive; have it signed again by another key" },
  { "expired", "has expired", "have the archive signed again" },
  { "checksum", "holds, but what was signed does not have the archive's checksum",
    "compare with sha256sum: the archive was changed, or the signature is another's" },
  { "none", "is none that can be read",
    "GPG's (gpg --detach-sign, gpg --clearsign) and minisign's are known" },
  { "kind", "is of a kind of which this host trusts no key, or does not go with --checksum",
    "[images] load_keys: .gpg, .asc and .pgp files for GPG's, .pub for minisign's; a signed text "
    "needs no --checksum" },
};

static void
take_failure (const char *code, const char *text, gpointer data, GError **error)
{
  Decide *decide = data;
  const char *file = decide->settings->file;
  guint64 number;

  if (g_str_equal (code, "bad"))
    dn_throw (
        error, DN_ERROR_DENIED,
        decide->signature->checksum_fd >= 0
            ? "signature: does not hold for the checksum file (rule " RULE
              ", %s)\ndo not use the archive: checksum file or signature were changed"
            : "signature: does not hold for the archive (rule " RULE
              ", %s)\nwhere it is over the archive's checksum file, say --checksum FILE; else "
              "do not use the archive",
        file);
  else if (g_str_equal (code, "key") && g_str_has_prefix (text, "key.")
           && g_ascii_string_to_unsigned (text + strlen ("key."), 10, 0,
                                          g_strv_length (decide->settings->load_keys) - 1, &number,
                                          NULL))
    dn_throw (error, DN_ERROR_CONFIG,
              "key '%s': has no public key in it\ngpg --export and minisign -G make such files",
              decide->settings->load_keys[number]);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    if (g_str_equal (code, refusals[i].code))
      dn_throw (error, DN_ERROR_DENIED, "signature: %s (rule " RULE ", %s)\n%s", refusals[i].text,
                file, refusals[i].remedy);
}

/* The order of the task. (transfer full) */
static char **
make_order (const Decide *decide)
{
  g_autoptr (GStrvBuilder) order = g_strv_builder_new ();
  char **keys = decide->settings->load_keys;
  guint count = g_strv_length (keys);

  for (guint i = 0; i < count + 2; i++)
    {
      g_autofree char *line = NULL;
      DnSigningKind kind;

      if (i == 0)
        line = g_strdup_printf ("sha256=%s", decide->archive);
      else if (i == 1)
        line = g_strdup_printf ("keys=%u", count);
      else if (dn_signing_key_kind (keys[i - 2], &kind))
        line = g_strdup_printf ("kind%u=%s", i - 2, dn_signing_kind_words[kind]);
      g_strv_builder_add (order, line);
    }
  return g_strv_builder_end (order);
}

static gboolean
verify (Decide *decide, GError **error)
{
  g_auto (GStrv) order = make_order (decide);
  const DnIntakePlan plan = { .task = "signature",
                              .staging = decide->staging,
                              .order = (const char *const *) order,
                              .disk_bytes = decide->settings->archive_limit_bytes + SPARE_BYTES,
                              .timeout_s = TIMEOUT_S,
                              .prepare = prepare,
                              .line = take_line,
                              .failed = take_failure,
                              .data = decide };

  dn_trace_begin (decide->request->trace, "signature");
  if (!dn_intake_run (decide->request, &plan, error))
    return FALSE;
  return decide->decision != NULL
         || dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says nothing of the signature");
}

JsonObject *
dn_load_signature_decide (DnRequest *request, const DnSettings *settings,
                          const DnLoadSignature *signature, const char *staging,
                          const char *archive, GError **error)
{
  Decide decide = { .request = request,
                    .settings = settings,
                    .signature = signature,
                    .staging = staging,
                    .archive = archive };

  if (signature->fd < 0)
    return dn_signature_missing (archive, "danchi load had no --signature", g_get_real_time ());
  if (verify (&decide, error))
    return decide.decision;
  g_clear_pointer (&decide.decision, json_object_unref);
  return NULL;
}
