/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that make or start a container, or put a process into one. */
#include "../common/error.h"
#include "../secrets/secrets-part.h"
#include "../volumes/volume-part.h"
#include "container-call.h"
#include "container-end.h"
#include "container-start.h"
#include "gate.h"
#include "lookup.h"
#include "verbs.h"

#define EXEC_TIMEOUT_MS 60000

static gboolean
read_size (gint64 rows, gint64 columns, DnContainerStart *start, GError **error)
{
  if (rows < 0 || rows > G_MAXUINT16 || columns < 0 || columns > G_MAXUINT16)
    return dn_throw (error, DN_ERROR_USAGE, "rows and columns: must be from 0 to %d", G_MAXUINT16);
  start->rows = (guint16) rows;
  start->columns = (guint16) columns;
  return TRUE;
}

static void
add_trace (DnRequest *request, JsonObject *ok, gboolean wants_trace)
{
  if (wants_trace)
    json_object_set_object_member (ok, "trace", dn_trace_to_json (request->trace));
}

/* The descriptors of a request are the keys of these volumes. */
static gboolean
take_keys (const DnRequest *request, char **names, DnContainerStart *start, GError **error)
{
  guint count = names != NULL ? g_strv_length (names) : 0;

  start->volume_keys = names;
  return request->fds.count == count
         || dn_throw (error, DN_ERROR_USAGE,
                      "volume_keys: %u of them, and %u descriptors came along", count,
                      (guint) request->fds.count);
}

/* Everything of container-run that is not a container's option. */
static gboolean
split_run_args (DnRequest *request, DnContainerStart *start, gboolean *ret_trace,
                char ***ret_contents, char ***ret_keys, JsonObject **ret_options, GError **error)
{
  static const char *const names[]
      = { "attach", "rows", "columns", "trace", "contents", "volume_keys" };
  g_autoptr (JsonObject) own = json_object_new ();
  g_autoptr (JsonObject) options = json_object_new ();
  g_auto (GStrv) attach = NULL;
  gint64 rows = 0, columns = 0;
  const DnJsonField fields[] = {
    { "attach", DN_JSON_STRINGS, FALSE, &attach },
    { "rows", DN_JSON_INT, FALSE, &rows },
    { "columns", DN_JSON_INT, FALSE, &columns },
    { "trace", DN_JSON_BOOL, FALSE, ret_trace },
    { "contents", DN_JSON_STRINGS, FALSE, ret_contents },
    { "volume_keys", DN_JSON_STRINGS, FALSE, ret_keys },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (GError) local = NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, request->args);
  while (json_object_iter_next (&iter, &name, &node))
    {
      gboolean is_own = FALSE;

      for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
        is_own = is_own || g_str_equal (names[i], name);
      json_object_set_member (is_own ? own : options, name, json_node_ref (node));
    }
  if (!dn_json_read (own, fields, "request", &local))
    return dn_throw (error, DN_ERROR_USAGE, "%s", local->message);
  start->contents = *ret_contents;
  *ret_options = g_steal_pointer (&options);
  return dn_verb_read_attach (attach, &start->session, error)
         && read_size (rows, columns, start, error) && take_keys (request, *ret_keys, start, error);
}

static JsonObject *
answer_created (DnContainer *container)
{
  JsonObject *ok = dn_verb_answer (container);

  json_object_set_string_member (ok, "context", container->context->name);
  return ok;
}

DN_VERB (container_create)
{
  DnContainerOptions *options = dn_container_options_read (request->args, error);
  g_autoptr (DnContainer) container = NULL;

  (void) ret_fds;
  if (options == NULL)
    return NULL;
  container = dn_container_create (request, options, FALSE, error);
  return container != NULL ? answer_created (container) : NULL;
}

DN_VERB (container_run)
{
  DnContainerStart start = { 0 };
  gboolean wants_trace = FALSE, is_fine;
  g_auto (GStrv) contents = NULL;
  g_autoptr (JsonObject) args = NULL;
  g_auto (GStrv) keys = NULL;
  g_autoptr (DnContainer) container = NULL;
  DnContainerOptions *options;
  JsonObject *ok;

  if (!split_run_args (request, &start, &wants_trace, &contents, &keys, &args, error))
    return NULL;
  options = dn_container_options_read (args, error);
  if (options == NULL)
    return NULL;
  container = dn_container_create (request, options, TRUE, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  is_fine = dn_container_start (container, &start, request, ret_fds, error);
  if (is_fine)
    dn_restart_started (container, FALSE);
  else
    dn_container_forget (container);
  g_mutex_unlock (&container->op_lock);
  if (!is_fine)
    return NULL;
  ok = answer_created (container);
  add_trace (request, ok, wants_trace);
  return ok;
}

DN_VERB (container_start)
{
  DnContainerStart start = { 0 };
  gboolean wants_trace = FALSE, is_fine;
  g_autofree char *name = NULL;
  g_auto (GStrv) attach = NULL, contents = NULL, keys = NULL;
  gint64 rows = 0, columns = 0;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "attach", DN_JSON_STRINGS, FALSE, &attach },
    { "contents", DN_JSON_STRINGS, FALSE, &contents },
    { "volume_keys", DN_JSON_STRINGS, FALSE, &keys },
    { "rows", DN_JSON_INT, FALSE, &rows },
    { "columns", DN_JSON_INT, FALSE, &columns },
    { "trace", DN_JSON_BOOL, FALSE, &wants_trace },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &start.allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  JsonObject *ok;

  if (!dn_request_read (request, fields, error)
      || !dn_verb_read_attach (attach, &start.session, error)
      || !read_size (rows, columns, &start, error) || !take_keys (request, keys, &start, error)
      || !dn_gate_may_emulate (request, start.allow_emulation, error))
    return NULL;
  start.contents = contents;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  dn_container_hurry (container);
  g_mutex_lock (&container->op_lock);
  is_fine = dn_container_start (container, &start, request, ret_fds, error);
  if (is_fine)
    dn_restart_started (container, FALSE);
  g_mutex_unlock (&container->op_lock);
  if (!is_fine)
    return NULL;
  ok = dn_verb_answer (container);
  add_trace (request, ok, wants_trace);
  return ok;
}

/* With op_lock held: what of the container would not come again by itself stays in its guest. */
static gboolean
hold (DnContainer *container, gboolean *ret_is_held, GError **error)
{
  if (!dn_secrets_hold (container, ret_is_held, error))
    return FALSE;
  *ret_is_held = *ret_is_held || dn_volume_holds_key (container);
  return TRUE;
}

DN_VERB (container_restart)
{
  g_autofree char *name = NULL, *text = NULL;
  g_auto (GStrv) keys = NULL;
  gint64 timeout_s = -1;
  DnContainerStart start = { 0 };
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "signal", DN_JSON_STRING, FALSE, &text },
    { "timeout_s", DN_JSON_INT, FALSE, &timeout_s },
    { "volume_keys", DN_JSON_STRINGS, FALSE, &keys },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &start.allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  gboolean is_fine, is_held = FALSE;
  int number = 0;

  if (!dn_request_read (request, fields, error) || !take_keys (request, keys, &start, error)
      || (text != NULL && !dn_verb_read_signal (text, &number, error))
      || !dn_gate_may_emulate (request, start.allow_emulation, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL)
    return NULL;
  g_mutex_lock (&container->op_lock);
  /* One that has ended is not stopped, which would give back what is kept for its policy. */
  is_fine = hold (container, &is_held, error)
            && (dn_container_wait_ended (container, 0)
                || dn_container_stop (container, number, timeout_s, error));
  /* Nothing of its end happens before op_lock is free. */
  if (is_fine && is_held)
    dn_restart_hold (container);
  is_fine = is_fine && dn_container_start (container, &start, request, ret_fds, error);
  if (is_fine)
    dn_restart_started (container, FALSE);
  else
    dn_restart_let_go (container);
  g_mutex_unlock (&container->op_lock);
  if (!is_fine)
    return NULL;
  dn_container_event (container, "restart", NULL);
  return dn_verb_answer (container);
}

DN_VERB (container_attach)
{
  g_autofree char *name = NULL;
  g_auto (GStrv) attach = NULL;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &name },
    { "attach", DN_JSON_STRINGS, FALSE, &attach },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnContainer) container = NULL;
  guint32 session;
  JsonObject *ok;

  if (!dn_request_read (request, fields, error) || !dn_verb_read_attach (attach, &session, error))
    return NULL;
  container = dn_lookup_container (request, name, error);
  if (container == NULL || !dn_container_attach (container, session, ret_fds, error))
    return NULL;
  dn_container_event (container, "attach", NULL);
  ok = json_object_new ();
  json_object_set_string_member (ok, "id", container->id);
  g_mutex_lock (&request->daemon->lock);
  json_object_set_boolean_member (ok, "terminal", container->options->has_terminal);
  g_mutex_unlock (&request->daemon->lock);
  return ok;
}

typedef struct
{
  char *container; /* owned, as are all */
  char **command;
  char **env;
  char *user;
  JsonArray *groups;
  char **capabilities;
  char *working_dir;
  gboolean has_terminal;
  DnContainerStart start;
} Exec;

static void
clear_exec (Exec *exec)
{
  g_free (exec->container);
  g_strfreev (exec->command);
  g_strfreev (exec->env);
  g_free (exec->user);
  g_clear_pointer (&exec->groups, json_array_unref);
  g_strfreev (exec->capabilities);
  g_free (exec->working_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exec, clear_exec)

static gboolean
read_exec (DnRequest *request, Exec *exec, GError **error)
{
  g_auto (GStrv) attach = NULL;
  gint64 rows = 0, columns = 0;
  const DnJsonField fields[] = {
    { "container", DN_JSON_STRING, TRUE, &exec->container },
    { "command", DN_JSON_STRINGS, TRUE, &exec->command },
    { "env", DN_JSON_STRINGS, FALSE, &exec->env },
    { "user", DN_JSON_STRING, FALSE, &exec->user },
    { "groups", DN_JSON_ARRAY, FALSE, &exec->groups },
    { "capabilities", DN_JSON_STRINGS, FALSE, &exec->capabilities },
    { "working_dir", DN_JSON_STRING, FALSE, &exec->working_dir },
    { "terminal", DN_JSON_BOOL, FALSE, &exec->has_terminal },
    { "attach", DN_JSON_STRINGS, FALSE, &attach },
    { "rows", DN_JSON_INT, FALSE, &rows },
    { "columns", DN_JSON_INT, FALSE, &columns },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_request_read (request, fields, error)
      || !dn_verb_read_attach (attach, &exec->start.session, error)
      || !read_size (rows, columns, &exec->start, error))
    return FALSE;
  if (exec->command[0] == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "exec: no command given");
  return TRUE;
}

static gboolean
call_exec (DnContainer *container, const Exec *exec, DnGuest *guest, DnMsgExec *message,
           GError **error)
{
  g_autoptr (JsonNode) spec = dn_container_build_spec (container, container->slot, error);
  g_autoptr (JsonNode) process = NULL;
  g_autofree char *config = NULL;
  const DnSpecExec wish = { .command = exec->command,
                            .env = exec->env,
                            .user = exec->user,
                            .groups = exec->groups,
                            .capabilities = exec->capabilities,
                            .working_dir = exec->working_dir,
                            .has_terminal = exec->has_terminal };
  DnGuestCall call = { .type = DN_MSG_EXEC,
                       .message = message,
                       .pack = (DnPackFunc) dn_msg_exec_pack,
                       .timeout_ms = EXEC_TIMEOUT_MS };

  if (spec == NULL)
    return FALSE;
  process = dn_spec_build_exec (spec, &wish, error);
  if (process == NULL)
    return FALSE;
  config = dn_json_to_text (process, FALSE);
  call.config = config;
  return dn_guest_call (guest, &call, error);
}

static gboolean
run_exec (DnContainer *container, const Exec *exec, DnGuest *guest, guint32 number,
          DnFdList *ret_fds, GError **error)
{
  static const int no_logs[2] = { -1, -1 };
  DnMsgExec message
      = { .process = number,
          .streams = dn_guest_take_streams (guest),
          .rows = exec->start.rows,
          .columns = exec->start.columns,
          .flags = (exec->has_terminal ? DN_PROCESS_TERMINAL : 0)
                   | ((exec->start.session & DN_SESSION_STDIN) != 0 ? DN_PROCESS_STDIN : 0) };
  DnMsgProcess process = { .process = number, .streams = message.streams, .flags = message.flags };

  g_strlcpy (message.container, container->id, sizeof message.container);
  g_strlcpy (process.container, container->id, sizeof process.container);
  if (!dn_guest_add_process (guest, &process, no_logs, error))
    return FALSE;
  if ((exec->start.session == 0
       || dn_guest_open_session (guest, container->id, number, exec->start.session, ret_fds, error))
      && call_exec (container, exec, guest, &message, error))
    return TRUE;
  (void) dn_guest_forget_process (guest, container->id, number, NULL);
  dn_fd_list_clear (ret_fds);
  return FALSE;
}

DN_VERB (container_exec)
{
  g_auto (Exec) exec = { 0 };
  g_autoptr (DnContainer) container = NULL;
  g_autoptr (DnGuest) guest = NULL;
  g_autofree char *number_text = NULL;
  guint32 number;
  gboolean is_paused;
  JsonObject *ok;

  if (!read_exec (request, &exec, error))
    return NULL;
  container = dn_lookup_container (request, exec.container, error);
  if (container == NULL)
    return NULL;
  guest = dn_container_get_guest (container, error);
  if (guest == NULL)
    return NULL;
  g_mutex_lock (&request->daemon->lock);
  is_paused = container->state == DN_CONTAINER_PAUSED;
  number = container->next_process++;
  g_mutex_unlock (&request->daemon->lock);
  if (is_paused)
    {
      dn_throw (error, DN_ERROR_CONFLICT, "container '%s': is paused\nuse danchi unpause first",
                container->name);
      return NULL;
    }
  if (!run_exec (container, &exec, guest, number, ret_fds, error))
    return NULL;
  number_text = g_strdup_printf ("%u", number);
  dn_container_event (container, "exec", (const char *const[]){ "process", number_text, NULL });
  ok = json_object_new ();
  json_object_set_int_member (ok, "process", number);
  return ok;
}
