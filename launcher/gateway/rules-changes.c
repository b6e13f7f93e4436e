/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>

#include "rules-parts.h"

void
dn_rules_write_members (FILE *text, const DnGatewayMembers *members)
{
  for (int family = 4; family <= 6; family += 2)
    fprintf (text, "flush set inet " DN_RULES_TABLE " group-%u-%d\n", members->group, family);
  for (uint32_t i = 0; i < members->count; i++)
    {
      const DnGatewayExposed *exposed = &members->exposed[i];
      const char *protocol = exposed->protocol == IPPROTO_TCP ? "tcp" : "udp";
      struct in6_addr six;
      struct in_addr four;
      DnNetworkPlan plan;

      if (dn_network_plan_make (&members->pool, exposed->slot, &plan) < 0
          || dn_network_plan_container (&plan, exposed->container_slot, &four, &six) < 0)
        continue;
      fprintf (text, "add element inet " DN_RULES_TABLE " group-%u-4 { %s . %s . %u-%u }\n",
               members->group, TEXT4 (four), protocol, exposed->port_first, exposed->port_last);
      fprintf (text, "add element inet " DN_RULES_TABLE " group-%u-6 { %s . %s . %u-%u }\n",
               members->group, TEXT6 (six), protocol, exposed->port_first, exposed->port_last);
    }
}

void
dn_rules_write_servers (FILE *text, const DnGatewayResolver *resolver)
{
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (resolver->slot, tap);
  for (int family = 4; family <= 6; family += 2)
    fprintf (text, "flush set inet " DN_RULES_TABLE " %s-servers-%d\n", tap, family);
  for (uint32_t i = 0; i < resolver->server_count; i++)
    {
      const DnNetworkEnd *server = &resolver->servers[i];

      fprintf (text,
               "add element inet " DN_RULES_TABLE
               " %1$s-servers-%2$u { %3$s . tcp . %4$u, %3$s . udp . %4$u }\n",
               tap, server->family, dn_rules_address (server->family, server->address).text,
               server->port);
    }
}

void
dn_rules_write_guard (FILE *text, int family)
{
  fprintf (text, "add rule inet " DN_RULES_TABLE " guard meta nfproto ipv%d drop\n", family);
}

void
dn_rules_write_pin (FILE *text, uint32_t slot, uint8_t family, uint8_t list, const uint8_t *address,
                    uint32_t ttl_s)
{
  char tap[DN_NETWORK_TAP_BYTES], element[160];

  dn_network_tap_name (slot, tap);
  (void) snprintf (element, sizeof element, "element inet " DN_RULES_TABLE " %s-list%u-%u { %s",
                   tap, list, family, dn_rules_address (family, address).text);
  /* An element that is there keeps its old end: so it is taken out first. */
  /* cppcheck-suppress invalidPrintfArgType_s */
  fprintf (text, "add %1$s }\ndelete %1$s }\nadd %1$s timeout %2$us }\n", element, ttl_s);
}
