/* SPDX-License-Identifier: Apache-2.0 */
/* Copies, volumes, the share's directories, and images that are unpacked. */
#include "container.h"
#include "copy.h"
#include "request-handlers.h"
#include "share.h"
#include "unpack.h"
#include "volume.h"

int
dn_handle_copy_out (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (CopyOut, copy_out);
  dn_copy_start (agent, request, container, message.stream, message.path, true);
  return 0;
}

int
dn_handle_copy_in (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (CopyIn, copy_in);
  dn_copy_start (agent, request, container, message.stream, message.path, false);
  return 0;
}

int
dn_handle_volume_open (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (VolumeOpen, volume_open);
  dn_volume_open (agent, request, &message);
  return 0;
}

int
dn_handle_volume_close (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (VolumeClose, volume_close);
  dn_volume_close (agent, request, &message);
  return 0;
}

int
dn_handle_share_user (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (ShareUser, share_user);
  dn_share_tell_user (container, request);
  return 0;
}

int
dn_handle_share_mount (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (ShareMount, share_mount);
  dn_share_mount (container, request, &message);
  return 0;
}

int
dn_handle_share_mounted (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (ShareMounted, share_mounted);
  dn_share_end_mounts (container, request);
  return 0;
}

int
dn_handle_share_lost (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (ShareLost, share_lost);
  dn_share_lose (agent, request);
  return 0;
}

int
dn_handle_unpack_read (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (UnpackRead, unpack_read);
  dn_unpack_read (agent, request, &message);
  return 0;
}

int
dn_handle_unpack_layer (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  static const DnDiskLayers none;
  DN_UNPACK (UnpackLayer, unpack_layer);
  const DnParts *parts = dn_parts_find (&agent->parts, message.request);

  dn_unpack_layer (agent, request, &message, parts != NULL ? &parts->layers : &none);
  return 0;
}
