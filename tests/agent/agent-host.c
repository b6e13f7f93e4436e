/* SPDX-License-Identifier: Apache-2.0 */
#include "agent-host.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *
build_dir (void)
{
  const char *dir = g_getenv ("DN_TEST_BUILD");

  return dir != NULL ? dir : "build";
}

static void
run (const char *command)
{
  g_autoptr (GError) error = NULL;
  gint status = 0;
  gboolean is_run = g_spawn_command_line_sync (command, NULL, NULL, &status, &error);

  g_assert_no_error (error);
  g_assert_true (is_run && g_spawn_check_wait_status (status, NULL));
}

/* An EROFS image with the probe as its one program. */
static char *
make_image (const char *dir)
{
  g_autofree char *script = g_strdup_printf (
      "sh -c 'set -e; t=%s/tree; mkdir -p $t/bin $t/etc $t/proc $t/dev $t/sys $t/tmp $t/home/app "
      "$t/data; cp %s/tests/agent/probe $t/bin/probe; chmod 755 $t $t/bin $t/bin/probe; "
      "printf \"root:x:0:0::/root:/bin/sh\\napp:x:1000:1001::/home/app:/bin/sh\\n\" "
      "> $t/etc/passwd; printf \"app:x:1001:\\nextra:x:1002:app\\n\" > $t/etc/group; "
      "echo image > $t/etc/hosts; echo image > $t/etc/hostname; echo data > $t/data/file; "
      "ln -s / $t/data/top; ln -s ../../../../../../etc/hostname $t/data/up; "
      "mkfs.erofs -T0 --quiet %s/image.erofs $t 2>/dev/null || mkfs.erofs -T0 %s/image.erofs $t "
      ">/dev/null'",
      dir, build_dir (), dir, dir);

  run (script);
  return g_strdup_printf ("%s/image.erofs", dir);
}

static const char *
cgroup_mount (void)
{
  return g_file_test ("/sys/fs/cgroup/unified/cgroup.procs", G_FILE_TEST_EXISTS)
             ? "/sys/fs/cgroup/unified"
             : "/sys/fs/cgroup";
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 4), ==, 0);
  return fd;
}

static void
stream_free (gpointer data)
{
  HostStream *stream = data;

  g_byte_array_unref (stream->bytes);
  g_free (stream);
}

static void
clear_cloexec (gpointer data)
{
  (void) fcntl (GPOINTER_TO_INT (data), F_SETFD, 0);
  /* A test that fails aborts: its agent must not stay. */
  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
}

Host *
host_new (void)
{
  Host *host = g_new0 (Host, 1);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_autofree char *secret_path = NULL;
  g_autofree char *image = NULL;
  g_autofree char *disk = NULL;
  g_autofree char *program = g_strdup_printf ("%s/guest/bin/danchi-agent", build_dir ());
  g_autofree char *keeper = g_strdup_printf ("%s/guest/bin/danchi-keeper", build_dir ());
  g_autofree char *socket_option = NULL;
  g_autofree char *share = NULL;
  g_autofree char *run_dir = NULL;
  g_autofree char *audit_option = NULL;
  g_autofree char *events_option = NULL;
  g_autofree char *layers = NULL;
  g_autofree char *volume = NULL;
  g_autofree char *template = NULL;
  int listener;
  int audit[2], events[2];

  host->dir = g_dir_make_tmp ("danchi-agent-XXXXXX", &error);
  g_assert_no_error (error);
  (void) chmod (host->dir, 0755);
  host->fd = -1;
  host->streams = g_hash_table_new_full (NULL, NULL, NULL, stream_free);
  host->exited = g_array_new (FALSE, FALSE, sizeof (DnMsgExited));
  host->entries = g_array_new (FALSE, FALSE, sizeof (DnMsgListEntry));
  host->listeners = g_array_new (FALSE, FALSE, sizeof (DnMsgListenerEntry));
  host->top = g_array_new (FALSE, FALSE, sizeof (DnMsgTopEntry));
  host->health = g_array_new (FALSE, FALSE, sizeof (DnMsgHealth));
  host->refused = g_array_new (FALSE, FALSE, sizeof (DnMsgRefused));
  host->damage = g_array_new (FALSE, FALSE, sizeof (DnMsgDiskDamage));
  host->facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  host->all_facts = g_ptr_array_new_with_free_func (g_free);
  g_assert_cmpint (getrandom (host->secret, sizeof host->secret, 0), ==, sizeof host->secret);
  secret_path = g_build_filename (host->dir, "secret", NULL);
  g_assert_true (
      g_file_set_contents (secret_path, (char *) host->secret, sizeof host->secret, NULL));
  /* Not by pid: several runs, in pid namespaces of their own, have the same ones. */
  name = g_path_get_basename (host->dir);
  host->cgroup = g_build_filename (cgroup_mount (), name, NULL);
  (void) g_mkdir (host->cgroup, 0755);
  image = make_image (host->dir);
  disk = g_strdup_printf ("disk=%s", image);
  layers = g_strdup_printf ("layers=%s/layers.img", host->dir);
  volume = g_strdup_printf ("volume=%s/volume.img", host->dir);
  share = g_build_filename (host->dir, "share", NULL);
  template = g_strdup_printf ("%s/volume.ext4", host->dir);
  run_dir = g_build_filename (host->dir, "run", NULL);
  host->socket_path = g_build_filename (host->dir, "socket", NULL);
  listener = listen_at (host->socket_path);
  socket_option = g_strdup_printf ("%d", listener);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, audit), ==, 0);
  audit_option = g_strdup_printf ("%d", audit[1]);
  host->audit_fd = audit[0];
  (void) fcntl (audit[0], F_SETFD, FD_CLOEXEC);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, events), ==, 0);
  events_option = g_strdup_printf ("%d", events[1]);
  host->events_fd = events[0];
  (void) fcntl (events[0], F_SETFD, FD_CLOEXEC);
  {
    const char *argv[] = { program,
                           "--test-socket",
                           socket_option,
                           "--secret-file",
                           secret_path,
                           "--cgroup-root",
                           host->cgroup,
                           "--run-dir",
                           run_dir,
                           "--reaper",
                           "/usr/bin/tini-static",
                           "--keeper",
                           keeper,
                           "--allow-missing-controllers",
                           "--disk",
                           disk,
                           "--disk",
                           layers,
                           "--disk",
                           volume,
                           "--share",
                           share,
                           "--volume-template",
                           template,
                           "--test-audit",
                           audit_option,
                           "--test-events",
                           events_option,
                           NULL };

    (void) g_spawn_async (NULL, (char **) argv, NULL,
                          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, clear_cloexec,
                          GINT_TO_POINTER (listener), &host->agent_pid, &error);
  }
  g_assert_no_error (error);
  (void) close (listener);
  (void) close (audit[1]);
  (void) close (events[1]);
  g_assert_true (host_link (host, host->secret));
  return host;
}

/* What could not be made is told of first, and taken apart after that. */
static void
await_containers (Host *host)
{
  g_autofree char *containers = g_build_filename (host->cgroup, "danchi", NULL);
  gboolean is_left = TRUE;

  for (int i = 0; i < 200 && is_left; i++)
    {
      g_autoptr (GDir) directory = g_dir_open (containers, 0, NULL);
      const char *name;

      is_left = FALSE;
      while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
        {
          g_autofree char *path = g_build_filename (containers, name, NULL);

          is_left
              = is_left || (!g_str_equal (name, "pod") && g_file_test (path, G_FILE_TEST_IS_DIR));
        }
      if (is_left)
        g_usleep (10000);
    }
}

static void
remove_cgroups (Host *host)
{
  g_autofree char *agent = g_build_filename (host->cgroup, "agent", NULL);
  g_autofree char *containers = g_build_filename (host->cgroup, "danchi", NULL);
  g_autofree char *pod = g_build_filename (host->cgroup, "danchi/pod", NULL);

  for (int i = 0; i < 100 && g_rmdir (agent) < 0; i++)
    g_usleep (10000);
  /* Where there was a keeper, it ends with its agent. */
  for (int i = 0; i < 100 && g_rmdir (pod) < 0 && errno != ENOENT; i++)
    g_usleep (10000);
  /* Fails where a container's group was left behind. */
  g_assert_cmpint (g_rmdir (containers), ==, 0);
  g_assert_cmpint (g_rmdir (host->cgroup), ==, 0);
}

void
host_free (Host *host)
{
  g_autofree char *command = g_strdup_printf ("rm -rf --one-file-system %s", host->dir);
  g_autofree char *mounts = NULL;
  int status = 0;

  await_containers (host);
  host_unlink (host);
  (void) close (host->audit_fd);
  (void) close (host->events_fd);
  (void) kill (host->agent_pid, SIGKILL);
  g_assert_cmpint (waitpid (host->agent_pid, &status, 0), ==, host->agent_pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  remove_cgroups (host);
  g_assert_true (g_file_get_contents ("/proc/self/mounts", &mounts, NULL, NULL));
  g_assert_null (strstr (mounts, host->dir));
  run (command);
  g_hash_table_unref (host->streams);
  g_array_unref (host->exited);
  g_array_unref (host->damage);
  g_array_unref (host->entries);
  g_array_unref (host->listeners);
  g_array_unref (host->top);
  g_array_unref (host->health);
  g_array_unref (host->refused);
  g_hash_table_unref (host->facts);
  g_ptr_array_unref (host->all_facts);
  g_free (host->dir);
  g_free (host->cgroup);
  g_free (host->socket_path);
  g_free (host);
}

static gboolean
read_exactly (int fd, guint8 *bytes, gsize size)
{
  while (size > 0)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
      ssize_t n = poll (&poll_fd, 1, HOST_WAIT_MS) > 0 ? read (fd, bytes, size) : 0;

      if (n <= 0)
        return FALSE;
      bytes += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static void
reset_stream (gpointer key, gpointer value, gpointer data)
{
  HostStream *stream = value;

  (void) key;
  (void) data;
  stream->credit = DN_STREAM_WINDOW_BYTES;
  stream->uncredited = 0;
}

gboolean
host_link (Host *host, const guint8 *secret)
{
  DnLinkHello hello = { DN_PROTOCOL_GENERATION_OLDEST, DN_PROTOCOL_GENERATION, { 7 } };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  guint8 record[DN_LINK_BYTES];
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, host->socket_path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  dn_link_encode_hello (record, &hello, secret);
  g_assert_cmpint (write (fd, record, sizeof record), ==, sizeof record);
  if (!read_exactly (fd, record, sizeof record)
      || dn_link_decode_welcome (record, hello.nonce, secret, &host->generation) < 0)
    {
      (void) close (fd);
      return FALSE;
    }
  host_unlink (host);
  host->fd = fd;
  dn_frame_reader_init (&host->reader, &dn_guest_wire, DN_SENDER_GUEST);
  g_hash_table_foreach (host->streams, reset_stream, NULL);
  host->ready.processors = 0;
  while (host->ready.processors == 0)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  return TRUE;
}

void
host_unlink (Host *host)
{
  if (host->fd >= 0)
    (void) close (host->fd);
  host->fd = -1;
}

void
host_send (Host *host, guint16 type, guint32 stream, const void *payload, gsize size)
{
  g_autofree guint8 *frame = g_malloc (DN_FRAME_HEADER_BYTES + size);
  gsize at = 0;

  dn_frame_encode_header (frame, type, stream, (guint32) size);
  if (size > 0)
    memcpy (frame + DN_FRAME_HEADER_BYTES, payload, size);
  while (at < DN_FRAME_HEADER_BYTES + size)
    {
      ssize_t n = send (host->fd, frame + at, DN_FRAME_HEADER_BYTES + size - at, MSG_NOSIGNAL);

      if (n <= 0)
        return;
      at += (gsize) n;
    }
}

HostStream *
host_stream (Host *host, guint32 number)
{
  HostStream *stream = g_hash_table_lookup (host->streams, GUINT_TO_POINTER (number));

  if (stream != NULL)
    return stream;
  stream = g_new0 (HostStream, 1);
  stream->number = number;
  stream->bytes = g_byte_array_new ();
  stream->credit = DN_STREAM_WINDOW_BYTES;
  g_hash_table_insert (host->streams, GUINT_TO_POINTER (number), stream);
  return stream;
}

static void
take_data (Host *host, HostStream *stream, const guint8 *payload, guint32 size)
{
  DnMsgCredit credit = { .bytes = size };
  guint8 bytes[4];

  g_byte_array_append (stream->bytes, payload, size);
  stream->uncredited += size;
  /* The window is never exceeded. */
  g_assert_cmpuint (stream->uncredited, <=, DN_STREAM_WINDOW_BYTES);
  if (stream->is_held)
    return;
  stream->uncredited -= size;
  (void) dn_msg_credit_pack (&credit, bytes, sizeof bytes);
  host_send (host, DN_MSG_CREDIT, stream->number, bytes, sizeof bytes);
}

static void
take_frame (Host *host, const DnFrameHeader *header, const guint8 *payload)
{
  HostStream *stream = header->stream != 0 ? host_stream (host, header->stream) : NULL;
  DnMsgCredit credit;
  DnMsgExited exited;
  DnMsgListEntry entry;
  DnMsgTopEntry top;
  DnMsgListenerEntry listener;
  DnMsgRefused refused;
  DnMsgHealth health;
  DnMsgFact fact;
  DnMsgDiskDamage damage;

  switch (header->type)
    {
    case DN_MSG_READY:
      g_assert_cmpint (dn_msg_ready_unpack (payload, header->length, &host->ready), ==, 0);
      break;
    case DN_MSG_REPLY:
      g_assert_cmpint (dn_msg_reply_unpack (payload, header->length, &host->reply), ==, 0);
      break;
    case DN_MSG_STARTED:
      g_assert_cmpint (dn_msg_started_unpack (payload, header->length, &host->started), ==, 0);
      break;
    case DN_MSG_EXITED:
      g_assert_cmpint (dn_msg_exited_unpack (payload, header->length, &exited), ==, 0);
      g_array_append_val (host->exited, exited);
      break;
    case DN_MSG_LIST_ENTRY:
      g_assert_cmpint (dn_msg_list_entry_unpack (payload, header->length, &entry), ==, 0);
      g_array_append_val (host->entries, entry);
      break;
    case DN_MSG_TOP_ENTRY:
      g_assert_cmpint (dn_msg_top_entry_unpack (payload, header->length, &top), ==, 0);
      g_array_append_val (host->top, top);
      break;
    case DN_MSG_LISTENER_ENTRY:
      g_assert_cmpint (dn_msg_listener_entry_unpack (payload, header->length, &listener), ==, 0);
      g_array_append_val (host->listeners, listener);
      break;
    case DN_MSG_REFUSED:
      g_assert_cmpint (dn_msg_refused_unpack (payload, header->length, &refused), ==, 0);
      g_array_append_val (host->refused, refused);
      break;
    case DN_MSG_HEALTH:
      g_assert_cmpint (dn_msg_health_unpack (payload, header->length, &health), ==, 0);
      g_array_append_val (host->health, health);
      break;
    case DN_MSG_DISK_DAMAGE:
      g_assert_cmpint (dn_msg_disk_damage_unpack (payload, header->length, &damage), ==, 0);
      g_array_append_val (host->damage, damage);
      break;
    case DN_MSG_FACT:
      g_assert_cmpint (dn_msg_fact_unpack (payload, header->length, &fact), ==, 0);
      g_hash_table_insert (host->facts, g_strdup (fact.name), g_strdup (fact.value));
      g_ptr_array_add (host->all_facts, g_strconcat (fact.name, "=", fact.value, NULL));
      break;
    case DN_MSG_CARD_STATS:
      g_assert_cmpint (dn_msg_card_stats_unpack (payload, header->length, &host->card_stats), ==,
                       0);
      break;
    case DN_MSG_SHARE_USER_ENTRY:
      g_assert_cmpint (dn_msg_share_user_entry_unpack (payload, header->length, &host->share_user),
                       ==, 0);
      break;
    case DN_MSG_STATS_ENTRY:
      g_assert_cmpint (dn_msg_stats_entry_unpack (payload, header->length, &host->stats), ==, 0);
      break;
    case DN_MSG_DATA:
      take_data (host, stream, payload, header->length);
      break;
    case DN_MSG_EOF:
      stream->has_eof = TRUE;
      break;
    case DN_MSG_RESET:
      stream->was_reset = TRUE;
      break;
    case DN_MSG_CREDIT:
      g_assert_cmpint (dn_msg_credit_unpack (payload, header->length, &credit), ==, 0);
      stream->credit += credit.bytes;
      g_assert_cmpuint (stream->credit, <=, DN_STREAM_WINDOW_BYTES);
      break;
    default:
      break;
    }
}

gboolean
host_pump (Host *host, gint timeout_ms)
{
  DnFrameHeader header;
  const guint8 *payload;
  int r;

  while ((r = dn_frame_reader_next (&host->reader, &header, &payload)) == 0)
    {
      struct pollfd poll_fd = { .fd = host->fd, .events = POLLIN };
      gsize room;
      guint8 *space = dn_frame_reader_space (&host->reader, &room);
      ssize_t n = poll (&poll_fd, 1, timeout_ms) > 0 ? read (host->fd, space, room) : 0;

      if (n <= 0)
        return FALSE;
      dn_frame_reader_added (&host->reader, (gsize) n);
    }
  g_assert_cmpint (r, ==, 1);
  take_frame (host, &header, payload);
  return TRUE;
}

guint32
host_next_request (Host *host)
{
  return ++host->last_request;
}

gint32
host_await_reply (Host *host, guint32 request)
{
  host->reply.request = 0;
  while (host->reply.request != request)
    if (!host_pump (host, HOST_WAIT_MS))
      g_error ("no reply to request %u", request);
  if (host->reply.status < 0)
    g_test_message ("reply %d: %s", host->reply.status, host->reply.message);
  return host->reply.status;
}

void
host_part (Host *host, guint32 request, guint8 kind, const void *bytes, gsize size)
{
  DnMsgPart part
      = { .request = request, .kind = kind, .bytes = bytes, .bytes_bytes = (guint32) size };
  static guint8 payload[DN_FRAME_PAYLOAD_MAX_BYTES];
  int n = dn_msg_part_pack (&part, payload, sizeof payload);

  g_assert_cmpint (n, >, 0);
  host_send (host, DN_MSG_PART, 0, payload, (gsize) n);
}

gboolean
host_await_eof (Host *host, guint32 stream)
{
  while (!host_stream (host, stream)->has_eof)
    if (!host_pump (host, HOST_WAIT_MS))
      return FALSE;
  return TRUE;
}

const DnMsgExited *
host_await_exited (Host *host, const char *container, guint32 process)
{
  for (;;)
    {
      for (guint i = 0; i < host->exited->len; i++)
        {
          const DnMsgExited *exited = &g_array_index (host->exited, DnMsgExited, i);

          if (exited->process == process && g_str_equal (exited->container, container))
            return exited;
        }
      if (!host_pump (host, HOST_WAIT_MS))
        g_error ("container %s, process %u: did not end", container, process);
    }
}

guint32
host_streams (const char *id, guint32 process)
{
  return (g_str_hash (id) % 1000000 + 1) * 1024 + process * DN_STREAMS_PER_PROCESS;
}

static char *
args_to_json (const char *const *args)
{
  GString *json = g_string_new ("[");

  for (; *args != NULL; args++)
    g_string_append_printf (json, "%s\"%s\"", json->len > 1 ? "," : "", *args);
  return g_string_free (g_string_append_c (json, ']'), FALSE);
}

static char *
process_to_json (const char *const *args, const char *more)
{
  g_autofree char *list = args_to_json (args);

  return g_strdup_printf ("{\"args\":%s,\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"%s}", list,
                          more != NULL ? more : ",\"user\":{\"uid\":1000,\"gid\":1001}");
}

/* mknod is refused with EPERM, and all else is allowed: enough to see that a filter is there. */
static void
send_filter (Host *host, guint32 request, guint32 killing_call)
{
  const struct sock_filter filter[]
      = { BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
          BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 133, 0, 1),
          BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
          BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, killing_call != 0 ? killing_call : G_MAXUINT32, 0,
                    1),
          BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
          BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

  host_part (host, request, DN_PART_SECCOMP, filter, sizeof filter);
}

gint32
host_create (Host *host, const HostContainer *container)
{
  g_autofree char *process = process_to_json (container->args, container->process);
  const guint32 first_uid = container->first_uid != 0 ? container->first_uid : HOST_FIRST_UID;
  g_autofree char *config = g_strdup_printf (
      "{\"process\":%s,\"root\":%s,\"hostname\":\"testhost\",\"mounts\":["
      "{\"destination\":\"/proc\",\"type\":\"proc\"},"
      "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"options\":[\"mode=755\",\"size=65536\"]},"
      "{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"options\":[\"ptmxmode=0666\","
      "\"newinstance\",\"mode=0620\",\"gid=5\"]},"
      "{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"options\":[\"mode=1777\"]},"
      "{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\"},"
      "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"options\":[\"ro\"]},"
      "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"options\":[\"ro\"]},"
      "{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"options\":[\"mode=1777\",\"noexec\"]}%s],"
      "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":65536}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":65536}],"
      "\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\",\"/sys/firmware\",\"/nowhere\"],"
      "\"readonlyPaths\":[\"/proc/sys\",\"/proc/bus\"]%s},\"annotations\":{%s}}",
      process, container->root != NULL ? container->root : "{\"readonly\":true}",
      container->mounts != NULL ? container->mounts : "", first_uid, first_uid,
      container->linux_members != NULL ? container->linux_members : "",
      container->annotations != NULL ? container->annotations : "");
  DnMsgCreate create = { .request = host_next_request (host),
                         .streams = host_streams (container->id, 0),
                         .flags = container->flags,
                         .rows = 24,
                         .columns = 80 };
  guint8 payload[256];

  g_strlcpy (create.container, container->id, sizeof create.container);
  if (!container->is_of_share)
    g_strlcpy (create.disk, container->layer_count > 0 ? "layers" : "disk", sizeof create.disk);
  for (guint i = 0; i < container->layer_count; i++)
    {
      DnMsgDiskLayer layer = container->layers[i];

      layer.request = create.request;
      host_send (host, DN_MSG_DISK_LAYER, 0, payload,
                 (gsize) dn_msg_disk_layer_pack (&layer, payload, sizeof payload));
    }
  host_part (host, create.request, DN_PART_CONFIG, config, strlen (config));
  send_filter (host, create.request, container->killing_call);
  host_send (host, DN_MSG_CREATE, 0, payload,
             (gsize) dn_msg_create_pack (&create, payload, sizeof payload));
  return host_await_reply (host, create.request);
}

gint32
host_simple (Host *host, guint16 type, const char *id)
{
  /* START, PAUSE, RESUME, DELETE, STATS, TOP and LISTENERS have the same fields. */
  DnMsgStart message = { .request = host_next_request (host) };
  guint8 payload[64];

  g_strlcpy (message.container, id, sizeof message.container);
  host_send (host, type, 0, payload, (gsize) dn_msg_start_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

gint32
host_start (Host *host, const char *id)
{
  return host_simple (host, DN_MSG_START, id);
}

gint32
host_exec (Host *host, const char *id, guint32 process, guint32 flags, const char *const *args,
           const char *more)
{
  g_autofree char *config = process_to_json (args, more);
  DnMsgExec exec = { .request = host_next_request (host),
                     .process = process,
                     .streams = host_streams (id, process),
                     .flags = flags,
                     .rows = 24,
                     .columns = 80 };
  guint8 payload[128];

  g_strlcpy (exec.container, id, sizeof exec.container);
  host_part (host, exec.request, DN_PART_CONFIG, config, strlen (config));
  host_send (host, DN_MSG_EXEC, 0, payload,
             (gsize) dn_msg_exec_pack (&exec, payload, sizeof payload));
  return host_await_reply (host, exec.request);
}

gint32
host_health (Host *host, const char *id, const DnMsgHealthCheck *check, const char *const *args)
{
  g_autofree char *config = process_to_json (args, NULL);
  DnMsgHealthCheck message = *check;
  guint8 payload[128];

  message.request = host_next_request (host);
  g_strlcpy (message.container, id, sizeof message.container);
  host_part (host, message.request, DN_PART_CONFIG, config, strlen (config));
  host_send (host, DN_MSG_HEALTH_CHECK, 0, payload,
             (gsize) dn_msg_health_check_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

gint32
host_signal (Host *host, const char *id, guint32 process, guint32 signal, guint32 flags)
{
  DnMsgSignal message = {
    .request = host_next_request (host), .process = process, .signal = signal, .flags = flags
  };
  guint8 payload[128];

  g_strlcpy (message.container, id, sizeof message.container);
  host_send (host, DN_MSG_SIGNAL, 0, payload,
             (gsize) dn_msg_signal_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

guint32
host_run (Host *host, const HostContainer *container, char **ret_output)
{
  guint32 output = host_streams (container->id, 0) + DN_STREAM_STDOUT;
  guint32 code;

  g_assert_cmpint (host_create (host, container), ==, 0);
  g_assert_cmpint (host_start (host, container->id), ==, 0);
  code = host_await_exited (host, container->id, 0)->code;
  g_assert_true (host_await_eof (host, output));
  g_assert_true (host_await_eof (host, output + 1));
  if (ret_output != NULL)
    *ret_output = g_strndup ((char *) host_stream (host, output)->bytes->data,
                             host_stream (host, output)->bytes->len);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, container->id), ==, 0);
  return code;
}

void
host_send_record (Host *host, guint32 uid, const char *program, guint32 call)
{
  struct
  {
    struct nlmsghdr header;
    char text[512];
  } record = { .header = { .nlmsg_type = AUDIT_SECCOMP } };
  int n
      = g_snprintf (record.text, sizeof record.text,
                    "audit(1.2:3): auid=4294967295 uid=%u gid=%u ses=4294967295 pid=9 comm=\"%s\" "
                    "exe=\"/bin/probe\" sig=0 arch=c000003e syscall=%u compat=0 ip=0x1 "
                    "code=0x50000",
                    uid, uid, program, call);

  record.header.nlmsg_len = NLMSG_HDRLEN + (guint32) n;
  g_assert_cmpint (send (host->audit_fd, &record, record.header.nlmsg_len, 0), ==,
                   record.header.nlmsg_len);
}
