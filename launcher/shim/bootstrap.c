/* SPDX-License-Identifier: Apache-2.0 */
#include "bootstrap.h"

#include <string.h>

#include "shim/runtime.pb-c.h"

DnBootstrap
dn_bootstrap_read (const guint8 *bytes, gsize size, const char *id)
{
  DnBootstrap bootstrap = { 0 };
  Pb__BootstrapParams *params = pb__bootstrap_params__unpack (NULL, size, bytes);

  if (params == NULL)
    return bootstrap;
  bootstrap.is_params = g_str_equal (params->instance_id, id);
  if (bootstrap.is_params && g_path_is_absolute (params->socket_dir))
    bootstrap.socket_dir = g_strdup (params->socket_dir);
  pb__bootstrap_params__free_unpacked (params, NULL);
  return bootstrap;
}

GBytes *
dn_bootstrap_answer (const DnBootstrap *bootstrap, const char *address)
{
  Pb__BootstrapResult result = PB__BOOTSTRAP_RESULT__INIT;
  guint8 *bytes;
  gsize size;

  if (!bootstrap->is_params)
    return g_bytes_new (address, strlen (address));
  result.version = 2;
  result.address = (char *) address;
  result.protocol = (char *) "ttrpc";
  size = pb__bootstrap_result__get_packed_size (&result);
  bytes = g_malloc (size);
  (void) pb__bootstrap_result__pack (&result, bytes);
  return g_bytes_new_take (bytes, size);
}
