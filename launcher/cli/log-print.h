/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a log on stdout and stderr: chosen by time and number, text exactly as it was written.
 *
 * A line of output may be several records; all counting is in lines.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

#include "../base/log-format.h"

typedef struct DnLogPrinter DnLogPrinter;

typedef struct
{
  gint64 since_ns; /* records before it are passed over */
  gint64 tail;     /* only the last so many lines of what is there; -1: all */
  gboolean has_times;
  gboolean is_json; /* one object for a record */
  FILE *out;        /* borrowed */
  FILE *err;
} DnLogPrinting;

DnLogPrinter *dn_log_printer_new (const DnLogPrinting *printing);
void dn_log_printer_free (DnLogPrinter *printer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnLogPrinter, dn_log_printer_free)

void dn_log_printer_add (DnLogPrinter *printer, const DnLogRecord *record);

/* All that was there before is in: prints the tail; records from now on are printed at once. */
void dn_log_printer_go_live (DnLogPrinter *printer);
