/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side in small, for tests of the real agent as a process of this machine. */
#pragma once

#include <glib.h>

#include "../../protocol/frame-reader.h"
#include "../../protocol/link.h"
#include "../../protocol/protocol.h"

#define HOST_WAIT_MS 15000
#define HOST_FIRST_UID 300000

typedef struct
{
  guint32 number;
  GByteArray *bytes;
  gboolean has_eof;
  gboolean was_reset;
  guint32 credit;   /* what may still be sent */
  gboolean is_held; /* give no credit back */
  guint32 uncredited;
} HostStream;

typedef struct
{
  char *dir; /* owned: a directory of this host's own */
  char *cgroup;
  GPid agent_pid;
  guint8 secret[DN_LINK_SECRET_BYTES];
  char *socket_path;
  int fd;
  int audit_fd;  /* the agent takes what is sent here for the kernel's records */
  int events_fd; /* likewise for its events of devices */
  guint32 generation;
  guint32 last_request;
  DnFrameReader reader;
  GHashTable *streams;  /* number to HostStream */
  GArray *exited;       /* DnMsgExited */
  GArray *entries;      /* DnMsgListEntry */
  GArray *top;          /* DnMsgTopEntry */
  GArray *listeners;    /* DnMsgListenerEntry */
  GArray *refused;      /* DnMsgRefused */
  GArray *damage;       /* DnMsgDiskDamage */
  GArray *health;       /* DnMsgHealth */
  GHashTable *facts;    /* name to value, of FACT: the last one of each name */
  GPtrArray *all_facts; /* "name=value", each of them */
  DnMsgStatsEntry stats;
  DnMsgCardStats card_stats;
  DnMsgShareUserEntry share_user;
  DnMsgStarted started;
  DnMsgReady ready;
  DnMsgReply reply; /* the last one */
} Host;

Host *host_new (void);       /* a running agent, linked */
void host_free (Host *host); /* ends it; asserts that nothing is left */

/* A connection with a hello; -1 where the agent closes it. */
gboolean host_link (Host *host, const guint8 *secret);
void host_unlink (Host *host);

void host_send (Host *host, guint16 type, guint32 stream, const void *payload, gsize size);

/* Reads and handles one frame.  FALSE at the end or after @timeout_ms. */
gboolean host_pump (Host *host, gint timeout_ms);

/* Waits for the REPLY; returns its status. */
gint32 host_await_reply (Host *host, guint32 request);
guint32 host_next_request (Host *host);
void host_part (Host *host, guint32 request, guint8 kind, const void *bytes, gsize size);

HostStream *host_stream (Host *host, guint32 number);
gboolean host_await_eof (Host *host, guint32 stream);
const DnMsgExited *host_await_exited (Host *host, const char *container, guint32 process);

typedef struct
{
  const char *id;
  const char *const *args;
  guint32 flags;
  const char *root;          /* JSON of the root object, or NULL: read-only */
  const char *process;       /* more members of process, ",..." */
  const char *linux_members; /* more members of linux, ",..." */
  const char *mounts;        /* more mounts, ",..." */
  guint32 first_uid;         /* of the guest's: its id 0; 0: HOST_FIRST_UID */
  const char *annotations;   /* members of annotations, or NULL: there are none */
  gboolean is_of_share;      /* its root is no disk */
  guint32 killing_call;      /* its filter kills for it; 0: for none */
  /* Or none: the disk "disk".  Else those of the disk "layers", the host's file layers.img. */
  const DnMsgDiskLayer *layers;
  guint layer_count;
} HostContainer;

gint32 host_create (Host *host, const HostContainer *container);
gint32 host_start (Host *host, const char *id);
gint32 host_exec (Host *host, const char *id, guint32 process, guint32 flags,
                  const char *const *args, const char *more);
/* Between host_create() and host_start(). */
gint32 host_health (Host *host, const char *id, const DnMsgHealthCheck *check,
                    const char *const *args);
gint32 host_simple (Host *host, guint16 type, const char *id); /* START, PAUSE, DELETE, ... */
gint32 host_signal (Host *host, const char *id, guint32 process, guint32 signal, guint32 flags);

/* Create, start, wait for end and output.  Returns the exit code; @ret_output to be freed. */
guint32 host_run (Host *host, const HostContainer *container, char **ret_output);

/* A record as the kernel writes it, of a process with user id @uid of the guest's. */
void host_send_record (Host *host, guint32 uid, const char *program, guint32 call);

/* The first stream of container @id's process. */
guint32 host_streams (const char *id, guint32 process);
