/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <string.h>
#include <unistd.h>

#include "../common/names.h"
#include "../common/paths.h"
#include "../guest/process.h"
#include "../network/container-resolver.h"
#include "json-build.h"
#include "program-facts.h"

#ifndef DN_PREFIX
#define DN_PREFIX "/usr"
#endif

/* Takes @program; one of which no file was found is left out. */
static void
add (JsonArray *chain, JsonObject *program, const char *context)
{
  if (json_object_get_null_member (program, "path"))
    {
      json_object_unref (program);
      return;
    }
  if (context != NULL)
    json_object_set_string_member (program, "context", context);
  json_array_add_object_element (chain, program);
}

static const char *
digest_of (JsonObject *program)
{
  return json_object_get_string_member_with_default (program, "sha256", NULL);
}

/* The basename of the running program, "QEMU" being called by many. */
static void
name_after_path (JsonObject *program)
{
  const char *path = json_object_get_string_member_with_default (program, "path", NULL);
  const char *slash = path != NULL ? strrchr (path, '/') : NULL;
  g_autofree char *name = NULL;

  if (slash == NULL || slash[1] == '\0')
    return;
  name = g_strndup (slash + 1, strcspn (slash + 1, " ")); /* without " (deleted)" */
  json_object_set_string_member (program, "program", name);
}

static void
add_client (JsonArray *chain)
{
  JsonObject *program = dn_program_new ("danchi", "client", NULL);
  /* In a build tree it lies beside danchid. */
  g_autofree char *beside = g_build_filename (dn_paths ()->helpers, "danchi", NULL);

  dn_program_add_file (program, access (beside, F_OK) == 0 ? beside : DN_PREFIX "/bin/danchi");
  add (chain, program, NULL);
}

/* What reads a registry's answers, each time in a jail: no processes that last. */
static void
add_intake (JsonArray *chain)
{
  JsonObject *program = dn_program_new ("danchi-intake", "intake", DN_VERSION);
  g_autofree char *path = g_build_filename (dn_paths ()->helpers, "danchi-intake", NULL);

  dn_program_add_file (program, path);
  add (chain, program, NULL);
  program = dn_program_new ("skopeo", "intake", NULL);
  dn_program_add_file (program, "/usr/bin/skopeo");
  add (chain, program, NULL);
}

/* What has the right over the host's network; where it is a service it outlives danchid. */
static void
add_gateway (JsonArray *chain)
{
  JsonObject *program = dn_program_new ("danchi-gateway", "gateway", DN_VERSION);
  g_autofree char *path = g_build_filename (dn_paths ()->helpers, "danchi-gateway", NULL);

  dn_program_add_file (program, path);
  add (chain, program, NULL);
}

void
dn_chain_add_host (JsonArray *chain, const DnLibvirtFacts *libvirt)
{
  JsonObject *program = dn_program_new ("danchid", "daemon", DN_VERSION);

  add_client (chain);
  (void) dn_program_add_process (program, getpid ());
  add (chain, program, NULL);
  program = dn_program_new ("libvirt", "libvirt", libvirt->version);
  (void) dn_program_add_process (program, libvirt->pid);
  name_after_path (program);
  add (chain, program, NULL);
  add_intake (chain);
  add_gateway (chain);
}

/* A relay and its like go on when danchid is replaced: their version is known where their file is
 * ours. */
static void
add_confined (JsonArray *chain, const char *name, const char *role, const char *context, gint pid)
{
  JsonObject *program = dn_program_new (name, role, NULL);
  JsonObject *ours = dn_program_new (name, role, NULL);
  g_autofree char *path = g_build_filename (dn_paths ()->helpers, name, NULL);

  (void) dn_program_add_process (program, pid);
  dn_program_add_file (ours, path);
  if (digest_of (ours) != NULL && g_strcmp0 (digest_of (ours), digest_of (program)) == 0)
    json_object_set_string_member (program, "version", DN_VERSION);
  json_object_unref (ours);
  add (chain, program, context);
}

/* libvirt tells the version of the file that it would start; one that was replaced under a running
 * QEMU is another. */
static void
add_qemu (JsonArray *chain, const char *context, gint pid, const char *version)
{
  JsonObject *program = dn_program_new ("qemu", "hypervisor", NULL);
  const char *path;

  (void) dn_program_add_process (program, pid);
  name_after_path (program);
  path = json_object_get_string_member_with_default (program, "path", NULL);
  if (path != NULL && !g_str_has_suffix (path, " (deleted)"))
    dn_json_set_text_or_null (program, "version", version);
  add (chain, program, context);
}

static void
add_file (JsonArray *chain, const char *context, const char *name, const char *role,
          const char *version, const char *path)
{
  g_autofree char *shown = version != NULL ? dn_text_clean (version, 128) : NULL;
  JsonObject *program;

  if (path == NULL)
    return;
  program = dn_program_new (name, role, shown);
  dn_program_add_file (program, path);
  add (chain, program, context);
}

void
dn_chain_add_context (JsonArray *chain, DnContext *context, const DnLibvirtFacts *libvirt)
{
  g_autoptr (DnGuest) guest = NULL;
  DnGuestInfo info = { 0 };
  guint count;

  g_mutex_lock (&context->daemon->lock);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  if (guest == NULL || !dn_guest_is_running (guest))
    return;
  dn_guest_get_info (guest, &info);
  add_confined (chain, "danchi-relay", "relay", context->name, info.relay_pid);
  if (dn_guest_has_resolver (dn_guest_id (guest)))
    add_confined (chain, "danchi-resolver", "resolver", context->name,
                  dn_process_find (info.uid, "danchi-resolver"));
  add_qemu (chain, context->name, info.qemu_pid, libvirt->qemu_version);
  add_file (chain, context->name, "kernel", "guest-kernel", info.kernel, info.kernel_path);
  add_file (chain, context->name, "initramfs", "guest-initramfs", NULL, info.initrd_path);
  add_file (chain, context->name, "danchi-agent", "guest-root", info.agent_version, info.root_path);
  count = json_array_get_length (chain);
  if (info.root_path != NULL && info.root_hash != NULL && count > 0)
    json_object_set_string_member (json_array_get_object_element (chain, count - 1), "root_hash",
                                   info.root_hash);
  dn_guest_info_clear (&info);
}

JsonArray *
dn_chain_to_json (DnContext *context)
{
  g_auto (DnLibvirtFacts) libvirt = { 0 };
  JsonArray *chain = json_array_new ();

  dn_libvirt_facts_get (&libvirt);
  dn_chain_add_host (chain, &libvirt);
  if (context != NULL)
    dn_chain_add_context (chain, context, &libvirt);
  return chain;
}
