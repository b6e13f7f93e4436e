/* SPDX-License-Identifier: Apache-2.0 */
/* A text of -v or --mount: a volume's that is taken comes back the same from its own text. */
/* Links: launcher/spec/mount-*.c launcher/spec/tmpfs.c launcher/spec/quantity.c
   launcher/common/names.c launcher/common/error.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libseccomp libvirt */
#include <string.h>

#include "../../launcher/spec/mount-spec.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, MIN (size, 4096));
  g_autoptr (DnMountSpec) spec = dn_mount_spec_parse (text, NULL);

  if (spec != NULL && spec->kind == DN_MOUNT_VOLUME)
    {
      g_autofree char *own = dn_mount_spec_to_text (spec);
      g_autoptr (DnMountSpec) again = dn_mount_spec_parse (own, NULL);

      g_assert_nonnull (again);
      g_assert_cmpstr (again->target, ==, spec->target);
      g_assert_cmpstr (again->source, ==, spec->source);
      g_assert_cmpint (again->size_bytes, ==, spec->size_bytes);
    }
  return 0;
}
