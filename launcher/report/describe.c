/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include "facts.h"
#include "value.h"
#include "view.h"

/* tcp 0.0.0.0:80 nginx (all) */
char *
dn_describe_listener (JsonObject *listener)
{
  const char *exposure = dn_facts_text (listener, "exposure");
  g_autofree char *port = dn_view_port (listener);
  g_autofree char *place = dn_value_address (dn_facts_text (listener, "address"), port);
  g_autofree char *reach = *exposure != '\0' ? g_strdup_printf ("(%s)", exposure) : g_strdup ("");

  return dn_value_join (" ", dn_facts_text (listener, "protocol"), place,
                        dn_facts_text (listener, "process"), reach, NULL);
}

char *
dn_describe_image (JsonObject *container)
{
  g_autofree char *digest = dn_value_short_digest (dn_facts_text (container, "image.digest"));
  g_autofree char *age = dn_value_age (dn_facts_int (container, "image.age_days", -1));
  const char *signature = dn_facts_text (container, "image.signature");
  g_autofree char *signed_by
      = g_strdup_printf ("signature: %s", *signature != '\0' ? signature : "unknown");

  return dn_value_join (", ", dn_facts_text (container, "image.reference"), digest, age, signed_by,
                        NULL);
}

char *
dn_describe_ports (JsonObject *container)
{
  JsonArray *ports = dn_facts_array (container, "ports");
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < dn_facts_length (ports); i++)
    {
      g_autofree char *port = dn_view_published (json_array_get_element (ports, i));

      g_string_append_printf (out, "%s%s", i > 0 ? ", " : "", port);
    }
  return g_string_free (out, FALSE);
}

/* "seccomp filter, no_new_privs, caps 0, danchid (enforce)" */
char *
dn_describe_confinement (JsonObject *program)
{
  const char *forbids = dn_facts_yes_no (program, "confinement.no_new_privs");
  const char *seccomp = dn_facts_text (program, "confinement.seccomp");
  const char *capabilities = dn_facts_text (program, "confinement.capabilities");
  g_autofree char *filter
      = *seccomp != '\0' ? g_strdup_printf ("seccomp %s", seccomp) : g_strdup ("");
  g_autofree char *caps
      = *capabilities != '\0' ? g_strdup_printf ("capabilities %s", capabilities) : g_strdup ("");

  return dn_value_join (", ", filter,
                        g_str_equal (forbids, "yes")  ? "no_new_privs"
                        : g_str_equal (forbids, "no") ? "may gain privileges"
                                                      : "",
                        caps, dn_facts_text (program, "confinement.apparmor"), NULL);
}

char *
dn_describe_host (const DnView *view)
{
  JsonObject *host = dn_facts_object (view->document, "host");
  const char *kernel = dn_facts_text (host, "kernel.release");
  const char *libvirt = dn_facts_text (host, "libvirt.version");
  const char *qemu = dn_facts_text (host, "libvirt.qemu_version");
  g_autofree char *linux_text = *kernel != '\0' ? g_strdup_printf ("Linux %s", kernel) : NULL;
  g_autofree char *libvirt_text = *libvirt != '\0' ? g_strdup_printf ("libvirt %s", libvirt) : NULL;
  g_autofree char *qemu_text = *qemu != '\0' ? g_strdup_printf ("QEMU %s", qemu) : NULL;
  char *text = dn_value_join (
      " · ", dn_facts_text (host, "distribution.name"), linux_text != NULL ? linux_text : "",
      libvirt_text != NULL ? libvirt_text : "", qemu_text != NULL ? qemu_text : "", NULL);

  if (*text != '\0')
    return text;
  g_free (text);
  return g_strdup ("nothing known of the host itself");
}

/* "alice, group ops: RIGHTS" of two lists of names, "" where they name nobody.  (transfer full) */
static char *
describe_grant (JsonObject *context, const char *users_path, const char *groups_path,
                const char *rights)
{
  g_autofree char *users = dn_facts_list (context, users_path);
  g_autofree char *groups = dn_facts_list (context, groups_path);
  g_autofree char *members
      = *groups != '\0' ? g_strdup_printf ("groups %s", groups) : g_strdup ("");
  g_autofree char *who = dn_value_join (", ", users, members, NULL);

  return *who != '\0' ? dn_value_join (": ", who, rights, NULL) : g_strdup ("");
}

char *
dn_describe_access (JsonObject *context)
{
  g_autofree char *verbs = dn_facts_list (context, "access.verbs");
  g_autofree char *full = describe_grant (context, "access.users", "access.groups", verbs);
  g_autofree char *readers
      = describe_grant (context, "access.readers", "access.reader_groups", "may only read");
  char *text = dn_value_join ("; ", full, readers, NULL);

  if (*text != '\0' || dn_facts_object (context, "access") == NULL)
    return text;
  g_free (text);
  return g_strdup ("root only");
}

char *
dn_describe_guest (JsonObject *context)
{
  JsonObject *guest = dn_facts_object (context, "guest");
  const char *accelerator = dn_facts_text (guest, "accelerator");
  const char *kernel = dn_facts_text (guest, "kernel");
  g_autofree char *uid = dn_facts_number (guest, "uid");
  g_autofree char *memory = dn_value_size (dn_facts_int (guest, "memory_bytes", -1));
  g_autofree char *own = *uid != '\0' ? g_strdup_printf ("uid %s", uid) : g_strdup ("");
  g_autofree char *version
      = *kernel != '\0' ? g_strdup_printf ("kernel %s", kernel) : g_strdup ("");

  return dn_value_join (
      ", ", g_str_equal (accelerator, "tcg") ? "emulated: no security boundary" : accelerator, own,
      memory, version, NULL);
}

char *
dn_describe_distribution (JsonObject *host)
{
  const char *end = dn_facts_text (host, "distribution.end_of_life");
  const char *word
      = dn_facts_is (host, "distribution.is_over") ? "END OF LIFE since" : "supported until";
  g_autofree char *until
      = *end != '\0' ? g_strdup_printf ("%s %s", word, end) : g_strdup ("end of life unknown");

  return dn_value_join (", ", dn_facts_text (host, "distribution.name"), until, NULL);
}
