/* SPDX-License-Identifier: Apache-2.0 */
/* The task "verdict": reads a scanner's standard output, its only file, and says what it means. */
#include <errno.h>
#include <unistd.h>

#include "../common/scan-words.h"
#include "task.h"
#include "verdict.h"

static void
say_line (const char *line, gpointer data)
{
  dn_task_say (data, "%s", line);
}

int
dn_task_verdict (DnTaskRun *run)
{
  /* A byte more than there may be, so that more is seen; what else comes nobody reads. */
  const gsize limit = DN_SCAN_VERDICT_MAX_BYTES + 1;
  g_autofree char *text = g_malloc (limit);
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  if (run->file_count != 1)
    return dn_task_fail (run, "order", "one file");
  while (size < limit)
    {
      ssize_t n = read (run->files[0], text + size, limit - size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      size += (gsize) n;
    }
  if (!dn_verdict_read (text, size, say_line, run, &error))
    return dn_task_fail (run, "verdict", error->message);
  return dn_task_done (run);
}
