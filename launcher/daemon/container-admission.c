/* SPDX-License-Identifier: Apache-2.0 */
#include "container-admission.h"

#include <string.h>

#include "../binds/bind-owner.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../images/image-scan.h"
#include "../images/reference.h"
#include "../images/signature.h"
#include "../spec/mount-spec.h"
#include "../spec/port-spec.h"
#include "../spec/profile-file.h"
#include "../spec/profile-store.h"
#include "lookup.h"
#include "settings-file.h"

#define SHORT_HASH_BYTES 12

/* What the rules are asked about; owned here, borrowed by the tables beside it. */
typedef struct
{
  DnContextDefinition definition;
  char *error;          /* of its file */
  char *file;           /* NULL: an ephemeral context's */
  DnSettings *settings; /* a reference; of now */
  DnImage *image;       /* a reference */
  char **references;
  char **digests;
  GPtrArray *signatures; /* of char ** */
  char *scan_words;
  GPtrArray *mounts; /* a reference; DnMountSpec */
  DnAdmissionBind *binds;
  guint n_binds;
  char *home;
  GArray *ports; /* of DnAdmissionPort */
  DnAdmissionRequest request;
  DnAdmissionContext context;
  DnAdmissionHost host;
  DnAdmissionImage image_facts;
  DnAdmission all;
} Facts;

static void
clear_facts (Facts *facts)
{
  dn_context_definition_clear (&facts->definition);
  g_free (facts->error);
  g_free (facts->file);
  g_clear_pointer (&facts->settings, dn_settings_unref);
  g_clear_pointer (&facts->image, dn_image_unref);
  g_strfreev (facts->references);
  g_strfreev (facts->digests);
  g_clear_pointer (&facts->signatures, g_ptr_array_unref);
  g_free (facts->scan_words);
  g_clear_pointer (&facts->mounts, g_ptr_array_unref);
  g_free (facts->binds);
  g_free (facts->home);
  g_clear_pointer (&facts->ports, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Facts, clear_facts)

/* As it is now: what the operator took away a moment ago is not given any more. */
static void
collect_context (DnContext *context, Facts *facts)
{
  DnContextDefinition *definition = &facts->definition;

  if (!context->is_ephemeral)
    dn_context_refresh_one (context->daemon, context->name);
  else
    dn_settings_refresh (context->daemon);
  g_mutex_lock (&context->daemon->lock);
  dn_context_definition_copy (&context->definition, definition);
  facts->error = g_strdup (context->error);
  facts->settings = dn_settings_ref (context->daemon->settings);
  g_mutex_unlock (&context->daemon->lock);
  if (!context->is_ephemeral)
    facts->file = dn_context_file_path (context->name);
  facts->context = (DnAdmissionContext){ .name = context->name,
                                         .error = facts->error,
                                         .labels = dn_context_definition_labels (definition),
                                         .policy = &definition->policy,
                                         .terms = &definition->terms,
                                         .network = &definition->network,
                                         .file = facts->file,
                                         .guest_places = definition->guest_origin.places,
                                         .places = definition->origin.places };
  facts->host = (DnAdmissionHost){ .accepts = facts->settings->accepts,
                                   .networks = facts->settings->networks,
                                   .network = facts->settings->network.mode,
                                   .file = facts->settings->file,
                                   .places = facts->settings->places,
                                   .default_places = definition->origin.settings->places };
  facts->all = (DnAdmission){ .request = &facts->request,
                              .context = &facts->context,
                              .host = &facts->host,
                              .image = &facts->image_facts };
}

/* An image goes by the name that it was asked for by, also when that is another's meanwhile: the
 * container keeps its image. */
static void
collect_image (DnContainer *container, Facts *facts)
{
  const char *asked = container->image;
  const char *digits = g_str_has_prefix (asked, "sha256:") ? asked + strlen ("sha256:") : asked;
  g_autofree char *name = dn_reference_normalise (asked, NULL);
  g_autoptr (GStrvBuilder) digests = g_strv_builder_new ();
  const DnImage *image = facts->image;
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);
  gboolean is_by_id
      = g_str_has_prefix (container->image_id, digits)
        && (name == NULL || !g_strv_contains ((const char *const *) image->names, name));

  g_strv_builder_add (digests, image->id);
  if (image->manifest_sha256 != NULL)
    g_strv_builder_add (digests, image->manifest_sha256);
  for (guint i = 0; i < image->sources->len; i++)
    g_strv_builder_add (digests, ((DnImageSource *) image->sources->pdata[i])->archive);
  facts->digests = g_strv_builder_end (digests);
  if (is_by_id || name == NULL)
    facts->references = g_strdupv (image->names);
  else
    {
      facts->references = g_new0 (char *, 2);
      facts->references[0] = g_steal_pointer (&name);
    }
  facts->signatures = dn_signature_keys (provenance);
  facts->scan_words = dn_image_scan_words (image, &facts->settings->scan);
  facts->image_facts
      = (DnAdmissionImage){ .asked = asked,
                            .references = facts->references,
                            .is_by_id = is_by_id && strlen (digits) == DN_DIGEST_DIGITS,
                            .digests = facts->digests,
                            .signatures = facts->signatures,
                            .scan = dn_image_scan_need (image, &facts->settings->scan),
                            .scan_words = facts->scan_words };
}

/* One for each socket that it comes to. */
static void
add_ports (Facts *facts, const char *text, const GArray *ports)
{
  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);
      gboolean is_chosen = port->host_first == 0;
      DnHostPort hosts[2];
      guint count = dn_port_hosts (port, hosts);

      for (guint j = 0; j < count; j++)
        {
          DnAdmissionPort asked = { .text = text,
                                    .family = hosts[j].family,
                                    .ports = { is_chosen ? DN_PORT_CHOSEN_FIRST : port->host_first,
                                               is_chosen ? G_MAXUINT16 : port->host_last } };

          memcpy (asked.address, hosts[j].address, sizeof asked.address);
          g_array_append_val (facts->ports, asked);
        }
    }
}

/* --publish, and what --publish-all would choose. */
static gboolean
collect_ports (const DnContainerOptions *options, Facts *facts, GError **error)
{
  facts->ports = g_array_new (FALSE, FALSE, sizeof (DnAdmissionPort));
  for (char **text = options->publish; text != NULL && *text != NULL; text++)
    {
      g_autoptr (GArray) ports = dn_ports_new ();

      if (!dn_port_parse (*text, ports, error))
        return FALSE;
      add_ports (facts, *text, ports);
    }
  if (options->publishes_all)
    {
      const DnPort chosen = { .container = 1 };
      g_autoptr (GArray) ports = dn_ports_new ();

      g_array_append_val (ports, chosen);
      add_ports (facts, "(all that is exposed)", ports);
    }
  return TRUE;
}

DnProfile *
dn_container_read_profile (DnContext *context, const DnContainerOptions *options, GError **error)
{
  g_autofree char *name = NULL;

  if (options->profile_text != NULL)
    return dn_profile_parse (options->profile_text, strlen (options->profile_text), "--profile",
                             error);
  if (options->profile != NULL)
    return dn_profile_load (options->profile, NULL, error);
  g_mutex_lock (&context->daemon->lock);
  name = g_strdup (context->definition.policy.profile);
  g_mutex_unlock (&context->daemon->lock);
  return dn_profile_load (name, NULL, error);
}

/* What of the host's it asks for, and whose home "~" is: its maker's, whoever starts it. (transfer
 * full) */
static gboolean
collect_binds (const DnContainer *container, const DnContainerOptions *options, Facts *facts,
               GError **error)
{
  g_autoptr (GArray) binds = g_array_new (FALSE, FALSE, sizeof (DnAdmissionBind));

  facts->mounts = dn_mount_specs_parse (options->volumes, options->tmpfs, error);
  if (facts->mounts == NULL)
    return FALSE;
  for (guint i = 0; i < facts->mounts->len; i++)
    {
      const DnMountSpec *spec = facts->mounts->pdata[i];
      const DnAdmissionBind bind = { spec->source, !spec->is_readonly };

      if (spec->kind == DN_MOUNT_BIND)
        g_array_append_val (binds, bind);
    }
  if (binds->len > 0)
    facts->home = dn_bind_owner_home (container->owner_uid);
  facts->n_binds = binds->len;
  facts->binds = (DnAdmissionBind *) g_array_free (g_steal_pointer (&binds), FALSE);
  return TRUE;
}

gboolean
dn_container_admit (DnContainer *container, const DnContainerOptions *options, DnRequest *request,
                    DnVerdict *ret_verdict, GError **error)
{
  g_auto (Facts) facts = { 0 };
  g_autoptr (GPtrArray) permitted
      = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_profile_free);
  const DnPaths *paths = dn_paths ();
  const char *const own[] = { paths->config, paths->state, paths->run, NULL };
  g_auto (GStrv) operators = options->profile_text != NULL ? dn_profile_list () : NULL;

  *ret_verdict = (DnVerdict){ 0 };
  collect_context (container->context, &facts);
  facts.image = dn_store_find_id (container->daemon->store, container->image_id);
  if (facts.image == NULL)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "image '%s': is not in the store any more",
                     container->image);
  collect_image (container, &facts);
  if (!collect_binds (container, options, &facts, error) || !collect_ports (options, &facts, error))
    return FALSE;
  facts.request = (DnAdmissionRequest){
    .labels = { .values = { options->tenant, options->stage, options->tier } },
    .network = options->network,
    .is_of_tenant = request == NULL || dn_lookup_is_of_tenant (request, facts.definition.tenant),
    .binds = facts.binds,
    .n_binds = facts.n_binds,
    .home = facts.home,
    .own = own,
    .ports = (const DnAdmissionPort *) (const void *) facts.ports->data,
    .n_ports = facts.ports->len,
    .profile = container->profile,
    .is_own = options->profile_text != NULL,
    .permitted = permitted,
    .operators = operators,
    .cap_add = options->cap_add,
    .cap_drop = options->cap_drop,
    .seccomp_json = options->seccomp_json
  };
  for (char **name = facts.definition.policy.profiles; facts.request.is_own && *name != NULL;
       name++)
    {
      DnProfile *profile = dn_profile_load (*name, NULL, error);

      if (profile == NULL)
        return FALSE;
      g_ptr_array_add (permitted, profile);
    }
  return dn_admission_decide (&facts.all, ret_verdict, error);
}

gboolean
dn_context_check_host (DnContext *context, GError **error)
{
  g_auto (Facts) facts = { 0 };

  collect_context (context, &facts);
  return dn_admission_check_host (&facts.all, error);
}

JsonObject *
dn_container_profile_to_json (const DnContainer *container)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", container->profile->name);
  json_object_set_int_member (object, "version", (gint64) container->profile->version);
  json_object_set_string_member (object, "sha256", container->profile->sha256);
  json_object_set_boolean_member (object, "is_own", container->options->profile_text != NULL);
  return object;
}

char *
dn_container_profile_words (const DnContainer *container)
{
  return g_strdup_printf ("%s/%" G_GUINT64_FORMAT " %.*s", container->profile->name,
                          container->profile->version, SHORT_HASH_BYTES,
                          container->profile->sha256);
}
