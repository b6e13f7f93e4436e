/* SPDX-License-Identifier: Apache-2.0 */
#include "network-facts.h"

#include <arpa/inet.h>
#include <string.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../pods/pod.h"
#include "daemon-pool.h"
#include "pod-network.h"
#include "port-owner.h"

#define NAMES_PORT 53

/* In the order in which the gateway tells them. */
static const char *const facts_of_guests[]
    = { "tap", "settings", "rules.common", "rules.tap", "rules.guest", "rules.entry" };

static void
promise (GPtrArray *promises, const char *name, const char *promised)
{
  g_autofree char *control = g_strdup_printf ("gateway.%s", name);

  dn_verify_promise (promises, control, "R5.13", DN_HOW_EQUAL, promised);
}

static const char *const facts_of_pods[] = { "tap", "settings", "rules", "others" };

/* The facts of a guest's network, or of a pod's, by what @text says; NULL: nothing is known. */
static void
take_lines (const char *text, const char *const *names, gsize count, GPtrArray *promises,
            DnVerifyFacts *facts)
{
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;

  for (gsize i = 0; text == NULL && i < count; i++)
    promise (promises, names[i], "as made");
  for (char **line = lines; line != NULL && *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, "\t", -1);
      g_autofree char *name = NULL;

      if (g_strv_length (words) != 3)
        continue;
      promise (promises, words[0], words[1]);
      name = g_strdup_printf ("gateway.%s", words[0]);
      dn_verify_facts_add (facts, name, words[2]);
    }
}

static gboolean
verify_pod (DnContext *context, DnGuest *guest, GPtrArray *promises, DnVerifyFacts *facts,
            GError **error)
{
  g_autofree char *text = NULL;
  DnGuestInfo info = { 0 };
  gboolean has_card;

  dn_guest_get_info (guest, &info);
  has_card = info.has_card;
  dn_guest_info_clear (&info);
  if (!has_card)
    return TRUE;
  text = dn_pod_network_verify (context->pod->netns, guest, error);
  take_lines (text, facts_of_pods, G_N_ELEMENTS (facts_of_pods), promises, facts);
  return text != NULL;
}

gboolean
dn_network_verify (DnContext *context, DnGuest *guest, GPtrArray *promises, DnVerifyFacts *facts,
                   GError **error)
{
  g_autofree DnGatewayGuest *wish = g_new0 (DnGatewayGuest, 1);
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;

  if (context->pod != NULL)
    return verify_pod (context, guest, promises, facts, error);
  if (!dn_guest_network_get (context, guest, wish, &local))
    return g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND)
           || (g_propagate_error (error, g_steal_pointer (&local)), FALSE);
  text = dn_gateway_verify (wish, error);
  take_lines (text, facts_of_guests, G_N_ELEMENTS (facts_of_guests), promises, facts);
  return text != NULL;
}

static void
add (JsonArray *checks, const char *id, const char *status, const char *what, const char *remedy)
{
  JsonObject *check = json_object_new ();

  json_object_set_string_member (check, "id", id);
  json_object_set_string_member (check, "status", status);
  json_object_set_string_member (check, "what", what);
  json_object_set_string_member (check, "remedy", remedy);
  json_array_add_object_element (checks, check);
}

/* What the gateway's PROBE has a line for (gateway/order-probe.c). */
static const struct
{
  const char *name;
  const char *id;
  const char *status; /* where it is not ok */
  const char *fine;
  const char *wrong; /* with the reason behind it */
  const char *remedy;
} probes[] = {
  { "rules", "network-rules", "fail", "the kernel takes the rules of guests' networks",
    "the kernel does not take the rules of guests' networks",
    "a kernel from 5.16 on with nf_tables, its netdev ingress and egress hooks, nat, fib, reject, "
    "limit and connlimit; see docs/network.md, \"The host\"" },
  { "tap", "network-tap", "fail", "taps can be made", "no tap can be made",
    "modprobe tun, and let danchi-gateway have /dev/net/tun" },
  { "pods", "network-pods", "warn", "the kernel takes the rules of pods' networks",
    "the kernel does not take the rules of pods' networks, which do not start",
    "modprobe nft_fwd_netdev; where there is none, a kernel with CONFIG_NF_TABLES_NETDEV and "
    "CONFIG_NFT_FWD_NETDEV: see docs/pod-network.md" },
  { "foreign", "network-forwarding", "warn", "nothing else drops what guests send",
    "another program's rules may drop what guests send",
    "let them pass there: for Docker `iptables -I DOCKER-USER -i dn+ -j ACCEPT` and `-o dn+`, for "
    "firewalld `firewall-cmd --permanent --zone=trusted --add-interface=dn+`, for nft `iifname "
    "\"dn*\" accept` and `oifname \"dn*\" accept`; what guests may reach is decided before" },
  { "pool", "network-pool", "warn", "nobody else has the addresses of guests",
    "addresses of guests are somebody else's, too", "choose another [network] ipv4_pool" },
};

static void
add_line (JsonArray *checks, const char *name, const char *reason)
{
  for (gsize i = 0; i < G_N_ELEMENTS (probes); i++)
    {
      g_autofree char *what = g_strdup_printf ("%s: %s", probes[i].wrong, reason);

      if (!g_str_equal (probes[i].name, name))
        continue;
      if (g_str_equal (reason, "ok"))
        add (checks, probes[i].id, "ok", probes[i].fine, "");
      else
        add (checks, probes[i].id, probes[i].status, what, probes[i].remedy);
    }
}

/* The host's own network is none that the door would enter: that it says so shows it at work. */
static void
add_door (JsonArray *checks)
{
  g_autoptr (GError) error = NULL;
  dn_autofd int fd = dn_pod_network_open ("/proc/self/ns/net", &error);

  if (fd >= 0)
    (void) dn_pod_network_look (fd, &error);
  if (g_error_matches (error, DN_ERROR, DN_ERROR_DENIED))
    add (checks, "network-door", "ok", "danchi-gateway goes to the networks of pods", "");
  else
    {
      g_autofree char *reason = g_strndup (error != NULL ? error->message : "no answer",
                                           strcspn (error != NULL ? error->message : "", "\n"));
      g_autofree char *what
          = g_strdup_printf ("danchi-gateway does not go to the networks of pods: %s", reason);

      add (checks, "network-door", "warn", what,
           "restart danchi-gateway, with CAP_SYS_ADMIN at its start");
    }
}

/* A resolver's socket has one address and one device; the kernel gives it none of a port that
 * somebody has for every address and device. */
static void
add_names (JsonArray *checks)
{
  DnPortSought sought = { .port = NAMES_PORT, .is_everywhere = TRUE };
  g_autofree char *what = NULL;
  DnPortOwner owner;
  gboolean is_found;

  sought.is_udp = TRUE;
  is_found = dn_port_owner_find (&sought, &owner);
  if (!is_found)
    {
      sought.is_udp = FALSE;
      is_found = dn_port_owner_find (&sought, &owner);
    }
  if (!is_found)
    {
      add (checks, "network-names", "ok", "port 53 is free for the resolvers of guests", "");
      return;
    }
  what = g_strdup_printf ("%s (pid %d) has port 53 of every address (%s), which keeps containers "
                          "with names from starting",
                          owner.name, owner.pid, sought.is_udp ? "UDP" : "TCP");
  add (checks, "network-names", "warn", what,
       "let it listen on the addresses that it serves: for dnsmasq `bind-interfaces` and "
       "`listen-address`, for unbound `interface`, for named `listen-on` and `listen-on-v6`");
}

void
dn_network_add_checks (DnDaemon *daemon, JsonArray *checks)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *what = NULL;
  g_auto (GStrv) lines = NULL;
  char address[INET_ADDRSTRLEN] = "";
  DnNetworkPool pool;

  if (dn_network_daemon_pool (daemon, &pool, &error))
    text = dn_gateway_probe (&pool, &error);
  if (text == NULL)
    {
      char *remedy = strchr (error->message, '\n');

      if (remedy != NULL)
        *remedy++ = '\0';
      add (checks, "network", "warn", error->message,
           remedy != NULL ? remedy : "contexts with a network do not start; others do");
      return;
    }
  (void) inet_ntop (AF_INET, &pool.address4, address, sizeof address);
  what = g_strdup_printf ("danchi-gateway answers; %u guests may have a network, in %s/%u",
                          dn_network_pool_count (&pool), address, pool.bits4);
  add (checks, "network", "ok", what, "");
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, "\t", 2);

      if (g_strv_length (words) == 2)
        add_line (checks, words[0], words[1]);
    }
  add_names (checks);
  if (!dn_paths ()->is_session)
    add_door (checks);
}
