/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_BYTES 120

static void
become (const char *const *argv, int words)
{
  static const char *const environment[]
      = { "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "LC_ALL=C", NULL };
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null < 0 || dup2 (null, STDIN_FILENO) < 0 || dup2 (null, STDOUT_FILENO) < 0
      || dup2 (words, STDERR_FILENO) < 0)
    _exit (126);
  environ = (char **) environment;
  (void) execvp (argv[0], (char *const *) argv);
  _exit (127);
}

/* Keeps the last bytes of what comes until its end. */
static void
read_words (int fd, char ret_words[WORDS_BYTES + 1])
{
  size_t used = 0;
  char bytes[WORDS_BYTES];
  ssize_t n;

  while ((n = read (fd, bytes, sizeof bytes)) > 0)
    {
      size_t size = (size_t) n;
      size_t keep = used + size > WORDS_BYTES ? WORDS_BYTES - size : used;

      memmove (ret_words, ret_words + used - keep, keep);
      memcpy (ret_words + keep, bytes, size);
      used = keep + size;
    }
  while (used > 0 && ret_words[used - 1] == '\n')
    used--;
  ret_words[used] = '\0';
}

bool
dn_program_run (const char *const *argv, DnFailure *failure)
{
  char words[WORDS_BYTES + 1];
  int pipe_fds[2];
  int status = 0;
  pid_t pid;

  if (pipe2 (pipe_fds, O_CLOEXEC) < 0)
    return dn_fail_errno (failure, "cannot start %s", argv[0]);
  pid = fork ();
  if (pid == 0)
    become (argv, pipe_fds[1]);
  (void) close (pipe_fds[1]);
  if (pid < 0)
    {
      (void) close (pipe_fds[0]);
      return dn_fail_errno (failure, "cannot start %s", argv[0]);
    }
  read_words (pipe_fds[0], words);
  (void) close (pipe_fds[0]);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return true;
  if (WIFSIGNALED (status))
    return dn_fail (failure, -EIO, "%s was killed by signal %d", argv[0], WTERMSIG (status));
  return dn_fail (failure, -EIO, "%s ended with status %d: %s", argv[0], WEXITSTATUS (status),
                  dn_failure_name (words).text);
}
