/* SPDX-License-Identifier: Apache-2.0 */
/* danchi context create: flags that become keys of a context's file.
 *
 * Each flag is a key as the file has it: danchid reads them by the
 * same rules as a file that was written by hand, and says what is wrong.
 */
#include <string.h>

#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "guest-options.h"
#include "options.h"
#include "print.h"
#include "units.h"

typedef enum
{
  FLAG_TEXT,     /* as it is given */
  FLAG_LIST,     /* may be given again: ';' between them */
  FLAG_YES,      /* without a value */
  FLAG_DURATION, /* "10m": in whole seconds */
} FlagKind;

static const struct
{
  const char *flag;
  FlagKind kind;
  const char *key; /* GROUP.KEY */
  const char *help;
  const char *value;
} flags[] = {
  { "tenant", FLAG_TEXT, "context.tenant", "Whose it is", "NAME" },
  { "stage", FLAG_TEXT, "context.stage", "For instance prod, test, dev", "NAME" },
  { "tier", FLAG_TEXT, "context.tier", "For instance frontend, database", "NAME" },
  { "user", FLAG_LIST, "access.users", "Who may use it beside root, by name or number", "USER" },
  { "group", FLAG_LIST, "access.groups", "Likewise a group's members", "GROUP" },
  { "verb", FLAG_LIST, "access.verbs", "What those may, instead of all: run, exec, logs, inspect",
    "RIGHT" },
  { "reader", FLAG_LIST, "access.readers", "Who may inspect and read logs", "USER" },
  { "reader-group", FLAG_LIST, "access.reader_groups", "Likewise a group's members", "GROUP" },
  { "transport", FLAG_TEXT, "guest.transport", "auto, vsock or serial: how the guest is reached",
    "KIND" },
  { "profiles", FLAG_LIST, "confinement.profiles", "A profile that --profile may name", "NAME" },
  { "profile", FLAG_TEXT, "confinement.profile", "The profile where none is named", "NAME" },
  { "capabilities", FLAG_LIST, "confinement.capabilities", "What --cap-add may add", "NAME" },
  { "seccomp", FLAG_TEXT, "confinement.seccomp",
    "default, relaxed or unconfined: how far a container's own filter may reach", "KIND" },
  { "profile-files", FLAG_YES, "confinement.profile_files",
    "Permit looser profiles of a caller's own", NULL },
  { "allow-image", FLAG_LIST, "images.allow", "Permit these images alone: nginx:*", "PATTERN" },
  { "image-digest", FLAG_TEXT, "images.digest", "required: only images named by their digest",
    "NEED" },
  { "image-signature", FLAG_LIST, "images.signature",
    "required: only signed images; or a key's name: signed by that", "NEED" },
  { "image-scan", FLAG_TEXT, "images.scan", "required: only scanned images; pass: with no doubt",
    "NEED" },
  { "network", FLAG_TEXT, "network.mode", "none, internal, egress, or a tenant network's name",
    "MODE" },
  { "network-egress", FLAG_YES, "network.egress", "A named network reaches public addresses, too",
    NULL },
  { "network-containers", FLAG_YES, "network.containers", "Its containers reach each other", NULL },
  { "network-allow", FLAG_LIST, "network.allow",
    "Let only this out: 192.0.2.0/24, *.debian.org:443/tcp", "RULE" },
  { "network-deny", FLAG_LIST, "network.deny", "Never let this out", "RULE" },
  { "network-egress-kbit", FLAG_TEXT, "network.egress_kbit", "Outgoing kbit/s at most", "NUMBER" },
  { "network-ingress-kbit", FLAG_TEXT, "network.ingress_kbit", "Incoming kbit/s at most",
    "NUMBER" },
  { "network-publish", FLAG_LIST, "network.publish",
    "Where ports may be published: loopback, any, ADDR, with :PORT or :PORT-PORT", "PLACE" },
  { "network-dns", FLAG_LIST, "network.dns", "A server of names, instead of the host's",
    "ADDR[:PORT]" },
  { "idle", FLAG_DURATION, "lifetime.idle_s", "End the guest when it was empty this long",
    "DURATION" },
  { "maximum", FLAG_DURATION, "lifetime.maximum_s",
    "End containers and guest this long after its start", "DURATION" },
};

#define FLAGS G_N_ELEMENTS (flags)

typedef struct
{
  char *texts[FLAGS];  /* owned */
  char **lists[FLAGS]; /* owned */
  gboolean given[FLAGS];
  DnGuestOptions guest;
} CreateOptions;

static void
clear_options (CreateOptions *options)
{
  for (gsize i = 0; i < FLAGS; i++)
    {
      g_free (options->texts[i]);
      g_strfreev (options->lists[i]);
    }
  dn_guest_options_clear (&options->guest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CreateOptions, clear_options)

static void
fill_entries (CreateOptions *options, GOptionEntry *ret_entries)
{
  for (gsize i = 0; i < FLAGS; i++)
    {
      GOptionEntry *entry = &ret_entries[i];

      *entry = (GOptionEntry){ .long_name = flags[i].flag,
                               .description = flags[i].help,
                               .arg_description = flags[i].value };
      switch (flags[i].kind)
        {
        case FLAG_TEXT:
        case FLAG_DURATION:
          entry->arg = G_OPTION_ARG_FILENAME;
          entry->arg_data = &options->texts[i];
          break;
        case FLAG_LIST:
          entry->arg = G_OPTION_ARG_FILENAME_ARRAY;
          entry->arg_data = &options->lists[i];
          break;
        case FLAG_YES:
          entry->arg = G_OPTION_ARG_NONE;
          entry->arg_data = &options->given[i];
          break;
        }
    }
  dn_guest_options_fill (&options->guest, "guest-memory", "guest-cpus", ret_entries + FLAGS);
}

/* The value of a flag's key; NULL: the flag was not given, or @error. (transfer full) */
static char *
make_value (const CreateOptions *options, gsize i, GError **error)
{
  gint64 duration_us;

  switch (flags[i].kind)
    {
    case FLAG_TEXT:
      return g_strdup (options->texts[i]);
    case FLAG_LIST:
      return options->lists[i] != NULL ? g_strjoinv (";", options->lists[i]) : NULL;
    case FLAG_YES:
      return options->given[i] ? g_strdup ("yes") : NULL;
    case FLAG_DURATION:
      if (options->texts[i] == NULL)
        return NULL;
      if (!dn_units_parse_duration (options->texts[i], &duration_us, error))
        {
          g_prefix_error (error, "--%s: ", flags[i].flag);
          return NULL;
        }
      /* Upwards: "0.5s" is no "no limit". */
      return g_strdup_printf ("%" G_GINT64_FORMAT,
                              (duration_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    }
  g_assert_not_reached ();
}

static gboolean
set_keys (JsonObject *args, const CreateOptions *options, GError **error)
{
  g_autoptr (JsonObject) keys = json_object_new ();

  for (gsize i = 0; i < FLAGS; i++)
    {
      g_autoptr (GError) local = NULL;
      g_autofree char *value = make_value (options, i, &local);

      if (local != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      if (value != NULL)
        json_object_set_string_member (keys, flags[i].key, value);
    }
  if (!dn_guest_options_to_keys (&options->guest, keys, error))
    return FALSE;
  if (json_object_get_size (keys) > 0)
    json_object_set_object_member (args, "keys", g_steal_pointer (&keys));
  return TRUE;
}

static int
create (DnCli *cli, const CreateOptions *options, const char *name)
{
  g_autoptr (JsonObject) args = dn_args_new ("name", name);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;

  if (!set_keys (args, options, &error))
    return dn_cli_fail_usage_error (cli, error);
  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  ok = dn_cli_call (cli, "context-create", g_steal_pointer (&args), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    dn_print_line (dn_answer_text (ok, "name"));
  return DN_EXIT_DONE;
}

int
dn_cmd_context_create (DnCli *cli, char **words)
{
  g_auto (CreateOptions) options = { 0 };
  GOptionEntry entries[FLAGS + DN_GUEST_OPTIONS_ROWS];
  g_auto (GStrv) names = NULL;
  int status;

  fill_entries (&options, entries);
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  return create (cli, &options, names[0]);
}
