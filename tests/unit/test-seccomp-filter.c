/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/seccomp*.c launcher/spec/capability.c launcher/common/[ejp]*.c */
/* Packages: libseccomp */

/* The finished filter, asked without loading it.  test-seccomp-runtime.c asks the kernel. */
#include <asm/ioctls.h>
#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../../launcher/common/error.h"
#include "../../launcher/spec/capability.h"
#include "../../launcher/spec/seccomp-build.h"
#include "../../launcher/spec/seccomp-check.h"
#include "../../launcher/spec/seccomp-compile.h"
#include "../../launcher/spec/seccomp-filter.h"
#include "golden.h"
#include "seccomp-text.h"

#define EPERM_ACTION (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)
#define DIRTY 0x1234567800000000ull

static char *default_json;
static GBytes *default_filter;

/* From the files we ship. */
static GBytes *
build (DnSeccompBase base, guint64 capabilities, GError **error)
{
  g_autofree char *relaxed = NULL;
  DnSeccompTexts texts
      = { .default_json = default_json, .base = base, .capabilities = capabilities };

  if (!g_file_get_contents ("config/seccomp/relaxed.json", &relaxed, NULL, error))
    return NULL;
  texts.relaxed_json = relaxed;
  return dn_seccomp_build (&texts, error);
}

static guint32
ask (GBytes *filter, guint32 arch, int number, guint64 a, guint64 b, guint64 c)
{
  struct seccomp_data call = { .nr = number, .arch = arch, .args = { a, b, c } };
  guint32 action = 0;

  g_assert_true (dn_seccomp_filter_run (filter, &call, &action));
  return action;
}

static guint32
ask_default (int number, guint64 a, guint64 b, guint64 c)
{
  return ask (default_filter, AUDIT_ARCH_X86_64, number, a, b, c);
}

/* One line for each call, and the arguments that decide: what a reviewer reads. */
static void
test_decisions_are_as_reviewed (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int number = 0; number < 512; number++)
    {
      char *name = seccomp_syscall_resolve_num_arch (SCMP_ARCH_X86_64, number);
      g_autofree char *zeros = action_text (ask_default (number, 0, 0, 0));
      g_autofree char *ones = action_text (ask_default (number, G_MAXUINT64, G_MAXUINT64, 0));

      /* Above the table a number has no name, or not in every libseccomp. */
      if (name != NULL && number <= 456)
        g_string_append_printf (text, "%3d %-24s %s%s%s\n", number, name, zeros,
                                g_str_equal (zeros, ones) ? "" : ", or by arguments ",
                                g_str_equal (zeros, ones) ? "" : ones);
      free (name);
    }
  golden_compare ("tests/golden/seccomp/decisions.txt", text->str);
}

static void
test_instructions_are_as_reviewed (void)
{
  const struct scmp_version *version = seccomp_version ();
  g_autofree char *text = filter_text (default_filter);

  /* Another libseccomp may lay out the same decisions otherwise. */
  if (version->major != 2 || version->minor != 5)
    {
      g_test_skip ("the golden file is of libseccomp 2.5");
      return;
    }
  golden_compare ("tests/golden/seccomp/default.bpf.txt", text);
}

/* The optimised tree against the plain table it was made of, for every number. */
static void
test_the_compiled_filter_says_what_the_table_says (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSeccompProfile) profile
      = dn_seccomp_profile_read (default_json, strlen (default_json), 0, "default", &error);
  guint32 expected[512], largest;

  g_assert_no_error (error);
  largest = dn_seccomp_profile_largest (profile);
  for (guint number = 0; number < 512; number++)
    expected[number] = number > largest ? ENOSYS_ACTION : EPERM_ACTION;
  for (guint i = 0; i < profile->rules->len; i++)
    {
      const DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);

      if (rule->args_count == 0)
        expected[rule->number]
            = rule->action == SCMP_ACT_ALLOW ? SECCOMP_RET_ALLOW : (guint32) rule->action;
      else
        expected[rule->number] = 1; /* depends: tested by itself */
    }
  for (int number = 0; number < 512; number++)
    if (expected[number] != 1)
      {
        g_assert_cmphex (ask_default (number, 0, 0, 0), ==, expected[number]);
        g_assert_cmphex (ask_default (number, G_MAXUINT64, 0, G_MAXUINT64), ==, expected[number]);
      }
}

static void
test_other_architectures_are_killed (void)
{
  static const guint32 others[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmphex (ask (default_filter, others[i], __NR_read, 0, 0, 0), ==,
                     SECCOMP_RET_KILL_PROCESS);
  for (int number = 0; number < 600; number++)
    g_assert_cmphex (ask_default (0x40000000 | number, 0, 0, 0), ==, SECCOMP_RET_KILL_PROCESS);
}

static void
test_numbers_above_the_table_are_not_there (void)
{
  static const int numbers[] = { 457, 470, 1000, 9999, 0x3fffffff, -1 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    g_assert_cmphex (ask_default (numbers[i], 0, 0, 0), ==, ENOSYS_ACTION);
  g_assert_cmphex (ask_default (__NR_clone3, 0, 0, 0), ==, ENOSYS_ACTION);
}

static void
test_refuses_typing_into_terminals_whatever_the_upper_half (void)
{
  static const guint32 refused[] = { TIOCSTI, TIOCLINUX };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_assert_cmphex (ask_default (__NR_ioctl, 0, refused[i], 0), ==, EPERM_ACTION);
      g_assert_cmphex (ask_default (__NR_ioctl, 0, DIRTY | refused[i], 0), ==, EPERM_ACTION);
      g_assert_cmphex (ask_default (__NR_ioctl, 0, G_MAXUINT64 << 32 | refused[i], 0), ==,
                       EPERM_ACTION);
      for (guint bit = 0; bit < 32; bit++)
        {
          guint32 near = refused[i] ^ (1u << bit);

          if (near != TIOCSTI && near != TIOCLINUX)
            g_assert_cmphex (ask_default (__NR_ioctl, 0, near, 0), ==, SECCOMP_RET_ALLOW);
        }
    }
  for (guint32 request = 0; request < 0x10000; request++)
    g_assert_cmphex (ask_default (__NR_ioctl, 0, request, 0), ==,
                     request == TIOCSTI || request == TIOCLINUX ? EPERM_ACTION : SECCOMP_RET_ALLOW);
}

static void
test_permits_named_socket_families_only (void)
{
  for (guint family = 0; family < 300; family++)
    for (guint type = 0; type < 16; type++)
      {
        gboolean is_plain = type == SOCK_STREAM || type == SOCK_DGRAM;
        gboolean is_permitted = family == AF_UNIX || family == AF_NETLINK
                                || ((family == AF_INET || family == AF_INET6) && is_plain);
        guint32 expected = is_permitted ? SECCOMP_RET_ALLOW : EPERM_ACTION;

        g_assert_cmphex (ask_default (__NR_socket, family, type, 0), ==, expected);
        g_assert_cmphex (ask_default (__NR_socket, family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                         ==, expected);
        g_assert_cmphex (ask_default (__NR_socket, DIRTY | family, type, 0), ==, EPERM_ACTION);
        /* Of netlink's protocols only NETLINK_ROUTE, 0. */
        if (family == AF_NETLINK)
          for (guint64 protocol = 1; protocol < 64; protocol++)
            g_assert_cmphex (ask_default (__NR_socket, family, type, protocol), ==, EPERM_ACTION);
      }
  g_assert_cmphex (ask_default (__NR_socketpair, AF_UNIX, SOCK_STREAM, 0), ==, SECCOMP_RET_ALLOW);
  g_assert_cmphex (ask_default (__NR_socketpair, AF_VSOCK, SOCK_STREAM, 0), ==, EPERM_ACTION);
}

static void
test_permits_no_new_namespace_and_no_device (void)
{
  static const guint64 namespaces[] = { CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET };

  g_assert_cmphex (ask_default (__NR_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0), ==,
                   SECCOMP_RET_ALLOW);
  for (guint i = 0; i < G_N_ELEMENTS (namespaces); i++)
    {
      g_assert_cmphex (ask_default (__NR_clone, namespaces[i] | CLONE_VM, 0, 0), ==, EPERM_ACTION);
      g_assert_cmphex (ask_default (__NR_clone, DIRTY | namespaces[i], 0, 0), ==, EPERM_ACTION);
    }
  for (guint type = 0; type < 16; type++)
    {
      guint64 mode = type << 12 | 0644;
      guint32 expected = type == 0 || mode == (S_IFREG | 0644) || mode == (S_IFIFO | 0644)
                             ? SECCOMP_RET_ALLOW
                             : EPERM_ACTION;

      g_assert_cmphex (ask_default (__NR_mknod, 0, mode, 0), ==, expected);
      g_assert_cmphex (ask_default (__NR_mknodat, 0, 0, mode), ==, expected);
    }
}

static GBytes *
build_user (const char *rules, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 13, \"syscalls\": [%s]}",
      rules);

  const DnSeccompTexts texts = { .default_json = default_json, .user_json = text };

  return dn_seccomp_build (&texts, error);
}

#define STARTERS "\"read\", \"write\", \"close\", \"execve\", \"exit_group\""

static void
test_a_users_profile_only_takes_away (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) filter
      = build_user ("{\"names\": [" STARTERS
                    ", \"mount\", \"bpf\", \"socket\", \"ioctl\", \"clone3\", \"ptrace\"],"
                    " \"action\": \"SCMP_ACT_ALLOW\"}",
                    &error);

  g_assert_no_error (error);
  /* Both permit it. */
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_read, 0, 0, 0), ==, SECCOMP_RET_ALLOW);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_socket, AF_UNIX, 0, 0), ==,
                   SECCOMP_RET_ALLOW);
  /* Only the user's would. */
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_mount, 0, 0, 0), ==, EPERM_ACTION);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_bpf, 0, 0, 0), ==, EPERM_ACTION);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_socket, AF_VSOCK, 0, 0), ==, EPERM_ACTION);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_ioctl, 0, TIOCSTI, 0), ==, EPERM_ACTION);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_clone3, 0, 0, 0), ==, ENOSYS_ACTION);
  /* Only ours would. */
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_getpid, 0, 0, 0), ==,
                   SECCOMP_RET_ERRNO | EACCES);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, 9999, 0, 0, 0), ==, ENOSYS_ACTION);
}

static void
test_a_users_profile_must_let_a_program_start (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (build_user ("{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"}", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "refuses write"));
}

/* On top of ours it denies some more; in its place it would permit what nobody thought of. */
static void
test_a_list_of_what_is_denied_only_takes_away (void)
{
  g_autoptr (GError) error = NULL;
  DnSeccompTexts texts
      = { .default_json = default_json,
          .user_json = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
                       "{\"names\": [\"chmod\"], \"action\": \"SCMP_ACT_ERRNO\"}]}" };
  g_autoptr (GBytes) filter = dn_seccomp_build (&texts, &error);

  g_assert_no_error (error);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_chmod, 0, 0, 0), ==,
                   SECCOMP_RET_ERRNO | EPERM);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_read, 0, 0, 0), ==, SECCOMP_RET_ALLOW);
  for (int number = 0; number < 500; number++)
    if (ask_default (number, 0, 0, 0) != SECCOMP_RET_ALLOW)
      g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, number, 0, 0, 0), ==,
                       ask_default (number, 0, 0, 0));
  texts.base = DN_SECCOMP_UNCONFINED;
  g_assert_null (dn_seccomp_build (&texts, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "permits every system call"));
  g_clear_error (&error);
  texts = (DnSeccompTexts){ .default_json = texts.user_json };
  g_assert_null (dn_seccomp_build (&texts, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
}

static void
test_a_default_profile_that_permits_too_much_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  const DnSeccompTexts texts
      = { .default_json
          = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
            "{\"names\": [" STARTERS ", \"keyctl\"], \"action\": \"SCMP_ACT_ALLOW\"}]}" };

  g_assert_null (dn_seccomp_build (&texts, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "permits keyctl"));
}

static void
test_damaged_filters_are_noticed (void)
{
  static const struct sock_filter damaged[][2] = {
    { BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 4) },
    { BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT (BPF_RET | BPF_K, 0) },
    { BPF_STMT (BPF_LD | BPF_W | BPF_ABS, 2), BPF_STMT (BPF_RET | BPF_K, 0) },
    { BPF_STMT (BPF_JMP | BPF_JA, 0xffffffff), BPF_STMT (BPF_RET | BPF_K, 0) },
    { BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 255, 255), BPF_STMT (BPF_RET | BPF_K, 0) },
    { BPF_STMT (BPF_RET | BPF_A, 0), BPF_STMT (BPF_RET | BPF_K, 0) },
    { BPF_STMT (BPF_LD | BPF_W | BPF_IND, 0), BPF_STMT (BPF_RET | BPF_K, 0) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_autoptr (GBytes) filter = g_bytes_new_static (damaged[i], sizeof damaged[i]);
      const struct seccomp_data call = { .nr = 0 };
      guint32 action;

      g_assert_false (dn_seccomp_filter_run (filter, &call, &action));
      g_assert_false (dn_seccomp_check (filter, DN_SECCOMP_DEFAULT, "filter", NULL));
    }
}

static void
test_a_chain_too_long_for_the_kernel_is_refused (void)
{
  g_autofree guint8 *zeros = g_malloc0 (BPF_MAXINSNS * sizeof (struct sock_filter));
  g_autoptr (GBytes) most = g_bytes_new (zeros, BPF_MAXINSNS * sizeof (struct sock_filter));
  g_autoptr (GBytes) head = dn_seccomp_filter_head (100);
  g_autoptr (GError) error = NULL;

  g_assert_null (dn_seccomp_filter_chain (head, most, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
}

/* standard's capabilities bring no call, so both profiles have the filter of default.bpf.txt. */
static void
test_standards_filter_is_stricts (void)
{
  static const char *const names[]
      = { "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) filter = NULL;
  guint64 set = 0, bit = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_true (dn_capability_bit (names[i], &bit));
      set |= bit;
    }
  filter = build (DN_SECCOMP_DEFAULT, set, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (filter, default_filter));
}

/* Each line is a call that somebody gets who has less confinement, and where. */
static void
test_what_relaxations_open_is_as_reviewed (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) relaxed = build (DN_SECCOMP_RELAXED, 0, &error);
  g_autoptr (GBytes) capable = build (DN_SECCOMP_DEFAULT, G_MAXUINT64, &error);
  const struct
  {
    const char *name;
    GBytes *filter;
  } filters[] = { { "relaxed", relaxed }, { "all capabilities", capable } };

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++)
    for (int number = 0; number < 457; number++)
      {
        char *name = seccomp_syscall_resolve_num_arch (SCMP_ARCH_X86_64, number);

        if (name != NULL
            && ask (filters[i].filter, AUDIT_ARCH_X86_64, number, 0, 0, 0)
                   != ask_default (number, 0, 0, 0))
          g_string_append_printf (text, "%s: %s\n", filters[i].name, name);
        free (name);
      }
  golden_compare ("tests/golden/seccomp/relaxations.txt", text->str);
  g_assert_cmphex (ask (capable, AUDIT_ARCH_X86_64, __NR_socket, AF_INET, SOCK_RAW, 1), ==,
                   SECCOMP_RET_ALLOW);
  g_assert_cmphex (ask_default (__NR_socket, AF_INET, SOCK_RAW, 1), ==, EPERM_ACTION);
  g_assert_cmphex (ask (capable, AUDIT_ARCH_X86_64, __NR_socket, AF_PACKET, SOCK_RAW, 0), ==,
                   EPERM_ACTION);
}

static void
test_without_a_filter_the_head_is_still_there (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) filter = build (DN_SECCOMP_UNCONFINED, 0, &error);

  g_assert_no_error (error);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_mount, 0, 0, 0), ==, SECCOMP_RET_ALLOW);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, __NR_ioctl, 0, DIRTY | TIOCSTI, 0), ==,
                   EPERM_ACTION);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_I386, 1, 0, 0, 0), ==, SECCOMP_RET_KILL_PROCESS);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, 0x40000000 | __NR_read, 0, 0, 0), ==,
                   SECCOMP_RET_KILL_PROCESS);
  g_assert_cmphex (ask (filter, AUDIT_ARCH_X86_64, 9999, 0, 0, 0), ==, ENOSYS_ACTION);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  g_file_get_contents ("config/seccomp/default.json", &default_json, NULL, &error);
  g_assert_no_error (error);
  default_filter = build (DN_SECCOMP_DEFAULT, 0, &error);
  g_assert_no_error (error);
#define ADD(name, function) g_test_add_func ("/seccomp-filter/" name, function)
  ADD ("decisions-are-as-reviewed", test_decisions_are_as_reviewed);
  ADD ("instructions-are-as-reviewed", test_instructions_are_as_reviewed);
  ADD ("the-compiled-filter-says-what-the-table-says",
       test_the_compiled_filter_says_what_the_table_says);
  ADD ("other-architectures-are-killed", test_other_architectures_are_killed);
  ADD ("numbers-above-the-table-are-not-there", test_numbers_above_the_table_are_not_there);
  ADD ("refuses-typing-into-terminals-whatever-the-upper-half",
       test_refuses_typing_into_terminals_whatever_the_upper_half);
  ADD ("permits-named-socket-families-only", test_permits_named_socket_families_only);
  ADD ("permits-no-new-namespace-and-no-device", test_permits_no_new_namespace_and_no_device);
  ADD ("a-users-profile-only-takes-away", test_a_users_profile_only_takes_away);
  ADD ("a-list-of-what-is-denied-only-takes-away", test_a_list_of_what_is_denied_only_takes_away);
  ADD ("a-users-profile-must-let-a-program-start", test_a_users_profile_must_let_a_program_start);
  ADD ("a-default-profile-that-permits-too-much-is-refused",
       test_a_default_profile_that_permits_too_much_is_refused);
  ADD ("standards-filter-is-stricts", test_standards_filter_is_stricts);
  ADD ("what-relaxations-open-is-as-reviewed", test_what_relaxations_open_is_as_reviewed);
  ADD ("without-a-filter-the-head-is-still-there", test_without_a_filter_the_head_is_still_there);
  ADD ("damaged-filters-are-noticed", test_damaged_filters_are_noticed);
  ADD ("a-chain-too-long-for-the-kernel-is-refused",
       test_a_chain_too_long_for_the_kernel_is_refused);
  return g_test_run ();
}
