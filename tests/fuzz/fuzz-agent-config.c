/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/config*.c guest-agent/agent/json.c guest-agent/agent/fault.c */
/* Packages: jansson */
/* The reader of config.json and of exec's process object. */
#include "../../guest-agent/agent/config.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnConfig config;
  DnFault fault;

  if (size > 65536)
    return 0;
  /* Whatever is accepted keeps the container's root off the guest's. */
  if (dn_config_read ((const char *) data, size, &config, &fault) == 0 && config.first_uid == 0)
    __builtin_trap ();
  dn_config_clear (&config);
  (void) dn_config_read_process ((const char *) data, size, &config, &fault);
  dn_config_clear (&config);
  return 0;
}
