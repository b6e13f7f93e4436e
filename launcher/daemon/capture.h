/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence on its way to a client: one file after the other, each as a descriptor.
 *
 * danchid writes nothing outside its own directories: it opens what is to be saved, and the client,
 * which is root, copies it to where it wants it (docs/api.md, `forensics`).  After each file the
 * client says so with one byte on a socket it brought; so danchid is never ahead of it, and a
 * client that is out of disk space ends the capture instead of stalling it.
 *
 * What cannot be had is written down with the reason, and never keeps the rest from being saved.
 */
#pragma once

#include "container.h"
#include "request.h"

typedef struct
{
  DnRequest *request;
  int ack_fd;         /* borrowed */
  JsonArray *missing; /* owned: {"name", "reason"} */
  guint64 files;
} DnCapture;

void dn_capture_init (DnCapture *capture, DnRequest *request, int ack_fd);
void dn_capture_clear (DnCapture *capture);

void dn_capture_miss (DnCapture *capture, const char *name, const char *reason);

/* Sends an event and waits for the client's byte. @fd: -1: none; stays the caller's.  FALSE: the
 * client has gone or could not save it: then there is nobody to save for. */
gboolean dn_capture_tell (DnCapture *capture, const char *kind, JsonObject *object, int fd,
                          GError **error);

/* All of these: FALSE when the client is gone; what is not there is a dn_capture_miss(). */
/* @fd: from its beginning on; stays the caller's */
gboolean dn_capture_descriptor (DnCapture *capture, const char *name, int fd, GError **error);
gboolean dn_capture_file (DnCapture *capture, const char *name, const char *path, GError **error);
gboolean dn_capture_text (DnCapture *capture, const char *name, const char *text, gsize size,
                          GError **error);
/* @object: (transfer full) */
gboolean dn_capture_object (DnCapture *capture, const char *name, JsonObject *object,
                            GError **error);
/* The plain files in @path, as PREFIX/NAME.  A directory that is not there holds none. */
gboolean dn_capture_directory (DnCapture *capture, const char *prefix, const char *path,
                               GError **error);
/* The lines of @path in which the JSON string @word stands, as they are. */
gboolean dn_capture_lines (DnCapture *capture, const char *name, const char *path, const char *word,
                           GError **error);
