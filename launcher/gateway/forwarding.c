/* SPDX-License-Identifier: Apache-2.0 */
#include "forwarding.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "sysctl.h"

#define GUARD "chain inet " DN_RULES_TABLE " guard"
#define KEPT_RA "set inet " DN_RULES_TABLE " accept-ra"

static const char *
setting_of (int family)
{
  return family == 4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
}

static bool
has_guard (DnNft *nft, int family)
{
  const char *rules = dn_nft_list (nft, GUARD);

  return rules != NULL
         && strstr (rules, family == 4 ? "nfproto ipv4 drop" : "nfproto ipv6 drop") != NULL;
}

typedef struct
{
  DnNft *nft;
  bool is_change; /* else only what is to be kept is written down */
} Advertisements;

/* Whether it would stop to take router advertisements. */
static bool
would_stop (const char *device)
{
  uint32_t slot;

  return !dn_network_tap_slot (device, &slot) && dn_sysctl_read_device (6, device, "accept_ra") == 1
         && dn_sysctl_read_device (6, device, "forwarding") == 0;
}

static void
keep_taking (const char *device, void *data)
{
  Advertisements *advertisements = data;

  /* A name that needs quotes is no card's that a tool makes. */
  if (strpbrk (device, "\"\\ \t\n{}") != NULL || !would_stop (device))
    return;
  if (advertisements->is_change)
    (void) dn_sysctl_write_device (6, device, "accept_ra", 2);
  else
    fprintf (advertisements->nft->text,
             "add element inet " DN_RULES_TABLE " accept-ra { \"%s\" }\n", device);
}

/* What is written down comes first: an end in between leaves nothing that is not known. */
static int
begin (DnNft *nft, DnLinks *links, int family, DnGatewayAnswer *answer)
{
  Advertisements advertisements = { .nft = nft };
  int r;

  if (dn_sysctl_read (setting_of (family)) != 0)
    return 0;
  if (!has_guard (nft, family))
    dn_rules_write_guard (nft->text, family);
  if (family == 6)
    (void) dn_links_each (links, keep_taking, &advertisements);
  r = dn_nft_commit (nft, "guard of forwarding", answer);
  advertisements.is_change = true;
  if (r == 0 && family == 6)
    (void) dn_links_each (links, keep_taking, &advertisements);
  if (r == 0 && (r = dn_sysctl_write (setting_of (family), 1)) < 0)
    r = dn_fault (answer, r, "/proc/sys/net/%s: %s\nset it to 1", setting_of (family),
                  strerror (-r));
  return r;
}

int
dn_forwarding_begin (DnNft *nft, DnLinks *links, bool has_ipv6, DnGatewayAnswer *answer)
{
  int r = begin (nft, links, 4, answer);

  return r == 0 && has_ipv6 ? begin (nft, links, 6, answer) : r;
}

/* The words in quotes of a listing are its elements. */
static void
take_back_advertisements (DnNft *nft)
{
  const char *listed = dn_nft_list (nft, KEPT_RA);
  char *names = listed == NULL ? NULL : strdup (listed), *rest = names, *name;

  (void) strsep (&rest, "\"");
  while (rest != NULL && (name = strsep (&rest, "\"")) != NULL)
    {
      if (dn_sysctl_read_device (6, name, "accept_ra") == 2)
        (void) dn_sysctl_write_device (6, name, "accept_ra", 1);
      (void) strsep (&rest, "\"");
    }
  free (names);
}

int
dn_forwarding_end (DnNft *nft, DnGatewayAnswer *answer)
{
  for (int family = 4; family <= 6; family += 2)
    if (has_guard (nft, family))
      {
        int r = dn_sysctl_write (setting_of (family), 0);

        if (r < 0)
          return dn_fault (answer, r, "/proc/sys/net/%s: %s", setting_of (family), strerror (-r));
        if (family == 6)
          take_back_advertisements (nft);
      }
  return 0;
}
