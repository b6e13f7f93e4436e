/* SPDX-License-Identifier: Apache-2.0 */
/* Other doors to the same kernel: 32-bit calls, x32, numbers that no list knows.  A filter for one
 * architecture sees nothing of another's. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define X32_BIT 0x40000000

/* A call through the 32-bit gate; on a kernel without one, SIGSEGV. */
static long
call_32 (long number, long first, long second)
{
  long result;

  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(first), "c"(second), "d"(0L)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}

static int
enter_32 (const DnAim *aim)
{
  int result = (int) call_32 (aim->a, aim->b, aim->c);

  return result < 0 ? -result : 0;
}

/* socketcall's arguments are in memory, where no filter looks (moby #53551). */
static int
socket_32 (const DnAim *aim)
{
  uint32_t *arguments
      = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  int domain = -1;
  socklen_t size = sizeof domain;
  int result;

  if (arguments == MAP_FAILED)
    return DN_SEEN_UNKNOWN;
  arguments[0] = (uint32_t) aim->a;
  arguments[1] = SOCK_STREAM;
  arguments[2] = 0;
  result = (int) call_32 (102 /* socketcall */, 1 /* SOCKET */, (long) arguments);
  if (result < 0)
    return -result;
  /* A kernel may have taken the number for another call's. */
  return getsockopt (result, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == aim->a
             ? 0
             : DN_SEEN_UNKNOWN;
}

/* The smallest 32-bit program: exit (42). */
static const uint8_t program_32[] = {
  0x7f, 'E',  'L', 'F', 1,    1, 1, 0, 0,    0,    0,    0,    0,    0,    0,    0,
  2,    0,    3,   0,   1,    0, 0, 0, 0x54, 0x80, 0x04, 0x08, 0x34, 0,    0,    0,
  0,    0,    0,   0,   0,    0, 0, 0, 0x34, 0,    0x20, 0,    1,    0,    0,    0,
  0,    0,    0,   0,   1,    0, 0, 0, 0,    0,    0,    0,    0x00, 0x80, 0x04, 0x08,
  0x00, 0x80, 4,   8,   0x60, 0, 0, 0, 0x60, 0,    0,    0,    5,    0,    0,    0,
  0,    0x10, 0,   0,   0xb8, 1, 0, 0, 0,    0xbb, 42,   0,    0,    0,    0xcd, 0x80,
};

static int
execute_32 (const DnAim *aim)
{
  char *const arguments[] = { (char *) "exit-42", NULL };
  char *const environment[] = { NULL };
  int fd = memfd_create ("exit-42", 0);
  int status = 0;
  pid_t child;

  (void) aim;
  if (fd < 0 || write (fd, program_32, sizeof program_32) != sizeof program_32)
    return DN_SEEN_UNKNOWN;
  child = fork ();
  if (child == 0)
    {
      (void) fexecve (fd, arguments, environment);
      _exit (errno);
    }
  if (child < 0 || waitpid (child, &status, 0) < 0)
    return DN_SEEN_UNKNOWN;
  if (WIFSIGNALED (status))
    return 1000 + WTERMSIG (status);
  return WEXITSTATUS (status) == 42 ? 0 : WEXITSTATUS (status);
}

#define KILLED "SIGSYS SIGSEGV"

static const DnProbe probes[] = {
  { "abi.int80", "getpid by the 32-bit gate", "R3.6", KILLED, NULL, enter_32, { .a = 20 } },
  { "abi.int80-keyctl",
    "keyctl by the 32-bit gate",
    "R3.6",
    KILLED,
    NULL,
    enter_32,
    { .a = 288, .b = 0, .c = -3 } },
  { "abi.int80-unshare",
    "unshare by the 32-bit gate",
    "R3.6",
    KILLED,
    NULL,
    enter_32,
    { .a = 310, .b = 0x10000000 } },
  { "abi.int80-vsock",
    "AF_VSOCK by the 32-bit socketcall (moby #53551)",
    "R2.1",
    KILLED,
    NULL,
    socket_32,
    { .a = 40 } },
  { "abi.int80-alg",
    "AF_ALG by the 32-bit socketcall",
    "R3.6",
    KILLED,
    NULL,
    socket_32,
    { .a = 38 } },
  { "abi.elf32", "a 32-bit program", "R3.6", "SIGSYS ENOEXEC SIGSEGV", NULL, execute_32, { 0 } },
  { "abi.x32",
    "getpid as x32 calls it",
    "R3.6",
    "SIGSYS",
    NULL,
    dn_attempt_call,
    { .a = X32_BIT | SYS_getpid } },
  { "abi.x32-ptrace",
    "ptrace as x32 calls it (CVE-2014-0038's door)",
    "R3.6",
    "SIGSYS",
    NULL,
    dn_attempt_call,
    { .a = X32_BIT | 521 } },
  { "abi.unknown",
    "a number beyond the table",
    "R3.6",
    "ENOSYS",
    NULL,
    dn_attempt_call,
    { .a = 9999 } },
  { "abi.next",
    "the number that a newer kernel will give a meaning",
    "R3.6",
    "ENOSYS",
    NULL,
    dn_attempt_call,
    { .a = 475 } },
  { "abi.negative",
    "a negative number",
    "R3.6",
    "ENOSYS EPERM SIGSYS",
    NULL,
    dn_attempt_call,
    { .a = -2 } },
};

DN_FAMILY (dn_abi, probes);
