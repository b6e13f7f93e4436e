/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/audit-record.c guest-agent/agent/filter-outcome.c
 * guest-agent/agent/refusal.c launcher/spec/seccomp*.c launcher/spec/capability.c
 * launcher/common/[ejp]*.c */
/* Packages: libseccomp */

/* What the agent makes of the kernel's records of refused system calls (R3.6). */
#include <errno.h>
#include <glib.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "../../guest-agent/agent/filter-outcome.h"
#include "../../guest-agent/agent/refusal.h"
#include "../../launcher/spec/seccomp-build.h"

/* As Linux 6.1 writes them. */
#define HEAD                                                                                       \
  "audit(1732262400.123:45): auid=4294967295 uid=131072 gid=131072 ses=4294967295 pid=312 "
#define TAIL " sig=0 arch=c000003e syscall=165 compat=0 ip=0x4512fe code=0x50000"
#define REFUSED_BY_MOUNT HEAD "comm=\"mount\" exe=\"/bin/busybox\"" TAIL

static const struct sock_filter *filter;
static gsize filter_count;

static gboolean
read_record (const char *text, DnAuditRecord *ret_record)
{
  /* Exactly as many bytes as the text has, so that ASan sees a read beyond. */
  g_autofree char *copy = g_memdup2 (text, strlen (text));

  return dn_audit_record_read (copy, strlen (text), ret_record);
}

static void
test_reads_what_the_kernel_writes (void)
{
  DnAuditRecord record;

  g_assert_true (read_record (REFUSED_BY_MOUNT, &record));
  g_assert_cmpuint (record.uid, ==, 131072);
  g_assert_cmpuint (record.arch, ==, AUDIT_ARCH_X86_64);
  g_assert_cmpuint (record.call, ==, SYS_mount);
  g_assert_cmpuint (record.action, ==, SECCOMP_RET_ERRNO);
  g_assert_cmpstr (record.program, ==, "mount");
}

static void
test_a_name_cannot_look_like_another_field (void)
{
  DnAuditRecord record;

  /* "a uid=0" as the kernel writes it; and quotes cannot hold blanks. */
  g_assert_true (read_record (HEAD "comm=61207569643D30 exe=\"/x\"" TAIL, &record));
  g_assert_cmpstr (record.program, ==, "a uid=0");
  g_assert_cmpuint (record.uid, ==, 131072);
  g_assert_true (read_record (HEAD "comm=\"syscall=1\" exe=\"syscall=2\"" TAIL, &record));
  g_assert_cmpuint (record.call, ==, SYS_mount);
  g_assert_true (read_record (HEAD "comm=\"a-name-of-more-than-fifteen\"" TAIL, &record));
  g_assert_cmpstr (record.program, ==, "a-name-of-more-");
}

static void
test_takes_nothing_else_for_a_record (void)
{
  static const char *const texts[] = {
    "",
    " ",
    "uid",
    "uid=",
    HEAD "comm=\"x\"",
    HEAD TAIL,
    "comm=\"x\"" TAIL,
    HEAD "comm=\"x\" sig=0 arch=c000003e syscall=99999999999 code=0x50000",
    HEAD "comm=\"x\" sig=0 arch=c000003e syscall=-1 code=0x50000",
    HEAD "comm=\"x\" sig=0 arch=xyz syscall=1 code=0x50000",
    HEAD "comm=6100 sig=0 arch=c000003e syscall=1 code=0x50000",
    HEAD "comm=zz sig=0 arch=c000003e syscall=1 code=0x50000",
  };
  DnAuditRecord record;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (read_record (texts[i], &record))
      g_error ("taken: '%s'", texts[i]);
}

static guint32
error_of (int call)
{
  return dn_filter_errno (filter, filter_count, AUDIT_ARCH_X86_64, (guint32) call);
}

static void
test_a_filters_errno_is_found_without_the_arguments (void)
{
  g_assert_cmpuint (error_of (SYS_mount), ==, EPERM);
  g_assert_cmpuint (error_of (SYS_keyctl), ==, EPERM);
  /* By their arguments, but always with the same errno. */
  g_assert_cmpuint (error_of (SYS_clone), ==, EPERM);
  g_assert_cmpuint (error_of (SYS_ioctl), ==, EPERM);
  g_assert_cmpuint (error_of (SYS_socket), ==, EPERM);
  g_assert_cmpuint (error_of (SYS_clone3), ==, ENOSYS);
  g_assert_cmpuint (error_of (10000), ==, ENOSYS);
  /* Let through; and killed. */
  g_assert_cmpuint (error_of (SYS_read), ==, 0);
  g_assert_cmpuint (dn_filter_errno (filter, filter_count, AUDIT_ARCH_I386, 21), ==, 0);
}

static void
test_an_errno_that_depends_on_arguments_is_not_guessed (void)
{
  const struct sock_filter two[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[0])),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
  };

  g_assert_cmpuint (dn_filter_errno (two, 4, AUDIT_ARCH_X86_64, 1), ==, 0);
  g_assert_cmpuint (dn_filter_errno (two, 3, AUDIT_ARCH_X86_64, 1), ==, EPERM);
  g_assert_cmpuint (dn_filter_errno (two, 0, AUDIT_ARCH_X86_64, 1), ==, 0);
}

static void
test_counts_are_kept_for_each_call (void)
{
  DnRefusals refusals = { 0 };
  DnAuditRecord record = { .arch = AUDIT_ARCH_X86_64, .action = SECCOMP_RET_ERRNO };

  record.call = SYS_mount;
  for (int i = 0; i < 3; i++)
    g_assert_true (dn_refusals_add (&refusals, &record, filter, filter_count));
  record.call = SYS_umount2;
  strcpy (record.program, "umount");
  g_assert_true (dn_refusals_add (&refusals, &record, filter, filter_count));
  g_assert_cmpuint (refusals.count, ==, 2);
  g_assert_cmpuint (refusals.entries[0].count, ==, 3);
  g_assert_cmpuint (refusals.entries[0].error, ==, EPERM);
  g_assert_cmpstr (refusals.entries[1].program, ==, "umount");
}

static void
test_questions_whether_a_call_is_there_are_left_out (void)
{
  DnRefusals refusals = { 0 };
  DnAuditRecord record
      = { .call = SYS_clone3, .arch = AUDIT_ARCH_X86_64, .action = SECCOMP_RET_ERRNO };

  g_assert_false (dn_refusals_add (&refusals, &record, filter, filter_count));
  record.call = 9999;
  g_assert_false (dn_refusals_add (&refusals, &record, filter, filter_count));
  g_assert_cmpuint (refusals.count, ==, 0);
}

static void
test_the_table_is_bounded_and_the_rest_is_counted_together (void)
{
  DnRefusals refusals = { 0 };
  DnAuditRecord record
      = { .arch = AUDIT_ARCH_X86_64, .action = SECCOMP_RET_KILL_PROCESS, .program = "x" };

  for (record.call = 0; record.call < 1000; record.call++)
    g_assert_true (dn_refusals_add (&refusals, &record, filter, filter_count));
  g_assert_cmpuint (refusals.count, ==, DN_REFUSALS_MAX + 1);
  g_assert_cmpuint (refusals.entries[DN_REFUSALS_MAX].call, ==, DN_REFUSED_OTHERS);
  g_assert_cmpuint (refusals.entries[DN_REFUSALS_MAX].count, ==, 1000 - DN_REFUSALS_MAX);
  record.call = 1;
  g_assert_true (dn_refusals_add (&refusals, &record, filter, filter_count));
  g_assert_cmpuint (refusals.entries[1].count, ==, 2);
}

int
main (int argc, char **argv)
{
  g_autofree char *json = NULL;
  DnSeccompTexts texts = { .default_json = NULL };
  g_autoptr (GBytes) built = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_test_init (&argc, &argv, NULL);
  g_assert_true (g_file_get_contents ("config/seccomp/default.json", &json, NULL, &error));
  texts.default_json = json;
  built = dn_seccomp_build (&texts, &error);
  g_assert_no_error (error);
  filter = g_bytes_get_data (built, &size);
  filter_count = size / sizeof *filter;
#define TEST(name) g_test_add_func ("/agent-refusal/" #name, test_##name)
  TEST (reads_what_the_kernel_writes);
  TEST (a_name_cannot_look_like_another_field);
  TEST (takes_nothing_else_for_a_record);
  TEST (a_filters_errno_is_found_without_the_arguments);
  TEST (an_errno_that_depends_on_arguments_is_not_guessed);
  TEST (counts_are_kept_for_each_call);
  TEST (questions_whether_a_call_is_there_are_left_out);
  TEST (the_table_is_bounded_and_the_rest_is_counted_together);
  return g_test_run ();
}
