/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "hypervisor.h"
#include "kvm-probe-ask.h"

#define QEMU "/usr/bin/qemu-system-x86_64"
#define FIRMWARE_BYTES 65536
#define RESET_VECTOR (FIRMWARE_BYTES - 16)
#define EXIT_PORT 0xf4
#define EXIT_VALUE 0x31
/* isa-debug-exit(v) ends QEMU with (v << 1) | 1. */
#define EXIT_STATUS ((EXIT_VALUE << 1) | 1)
#define OUTPUT_MAX_BYTES 4096
#define FIRMWARE_FD 3

/* mov $0x31, %al; out %al, $0xf4; hlt; jmp to hlt */
static const guint8 reset_code[] = { 0xb0, EXIT_VALUE, 0xe6, EXIT_PORT, 0xf4, 0xeb, 0xfd };

static int
make_firmware (void)
{
  dn_autofd int fd = memfd_create ("danchi-kvm-probe", MFD_CLOEXEC);

  if (fd < 0 || ftruncate (fd, FIRMWARE_BYTES) < 0
      || pwrite (fd, reset_code, sizeof reset_code, RESET_VECTOR) != (ssize_t) sizeof reset_code)
    return -1;
  return g_steal_fd (&fd);
}

static gboolean
spawn (int firmware, GPid *ret_pid, int *ret_output, GError **error)
{
  const char *const argv[] = { QEMU,
                               "-no-user-config",
                               "-nodefaults",
                               "-display",
                               "none",
                               "-no-reboot",
                               "-sandbox",
                               "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                               "resourcecontrol=deny",
                               "-machine",
                               "q35,accel=kvm",
                               "-cpu",
                               "host",
                               "-m",
                               "16",
                               "-bios",
                               "/proc/self/fd/3",
                               "-device",
                               "isa-debug-exit,iobase=0xf4,iosize=0x04",
                               NULL };
  const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };
  const int target = FIRMWARE_FD;

  return g_spawn_async_with_pipes_and_fds (
      "/", argv, environment, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
      -1, -1, -1, &firmware, &target, 1, ret_pid, NULL, NULL, ret_output, error);
}

/* The child's end, or FALSE when the time is up: then it is killed, and where even that hangs in
 * the kernel, left alone. */
static gboolean
wait_for_end (GPid pid, int *ret_status)
{
  dn_autofd int pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
  struct pollfd ended = { .fd = pidfd, .events = POLLIN };
  int n;

  do
    n = poll (&ended, 1, DN_KVM_PROBE_QEMU_TIMEOUT_MS);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return waitpid (pid, ret_status, 0) == pid;
  (void) kill (pid, SIGKILL);
  if (poll (&ended, 1, 1000) > 0)
    (void) waitpid (pid, NULL, 0);
  return FALSE;
}

static char *
read_words (int output)
{
  char text[OUTPUT_MAX_BYTES + 1];
  ssize_t n;

  (void) fcntl (output, F_SETFL, O_NONBLOCK);
  n = read (output, text, OUTPUT_MAX_BYTES);
  text[MAX (n, 0)] = '\0';
  return n > 0 ? dn_hypervisor_flatten (text) : g_strdup ("it gave no reason");
}

DnKvmOutcome
dn_kvm_probe_qemu (char **ret_reason)
{
  dn_autofd int firmware = make_firmware ();
  dn_autofd int output = -1;
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  int status = 0;
  GPid pid;

  if (firmware < 0)
    return dn_kvm_probe_no_answer (ret_reason, "no memory for a firmware: %s", g_strerror (errno));
  if (!spawn (firmware, &pid, &output, &error))
    return dn_kvm_probe_no_answer (ret_reason, "QEMU cannot be started: %s", error->message);
  if (!wait_for_end (pid, &status))
    return dn_kvm_probe_no_answer (ret_reason,
                                   "QEMU did not get a trivial guest to run within %d s",
                                   DN_KVM_PROBE_QEMU_TIMEOUT_MS / 1000);
  if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_STATUS)
    return DN_KVM_WORKS;
  if (!WIFEXITED (status))
    return dn_kvm_probe_no_answer (ret_reason, "QEMU was killed before its trivial guest ran");
  words = read_words (output);
  *ret_reason = g_strdup_printf ("QEMU cannot run a trivial guest: %s", words);
  return DN_KVM_CANNOT;
}
