/* SPDX-License-Identifier: Apache-2.0 */
/* A secret on its way in: from the frames of its stream to a file of a vault, or to a key.
 *
 * The bytes go from the channel's buffer, which is locked memory, straight into the file, and are
 * zeroed in the buffer (dn_secret_intake_receive() does it): no ring, no pipe, no helper.  Writing
 * to a tmpfs does not wait for anybody, so this does not block the agent's loop.
 *
 * What ends early, or is too much, leaves the file as it was.  With its link an intake ends.
 */
#pragma once

#include "../../protocol/secret-stream.h"
#include "agent.h"
#include "vault.h"

#define DN_SECRET_INTAKES_MAX 16

typedef struct DnSecretIntake
{
  struct DnSecretIntake *next;
  DnRequest request;
  uint32_t stream;
  size_t allowance; /* what the host may still send */
  DnSecretReader reader;
  DnVault *vault; /* NULL: a key */
  DnVaultFile *file;
  char name[DN_SECRET_NAME_BYTES + 1];
  char pending[16]; /* the file's name in new/ */
  int fd;
  uint32_t mode;
  uint32_t uid; /* the guest's */
  uint32_t gid;
  uint8_t *key; /* of secret-memory.h */
} DnSecretIntake;

/* SECRET and KEY: each ends @request by a REPLY, at once or when the stream has ended. */
void dn_secret_take (DnAgent *agent, DnRequest request, DnContainer *container,
                     const DnMsgSecret *message);
void dn_secret_take_key (DnAgent *agent, DnRequest request, const DnMsgKey *message);

/* SECRET_KEEP, SECRET_LIST */
void dn_secret_keep (DnAgent *agent, DnRequest request, const DnMsgSecretKeep *message);
void dn_secret_list (DnAgent *agent, DnRequest request, const char *container);

/* Whether @stream is one of a secret's. */
DnSecretIntake *dn_secret_intake_find (DnAgent *agent, uint32_t stream);

/* A frame on its stream.  Zeroes @payload.  0, or -EPROTO: the link must be dropped. */
int dn_secret_intake_receive (DnAgent *agent, DnSecretIntake *intake, const DnFrameHeader *header,
                              uint8_t *payload);

/* Gives up those into @vault; NULL: all, since their link is gone. */
void dn_secret_intakes_forget (DnAgent *agent, const DnVault *vault);
