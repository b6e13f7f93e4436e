/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/spec*.c launcher/spec/options*.c launcher/spec/restart-policy.c
   launcher/spec/health-times.c launcher/spec/profile*.c launcher/spec/u*t.c
   launcher/spec/c[ap]*.c launcher/spec/env.c launcher/common/names.c
   launcher/common/secret-spec.c launcher/spec/secrets-check.c launcher/spec/tmpfs.c
   launcher/spec/mount-*.c launcher/spec/quantity.c launcher/common/signal-name.c
   launcher/common/[ej]*.c launcher/spec/admission*.c launcher/spec/placement.c
   launcher/spec/terms.c launcher/spec/bind-policy.c launcher/spec/signing-key.c
   launcher/spec/reference-glob.c launcher/spec/policy.c launcher/common/key-*.c
   launcher/common/paths.c launcher/spec/network-*.c launcher/spec/port-spec.c
   launcher/base/network-rule.c launcher/base/public-address.c */
/* Packages: glib-2.0 gio-unix-2.0 json-glib-1.0 libseccomp libvirt */

/* An image's config, hostile: lines of one letter (User, Working directory, Entrypoint,
 * eNvironment, Cmd) and a value.  Whatever it says, the container has no capability, no_new_privs,
 * and an id from its own range. */
#include <stdint.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/spec/profile-store.h"
#include "../../launcher/spec/spec.h"

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  char *words[WORDS_MAX]; /* borrowed; ends with NULL */
  guint count;
} Words;

static void
add_word (Words *words, char *word)
{
  if (words->count < WORDS_MAX - 1)
    words->words[words->count++] = word;
}

static void
check (JsonNode *spec)
{
  JsonObject *process = json_object_get_object_member (json_node_get_object (spec), "process");
  JsonObject *user = json_object_get_object_member (process, "user");
  JsonObject *capabilities = json_object_get_object_member (process, "capabilities");

  if (!json_object_get_boolean_member (process, "noNewPrivileges"))
    g_error ("new privileges");
  if (json_array_get_length (json_object_get_array_member (capabilities, "bounding")) != 0)
    g_error ("a capability");
  if (json_object_get_int_member (user, "uid") > 65535
      || json_object_get_int_member (user, "gid") > 65535)
    g_error ("an id outside the range");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, MIN (size, 8192));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (DnContainerOptions) options = dn_container_options_read (args, NULL);
  Words entrypoint = { 0 }, env = { 0 }, cmd = { 0 };
  DnImageConfig image = { .entrypoint = entrypoint.words, .env = env.words, .cmd = cmd.words };
  static DnProfile *profile;
  g_autoptr (JsonNode) spec = NULL;

  if (profile == NULL)
    {
      dn_paths_override ("config", NULL, NULL);
      profile = dn_profile_load ("strict", NULL, NULL);
      g_assert (profile != NULL);
    }
  /* danchid refuses other fields of an image before it gets here. */
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  for (guint i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++)
    switch (lines[i][0])
      {
      case 'U':
        image.user = lines[i] + 1;
        break;
      case 'W':
        image.working_dir = lines[i] + 1;
        break;
      case 'E':
        add_word (&entrypoint, lines[i] + 1);
        break;
      case 'N':
        add_word (&env, lines[i] + 1);
        break;
      default:
        add_word (&cmd, lines[i] + 1);
      }
  spec = dn_spec_build (options, profile, &image, "0123456789abcdef0123456789abcdef", 165536, NULL);
  if (spec != NULL)
    check (spec);
  return 0;
}
