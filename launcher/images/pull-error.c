/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-error.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"

#define TEXT_MAX_BYTES 300

/* %R in a remedy is the registry. */
static const struct
{
  const char *code;
  DnError error;
  const char *words;
  const char *remedy;
  gboolean has_text; /* what the registry or skopeo said is worth reading */
} sentences[] = {
  { "unauthorized", DN_ERROR_DENIED, "asking for the image: the registry does not let this user in",
    "skopeo login %R (or podman login %R) as the user who pulls; and check the name", FALSE },
  { "not-found", DN_ERROR_NOT_FOUND, "asking for the image: the registry has none of this name",
    "check repository and tag: skopeo list-tags docker://...", FALSE },
  { "platform", DN_ERROR_NOT_FOUND, "choosing the image: there is none for linux on amd64",
    "ask its maker for one", FALSE },
  { "tls-authority", DN_ERROR_FAILED, "connecting: its certificate is of no authority known here",
    "put the authority's certificate into /etc/containers/certs.d/%R/ca.crt", FALSE },
  { "tls-certificate", DN_ERROR_FAILED, "connecting: its certificate is not valid",
    "ask who runs the registry to mend it", TRUE },
  { "plain-http", DN_ERROR_FAILED, "connecting: it does not speak TLS",
    "insecure = true for it in /etc/containers/registries.conf permits that, to your own network",
    FALSE },
  { "blocked", DN_ERROR_DENIED, "registries.conf blocks it",
    "see `blocked` in /etc/containers/registries.conf", FALSE },
  { "resolve", DN_ERROR_FAILED, "connecting: there is no host of that name",
    "check the name, and this host's name servers: getent hosts %R", FALSE },
  { "refused", DN_ERROR_FAILED, "connecting: nobody listens there",
    "check the port, and whether the registry runs", FALSE },
  { "unreachable", DN_ERROR_FAILED, "connecting: there is no way to it in the network",
    "check this host's network and proxies", FALSE },
  { "busy", DN_ERROR_FAILED, "it answers that there were too many requests (429)",
    "try again later, or log in: skopeo login %R", FALSE },
  { "server-error", DN_ERROR_FAILED, "it answers with an error of its own (5xx)",
    "try again later; what was fetched is kept for a day", FALSE },
  { "broken", DN_ERROR_FAILED, "fetching: the connection broke",
    "try again; what was fetched is kept for a day", FALSE },
  { "stalled", DN_ERROR_FAILED, "fetching: it stopped sending",
    "try again; what was fetched is kept for a day ([images] pull_stall_s)", FALSE },
  { "manifest-size", DN_ERROR_LIMIT, "asking for the image: its manifest has more than 4 MiB",
    "no image needs that: do not use it", FALSE },
  { "manifest", DN_ERROR_FAILED, "reading the manifest", "it is no image's: do not use it", TRUE },
  { "blob-size", DN_ERROR_LIMIT, "fetching: it sends more than the manifest says", "do not use it",
    FALSE },
  { "limit", DN_ERROR_LIMIT, "the image is larger than [images] archive_limit_mib allows",
    "raise it in danchi.conf", FALSE },
  { "digest", DN_ERROR_FAILED, "fetching: what it sent has not the digest that was asked for",
    "the registry or somebody on the way is broken or lies: do not use it", FALSE },
  { "rejected", DN_ERROR_DENIED, "the signature policy refuses the image",
    "see policy.json of containers", TRUE },
  { "full", DN_ERROR_FAILED, "writing: the disk is full", "make room, or remove images", FALSE },
  { "jail", DN_ERROR_FAILED, "danchi-intake could make no jail", "see danchi doctor", TRUE },
};

char *
dn_pull_registry_of (const char *reference)
{
  return g_strndup (reference, strcspn (reference, "/"));
}

const char *
dn_pull_error_words (const char *code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sentences); i++)
    if (g_str_equal (sentences[i].code, code))
      return sentences[i].words;
  return "it did not work";
}

void
dn_pull_error_set (GError **error, const char *reference, const char *code, const char *text)
{
  g_autofree char *registry = dn_pull_registry_of (reference);
  g_autofree char *shown = dn_text_clean (text, TEXT_MAX_BYTES);
  g_autoptr (GString) remedy = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (sentences); i++)
    if (g_str_equal (sentences[i].code, code))
      {
        g_string_assign (remedy, sentences[i].remedy);
        (void) g_string_replace (remedy, "%R", registry, 0);
        dn_throw (error, sentences[i].error, "image '%s': registry '%s': %s%s%s\n%s", reference,
                  registry, sentences[i].words, sentences[i].has_text ? ": " : "",
                  sentences[i].has_text ? shown : "", remedy->str);
        return;
      }
  dn_throw (error, DN_ERROR_FAILED, "image '%s': registry '%s': %s", reference, registry, shown);
}
