/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-fault.h"

#include <string.h>

/* The first that is found counts: the more telling ones come first. */
static const struct
{
  const char *words;
  DnPullFault fault;
} faults[] = {
  { "Source image rejected", { "rejected", FALSE } },
  { "no space left on device", { "full", FALSE } },
  { "exceeded maximum allowed size", { "manifest-size", FALSE } },
  { "file too large", { "blob-size", FALSE } },
  { "File size limit exceeded", { "blob-size", FALSE } },
  { "x509: certificate signed by unknown authority", { "tls-authority", FALSE } },
  { "x509: ", { "tls-certificate", FALSE } },
  { "server gave HTTP response to HTTPS client", { "plain-http", FALSE } },
  { "does not look like a TLS handshake", { "plain-http", FALSE } },
  { "tls: ", { "tls-certificate", FALSE } },
  { "is blocked in ", { "blocked", FALSE } },
  { "no such host", { "resolve", FALSE } },
  { "dial tcp: lookup ", { "resolve", TRUE } },
  { "connection refused", { "refused", FALSE } },
  { "unauthorized", { "unauthorized", FALSE } },
  { "authentication required", { "unauthorized", FALSE } },
  { "invalid username/password", { "unauthorized", FALSE } },
  { "denied", { "unauthorized", FALSE } },
  { "401 ", { "unauthorized", FALSE } },
  { "403 ", { "unauthorized", FALSE } },
  { "manifest unknown", { "not-found", FALSE } },
  { "name unknown", { "not-found", FALSE } },
  { "404 ", { "not-found", FALSE } },
  { "no image found in", { "platform", FALSE } },
  { "oo many requests", { "busy", TRUE } },
  { "oo Many Requests", { "busy", TRUE } },
  { "toomanyrequests", { "busy", TRUE } },
  { "429 ", { "busy", TRUE } },
  { "500 ", { "server-error", TRUE } },
  { "502 ", { "server-error", TRUE } },
  { "503 ", { "server-error", TRUE } },
  { "504 ", { "server-error", TRUE } },
  { "status code 5", { "server-error", TRUE } },
  { "igest did not match", { "digest", FALSE } },
  { "does not match provided manifest digest", { "digest", FALSE } },
  { "digest mismatch", { "digest", FALSE } },
  { "size mismatch", { "digest", FALSE } },
  { "Blob size mismatch", { "digest", FALSE } },
  { "network is unreachable", { "unreachable", FALSE } },
  { "no route to host", { "unreachable", FALSE } },
  { "nexpected EOF", { "broken", TRUE } },
  { "connection reset", { "broken", TRUE } },
  { "broken pipe", { "broken", TRUE } },
  { "handshake timeout", { "broken", TRUE } },
  { "i/o timeout", { "broken", TRUE } },
  { "stream error", { "broken", TRUE } },
  { ": EOF", { "broken", TRUE } },
};

static const DnPullFault other = { "other", FALSE };

const DnPullFault *
dn_pull_fault_find (const char *words)
{
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    if (strstr (words, faults[i].words) != NULL)
      return &faults[i].fault;
  return &other;
}

char *
dn_pull_fault_message (const char *words)
{
  static const char frame[] = "level=fatal msg=\"";
  const char *start = g_strrstr (words, frame);
  GString *message = g_string_new (NULL);

  if (start == NULL)
    g_string_append (message, words);
  else
    for (start += strlen (frame); *start != '\0' && *start != '"'; start++)
      {
        if (*start == '\\' && start[1] != '\0')
          start++;
        g_string_append_c (message, *start);
      }
  return g_strstrip (g_string_free (message, FALSE));
}
