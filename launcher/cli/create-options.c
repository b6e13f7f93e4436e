/* SPDX-License-Identifier: Apache-2.0 */
#include "create-options.h"

#include <string.h>

#include "../common/error.h"
#include "../common/signal-name.h"
#include "answer.h"
#include "each.h"
#include "env-file.h"
#include "options.h"
#include "read-file.h"
#include "units.h"

#define SECCOMP_FILE_MAX_BYTES (256 * 1024)
#define PROFILE_FILE_MAX_BYTES (64 * 1024)

void
dn_create_options_clear (DnCreateOptions *options)
{
  char **const texts[] = { &options->tenant,      &options->stage,       &options->tier,
                           &options->context,     &options->name,        &options->user,
                           &options->working_dir, &options->entrypoint,  &options->hostname,
                           &options->profile,     &options->network,     &options->guest_memory,
                           &options->guest_cpus,  &options->stop_signal, &options->stop_timeout,
                           &options->pull,        &options->writable,    &options->restart };
  char ***const lists[]
      = { &options->env,      &options->env_files, &options->labels,     &options->cap_add,
          &options->cap_drop, &options->security,  &options->tmpfs,      &options->ulimits,
          &options->expose,   &options->add_hosts, &options->dns,        &options->dns_search,
          &options->publish,  &options->volumes,   &options->volume_keys };

  g_clear_pointer (&options->secrets, g_strfreev);
  g_clear_pointer (&options->configs, g_strfreev);
  g_clear_pointer (&options->secret_sources, g_ptr_array_unref);
  dn_limit_options_clear (&options->limits);
  dn_health_options_clear (&options->health);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    g_clear_pointer (lists[i], g_strfreev);
}

GOptionEntry *
dn_create_options_rows (DnCreateOptions *o, const GOptionEntry *more)
{
  const GOptionEntry rows[] = {
    { "interactive", 'i', 0, G_OPTION_ARG_NONE, &o->wants_stdin, "Pass standard input on", NULL },
    { "tty", 't', 0, G_OPTION_ARG_NONE, &o->has_terminal, "Give the process a terminal", NULL },
    { "name", 0, 0, G_OPTION_ARG_FILENAME, &o->name, "The container's name", "NAME" },
    { "context", 0, 0, G_OPTION_ARG_FILENAME, &o->context,
      "Run in this context's guest; without it in a guest of its own", "NAME" },
    { "tenant", 0, 0, G_OPTION_ARG_FILENAME, &o->tenant,
      "What its context's tenant has to be; without --context what it is", "NAME" },
    { "stage", 0, 0, G_OPTION_ARG_FILENAME, &o->stage, "Likewise the stage: prod, test, dev",
      "NAME" },
    { "tier", 0, 0, G_OPTION_ARG_FILENAME, &o->tier, "Likewise the tier", "NAME" },
    { "rm", 0, 0, G_OPTION_ARG_NONE, &o->is_removed_at_exit, "Remove the container when it ends",
      NULL },
    { "env", 'e', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->env,
      "Set a variable; NAME alone takes its value here", "NAME[=VALUE]" },
    { "env-file", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->env_files, "Read variables from a file",
      "FILE" },
    { "user", 'u', 0, G_OPTION_ARG_FILENAME, &o->user, "Name or number, and group",
      "USER[:GROUP]" },
    { "workdir", 'w', 0, G_OPTION_ARG_FILENAME, &o->working_dir, "Working directory", "PATH" },
    { "entrypoint", 0, 0, G_OPTION_ARG_FILENAME, &o->entrypoint,
      "In place of the image's; empty for none", "PROGRAM" },
    { "hostname", 'h', 0, G_OPTION_ARG_FILENAME, &o->hostname, "The container's host name",
      "NAME" },
    { "label", 'l', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->labels, "Note a label", "NAME[=VALUE]" },
    { "ulimit", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->ulimits, "A resource limit",
      "NAME=SOFT[:HARD]" },
    { "guest-memory", 0, 0, G_OPTION_ARG_FILENAME, &o->guest_memory,
      "Memory of the guest, where this makes a new one", "SIZE" },
    { "guest-cpus", 0, 0, G_OPTION_ARG_FILENAME, &o->guest_cpus, "Processors of the new guest",
      "NUMBER" },
    { "read-only", 0, 0, G_OPTION_ARG_NONE, &o->is_readonly,
      "A root that cannot be written, as in profile strict", NULL },
    { "writable", 0, DN_OPTION_VALUE_IS_OPTIONAL, G_OPTION_ARG_FILENAME, &o->writable,
      "A root that can be written for this container's life, in memory or encrypted",
      "[=memory|disk[:SIZE]]" },
    { "tmpfs", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->tmpfs, "A directory in memory",
      "PATH[:OPTIONS]" },
    { "volume", 'v', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->volumes,
      "Mount a volume, made where there is none; without NAME one of its own",
      "[NAME:]PATH[:OPTIONS]" },
    { "mount", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->volumes,
      "Likewise, by keys: type=volume|tmpfs,source=,target=,readonly", "KEY=VALUE,..." },
    { "profile", 0, 0, G_OPTION_ARG_FILENAME, &o->profile,
      "Confinement: strict, standard; or a file of your own", "NAME|FILE" },
    { "cap-add", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->cap_add, "Give a capability", "NAME" },
    { "cap-drop", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->cap_drop, "Take a capability", "NAME" },
    { "security-opt", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->security,
      "A syscall filter in Docker's format, or unconfined", "seccomp=FILE" },
    { "network", 0, 0, G_OPTION_ARG_FILENAME, &o->network,
      "none (the default), internal, egress, or a tenant network's name", "MODE" },
    { "publish", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->publish,
      "Let a port of this host lead to one of the container's; on the loopback, unless "
      "ADDRESS: is in front",
      "HOSTPORT:PORT[/udp]" },
    { "publish-all", 'P', 0, G_OPTION_ARG_NONE, &o->publishes_all,
      "Likewise for all ports that are exposed, at host ports that are free", NULL },
    { "expose", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->expose,
      "A port that its network's members may reach, besides the image's", "PORT[-PORT][/udp]" },
    { "add-host", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->add_hosts, "A line for /etc/hosts",
      "NAME:ADDRESS" },
    { "dns", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->dns,
      "A name server that its context reaches, in place of the context's own", "ADDRESS" },
    { "dns-search", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->dns_search,
      "A domain that short names are looked for in", "DOMAIN" },
    { "pull", 0, 0, G_OPTION_ARG_FILENAME, &o->pull,
      "Fetch the image: never (the default), missing, always", "WHEN" },
    { "stop-signal", 0, 0, G_OPTION_ARG_FILENAME, &o->stop_signal, "What danchi stop sends",
      "SIGNAL" },
    { "stop-timeout", 0, 0, G_OPTION_ARG_FILENAME, &o->stop_timeout,
      "Seconds until danchi stop kills; -1: as long as it takes", "SECONDS" },
    { "oom-group", 0, 0, G_OPTION_ARG_NONE, &o->ends_whole,
      "End all of its processes when one is ended for want of memory", NULL },
    { "secret", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->secrets,
      "A file in memory alone, at /run/secrets/NAME: its content, and where else",
      "NAME[=FILE][,KEY=VALUE...]" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->configs,
      "Likewise a configuration file, which all may read", "NAME[=FILE][,target=PATH...]" },
    { "init", 0, 0, G_OPTION_ARG_NONE, &o->has_init,
      "Run the command below a first process that reaps and passes signals on", NULL },
    { "restart", 0, 0, G_OPTION_ARG_FILENAME, &o->restart,
      "Start it again when it ends: no (the default), always, unless-stopped, on-failure[:N]",
      "POLICY" },
    DN_OPTION_UNBUILT ("device", 0),
    DN_OPTION_UNBUILT ("privileged", 0),
    DN_OPTION_END,
  };
  GOptionEntry limits[DN_LIMIT_OPTIONS_ROWS], health[DN_HEALTH_OPTIONS_ROWS];
  g_autoptr (GArray) all = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (; more->long_name != NULL; more++)
    g_array_append_val (all, *more);
  dn_limit_options_fill (&o->limits, limits);
  g_array_append_vals (all, limits, DN_LIMIT_OPTIONS_ROWS - 1);
  dn_health_options_fill (&o->health, health);
  g_array_append_vals (all, health, DN_HEALTH_OPTIONS_ROWS - 1);
  g_array_append_vals (all, rows, G_N_ELEMENTS (rows) - 1);
  return (GOptionEntry *) (void *) g_array_free (g_steal_pointer (&all), FALSE);
}

static gboolean
set_limits (JsonObject *args, const DnCreateOptions *o, GError **error)
{
  dn_args_set_list (args, "ulimits", o->ulimits);
  return dn_limit_options_to_args (&o->limits, args, error)
         && dn_limit_set_size (args, "guest_memory_bytes", "--guest-memory", o->guest_memory, FALSE,
                               error)
         && dn_limit_set_int (args, "guest_vcpus", "--guest-cpus", o->guest_cpus, 1, 1024, error);
}

static gboolean
set_labels (JsonObject *args, char **labels, GError **error)
{
  JsonObject *object;

  if (labels == NULL)
    return TRUE;
  object = json_object_new ();
  json_object_set_object_member (args, "labels", object);
  for (; *labels != NULL; labels++)
    {
      const char *equals = strchr (*labels, '=');
      g_autofree char *name
          = equals != NULL ? g_strndup (*labels, (gsize) (equals - *labels)) : g_strdup (*labels);

      if (*name == '\0')
        return dn_throw (error, DN_ERROR_USAGE, "--label: '%s': the name is empty", *labels);
      json_object_set_string_member (object, name, equals != NULL ? equals + 1 : "");
    }
  return TRUE;
}

static gboolean
set_security (JsonObject *args, char **options, GError **error)
{
  for (; options != NULL && *options != NULL; options++)
    {
      g_autofree char *text = NULL;

      /* Always so here; docker's users write it. */
      if (g_str_has_prefix (*options, "no-new-privileges")
          && !g_str_equal (*options, "no-new-privileges=false")
          && !g_str_equal (*options, "no-new-privileges:false"))
        continue;
      if (g_str_equal (*options, "seccomp=unconfined")
          || g_str_equal (*options, "seccomp:unconfined"))
        {
          json_object_set_string_member (args, "seccomp_json", "unconfined");
          continue;
        }
      if (!g_str_has_prefix (*options, "seccomp=") && !g_str_has_prefix (*options, "seccomp:"))
        return dn_throw (error, DN_ERROR_USAGE, "--security-opt: %s: not built yet in this version",
                         *options);
      text = dn_read_file (*options + strlen ("seccomp="), SECCOMP_FILE_MAX_BYTES, error);
      if (text == NULL)
        {
          g_prefix_error (error, "--security-opt: seccomp: ");
          return FALSE;
        }
      json_object_set_string_member (args, "seccomp_json", text);
    }
  return TRUE;
}

/* A path has a slash or the ending of such files; all else is a name of the operator's. */
static gboolean
set_profile (JsonObject *args, const char *profile, GError **error)
{
  g_autofree char *text = NULL;

  if (profile == NULL || (strchr (profile, '/') == NULL && !g_str_has_suffix (profile, ".conf")))
    {
      dn_args_set_text (args, "profile", profile);
      return TRUE;
    }
  text = dn_read_file (profile, PROFILE_FILE_MAX_BYTES, error);
  if (text == NULL)
    {
      g_prefix_error (error, "--profile: ");
      return FALSE;
    }
  json_object_set_string_member (args, "profile_text", text);
  return TRUE;
}

/* "", "memory", "disk", and a size behind either; true and false, as of a switch. */
static gboolean
set_writable (JsonObject *args, const DnCreateOptions *o, GError **error)
{
  const char *text = o->writable;
  const char *colon = text != NULL ? strchr (text, ':') : NULL;
  g_autofree char *where
      = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  gint64 bytes;
  gboolean is_on_disk;

  if (text == NULL || g_str_equal (text, "false"))
    return TRUE;
  if (o->is_readonly)
    return dn_throw (error, DN_ERROR_USAGE, "--read-only and --writable exclude each other");
  is_on_disk = g_str_equal (where, "disk");
  if (!is_on_disk && !g_str_equal (where, "memory")
      && (colon != NULL || (*text != '\0' && !g_str_equal (text, "true"))))
    return dn_throw (error, DN_ERROR_USAGE,
                     "--writable: '%s': must be memory or disk, with :SIZE behind it or not", text);
  if (colon != NULL && !dn_units_parse_size (colon + 1, &bytes, error))
    {
      g_prefix_error (error, "--writable: ");
      return FALSE;
    }
  json_object_set_boolean_member (args, "is_writable", TRUE);
  if (is_on_disk)
    json_object_set_boolean_member (args, "is_on_disk", TRUE);
  if (colon != NULL)
    json_object_set_int_member (args, "writable_bytes", bytes);
  return TRUE;
}

static gboolean
set_choices (JsonObject *args, const DnCreateOptions *o, GError **error)
{
  guint signal_number;
  gboolean is_patient;

  if (o->stop_signal != NULL && !dn_signal_parse (o->stop_signal, &signal_number, error))
    {
      g_prefix_error (error, "--stop-signal: ");
      return FALSE;
    }
  dn_args_set_text (args, "network", o->network);
  if (!set_profile (args, o->profile, error))
    return FALSE;
  dn_args_set_text (args, "stop_signal", o->stop_signal);
  dn_args_set_text (args, "restart", o->restart);
  /* -1 is as long as it takes, as Docker has it. */
  is_patient = g_strcmp0 (o->stop_timeout, "-1") == 0;
  if (is_patient)
    json_object_set_int_member (args, "stop_timeout_s", DN_EACH_PATIENT_S);
  return (is_patient
          || dn_limit_set_int (args, "stop_timeout_s", "--stop-timeout", o->stop_timeout, 0,
                               DN_EACH_PATIENT_S, error))
         && set_security (args, o->security, error);
}

static void
set_switches (JsonObject *args, const DnCli *cli, const DnCreateOptions *o)
{
  const struct
  {
    const char *name;
    gboolean is_set;
  } switches[] = {
    { "has_terminal", o->has_terminal },
    { "keeps_stdin_open", o->wants_stdin },
    { "is_removed_at_exit", o->is_removed_at_exit },
    { "is_readonly", o->is_readonly },
    { "publishes_all", o->publishes_all },
    { "has_init", o->has_init },
    { "ends_whole", o->ends_whole },
    { "allow_emulation", cli->allow_emulation },
  };

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    if (switches[i].is_set)
      json_object_set_boolean_member (args, switches[i].name, TRUE);
}

JsonObject *
dn_create_options_to_args (const DnCli *cli, DnCreateOptions *o, char **words, GError **error)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_auto (GStrv) env = dn_env_collect (o->env_files, o->env, error);

  if (env == NULL)
    return NULL;
  o->secret_sources
      = dn_secret_sources_read (o->secrets, o->configs, o->secrets_use, o->wants_stdin, error);
  if (o->secret_sources == NULL)
    return NULL;
  dn_secret_sources_fill_args (o->secret_sources, o->secrets_use, args);
  json_object_set_string_member (args, "image", words[0]);
  if (words[1] != NULL)
    dn_args_set_list (args, "command", words + 1);
  if (env[0] != NULL)
    dn_args_set_list (args, "env", env);
  if (o->entrypoint != NULL)
    {
      char *entrypoint[] = { *o->entrypoint != '\0' ? o->entrypoint : NULL, NULL };

      dn_args_set_list (args, "entrypoint", entrypoint);
    }
  dn_args_set_text (args, "context", o->context);
  dn_args_set_text (args, "tenant", o->tenant);
  dn_args_set_text (args, "stage", o->stage);
  dn_args_set_text (args, "tier", o->tier);
  dn_args_set_text (args, "name", o->name);
  dn_args_set_text (args, "hostname", o->hostname);
  dn_args_set_text (args, "user", o->user);
  dn_args_set_text (args, "working_dir", o->working_dir);
  dn_args_set_list (args, "cap_add", o->cap_add);
  dn_args_set_list (args, "cap_drop", o->cap_drop);
  dn_args_set_list (args, "tmpfs", o->tmpfs);
  dn_args_set_list (args, "volumes", o->volumes);
  dn_args_set_list (args, "publish", o->publish);
  dn_args_set_list (args, "expose", o->expose);
  dn_args_set_list (args, "add_hosts", o->add_hosts);
  dn_args_set_list (args, "dns", o->dns);
  dn_args_set_list (args, "dns_search", o->dns_search);
  set_switches (args, cli, o);
  if (!set_writable (args, o, error))
    return NULL;
  if (!set_labels (args, o->labels, error) || !set_limits (args, o, error)
      || !dn_health_options_to_args (&o->health, args, error) || !set_choices (args, o, error))
    return NULL;
  return g_steal_pointer (&args);
}
