/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/cli-danchid.c launcher/cli/*.c !launcher/cli/main.c launcher/survey/*.c
 * launcher/record/*.c launcher/report/*.c launcher/common/*.c launcher/base/*.c protocol/*.c */
/* Packages: -lutil */
/* Sessions as users know them, against a relay that this test plays: streams, exit statuses,
 * signals, and the terminal in every state that danchi may leave it in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../../launcher/base/session.h"
#include "../../protocol/frame-reader.h"
#include "cli-danchid.h"

#define OK                                                                                         \
  "{\"ok\":{\"id\":\"0123456789abcdef0123456789abcdef\",\"name\":\"web\",\"terminal\":true}}"
#define PATIENCE_MS 10000

enum
{
  CONTROL,
  STDIN,
  STDOUT,
  STDERR,
};

/* A danchi that runs, and the far end of everything it has. */
typedef struct
{
  CliDanchid *danchid;
  int relay[4];
  int user[3]; /* the user's ends of its standard descriptors; a terminal is user[0] */
  int slave;   /* the terminal's other end, kept open so that its state can be read */
  int child;
} Run;

static void
run_prepare (Run *run)
{
  DnFdList fds = DN_FD_LIST_INIT;

  memset (run, 0, sizeof *run);
  run->danchid = cli_danchid_new ();
  run->slave = run->user[0] = run->user[1] = run->user[2] = -1;
  for (int i = 0; i < 4; i++)
    {
      int pair[2];

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
      run->relay[i] = pair[0];
      fds.fds[fds.count++] = pair[1];
    }
  cli_danchid_add (run->danchid, OK, &fds);
}

static void
run_start (Run *run, const char *words)
{
  g_auto (GStrv) argv = g_strsplit (words, " ", -1);
  int fds[3], pair[2];

  run_prepare (run);
  for (int i = 0; i < 3; i++)
    {
      g_assert_cmpint (pipe2 (pair, O_CLOEXEC), ==, 0);
      fds[i] = pair[i == 0 ? 0 : 1];
      run->user[i] = pair[i == 0 ? 1 : 0];
    }
  run->child = cli_danchid_start (run->danchid, argv, fds);
  for (int i = 0; i < 3; i++)
    (void) close (fds[i]);
}

static void
run_start_terminal (Run *run, const char *words)
{
  g_auto (GStrv) argv = g_strsplit (words, " ", -1);
  struct winsize size = { .ws_row = 33, .ws_col = 111 };

  run_prepare (run);
  g_assert_cmpint (openpty (&run->user[0], &run->slave, NULL, NULL, &size), ==, 0);
  (void) fcntl (run->user[0], F_SETFD, FD_CLOEXEC);
  (void) fcntl (run->slave, F_SETFD, FD_CLOEXEC);
  run->child
      = cli_danchid_start (run->danchid, argv, (int[]){ run->slave, run->slave, run->slave });
}

static int
run_wait (Run *run)
{
  int status = 0;

  for (int waited = 0; waited < PATIENCE_MS; waited += 10)
    {
      if (waitpid (run->child, &status, WNOHANG) == run->child)
        {
          run->child = 0;
          return WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + WTERMSIG (status);
        }
      g_usleep (10000);
    }
  g_error ("danchi does not end");
}

static void
run_clear (Run *run)
{
  int *const lists[] = { run->relay, run->user, &run->slave };
  const int counts[] = { 4, 3, 1 };

  g_assert_cmpint (run->child, ==, 0);
  for (int i = 0; i < 3; i++)
    for (int n = 0; n < counts[i]; n++)
      if (lists[i][n] >= 0)
        (void) close (lists[i][n]);
  cli_danchid_free (run->danchid);
}

static void
hang_up (int *fd)
{
  (void) close (*fd);
  *fd = -1;
}

/* Exactly @size bytes, or fewer before the end. */
static gsize
read_bytes (int fd, char *bytes, gsize size)
{
  gsize have = 0;

  while (have < size)
    {
      struct pollfd pollfd = { .fd = fd, .events = POLLIN };
      ssize_t n;

      if (poll (&pollfd, 1, PATIENCE_MS) == 0)
        g_error ("nothing comes after %" G_GSIZE_FORMAT " bytes", have);
      n = read (fd, bytes + have, size - have);
      if (n <= 0)
        break;
      have += (gsize) n;
    }
  return have;
}

static void
expect_text (int fd, const char *text)
{
  g_autofree char *bytes = g_malloc0 (strlen (text) + 1);

  (void) read_bytes (fd, bytes, strlen (text));
  g_assert_cmpstr (bytes, ==, text);
}

static void
say (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
}

static void
send_frame (Run *run, uint16_t type, const uint8_t *payload, int size)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES + 600];

  g_assert_cmpint (size, >=, 0);
  dn_frame_encode_header (frame, type, 0, (uint32_t) size);
  memcpy (frame + DN_FRAME_HEADER_BYTES, payload, (size_t) size);
  g_assert_cmpint (write (run->relay[CONTROL], frame, DN_FRAME_HEADER_BYTES + (size_t) size), >, 0);
}

static void
end_process (Run *run, guint32 code, guint32 signal_number)
{
  const DnMsgSessionExited exited = { .code = code, .signal = signal_number };
  uint8_t payload[64];

  send_frame (run, DN_MSG_SESSION_EXITED, payload,
              dn_msg_session_exited_pack (&exited, payload, sizeof payload));
}

static void
close_outputs (Run *run)
{
  hang_up (&run->relay[STDOUT]);
  hang_up (&run->relay[STDERR]);
}

/* The next control message from danchi; its payload's first four bytes as one or two numbers. */
static uint16_t
read_frame (Run *run, guint8 ret_payload[4])
{
  uint8_t header[DN_FRAME_HEADER_BYTES];
  DnFrameHeader decoded;

  g_assert_cmpint (read_bytes (run->relay[CONTROL], (char *) header, sizeof header), ==,
                   sizeof header);
  g_assert_cmpint (dn_frame_decode_header (&dn_session_wire, DN_SENDER_HOST, header, &decoded), ==,
                   0);
  g_assert_cmpint (decoded.length, ==, 4);
  g_assert_cmpint (read_bytes (run->relay[CONTROL], (char *) ret_payload, 4), ==, 4);
  return decoded.type;
}

static void
test_input_arrives_intact_with_its_end (void)
{
  const gsize sizes[] = { 0, 1, 65535, 65536, 65537, 5000000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      Run run;
      g_autofree char *sent = g_malloc (sizes[i] + 1), *got = g_malloc (sizes[i] + 1);
      pid_t writer;

      for (gsize n = 0; n < sizes[i]; n++)
        sent[n] = (char) (n * 7 + n / 251);
      run_start (&run, "run -i image cat");
      writer = fork ();
      if (writer == 0)
        {
          for (gsize n = 0; n < sizes[i];)
            n += (gsize) write (run.user[0], sent + n, sizes[i] - n);
          _exit (0);
        }
      hang_up (&run.user[0]);
      g_assert_cmpint (read_bytes (run.relay[STDIN], got, sizes[i] + 1), ==, sizes[i]);
      g_assert_cmpint (memcmp (sent, got, sizes[i]), ==, 0);
      (void) waitpid (writer, NULL, 0);
      end_process (&run, 0, 0);
      close_outputs (&run);
      g_assert_cmpint (run_wait (&run), ==, 0);
      run_clear (&run);
    }
}

static void
test_without_i_nothing_is_passed_on (void)
{
  Run run;
  char byte;

  run_start (&run, "exec web true");
  say (run.user[0], "not for it");
  end_process (&run, 3, 0);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 3);
  g_assert_cmpint (read_bytes (run.relay[STDIN], &byte, 1), ==, 0);
  run_clear (&run);
}

static void
test_outputs_stay_separate_and_come_before_the_end (void)
{
  Run run;

  run_start (&run, "run image true");
  end_process (&run, 7, 0);
  g_usleep (50000);
  say (run.relay[STDOUT], "to out");
  say (run.relay[STDERR], "to err");
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 7);
  expect_text (run.user[1], "to out");
  expect_text (run.user[2], "to err");
  run_clear (&run);
}

static void
test_a_signal_that_ended_it_is_128_and_more (void)
{
  Run run;

  run_start (&run, "run image true");
  end_process (&run, 0, SIGSEGV);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 128 + SIGSEGV);
  run_clear (&run);
}

static void
test_a_lost_session_says_why (void)
{
  DnMsgSessionLost lost = { .reason = "the guest is gone \033[2J" };
  uint8_t payload[600];
  Run run;

  run_start (&run, "run image true");
  say (run.relay[STDOUT], "last words\n");
  send_frame (&run, DN_MSG_SESSION_LOST, payload,
              dn_msg_session_lost_pack (&lost, payload, sizeof payload));
  g_assert_cmpint (run_wait (&run), ==, 125);
  expect_text (run.user[1], "last words\n");
  expect_text (run.user[2], "danchi: session lost: the guest is gone \\x1b[2J\n");
  run_clear (&run);
}

static void
test_a_relay_that_goes_or_talks_nonsense_is_a_lost_session (void)
{
  for (int i = 0; i < 2; i++)
    {
      Run run;

      run_start (&run, "run image true");
      if (i == 0)
        hang_up (&run.relay[CONTROL]);
      else
        say (run.relay[CONTROL], "nonsense of more than a header");
      g_assert_cmpint (run_wait (&run), ==, 125);
      run_clear (&run);
    }
}

static void
test_a_stalled_reader_holds_up_its_own_stream_only (void)
{
  g_autofree char *much = g_malloc0 (4 * 1024 * 1024);
  Run run;
  pid_t writer;

  run_start (&run, "run image true");
  writer = fork ();
  if (writer == 0)
    {
      /* More than pipe and sockets hold: stays stuck until somebody reads. */
      for (gsize n = 0; n < 4 * 1024 * 1024;)
        n += (gsize) write (run.relay[STDOUT], much + n, 4 * 1024 * 1024 - n);
      _exit (0);
    }
  g_usleep (100000);
  say (run.relay[STDERR], "still here");
  expect_text (run.user[2], "still here");
  g_assert_cmpint (kill (run.child, SIGUSR1), ==, 0);
  {
    guint8 payload[4];

    g_assert_cmpint (read_frame (&run, payload), ==, DN_MSG_SESSION_SIGNAL);
    g_assert_cmpint (payload[3], ==, SIGUSR1);
  }
  end_process (&run, 0, 0);
  close_outputs (&run);
  g_assert_cmpint (read_bytes (run.user[1], much, 4 * 1024 * 1024), ==, 4 * 1024 * 1024);
  (void) waitpid (writer, NULL, 0);
  g_assert_cmpint (run_wait (&run), ==, 0);
  run_clear (&run);
}

static void
test_a_closed_stdout_lets_the_process_go_on (void)
{
  Run run;
  char byte;

  run_start (&run, "run image true");
  hang_up (&run.user[1]);
  say (run.relay[STDOUT], "to nobody");
  /* The relay learns it, */
  (void) signal (SIGPIPE, SIG_IGN);
  g_assert_cmpint (read_bytes (run.relay[STDOUT], &byte, 1), ==, 0);
  /* and the rest goes on. */
  say (run.relay[STDERR], "an error");
  expect_text (run.user[2], "an error");
  end_process (&run, 5, 0);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 5);
  run_clear (&run);
}

static void
test_signals_go_to_the_process (void)
{
  const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 };
  Run run;
  guint8 payload[4];

  run_start (&run, "run image true");
  /* Once output passes through, the session is up and has its signals. */
  say (run.relay[STDOUT], "up");
  expect_text (run.user[1], "up");
  g_usleep (50000);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_assert_cmpint (kill (run.child, signals[i]), ==, 0);
      g_assert_cmpint (read_frame (&run, payload), ==, DN_MSG_SESSION_SIGNAL);
      g_assert_cmpint (payload[3], ==, signals[i]);
    }
  end_process (&run, 0, SIGTERM);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 143);
  run_clear (&run);
}

static void
test_without_the_proxy_a_signal_ends_danchi_alone (void)
{
  Run run;

  run_start (&run, "run --sig-proxy=false image true");
  say (run.relay[STDOUT], "up");
  expect_text (run.user[1], "up");
  g_usleep (50000);
  g_assert_cmpint (kill (run.child, SIGINT), ==, 0);
  g_assert_cmpint (run_wait (&run), ==, 1000 + SIGINT);
  run_clear (&run);
}

/* The terminal is raw, or as it was. */
static gboolean
is_raw (Run *run)
{
  struct termios state;

  g_assert_cmpint (tcgetattr (run->slave, &state), ==, 0);
  return !(state.c_lflag & (ICANON | ECHO | ISIG));
}

static void
expect_raw (Run *run, gboolean wanted)
{
  for (int waited = 0; waited < PATIENCE_MS && is_raw (run) != wanted; waited += 10)
    g_usleep (10000);
  g_assert_cmpint (is_raw (run), ==, wanted);
}

static void
expect_size (Run *run, guint rows, guint columns)
{
  guint8 payload[4];

  g_assert_cmpint (read_frame (run, payload), ==, DN_MSG_SESSION_RESIZE);
  g_assert_cmpint (payload[0] << 8 | payload[1], ==, rows);
  g_assert_cmpint (payload[2] << 8 | payload[3], ==, columns);
}

static void
test_a_terminal_is_raw_while_it_lasts_and_knows_its_size (void)
{
  struct winsize size = { .ws_row = 50, .ws_col = 60 };
  g_autofree char *requests = NULL;
  Run run;

  run_start_terminal (&run, "run -it image sh");
  expect_raw (&run, TRUE);
  expect_size (&run, 33, 111);
  requests = cli_danchid_take_requests (run.danchid);
  g_assert_nonnull (strstr (requests, "\"rows\":33,\"columns\":111"));
  g_assert_cmpint (ioctl (run.user[0], TIOCSWINSZ, &size), ==, 0);
  /* It is no session leader's terminal here, so the kernel tells nobody: */
  g_assert_cmpint (kill (run.child, SIGWINCH), ==, 0);
  expect_size (&run, 50, 60);
  say (run.user[0], "\003x");
  expect_text (run.relay[STDIN], "\003x");
  say (run.relay[STDOUT], "a\nb");
  expect_text (run.user[0], "a\nb");
  end_process (&run, 4, 0);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 4);
  g_assert_false (is_raw (&run));
  run_clear (&run);
}

static void
test_the_detach_keys_leave_and_others_pass (void)
{
  Run run;

  run_start_terminal (&run, "attach web");
  expect_raw (&run, TRUE);
  say (run.user[0], "\020");
  say (run.user[0], "\020");
  say (run.user[0], "k");
  expect_text (run.relay[STDIN], "\020\020k");
  say (run.user[0], "\020\021");
  g_assert_cmpint (run_wait (&run), ==, 0);
  g_assert_false (is_raw (&run));
  run_clear (&run);
}

static void
test_the_terminal_is_restored_whatever_ends_danchi (void)
{
  const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT, SIGUSR1 };

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      Run run;

      run_start_terminal (&run, "run -it image sh");
      expect_raw (&run, TRUE);
      g_usleep (20000);
      g_assert_cmpint (kill (run.child, signals[i]), ==, 0);
      g_assert_cmpint (run_wait (&run), ==, 1000 + signals[i]);
      g_assert_false (is_raw (&run));
      run_clear (&run);
    }
}

static void
test_a_stopped_danchi_gives_the_terminal_back_and_takes_it_again (void)
{
  int status;
  Run run;

  run_start_terminal (&run, "run -it image sh");
  expect_raw (&run, TRUE);
  expect_size (&run, 33, 111);
  g_assert_cmpint (kill (run.child, SIGTSTP), ==, 0);
  g_assert_cmpint (waitpid (run.child, &status, WUNTRACED), ==, run.child);
  g_assert_true (WIFSTOPPED (status));
  g_assert_false (is_raw (&run));
  g_assert_cmpint (kill (run.child, SIGCONT), ==, 0);
  expect_raw (&run, TRUE);
  expect_size (&run, 33, 111);
  end_process (&run, 0, 0);
  close_outputs (&run);
  g_assert_cmpint (run_wait (&run), ==, 0);
  run_clear (&run);
}

static void
test_a_lost_session_restores_the_terminal (void)
{
  Run run;

  run_start_terminal (&run, "run -it image sh");
  expect_raw (&run, TRUE);
  hang_up (&run.relay[CONTROL]);
  g_assert_cmpint (run_wait (&run), ==, 125);
  g_assert_false (is_raw (&run));
  run_clear (&run);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GTestFunc function;
  } tests[] = {
#define TEST(name) { "/cli/session/" #name, test_##name }
    TEST (input_arrives_intact_with_its_end),
    TEST (without_i_nothing_is_passed_on),
    TEST (outputs_stay_separate_and_come_before_the_end),
    TEST (a_signal_that_ended_it_is_128_and_more),
    TEST (a_lost_session_says_why),
    TEST (a_relay_that_goes_or_talks_nonsense_is_a_lost_session),
    TEST (a_stalled_reader_holds_up_its_own_stream_only),
    TEST (a_closed_stdout_lets_the_process_go_on),
    TEST (signals_go_to_the_process),
    TEST (without_the_proxy_a_signal_ends_danchi_alone),
    TEST (a_terminal_is_raw_while_it_lasts_and_knows_its_size),
    TEST (the_detach_keys_leave_and_others_pass),
    TEST (the_terminal_is_restored_whatever_ends_danchi),
    TEST (a_stopped_danchi_gives_the_terminal_back_and_takes_it_again),
    TEST (a_lost_session_restores_the_terminal),
#undef TEST
  };

  cli_danchid_be_danchi (argc, argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].name, tests[i].function);
  return g_test_run ();
}
