/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that only look. */
#include <fcntl.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"
#include "container-call.h"
#include "container-json.h"
#include "lookup.h"
#include "verbs.h"

#define ASK_TIMEOUT_MS 10000
/* Entries of one TOP: as many as a guest's process table could be asked to hold. */
#define TOP_ENTRIES_MAX 4096
#define EVENTS_WAIT_MS 200

DN_VERB (container_list)
{
  gboolean all = FALSE;
  g_auto (GStrv) filters = NULL;
  const DnJsonField fields[] = {
    { "all", DN_JSON_BOOL, FALSE, &all },
    { "filters", DN_JSON_STRINGS, FALSE, &filters },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (GPtrArray) containers = NULL;
  JsonObject *ok;
  JsonArray *array;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error) || !dn_container_check_filters (filters, error))
    return NULL;
  /* As docker has it: whoever asks for a status means also those that do not run. */
  for (guint i = 0; filters != NULL && filters[i] != NULL; i++)
    all = all || g_str_has_prefix (filters[i], "status=");
  array = json_array_new ();
  containers = dn_lookup_containers (request);
  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      if ((all || !dn_container_wait_ended (container, 0))
          && dn_container_matches (container, filters))
        json_array_add_object_element (array, dn_container_summary (container));
    }
  ok = json_object_new ();
  json_object_set_array_member (ok, "containers", array);
  return ok;
}

DN_VERB (container_logs)
{
  g_autoptr (DnContainer) container = dn_verb_read_container (request, error);
  JsonObject *ok;

  if (container == NULL)
    return NULL;
  for (guint half = 0; half < 2; half++)
    {
      g_autofree char *path = dn_container_log_path (container, half);
      int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

      if (fd < 0)
        {
          dn_throw_errno (error, "log '%s'", path);
          dn_fd_list_clear (ret_fds);
          return NULL;
        }
      ret_fds->fds[ret_fds->count++] = fd;
    }
  ok = json_object_new ();
  json_object_set_boolean_member (ok, "is_running", !dn_container_wait_ended (container, 0));
  return ok;
}

/* What a guest wrote is cleaned; the states are letters of the kernel's. */
static void
take_top (guint16 type, const guint8 *payload, guint32 size, gpointer data)
{
  JsonArray *processes = data;
  DnMsgTopEntry entry;
  JsonObject *object;
  g_autofree char *command = NULL;

  if (type != DN_MSG_TOP_ENTRY || dn_msg_top_entry_unpack (payload, size, &entry) != 0
      || json_array_get_length (processes) >= TOP_ENTRIES_MAX)
    return;
  object = json_object_new ();
  command = dn_text_clean (entry.command, DN_COMMAND_BYTES);
  json_object_set_int_member (object, "pid", entry.pid);
  json_object_set_int_member (object, "ppid", entry.ppid);
  json_object_set_int_member (object, "uid", entry.uid);
  json_object_set_string_member (
      object, "state", (char[]){ g_ascii_isalpha (entry.state) ? (char) entry.state : '?', '\0' });
  json_object_set_int_member (object, "cpu_us", (gint64) entry.cpu_us);
  json_object_set_int_member (object, "rss_bytes", (gint64) entry.rss_bytes);
  json_object_set_int_member (object, "started_us", (gint64) entry.started_us);
  json_object_set_string_member (object, "command", command);
  json_array_add_object_element (processes, object);
}

DN_VERB (container_top)
{
  g_autoptr (DnContainer) container = dn_verb_read_container (request, error);
  g_autoptr (DnGuest) guest = container != NULL ? dn_container_get_guest (container, error) : NULL;
  g_autoptr (JsonArray) processes = json_array_new ();
  DnMsgTop message = { 0 };
  DnGuestCall call = { .type = DN_MSG_TOP,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_top_pack,
                       .timeout_ms = ASK_TIMEOUT_MS,
                       .answer = take_top,
                       .answer_data = processes };
  JsonObject *ok;

  (void) ret_fds;
  if (guest == NULL)
    return NULL;
  g_strlcpy (message.container, container->id, sizeof message.container);
  if (!dn_guest_call (guest, &call, error))
    return NULL;
  ok = json_object_new ();
  json_object_set_array_member (ok, "processes", g_steal_pointer (&processes));
  return ok;
}

DN_VERB (events)
{
  DnEvents *events = request->daemon->events;
  gint64 since_us = -1;
  gboolean follow = FALSE, is_first = TRUE;
  const DnJsonField fields[] = {
    { "since_us", DN_JSON_INT, FALSE, &since_us },
    { "follow", DN_JSON_BOOL, FALSE, &follow },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  guint64 cursor;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  cursor = dn_events_find (events, since_us);
  while (is_first || (follow && !dn_request_is_gone (request)))
    {
      guint64 missed;
      g_autoptr (GPtrArray) taken
          = dn_events_take (events, &cursor, follow ? EVENTS_WAIT_MS : 0, &missed);

      is_first = FALSE;
      if (missed > 0)
        g_message ("events: a client is too slow: %" G_GUINT64_FORMAT " events are lost to it",
                   missed);
      if (taken->len > 0)
        dn_lookup_refresh (request);
      for (guint i = 0; i < taken->len; i++)
        if (dn_lookup_sees_event (request, taken->pdata[i])
            && !dn_request_event (request, taken->pdata[i], NULL, error))
          return NULL;
    }
  return json_object_new ();
}
