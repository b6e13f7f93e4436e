/* SPDX-License-Identifier: Apache-2.0 */
#include "confine.h"

#include <cap-ng.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../common/error.h"

/* Each with what fails without it.  danchid.service names the same ones. */
static const unsigned kept[] = {
  /* Disks, secrets and sockets become those of a context's uid, and stay to be managed then. */
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_FOWNER,
  /* The relay's way to the context's ids, without any capability there. */
  CAP_SETUID,
  CAP_SETGID,
  CAP_SETPCAP,
  /* The relay's namespaces and its empty root. */
  CAP_SYS_ADMIN,
  /* The end of a relay or QEMU, which have other uids. */
  CAP_KILL,
  /* Reading what the kernel says of them: namespaces, root, descriptors (the calls of a debugger
   * are not in the filter). */
  CAP_SYS_PTRACE,
};

guint64
dn_confine_capabilities (void)
{
  guint64 bits = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    bits |= G_GUINT64_CONSTANT (1) << kept[i];
  return bits;
}

static gboolean
forbid_cores (GError **error)
{
  const struct rlimit none = { 0, 0 };

  return setrlimit (RLIMIT_CORE, &none) == 0 || dn_throw_errno (error, "forbid core files");
}

/* No wider than what we were given: a service manager may have kept less. */
static gboolean
drop_capabilities (GError **error)
{
  gboolean is_given[G_N_ELEMENTS (kept)];
  int code;

  if (geteuid () != 0)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    is_given[i] = capng_have_capability (CAPNG_PERMITTED, kept[i]) != 0
                  && capng_have_capability (CAPNG_BOUNDING_SET, kept[i]) != 0;
  capng_clear (CAPNG_SELECT_ALL);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (is_given[i])
      (void) capng_update (CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
                           kept[i]);
  code = capng_apply (CAPNG_SELECT_ALL);
  if (code < 0) /* a private code, not -errno: capng_apply(3) */
    return dn_throw (error, DN_ERROR_LOCKDOWN, "capng_apply() failed with code %d", code);
  return TRUE;
}

static gboolean
forbid_new_privileges (GError **error)
{
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         || dn_throw_errno (error, "forbid new privileges");
}

static gboolean
load_filter (GError **error)
{
  int r = dn_confine_load_filter ();

  return r == 0 || dn_throw (error, DN_ERROR_LOCKDOWN, "system calls: %s", g_strerror (-r));
}

/* The value of a line of /proc/self/status, as a number. */
static guint64
read_status (const char *status, const char *name, guint base)
{
  g_autofree char *start = g_strdup_printf ("\n%s:\t", name);
  const char *line = strstr (status, start);

  return line != NULL ? g_ascii_strtoull (line + strlen (start), NULL, base) : G_MAXUINT64;
}

static gboolean
verify (GError **error)
{
  static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
  g_autofree char *status = NULL;
  gboolean is_root = geteuid () == 0;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, error))
    return FALSE;
  for (gsize i = 0; is_root && i < G_N_ELEMENTS (sets); i++)
    if ((read_status (status, sets[i], 16) & ~dn_confine_capabilities ()) != 0)
      return dn_throw (error, DN_ERROR_LOCKDOWN, "the kernel reports more capabilities in %s",
                       sets[i]);
  if (read_status (status, "NoNewPrivs", 10) != 1 || read_status (status, "Seccomp", 10) != 2)
    return dn_throw (error, DN_ERROR_LOCKDOWN, "the kernel reports no filter");
  /* What one thread gives up the others would keep. */
  if (read_status (status, "Threads", 10) != 1)
    return dn_throw (error, DN_ERROR_LOCKDOWN, "there is more than one thread already");
  return TRUE;
}

/* The order is the argument: no_new_privs and the filter come after what they forbid. */
static const struct
{
  const char *name;
  gboolean (*run) (GError **error);
} steps[] = {
  { "forbid-cores", forbid_cores },
  { "drop-capabilities", drop_capabilities },
  { "forbid-new-privileges", forbid_new_privileges },
  { "load-filter", load_filter },
  { "verify-from-the-kernel", verify },
};

gboolean
dn_confine_run (GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    if (!steps[i].run (error))
      {
        g_prefix_error (error, "lockdown: %s: ", steps[i].name);
        return FALSE;
      }
  return TRUE;
}
