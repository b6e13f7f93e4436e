/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../common/error.h"

static struct termios saved, raw;
static volatile sig_atomic_t is_saved, is_raw;

/* What ends a process and can be caught.  Those that a session reads through a signalfd are blocked
 * then and come by dn_terminal_die(); the handlers serve the moments before and after, and crashes.
 */
static const int fatal_signals[]
    = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGSEGV, SIGBUS,  SIGILL,
        SIGFPE,  SIGABRT, SIGSYS,  SIGTRAP, SIGXCPU, SIGXFSZ, SIGVTALRM,
        SIGPROF, SIGALRM, SIGUSR1, SIGUSR2, SIGIO,   SIGPWR,  SIGSTKFLT };

gboolean
dn_terminal_is_there (void)
{
  return isatty (STDIN_FILENO);
}

void
dn_terminal_get_size (guint16 *ret_rows, guint16 *ret_columns)
{
  struct winsize size;

  *ret_rows = *ret_columns = 0;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (ioctl (fd, TIOCGWINSZ, &size) == 0)
      {
        *ret_rows = size.ws_row;
        *ret_columns = size.ws_col;
        return;
      }
}

void
dn_terminal_restore (void)
{
  int saved_errno = errno;
  sigset_t ttou, before;

  if (!is_raw)
    return;
  /* A process in the background that changes its terminal is stopped by SIGTTOU; the way out must
   * not be. */
  (void) sigemptyset (&ttou);
  (void) sigaddset (&ttou, SIGTTOU);
  (void) pthread_sigmask (SIG_BLOCK, &ttou, &before);
  (void) tcsetattr (STDIN_FILENO, TCSANOW, &saved);
  is_raw = 0;
  (void) pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = saved_errno;
}

void
dn_terminal_resume (void)
{
  if (!is_saved)
    return;
  is_raw = 1;
  (void) tcsetattr (STDIN_FILENO, TCSANOW, &raw);
}

void
dn_terminal_die (int signal_number)
{
  sigset_t only;

  dn_terminal_restore ();
  (void) signal (signal_number, SIG_DFL);
  (void) sigemptyset (&only);
  (void) sigaddset (&only, signal_number);
  (void) raise (signal_number);
  /* It was blocked while a session ran: this is where it takes effect. */
  (void) pthread_sigmask (SIG_UNBLOCK, &only, NULL);
}

static void
restore_at_exit (void)
{
  dn_terminal_restore ();
}

static void
install_handlers (void)
{
  struct sigaction action = { .sa_handler = dn_terminal_die, .sa_flags = (int) SA_RESETHAND };

  (void) sigemptyset (&action.sa_mask);
  for (guint i = 0; i < G_N_ELEMENTS (fatal_signals); i++)
    {
      struct sigaction before;

      /* What was ignored when we started (nohup) stays ignored. */
      if (sigaction (fatal_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        (void) sigaction (fatal_signals[i], &action, NULL);
    }
  (void) atexit (restore_at_exit);
}

gboolean
dn_terminal_make_raw (GError **error)
{
  if (tcgetattr (STDIN_FILENO, &saved) < 0)
    return dn_throw_errno (error, "terminal");
  raw = saved;
  cfmakeraw (&raw);
  /* Every byte at once, none waits for more. */
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  if (!is_saved)
    install_handlers ();
  /* First the note, then the change: a signal between the two restores what is still there. */
  is_saved = is_raw = 1;
  if (tcsetattr (STDIN_FILENO, TCSADRAIN, &raw) < 0)
    {
      is_raw = 0;
      return dn_throw_errno (error, "terminal");
    }
  return TRUE;
}
