/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/port-spec.c launcher/common/error.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libseccomp libvirt */
/* What is taken as a published or an exposed port keeps its promises. */
#include "../../launcher/spec/port-spec.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, MIN (size, 1024));
  g_autoptr (GArray) ports = dn_ports_new ();
  g_autoptr (GArray) exposed = dn_ports_new ();
  g_autoptr (GError) error = NULL;
  gboolean is_good = dn_port_parse (text, ports, &error);

  g_assert (is_good == (error == NULL) && is_good == (ports->len > 0)
            && ports->len <= DN_PORTS_MAX);
  g_assert (error == NULL || g_utf8_validate (error->message, -1, NULL));
  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);

      g_assert (port->container > 0 && port->host_first <= port->host_last);
    }
  (void) dn_port_parse_exposed (text, "--expose", exposed, NULL);
  g_assert (exposed->len <= DN_PORTS_EXPOSED_MAX);
  return 0;
}
