/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/verify/*.c !launcher/verify/host-facts.c !launcher/verify/host-qemu.c
 * launcher/limits/guest-limits.c launcher/spec/capability.c launcher/common/names.c
 * launcher/common/error.c launcher/common/paths.c protocol/protocol.c protocol/pack.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* FACT payloads as a guest may send them, each behind a byte for its length: whatever comes, what
 * is shown is printable, and what does not hold a promise does not look as if it did. */
#include <stdlib.h>

#include "../../launcher/verify/judge.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const DnGuestInfo info = { .boot_id = (char *) "b", .memory_bytes = 1 << 28, .vcpus = 1 };
  g_autoptr (DnVerifyFacts) facts = dn_verify_facts_new ();
  g_autoptr (GPtrArray) promises = dn_verify_promises_new ();
  g_autoptr (GPtrArray) lines = NULL;
  g_autoptr (JsonObject) spec = json_object_new ();

  while (size >= 1)
    {
      size_t value = data[0] < size - 1 ? data[0] : size - 1;

      dn_verify_facts_take (facts, data + 1, (guint32) value);
      data += 1 + value;
      size -= 1 + value;
    }
  dn_verify_promise_container (promises, spec);
  dn_verify_promise_guest (promises, &info);
  lines = dn_verify_judge (promises, facts);
  if (lines->len != promises->len + 1)
    abort ();
  for (guint i = 0; i < lines->len; i++)
    {
      const DnVerifyLine *line = lines->pdata[i];

      if (!g_utf8_validate (line->actual, -1, NULL))
        abort ();
      for (const char *at = line->actual; *at != '\0'; at++)
        if (g_ascii_iscntrl (*at))
          abort ();
    }
  return 0;
}
