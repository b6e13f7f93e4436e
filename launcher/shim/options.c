/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include "../common/error.h"
#include "bundle.h"

/* The value of @word: after '=', else the next of @argv. */
static gboolean
take_value (const char *word, const char *name, int argc, char **argv, int *at,
            const char **ret_value, GError **error)
{
  if (word[strlen (name)] == '=')
    *ret_value = word + strlen (name) + 1;
  else if (*at + 1 < argc)
    *ret_value = argv[++*at];
  else
    return dn_throw (error, DN_ERROR_USAGE, "-%s: a value is missing", name);
  return TRUE;
}

static gboolean
read_flag (int argc, char **argv, int *at, DnShimOptions *options, gboolean *ret_version,
           gboolean *ret_info, GError **error)
{
  const char *word = argv[*at], *ignored;
  const struct
  {
    const char *name;
    const char **value;
    gboolean *switched;
  } flags[] = {
    { "namespace", &options->name_space, NULL },
    { "address", &options->address, NULL },
    { "publish-binary", &ignored, NULL },
    { "id", &options->id, NULL },
    { "bundle", &options->bundle, NULL },
    { "socket", &ignored, NULL },
    { "debug", NULL, &options->is_debug },
    { "v", NULL, ret_version },
    { "version", NULL, ret_version },
    { "info", NULL, ret_info },
  };

  word += strspn (word, "-");
  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      gsize size = strlen (flags[i].name);

      if (strncmp (word, flags[i].name, size) != 0 || (word[size] != '\0' && word[size] != '='))
        continue;
      if (flags[i].value != NULL)
        return take_value (word, flags[i].name, argc, argv, at, flags[i].value, error);
      *flags[i].switched = !g_str_has_suffix (word, "=false");
      return TRUE;
    }
  return dn_throw (error, DN_ERROR_USAGE, "%s: there is no such flag", argv[*at]);
}

static gboolean
read_action (const char *word, DnShimOptions *options, GError **error)
{
  if (g_strcmp0 (word, "start") == 0)
    options->action = DN_ACTION_START;
  else if (g_strcmp0 (word, "delete") == 0)
    options->action = DN_ACTION_DELETE;
  else
    return dn_throw (error, DN_ERROR_USAGE, "action '%s': start and delete are known",
                     word != NULL ? word : "");
  if (!dn_shim_id_is_valid (options->id))
    return dn_throw (error, DN_ERROR_USAGE, "-id '%.80s': not valid", options->id);
  if (!dn_shim_id_is_valid (options->name_space))
    return dn_throw (error, DN_ERROR_USAGE, "-namespace '%.80s': not valid", options->name_space);
  return TRUE;
}

gboolean
dn_shim_options_read (int argc, char **argv, DnShimOptions *ret_options, GError **error)
{
  DnShimOptions options = { .name_space = "", .address = "", .id = "", .bundle = "" };
  gboolean wants_version = FALSE, wants_info = FALSE;
  const char *word = NULL;

  for (int at = 1; at < argc; at++)
    if (argv[at][0] != '-')
      word = argv[at];
    else if (!read_flag (argc, argv, &at, &options, &wants_version, &wants_info, error))
      return FALSE;
  if (wants_version || wants_info)
    options.action = wants_version ? DN_ACTION_VERSION : DN_ACTION_INFO;
  else if (!read_action (word, &options, error))
    return FALSE;
  *ret_options = options;
  return TRUE;
}
