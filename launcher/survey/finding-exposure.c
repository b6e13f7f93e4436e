/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the host besides Danchi: machines, runtimes, listeners. */
#include <string.h>

#include "../cli/answer.h"
#include "finding-private.h"
#include "runtime.h"
#include "service.h"

static gboolean
has_text (JsonObject *object, const char *name, const char *text)
{
  return g_str_equal (dn_answer_text (object, name), text);
}

typedef void (*EachFunc) (DnFindingLook *look, JsonObject *object);

static void
each (DnFindingLook *look, const char *list, EachFunc func)
{
  JsonArray *array = dn_answer_array (look->document, list);

  for (guint i = 0; i < dn_answer_length (array); i++)
    if (dn_answer_nth (array, i) != NULL)
      func (look, dn_answer_nth (array, i));
}

static void
find_foreign (DnFindingLook *look, JsonObject *machine)
{
  if (!dn_answer_is (machine, "is_danchi") && has_text (machine, "source", "libvirt"))
    dn_finding_add (look, dn_answer_text (machine, "name"), NULL,
                    "a virtual machine of libvirt's that is not Danchi's");
}

void
dn_find_machine_foreign (DnFindingLook *look)
{
  each (look, "machines", find_foreign);
}

static void
find_unmanaged (DnFindingLook *look, JsonObject *machine)
{
  if (!dn_answer_is (machine, "is_danchi") && has_text (machine, "source", "process"))
    dn_finding_add (look, dn_answer_text (machine, "name"), NULL,
                    "a virtual machine that libvirt does not know (%s, pid %" G_GINT64_FORMAT ")",
                    dn_answer_text (machine, "hypervisor"), dn_answer_int (machine, "pid", 0));
}

void
dn_find_machine_unmanaged (DnFindingLook *look)
{
  each (look, "machines", find_unmanaged);
}

static void
find_root (DnFindingLook *look, JsonObject *machine)
{
  const char *context = dn_answer_text (machine, "context");

  if (dn_finding_is_known (machine, "uid") && dn_answer_int (machine, "uid", -1) == 0)
    dn_finding_add (look, dn_answer_text (machine, "name"), *context != '\0' ? context : NULL,
                    "its hypervisor runs as root (pid %" G_GINT64_FORMAT ")",
                    dn_answer_int (machine, "pid", 0));
}

void
dn_find_machine_root (DnFindingLook *look)
{
  each (look, "machines", find_root);
}

static void
find_process (DnFindingLook *look, JsonObject *runtime, DnRuntimeRole role, const char *what)
{
  if (has_text (runtime, "kind", "process")
      && dn_runtime_role (dn_answer_text (runtime, "name")) == role)
    dn_finding_add (look, dn_answer_text (runtime, "name"), NULL,
                    "%s (pid %" G_GINT64_FORMAT ", uid %" G_GINT64_FORMAT ", '%s')", what,
                    dn_answer_int (runtime, "pid", 0), dn_answer_int (runtime, "uid", 0),
                    dn_answer_text (runtime, "path"));
}

static void
find_container (DnFindingLook *look, JsonObject *runtime)
{
  find_process (look, runtime, DN_RUNTIME_CONTAINER, "a container runs on the host's own kernel");
}

static void
find_manager (DnFindingLook *look, JsonObject *runtime)
{
  find_process (look, runtime, DN_RUNTIME_MANAGER,
                "a runtime that starts containers on the host's own kernel");
}

static void
find_namespace (DnFindingLook *look, JsonObject *runtime)
{
  find_process (look, runtime, DN_RUNTIME_NAMESPACE,
                "processes with pids of their own, as in a container, on the host's own kernel");
}

void
dn_find_runtime_namespace (DnFindingLook *look)
{
  each (look, "runtimes", find_namespace);
}

void
dn_find_runtime_container (DnFindingLook *look)
{
  each (look, "runtimes", find_container);
}

void
dn_find_runtime_manager (DnFindingLook *look)
{
  each (look, "runtimes", find_manager);
}

static gboolean
is_open_to_all (JsonObject *runtime)
{
  return (g_ascii_strtoull (dn_answer_text (runtime, "mode"), NULL, 8) & 0002) != 0;
}

static void
find_socket (DnFindingLook *look, JsonObject *runtime)
{
  if (has_text (runtime, "kind", "socket") && !is_open_to_all (runtime))
    dn_finding_add (look, dn_answer_text (runtime, "path"), NULL,
                    "socket of %s: whoever may write to it (mode %s, owner %" G_GINT64_FORMAT
                    ") starts containers on the host's own kernel",
                    dn_answer_text (runtime, "name"), dn_answer_text (runtime, "mode"),
                    dn_answer_int (runtime, "uid", 0));
}

static void
find_socket_open (DnFindingLook *look, JsonObject *runtime)
{
  if (has_text (runtime, "kind", "socket") && is_open_to_all (runtime))
    dn_finding_add (look, dn_answer_text (runtime, "path"), NULL,
                    "socket of %s that every user may write to (mode %s): each of them has the "
                    "runtime's rights",
                    dn_answer_text (runtime, "name"), dn_answer_text (runtime, "mode"));
}

void
dn_find_runtime_socket (DnFindingLook *look)
{
  each (look, "runtimes", find_socket);
}

void
dn_find_runtime_socket_open (DnFindingLook *look)
{
  each (look, "runtimes", find_socket_open);
}

/* What a listener is good for; one that is no service of the table is NONE. */
typedef enum
{
  USE_NONE,
  USE_CONTROL_OPEN,
  USE_CONTROL,
  USE_DATA_OPEN,
  USE_DATA,
} Use;

static Use
use_of (JsonObject *listener)
{
  const DnService *service = dn_service_find_name (dn_answer_text (listener, "service"));

  if (service == NULL)
    return USE_NONE;
  if (service->kind == DN_SERVICE_CONTROL)
    return service->is_open ? USE_CONTROL_OPEN : USE_CONTROL;
  return service->is_open ? USE_DATA_OPEN : USE_DATA;
}

static void
add_listener (DnFindingLook *look, JsonObject *listener, const char *why)
{
  const char *service = dn_answer_text (listener, "service");
  const char *process = dn_answer_text (listener, "process");
  g_autofree char *place = g_strdup_printf (
      strchr (dn_answer_text (listener, "address"), ':') != NULL ? "[%s]:%" G_GINT64_FORMAT
                                                                 : "%s:%" G_GINT64_FORMAT,
      dn_answer_text (listener, "address"), dn_answer_int (listener, "port", 0));
  g_autofree char *subject
      = g_strdup_printf ("%s %s", *service != '\0' ? service : "listener", place);
  g_autofree char *who = *process != '\0' ? g_strdup_printf ("'%s', pid %" G_GINT64_FORMAT, process,
                                                             dn_answer_int (listener, "pid", 0))
                                          : g_strdup ("process not known");

  dn_finding_add (look, subject, NULL, "%s (%s, %s)", why, dn_answer_text (listener, "protocol"),
                  who);
}

static gboolean
is_exposed (JsonObject *listener)
{
  return !has_text (listener, "exposure", "loopback");
}

static void
find_control_open (DnFindingLook *look, JsonObject *listener)
{
  if (use_of (listener) == USE_CONTROL_OPEN && is_exposed (listener))
    add_listener (look, listener,
                  "on the network, and asks for no authentication unless it is configured to: who "
                  "reaches it may control this host");
}

static void
find_control_local (DnFindingLook *look, JsonObject *listener)
{
  if (use_of (listener) == USE_CONTROL_OPEN && !is_exposed (listener))
    add_listener (look, listener,
                  "asks for no authentication unless it is configured to: every user of this host "
                  "may control it");
}

static void
find_control_exposed (DnFindingLook *look, JsonObject *listener)
{
  if (use_of (listener) == USE_CONTROL && is_exposed (listener))
    add_listener (look, listener, "a control interface on the network");
}

static void
find_data_open (DnFindingLook *look, JsonObject *listener)
{
  if (use_of (listener) == USE_DATA_OPEN && is_exposed (listener))
    add_listener (look, listener,
                  "on the network, and asks for no authentication unless it is configured to");
}

static void
find_data_local (DnFindingLook *look, JsonObject *listener)
{
  if (use_of (listener) == USE_DATA_OPEN && !is_exposed (listener))
    add_listener (look, listener,
                  "asks for no authentication unless it is configured to: every user of this host "
                  "may use it");
}

static void
find_exposed (DnFindingLook *look, JsonObject *listener)
{
  Use use = use_of (listener);

  if ((use == USE_NONE || use == USE_DATA) && has_text (listener, "exposure", "all"))
    add_listener (look, listener, "listens on all addresses of this host");
}

void
dn_find_control_open (DnFindingLook *look)
{
  each (look, "listeners", find_control_open);
}

void
dn_find_control_local (DnFindingLook *look)
{
  each (look, "listeners", find_control_local);
}

void
dn_find_control_exposed (DnFindingLook *look)
{
  each (look, "listeners", find_control_exposed);
}

void
dn_find_data_open (DnFindingLook *look)
{
  each (look, "listeners", find_data_open);
}

void
dn_find_data_local (DnFindingLook *look)
{
  each (look, "listeners", find_data_local);
}

void
dn_find_listener_exposed (DnFindingLook *look)
{
  each (look, "listeners", find_exposed);
}
