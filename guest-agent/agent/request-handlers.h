/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each message of the host's, in requests-NOUN.c; requests.c has their table.
 *
 * A handler unpacks its message and hands it to its noun, which ends the request by a REPLY, at
 * once or later.  It returns 0, or -EPROTO: the link must be dropped.
 */
#pragma once

#include <errno.h>

#include "agent.h"

typedef int DnHandler (DnAgent *agent, const uint8_t *payload, uint32_t size);

/* Unpacks into `message` and names the request; every handler begins with it. */
#define DN_UNPACK(Noun, noun)                                                                      \
  DnMsg##Noun message;                                                                             \
  DnRequest request;                                                                               \
  if (dn_msg_##noun##_unpack (payload, size, &message) < 0)                                        \
    return -EPROTO;                                                                                \
  request = dn_agent_request (agent, message.request)

/* Likewise for a message about a container, which is found as well. */
#define DN_UNPACK_FOR_CONTAINER(Noun, noun)                                                        \
  DN_UNPACK (Noun, noun);                                                                          \
  DnContainer *container = dn_container_find (agent, message.container);                           \
  if (container == NULL)                                                                           \
  return dn_handle_unknown (agent, &request, message.container)

/* There is no such container; 0. */
int dn_handle_unknown (DnAgent *agent, DnRequest *request, const char *container);

/* requests-guest.c: the guest as a whole */
DnHandler dn_handle_ping;
DnHandler dn_handle_configure;
DnHandler dn_handle_shutdown;
DnHandler dn_handle_list;

/* requests-container.c: a container's life, its processes, and what is asked about it */
DnHandler dn_handle_create;
DnHandler dn_handle_start;
DnHandler dn_handle_exec;
DnHandler dn_handle_signal;
DnHandler dn_handle_pause;
DnHandler dn_handle_resume;
DnHandler dn_handle_delete;
DnHandler dn_handle_update;
DnHandler dn_handle_limits;
DnHandler dn_handle_health_check;
DnHandler dn_handle_stats;
DnHandler dn_handle_top;
DnHandler dn_handle_verify;

/* requests-files.c: copies, volumes, the share's directories, and images that are unpacked */
DnHandler dn_handle_copy_out;
DnHandler dn_handle_copy_in;
DnHandler dn_handle_volume_open;
DnHandler dn_handle_volume_close;
DnHandler dn_handle_share_user;
DnHandler dn_handle_share_mount;
DnHandler dn_handle_share_mounted;
DnHandler dn_handle_share_lost;
DnHandler dn_handle_unpack_read;
DnHandler dn_handle_unpack_layer;

/* requests-network.c: cards of the guest and of its containers, and who listens behind them */
DnHandler dn_handle_network;
DnHandler dn_handle_pod_network;
DnHandler dn_handle_card;
DnHandler dn_handle_card_file;
DnHandler dn_handle_listeners;

/* requests-secret.c: secrets, and keys of encrypted volumes */
DnHandler dn_handle_secret;
DnHandler dn_handle_secret_keep;
DnHandler dn_handle_secret_list;
DnHandler dn_handle_key;
