/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/network/host-servers.c launcher/base/network-rule.c
 * launcher/base/public-address.c
 */
#include <string.h>

#include "../../launcher/network/host-servers.h"

static void
test_servers_are_read_as_the_c_library_reads_them (void)
{
  static const struct
  {
    const char *text;
    const char *servers; /* with spaces between them */
  } cases[] = {
    { "", "" },
    { "nameserver 192.0.2.53\n", "192.0.2.53" },
    { "# nameserver 1.1.1.1\nsearch example.org\n nameserver\t 192.0.2.53  \noptions edns0\n",
      "192.0.2.53" },
    { "nameserver 192.0.2.53 # comment\nnameserver 2001:db8::53\n", "192.0.2.53 2001:db8::53" },
    { "nameserver fe80::1%eth0\nnameserver 127.0.0.53", "127.0.0.53" },
    { "nameserver\nnameserver x\nnameservers 1.1.1.1\nnameserver 256.1.1.1\n", "" },
    { "nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4\n"
      "nameserver 1.0.0.5\n",
      "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnNetworkEnd servers[DN_NETWORK_SERVERS_MAX];
      guint count = dn_host_servers_parse (cases[i].text, servers);
      g_autoptr (GString) text = g_string_new (NULL);

      for (guint k = 0; k < count; k++)
        {
          char address[DN_ADDRESS_TEXT_BYTES];

          dn_address_print (servers[k].family, servers[k].address, address);
          g_assert_cmpuint (servers[k].port, ==, 53);
          g_string_append_printf (text, "%s%s", k > 0 ? " " : "", address);
        }
      g_assert_cmpstr (text->str, ==, cases[i].servers);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-servers/servers-are-read-as-the-c-library-reads-them",
                   test_servers_are_read_as_the_c_library_reads_them);
  return g_test_run ();
}
