/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "autofd.h"
#include "container.h"
#include "keys.h"
#include "secret-memory.h"

DnSecretIntake *
dn_secret_intake_find (DnAgent *agent, uint32_t stream)
{
  for (DnSecretIntake *intake = agent->intakes; intake != NULL; intake = intake->next)
    if (intake->stream == stream)
      return intake;
  return NULL;
}

static void
intake_free (DnAgent *agent, DnSecretIntake *intake)
{
  for (DnSecretIntake **at = &agent->intakes; *at != NULL; at = &(*at)->next)
    if (*at == intake)
      {
        *at = intake->next;
        break;
      }
  if (intake->fd >= 0)
    (void) unlinkat (intake->vault->pending, intake->pending, 0);
  dn_fd_clear (&intake->fd);
  dn_secret_memory_free (intake->key, DN_KEY_BYTES);
  free (intake);
}

/* Answers, and takes no more: what still comes on the stream is nobody's. */
static void
intake_end (DnAgent *agent, DnSecretIntake *intake, const DnFault *fault)
{
  if (fault != NULL)
    dn_agent_reply_fault (agent, &intake->request, fault);
  else
    dn_agent_reply (agent, &intake->request, 0, "");
  intake_free (agent, intake);
}

void
dn_secret_intakes_forget (DnAgent *agent, const DnVault *vault)
{
  DnSecretIntake *next;

  for (DnSecretIntake *intake = agent->intakes; intake != NULL; intake = next)
    {
      next = intake->next;
      if (vault != NULL && intake->vault != vault)
        continue;
      /* Who sends it may be waiting for its own source. */
      if (vault != NULL && dn_request_is_current (agent, &intake->request))
        (void) dn_channel_put (agent->channel, DN_MSG_RESET, intake->stream, NULL, 0);
      dn_agent_reply (agent, &intake->request, -ECANCELED, "the container has ended");
      intake_free (agent, intake);
    }
}

static uint64_t
memory_share (void)
{
  struct sysinfo info;
  uint64_t share;

  if (sysinfo (&info) < 0)
    return DN_VAULTS_TOTAL_BYTES;
  share = (uint64_t) info.totalram * info.mem_unit / DN_VAULTS_MEMORY_SHARE;
  return share < DN_VAULTS_TOTAL_BYTES ? share : DN_VAULTS_TOTAL_BYTES;
}

/* Whether so many bytes may be there, once this content has taken the place of the old one. */
static int
check_bounds (const DnAgent *agent, const DnSecretIntake *intake, DnFault *fault)
{
  uint64_t bytes = intake->reader.bytes;

  if (intake->vault == NULL)
    return bytes <= DN_KEY_BYTES ? 0
                                 : dn_fault_set (fault, -EFBIG, "key '%s': more than %d bytes",
                                                 intake->name, DN_KEY_BYTES);
  if (bytes > DN_SECRET_BYTES)
    return dn_fault_set (fault, -EFBIG, "secret '%s': more than %d bytes", intake->name,
                         DN_SECRET_BYTES);
  if (dn_vault_bytes (intake->vault, intake->file) + bytes > DN_SECRETS_TOTAL_BYTES)
    return dn_fault_set (fault, -EFBIG,
                         "secret '%s': a container's secrets have more than %d bytes together",
                         intake->name, DN_SECRETS_TOTAL_BYTES);
  if (dn_vaults_bytes (agent, intake->file) + bytes > memory_share ())
    return dn_fault_set (fault, -ENOSPC,
                         "secret '%s': the secrets of all containers of this guest have more than "
                         "it has room for",
                         intake->name);
  return 0;
}

static int
store (const DnAgent *agent, DnSecretIntake *intake, const uint8_t *piece, size_t size,
       DnFault *fault)
{
  int r = check_bounds (agent, intake, fault);

  if (r < 0)
    return r;
  if (intake->vault == NULL)
    {
      memcpy (intake->key + intake->reader.bytes - size, piece, size);
      return 0;
    }
  while (size > 0)
    {
      ssize_t n = write (intake->fd, piece, size);

      if (n < 0 && errno != EINTR)
        return dn_fault_set_errno (fault, "secret '%s': write it to memory", intake->name);
      piece += n > 0 ? n : 0;
      size -= n > 0 ? (size_t) n : 0;
    }
  return 0;
}

/* Owner and mode first: in its place it is never anything but what it is to be. */
static int
commit_file (DnSecretIntake *intake, DnFault *fault)
{
  DnVault *vault = intake->vault;
  struct timespec now;

  if (fchown (intake->fd, intake->uid, intake->gid) < 0 || fchmod (intake->fd, intake->mode) < 0
      || renameat (vault->pending, intake->pending, vault->files, intake->name) < 0)
    return dn_fault_set_errno (fault, "secret '%s': put it in its place", intake->name);
  dn_fd_clear (&intake->fd);
  (void) clock_gettime (CLOCK_REALTIME, &now);
  intake->file->is_there = true;
  intake->file->bytes = (uint32_t) intake->reader.bytes;
  intake->file->updated_ns = (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
  return 0;
}

static int
commit_key (DnAgent *agent, DnSecretIntake *intake, DnFault *fault)
{
  uint8_t *key = intake->key;
  int r;

  if (intake->reader.bytes == 0)
    return dn_fault_set (fault, -EINVAL, "key '%s': is empty", intake->name);
  intake->key = NULL;
  r = dn_keys_add (agent, intake->name, key, (size_t) intake->reader.bytes);
  return r < 0 ? dn_fault_set (fault, r, "key '%s': %s", intake->name, strerror (-r)) : 0;
}

static void
finish (DnAgent *agent, DnSecretIntake *intake)
{
  DnFault fault;
  int r;

  if (!intake->reader.has_ended)
    r = dn_fault_set (&fault, -EPIPE, "secret '%s': whoever sent it stopped before its end",
                      intake->name);
  else if (intake->vault != NULL)
    r = commit_file (intake, &fault);
  else
    r = commit_key (agent, intake, &fault);
  intake_end (agent, intake, r < 0 ? &fault : NULL);
}

/* What was taken is taken at once, so credit is given frame by frame. */
static void
give_credit (DnAgent *agent, DnSecretIntake *intake, uint32_t bytes)
{
  DnMsgCredit credit = { .bytes = bytes };
  uint8_t payload[4];

  if (bytes == 0 || agent->channel == NULL)
    return;
  (void) dn_msg_credit_pack (&credit, payload, sizeof payload);
  if (dn_channel_put (agent->channel, DN_MSG_CREDIT, intake->stream, payload, sizeof payload) == 0)
    intake->allowance += bytes;
}

static int
take_data (DnAgent *agent, DnSecretIntake *intake, const uint8_t *bytes, size_t size)
{
  DnFault fault = { .status = -EPROTO };
  const uint8_t *piece;
  int64_t n;
  size_t length = size;
  int r = 0;

  if (size > intake->allowance)
    return -EPROTO;
  intake->allowance -= size;
  while (r == 0 && (n = dn_secret_reader_next (&intake->reader, &bytes, &length, &piece)) != 0)
    r = n < 0
            ? dn_fault_set (&fault, -EINVAL, "secret '%s': something follows its end", intake->name)
            : store (agent, intake, piece, (size_t) n, &fault);
  if (r == 0)
    {
      give_credit (agent, intake, (uint32_t) size);
      return 0;
    }
  /* The sender need not go on. */
  if (agent->channel != NULL)
    (void) dn_channel_put (agent->channel, DN_MSG_RESET, intake->stream, NULL, 0);
  intake_end (agent, intake, &fault);
  return 0;
}

int
dn_secret_intake_receive (DnAgent *agent, DnSecretIntake *intake, const DnFrameHeader *header,
                          uint8_t *payload)
{
  int r = 0;

  switch (header->type)
    {
    case DN_MSG_DATA:
      r = take_data (agent, intake, payload, header->length);
      explicit_bzero (payload, header->length);
      return r;
    case DN_MSG_EOF:
    case DN_MSG_RESET:
      finish (agent, intake);
      return 0;
    default:
      return -EPROTO;
    }
}

static DnSecretIntake *
begin (DnAgent *agent, DnRequest request, uint32_t stream, const char *name, DnFault *fault)
{
  DnSecretIntake *intake = NULL;
  unsigned count = 0;

  for (const DnSecretIntake *other = agent->intakes; other != NULL; other = other->next)
    count++;
  if (stream == 0 || dn_secret_intake_find (agent, stream) != NULL
      || dn_streams_find (&agent->streams, stream) != NULL)
    (void) dn_fault_set (fault, -EEXIST, "stream %u: cannot be used", stream);
  else if (count >= DN_SECRET_INTAKES_MAX)
    (void) dn_fault_set (fault, -EBUSY, "too many secrets at a time");
  else if ((intake = calloc (1, sizeof *intake)) == NULL)
    (void) dn_fault_set (fault, -ENOMEM, "no memory");
  if (intake == NULL)
    return NULL;
  intake->request = request;
  intake->stream = stream;
  intake->allowance = DN_STREAM_WINDOW_BYTES;
  intake->fd = -1;
  strcpy (intake->name, name);
  intake->next = agent->intakes;
  agent->intakes = intake;
  return intake;
}

static int
open_pending (DnSecretIntake *intake, DnFault *fault)
{
  static uint32_t serial;

  (void) snprintf (intake->pending, sizeof intake->pending, "%u", serial++);
  intake->fd = openat (intake->vault->pending, intake->pending,
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  return intake->fd < 0 ? dn_fault_set_errno (fault, "secret '%s': make its file", intake->name)
                        : 0;
}

/* The container's numbers as the guest's. */
static int
set_owner (DnSecretIntake *intake, const DnContainer *container, const DnMsgSecret *message,
           DnFault *fault)
{
  const DnConfig *config = &container->config;
  const DnSyncIds *ids = &container->processes->ids;
  uint32_t uid = message->uid == DN_SECRET_OF_USER ? ids->uid : message->uid;
  uint32_t gid = message->gid == DN_SECRET_OF_USER ? ids->gid : message->gid;

  if (uid >= config->id_count || gid >= config->id_count)
    return dn_fault_set (fault, -EINVAL, "secret '%s': its owner is none of the container's ids",
                         intake->name);
  intake->uid = config->first_uid + uid;
  intake->gid = config->first_gid + gid;
  intake->mode = message->mode & 0777;
  return 0;
}

static int
check (DnAgent *agent, const DnContainer *container, const DnMsgSecret *message, DnFault *fault)
{
  DnProcessStage stage = container->processes->stage;
  DnVault *vault = dn_vault_find (agent, container->id);

  if (container->is_deleting
      || (stage != DN_PROCESS_STAGE_READY && stage != DN_PROCESS_STAGE_RUNNING))
    return dn_fault_set (fault, -EBUSY, "secret '%s': the container neither waits nor runs",
                         message->name);
  if (vault == NULL || dn_vault_find_file (vault, message->name) == NULL)
    return dn_fault_set (fault, -EINVAL, "secret '%s': the container has none of that name",
                         message->name);
  return 0;
}

void
dn_secret_take (DnAgent *agent, DnRequest request, DnContainer *container,
                const DnMsgSecret *message)
{
  DnSecretIntake *intake = NULL;
  DnFault fault;

  if (check (agent, container, message, &fault) == 0)
    intake = begin (agent, request, message->stream, message->name, &fault);
  if (intake == NULL)
    {
      dn_agent_reply_fault (agent, &request, &fault);
      return;
    }
  intake->vault = dn_vault_find (agent, container->id);
  intake->file = dn_vault_find_file (intake->vault, message->name);
  if (set_owner (intake, container, message, &fault) < 0 || open_pending (intake, &fault) < 0)
    intake_end (agent, intake, &fault);
}

void
dn_secret_take_key (DnAgent *agent, DnRequest request, const DnMsgKey *message)
{
  DnFault fault;
  DnSecretIntake *intake = begin (agent, request, message->stream, message->name, &fault);

  if (intake == NULL)
    {
      dn_agent_reply_fault (agent, &request, &fault);
      return;
    }
  intake->key = dn_secret_memory_new (DN_KEY_BYTES);
  if (intake->key != NULL)
    return;
  (void) dn_fault_set_errno (&fault, "key '%s': memory for it", message->name);
  intake_end (agent, intake, &fault);
}

void
dn_secret_keep (DnAgent *agent, DnRequest request, const DnMsgSecretKeep *message)
{
  DnVault *vault = dn_vault_find (agent, message->container);

  if (vault != NULL)
    vault->is_kept = message->keep != 0;
  if (vault != NULL && vault->has_ended && !vault->is_kept)
    dn_vault_close (agent, vault);
  dn_agent_reply (agent, &request, 0, "");
}

void
dn_secret_list (DnAgent *agent, DnRequest request, const char *container)
{
  const DnVault *vault = dn_vault_find (agent, container);

  for (size_t i = 0; vault != NULL && i < vault->file_count; i++)
    {
      const DnVaultFile *file = &vault->file[i];
      DnMsgSecretEntry entry = { .request = request.number, .updated_ns = file->updated_ns };

      strcpy (entry.name, file->name);
      if (file->is_there)
        DN_AGENT_SEND (agent, SECRET_ENTRY, secret_entry, &entry);
    }
  dn_agent_reply (agent, &request, 0, "");
}
