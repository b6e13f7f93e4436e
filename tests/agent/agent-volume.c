/* SPDX-License-Identifier: Apache-2.0 */
#include "agent-volume.h"

gint32
host_open_volume (Host *host, const char *volume, const char *disk, const char *name, guint32 flags)
{
  DnMsgVolumeOpen message = { .request = host_next_request (host), .flags = flags };
  guint8 payload[256];

  g_strlcpy (message.volume, volume, sizeof message.volume);
  g_strlcpy (message.disk, disk, sizeof message.disk);
  g_strlcpy (message.name, name, sizeof message.name);
  host_send (host, DN_MSG_VOLUME_OPEN, 0, payload,
             (gsize) dn_msg_volume_open_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

gint32
host_close_volume (Host *host, const char *volume)
{
  DnMsgVolumeClose message = { .request = host_next_request (host) };
  guint8 payload[64];

  g_strlcpy (message.volume, volume, sizeof message.volume);
  host_send (host, DN_MSG_VOLUME_CLOSE, 0, payload,
             (gsize) dn_msg_volume_close_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}
