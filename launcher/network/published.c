/* SPDX-License-Identifier: Apache-2.0 */
#include "published.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/lookup.h"
#include "port-owner.h"
#include "publish-link.h"
#include "publish-process.h"

/* Ports that are tried where one is to be chosen. */
#define CHOICES 64
/* A danchi-publish that ends again and again is started so often a minute. */
#define RESTARTS_A_MINUTE 10

/* A socket on the host. */
typedef struct
{
  char container[DN_ID_BYTES + 1];
  char guest[DN_ID_BYTES + 1]; /* "": reserved */
  DnHostPort host;
  guint16 port; /* the container's */
  DnPublishTarget target;
  int fd; /* owned; -1 once it is handed over */
} Published;

static GMutex lock;
/* Under the lock: */
static GPtrArray *all;    /* Published, owned */
static GHashTable *links; /* guest's id → DnPublishLink, a reference */
static gint64 restarts_us[RESTARTS_A_MINUTE];
static guint restart_at;
/* Over a guest's link: making it, calls on it, ending it; taken before the lock.  Of many guests
 * one has one, so that a danchi-publish that does not answer holds up hardly anybody else. */
static GMutex link_locks[64];

static void serve_again (DnPublishLink *link, gpointer data);

static void
free_published (gpointer data)
{
  Published *one = data;

  dn_fd_clear (&one->fd);
  g_free (one);
}

static void
lock_table (void)
{
  g_mutex_lock (&lock);
  if (all != NULL)
    return;
  all = g_ptr_array_new_with_free_func (free_published);
  links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify) dn_publish_link_unref);
}

static GMutex *
link_lock_of (const char *guest)
{
  return &link_locks[g_str_hash (guest) % G_N_ELEMENTS (link_locks)];
}

static char *
show (const DnHostPort *host)
{
  char address[INET6_ADDRSTRLEN] = "?";
  g_autofree char *place = NULL;

  (void) inet_ntop (host->family == 4 ? AF_INET : AF_INET6, host->address, address, sizeof address);
  place = dn_port_format_host (address, host->port);
  return g_strdup_printf ("%s/%s", place, dn_port_protocol (host->is_udp));
}

/* The id of the container that has the port, on any address. */
static char *
find_holder (guint16 port, gboolean is_udp)
{
  char *found = NULL;

  lock_table ();
  for (guint i = 0; i < all->len && found == NULL; i++)
    {
      const Published *one = all->pdata[i];

      if (one->host.port == port && one->host.is_udp == is_udp)
        found = g_strdup (one->container);
    }
  g_mutex_unlock (&lock);
  return found;
}

/* "container 'web'", "nginx (pid 7)", or "another program": what the caller may know. */
static char *
name_holder (DnDaemon *daemon, const DnRequest *request, const DnHostPort *host)
{
  g_autofree char *id = find_holder (host->port, host->is_udp);
  gboolean is_root = request == NULL || request->caller->uid == 0;
  const DnPortSought sought = { .port = host->port, .is_udp = host->is_udp };
  DnPortOwner owner;
  char *words = NULL;

  g_mutex_lock (&daemon->lock);
  if (id != NULL)
    {
      const DnContainer *container = g_hash_table_lookup (daemon->containers, id);

      words = container != NULL
                      && (is_root || dn_lookup_sees ((DnRequest *) request, container->context))
                  ? g_strdup_printf ("container '%s'", container->name)
                  : g_strdup ("another container");
    }
  g_mutex_unlock (&daemon->lock);
  if (words == NULL && is_root && dn_port_owner_find (&sought, &owner))
    words = g_strdup_printf ("%s (pid %d)", owner.name, owner.pid);
  return words != NULL ? words : g_strdup ("another program");
}

static gboolean
refuse (DnDaemon *daemon, const DnRequest *request, const DnHostPort *host, DnListenResult result,
        GError **error)
{
  g_autofree char *place = show (host);
  g_autofree char *holder = NULL;

  if (result == DN_LISTEN_FAILED)
    {
      g_prefix_error (error, "--publish: ");
      return FALSE;
    }
  g_clear_error (error);
  if (result == DN_LISTEN_NO_ADDRESS)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "--publish: %s: this host has no such address\nsee ip address; without an "
                     "address it is the loopback",
                     place);
  holder = name_holder (daemon, request, host);
  return dn_throw (error, DN_ERROR_CONFLICT,
                   "--publish: %s: %s has this port\nchoose another one, or leave the host port "
                   "out: one that is free is taken",
                   place, holder);
}

/* All addresses of one host port.  @ret_at: which could not be had. */
static DnListenResult
bind_port (const DnPort *port, guint16 number, GPtrArray *bound, DnHostPort *ret_at, GError **error)
{
  DnHostPort hosts[2];
  guint count = dn_port_hosts (port, hosts), before = bound->len;

  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GError) why = NULL;
      DnListenResult result;
      Published *one;
      int fd = -1;

      hosts[i].port = number;
      result = dn_publish_sockets_listen (&hosts[i], &fd, &why);
      if (result == DN_LISTEN_NO_ADDRESS && i > 0)
        continue; /* a host without IPv6 */
      if (result != DN_LISTEN_DONE)
        {
          *ret_at = hosts[i];
          g_ptr_array_set_size (bound, (gint) before);
          g_propagate_error (error, g_steal_pointer (&why));
          return result;
        }
      one = g_new0 (Published, 1);
      one->host = hosts[i];
      one->port = port->container;
      one->fd = fd;
      g_ptr_array_add (bound, one);
    }
  return DN_LISTEN_DONE;
}

/* The one host port, or one of several. */
static gboolean
choose_port (DnDaemon *daemon, const DnRequest *request, const DnPort *port, GPtrArray *bound,
             GError **error)
{
  guint first = port->host_first, last = port->host_last;
  guint tries = first == 0 ? CHOICES : 1 + last - first;
  DnListenResult result = DN_LISTEN_IN_USE;
  DnHostPort at = { 0 };

  for (guint i = 0; i < tries && result == DN_LISTEN_IN_USE; i++)
    {
      guint number
          = first != 0 ? first + i : (guint) g_random_int_range (DN_PORT_CHOSEN_FIRST, 65536);

      g_clear_error (error);
      result = bind_port (port, (guint16) number, bound, &at, error);
    }
  if (result == DN_LISTEN_DONE)
    return TRUE;
  if (result != DN_LISTEN_IN_USE || tries == 1)
    return refuse (daemon, request, &at, result, error);
  g_clear_error (error);
  return dn_throw (error, DN_ERROR_CONFLICT,
                   "--publish: %s: no port of %u to %u is free\nname others",
                   dn_port_protocol (port->is_udp), first != 0 ? first : DN_PORT_CHOSEN_FIRST,
                   first != 0 ? last : 65535);
}

gboolean
dn_published_reserve (DnDaemon *daemon, const DnPublishWish *wish, GError **error)
{
  g_autoptr (GPtrArray) bound = g_ptr_array_new_with_free_func (free_published);

  dn_published_drop (wish->container);
  for (guint i = 0; i < wish->ports->len; i++)
    if (!choose_port (daemon, wish->request, &g_array_index (wish->ports, DnPort, i), bound, error))
      return FALSE;
  lock_table ();
  while (bound->len > 0)
    {
      Published *one = g_ptr_array_steal_index (bound, 0);

      g_strlcpy (one->container, wish->container, sizeof one->container);
      g_ptr_array_add (all, one);
    }
  g_mutex_unlock (&lock);
  return TRUE;
}

/* Under the link's lock. (transfer full) */
static DnPublishLink *
open_link (DnGuest *guest, GError **error)
{
  const char *id = dn_guest_id (guest);
  DnPublishLink *link;

  lock_table ();
  link = g_hash_table_lookup (links, id);
  if (link != NULL)
    (void) dn_publish_link_ref (link);
  g_mutex_unlock (&lock);
  if (link != NULL)
    return link;
  link = dn_publish_link_open (guest, serve_again, NULL, error);
  if (link == NULL)
    return NULL;
  lock_table ();
  g_hash_table_insert (links, g_strdup (id), dn_publish_link_ref (link));
  g_mutex_unlock (&lock);
  return link;
}

static gboolean
hand_over (DnPublishLink *link, const Published *one, GError **error)
{
  DnMsgPublishAdd order = { .is_udp = (guint8) one->host.is_udp,
                            .family = (guint8) one->target.family,
                            .port = one->port };

  memcpy (order.container, one->container, sizeof order.container);
  memcpy (order.address, one->target.address, sizeof order.address);
  return dn_publish_link_add (link, &order, one->fd, error);
}

/* Takes the next of @container that is reserved, marked as served by @guest; its descriptor is the
 * caller's. */
static gboolean
take_reserved (const char *container, const char *guest, const DnPublishTarget *target,
               Published *ret_one)
{
  gboolean is_found = FALSE;

  lock_table ();
  for (guint i = 0; i < all->len && !is_found; i++)
    {
      Published *one = all->pdata[i];

      if (one->fd < 0 || strcmp (one->container, container) != 0)
        continue;
      g_strlcpy (one->guest, guest, sizeof one->guest);
      one->target = *target;
      *ret_one = *one;
      one->fd = -1;
      is_found = TRUE;
    }
  g_mutex_unlock (&lock);
  return is_found;
}

static gboolean
serve (const char *container, DnGuest *guest, const DnPublishTarget *target, GError **error)
{
  g_autoptr (DnPublishLink) link = open_link (guest, error);
  Published one;

  if (link == NULL)
    return FALSE;
  while (take_reserved (container, dn_guest_id (guest), target, &one))
    {
      gboolean is_handed_over = hand_over (link, &one, error);

      dn_fd_clear (&one.fd);
      if (!is_handed_over)
        return FALSE;
    }
  return TRUE;
}

gboolean
dn_published_serve (const char *container, DnGuest *guest, const DnPublishTarget *target,
                    GError **error)
{
  GMutex *link_lock = link_lock_of (dn_guest_id (guest));
  gboolean is_served;

  g_mutex_lock (link_lock);
  is_served = serve (container, guest, target, error);
  g_mutex_unlock (link_lock);
  return is_served;
}

/* Under the lock: whether any of a guest's, or a container's, ports is served. */
static gboolean
has_any (const char *guest, const char *container)
{
  for (guint i = 0; i < all->len; i++)
    {
      const Published *one = all->pdata[i];

      if (*one->guest != '\0' && (guest == NULL || strcmp (one->guest, guest) == 0)
          && (container == NULL || strcmp (one->container, container) == 0))
        return TRUE;
    }
  return FALSE;
}

gboolean
dn_published_has_guest (const char *guest)
{
  gboolean is_there;

  lock_table ();
  is_there = has_any (guest, NULL);
  g_mutex_unlock (&lock);
  return is_there;
}

static void
note_served (DnGuest *guest, const DnMsgPublishPort *port)
{
  Published *one = g_new0 (Published, 1);

  g_strlcpy (one->container, port->container, sizeof one->container);
  g_strlcpy (one->guest, dn_guest_id (guest), sizeof one->guest);
  one->host = (DnHostPort){ .family = port->host_family,
                            .port = port->host_port,
                            .is_udp = port->is_udp };
  memcpy (one->host.address, port->host_address, sizeof one->host.address);
  one->port = port->port;
  one->target.family = port->family;
  memcpy (one->target.address, port->address, sizeof one->target.address);
  one->fd = -1;
  g_ptr_array_add (all, one);
}

/* What a living danchi-publish serves, whoever it is for: learnt once. */
static void
learn (DnGuest *guest)
{
  g_autoptr (DnPublishLink) link = NULL;
  g_autoptr (GArray) ports = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_known;

  lock_table ();
  is_known = g_hash_table_contains (links, dn_guest_id (guest));
  g_mutex_unlock (&lock);
  if (is_known || !dn_publish_process_is_alive (dn_guest_id (guest)))
    return;
  link = open_link (guest, &error);
  ports = link != NULL ? dn_publish_link_list (link, &error) : NULL;
  if (ports == NULL)
    {
      g_warning ("guest '%s': published ports: %s", dn_guest_id (guest), error->message);
      return;
    }
  lock_table ();
  for (guint i = 0; i < ports->len; i++)
    note_served (guest, &g_array_index (ports, DnMsgPublishPort, i));
  g_mutex_unlock (&lock);
}

gboolean
dn_published_resume (const char *container, DnGuest *guest)
{
  GMutex *link_lock = link_lock_of (dn_guest_id (guest));
  gboolean is_served;

  g_mutex_lock (link_lock);
  learn (guest);
  g_mutex_unlock (link_lock);
  lock_table ();
  is_served = has_any (dn_guest_id (guest), container);
  g_mutex_unlock (&lock);
  return is_served;
}

/* Under the lock: takes a container's rows out. @ret_guest: that serves some of it, or "". */
static void
take_out (const char *container, char ret_guest[DN_ID_BYTES + 1])
{
  ret_guest[0] = '\0';
  for (guint i = all->len; i-- > 0;)
    {
      const Published *one = all->pdata[i];

      if (strcmp (one->container, container) != 0)
        continue;
      if (*one->guest != '\0')
        g_strlcpy (ret_guest, one->guest, DN_ID_BYTES + 1);
      g_ptr_array_remove_index (all, i);
    }
}

/* Under the link's lock. */
static void
stop_serving (const char *container, const char *guest)
{
  g_autoptr (DnPublishLink) link = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_last;

  lock_table ();
  link = g_hash_table_lookup (links, guest);
  if (link != NULL)
    (void) dn_publish_link_ref (link);
  is_last = link != NULL && !has_any (guest, NULL);
  if (is_last)
    (void) g_hash_table_remove (links, guest);
  g_mutex_unlock (&lock);
  /* One that is ending has closed its ports already; that it does not answer is no news. */
  if (is_last)
    dn_publish_link_quit (link);
  else if (link != NULL && !dn_publish_link_remove (link, container, &error))
    g_debug ("container %s: published ports: %s", container, error->message);
}

void
dn_published_drop (const char *container)
{
  char guest[DN_ID_BYTES + 1];

  lock_table ();
  take_out (container, guest);
  g_mutex_unlock (&lock);
  if (*guest == '\0')
    return;
  g_mutex_lock (link_lock_of (guest));
  stop_serving (container, guest);
  g_mutex_unlock (link_lock_of (guest));
}

/* Under the lock: whether it may be started again by now. */
static gboolean
may_restart (void)
{
  gint64 now_us = g_get_monotonic_time ();

  if (restarts_us[restart_at] != 0 && now_us - restarts_us[restart_at] < G_TIME_SPAN_MINUTE)
    return FALSE;
  restarts_us[restart_at] = now_us;
  restart_at = (restart_at + 1) % RESTARTS_A_MINUTE;
  return TRUE;
}

/* (transfer full) (element-type Published): copies of what @guest's danchi-publish had */
static GArray *
copy_served (const char *guest)
{
  GArray *served = g_array_new (FALSE, FALSE, sizeof (Published));

  lock_table ();
  for (guint i = 0; i < all->len; i++)
    {
      const Published *one = all->pdata[i];

      if (strcmp (one->guest, guest) == 0)
        g_array_append_vals (served, one, 1);
    }
  g_mutex_unlock (&lock);
  return served;
}

/* Binds and hands over anew what was lost with a danchi-publish.  Another program may have been
 * quicker: that port is lost, the others are not. */
static void
restore (DnGuest *guest, const GArray *served)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnPublishLink) link = open_link (guest, &error);

  if (link == NULL)
    {
      g_warning ("guest '%s': published ports: %s", dn_guest_id (guest), error->message);
      return;
    }
  for (guint i = 0; i < served->len; i++)
    {
      Published one = g_array_index (served, Published, i);
      g_autofree char *place = show (&one.host);

      g_clear_error (&error);
      one.fd = -1;
      if (dn_publish_sockets_listen (&one.host, &one.fd, &error) != DN_LISTEN_DONE
          || !hand_over (link, &one, &error))
        g_warning ("container %s: published port %s is lost: %s", one.container, place,
                   error->message);
      dn_fd_clear (&one.fd);
    }
}

/* On the link's thread.  It ended by itself, was killed, or its guest is at its end. */
static void
serve_again (DnPublishLink *link, gpointer data)
{
  DnGuest *guest = dn_publish_link_guest (link);
  const char *id = dn_guest_id (guest);
  g_autoptr (GArray) served = NULL;
  GMutex *link_lock = link_lock_of (id);
  gboolean is_ours;

  (void) data;
  g_mutex_lock (link_lock);
  lock_table ();
  is_ours = g_hash_table_lookup (links, id) == link;
  if (is_ours)
    (void) g_hash_table_remove (links, id);
  g_mutex_unlock (&lock);
  served = copy_served (id);
  if (is_ours && served->len > 0 && dn_guest_is_running (guest))
    {
      gboolean may;

      lock_table ();
      may = may_restart ();
      g_mutex_unlock (&lock);
      g_warning ("guest '%s': danchi-publish has ended%s", id,
                 may ? "; it is started again" : " too often: its ports are closed");
      if (may)
        restore (guest, served);
    }
  g_mutex_unlock (link_lock);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const Published *one = *(Published *const *) a, *other = *(Published *const *) b;

  if (one->port != other->port)
    return one->port < other->port ? -1 : 1;
  if (one->host.is_udp != other->host.is_udp)
    return one->host.is_udp ? 1 : -1;
  if (one->host.family != other->host.family)
    return one->host.family < other->host.family ? -1 : 1;
  return one->host.port < other->host.port ? -1 : one->host.port > other->host.port;
}

JsonArray *
dn_published_to_json (const char *container)
{
  g_autoptr (GPtrArray) own = g_ptr_array_new ();
  JsonArray *array = json_array_new ();

  lock_table ();
  for (guint i = 0; i < all->len; i++)
    if (strcmp (((Published *) all->pdata[i])->container, container) == 0)
      g_ptr_array_add (own, all->pdata[i]);
  g_ptr_array_sort (own, compare);
  for (guint i = 0; i < own->len; i++)
    {
      const Published *one = own->pdata[i];
      JsonObject *object = json_object_new ();
      char address[INET6_ADDRSTRLEN] = "";

      (void) inet_ntop (one->host.family == 4 ? AF_INET : AF_INET6, one->host.address, address,
                        sizeof address);
      json_object_set_string_member (object, "address", address);
      json_object_set_int_member (object, "host_port", one->host.port);
      json_object_set_int_member (object, "port", one->port);
      json_object_set_string_member (object, "protocol", dn_port_protocol (one->host.is_udp));
      json_array_add_object_element (array, object);
    }
  g_mutex_unlock (&lock);
  return array;
}
