/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/seccomp*.c launcher/spec/capability.c launcher/common/[ejp]*.c */
/* Packages: glib-2.0 json-glib-1.0 libseccomp */

/* A user's profile, as far as the finished chain: whatever it says, the result is refused or does
 * not permit what no container may do. */
#include <stdint.h>

#include "../../launcher/spec/seccomp-build.h"
#include "../../launcher/spec/seccomp-check.h"
#include "../../launcher/spec/seccomp-compile.h"
#include "../../launcher/spec/seccomp-filter.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (DnSeccompProfile) profile = NULL;
  g_autoptr (GBytes) head = NULL, users = NULL, chain = NULL;
  struct seccomp_data call = { .arch = seccomp_arch_native () };

  if (size > 8192)
    return 0;
  profile = dn_seccomp_profile_read ((const char *) data, size, 0, "input", NULL);
  if (profile == NULL)
    return 0;
  users = dn_seccomp_profile_compile (profile, "input", NULL);
  if (users == NULL)
    return 0;
  head = dn_seccomp_filter_head (456);
  chain = dn_seccomp_filter_chain (head, users, NULL);
  for (int number = -1; chain != NULL && number < 512; number++)
    {
      guint32 action;

      call.nr = number;
      if (!dn_seccomp_filter_run (chain, &call, &action))
        g_error ("what was compiled is no filter");
    }
  return 0;
}
