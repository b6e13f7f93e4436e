/* SPDX-License-Identifier: Apache-2.0 */
/* A relay's router between a fake danchid and a fake guest, all in one thread of one process: what
 * the relay does with hostile or slow peers can then be tested byte by byte.  No root.
 */
#pragma once

#include <glib.h>

#include "../../launcher/relay/router.h"

#define CONTAINER "0123456789abcdef0123456789abcdef"

typedef struct
{
  DnRouter *router; /* owned */
  int control;      /* danchid's end of the control socket */
  int guest;        /* the guest's end of the channel; -1: none */
  int log_fds[2];
  int ring_fd;
  char control_name[64]; /* abstract socket names, without the leading NUL */
  char console_name[64];
  guint8 secret[DN_LINK_SECRET_BYTES];
  DnFrameReader *from_relay; /* what danchid and guest read */
  DnFrameReader *to_guest;
} Fixture;

Fixture *fixture_new (void);
void fixture_free (Fixture *fixture);

/* Turns the router's loop until nothing happens for a moment. */
void fixture_settle (Fixture *fixture);

/* danchid's side. */
int fixture_connect (const char *name);
void fixture_order (Fixture *fixture, guint16 type, const guint8 *payload, int size, const int *fds,
                    gsize fd_count);
/* Waits for the next frame to danchid, which must be a @type.  Returns its payload, borrowed. */
const guint8 *fixture_expect_told (Fixture *fixture, guint16 type, guint32 *ret_size);
/* Nothing is told for a moment. */
void fixture_expect_silence (Fixture *fixture);

/* The guest's side. */
void fixture_link (Fixture *fixture); /* CHANNEL, hello, welcome, READY, LINK_UP */
void fixture_guest_send (Fixture *fixture, guint16 type, guint32 stream, const void *payload,
                         gsize size);
const guint8 *fixture_expect_to_guest (Fixture *fixture, guint16 type, guint32 stream,
                                       guint32 *ret_size);
/* Whatever frame comes next. */
const guint8 *fixture_next_to_guest (Fixture *fixture, DnFrameHeader *ret_header);

/* LINK_DOWN with suspect, and the channel closed. */
void fixture_expect_suspect (Fixture *fixture);

void fixture_add_process (Fixture *fixture, guint32 process, guint32 streams, guint64 log_rate);
/* Opens a session; @ret_fds: the client's four. */
void fixture_add_session (Fixture *fixture, guint32 process, guint32 flags, int ret_fds[4]);
void fixture_exit (Fixture *fixture, guint32 process, guint32 streams, guint32 code);

/* Turns until @fd has @size bytes and reads them; fails after two seconds. */
void fixture_read (Fixture *fixture, int fd, void *ret_bytes, gsize size);
gboolean fixture_is_at_end (Fixture *fixture, int fd);
char *fixture_read_log (Fixture *fixture);

/* Those that are not -1. */
void fixture_close_all (const int fds[4]);

/* Expects CREDIT to the guest; its bytes. */
guint32 fixture_read_credit (Fixture *fixture, guint32 stream);

/* The last message on a session's control socket. */
guint16 fixture_read_last_word (Fixture *fixture, int control, guint32 *ret_code);
