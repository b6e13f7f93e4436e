/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "actions.h"
#include "shim/runtime.pb-c.h"

int
dn_action_info (void)
{
  Pb__RuntimeVersion version = PB__RUNTIME_VERSION__INIT;
  Pb__RuntimeInfo info = PB__RUNTIME_INFO__INIT;
  g_autofree guint8 *bytes = NULL;
  gsize size;

  version.version = (char *) DN_VERSION;
  info.name = (char *) "io.containerd.danchi.v2";
  info.version = &version;
  size = pb__runtime_info__get_packed_size (&info);
  bytes = g_malloc (size);
  (void) pb__runtime_info__pack (&info, bytes);
  return fwrite (bytes, 1, size, stdout) == size && fflush (stdout) == 0 ? 0 : 1;
}
