/* SPDX-License-Identifier: Apache-2.0 */
#include "forensics.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../guest/hypervisor.h"
#include "capture.h"
#include "container-json.h"
#include "context-freeze.h"
#include "daemon-record.h"
#include "forensics-directory.h"
#include "forensics-mounts.h"
#include "verify-subjects.h"

/* For the guest's own word, before it is frozen. */
#define VERIFY_TIMEOUT_US (5 * G_USEC_PER_SEC)
#define LIBVIRT_QEMU_LOGS "/var/log/libvirt/qemu"
/* Over the guest's memory: device memory, and the notes of the core file. */
#define DUMP_EXTRA_BYTES (64 * 1024 * 1024)

typedef struct
{
  DnCapture capture;
  DnContext *context;
  const DnForensics *plan;
  DnGuest *guest;        /* owned, or NULL: none runs */
  DnGuestInfo info;      /* of it */
  GPtrArray *containers; /* owned */
  JsonObject *mounts;    /* owned; theirs, when it began */
  char *how;             /* owned; how it was frozen, or NULL */
  char *problem;         /* owned; what was asked for and could not be had, or NULL */
  gint64 frozen_us;
  gint64 thawed_us;
} Forensics;

static void
step (Forensics *f, const char *what)
{
  f->capture.request->steps++;
  dn_request_progress (f->capture.request, what, 0, 0);
}

static void
clear (Forensics *f)
{
  dn_capture_clear (&f->capture);
  g_clear_pointer (&f->guest, dn_guest_unref);
  g_clear_pointer (&f->containers, g_ptr_array_unref);
  g_clear_pointer (&f->mounts, json_object_unref);
  dn_guest_info_clear (&f->info);
  g_clear_pointer (&f->how, g_free);
  g_clear_pointer (&f->problem, g_free);
}

static void
look (Forensics *f)
{
  DnDaemon *daemon = f->context->daemon;
  g_autoptr (GPtrArray) all = dn_container_list (daemon);

  f->containers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_container_unref);
  for (guint i = 0; i < all->len; i++)
    if (((DnContainer *) all->pdata[i])->context == f->context)
      g_ptr_array_add (f->containers, dn_container_ref (all->pdata[i]));
  f->mounts = dn_forensics_mounts (f->containers);
  g_mutex_lock (&daemon->lock);
  if (f->context->guest != NULL)
    f->guest = dn_guest_ref (f->context->guest);
  g_mutex_unlock (&daemon->lock);
  if (f->guest != NULL)
    dn_guest_get_info (f->guest, &f->info);
}

/* What the guest promised and what it says: its last word before it stands still. */
static gboolean
save_verify (Forensics *f, GError **error)
{
  char *names[] = { f->context->name, NULL };
  g_autoptr (DnVerifySubjects) subjects = NULL;
  g_autoptr (GError) problem = NULL;
  JsonObject *report;
  JsonArray *notes;

  step (f, "ask the guest how it is confined");
  subjects = dn_verify_subjects_choose (f->capture.request, names, &problem);
  if (subjects == NULL)
    {
      dn_capture_miss (&f->capture, "verify.json", problem->message);
      return TRUE;
    }
  report
      = dn_verify_run (f->context->daemon, subjects, g_get_monotonic_time () + VERIFY_TIMEOUT_US);
  notes = json_object_get_array_member (report, "notes");
  for (guint i = 0; i < json_array_get_length (notes); i++)
    dn_capture_miss (&f->capture, "verify.json: the guest's own word",
                     json_array_get_string_element (notes, i));
  return dn_capture_object (&f->capture, "verify.json", report, error);
}

static gboolean
freeze (Forensics *f, GError **error)
{
  if (f->plan->is_live)
    return TRUE;
  step (f, "freeze the guest");
  if (!dn_context_freeze (f->context, !f->plan->is_frozen_after, &f->how, error))
    return FALSE;
  f->frozen_us = g_get_real_time ();
  return TRUE;
}

/* A file of /proc, whose size is 0 and which has to be read at once. */
static gboolean
save_proc (Forensics *f, const char *name, const char *file, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", f->info.qemu_pid, file);
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;
  gsize size;

  if (g_file_get_contents (path, &text, &size, &problem))
    return dn_capture_text (&f->capture, name, text, size, error);
  dn_capture_miss (&f->capture, name, problem->message);
  return TRUE;
}

static gboolean
save_xml (Forensics *f, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *xml = dn_guest_get_xml (f->guest, &problem);

  if (xml != NULL)
    return dn_capture_text (&f->capture, "domain.xml", xml, strlen (xml), error);
  dn_capture_miss (&f->capture, "domain.xml", problem->message);
  return TRUE;
}

static gboolean
save_guest (Forensics *f, GError **error)
{
  const char *id = dn_guest_id (f->guest);
  g_autofree char *ring = g_build_filename (dn_paths ()->run, "guests", id, "console.ring", NULL);
  g_autofree char *journal = g_strdup_printf ("%s/journal/%s.json", dn_paths ()->run, id);
  g_autofree char *relay = g_strdup_printf ("%s/log/relay-%s.log", dn_paths ()->state, id);
  g_autofree char *qemu = g_strdup_printf (LIBVIRT_QEMU_LOGS "/danchi-%s.log", id);
  g_autofree char *scratch = dn_guest_scratch_path (id);

  /* First what QEMU's end would take along. */
  return save_proc (f, "qemu/cmdline", "cmdline", error)
         && save_proc (f, "qemu/status", "status", error) && save_xml (f, error)
         && dn_capture_file (&f->capture, "console.ring", ring, error)
         && dn_capture_file (&f->capture, "journal.json", journal, error)
         && dn_capture_file (&f->capture, "relay.log", relay, error)
         && dn_capture_file (&f->capture, "qemu/libvirt.log", qemu, error)
         && dn_capture_directory (&f->capture, "disks", scratch, error);
}

static gboolean
save_container (Forensics *f, DnContainer *container, GHashTable *images, GError **error)
{
  DnStore *store = container->daemon->store;
  g_autoptr (DnImage) image = dn_store_find_id (store, container->image_id);
  g_autofree char *prefix = g_build_filename ("containers", container->id, NULL);
  g_autofree char *facts = g_build_filename (prefix, "inspect.json", NULL);
  g_autofree char *name = g_strdup_printf ("images/%s.json", container->image_id);
  g_autoptr (JsonNode) node = NULL;

  if (!dn_capture_object (&f->capture, facts, dn_container_inspect (container), error)
      || !dn_capture_directory (&f->capture, prefix, container->directory, error))
    return FALSE;
  if (image == NULL || !g_hash_table_add (images, g_strdup (container->image_id)))
    return TRUE;
  node = dn_image_to_json (image);
  return dn_capture_object (&f->capture, name, json_node_dup_object (node), error);
}

static gboolean
save_records (Forensics *f, GError **error)
{
  g_autofree char *log = g_build_filename (dn_paths ()->state, "log", NULL);
  g_autofree char *events = g_build_filename (log, "events.jsonl", NULL);
  g_autofree char *older = g_build_filename (log, "events.1.jsonl", NULL);
  g_autofree char *audit = g_build_filename (dn_paths ()->state, "audit", NULL);
  g_autoptr (GDir) records = g_dir_open (audit, 0, NULL);
  const char *entry, *name = f->context->name, *anchor = f->context->daemon->record->anchor;

  if ((g_file_test (older, G_FILE_TEST_EXISTS)
       && !dn_capture_lines (&f->capture, "events.1.jsonl", older, name, error))
      || !dn_capture_lines (&f->capture, "events.jsonl", events, name, error))
    return FALSE;
  if (records == NULL)
    dn_capture_miss (&f->capture, "audit", "none: this danchid keeps no audit record");
  while (records != NULL && (entry = g_dir_read_name (records)) != NULL)
    {
      g_autofree char *path = g_build_filename (audit, entry, NULL);
      g_autofree char *file = g_build_filename ("audit", entry, NULL);

      if (entry[0] != '.' && g_str_has_suffix (entry, ".jsonl")
          && !dn_capture_lines (&f->capture, file, path, name, error))
        return FALSE;
    }
  /* The record's head at this moment: with it the whole record can be held to the excerpt later. */
  return !g_file_test (anchor, G_FILE_TEST_EXISTS)
         || dn_capture_file (&f->capture, "audit/anchor", anchor, error);
}

static gboolean
save_context (Forensics *f, GError **error)
{
  g_autoptr (GHashTable) images = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *file = dn_context_file_path (f->context->name);

  if (!dn_capture_object (&f->capture, "context.json", dn_context_to_json (f->context, TRUE), error)
      || (!f->context->is_ephemeral && !dn_capture_file (&f->capture, "context.conf", file, error)))
    return FALSE;
  for (guint i = 0; i < f->containers->len; i++)
    if (!save_container (f, f->containers->pdata[i], images, error))
      return FALSE;
  return TRUE;
}

static gboolean
has_room (Forensics *f, const char *directory, GError **error)
{
  guint64 needed = f->info.memory_bytes + DUMP_EXTRA_BYTES, room;
  struct statvfs status;

  if (statvfs (directory, &status) < 0)
    return dn_throw_errno (error, "directory '%s'", directory);
  room = (guint64) status.f_bavail * status.f_frsize;
  return room >= needed
         || dn_throw (error, DN_ERROR_LIMIT,
                      "its dump needs %" G_GUINT64_FORMAT " MiB in '%s', where %" G_GUINT64_FORMAT
                      " MiB are free",
                      needed >> 20, directory, room >> 20);
}

/* Returns: a descriptor of the dump, whose name is gone already, or -1 */
static int
dump_memory (Forensics *f, const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "memory.elf", NULL);
  gboolean is_done = has_room (f, directory, error) && dn_guest_dump_memory (f->guest, path, error);
  int fd = is_done ? open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

  if (is_done && fd < 0)
    dn_throw_errno (error, "dump '%s'", path);
  /* The client's descriptor is all that keeps it: however this goes on, nothing is left. */
  (void) g_unlink (path);
  return fd;
}

static gboolean
save_memory (Forensics *f, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *directory = NULL;
  dn_autofd int fd = -1;

  if (!f->plan->wants_memory)
    {
      dn_capture_miss (&f->capture, "memory.elf", "not asked for (--memory)");
      return TRUE;
    }
  step (f, "save the guest's memory");
  if (f->guest == NULL)
    dn_throw (&problem, DN_ERROR_CONFLICT, "the context has no guest running");
  else if ((directory = dn_forensics_directory_begin (&problem)) != NULL)
    {
      fd = dump_memory (f, directory, &problem);
      dn_forensics_directory_end (directory);
    }
  if (fd >= 0)
    return dn_capture_descriptor (&f->capture, "memory.elf", fd, error);
  dn_capture_miss (&f->capture, "memory.elf", problem->message);
  f->problem = g_strdup_printf ("memory: %s", problem->message);
  return TRUE;
}

static gboolean
save_all (Forensics *f, GError **error)
{
  if (f->guest == NULL)
    dn_capture_miss (&f->capture, "guest", "the context has no guest running");
  else if (!save_verify (f, error) || !freeze (f, error))
    return FALSE;
  step (f, "save its files");
  if ((f->guest != NULL && !save_guest (f, error)) || !save_context (f, error)
      || !save_records (f, error))
    return FALSE;
  return save_memory (f, error);
}

/* As it was asked for, whatever became of the rest. */
static gboolean
finish_freeze (Forensics *f, GError **error)
{
  g_autofree char *how = NULL;

  if (f->guest == NULL || !dn_guest_is_frozen (f->guest))
    return TRUE;
  if (f->plan->is_frozen_after)
    return dn_context_freeze (f->context, FALSE, &how, error);
  if (!dn_context_thaw (f->context, error))
    return FALSE;
  f->thawed_us = g_get_real_time ();
  return TRUE;
}

static void
set_time (JsonObject *object, const char *name, gint64 time_us)
{
  if (time_us != 0)
    json_object_set_int_member (object, name, time_us);
}

static JsonObject *
versions (void)
{
  JsonObject *object = json_object_new ();
  gulong libvirt, qemu;

  json_object_set_string_member (object, "danchid", DN_VERSION);
  if (dn_hypervisor_get_versions (DN_HYPERVISOR_TIMEOUT_MS, &libvirt, &qemu, NULL))
    {
      g_autofree char *l = g_strdup_printf ("%lu.%lu.%lu", libvirt / 1000000, libvirt / 1000 % 1000,
                                            libvirt % 1000);
      g_autofree char *q
          = g_strdup_printf ("%lu.%lu.%lu", qemu / 1000000, qemu / 1000 % 1000, qemu % 1000);

      json_object_set_string_member (object, "libvirt", l);
      json_object_set_string_member (object, "qemu", q);
    }
  return object;
}

static JsonObject *
answer (Forensics *f, gint64 started_us)
{
  static const char *const mounts[] = { "volumes", "binds" };
  JsonObject *ok = json_object_new ();
  gboolean is_frozen = f->guest != NULL && dn_guest_is_frozen (f->guest);

  json_object_set_string_member (ok, "context", f->context->name);
  json_object_set_boolean_member (ok, "is_live", f->plan->is_live);
  json_object_set_string_member (ok, "state",
                                 is_frozen          ? "frozen"
                                 : f->guest != NULL ? "running"
                                                    : "stopped");
  if (f->how != NULL)
    json_object_set_string_member (ok, "freeze", f->how);
  if (f->problem != NULL)
    json_object_set_string_member (ok, "problem", f->problem);
  set_time (ok, "started_us", started_us);
  set_time (ok, "frozen_us", f->frozen_us);
  set_time (ok, "thawed_us", f->thawed_us);
  set_time (ok, "finished_us", g_get_real_time ());
  if (f->guest != NULL)
    json_object_set_object_member (ok, "guest", dn_context_guest_to_json (f->guest));
  json_object_set_object_member (ok, "versions", versions ());
  for (gsize i = 0; i < G_N_ELEMENTS (mounts); i++)
    json_object_set_array_member (
        ok, mounts[i], json_array_ref (json_object_get_array_member (f->mounts, mounts[i])));
  json_object_set_int_member (ok, "files", (gint64) f->capture.files);
  json_object_set_array_member (ok, "missing", json_array_ref (f->capture.missing));
  return ok;
}

static gboolean
claim (DnContext *context, gboolean is_claimed, GError **error)
{
  gboolean is_free;

  g_mutex_lock (&context->daemon->lock);
  is_free = !is_claimed || !context->is_captured;
  if (is_free)
    context->is_captured = is_claimed;
  g_mutex_unlock (&context->daemon->lock);
  return is_free
         || dn_throw (error, DN_ERROR_CONFLICT,
                      "context '%s': forensics of it is under way already", context->name);
}

JsonObject *
dn_forensics_run (DnRequest *request, DnContext *context, const DnForensics *plan, int ack_fd,
                  GError **error)
{
  Forensics f = { .context = context, .plan = plan };
  gint64 started_us = g_get_real_time ();
  g_autoptr (GError) late = NULL;
  JsonObject *ok = NULL;
  gboolean is_saved, is_frozen_right;

  if (!claim (context, TRUE, error))
    return NULL;
  dn_capture_init (&f.capture, request, ack_fd);
  look (&f);
  is_saved = save_all (&f, error);
  is_frozen_right = finish_freeze (&f, &late);
  (void) claim (context, FALSE, NULL);
  if (is_saved && is_frozen_right)
    ok = answer (&f, started_us);
  else if (is_saved)
    g_propagate_error (error, g_steal_pointer (&late));
  else if (late != NULL)
    g_warning ("context '%s': after a forensics that broke off: %s", context->name, late->message);
  dn_events_add (context->daemon->events, "context", "forensics", context->name, context->name,
                 context->name,
                 (const char *const[]){ "outcome", ok != NULL ? "done" : "failed", NULL });
  clear (&f);
  return ok;
}
