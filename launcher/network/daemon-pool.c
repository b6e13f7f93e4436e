/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon-pool.h"

#include <string.h>
#include <sys/random.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../daemon/settings-file.h"

#define PREFIX_FILE "network-prefix"
#define PREFIX_BYTES_MAX 64

/* As RFC 4193 wants it: fd, and 40 bits of chance. (transfer full) */
static char *
make_prefix (void)
{
  guint8 bits[5];

  if (getrandom (bits, sizeof bits, 0) != sizeof bits)
    g_error ("no random numbers");
  return g_strdup_printf ("fd%02x:%02x%02x:%02x%02x::/48", bits[0], bits[1], bits[2], bits[3],
                          bits[4]);
}

/* (transfer full): or NULL */
static char *
read_prefix (GError **error)
{
  static GMutex lock;
  g_autofree char *path = g_build_filename (dn_paths ()->state, PREFIX_FILE, NULL);
  g_autofree char *text = NULL;
  gsize size = 0;
  gboolean is_fine = TRUE;

  g_mutex_lock (&lock);
  if (!g_file_get_contents (path, &text, &size, NULL) || size == 0 || size > PREFIX_BYTES_MAX)
    {
      g_free (text);
      text = make_prefix ();
      is_fine = dn_state_file_write_text (path, text, strlen (text), 0600, error);
    }
  g_mutex_unlock (&lock);
  return is_fine ? g_strdup (g_strstrip (text)) : NULL;
}

/* One for danchid's life: guests that run have addresses of it. */
static gboolean
find_pool (DnDaemon *daemon, DnNetworkPool *ret_pool, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *prefix = settings->ipv6_prefix[0] != NULL ? g_strdup (settings->ipv6_prefix[0])
                                                             : read_prefix (error);

  if (prefix == NULL)
    return FALSE;
  return dn_network_pool_parse (settings->ipv4_pool[0], prefix, ret_pool) == 0
         || dn_throw (error, DN_ERROR_CONFIG,
                      "network: '%s' in %s/" PREFIX_FILE " is no /48 below fd00::/8\n"
                      "remove the file while no guest runs",
                      prefix, dn_paths ()->state);
}

gboolean
dn_network_daemon_pool (DnDaemon *daemon, DnNetworkPool *ret_pool, GError **error)
{
  static GMutex lock;
  static DnNetworkPool pool;
  static gboolean is_known;
  gboolean is_fine;

  g_mutex_lock (&lock);
  is_fine = is_known || find_pool (daemon, &pool, error);
  is_known = is_fine;
  *ret_pool = pool;
  g_mutex_unlock (&lock);
  return is_fine;
}
