/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-compile.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/mman.h>

#include "../common/autofd.h"
#include "../common/error.h"

typedef void Context; /* scmp_filter_ctx is a void * */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Context, seccomp_release)

/* libseccomp returns a negative errno, in places with a meaning of its own. */
static const char *
code_words (int code)
{
  switch (code)
    {
    case -EACCES:
      return "the action is the default one already";
    case -ECANCELED:
      return "the kernel or the C library failed";
    case -EDOM:
      return "the architecture does not fit";
    case -EEXIST:
      return "the rule is there already";
    case -EFAULT:
      return "internal error of libseccomp";
    case -EINVAL:
      return "not a valid rule";
    case -ENOMEM:
      return "out of memory";
    case -EOPNOTSUPP:
      return "not supported on this architecture";
    default:
      return g_strerror (-code);
    }
}

static gboolean
set_attributes (Context *context, const char *what, GError **error)
{
  int code = seccomp_attr_set (context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

  /* 2: a binary tree by number in place of a list: eight comparisons for a call, not 250. */
  if (code == 0)
    code = seccomp_attr_set (context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (code != 0)
    return dn_throw (error, DN_ERROR_FAILED, "%s: libseccomp: %s", what, code_words (code));
  return TRUE;
}

static gboolean
add_rules (Context *context, const DnSeccompProfile *profile, const char *what, GError **error)
{
  for (guint i = 0; i < profile->rules->len; i++)
    {
      const DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);
      /* _exact: libseccomp adds the rule as it stands or refuses it, and rewrites nothing. */
      int code = seccomp_rule_add_exact_array (context, rule->action, rule->number,
                                               rule->args_count, rule->args);

      if (code != 0 && code != -EEXIST)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: system call '%s': libseccomp: %s", what,
                         rule->name, code_words (code));
    }
  return TRUE;
}

static GBytes *
export_filter (Context *context, const char *what, GError **error)
{
  dn_autofd int fd = memfd_create ("seccomp", MFD_CLOEXEC);
  g_autofree guint8 *bytes = NULL;
  off_t size;
  int code;

  if (fd < 0)
    {
      dn_throw_errno (error, "%s: memfd_create()", what);
      return NULL;
    }
  code = seccomp_export_bpf (context, fd);
  size = code == 0 ? lseek (fd, 0, SEEK_END) : 0;
  if (code != 0 || size <= 0 || size % (off_t) sizeof (struct sock_filter) != 0)
    {
      dn_throw (error, DN_ERROR_FAILED, "%s: libseccomp exports no filter: %s", what,
                code != 0 ? code_words (code) : "its length is odd");
      return NULL;
    }
  if (size > (off_t) (BPF_MAXINSNS * sizeof (struct sock_filter)))
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: longer than the kernel's limit of %d instructions",
                what, BPF_MAXINSNS);
      return NULL;
    }
  bytes = g_malloc ((gsize) size);
  if (pread (fd, bytes, (size_t) size, 0) != size)
    {
      dn_throw_errno (error, "%s: reading the filter back", what);
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&bytes), (gsize) size);
}

GBytes *
dn_seccomp_profile_compile (const DnSeccompProfile *profile, const char *what, GError **error)
{
  g_autoptr (Context) context = seccomp_init (profile->default_action);

  if (context == NULL)
    {
      dn_throw (error, DN_ERROR_FAILED, "%s: libseccomp refuses the default action", what);
      return NULL;
    }
  if (!set_attributes (context, what, error) || !add_rules (context, profile, what, error))
    return NULL;
  return export_filter (context, what, error);
}

guint32
dn_seccomp_profile_largest (const DnSeccompProfile *profile)
{
  int largest = 0;

  for (guint i = 0; i < profile->rules->len; i++)
    {
      const DnSeccompRule *rule = g_ptr_array_index (profile->rules, i);

      largest = MAX (largest, rule->number);
    }
  return (guint32) largest;
}
