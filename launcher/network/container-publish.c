/* SPDX-License-Identifier: Apache-2.0 */
#include "container-publish.h"

#include <string.h>

#include "../common/error.h"
#include "published.h"
#include "registry.h"

static gboolean
has_port (const GArray *ports, const DnPort *wanted)
{
  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);

      if (port->container == wanted->container && port->is_udp == wanted->is_udp)
        return TRUE;
    }
  return FALSE;
}

/* An image's words decide nothing here but at which ports of itself a container is reached, on the
 * loopback; what is no port is passed over. */
static gboolean
add_exposed (char **texts, gboolean is_image, GArray *ports, GError **error)
{
  g_autoptr (GArray) exposed = dn_ports_new ();

  for (; texts != NULL && *texts != NULL; texts++)
    if (!dn_port_parse_exposed (*texts, "--expose", exposed, is_image ? NULL : error) && !is_image)
      return FALSE;
  for (guint i = 0; i < exposed->len; i++)
    {
      const DnPort *port = &g_array_index (exposed, DnPort, i);

      if (has_port (ports, port))
        continue;
      if (ports->len >= DN_PORTS_MAX)
        return dn_throw (error, DN_ERROR_LIMIT,
                         "--publish-all: more than %d ports are exposed\nname those that are "
                         "needed with --publish",
                         DN_PORTS_MAX);
      g_array_append_vals (ports, port, 1);
    }
  return TRUE;
}

GArray *
dn_container_publish_wishes (const DnContainerOptions *options, const DnImage *image,
                             GError **error)
{
  g_autoptr (GArray) ports = dn_ports_parse (options->publish, error);

  if (ports == NULL
      || (options->publishes_all
          && !(add_exposed (options->expose, FALSE, ports, error)
               && add_exposed (image != NULL ? image->exposed_ports : NULL, TRUE, ports, error))))
    return NULL;
  return g_steal_pointer (&ports);
}

static gboolean
check_card (DnContainer *container, GError **error)
{
  gboolean has_card;

  g_mutex_lock (&container->daemon->lock);
  has_card = dn_network_policy_has_card (&container->context->definition.network);
  g_mutex_unlock (&container->daemon->lock);
  return has_card
         || dn_throw (error, DN_ERROR_DENIED,
                      "--publish: context '%s' has no network\nset [network] mode = internal in "
                      "its file, for published ports alone, or egress; it holds from the next "
                      "start of its guest on",
                      container->context->name);
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_autoptr (GArray) ports = dn_container_publish_wishes (start->options, start->image, error);
  const DnPublishWish wish
      = { .container = start->container->id, .request = start->request, .ports = ports };

  if (ports == NULL)
    return FALSE;
  if (ports->len == 0)
    return TRUE;
  return check_card (start->container, error)
         && dn_published_reserve (start->container->daemon, &wish, error);
}

/* By IPv4, which every card has. */
static gboolean
find_target (const char *container, DnPublishTarget *ret_target, GError **error)
{
  g_autoptr (DnNetworkMember) member
      = dn_network_registry_find (dn_network_registry_get (), container);

  if (member == NULL || !member->has_card)
    return dn_throw (error, DN_ERROR_FAILED,
                     "--publish: the container has no network card\nits context's network has "
                     "changed: stop its guest with danchi context stop");
  *ret_target = (DnPublishTarget){ .family = 4 };
  memcpy (ret_target->address, &member->address4, sizeof member->address4);
  return TRUE;
}

static gboolean
serve (DnContainer *container, DnGuest *guest, GError **error)
{
  DnPublishTarget target;

  return find_target (container->id, &target, error)
         && dn_published_serve (container->id, guest, &target, error);
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  g_autoptr (GArray) ports = dn_container_publish_wishes (start->options, start->image, error);

  return ports != NULL && (ports->len == 0 || serve (start->container, start->guest, error));
}

/* danchi-publish has gone on by itself, and with it its ports.  Where it has not, they are bound
 * anew; those that were chosen are others then. */
static void
resume (DnContainer *container, DnGuest *guest)
{
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ports = dn_container_publish_wishes (options, image, &error);
  const DnPublishWish wish = { .container = container->id, .ports = ports };

  if (ports == NULL || ports->len == 0 || dn_published_resume (container->id, guest))
    return;
  if (!dn_published_reserve (container->daemon, &wish, &error) || !serve (container, guest, &error))
    g_warning ("container %s: %s", container->id, error->message);
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  (void) guest;
  dn_published_drop (container->id);
}

JsonArray *
dn_container_publish_to_json (const DnContainer *container)
{
  return dn_published_to_json (container->id);
}

const DnContainerPart dn_container_publish_part = {
  .name = "publish",
  .prepare = prepare,
  .enter = enter,
  .resume = resume,
  .leave = leave,
};
