/* SPDX-License-Identifier: Apache-2.0 */
/* A danchid that leaves out one control of the host's side: linked into a copy of it that only the
 * tests of verify start.  SEEDED_FAULT=NAME in its environment chooses; it hands the name on to its
 * relays (faulty-relay.c), which else get an empty environment.
 */
#include <glib.h>
#include <string.h>

/* The one call of hypervisor.h. */
gboolean __real_dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid,
                                     GError **error);
gboolean __wrap_dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid,
                                     GError **error);

static char *
replace (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, 2);

  if (g_strv_length (parts) != 2)
    g_error ("the domain has no %s", from);
  return g_strjoinv (to, parts);
}

gboolean
__wrap_dn_hypervisor_start (const char *xml, guint timeout_ms, char **ret_uuid, GError **error)
{
  const char *fault = g_getenv ("SEEDED_FAULT");
  g_autofree char *changed = NULL;

  if (g_strcmp0 (fault, "qemu-device") == 0)
    changed = replace (xml, "</devices>",
                       "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
                       "</devices>");
  else if (g_strcmp0 (fault, "qemu-core") == 0)
    changed = replace (xml, "dumpCore='off'", "dumpCore='on'");
  else if (g_strcmp0 (fault, "qemu-share") == 0)
    changed = replace (xml, "<nosharepages/>", "");
  else
    changed = g_strdup (xml);
  return __real_dn_hypervisor_start (changed, timeout_ms, ret_uuid, error);
}

gboolean __real_g_spawn_async_with_pipes_and_fds (const gchar *directory, const gchar *const *argv,
                                                  const gchar *const *env, GSpawnFlags flags,
                                                  GSpawnChildSetupFunc setup, gpointer data,
                                                  gint in, gint out, gint err, const gint *fds,
                                                  const gint *targets, gsize count, GPid *ret_pid,
                                                  gint *ret_in, gint *ret_out, gint *ret_err,
                                                  GError **error);
gboolean __wrap_g_spawn_async_with_pipes_and_fds (const gchar *directory, const gchar *const *argv,
                                                  const gchar *const *env, GSpawnFlags flags,
                                                  GSpawnChildSetupFunc setup, gpointer data,
                                                  gint in, gint out, gint err, const gint *fds,
                                                  const gint *targets, gsize count, GPid *ret_pid,
                                                  gint *ret_in, gint *ret_out, gint *ret_err,
                                                  GError **error);

gboolean
__wrap_g_spawn_async_with_pipes_and_fds (const gchar *directory, const gchar *const *argv,
                                         const gchar *const *env, GSpawnFlags flags,
                                         GSpawnChildSetupFunc setup, gpointer data, gint in,
                                         gint out, gint err, const gint *fds, const gint *targets,
                                         gsize count, GPid *ret_pid, gint *ret_in, gint *ret_out,
                                         gint *ret_err, GError **error)
{
  g_autofree char *seed = g_strdup_printf ("SEEDED_FAULT=%s", g_getenv ("SEEDED_FAULT"));
  const gchar *const seeded[] = { seed, NULL };
  gboolean is_relay = env != NULL && env[0] == NULL && g_getenv ("SEEDED_FAULT") != NULL;

  return __real_g_spawn_async_with_pipes_and_fds (directory, argv, is_relay ? seeded : env, flags,
                                                  setup, data, in, out, err, fds, targets, count,
                                                  ret_pid, ret_in, ret_out, ret_err, error);
}
