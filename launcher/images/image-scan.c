/* SPDX-License-Identifier: Apache-2.0 */
#include "image-scan.h"

#include "../common/error.h"
#include "../daemon/daemon-record.h"
#include "../daemon/daemon.h"
#include "../daemon/settings-file.h"
#include "reference.h"
#include "scan-run.h"

#define MEMBER "scan"
#define WAIT_US (200 * 1000)

DnScan *
dn_image_scan_get (const DnImage *image)
{
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);
  JsonNode *node = json_object_get_member (provenance, MEMBER);

  /* What was written by this program reads again; of a damaged one nothing counts. */
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node)
             ? dn_scan_from_json (json_node_get_object (node), "image's scan", NULL)
             : NULL;
}

static gboolean
is_stale (const DnScan *scan, const DnScanSettings *settings)
{
  return dn_scan_is_stale (scan, (gint64) settings->max_age_s * G_USEC_PER_SEC, g_get_real_time ());
}

gboolean
dn_image_scan_counts (const DnImage *image, const DnScanSettings *settings)
{
  g_autoptr (DnScan) scan = dn_image_scan_get (image);

  return scan != NULL && !is_stale (scan, settings);
}

DnScanNeed
dn_image_scan_need (const DnImage *image, const DnScanSettings *settings)
{
  g_autoptr (DnScan) scan = dn_image_scan_get (image);

  if (scan == NULL || is_stale (scan, settings) || !dn_scan_is_good (scan, FALSE))
    return DN_SCAN_NEED_OPTIONAL;
  return dn_scan_is_good (scan, TRUE) ? DN_SCAN_NEED_PASS : DN_SCAN_NEED_REQUIRED;
}

char *
dn_image_scan_words (const DnImage *image, const DnScanSettings *settings)
{
  g_autoptr (DnScan) scan = dn_image_scan_get (image);
  g_autofree char *words = scan != NULL ? dn_scan_words (scan) : NULL;
  gint64 age_s;

  if (scan == NULL || !is_stale (scan, settings))
    return g_steal_pointer (&words);
  age_s = (g_get_real_time () - scan->time_us) / G_USEC_PER_SEC;
  return g_strdup_printf ("%s, %" G_GINT64_FORMAT " s old", words, age_s);
}

static gboolean
keep (DnRequest *request, const DnImage *image, const DnScan *scan, GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (JsonObject) members = json_object_new ();
  g_autofree char *words = dn_scan_words (scan);
  g_autofree char *line = NULL;
  g_autoptr (DnImage) changed = NULL;
  const char *name = image->names[0] != NULL ? image->names[0] : image->id;

  json_object_set_object_member (members, MEMBER, dn_scan_to_json (scan));
  changed = dn_store_set_provenance (daemon->store, image->id, members, error);
  if (changed == NULL)
    return FALSE;
  line = g_strdup_printf ("image %s: %s, by %s%s%s", image->id, words, scan->scanner,
                          scan->verdict == DN_SCAN_ERROR ? ": " : "",
                          scan->verdict == DN_SCAN_ERROR ? scan->summary : "");
  dn_daemon_record_act (daemon, "image-scanned", NULL, line);
  dn_events_add (daemon->events, "image", "scan", image->id, name, NULL,
                 (const char *const[]){ "verdict", words, "scanner", scan->scanner, NULL });
  return TRUE;
}

DnScan *
dn_image_scan_make (DnRequest *request, DnImage *image, gboolean allow_emulation, GError **error)
{
  g_autoptr (DnScan) scan = dn_scan_run (request, image, allow_emulation, error);

  if (scan == NULL)
    {
      g_prefix_error (error, "image '%.12s': it could not be scanned: ", image->id);
      return NULL;
    }
  return keep (request, image, scan, error) ? g_steal_pointer (&scan) : NULL;
}

/* The scanner's own image: it would wait for itself. */
static gboolean
is_scanner (DnRequest *request, const DnImage *image, char **names, const DnScanSettings *settings)
{
  g_autoptr (DnImageView) view = dn_image_view_new ();
  g_autoptr (DnImage) scanner = NULL;
  g_autofree char *name = NULL;

  if (settings->images[0] == NULL)
    return FALSE;
  name = dn_reference_normalise (settings->images[0], NULL);
  if (name != NULL
      && (g_strv_contains ((const char *const *) image->names, name)
          || (names != NULL && g_strv_contains ((const char *const *) names, name))))
    return TRUE;
  dn_image_view_open (view);
  scanner = dn_store_find (request->daemon->store, settings->images[0], view, NULL);
  return scanner != NULL && g_str_equal (scanner->id, image->id);
}

/* Ids of images that are being scanned by themselves: whoever else wants to waits, so that many
 * containers of one image are one scan. */
static GMutex under_way_lock;
static GHashTable *under_way;

static gboolean
begin (const char *id)
{
  gboolean is_mine;

  g_mutex_lock (&under_way_lock);
  if (under_way == NULL)
    under_way = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  is_mine = g_hash_table_add (under_way, g_strdup (id));
  g_mutex_unlock (&under_way_lock);
  return is_mine;
}

static void
end (const char *id)
{
  g_mutex_lock (&under_way_lock);
  g_hash_table_remove (under_way, id);
  g_mutex_unlock (&under_way_lock);
}

static gboolean
wait_for_turn (DnRequest *request, const char *id, GError **error)
{
  while (!begin (id))
    {
      if (dn_request_is_gone (request))
        return dn_throw (error, DN_ERROR_FAILED, "the client has gone");
      g_usleep (WAIT_US);
    }
  return TRUE;
}

/* With its turn.  The image may have been scanned while it was waited for. */
static gboolean
scan_if_due (DnRequest *request, const char *id, const DnScanSettings *settings,
             gboolean allow_emulation, GError **error)
{
  g_autoptr (DnImage) image = dn_store_find_id (request->daemon->store, id);
  g_autoptr (DnScan) scan = NULL;

  /* One that is gone is told of later. */
  if (image == NULL || dn_image_scan_counts (image, settings))
    return TRUE;
  scan = dn_image_scan_make (request, image, allow_emulation, error);
  return scan != NULL;
}

gboolean
dn_image_scan_when (DnRequest *request, DnImage *image, char **names, DnScanWhen when,
                    gboolean allow_emulation, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  gboolean is_fine;

  if (!dn_scan_settings_are_set (&settings->scan) || settings->scan.when != (int) when
      || is_scanner (request, image, names, &settings->scan)
      || dn_image_scan_counts (image, &settings->scan))
    return TRUE;
  if (!wait_for_turn (request, image->id, error))
    return FALSE;
  is_fine = scan_if_due (request, image->id, &settings->scan, allow_emulation, error);
  end (image->id);
  return is_fine;
}
