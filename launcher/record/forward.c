/* SPDX-License-Identifier: Apache-2.0 */
#include "forward.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define IDENTIFIER "danchid"
#define PRIORITY_INFO 6
#define FACILITY_AUTHPRIV 10

struct DnRecordForward
{
  struct sockaddr_un journal;
  struct sockaddr_un syslog;
  int fd; /* -1 until the first line */
};

static void
fill (struct sockaddr_un *address, const char *path)
{
  address->sun_family = AF_UNIX;
  (void) g_strlcpy (address->sun_path, path, sizeof address->sun_path);
}

DnRecordForward *
dn_record_forward_new (const char *journal, const char *syslog)
{
  DnRecordForward *forward = g_new0 (DnRecordForward, 1);

  fill (&forward->journal, journal);
  fill (&forward->syslog, syslog);
  forward->fd = -1;
  return forward;
}

void
dn_record_forward_free (DnRecordForward *forward)
{
  if (forward == NULL)
    return;
  if (forward->fd >= 0)
    (void) close (forward->fd);
  g_free (forward);
}

/* Without a connection: the log's daemon may come, go and come again. */
static gboolean
send_to (int fd, const struct sockaddr_un *address, const char *text, gsize size)
{
  return sendto (fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *) address,
                 sizeof *address)
         == (ssize_t) size;
}

gboolean
dn_record_forward_send (DnRecordForward *forward, const char *line, gsize size)
{
  g_autofree char *native = NULL, *plain = NULL;

  if (forward->fd < 0)
    forward->fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (forward->fd < 0)
    return FALSE;
  /* No value has a newline in it, so the simple form of the native protocol will do. */
  native = g_strdup_printf ("PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" IDENTIFIER
                            "\nDANCHI_AUDIT=1\nMESSAGE=%.*s\n",
                            PRIORITY_INFO, FACILITY_AUTHPRIV, (int) size, line);
  if (send_to (forward->fd, &forward->journal, native, strlen (native)))
    return TRUE;
  plain = g_strdup_printf ("<%d>" IDENTIFIER "[%d]: %.*s", FACILITY_AUTHPRIV * 8 + PRIORITY_INFO,
                           getpid (), (int) size, line);
  return send_to (forward->fd, &forward->syslog, plain, strlen (plain));
}
