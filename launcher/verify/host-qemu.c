/* SPDX-License-Identifier: Apache-2.0 */
/* What QEMU was started with, from its command line. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../limits/host-group.h"
#include "host-facts.h"

#define COMMAND_LINE_MAX ((gsize) 128 * 1024)

/* The value of "driver" in an option of either form: {"driver":"X",...} or X,... */
static char *
driver_of (const char *option)
{
  const char *at = strstr (option, "\"driver\":\"");

  if (option[0] != '{')
    return g_strndup (option, strcspn (option, ","));
  if (at == NULL)
    return g_strdup ("?");
  at += strlen ("\"driver\":\"");
  return g_strndup (at, strcspn (at, "\""));
}

/* How often each driver occurs, sorted; of disks there may be any number. */
static char *
count_devices (const GPtrArray *drivers)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < drivers->len;)
    {
      const char *driver = drivers->pdata[i];
      guint count = 0;

      while (i < drivers->len && g_str_equal (drivers->pdata[i], driver))
        count++, i++;
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", driver);
      if (!g_str_has_prefix (driver, "virtio-blk-pci"))
        g_string_append_printf (text, " x%u", count);
    }
  return g_string_free (text, FALSE);
}

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Also of raw files one behind the other, of which danchid writes the description
 * (../images/disk.h); nobody else does: the disk is read-only, and whose file it is stands in
 * "qemu.disk-files". */
static gboolean
is_raw (const char *option)
{
  return strstr (option, "\"driver\":\"raw\"") != NULL
         || (strstr (option, "\"driver\":\"vmdk\"") != NULL
             && strstr (option, "\"read-only\":true") != NULL);
}

/* "tap" for one card whose packets QEMU itself moves: with vhost the host's kernel would read the
 * guest's ring. */
static const char *
describe_network (char **arguments)
{
  guint count = 0, taps = 0;

  for (char **at = arguments; *at != NULL; at++)
    {
      const char *value = at[1] != NULL ? at[1] : "";

      count += g_str_has_prefix (*at, "-net") || g_str_equal (*at, "-nic");
      taps += g_str_equal (*at, "-netdev")
              && (strstr (value, "\"type\":\"tap\"") != NULL || g_str_has_prefix (value, "tap,"))
              && strstr (value, "vhost") == NULL;
    }
  if (count == 0)
    return "none";
  return count == 1 && taps == 1 ? "tap" : "some";
}

void
dn_host_facts_read_qemu (DnVerifyFacts *facts, char **arguments)
{
  static const char *const plain[][2]
      = { { "-sandbox", "qemu.sandbox" }, { "-display", "qemu.display" } };
  g_autoptr (GPtrArray) drivers = g_ptr_array_new_with_free_func (g_free);
  gboolean has_config = TRUE, has_defaults = TRUE, has_format = FALSE;
  const char *format = "raw";
  GString *machine = g_string_new (NULL); /* there may be several -machine */
  g_autofree char *devices = NULL;

  for (char **at = arguments; *at != NULL; at++)
    {
      const char *value = at[1] != NULL ? at[1] : "";

      for (gsize i = 0; i < G_N_ELEMENTS (plain); i++)
        if (g_str_equal (*at, plain[i][0]))
          dn_verify_facts_add (facts, plain[i][1], value);
      if (g_str_equal (*at, "-machine"))
        g_string_append_printf (machine, "%s%s", machine->len > 0 ? "," : "", value);
      has_config &= !g_str_equal (*at, "-no-user-config");
      has_defaults &= !g_str_equal (*at, "-nodefaults");
      if (g_str_equal (*at, "-device"))
        g_ptr_array_add (drivers, driver_of (value));
      if (g_str_equal (*at, "-accel"))
        {
          g_autofree char *accelerator = g_strndup (value, strcspn (value, ","));

          dn_verify_facts_add (facts, "qemu.accelerator", accelerator);
        }
      if (g_str_equal (*at, "-m"))
        {
          g_autofree char *memory = g_strdup_printf (
              "%" G_GINT64_FORMAT " MiB",
              g_ascii_strtoll (g_str_has_prefix (value, "size=") ? value + 5 : value, NULL, 10)
                  >> (strchr (value, 'k') != NULL ? 10 : 0));

          dn_verify_facts_add (facts, "qemu.memory", memory);
        }
      /* A disk is a file below a format; "file" is the former. */
      if (g_str_equal (*at, "-blockdev") && strstr (value, "\"driver\":\"file\"") == NULL)
        {
          has_format = TRUE;
          if (!is_raw (value))
            format = "not raw";
        }
      if (g_str_equal (*at, "-drive") || g_str_equal (*at, "-hda"))
        format = "not named";
    }
  if (machine->len > 0)
    dn_verify_facts_add (facts, "qemu.machine", machine->str);
  g_string_free (machine, TRUE);
  g_ptr_array_sort (drivers, compare_texts);
  devices = count_devices (drivers);
  dn_verify_facts_add (facts, "qemu.devices", devices);
  dn_verify_facts_add (facts, "qemu.defaults", has_config || has_defaults ? "some" : "none");
  dn_verify_facts_add (facts, "qemu.network", describe_network (arguments));
  if (has_format)
    dn_verify_facts_add (facts, "qemu.disk-formats", format);
}

/* The path in {"driver":"file","filename":"PATH",...}; NULL for another node. (transfer full) */
static char *
disk_path (const char *option)
{
  const char *at = strstr (option, "\"filename\":\"");

  if (at == NULL)
    return NULL;
  at += strlen ("\"filename\":\"");
  return g_strndup (at, strcspn (at, "\""));
}

/* The first file of a disk that others may change. (transfer full), or NULL */
static char *
find_unprotected (char **arguments, char **attached, guint uid)
{
  char *found = NULL;

  for (; found == NULL && *attached != NULL; attached++)
    found = dn_host_disk_find_unprotected (*attached, uid);
  for (; found == NULL && *arguments != NULL; arguments++)
    {
      g_autofree char *path = g_str_equal (*arguments, "-blockdev") && arguments[1] != NULL
                                  ? disk_path (arguments[1])
                                  : NULL;

      if (path != NULL)
        found = dn_host_disk_find_unprotected (path, uid);
    }
  return found;
}

/* The kernel reads it out of the process's own memory, and a process can say where that is
 * (PR_SET_MM): so no more of it than QEMU's ever is.  Returns its bytes; 0: there is none like
 * that. */
static gsize
read_command_line (gint pid, char *ret_text)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", pid);
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  gsize size = 0;
  ssize_t n = fd < 0 ? -1 : 1;

  while (n > 0 && size < COMMAND_LINE_MAX)
    {
      n = read (fd, ret_text + size, COMMAND_LINE_MAX - size);
      size += n > 0 ? (gsize) n : 0;
    }
  if (n < 0 || size == COMMAND_LINE_MAX)
    return 0;
  ret_text[size] = '\0';
  return size;
}

static void
add_group (DnVerifyFacts *facts, gint pid)
{
  g_autofree char *memory = NULL, *processors = NULL;
  DnHostGroup group;

  if (!dn_host_group_read ("", pid, &group))
    return;
  memory = group.memory_bytes != 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT, group.memory_bytes)
                                   : g_strdup ("max");
  processors = group.quota_us != 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                                                      group.quota_us, group.period_us)
                                   : g_strdup ("max");
  dn_verify_facts_add (facts, "limit.memory", group.has_memory ? memory : "absent");
  dn_verify_facts_add (facts, "limit.processors", group.has_cpu ? processors : "absent");
}

void
dn_host_facts_add_qemu (DnVerifyFacts *facts, gint pid, guint uid, char **attached)
{
  g_autofree char *text = g_malloc (COMMAND_LINE_MAX + 1);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *unprotected = NULL;
  gsize size = read_command_line (pid, text);

  if (size == 0)
    return;
  for (gsize at = 0; at < size; at += strlen (text + at) + 1)
    g_ptr_array_add (arguments, text + at);
  g_ptr_array_add (arguments, NULL);
  add_group (facts, pid);
  dn_host_facts_read_qemu (facts, (char **) arguments->pdata);
  unprotected = find_unprotected ((char **) arguments->pdata, attached, uid);
  dn_verify_facts_add (facts, "qemu.disk-files", unprotected != NULL ? unprotected : "protected");
}
