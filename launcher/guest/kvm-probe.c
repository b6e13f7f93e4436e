/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm-probe.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "kvm-probe-ask.h"

typedef struct
{
  DnKvmOutcome outcome;
  char *reason; /* owned; NULL: works */
  gint64 time_s;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_clear_pointer (&answer->reason, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static GMutex one_at_a_time;
static gint is_asking_beside; /* atomic */

/* What an answer depends on: this boot of the host, this device node. */
static char *
make_key (void)
{
  g_autofree char *boot_id = NULL;
  struct stat status = { 0 };

  if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL))
    boot_id = g_strdup ("unknown");
  g_strchomp (boot_id);
  (void) stat ("/dev/kvm", &status); /* missing: all zero, which is a key as well */
  return g_strdup_printf ("%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %o", boot_id,
                          (guint64) status.st_ino, (guint64) status.st_rdev, status.st_mode);
}

static char *
make_path (void)
{
  return g_build_filename (dn_paths ()->run, "kvm-probe", NULL);
}

/* Of this boot, as the key is; goes on while the host sleeps. */
static gint64
now_s (void)
{
  struct timespec now = { 0 };

  (void) clock_gettime (CLOCK_BOOTTIME, &now);
  return now.tv_sec;
}

/* The file: key, newline, reason (empty: works), newline, and where there was no answer the time of
 * asking and a newline. */
static gboolean
read_cache (const char *key, Answer *ret_answer)
{
  g_autofree char *path = make_path (), *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", 4);
  if (g_strv_length (lines) < 3 || strcmp (lines[0], key) != 0)
    return FALSE;
  *ret_answer = (Answer){ .outcome = DN_KVM_WORKS };
  if (lines[1][0] == '\0')
    return TRUE;
  ret_answer->outcome = lines[2][0] != '\0' ? DN_KVM_NO_ANSWER : DN_KVM_CANNOT;
  if (ret_answer->outcome == DN_KVM_NO_ANSWER
      && !g_ascii_string_to_signed (lines[2], 10, 0, G_MAXINT64, &ret_answer->time_s, NULL))
    return FALSE;
  ret_answer->reason = g_strdup (lines[1]);
  return TRUE;
}

static void
write_cache (const char *key, const Answer *answer)
{
  g_autofree char *path = make_path ();
  g_autoptr (GString) text = g_string_new (key);

  g_string_append_printf (text, "\n%s\n", answer->reason != NULL ? answer->reason : "");
  if (answer->outcome == DN_KVM_NO_ANSWER)
    g_string_append_printf (text, "%" G_GINT64_FORMAT "\n", answer->time_s);
  /* Without a cache the next start asks again: slower, not wrong. */
  (void) g_file_set_contents_full (path, text->str, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

/* Whether an answer is none any more. */
static gboolean
is_due (const Answer *answer)
{
  gint64 age_s = now_s () - answer->time_s;

  return answer->outcome == DN_KVM_NO_ANSWER && (age_s < 0 || age_s >= DN_KVM_PROBE_AGAIN_S);
}

static void
ask (const char *key, Answer *ret_answer)
{
  *ret_answer = (Answer){ 0 };
  ret_answer->outcome = dn_kvm_probe_kernel (&ret_answer->reason);
  if (ret_answer->outcome == DN_KVM_WORKS)
    ret_answer->outcome = dn_kvm_probe_qemu (&ret_answer->reason);
  ret_answer->time_s = now_s ();
  write_cache (key, ret_answer);
}

static gpointer
ask_again (gpointer data)
{
  g_autofree char *key = data;
  g_auto (Answer) old = { 0 }, answer = { 0 };

  g_mutex_lock (&one_at_a_time);
  /* Somebody else may have asked before it was this one's turn. */
  if (!read_cache (key, &old) || is_due (&old))
    ask (key, &answer);
  g_mutex_unlock (&one_at_a_time);
  g_atomic_int_set (&is_asking_beside, 0);
  return NULL;
}

/* Beside whoever wants to know, who goes on with the old answer. */
static void
start_asking (const char *key)
{
  char *copy;
  GThread *thread;

  if (!g_atomic_int_compare_and_exchange (&is_asking_beside, 0, 1))
    return;
  copy = g_strdup (key);
  thread = g_thread_try_new ("kvm-probe", ask_again, copy, NULL);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  g_free (copy);
  g_atomic_int_set (&is_asking_beside, 0);
}

gboolean
dn_kvm_probe_is_asking (void)
{
  return g_atomic_int_get (&is_asking_beside) != 0;
}

static gboolean
is_open_to_all (void)
{
  struct stat status;

  return stat ("/dev/kvm", &status) == 0 && (status.st_mode & 06) == 06;
}

gboolean
dn_kvm_probe (DnKvmProbeHow how, GError **error)
{
  g_autofree char *key = NULL;
  g_auto (Answer) answer = { 0 };
  gboolean is_known;

  /* There root opens it for each guest by an ACL, which is not a user's to do. */
  if (dn_paths ()->is_session && !is_open_to_all ())
    return dn_throw (error, DN_ERROR_DENIED,
                     "session mode: /dev/kvm is not open to the ids of guests; as root: echo "
                     "'KERNEL==\"kvm\", MODE=\"0666\"' > /etc/udev/rules.d/99-kvm.rules, and "
                     "chmod 0666 /dev/kvm");
  key = make_key ();
  is_known = how != DN_KVM_PROBE_ANEW && read_cache (key, &answer);

  if (is_known && is_due (&answer) && how == DN_KVM_PROBE_QUICKLY)
    start_asking (key);
  else if (!is_known || is_due (&answer))
    {
      g_mutex_lock (&one_at_a_time);
      answer_clear (&answer);
      if (how == DN_KVM_PROBE_ANEW || !read_cache (key, &answer) || is_due (&answer))
        {
          answer_clear (&answer);
          ask (key, &answer);
        }
      g_mutex_unlock (&one_at_a_time);
    }
  if (answer.outcome == DN_KVM_WORKS)
    return TRUE;
  return dn_throw (error, DN_ERROR_DENIED, "this host cannot run KVM guests: %s", answer.reason);
}
