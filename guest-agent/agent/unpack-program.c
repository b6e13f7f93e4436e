/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack-program.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unpack.h"

/* The program, its options with a value each, those of the base, and the end. */
#define WORDS_MAX (2 + 2 * 10 + 2 * DN_DISK_LAYERS_MAX + 1)
#define DIGEST_BYTES 32

typedef struct
{
  char **words; /* NULL: there was no memory */
  size_t count;
} List;

static void
give_up (List *list)
{
  dn_unpack_words_free (list->words);
  list->words = NULL;
}

static void __attribute__ ((format (printf, 2, 3))) add (List *list, const char *format, ...)
{
  va_list arguments;
  char *word;
  int r;

  if (list->words == NULL)
    return;
  va_start (arguments, format);
  r = vasprintf (&word, format, arguments);
  va_end (arguments);
  if (r < 0 || list->count == WORDS_MAX - 1)
    give_up (list);
  else
    list->words[list->count++] = word;
}

static List
begin (const char *what)
{
  List list = { .words = calloc (WORDS_MAX, sizeof (char *)) };

  add (&list, DN_UNPACK_PROGRAM);
  add (&list, "%s", what);
  return list;
}

static void
add_text (List *list, const char *name, const char *value)
{
  add (list, "--%s", name);
  add (list, "%s", value);
}

static void
add_number (List *list, const char *name, uint64_t value)
{
  add (list, "--%s", name);
  add (list, "%" PRIu64, value);
}

static void
add_digest (List *list, const char *name, const uint8_t bytes[DIGEST_BYTES])
{
  char text[2 * DIGEST_BYTES + 1];

  for (size_t i = 0; i < DIGEST_BYTES; i++)
    (void) snprintf (text + 2 * i, sizeof text - 2 * i, "%02x", bytes[i]);
  add (list, "--%s", name);
  add (list, "sha256:%s", text);
}

char **
dn_unpack_words_read (const DnMsgUnpackRead *message, const DnUnpackDevices *devices)
{
  List list = begin ("read");

  add_text (&list, "archive", devices->input);
  add_number (&list, "archive-bytes", message->archive_bytes);
  add_text (&list, "output", devices->output);
  add_number (&list, "expanded-limit", message->expanded_limit_bytes);
  if (message->reference[0] != '\0')
    add_text (&list, "reference", message->reference);
  return list.words;
}

char **
dn_unpack_words_layer (const DnMsgUnpackLayer *message, const DnUnpackDevices *devices,
                       const DnDisks *disks, const DnDisk *base)
{
  List list = begin ("layer");

  add_text (&list, "blob", devices->input);
  add_number (&list, "blob-bytes", message->blob_bytes);
  add_digest (&list, "digest", message->sha256);
  add_digest (&list, "diff-id", message->diff_id);
  add_digest (&list, "chain", message->chain);
  add_text (&list, "scratch", devices->scratch);
  add_text (&list, "output", devices->output);
  add_number (&list, "files-limit", message->files_limit);
  add_number (&list, "unpacked-limit", message->unpacked_limit_bytes);
  for (unsigned i = 0; base != NULL && i < base->mount_count; i++)
    {
      char path[DN_DISK_PATH_BYTES];

      dn_disk_path (disks, base, i, path);
      add_text (&list, "base", path);
    }
  return list.words;
}

void
dn_unpack_words_free (char **words)
{
  for (size_t i = 0; words != NULL && words[i] != NULL; i++)
    free (words[i]);
  free (words);
}

_Noreturn static void
run (char **words, int output)
{
  char *const env[] = { (char *) "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };
  sigset_t none;

  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) signal (SIGPIPE, SIG_DFL);
  if (dup2 (output, 1) >= 0 && close_range (3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    (void) execve (DN_UNPACK_PROGRAM, words, env);
  _exit (127);
}

int
dn_unpack_spawn (char **words, int *ret_output, int *ret_pidfd, DnFault *fault)
{
  int ends[2];
  int pidfd = -1;
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  long pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return dn_fault_set_errno (fault, "make a pipe");
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    run (words, ends[1]);
  (void) close (ends[1]);
  *ret_output = ends[0];
  if (pid < 0)
    return dn_fault_set_errno (fault, "start the unpacker");
  *ret_pidfd = pidfd;
  (void) fcntl (ends[0], F_SETFL, O_NONBLOCK);
  return 0;
}
