/* SPDX-License-Identifier: Apache-2.0 */
/* The task that verifies a signature over an archive, by gpgv and minisign.
 *
 * In the staging directory, all of them root's and read-only:
 *
 *     archive      hashed by danchid already
 *     signature    GPG's, detached (binary or armoured) or around a text; or minisign's
 *     checksum     what was signed in place of the archive; may be missing
 *     key.0 ...    keys that the operator trusts
 *
 * Order:
 *
 *     sha256       the archive's, as danchid computed it
 *     keys         how many
 *     kindN        of each: GPG or minisign
 *
 * Report:
 *
 *     signed KEY ID OVER TIME    the number of the key; fingerprint; archive, checksum or message;
 *                                seconds since the epoch, 0: not known
 *     done
 *     failed CODE TEXT           no-key, bad, key-expired, key-revoked, expired, none, kind,
 *                                checksum, key, order, other
 *
 * One signature of one key is enough.  A signature that is wrong for a key that it says it is by is
 * never passed over for another key.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "checksum.h"
#include "gpg-status.h"
#include "jail.h"
#include "key-text.h"
#include "task.h"

#define ARCHIVE "archive"
#define SIGNATURE "signature"
#define CHECKSUM "checksum"
#define MESSAGE DN_JAIL_PRIVATE "/message"
#define KEYRING DN_JAIL_PRIVATE "/keyring"
#define OUTPUT_MAX_BYTES (64 * 1024)

typedef struct
{
  DnTaskRun *run;
  DnSignatureForm form;
  char *signature; /* owned */
  gsize signature_size;
  const char *over; /* archive, checksum, message */
  const char *data; /* the file that is signed; NULL: in the signature itself */
  /* The last key's answer, and what to say where none has a better one. */
  const char *code;
  char id[DN_KEY_ID_MAX_BYTES + 1];
  gint64 signed_s;
} Check;

static _Noreturn void
become (const char *const *argv, int output)
{
  static const char *const environment[]
      = { "PATH=/usr/bin", "HOME=" DN_JAIL_PRIVATE, "LC_ALL=C", NULL };
  g_autofree char *path = g_strconcat ("/usr/bin/", argv[0], NULL);

  (void) prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (dup2 (output, STDOUT_FILENO) < 0)
    _exit (EXIT_FAILURE);
  (void) execve (path, (char *const *) argv, (char *const *) environment);
  _exit (127);
}

/* Runs a program; its standard output, cut. (transfer full).  @ret_status: as of waitpid(2) */
static char *
run_program (DnTaskRun *run, const char *const *argv, gsize *ret_size, int *ret_status)
{
  g_autofree char *output = g_malloc (OUTPUT_MAX_BYTES);
  gsize used = 0;
  int pipes[2];
  pid_t child;
  ssize_t n;

  if (pipe2 (pipes, O_CLOEXEC) < 0 || (child = fork ()) < 0)
    exit (dn_task_fail (run, "other", g_strerror (errno)));
  if (child == 0)
    become (argv, pipes[1]);
  (void) close (pipes[1]);
  while ((n = read (pipes[0], output + used, OUTPUT_MAX_BYTES - used)) > 0
         || (n < 0 && errno == EINTR))
    used += n > 0 ? (gsize) n : 0;
  (void) close (pipes[0]);
  while (waitpid (child, ret_status, 0) < 0 && errno == EINTR)
    ;
  *ret_size = used;
  return g_steal_pointer (&output);
}

static char *
read_file (DnTaskRun *run, const char *path, gsize *ret_size)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  if (!g_file_get_contents (path, &text, ret_size, &error))
    exit (dn_task_fail (run, "other", error->message));
  return text;
}

/* The key as a keyring that gpgv reads. */
static void
write_keyring (DnTaskRun *run, const char *key)
{
  gsize size;
  g_autofree char *text = read_file (run, key, &size);
  g_autoptr (GBytes) bytes = dn_armor_decode (text, size);
  g_autoptr (GError) error = NULL;

  if (bytes == NULL)
    exit (dn_task_fail (run, "key", key));
  if (!g_file_set_contents (KEYRING, g_bytes_get_data (bytes, NULL),
                            (gssize) g_bytes_get_size (bytes), &error))
    exit (dn_task_fail (run, "other", error->message));
}

static gboolean
ask_gpgv (Check *check, const char *key)
{
  static const char *const codes[] = {
    [DN_GPG_GOOD] = NULL,
    [DN_GPG_NO_KEY] = "no-key",
    [DN_GPG_BAD] = "bad",
    [DN_GPG_KEY_EXPIRED] = "key-expired",
    [DN_GPG_KEY_REVOKED] = "key-revoked",
    [DN_GPG_EXPIRED] = "expired",
    [DN_GPG_NONE] = "none",
  };
  const char *const argv[] = { "gpgv",
                               "--homedir",
                               DN_JAIL_PRIVATE,
                               "--status-fd",
                               "1",
                               "--weak-digest",
                               "SHA1",
                               "--weak-digest",
                               "RIPEMD160",
                               "--keyring",
                               KEYRING,
                               "--output",
                               check->data != NULL ? "/dev/null" : MESSAGE,
                               SIGNATURE,
                               check->data,
                               NULL };
  g_autofree char *output = NULL;
  gsize size;
  int status;

  write_keyring (check->run, key);
  (void) unlink (MESSAGE);
  output = run_program (check->run, argv, &size, &status);
  check->code = codes[dn_gpg_status_read (output, size, check->id, &check->signed_s)];
  return check->code == NULL;
}

static gboolean
ask_minisign (Check *check, const char *key)
{
  const char *const argv[]
      = { "minisign", "-V", "-q", "-p", key, "-x", SIGNATURE, "-m", check->data, NULL };
  char key_id[16 + 1];
  gsize key_size, size;
  g_autofree char *text = read_file (check->run, key, &key_size), *output = NULL;
  int status;

  if (!dn_minisign_id (text, key_size, key_id))
    exit (dn_task_fail (check->run, "key", key));
  if (!dn_minisign_id (check->signature, check->signature_size, check->id))
    check->code = "none";
  else if (!g_str_equal (key_id, check->id))
    check->code = "no-key";
  else
    {
      output = run_program (check->run, argv, &size, &status);
      check->code = WIFEXITED (status) && WEXITSTATUS (status) == 0 ? NULL : "bad";
      check->signed_s = dn_minisign_time_s (check->signature, check->signature_size);
    }
  return check->code == NULL;
}

/* What is signed, by the form of the signature and by what came along. */
static void
settle (Check *check)
{
  check->signature = read_file (check->run, SIGNATURE, &check->signature_size);
  check->form = dn_signature_form (check->signature, check->signature_size);
  if (access (CHECKSUM, F_OK) == 0)
    {
      check->data = CHECKSUM;
      check->over = "checksum";
    }
  else
    {
      check->data = ARCHIVE;
      check->over = "archive";
    }
  if (check->form != DN_SIGNATURE_GPG_CLEAR)
    return;
  if (g_str_equal (check->over, "checksum"))
    exit (dn_task_fail (check->run, "kind", "the signature has a text of its own"));
  check->data = NULL;
  check->over = "message";
}

/* Of a checksum that was signed: whether it is the archive's. */
static void
compare_checksum (Check *check)
{
  gsize size;
  g_autofree char *text = NULL;

  if (check->data != NULL && g_str_equal (check->data, ARCHIVE))
    return;
  text = read_file (check->run, check->data != NULL ? check->data : MESSAGE, &size);
  if (!dn_checksum_has (text, size, dn_task_text (check->run, "sha256")))
    exit (dn_task_fail (check->run, "checksum", check->over));
}

static gboolean
is_of_form (Check *check, guint number)
{
  g_autofree char *name = g_strdup_printf ("kind%u", number);
  const char *kind = check->form == DN_SIGNATURE_MINISIGN ? "minisign" : "GPG";

  return g_str_equal (dn_task_text (check->run, name), kind);
}

int
dn_task_signature (DnTaskRun *run)
{
  Check check = { .run = run, .code = "kind" };
  guint64 keys = dn_task_number (run, "keys");

  settle (&check);
  for (guint i = 0; i < keys; i++)
    {
      g_autofree char *key = g_strdup_printf ("key.%u", i);

      if (!is_of_form (&check, i))
        continue;
      if (check.form == DN_SIGNATURE_MINISIGN ? ask_minisign (&check, key) : ask_gpgv (&check, key))
        {
          compare_checksum (&check);
          dn_task_say (run, "signed %u %s %s %" G_GINT64_FORMAT, i, check.id, check.over,
                       check.signed_s);
          return dn_task_done (run);
        }
      if (!g_str_equal (check.code, "no-key"))
        break;
    }
  return dn_task_fail (run, check.code, check.id[0] != '\0' ? check.id : check.over);
}
