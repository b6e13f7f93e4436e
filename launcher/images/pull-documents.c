/* SPDX-License-Identifier: Apache-2.0 */
#include "pull-documents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "thin.h"

#define DOCUMENT_MAX_BYTES (4 * 1024 * 1024)
#define CONFIG_MAX_BYTES (8 * 1024 * 1024)

static void
clear_document (DnPullDocument *document)
{
  g_free (document->media_type);
  g_free (document->sha256);
  g_free (document->bytes);
}

void
dn_pull_documents_clear (DnPullDocuments *documents)
{
  for (guint i = 0; i < DN_PULL_DOCUMENTS; i++)
    clear_document (&documents->list[i]);
}

/* A file of a size that fits into memory, hashed.  Follows no link: it lies in a jail. */
static gboolean
read_file (const char *path, gsize limit, DnPullDocument *ret_document, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autofree char *bytes = NULL;
  struct stat status;
  gsize used = 0;
  ssize_t n = 1;

  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "file '%s'", path);
  if (!S_ISREG (status.st_mode) || status.st_size <= 0 || (gsize) status.st_size > limit)
    return dn_throw (error, DN_ERROR_PROTOCOL, "file '%s': of a kind or size that it may not have",
                     path);
  bytes = g_malloc ((gsize) status.st_size);
  while (used < (gsize) status.st_size
         && (n = read (fd, bytes + used, (gsize) status.st_size - used)) > 0)
    used += (gsize) n;
  if (used < (gsize) status.st_size)
    return dn_throw (error, DN_ERROR_FAILED, "file '%s': ends too early", path);
  ret_document->sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guint8 *) bytes, used);
  ret_document->bytes = g_steal_pointer (&bytes);
  ret_document->size = used;
  return TRUE;
}

gboolean
dn_pull_document_read (DnPullDocument *document, const char *path, GError **error)
{
  return read_file (path, DOCUMENT_MAX_BYTES, document, error);
}

const char *
dn_pull_documents_manifest (const DnPullDocuments *documents)
{
  return documents->list[documents->list[1].sha256 != NULL ? 1 : 0].sha256;
}

gboolean
dn_pull_documents_write (const DnPullDocuments *documents, const char *config_path,
                         const char *path, guint64 *ret_bytes, GError **error)
{
  DnPullDocument config = { NULL };
  DnThin thin = { .media_type = documents->list[0].media_type };
  gboolean is_fine;

  if (!read_file (config_path, CONFIG_MAX_BYTES, &config, error))
    return FALSE;
  for (guint i = 0; i < DN_PULL_DOCUMENTS && documents->list[i].bytes != NULL; i++)
    thin.files[thin.count++] = (DnThinFile){ documents->list[i].sha256, documents->list[i].bytes,
                                             documents->list[i].size };
  thin.files[thin.count++] = (DnThinFile){ config.sha256, config.bytes, config.size };
  is_fine = dn_thin_write (&thin, path, ret_bytes, error);
  clear_document (&config);
  return is_fine;
}
